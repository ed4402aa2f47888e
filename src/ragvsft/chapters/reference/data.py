"""The chart of the data page."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ragvsft.data import load, tables
from ragvsft.prose import day
from ragvsft.widgets.chart import Layers


def dates_chart() -> Layers:
    """When each dated row of the data was read or published, by table."""
    rows = [
        (name, row.as_of) for name in tables() for row in load(name) if hasattr(row, "as_of") and row.as_of
    ]
    frame = pd.DataFrame(rows, columns=["table", "as_of"])
    frame["as_of"] = frame.as_of.astype("datetime64[ns]")
    counted = frame.value_counts().rename("rows").reset_index()
    newest = counted.groupby("table").as_of.max().dt.date
    told = "; ".join(f"{name}: {when}" for name, when in newest.items())
    return (
        alt.Chart(counted)
        .mark_circle(opacity=0.7)
        .encode(
            alt.X(
                "as_of:T", title="Date of the row", scale=alt.Scale(padding=12), axis=alt.Axis(format="%b %Y")
            ),
            alt.Y("table:N", title=None, axis=alt.Axis(grid=True)),
            alt.Size(
                "rows:Q",
                scale=alt.Scale(range=[30, 500]),
                legend=alt.Legend(title="Rows of one date", values=[1, 30, 100], columns=3, offset=14),
            ),
            tooltip=[
                alt.Tooltip("table:N", title="Table"),
                alt.Tooltip("as_of:T", title="Date"),
                alt.Tooltip("rows:Q", title="Rows"),
            ],
        )
        .properties(
            title=f"The newest row is of {day(max(newest))}, the oldest of {day(min(counted.as_of).date())}",
            description=f"Dates of the rows, by table. Newest row of each: {told}.",
        )
    )
