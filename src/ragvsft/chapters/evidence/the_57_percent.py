"""The calculator, the table and the chart of the chapter on the 57%."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.data import load
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evidence.bibliography import authors, cite, source
from ragvsft.evidence.surveys import Survey, joint_share
from ragvsft.formula import Quantity
from ragvsft.prose import count, percent, table
from ragvsft.widgets.calculator import Calculator, Cell, Number, Row
from ragvsft.widgets.chart import COLON_LINES, Layers


def survey_table(rows: Iterable[Survey]) -> str:
    """Surveys as a Markdown table: share, what it measured, of whom, when, and where it was read."""
    return table(
        ("Share", "What it measured", "Of whom", "How many", "Published", "Source"),
        [
            (
                percent(row.share) if row.share is not None else "not given",
                row.measured,
                row.population,
                count(row.n) if row.n else "not known",
                row.published,
                cite(row.citation) + (", read in quotation" if row.evidence == "secondary" else ""),
            )
            for row in rows
        ],
    )


def survey_chart(rows: Sequence[Survey], title: str) -> Layers:
    """One dot for each share, with its 95% interval where the number counted is known."""
    frame = pd.DataFrame(
        [(row.measured, _name(row), row.share, *_interval(row)) for row in rows if row.share is not None],
        columns=["measured", "source", "share", "low", "high"],
    )
    frame["label"] = frame.source + ": " + frame.measured
    base = alt.Chart(frame).encode(
        alt.Y("label:N", sort=None, title=None, axis=COLON_LINES),
    )
    x = alt.X("share:Q", title="Share, %", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    bars = base.mark_rule(strokeWidth=4, opacity=0.4).encode(alt.X("low:Q"), alt.X2("high:Q"))
    dots = base.mark_point().encode(
        x,
        tooltip=[
            alt.Tooltip("source:N", title="Source"),
            alt.Tooltip("measured:N", title="Measured"),
            *(
                alt.Tooltip(f"{name}:Q", title=label, format=".1%")
                for name, label in (("share", "Share"), ("low", "From"), ("high", "To"))
            ),
        ],
    )
    told = "; ".join(f"{percent(r.share)} {r.measured} ({_name(r)})" for r in rows if r.share is not None)
    return alt.layer(bars, dots).properties(
        title=title,
        description=f"Shares as dots, with an interval where the number counted is known. {told}.",
    )


def _name(row: Survey) -> str:
    return f"{authors(source(row.citation))} {row.published[:4]}"


def _interval(row: Survey) -> tuple[float | None, float | None]:
    if row.share is None or row.n is None:
        return None, None
    low, high = wilson_interval(round(row.share * row.n), row.n)
    return float(low), float(high)


def overlap_calculator() -> Calculator:
    """The least and the most that can use RAG and not fine-tune, given the share that does each."""

    def overlap(i: Any) -> dict[str, Quantity]:
        low, high = joint_share(i.not_tuned_percent / 100, i.rag_percent / 100)
        return {"low": low, "high": high}

    share = {row.id: round(100 * row.share, 6) for row in load("surveys") if row.share is not None}
    return Calculator(
        "rag-only-bounds",
        "RAG without fine-tuning: what two shares allow",
        (
            Number("not_tuned_percent", "Not fine-tuned", "%", share["langchain-not-fine-tuned"], 0, 100),
            Number("rag_percent", "Use RAG", "%", share["menlo-rag-2024"], 0, 100),
        ),
        overlap,
        (Row("At least", Cell("low", "percent")), Row("At most", Cell("high", "percent"))),
        ("RAG and no fine-tuning", "Share"),
        note="The defaults come from two surveys: different people, different questions.",
    )
