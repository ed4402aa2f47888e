"""The chart of the bibliography."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ragvsft.evidence.bibliography import bibliography, only_quoted, readings
from ragvsft.prose import count
from ragvsft.widgets.chart import Layers

QUOTED = "secondary, in quotation"


def _read_as(key: str) -> str:
    ways = readings(key)
    if only_quoted(key):
        return QUOTED
    if ways & {"abstract", "opening"}:
        return "primary, abstract or opening"
    return "primary text" if "full text" in ways else "formula in general use"


def sources_chart() -> Layers:
    """Sources by year of publication and by how they were read."""
    entries = bibliography().entries
    rows = [(entry.fields["year"], _read_as(key)) for key, entry in entries.items()]
    frame = pd.DataFrame(rows, columns=["year", "read"])
    ways = frame.read.value_counts().index.tolist()
    frame["rank"] = frame.read.map(ways.index)
    quoted = sum(map(only_quoted, entries))
    told = ", ".join(f"{times} as {read}" for read, times in frame.read.value_counts().items())
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.X("count():Q", title="Sources"),
            alt.Y("year:O", title=None, axis=alt.Axis(grid=False)),
            alt.Color("read:N", title=None, sort=ways),
            alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("read:N", title="Read as"),
                alt.Tooltip("count():Q", title="Sources"),
            ],
        )
        .properties(
            title=f"{count(quoted)} of {count(len(frame))} sources were read only in quotation",
            description=f"Sources by year and by how they were read: {told}.",
        )
    )
