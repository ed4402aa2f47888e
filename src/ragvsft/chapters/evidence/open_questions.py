"""The chart of the chapter on open questions."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ragvsft.evidence.published import results
from ragvsft.prose import count, percent
from ragvsft.widgets.chart import SERIES, Layers


def context_training_chart() -> Layers:
    """Three ways to tune the same small model, on the five sets of Zhang et al.'s RAFT paper."""
    labels = {
        "fine-tuned": "fine-tuned, no retrieval",
        "both": "fine-tuned, then retrieval added",
        "both, trained with context": "fine-tuned with retrieved passages",
    }
    rows = [row for row in results("zhang2024raft") if row.arm in labels]
    frame = pd.DataFrame(
        [(row.dataset, labels[row.arm], row.value) for row in rows], columns=["set", "training", "score"]
    )
    best = frame.loc[frame.groupby("set").score.idxmax()]
    wins = (best.training == labels["both, trained with context"]).sum()
    told = "; ".join(f"{row.set}, {row.training}: {percent(row.score)}" for row in frame.itertuples())
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X("score:Q", title="The paper's own score, %", axis=alt.Axis(format="%")),
            alt.Y("set:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color(
                "training:N",
                title=None,
                scale=alt.Scale(domain=list(labels.values()), range=[SERIES[4], SERIES[3], SERIES[5]]),
            ),
            tooltip=[
                alt.Tooltip("set:N", title="Set"),
                alt.Tooltip("training:N", title="Training"),
                alt.Tooltip("score:Q", title="Score", format=".1%"),
            ],
        )
        .properties(
            title=f"Trained on retrieved passages, it is best on {count(wins)} of {count(len(best))} sets",
            description=f"Scores of one small model after three kinds of training. {told}.",
        )
    )
