"""The calculator, tables and figures of the chapter on latency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import sympy

import ragvsft.widgets.chart  # noqa: F401  (registers the theme)
from ragvsft.costs import formulas, latency
from ragvsft.costs.scenario import assumption
from ragvsft.data import load
from ragvsft.formula import Quantity, symbolic
from ragvsft.prose import count, day, ms, number, percent, table
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Number, Preset, Row

READ = latency.prefill_tokens_per_second("first-token-short-1", "first-token-long-1")

WRITE = latency.decode_tokens_per_second("next-token-1")

READ_LOADED = 1000 * 5000 / latency.wait_ms("first-token-long-50")

WRITE_LOADED = latency.decode_tokens_per_second("next-token-50")
"""Speeds in tokens per second of one published server: with one request, and with fifty at once."""

STAGES = ("embed", "search", "rerank")

TYPICAL_MS = (
    latency.wait_ms("embed-hosted"),
    latency.wait_ms("search-far-p50"),
    latency.wait_ms("rerank-dedicated-96"),
)

SLOW_MS = (500.0, latency.wait_ms("search-far-p95"), 600.0)
"""Milliseconds to embed, search and rerank. No p95 of the first and the last is published: those are ours."""

SYMBOLS = {
    "embed_milliseconds": "t_{embed}",
    "search_milliseconds": "t_{search}",
    "rerank_milliseconds": "t_{rerank}",
    "prompt_tokens": "T",
    "prefill_tokens_per_second": r"\mu_{read}",
    "output_tokens": "o",
    "decode_tokens_per_second": r"\mu_{write}",
}


def equation() -> str:
    """The wait for a whole answer as a displayed formula, from the function that computes it."""
    return f"$$t = {sympy.latex(symbolic(formulas.answer_milliseconds, **SYMBOLS), order='none')}$$"


def published_table() -> str:
    """Every published wait with its statistic, date and source; one line for each system and prompt."""
    lines: dict[tuple[str, str, str], list[str]] = {}
    for row in load("latency"):
        prompt = f"; prompt of {count(row.prompt_tokens)} tokens" if row.prompt_tokens else ""
        source = f"[{row.source_kind.replace('_', ' ')}]({row.source}), {day(row.as_of)}"
        lines.setdefault((row.stage, row.system + prompt, source), []).append(_wait(row))
    rows = [[stage, system, "; ".join(waits), source] for (stage, system, source), waits in lines.items()]
    return table(["waits for", "system", "wait", "source"], rows)


def _wait(row: latency.LatencyRow) -> str:
    if row.low and row.high:
        return f"{number(row.low)} to {ms(row.high)}"
    many = (row.concurrent_requests or 0) > 1
    load_note = f" with {count(row.concurrent_requests or 0)} requests at once" if many else ""
    return ms(row.milliseconds) + (f" ({row.statistic})" if row.statistic != "not stated" else "") + load_note


def _model(s: Any) -> dict[str, Quantity]:
    figures: dict[str, Quantity] = {}
    passages = s.chunks_in_prompt * s.tokens_per_chunk
    fixed = s.other_prompt_tokens * (1 - s.cached_percent / 100)
    for speed in ("typical", "slow"):
        embed, search, rerank = (getattr(s, f"{stage}_{speed}") for stage in STAGES)
        read, write = getattr(s, f"read_{speed}"), getattr(s, f"write_{speed}")
        whole = formulas.answer_milliseconds(
            embed, search, rerank, passages + fixed, read, s.output_tokens, write
        )
        first = formulas.answer_milliseconds(embed, search, rerank, passages + fixed, read, 0, write)
        closed_book = formulas.answer_milliseconds(0, 0, 0, fixed, read, s.output_tokens, write)
        figures |= {
            f"retrieve_{speed}": formulas.answer_milliseconds(embed, search, rerank, 0, read, 0, write),
            f"passages_{speed}": formulas.answer_milliseconds(0, 0, 0, passages, read, 0, write),
            f"rest_{speed}": formulas.answer_milliseconds(0, 0, 0, fixed, read, 0, write),
            f"answer_{speed}": formulas.answer_milliseconds(0, 0, 0, 0, read, s.output_tokens, write),
            f"first_{speed}": first,
            f"whole_{speed}": whole,
            f"closed_{speed}": closed_book,
            f"share_{speed}": (whole - closed_book) / whole,
            f"left_{speed}": s.budget_ms - first,
        }
    return figures | {f"{stage}_ms": getattr(s, f"{stage}_typical") for stage in STAGES}


LINES = {
    "retrieve": "Embed, search, rerank",
    "passages": "Read the passages",
    "rest": "Read the rest of the prompt",
    "first": "First token, in all",
    "answer": "Write the answer",
    "whole": "Last token, in all",
    "closed": "Last token without retrieval",
}


def _tokens(name: str, label: str, slider: tuple[float, float] | None = None) -> Number:
    row = assumption(name)
    low, high = slider or (row.low, row.high)
    return Number(name, label, "", row.base, row.minimum, row.maximum, slider=(low, high))


def budget() -> Calculator:
    """The wait for the first and the last token, stage by stage, on an ordinary and on a slow request."""
    assumed = {"embed": "Slow: our assumption", "search": "", "rerank": "Slow: our assumption"}
    stages = [
        Number(
            f"{stage}_{speed}",
            f"{stage.capitalize()}, {speed}",
            "ms",
            value,
            0,
            10_000,
            slider=(0, 1_000),
            help=hint,
        )
        for speed, values in (("typical", TYPICAL_MS), ("slow", SLOW_MS))
        for stage, value, hint in zip(STAGES, values, assumed.values(), strict=True)
    ]
    speeds = [
        Number(name, label, "tokens/s", round(value, 1), low, high, "log", group="Speed of the model")
        for name, label, value, low, high in (
            ("read_typical", "Reads, typical", READ, 100, 1e6),
            ("write_typical", "Writes, typical", WRITE, 1, 1e4),
            ("read_slow", "Reads, slow", READ_LOADED, 100, 1e6),
            ("write_slow", "Writes, slow", WRITE_LOADED, 1, 1e4),
        )
    ]
    return Calculator(
        "latency-budget",
        "Does retrieval fit your budget?",
        (
            Number("budget_ms", "Wait that users accept for the first token", "ms", 1_000, 50, 60_000, "log"),
            _tokens("chunks_in_prompt", "Passages in the prompt", (1, 50)),
            _tokens("tokens_per_chunk", "Tokens per passage"),
            Number(
                "other_prompt_tokens", "Other tokens of the prompt", "", 2_500, 0, 1e6, slider=(0, 20_000)
            ),
            Number("cached_percent", "Of these, cached", "%", 0, 0, 100),
            _tokens("output_tokens", "Tokens of the answer", (1, 2_000)),
            *stages,
            *speeds,
        ),
        _model,
        (
            *(
                Row(label, Cell(f"{name}_typical", "ms"), Cell(f"{name}_slow", "ms"))
                for name, label in LINES.items()
            ),
            Row("Share that retrieval adds", Cell("share_typical", "percent"), Cell("share_slow", "percent")),
            Row("Left of the budget at the first token", Cell("left_typical", "ms"), Cell("left_slow", "ms")),
        ),
        ("", "Typical (p50)", "Slow (p95s, added)"),
        chart=_stages_chart,
        sweep=Bars(
            {
                "embed_ms": "Embed the question",
                "search_ms": "Search",
                "rerank_ms": "Rerank",
                "passages_typical": "Read the passages",
                "rest_typical": "Read the rest",
                "answer_typical": "Write the answer",
            }
        ),
        presets=(
            Preset(
                "Near and lean",
                {
                    "embed_typical": 20,
                    "search_typical": 2.6,
                    "rerank_typical": 0,
                    "embed_slow": 40,
                    "search_slow": 3.13,
                    "rerank_slow": 0,
                    "chunks_in_prompt": 5,
                },
            ),
            Preset("Cached prompt", {"cached_percent": 90}),
            Preset("A label for an answer", {"output_tokens": 5}),
        ),
        note=(
            "Search, reranking and model speeds start at published figures, embedding at one engineer's "
            "rounded one; the slow embedding and reranking are our assumptions. They come from different "
            "systems: replace them with your own measurements."
        ),
    )


def _stages_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="Milliseconds on a typical request"),
            alt.Y("series:N", sort=None, title=None),
        )
        .properties(
            description=(
                "One bar for each stage of a typical request: embed the question, search, rerank, read the "
                "passages, read the rest of the prompt, write the answer. At the defaults, writing the "
                "answer is by far the longest."
            )
        )
    )


def share_table(output_tokens: Sequence[float]) -> str:
    """What retrieval and its passages add to the wait by length of the answer, at the defaults."""
    calculator = budget()
    rows = []
    for tokens in output_tokens:
        at = calculator.compute(output_tokens=tokens)
        waits = [ms(at[f"{which}_typical"]) for which in ("closed", "whole")]
        rows.append([count(tokens), *waits, percent(at["share_typical"])])
    return table(["tokens of answer", "without retrieval", "with retrieval", "share that it adds"], rows)


def sum_of_p95s() -> tuple[float, float]:
    """The slow column's wait for the first token, and its p95 if the same stages were slow independently."""
    at = budget().compute()
    reading = [(at[f"passages_{speed}"] + at[f"rest_{speed}"]) for speed in ("typical", "slow")]
    independent = latency.p95_if_independent([*TYPICAL_MS, reading[0]], [*SLOW_MS, reading[1]])
    return at["first_slow"], independent


def throughput_loss() -> tuple[int, int, float]:
    """A short prompt, a longer one with the same answer, and how many times fewer requests a GPU serves."""
    rows = {(row.input_tokens, row.output_tokens): row.requests_per_second for row in load("throughput")}
    return 128, 1024, rows[128, 128] / rows[1024, 128]


def milliseconds_saved(passages: float) -> str:
    """What leaving out so many passages of the default length saves before the first token."""
    return ms(latency.reading_milliseconds(passages * assumption("tokens_per_chunk").base, READ))


def speeds() -> tuple[str, str]:
    """How fast the published server reads and writes, in tokens per second."""
    return number(float(f"{READ:.3g}")), number(WRITE)
