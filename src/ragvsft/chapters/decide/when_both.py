"""The calculator and the table of the chapter on when to combine both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import altair as alt

from ragvsft.combining import combining
from ragvsft.costs import formulas as costs
from ragvsft.costs import options, scenario
from ragvsft.costs.options import LABELS
from ragvsft.formula import Quantity
from ragvsft.prices import DEFAULT_SELECTION, Kind, days_left
from ragvsft.prose import count, number, table
from ragvsft.widgets.calculator import Calculator, Cell, Number, Preset, Row, Select, Sweep
from ragvsft.widgets.chart import option_colour, queries_x, usd_axis, with_now
from ragvsft.widgets.cost_inputs import (
    UNAVAILABLE,
    VOLUMES,
    assumption_input,
    default_prices,
    offer_select,
    rest,
)

COMBINED = ("rag", "rag_fine_tuned_hosted", "rag_fine_tuned_self_hosted")


def both_pays() -> Calculator:
    """What adding a fine-tune to retrieval costs, and the accuracy it must gain to be worth that."""
    label, workload = scenario.workloads()["support-bot"]
    inputs: tuple[Number | Select, ...] = (
        *(
            replace(assumption_input(name), default=workload.get(name, assumption_input(name).default))
            for name in ("queries_per_month", "horizon_months", "output_tokens", "chunks_in_prompt")
        ),
        Number("usd_per_failure", "What a wrong answer costs you", "USD", 5, 0.01, 10_000, scale="log"),
        offer_select("llm"),
        offer_select("tuned_model"),
        offer_select("gpu"),
        *(
            replace(assumption_input(name), group="fine-tuning")
            for name in (
                "training_examples",
                "usd_per_example",
                "months_between_releases",
                "fine_tuning_build_hours",
                "release_hours",
                "usd_per_hour",
            )
        ),
    )
    shared: tuple[Kind, ...] = ("embedding", "reranker", "vector_store")
    prices = default_prices(*shared)
    return Calculator(
        "both-pays",
        f"What must the fine-tune gain? {label}",
        inputs,
        _both_pays,
        tuple(
            Row(
                LABELS[option],
                Cell(f"{option}_horizon_usd", "usd"),
                Cell(f"{option}_full_usd", "usd"),
                Cell(f"{option}_points", "number"),
                available=f"{option}_available",
                reason=UNAVAILABLE,
            )
            for option in COMBINED
        ),
        ("Option", "Total over the horizon", "Per query, all in", "Points of accuracy to gain"),
        chart=_both_pays_chart,
        sweep=Sweep(
            "queries_per_month", VOLUMES, {f"{option}_full_usd": LABELS[option] for option in COMBINED}
        ),
        presets=(
            Preset("A wrong answer is cheap", {"usd_per_failure": 0.5}),
            Preset("Twenty times the volume", {"queries_per_month": 1e6}),
            Preset("RAG on a cheap model", {"llm": "claude-haiku-5-5"}),
        ),
        fixed=rest(*inputs, priced=prices)
        | {name: value for name, value in workload.items() if name not in {i.name for i in inputs}}
        | {f"{kind}_days_left": days_left(DEFAULT_SELECTION[kind]) for kind in shared},
        prices=prices,
        note=(
            "Points below zero: the pair costs less than RAG alone and may lose that much. Everything that "
            "is not set here is the example's, or the cost model's base value. Hosted and self-hosted "
            "fine-tunes are of a smaller model than the one that RAG alone uses."
        ),
    )


def _both_pays(s: Any) -> Mapping[str, Quantity]:
    totals = {option: options.OPTIONS[option](s).horizon_usd(s) for option in COMBINED}
    queries = s.queries_per_month * s.horizon_months
    available = options.availability(s)
    figures = {f"{option}_available": available[f"{option}_available"] for option in COMBINED}
    for option, usd in totals.items():
        extra = (usd - totals["rag"]) / queries
        figures |= {
            f"{option}_horizon_usd": usd,
            f"{option}_full_usd": usd / queries,
            f"{option}_points": 100 * costs.accuracy_loss_to_break_even(extra, s.usd_per_failure),
        }
    return figures


def _both_pays_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            queries_x(),
            alt.Y("value:Q", title="USD per query, all in", scale=log, axis=usd_axis()),
            option_colour(COMBINED, "series"),
        )
    )
    return with_now(
        lines,
        log,
        "Full cost per query of RAG alone and of RAG with a fine-tune, hosted and self-hosted, against "
        "queries a month, both axes logarithmic. At low volume the pairs cost more; at high volume the "
        "price of the model decides. A dashed line marks the volume set above.",
    )


def combining_counts() -> str:
    """How often the pair beat the better half of it, by how the model was trained and its size."""
    frame = combining()
    rows = []
    for trained in sorted(frame.trained.unique()):
        for size, group in frame[frame.trained == trained].groupby("size"):
            better, equal = int((group.gain > 0).sum()), int((group.gain == 0).sum())
            rows.append(
                [
                    trained,
                    size,
                    count(len(group)),
                    count(better),
                    count(equal),
                    count(len(group) - better - equal),
                    f"{number(group.gain.min())} to {number(group.gain.max())}",
                ]
            )
    return table(["fine-tune", "model size", "settings", "better", "equal", "worse", "points, range"], rows)
