"""Shares that the fine-tuning experiment measured, as dots with intervals: one colour for each condition."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

from ragvsft.evaluation.seeds import Estimate
from ragvsft.tuning.results import CONDITIONS, Level, Questions
from ragvsft.widgets.answer_browser import cell_address
from ragvsft.widgets.chart import METHOD_COLOURS, QUIET, SERIES, Layers

COLOURS = {
    "base": METHOD_COLOURS["rag"],
    "instructions": METHOD_COLOURS["prompting"],
    "examples": SERIES[6],
    "grammar": QUIET,
    "facts": METHOD_COLOURS["fine_tuned"],
    "format": METHOD_COLOURS["rag_fine_tuned"],
}
"""The colour of each condition: that of the method which it stands for, where there is one."""

SHARE_TOOLTIPS = (
    alt.Tooltip("mean:Q", title="Mean", format=".1%"),
    alt.Tooltip("low:Q", title="From", format=".1%"),
    alt.Tooltip("high:Q", title="To", format=".1%"),
    alt.Tooltip("seeds:Q", title="Seeds"),
)
"""What a tooltip says of the fields of an `Estimate`."""

ROW_HEIGHT = 62


def condition_colour(conditions: Iterable[str], field: str) -> alt.Color:
    """The colour channel for a nominal `field` that holds the labels of these conditions."""
    names = list(conditions)
    scale = alt.Scale(domain=[CONDITIONS[name] for name in names], range=[COLOURS[name] for name in names])
    return alt.Color(field, type="nominal", title=None, scale=scale)


def dots(
    cells: Mapping[tuple[str, str], Estimate],
    asked: Mapping[str, tuple[Questions, Level]],
    axis_title: str,
    title: str,
    told: str,
) -> Layers:
    """A dot and an interval for each cell, keyed by its row's label and its condition.

    `asked` says for each label which questions were asked, at which retrieval level: every point opens its
    prompts and answers. `told` opens the description; the means follow it.
    """
    names = [name for name in CONDITIONS if any(name == condition for _, condition in cells)]
    labels = list(dict.fromkeys(label for label, _ in cells))
    rows: list[dict[str, Any]] = [
        {
            "label": label,
            "condition": CONDITIONS[condition],
            "order": names.index(condition),
            "answers": cell_address(condition, *asked[label]),
            **found._asdict(),
        }
        for (label, condition), found in cells.items()
    ]
    offset = alt.YOffset("order:O", scale=alt.Scale(paddingOuter=0.6))
    base = alt.Chart(alt.InlineData(rows)).encode(
        alt.Y("label:N", title=None, sort=labels, axis=alt.Axis(grid=True)),
        offset,
        condition_colour(names, "condition"),
    )
    lines = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        alt.X("low:Q", title=axis_title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        alt.X2("high:Q"),
    )
    points = base.mark_point(size=90, cursor="pointer").encode(
        alt.X("mean:Q"),
        tooltip=[
            alt.Tooltip("condition:N", title="Condition"),
            alt.Tooltip("label:N", title="Measured"),
            *SHARE_TOOLTIPS,
        ],
    )
    links = {
        label: [
            (f"{row['condition']} {row['mean']:.0%}", row["answers"]) for row in rows if row["label"] == label
        ]
        for label in labels
    }
    means = "; ".join(f"{row['label']}, {row['condition']}: {row['mean']:.0%}" for row in rows)
    return alt.layer(lines, points).properties(
        height=ROW_HEIGHT * len(labels),
        title=title,
        description=f"{told} {means}.",
        usermeta={"answers": links},
    )
