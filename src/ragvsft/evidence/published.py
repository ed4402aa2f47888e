"""Published head-to-head results, and what can be recomputed from them."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Self, cast

from pydantic import Field, computed_field, model_validator

from ragvsft.data import DataError, Row, Slug, Text, load
from ragvsft.evaluation.differences import Difference, paired, unpaired
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evaluation.paired import paired_p_value
from ragvsft.evidence.bibliography import Evidence, HowRead, evidence, require_locator

Arm = Literal[
    "base", "RAG", "fine-tuned", "both", "both, trained with context", "long context", "retriever", "other"
]


class PublishedResult(
    Row, table="published_results", key=("citation", "model", "dataset", "metric", "condition")
):
    """One figure of a published comparison. The tables of Ovadia et al. have files of their own."""

    citation: Slug = Field(description="Key of references.bib.")
    model: Text = Field(description="Model tried.")
    dataset: Text = Field(description="What it was tried on.")
    metric: Text = Field(description="What was measured.")
    condition: Text = Field(description="The condition in the source's terms.")
    arm: Arm = Field(description="The condition in this book's terms.")
    n: int | None = Field(gt=0, description="Questions, where value is a share of them and n is known.")
    value: float = Field(description="The figure.")
    unit: Literal["fraction", "points", "BLEU"] = Field(description="Unit of value.")
    locator: str = Field(description="Where in the source; may be blank for a quotation only.")
    how_read: HowRead = Field(description="How the figure was read.")

    @model_validator(mode="after")
    def _located(self) -> Self:
        require_locator(self.locator, self.how_read)
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def evidence(self) -> Evidence:
        """Primary or secondary, as `how_read` says."""
        return evidence(self.how_read)


class PairedResult(
    Row, table="paired_results", key=("citation", "model", "dataset", "metric", "first", "second")
):
    """Two conditions of a published comparison on the same questions, counted from the authors' answers."""

    citation: Slug = Field(description="Key of references.bib.")
    model: Text = Field(description="Model tried.")
    dataset: Text = Field(description="What it was tried on.")
    metric: Text = Field(description="What was counted as right.")
    first: Text = Field(description="One condition, as in published_results.csv.")
    second: Text = Field(description="The other.")
    both_right: int = Field(ge=0, description="Questions that both got right.")
    only_first: int = Field(ge=0, description="Questions that only the first got right.")
    only_second: int = Field(ge=0, description="Questions that only the second got right.")
    neither: int = Field(ge=0, description="Questions that neither got right.")
    locator: Text = Field(description="Where the counts come from.")
    how_read: HowRead = Field(description="How they were read.")

    @property
    def difference(self) -> Difference:
        """Share right of the second minus that of the first."""
        n = self.both_right + self.only_first + self.only_second + self.neither
        return paired(self.only_first, self.only_second, n)


class OvadiaStaticCell(Row, table="ovadia_table1", key=("task", "shots", "model")):
    """Accuracy on subjects of MMLU the models already knew something of: table 1 of Ovadia et al. 2024."""

    task: Text = Field(description="Subject.")
    shots: int = Field(ge=0, description="Examples in the prompt.")
    model: Text = Field(description="Model.")
    n: int = Field(gt=0, description="Questions in the subject's test set of MMLU; the paper does not say.")
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


def figure(citation: str, condition: str, **where: str) -> PublishedResult:
    """The one published figure of a source's condition; `model`, `dataset` and `metric` narrow it down.

    Raises `DataError` unless exactly one row fits.
    """
    named = {"citation": citation, "condition": condition, **where}
    rows = [row for row in results() if all(getattr(row, name) == value for name, value in named.items())]
    if len(rows) != 1:
        raise DataError(f"{named}: must fit one row of data/published_results.csv, fits {len(rows)}")
    return rows[0]


def paired_results(*citations: str) -> tuple[PairedResult, ...]:
    """Paired counts of the given sources, or all."""
    rows = cast(tuple[PairedResult, ...], load("paired_results"))
    return tuple(row for row in rows if not citations or row.citation in citations)


def difference(first: PublishedResult, second: PublishedResult) -> Difference | None:
    """Value of the second minus value of the first with its 95% interval, paired where the counts are known.

    None where the sample size is not: then nobody can say whether the difference is resolved. Without the
    counts the questions are treated as if each condition had its own, which makes the interval too wide.
    Raises ValueError unless both are shares of one source, dataset and metric.
    """
    for name in ("citation", "dataset", "metric", "unit"):
        a, b = getattr(first, name), getattr(second, name)
        if a != b:
            raise ValueError(f"{name} = {b!r}: must be {a!r}, as in the figure it is compared with")
    for row in paired_results(first.citation):
        if row.model == first.model == second.model and (row.dataset, row.metric) == (
            first.dataset,
            first.metric,
        ):
            if (row.first, row.second) == (first.condition, second.condition):
                return row.difference
            if (row.second, row.first) == (first.condition, second.condition):
                return row.difference.reversed
    if first.n is None or second.n is None:
        return None
    return unpaired(first.value, first.n, second.value, second.n)


