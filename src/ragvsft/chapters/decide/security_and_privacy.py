"""The calculator and the chart of the chapter on security and privacy: deletion, and filtering by rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

import ragvsft.widgets.chart  # noqa: F401  (registers the theme)
from ragvsft.retrieval.deletion import ASSUMED, lifetimes
from ragvsft.retrieval.formulas import chance_of_empty_result
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Number, Preset, Row
from ragvsft.widgets.cost_inputs import assumption_input


def deletion() -> Calculator:
    """How long a deleted document lives on: in answers, in bytes, in a model that was trained on it."""
    return Calculator(
        "deletion",
        "How long does a deleted document live on?",
        (
            Number("sync_days", "Until the index notices", "days", ASSUMED["sync_days"], 0, 30),
            Number(
                "answer_cache_days", "Life of a cached answer", "days", ASSUMED["answer_cache_days"], 0, 90
            ),
            Number(
                "conversation_days",
                "Life of a conversation's summary",
                "days",
                ASSUMED["conversation_days"],
                0,
                365,
            ),
            Number("log_days", "Life of logs and traces", "days", ASSUMED["log_days"], 0, 1000),
            Number("backup_days", "Life of a backup", "days", ASSUMED["backup_days"], 0, 1000),
            Number(
                "deleted_percent",
                "Share of the index deleted each month",
                "%",
                ASSUMED["deleted_percent"],
                0.1,
                20,
                scale="log",
            ),
            Number(
                "threshold_percent",
                "Deleted share that starts a rebuild",
                "%",
                ASSUMED["threshold_percent"],
                1,
                100,
            ),
            assumption_input("months_between_releases"),
            assumption_input("queries_per_month"),
            Number(
                "used_percent",
                "Share of answers that draw on the document",
                "%",
                ASSUMED["used_percent"],
                0.001,
                10,
                scale="log",
            ),
        ),
        lifetimes,
        (
            Row("Out of the search results, days", Cell("sync", "number")),
            Row("Out of every answer, days", Cell("answers", "number")),
            Row("Out of the store's files, days", Cell("compaction", "number")),
            Row("Last byte gone, days", Cell("bytes", "number")),
            Row(
                "Out of a model trained on it, days, if the next release leaves it out",
                Cell("weights", "number"),
            ),
            Row("Answers that may still use it, at most", Cell("affected", "count")),
        ),
        ("", "Result"),
        chart=_deletion_chart,
        sweep=Bars(
            {
                "sync": "search results",
                "answers": "answers",
                "compaction": "store's files",
                "bytes": "last byte",
                "weights": "model weights",
            }
        ),
        presets=(
            Preset("Compact every week", {"deleted_percent": 4, "threshold_percent": 1}),
            Preset("No caches", {"answer_cache_days": 0, "conversation_days": 0}),
        ),
        note=(
            "The defaults are assumptions, except the threshold, which is one store's default. "
            "Legal holds are not modelled."
        ),
    )


def _deletion_chart(rows: Any) -> Any:
    order = ["search results", "answers", "store's files", "last byte", "model weights"]
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(alt.X("value:Q", title="Days after the deletion"), alt.Y("series:N", title=None, sort=order))
        .properties(
            description=(
                "Days until a deleted document is out of search results, out of answers, out of the store's "
                "files, out of every copy, and out of a model that was trained on it, as five bars."
            )
        )
    )


def empty_result_chart(candidates: Sequence[int] = (5, 20, 100)) -> Any:
    """How often filtering after the search leaves nothing."""
    rows = [
        {
            "share": percent / 100,
            "empty": chance_of_empty_result(k, percent / 100),
            "candidates": f"{k} candidates",
        }
        for k in candidates
        for percent in range(1, 51)
    ]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_line()
        .encode(
            alt.X("share:Q", title="Share of the index that the user may read", axis=alt.Axis(format="%")),
            alt.Y("empty:Q", title="Searches left with nothing", axis=alt.Axis(format="%")),
            alt.Color("candidates:N", title=None, sort=None),
        )
        .properties(
            description=(
                "Chance that filtering after the search leaves nothing, against the share of the "
                "index that a user may read, for 5, 20 and 100 candidates: it falls fast with more "
                "candidates, and stays high for users who may read little."
            )
        )
    )
