"""The facts that the source document tells its readers to keep, as a chart."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ragvsft.evidence.ledger import get
from ragvsft.prose import count
from ragvsft.widgets.chart import Layers
from ragvsft.widgets.verdict_chart import VERDICT_COLOURS, VERDICTS

KEY_FACTS = {
    "Knowledge sits in an index": ("rag-model-unchanged", "knowledge-in-vector-store", "update-time"),
    "Tuned knowledge has no source": ("fine-tuning-no-provenance",),
    "Most use RAG and do not fine-tune": ("rag-without-fine-tuning",),
    "Prompts at least halve": ("prompt-cut",),
    "The usual price of a training run": ("training-compute-cost",),
    "A query costs a few cents": ("rag-cost-per-query",),
    "RAG hallucinates less": ("quality-hallucination",),
    "Deletion is immediate": ("delete-is-immediate",),
    "Both together are best": ("both-most-powerful", "rag-manages-knowledge"),
}
"""The nine facts the source document tells its readers to keep, with the claims that each makes."""


def facts_chart() -> Layers:
    """The verdict on each of the nine key facts, those that hold first."""
    rows = [(name, get(claims[0]).verdict.replace("-", " ")) for name, claims in KEY_FACTS.items()]
    stands = sum(verdict in ("holds", "definition") for _, verdict in rows)
    rows.sort(key=lambda row: VERDICTS.index(row[1]))
    base = alt.Chart(pd.DataFrame(rows, columns=["fact", "verdict"])).encode(
        alt.Y("fact:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        alt.Color("verdict:N", scale=VERDICT_COLOURS, legend=None),
    )
    told = "; ".join(f"{name}: {verdict}" for name, verdict in rows)
    return alt.layer(
        base.mark_point(size=110).encode(x=alt.value(8)),
        base.mark_text(align="left", dx=12).encode(alt.Text("verdict:N"), x=alt.value(8)),
    ).properties(
        title=f"{count(stands)} of {count(len(rows))} can be repeated as they stand",
        description=f"The verdict on each key fact. {told}.",
    )