def cell_difference(cell: OvadiaStaticCell, arm: str, against: str) -> Difference:
    """Accuracy of column `arm` minus that of column `against` in one cell, unpaired."""
    return unpaired(getattr(cell, against), cell.n, getattr(cell, arm), cell.n)


def resolved_record(cells: Iterable[OvadiaStaticCell], arm: str, against: str) -> Record:
    """As `record`, but only differences that the cell's sample size resolves count as wins or losses."""
    found = [cell_difference(cell, arm, against) for cell in cells]
    wins = sum(d.resolved and d.value > 0 for d in found)
    losses = sum(d.resolved and d.value < 0 for d in found)
    return Record(wins, len(found) - wins - losses, losses)


def pooled_difference(model: str, shots: int, arm: str, against: str) -> Difference:
    """Accuracy of column `arm` minus that of column `against` over all subjects of one model, unpaired."""
    cells = [cell for cell in static_cells() if (cell.model, cell.shots) == (model, shots)]
    n = sum(cell.n for cell in cells)
    first, second = (sum(cell.n * getattr(cell, column) for cell in cells) / n for column in (against, arm))
    return unpaired(first, n, second, n)


NEW_FACTS_QUESTIONS = 910
"""Questions on current events of Ovadia et al., section 5."""


class Comparison(NamedTuple):
    """The best published figure of one arm against the best of another in the same setting."""

    citation: str
    model: str
    dataset: str
    metric: str
    against: float
    value: float
    difference: Difference | None
    """With its interval; None where the sample size is not known, so that nothing is resolved."""


def comparisons(arm: Arm, against: Arm) -> tuple[Comparison, ...]:
    """Every setting of every paper that published both arms, in file order, Ovadia et al. first.

    A setting is one model, dataset and metric of one source. Its best condition counts for each arm, so an
    arm that was tried in many ways is flattered. Higher is better in every metric that has two of these arms.
    """
    found = [*_ovadia_comparisons(arm, against)]
    settings: dict[tuple[str, str, str, str], list[PublishedResult]] = {}
    for row in results():
        settings.setdefault((row.citation, row.model, row.dataset, row.metric), []).append(row)
    for setting, rows in settings.items():
        first = [row for row in rows if row.arm == against]
        second = [row for row in rows if row.arm == arm]
        if first and second:
            worse, better = (max(side, key=lambda row: row.value) for side in (first, second))
            same_unit = difference(worse, better) if better.unit == "fraction" else None
            found.append(Comparison(*setting, worse.value, better.value, same_unit))
    return tuple(found)


_OVADIA_COLUMNS = {"base": "base", "RAG": "rag", "fine-tuned": "fine_tuned", "both": "both"}


def _ovadia_comparisons(arm: Arm, against: Arm) -> Iterator[Comparison]:
    if arm not in _OVADIA_COLUMNS or against not in _OVADIA_COLUMNS:
        return
    for cell in static_cells():
        first, second = (getattr(cell, _OVADIA_COLUMNS[side]) for side in (against, arm))
        setting = ("ovadia2024", cell.model, f"{cell.task}, {cell.shots} examples", "accuracy")
        yield Comparison(*setting, first, second, unpaired(first, cell.n, second, cell.n))
    for row in cast(tuple[OvadiaNewFacts, ...], load("ovadia_table2")):
        first, second = (_best(row, _OVADIA_COLUMNS[side]) for side in (against, arm))
        n = NEW_FACTS_QUESTIONS
        setting = ("ovadia2024", row.model, "current events", "accuracy")
        yield Comparison(*setting, first, second, unpaired(first, n, second, n))


def _best(row: OvadiaNewFacts, column: str) -> float:
    return max(getattr(row, column), getattr(row, f"{column}_paraphrases", 0.0))


def by_paper(found: Iterable[Comparison], resolved_only: bool = False) -> dict[str, Record]:
    """Wins, ties and losses in each paper; if `resolved_only`, what its n does not resolve is a tie."""
    counts: dict[str, list[int]] = {}
    for one in found:
        decided = not resolved_only or bool(one.difference and one.difference.resolved)
        gain = one.value - one.against if decided else 0.0
        counts.setdefault(one.citation, [0, 0, 0])[0 if gain > 0 else 1 if gain == 0 else 2] += 1
    return {citation: Record(*count) for citation, count in counts.items()}
