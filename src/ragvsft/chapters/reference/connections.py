"""The map of the book."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd

from ragvsft.evidence import connections
from ragvsft.widgets.chart import QUIET, Layers


def book_map() -> Layers:
    """Every chapter in reading order down the page, and an arc for each connection between two of them."""
    links = connections.connections()
    places = {chapter: place for place, chapter in enumerate(connections.chapters())}
    titles = [connections.title(chapter) for chapter in places]
    nodes = pd.DataFrame(
        [
            (title, place, chapter.partition("/")[0])
            for title, (chapter, place) in zip(titles, places.items(), strict=True)
        ],
        columns=["chapter", "place", "part"],
    )
    bend = [(0, 0), (0.7, 0.15), (1, 0.5), (0.7, 0.85), (0, 1)]
    arcs = pd.DataFrame(
        [
            (number, step, across * abs(span), places[start] + down * span)
            for number, (start, end, _) in enumerate(links)
            for span in [places[end] - places[start]]
            for step, (across, down) in enumerate(bend)
        ],
        columns=["arc", "step", "reach", "place"],
    )
    names = alt.Axis(
        values=list(places.values()),
        labelExpr=f"{json.dumps(titles)}[datum.value]",
        labelLimit=210,
        tickCount=len(places),
        grid=False,
    )
    y = alt.Y(
        "place:Q",
        title=None,
        axis=names,
        scale=alt.Scale(reverse=True, nice=False, domain=[-0.5, len(places) - 0.5]),
    )
    across = alt.Scale(domain=[0, len(places)], nice=False)
    lines = (
        alt.Chart(arcs)
        .mark_line(interpolate="basis", strokeWidth=1, opacity=0.45, color=QUIET, tooltip=None)
        .encode(alt.X("reach:Q", axis=None, scale=across), y, detail="arc:N", order="step:Q")
    )
    dots = (
        alt.Chart(nodes)
        .mark_circle(size=60)
        .encode(
            x=alt.value(0),
            y=y,
            tooltip=[alt.Tooltip("chapter:N", title="Chapter"), alt.Tooltip("part:N", title="Part")],
        )
    )
    return alt.layer(lines, dots).properties(
        height=22 * len(places),
        title=f"{len(links)} connections between {len(places)} pages, in reading order",
        description=(
            f"Arc diagram: {len(places)} chapters in reading order and {len(links)} connections between "
            "them. The table below says where each one leads and why."
        ),
    )
