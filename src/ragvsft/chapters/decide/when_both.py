"""The calculator and the table of the chapter on when to combine both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs import scenario
from ragvsft.costs.inputs import Inputs, chosen_roles, inputs
from ragvsft.costs.methods import METHODS, bill, figures
from ragvsft.evidence.combining import combining
from ragvsft.evidence.published import Comparison, Record, by_paper, comparisons
from ragvsft.formula import Quantity
from ragvsft.prose import count, number, table
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Select, Sweep
from ragvsft.widgets.chart import method_colour, queries_x, usd_axis, with_now
from ragvsft.widgets.cost_inputs import VOLUMES, assumption_input, default_prices, model_select, rest

METHODS_COMPARED = ("rag", "rag_fine_tuned")

MODEL = "gpt-oss-20b"
"""The model on both lines of the calculator until the reader chooses another."""


def support_bot(column_id: str, **keys: float) -> Inputs:
    """The cost model's inputs for the example workload on a column, with some scenario keys set."""
    workload = scenario.workloads()["support-bot"][1]
    return scenario.from_keys({**workload, **keys, "columns": [column_id]}).inputs(column_id)


def rag_on(column_id: str, queries_per_month: float) -> float:
    """USD over the horizon of RAG alone for the example workload on another model."""
    s = support_bot(column_id, queries_per_month=queries_per_month)
    return float(bill(s, METHODS["rag"], "per_token").horizon_usd(s))


def outcomes() -> dict[str, Record]:
    """Wins, ties and losses of the pair against the better half of it, by how the model was trained."""
    frame = combining()
    return {str(trained): _record(group.gain) for trained, group in frame.groupby("trained")}


def raw_text() -> Record:
    """The pair against RAG alone in the one paper that trained on raw text, resolved or not."""
    return by_paper(comparisons("both", "RAG"))["ovadia2024"]


def resolved_against_rag(citation: str) -> Record:
    """The pair against RAG alone in one paper; what its sample size does not resolve is a tie."""
    return by_paper(comparisons("both", "RAG"), resolved_only=True)[citation]


def how_many_resolved(found: Iterable[Comparison]) -> str:
    """A sentence: how many of these differences are resolved, of those whose sample size is known."""
    known = [one.difference for one in found if one.difference]
    resolved = sum(one.resolved for one in known)
    return (
        f"The sample size is known for {count(len(known))} of them; "
        f"{count(resolved)} of those {'is' if resolved == 1 else 'are'} resolved."
    )


def both_pays() -> Calculator:
    """What adding a fine-tune to retrieval costs on one model, and the accuracy it must gain."""
    label, workload = scenario.workloads()["support-bot"]

    def of_the_workload(name: str, group: str = "") -> Number:
        entry = assumption_input(name)
        return replace(entry, default=workload.get(name, entry.default), group=group)

    entries: tuple[Number | Select, ...] = (
        *(
            of_the_workload(name)
            for name in ("queries_per_month", "horizon_months", "output_tokens", "chunks_in_prompt")
        ),
        Number("usd_per_failure", "What a wrong answer costs you", "USD", 5, 0.01, 10_000, scale="log"),
        model_select(default=MODEL, tuned=True),
        *(
            of_the_workload(name, "fine-tuning")
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
    return Calculator(
        "both-pays",
        f"What must the fine-tune gain? {label}",
        entries,
        _both_pays,
        tuple(
            Row(
                METHODS[name].label,
                Cell(f"{name}_horizon_usd", "usd"),
                Cell(f"{name}_full_usd", "usd"),
                Cell(f"{name}_points", "number"),
                available=f"{name}_fits",
                reason="one call is longer than the model takes",
            )
            for name in METHODS_COMPARED
        ),
        ("Method", "Total over the horizon", "Per query, all in", "Points of accuracy to gain"),
        chart=_both_pays_chart,
        finding=Finding(
            "{highest} costs {times:number} times {lowest} at {queries_per_month:count} queries a month"
        ),
        sweep=Sweep(
            "queries_per_month",
            VOLUMES,
            {f"{name}_full_usd": METHODS[name].label for name in METHODS_COMPARED},
        ),
        presets=(
            Preset("A wrong answer is cheap", {"usd_per_failure": 0.5}),
            Preset("A busy product", {"queries_per_month": 1e6}),
        ),
        fixed=rest(*entries, roles=chosen_roles())
        | {name: value for name, value in workload.items() if name in _assumed(entries)},
        prices=default_prices(*chosen_roles()),
        note=(
            "The same model on both lines, untuned and tuned. Below zero the pair costs less than RAG "
            "alone and may lose that much. Everything that is not set here is the example's, or the cost "
            "model's base value."
        ),
    )


def _assumed(entries: tuple[Number | Select, ...]) -> set[str]:
    """The assumptions that no input sets."""
    return set(scenario.default().assumptions) - {entry.name for entry in entries}


def _both_pays(i: Any) -> Mapping[str, Quantity]:
    s = inputs(vars(i))
    found = figures(s, "per_token", only=METHODS_COMPARED)
    queries = s.queries_per_month * s.horizon_months
    for name in METHODS_COMPARED:
        extra = (found[f"{name}_horizon_usd"] - found["rag_horizon_usd"]) / queries
        found |= {
            f"{name}_full_usd": found[f"{name}_horizon_usd"] / queries,
            f"{name}_points": 100 * costs.accuracy_loss_to_break_even(extra, i.usd_per_failure),
        }
    return found


def _both_pays_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            queries_x(),
            alt.Y("value:Q", title="USD per query, all in", scale=log, axis=usd_axis()),
            method_colour(METHODS_COMPARED, "series"),
        )
    )
    return with_now(
        lines,
        log,
        "Full cost per query of RAG alone and of RAG with a fine-tune of the same model, against queries a "
        "month, both axes logarithmic. A dashed line marks the volume set above.",
    )


def _record(gain: pd.Series) -> Record:
    return Record(int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum()))


def combining_counts() -> str:
    """How often the pair beat the better half of it, by how the model was trained and its size."""
    frame = combining()
    rows = []
    for trained in sorted(frame.trained.unique()):
        for size, group in frame[frame.trained == trained].groupby("size"):
            found = _record(group.gain)
            rows.append(
                [
                    trained,
                    size,
                    count(found.cells),
                    *map(count, found),
                    f"{number(group.gain.min())} to {number(group.gain.max())}",
                ]
            )
    return table(["fine-tune", "model size", "settings", "better", "equal", "worse", "points, range"], rows)
