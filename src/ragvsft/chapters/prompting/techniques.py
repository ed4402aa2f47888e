"""The calculator and the table of the chapter on prompting."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import altair as alt

from ragvsft.costs import formulas as costs
from ragvsft.costs import options
from ragvsft.data import load
from ragvsft.formula import Quantity
from ragvsft.prices import rates
from ragvsft.prose import count, percent, table, usd
from ragvsft.widgets.calculator import Calculator, Cell, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import USD_LABELS, queries_x, usd_axis, with_now
from ragvsft.widgets.cost_inputs import (
    LLM_INPUTS,
    VOLUMES,
    assumption_input,
    claimed,
    default_prices,
    offer_select,
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
        for price in default_prices("embedding", "vector_store")
        if price.name in ("embedding_usd_per_mtok", "vector_usd_per_million_reads")
    )
    inputs = (
        offer_select("llm"),
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
        sweep=Sweep(
            "queries_per_month",
            VOLUMES,
            {
                f"{name}_usd": TECHNIQUES[name]
                for name in ("instructions", "examples", "retrieved", "reasoning", "corpus")
            },
        ),
        presets=(
            Preset("Cheap model", {"llm": "claude-haiku-5-5"}),
            Preset("Many long examples", {"example_tokens": 12_000}),
            Preset("Few calls", {"queries_per_month": 1000}),
        ),
        fixed={"batch_fraction": 0.0} | {price.name: price.value for price in search},
        prices=search,
        note=(
            "Each line adds one technique to the instructions. Retrieved examples change with every "
            "question and so are never cached; their search is in the price. Reasoning is billed as output."
        ),
    )


def _techniques(i: Any) -> Mapping[str, Quantity]:
    def call(prefix: Quantity, fresh: Quantity = i.query_tokens, **hit: float) -> Quantity:
        return options.llm_usd(i, prefix, fresh, **hit)

    search = costs.tokens_usd(i.query_tokens, i.embedding_usd_per_mtok) + costs.search_usd_per_query(
        0, i.vector_usd_per_million_reads
    )
    thinking = SimpleNamespace(
        **{name: getattr(i, name) for name in LLM_INPUTS},
        output_tokens=i.output_tokens + i.reasoning_tokens,
    )
    calls = {
        "instructions": call(i.system_tokens),
        "examples": call(i.system_tokens + i.example_tokens),
        "examples_uncached": call(i.system_tokens + i.example_tokens, hit_rate=0),
        "retrieved": call(i.system_tokens, i.query_tokens + i.retrieved_tokens) + search,
        "schema": call(i.system_tokens + i.schema_tokens),
        "reasoning": options.llm_usd(thinking, i.system_tokens, i.query_tokens),
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
    labels = {row.id: row.offer for row in load("offers")}
    for row in load("models"):
        price = {name: found.value for name, found in rates("llm", row.id).items()}
        fresh = price["llm_input_usd_per_mtok"]
        rows.append(
            [
                labels[row.id],
                usd(fresh),
                count(row.min_cacheable_tokens),
                percent(price["llm_cache_read_usd_per_mtok"] / fresh),
                percent(price["llm_cache_write_usd_per_mtok"] / fresh),
                percent(price["llm_batch_multiplier"]),
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
