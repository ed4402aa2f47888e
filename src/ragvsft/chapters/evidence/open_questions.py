"""The table and charts of the chapter on open questions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import altair as alt
import pandas as pd

from ragvsft.data import OfferRow
from ragvsft.evidence import results
from ragvsft.prose import percent, table
from ragvsft.widgets.chart import INK, SERIES, Layers

SHORT_OFFERS = {
    "cohere-fine-tuning": "Cohere, all of it",
    "openai-fine-tuning-new-customers": "OpenAI, new customers",
    "openai-fine-tuning-inactive-customers": "OpenAI, inactive customers",
    "openai-fine-tuning-jobs": "OpenAI, new jobs",
    "openai-ft-gpt-4.1": "OpenAI, tuned GPT-4.1",
    "openai-ft-gpt-4.1-mini": "OpenAI, tuned GPT-4.1 mini",
    "vertex-gemini-2.5-flash": "Vertex AI, tuned Gemini 2.5 Flash",
    "bedrock-claude-3-haiku": "Bedrock, tuned Claude 3 Haiku",
    "prime-intellect-qwen3.5-9b": "Prime Intellect, Qwen3.5-9B",
}
"""Names of ended offers that fit a phone, by id."""


def offers_table(offers: Iterable[OfferRow]) -> str:
    """What can be bought, as a Markdown table with the date of each source."""
    return table(
        ("Provider", "Offer", "Open to a new customer", "Ends", "As of", "Note"),
        [
            (
                row.provider,
                row.offer,
                row.availability,
                row.ends_on.isoformat() if row.ends_on else "",
                f"[{row.as_of.isoformat()}]({row.source})",
                row.note.replace("$", r"\$"),
            )
            for row in offers
        ],
    )


def offers_timeline(offers: Iterable[OfferRow], today: date) -> Layers:
    """From announcement to end of every offer that ends or has ended, with a rule at `today`."""
    rows = [
        (
            SHORT_OFFERS.get(row.id, f"{row.provider}, {row.offer}"),
            row.announced_on or row.ends_on,
            row.ends_on,
            row.availability,
        )
        for row in offers
        if row.ends_on
    ]
    frame = pd.DataFrame(rows, columns=["offer", "announced", "ends", "status"])
    frame[["announced", "ends"]] = frame[["announced", "ends"]].astype("datetime64[ns]")
    frame = frame.sort_values("ends")
    base = alt.Chart(frame).encode(alt.Y("offer:N", sort=None, title=None, axis=alt.Axis(grid=True)))
    margin = timedelta(days=45)
    x = alt.Scale(
        domain=[(min(frame.announced) - margin).isoformat(), (max(frame.ends) + margin).isoformat()]
    )
    bars = base.mark_rule(strokeWidth=3).encode(alt.X("announced:T", title=None, scale=x), alt.X2("ends:T"))
    ends = base.mark_point(size=90).encode(
        alt.X("ends:T", scale=x),
        alt.Color("status:N", title="To a new customer:", scale=alt.Scale(range=[SERIES[3], SERIES[1]])),
        tooltip=["offer", alt.Tooltip("announced:T"), alt.Tooltip("ends:T"), "status"],
    )
    dated = alt.Chart(pd.DataFrame({"now": [pd.Timestamp(today)], "label": ["date of the data"]})).encode(
        alt.X("now:T", scale=x)
    )
    now = dated.mark_rule(strokeDash=[4, 4], color=INK)
    named = dated.mark_text(align="right", dy=-8, dx=4, y=0).encode(alt.Text("label:N"))
    return alt.layer(bars, ends, now, named).properties(
        description=(
            "Timeline of fine-tuning offers that have ended or will: a line from the announcement, where its "
            "date is known, to a dot at the end. The dates are in the table. A dashed line marks the date of "
            "the data."
        )
    )


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
    told = "; ".join(f"{row.set}, {row.training}: {percent(row.score)}" for row in frame.itertuples())
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X("score:Q", title="The paper's own score", axis=alt.Axis(format="%")),
            alt.Y("set:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color("training:N", sort=list(labels.values()), title=None),
            tooltip=["set", "training", alt.Tooltip("score:Q", format=".1%")],
        )
        .properties(description=f"Scores of one small model after three kinds of training. {told}.")
    )
