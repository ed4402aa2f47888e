"""The charts of the chapter that compares quality."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ragvsft.combining import ALONE, TRAINED, paper
from ragvsft.data import load
from ragvsft.evidence import record, results, static_cells
from ragvsft.prose import percent
from ragvsft.widgets.chart import COLON_LINES, QUIET, SERIES, Layers

OUTCOMES = ("both is better", "equal", "RAG alone is better")


def recount_chart() -> Layers:
    """Wins, ties and losses of both against RAG alone in Ovadia et al., by model and in all."""
    cells = static_cells()
    models = sorted({cell.model for cell in cells})
    groups = {"All cells": cells} | {name: [cell for cell in cells if cell.model == name] for name in models}
    found = {name: record(group, "both", against="rag") for name, group in groups.items()}
    frame = pd.DataFrame(
        [
            (name, outcome, times, times / record_.cells, order)
            for name, record_ in found.items()
            for order, (outcome, times) in enumerate(zip(OUTCOMES, record_, strict=True))
        ],
        columns=["model", "outcome", "cells", "share", "order"],
    )
    told = "; ".join(
        f"{name}: better in {r.wins}, equal in {r.ties}, worse in {r.losses}" for name, r in found.items()
    )
    colour = alt.Scale(domain=list(OUTCOMES), range=[SERIES[2], QUIET, SERIES[3]])
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.Y("model:N", sort=list(found), title=None),
            alt.X("share:Q", title="Share of cells", axis=alt.Axis(format="%")),
            alt.Color("outcome:N", scale=colour, title=None),
            order="order:Q",
            tooltip=["model", "outcome", "cells"],
        )
        .properties(description=f"Stacked bars: retrieval with a fine-tune against retrieval alone. {told}.")
    )


def combining_chart(frame: pd.DataFrame) -> Layers:
    """Gain of both over the better one alone, a dot for each setting; the reader picks what to see."""
    picks = [
        alt.param(
            column,
            bind=alt.binding_select(options=["all", *sorted(frame[column].unique())], name=label),
            value="all",
        )
        for column, label in (("paper", "Paper "), ("size", "Model size "), ("metric", "Metric "))
    ]
    shown = " && ".join(f"({pick.name} == 'all' || datum.{pick.name} == {pick.name})" for pick in picks)
    points = (
        alt.Chart(frame)
        .transform_filter(shown)
        .mark_point(opacity=0.75)
        .encode(
            alt.X(
                "gain:Q",
                title="Points gained by both",
                scale=alt.Scale(type="symlog", constant=1),
                axis=alt.Axis(values=[-50, -20, -10, -5, -2, 0, 2, 5, 10, 20]),
            ),
            alt.Y("paper:N", title=None, sort=sorted(frame.paper.unique()), axis=alt.Axis(grid=True)),
            alt.YOffset("lane:O", scale=alt.Scale(domain=[-2, -1, 0, 1, 2], paddingOuter=0.8)),
            alt.Color(
                "trained:N",
                title=None,
                scale=alt.Scale(domain=list(TRAINED.values()), range=[SERIES[3], SERIES[2]]),
            ),
            tooltip=[
                "paper",
                "model",
                "dataset",
                "metric",
                *(alt.Tooltip(f"{arm}:Q", format=".1f") for arm in (*ALONE, "both", "gain")),
            ],
        )
    )
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    better = int((frame.gain > 0).sum())
    return (
        alt.layer(zero, points)
        .add_params(*picks)
        .properties(
            height=380,
            description=(
                f"A dot for each of {len(frame)} published settings, by paper: points gained by combining "
                f"over the better of retrieval and fine-tuning alone. {better} lie above zero, "
                f"{len(frame) - better} at or below it. Training with retrieved context never lies below."
            ),
        )
    )


def new_facts_chart() -> Layers:
    """Accuracy on events after the training data, by model and arm: table 2 of Ovadia et al."""
    arms = {
        "base": "as released",
        "fine_tuned": "fine-tuned",
        "fine_tuned_paraphrases": "fine-tuned on paraphrases",
        "rag": "RAG",
        "both": "both",
    }
    frame = pd.DataFrame(
        [
            (row.model, label, getattr(row, arm))
            for row in load("ovadia_table2")
            for arm, label in arms.items()
        ],
        columns=["model", "arm", "accuracy"],
    )
    told = "; ".join(
        f"{row.model}: RAG {percent(row.rag)}, fine-tuned {percent(row.fine_tuned)}"
        for row in load("ovadia_table2")
    )
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X(
                "accuracy:Q",
                title="Accuracy on current events",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            alt.Y("model:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color("arm:N", sort=list(arms.values()), title=None),
            tooltip=["model", "arm", alt.Tooltip("accuracy:Q", format=".1%")],
        )
        .properties(description=f"Accuracy on current events by model and condition. {told}.")
    )


def explorer_chart() -> Layers:
    """Every published figure that has an arm: the reader picks a source and reads its arms side by side."""
    arms = ["base", "fine-tuned", "RAG", "both", "both, trained with context", "long context", "retriever"]
    frame = pd.DataFrame([row.model_dump() for row in results() if row.arm in arms])
    frame["source"] = frame.citation.map(paper)
    frame["shown"] = frame.value * frame.unit.map({"fraction": 100}).fillna(1)
    varies = frame.groupby("source")[["model", "metric"]].transform("nunique") > 1
    frame["setting"] = frame.dataset
    for part in ("model", "metric"):
        frame["setting"] += (": " + frame[part]).where(varies[part], "")
    options = sorted(frame.source.unique())
    picked = alt.param("picked", bind=alt.binding_select(options=options, name="Source "), value=options[-1])
    return (
        alt.Chart(frame[["source", "setting", "model", "metric", "arm", "condition", "shown", "evidence"]])
        .transform_filter("datum.source == picked")
        .mark_point(size=90)
        .encode(
            alt.X("shown:Q", title="Per cent, or points"),
            alt.Y("setting:N", title=None, axis=COLON_LINES),
            alt.Color("arm:N", title=None, scale=alt.Scale(domain=arms)),
            tooltip=["model", "metric", "condition", alt.Tooltip("shown:Q", format=".2~f"), "evidence"],
        )
        .add_params(picked)
        .properties(
            height=alt.Step(52),
            description=(
                "A dot for each published figure of one source, by setting and condition. "
                f"{len(options)} sources to pick from."
            ),
        )
    )
