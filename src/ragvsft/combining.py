"""What a fine-tune added to retrieval was worth, in every published setting that tried all three."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ragvsft.claims import authors, source
from ragvsft.data import load
from ragvsft.evidence import results, static_cells

ALONE = ("rag", "fine_tuned")

TRAINED = {
    "both": "trained without context",
    "both, trained with context": "trained with context",
}


def combining() -> pd.DataFrame:
    """Every published setting with retrieval plus a fine-tune, against the better one alone, in points.

    Columns paper, model, size, dataset, metric, trained, rag, fine_tuned, both, gain, evidence. A paper that
    tried two ways to combine has two lines; an arm that it did not publish is NaN. BLEU stays as it is.
    """
    settings = [*_published_settings(), *_ovadia_settings()]
    frame = pd.DataFrame(
        settings, columns=["paper", "model", "dataset", "metric", "trained", *ALONE, "both", "evidence"]
    )
    frame["gain"] = frame.both - frame[list(ALONE)].max(axis=1)
    billions = frame.model.str.extract(r"([\d.]+)B", expand=False).astype(float)
    frame["size"] = billions.map(lambda b: "up to 3B" if b <= 3 else "7B or 8B").where(
        billions.notna(), "not stated"
    )
    frame = frame.sort_values("gain", ignore_index=True)
    papers = frame.groupby("paper").paper
    frame["lane"] = (papers.cumcount() % 5 - papers.transform("size").clip(upper=5) // 2).astype(int)
    return frame


def _published_settings() -> Iterator[tuple[object, ...]]:
    frame = pd.DataFrame([row.model_dump() for row in results()])
    frame["points"] = frame.value * frame.unit.map({"fraction": 100}).fillna(1)
    for (citation, model, dataset, metric), group in frame.groupby(
        ["citation", "model", "dataset", "metric"]
    ):
        alone = [group[group.arm == arm].points.max() for arm in ("RAG", "fine-tuned")]
        for row in group[group.arm.str.startswith("both")].itertuples():
            yield paper(citation), model, dataset, metric, TRAINED[row.arm], *alone, row.points, row.evidence


def _ovadia_settings() -> Iterator[tuple[object, ...]]:
    for cell in static_cells():
        arms = (100 * cell.rag, 100 * cell.fine_tuned, 100 * cell.both)
        dataset = f"{cell.task}, {cell.shots} examples"
        yield paper("ovadia2024"), cell.model, dataset, "accuracy", TRAINED["both"], *arms, "primary"
    for row in load("ovadia_table2"):
        arms = (100 * row.rag, 100 * row.fine_tuned, 100 * row.both)
        yield paper("ovadia2024"), row.model, "current events", "accuracy", TRAINED["both"], *arms, "primary"


def paper(citation: str) -> str:
    """A source by authors and year: "Ovadia et al. 2024"."""
    return f"{authors(source(citation))} {source(citation).fields['year']}"
