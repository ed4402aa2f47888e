"""The calculator, the table and the chart of the chapter on prompting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import inputs as typed
from ragvsft.costs.stages import calling_usd
from ragvsft.evidence.published import figure, results
from ragvsft.formula import Quantity
from ragvsft.prices import of_kind, values
from ragvsft.prose import count, number, percent, table, usd
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import SHADES, USD_LABELS, Layers, queries_x, usd_axis, with_now
from ragvsft.widgets.cost_inputs import (
    VOLUMES,
    assumption_input,
    claimed,
    default_prices,
    fixed_prices,
    model_select,
)

TECHNIQUES = {
    "instructions": "Instructions",
    "examples": "+ fixed examples, cached",
    "examples_uncached": "+ fixed examples, not cached",
    "retrieved": "+ examples retrieved for each question",
    "schema": "+ a schema in the prompt",
    "reasoning": "+ reasoning before the answer",
    "corpus": "+ the whole corpus, cached",
}


def techniques() -> Calculator:
    """What each prompting technique adds to a call, in tokens and dollars."""
    search = tuple(
        price
        for price in default_prices("embedder", "store")
        if price.name in ("usd_per_mtok", "usd_per_million_reads")
    )
    inputs = (
        model_select(),
        assumption_input("queries_per_month"),
        assumption_input("system_tokens"),
        assumption_input("example_tokens"),
        Number("retrieved_tokens", "Examples retrieved for a question", "tokens", 500, 0, 50_000),
        Number("schema_tokens", "Schema", "tokens", 300, 0, 20_000),
        Number("reasoning_tokens", "Reasoning before the answer", "tokens", 500, 0, 50_000),
        Number(
            "corpus_tokens",
            "A small corpus",
            "tokens",
            50_000,
            1000,
            claimed("small-corpus-tokens"),
            scale="log",
        ),
        assumption_input("query_tokens"),
        assumption_input("output_tokens"),
    )
    return Calculator(
        "prompt-techniques",
        "What does each technique cost?",
        inputs,
        _techniques,
        tuple(
            Row(
                label,
                Cell(f"{name}_usd", "usd"),
                Cell(f"{name}_added", "percent"),
                Cell(f"{name}_tokens", "count"),
                Cell(f"{name}_month_usd", "usd"),
            )
            for name, label in TECHNIQUES.items()
        ),
        ("Technique", "USD a call", "More than instructions", "Tokens a call", "USD a month"),
        chart=_techniques_chart,
        finding=Finding("A call costs {lowest_value:usd} ({lowest}) to {highest_value:usd} ({highest})"),
        sweep=Sweep(
            "queries_per_month",
            VOLUMES,
            {
                f"{name}_usd": TECHNIQUES[name]
                for name in ("instructions", "examples", "retrieved", "reasoning", "corpus")
            },
        ),
        presets=(
            Preset("Cheap model", {"model": "claude-haiku-5.5"}),
            Preset("Many long examples", {"example_tokens": 12_000}),
            Preset("Few calls", {"queries_per_month": 1000}),
        ),
        fixed={"batch_fraction": 0.0, **fixed_prices("embedder", "store")},
        prices=search,
        note=(
            "Each line adds one technique to the instructions. Retrieved examples change with every "
            "question and so are never cached; their search is in the price. Reasoning is billed as output."
        ),
    )


def _techniques(i: Any) -> Mapping[str, Quantity]:
    s = typed(vars(i))

    def call(
        prefix: Quantity,
        fresh: Quantity = i.query_tokens,
        output: Quantity = i.output_tokens,
        hit_rate: Quantity | None = None,
    ) -> Quantity:
        return calling_usd(s, s.answer_llm, prefix, fresh, output, hit_rate)

    search = costs.tokens_usd(i.query_tokens, s.embedder.usd_per_mtok) + costs.search_usd_per_query(
        0, s.store.usd_per_million_reads
    )
    calls = {
        "instructions": call(i.system_tokens),
        "examples": call(i.system_tokens + i.example_tokens),
        "examples_uncached": call(i.system_tokens + i.example_tokens, hit_rate=0),
        "retrieved": call(i.system_tokens, i.query_tokens + i.retrieved_tokens) + search,
        "schema": call(i.system_tokens + i.schema_tokens),
        "reasoning": call(i.system_tokens, output=i.output_tokens + i.reasoning_tokens),
        "corpus": call(i.system_tokens + i.corpus_tokens),
    }
    extra = {
        "instructions": 0,
        "examples": i.example_tokens,
        "examples_uncached": i.example_tokens,
        "retrieved": i.retrieved_tokens,
        "schema": i.schema_tokens,
        "reasoning": i.reasoning_tokens,
        "corpus": i.corpus_tokens,
    }
    figures: dict[str, Quantity] = {}
    for name, call_usd in calls.items():
        figures |= {
            f"{name}_tokens": i.system_tokens + i.query_tokens + i.output_tokens + extra[name],
            f"{name}_usd": call_usd,
            f"{name}_added": call_usd / calls["instructions"] - 1,
            f"{name}_month_usd": i.queries_per_month * call_usd,
        }
    return figures


def _techniques_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    is_1_2_or_5 = "test(regexp('^[125]'), format(datum.value, '.0e'))"
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            queries_x(),
            alt.Y(
                "value:Q",
                title="USD a call",
                scale=alt.Scale(type="log", nice=False),
                axis=usd_axis(tickCount=6, labelExpr=f"{is_1_2_or_5} ? {USD_LABELS} : ''"),
            ),
            alt.Color("series:N", title=None, sort=list(TECHNIQUES.values())),
        )
    )
    return with_now(
        lines,
        log,
        "Price of a call against queries a month, one line for each technique, both axes logarithmic. "
        "Cached techniques fall steeply as traffic keeps the cache warm; retrieved examples and reasoning "
        "hardly fall. A dashed line marks the volume set above.",
    )


def caching_rules() -> str:
    """What each model on sale asks of a cached prefix, and what it charges for one."""
    rows = []
    for row in of_kind("llm"):
        price = values(row.id)
        if "global" not in row.regions or not price:
            continue
        fresh = price["input_usd_per_mtok"]
        rows.append(
            [
                row.offer,
                usd(fresh),
                count(price["min_cacheable_tokens"]),
                percent(price["cache_read_usd_per_mtok"] / fresh),
                percent(price["cache_write_usd_per_mtok"] / fresh),
                percent(price["batch_multiplier"]),
            ]
        )
    return table(
        [
            "model",
            "input, a million tokens",
            "shortest prefix cached, tokens",
            "cached read",
            "cache write",
            "batch",
        ],
        rows,
    )


def long_context_gains() -> pd.DataFrame:
    """What the whole text gains over retrieved chunks, in points, by model and length of text.

    Columns model, length, gain. Source: the authors' files of Li et al. 2025 (LaRA), all four tasks together.
    """
    scores = pd.DataFrame(
        [
            (row.model, row.dataset.split()[1].rstrip(","), row.arm, row.value)
            for row in results("li2025lara")
            if row.arm in ("long context", "RAG")
        ],
        columns=["model", "length", "arm", "points"],
    )
    wide = scores.pivot(index=["model", "length"], columns="arm", values="points").reset_index()
    wide["gain"] = wide["long context"] - wide["RAG"]
    return wide[["model", "length", "gain"]]


def mean_gain(length: str, task: str) -> float:
    """The same averaged over the models of that paper, for one task or `overall`, in points."""
    found = figure("li2025lara", "difference", dataset=f"LaRA {length}, {task}")
    return found.value


def newer_gain(models: str) -> float:
    """The same for models of 2025 at the longer length, in points: means over models, read in quotation."""
    score = {
        row.arm: row.value
        for row in results("ldar2025")
        if row.model == models and row.dataset.endswith("128k") and not row.condition.startswith("learnt")
    }
    return score["long context"] - score["RAG"]


def long_context_chart() -> Layers:
    """A dot for each model and length: points that the whole text gains over retrieved chunks."""
    frame = long_context_gains()
    frame["label"] = frame.length + " tokens"
    lengths = sorted(frame.label.unique(), key=lambda label: int(label.partition("k")[0]))
    order = frame.groupby("model").gain.mean().sort_values(ascending=False).index.tolist()
    ahead = {name: int((group.gain > 0).sum()) for name, group in frame.groupby("label")}
    models = frame.model.nunique()
    told = "; ".join(f"{row.model}, {row.label}: {number(row.gain)}" for row in frame.itertuples())
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    dots = (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X("gain:Q", title="Points gained by the whole text over retrieval"),
            alt.Y("model:N", title=None, sort=order, axis=alt.Axis(grid=True)),
            alt.Color(
                "label:N",
                title=None,
                sort=lengths,
                scale=alt.Scale(domain=lengths, range=[SHADES[1], SHADES[4]]),
            ),
            alt.Shape("label:N", title=None, sort=lengths),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("label:N", title="Text"),
                alt.Tooltip("gain:Q", title="Points gained", format="+.1f"),
            ],
        )
    )
    found = ", ".join(f"{ahead[label]} of {models} models at {label}" for label in lengths)
    return alt.layer(zero, dots).properties(
        title=f"The whole text beats retrieval for {found}",
        description=f"Points gained by giving the whole text instead of retrieved chunks. {told}.",
    )
