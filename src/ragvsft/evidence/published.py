"""Published head-to-head results, and what can be recomputed from them."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pydantic import Field

from ragvsft.data import Row, Slug, Text, load
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evaluation.paired import paired_p_value

Evidence = Literal["primary", "secondary"]
Arm = Literal[
    "base", "RAG", "fine-tuned", "both", "both, trained with context", "long context", "retriever", "other"
]


class PublishedResult(
    Row, table="published_results", key=("citation", "model", "dataset", "metric", "condition")
):
    """One figure of a published comparison. The tables of Ovadia et al. have files of their own."""

    citation: Slug = Field(description="Key of references.bib.")
    table: str = Field(description="Where in the source; blank if only a quotation was read.")
    model: Text = Field(description="Model tried.")
    dataset: Text = Field(description="What it was tried on.")
    metric: Text = Field(description="What was measured.")
    condition: Text = Field(description="The condition in the source's terms.")
    arm: Arm = Field(description="The condition in this book's terms.")
    value: float = Field(description="The figure.")
    unit: Literal["fraction", "points", "BLEU"] = Field(description="Unit of value.")
    evidence: Evidence = Field(description="Read in the source, or in a text that quotes it.")


class OvadiaStaticCell(Row, table="ovadia_table1", key=("task", "shots", "model")):
    """Accuracy on subjects of MMLU the models already knew something of: table 1 of Ovadia et al. 2024."""

    task: Text = Field(description="Subject.")
    shots: int = Field(ge=0, description="Examples in the prompt.")
    model: Text = Field(description="Model.")
    base: float = Field(ge=0, le=1, description="Accuracy as sold.")
    rag: float = Field(ge=0, le=1, description="Accuracy with retrieval.")
    fine_tuned: float = Field(ge=0, le=1, description="Accuracy after training on the raw text.")
    both: float = Field(ge=0, le=1, description="Accuracy with both.")


class OvadiaNewFacts(Row, table="ovadia_table2", key=("model",)):
    """Accuracy on current events after the models' training: table 2 of Ovadia et al. 2024."""

    model: Text = Field(description="Model.")
    base: float = Field(ge=0, le=1, description="Accuracy as sold.")
    rag: float = Field(ge=0, le=1, description="Accuracy with retrieval.")
    fine_tuned: float = Field(ge=0, le=1, description="Accuracy after training on the raw text.")
    fine_tuned_paraphrases: float = Field(ge=0, le=1, description="The same, on ten paraphrases of it.")
    both: float = Field(ge=0, le=1, description="Retrieval and training on the raw text.")
    both_paraphrases: float = Field(ge=0, le=1, description="Retrieval and training on paraphrases.")


class Record(NamedTuple):
    """How often one arm beat another over the same cells."""

    wins: int
    ties: int
    losses: int

    @property
    def cells(self) -> int:
        """All cells compared."""
        return sum(self)

    @property
    def p_value(self) -> float:
        """Two-sided sign test on the cells that differ. Cells share models and subjects, so it flatters."""
        return paired_p_value(self.wins, self.losses)

    def share(self, times: int) -> tuple[float, float, float]:
        """`times` out of all cells with its 95% Wilson interval: (share, low, high)."""
        low, high = wilson_interval(times, self.cells)
        return times / self.cells, float(low), float(high)


def record(cells: Iterable[Row], arm: str, against: str) -> Record:
    """Wins, ties and losses of column `arm` against column `against`."""
    differences = [getattr(cell, arm) - getattr(cell, against) for cell in cells]
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    return Record(wins, len(differences) - wins - losses, losses)


def static_cells() -> tuple[OvadiaStaticCell, ...]:
    """The 30 cells of Ovadia et al., table 1."""
    return load("ovadia_table1")


def results(*citations: str) -> tuple[PublishedResult, ...]:
    """Published results of the given sources, or all."""
    return tuple(row for row in load("published_results") if not citations or row.citation in citations)
