"""Claims counted by verdict."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import pandas as pd

from ragvsft.evidence.ledger import Claim
from ragvsft.widgets.chart import FALLS, STANDS, Layers

VERDICTS = ["holds", "definition", "holds with conditions", "outdated", "unsupported", "contradicted"]

UNTOUCHED = ("holds", "definition")
ADVERSE = ("outdated", "unsupported", "contradicted")

VERDICT_COLOURS = alt.Scale(
    domain=VERDICTS, range=[FALLS if verdict in ADVERSE else STANDS for verdict in VERDICTS]
)


def verdict_chart(rows: Iterable[Claim], what: str) -> Layers:
    """How many claims got each verdict; `what` says in the plural what they are."""
    frame = pd.DataFrame(
        [(row.verdict.replace("-", " "), row.statement) for row in rows], columns=["verdict", "claim"]
    )
    counts = frame.verdict.value_counts()
    told = ", ".join(f"{name} {counts.get(name, 0)}" for name in VERDICTS)
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X("count():Q", title=what, axis=alt.Axis(tickMinStep=1)),
            alt.Y("verdict:N", sort=VERDICTS, scale=alt.Scale(domain=VERDICTS), title=None),
            alt.Color("verdict:N", scale=VERDICT_COLOURS, legend=None),
            tooltip=[alt.Tooltip("verdict:N", title="Verdict"), alt.Tooltip("count():Q", title="Claims")],
        )
        .properties(
            title=f"{sum(counts.get(name, 0) for name in UNTOUCHED)} of {len(frame)} stand as written",
            description=f"{what} by verdict: {told}.",
        )
    )
