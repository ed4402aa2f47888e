"""The calculator, tables and figures of the chapter on latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import sympy

import ragvsft.widgets.chart  # noqa: F401  (registers the theme)
from ragvsft.costs import formulas, latency, scenario
from ragvsft.costs.inputs import Inputs, chosen_roles, inputs
from ragvsft.costs.latency import Speeds
from ragvsft.costs.methods import METHODS, Method, longest_call_tokens, query
from ragvsft.costs.scenario import assumption
from ragvsft.costs.stages import STAGES, Wait
from ragvsft.data import load
from ragvsft.formula import Quantity, symbolic, where
from ragvsft.prose import count, day, ms, number, percent, table
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Choice, Finding, Number, Preset, Row, Select
from ragvsft.widgets.cost_inputs import assumption_input, rest

AT_REST = latency.typical_speeds()

READ, WRITE = float(AT_REST.read_tokens_per_second), float(AT_REST.write_tokens_per_second)

LOADED = latency.published("first-token-long-50")

READ_LOADED = 1000 * (LOADED.prompt_tokens or 0) / LOADED.milliseconds

WRITE_LOADED = latency.decode_tokens_per_second("next-token-50")
"""Speeds in tokens per second of one published server: with one request, and with many at once."""

TYPICAL = {name: float(wait) for name, wait in AT_REST.call_ms.items()}
"""Milliseconds a call, as published."""

SLOW: dict[Wait, float] = {
    "embed": 500.0,
    "search": latency.wait_ms("search-far-p95"),
    "rerank": 600.0,
    "tool": latency.wait_ms("search-far-p95"),
    "model": TYPICAL["model"],
}
"""The same on a slow day. No p95 of embedding and reranking is published: those are our assumptions."""

WAITS: dict[Wait, str] = {
    "embed": "Embed the question",
    "search": "Search the index",
    "rerank": "Rerank the candidates",
    "tool": "One tool call",
    "model": "Start of a model call, without its tokens",
}

BUDGET_MS = 1000.0

SYMBOLS = {
    "calls": "n",
    "milliseconds_per_call": "c",
    "prompt_tokens": "T",
    "read_tokens_per_second": r"\mu_{read}",
    "output_tokens": "o",
    "write_tokens_per_second": r"\mu_{write}",
}


def equation() -> str:
    """The wait for one stage as a displayed formula, from the function that computes it."""
    return f"$$t = {sympy.latex(symbolic(formulas.stage_milliseconds, **SYMBOLS), order='none')}$$"


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


# ------------------------------------------------------------------------------------------ the calculator

CODES = {name: float(code) for code, name in enumerate(METHODS)}

TOKENS = (
    "chunks_in_prompt",
    "tokens_per_chunk",
    "system_tokens",
    "example_tokens",
    "query_tokens",
    "output_tokens",
    "agent_rounds",
    "agent_tool_tokens",
    "agent_call_tokens",
    "agent_retry_fraction",
)
"""The assumptions that a wait depends on."""


def _entries() -> tuple[Number | Select, ...]:
    choices = tuple(Choice(name, METHODS[name].label, {"method_code": code}) for name, code in CODES.items())
    speeds: list[Number] = []
    for name, label in WAITS.items():
        for which, at in (("typical", TYPICAL), ("slow", SLOW)):
            speeds.append(
                Number(
                    f"{name}_{which}", f"{label}, {which}", "ms", at[name], 0, 60_000,
                    slider=(0, 1_000), group="waits for each call",
                )
            )  # fmt: skip
    for verb, label, values in (
        ("read", "The model reads", (READ, READ_LOADED)),
        ("write", "The model writes", (WRITE, WRITE_LOADED)),
    ):
        for which, value in zip(("typical", "slow"), values, strict=True):
            speeds.append(
                Number(
                    f"{verb}_{which}", f"{label}, {which}", "tokens/s", round(value, 1), 1, 1e6, "log",
                    slider=(5, 50_000), group="speed of the model",
                )
            )  # fmt: skip
    return (
        Select("method", "Method", "rag", choices),
        Number("budget_ms", "Wait that users accept for the first token", "ms", BUDGET_MS, 50, 60_000, "log"),
        assumption_input("output_tokens"),
        Number("cached_percent", "Of what heads every prompt, cached", "%", 0, 0, 100),
        *(assumption_input(name, "tokens") for name in TOKENS if name != "output_tokens"),
        *speeds,
    )


def _speeds(s: Any, which: str) -> Speeds:
    given = vars(s)
    return Speeds(
        {name: given[f"{name}_{which}"] for name in WAITS}, given[f"read_{which}"], given[f"write_{which}"]
    )


def _chosen(s: Any, found: Mapping[str, Quantity]) -> Quantity:
    """The value of the chosen method."""
    (_, picked), *others = reversed(list(found.items()))
    for name, value in others:
        picked = where(s.method_code <= CODES[name], value, picked)
    return picked


def _model(s: Any) -> dict[str, Quantity]:
    at = inputs(vars(s))
    figures: dict[str, Quantity] = {
        f"{stage}_in_use": _chosen(s, {name: float(stage in METHODS[name].stages) for name in METHODS})
        for stage in STAGES
    }
    for which in ("typical", "slow"):
        speeds = _speeds(s, which)
        waits = {
            name: latency.waits_ms(at, method, speeds, s.cached_percent / 100)
            for name, method in METHODS.items()
        }
        whole = {name: sum(found.values()) for name, found in waits.items()}
        first = _chosen(s, {name: latency.first_token_ms(found) for name, found in waits.items()})
        plain = _chosen(
            s, {name: whole["fine_tuned" if METHODS[name].tuned else "prompting"] for name in METHODS}
        )
        chosen = _chosen(s, whole)
        figures |= {
            f"{stage}_{which}": _chosen(s, {name: found.get(stage, 0) for name, found in waits.items()})
            for stage in STAGES
        }
        figures |= {
            f"first_{which}": first,
            f"whole_{which}": chosen,
            f"plain_{which}": plain,
            f"share_{which}": (chosen - plain) / chosen,
            f"left_{which}": s.budget_ms - first,
        }
    return figures


TOTALS = {
    "first": ("First token, in all", "ms"),
    "whole": ("Last token, in all", "ms"),
    "plain": ("Last token without any documents", "ms"),
    "share": ("Share that finding and reading documents adds", "percent"),
    "left": ("Left of the budget at the first token", "ms"),
}


def budget() -> Calculator:
    """What each stage of one method adds to the wait, on a typical and on a slow request."""
    entries = _entries()
    return Calculator(
        "latency-budget",
        "Does it fit your budget?",
        entries,
        _model,
        (
            *(
                Row(
                    stage.label,
                    Cell(f"{name}_typical", "ms"),
                    Cell(f"{name}_slow", "ms"),
                    available=f"{name}_in_use",
                    reason="not a stage of this method",
                )
                for name, stage in STAGES.items()
            ),
            *(
                Row(label, Cell(f"{name}_typical", unit), Cell(f"{name}_slow", unit))
                for name, (label, unit) in TOTALS.items()
            ),
        ),
        ("", "Typical (p50)", "Slow (p95s, added)"),
        chart=_stages_chart,
        finding=Finding("The longest stage: {highest}, {highest_value:ms} of {whole_typical:ms}"),
        sweep=Bars({f"{name}_typical": stage.label for name, stage in STAGES.items()}),
        presets=(
            Preset(
                "Near and lean",
                {
                    "embed_typical": 20,
                    "search_typical": latency.wait_ms("search-cluster-p50"),
                    "rerank_typical": 0,
                    "embed_slow": 40,
                    "search_slow": latency.wait_ms("search-cluster-p95"),
                    "rerank_slow": 0,
                    "chunks_in_prompt": 5,
                },
            ),
            Preset("Cached prompt", {"cached_percent": 90}),
            Preset("A label for an answer", {"output_tokens": 5}),
            Preset("An agent that searches", {"method": "agentic_search"}),
        ),
        fixed=rest(*entries, roles=("weights", "gpu", *(role for role in chosen_roles() if role != "gpu"))),
        note=(
            "Search, reranking and model speeds start at published figures, embedding at one engineer's "
            "rounded one; a tool call is taken as one search over the network; the slow embedding and "
            "reranking are our assumptions. They come from different systems: replace them with your own "
            "measurements. Inside one query of an agent, what an earlier call has read is not read again."
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
                "One bar for each stage of a typical request of the chosen method, in the order of an answer."
            )
        )
    )


# ------------------------------------------------------------------------------------------------- tables


def default_inputs(**keys: Any) -> Inputs:
    """The inputs of the default open model on its own GPUs, with some scenario keys set."""
    column = "gpt-oss-20b-self-hosted"
    return scenario.from_keys({"columns": [column], **keys}).inputs(column)


def methods_table(**keys: Any) -> str:
    """Every method on the same model: calls, first and last token at the published speeds."""
    s = default_inputs(**keys)
    return table(
        ["method", "calls of a model", "tokens read", "first token", "last token"],
        [_method_row(method, s) for method in METHODS.values()],
    )


def _method_row(method: Method, s: Inputs) -> list[str]:
    if longest_call_tokens(s, method, "self_hosted") > s.weights.context_window_tokens:
        return [method.label, "the whole corpus is longer than the model takes", "–", "–", "–"]
    used = query(s, method, "self_hosted")
    calls = sum(
        use.calls for name, use in used.items() if STAGES[name].wait == "model" and name != latency.ANSWER
    )
    read = sum(use.fresh_tokens for name, use in used.items() if STAGES[name].wait == "model")
    waits = latency.waits_ms(s, method, AT_REST)
    return [
        method.label,
        number(float(calls)),
        number(float(read)),
        ms(float(latency.first_token_ms(waits))),
        ms(float(sum(waits.values()))),
    ]


def share_table(output_tokens: Sequence[float]) -> str:
    """What retrieval and its passages add to the wait by length of the answer, at the defaults."""
    calculator = budget()
    rows = []
    for tokens in output_tokens:
        at = calculator.compute(output_tokens=tokens)
        waits = [ms(at[f"{which}_typical"]) for which in ("plain", "whole")]
        rows.append([count(tokens), *waits, percent(at["share_typical"])])
    return table(["tokens of answer", "without retrieval", "with retrieval", "share that it adds"], rows)


def sum_of_p95s() -> tuple[float, float]:
    """The slow column's wait for the first token, and its p95 if the same stages were slow independently."""
    at = budget().compute()
    before = [name for name in METHODS["rag"].stages if name != latency.ANSWER]
    independent = latency.p95_if_independent(
        *([at[f"{name}_{which}"] for name in before] for which in ("typical", "slow"))
    )
    return at["first_slow"], independent


SHARE_STUCK = 0.04
"""Share of requests in which a stage is stuck that its 95th percentile does not show: an example."""


def stuck_answers(stages: int) -> float:
    """Share of answers with a stuck stage, if each is stuck on its own in `SHARE_STUCK` of requests."""
    return latency.share_with_a_slow_stage(stages, SHARE_STUCK)


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
