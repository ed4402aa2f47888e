"""The figures of the landing page."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from ragvsft.costs import compare, scenario
from ragvsft.costs.compare import Cell
from ragvsft.costs.methods import METHODS
from ragvsft.evidence.published import Record, by_paper, comparisons
from ragvsft.prose import usd
from ragvsft.widgets.chart import method_colour, usd_axis
from ragvsft.widgets.matrix import Matrix, matrix


@functools.cache
def cells() -> dict[tuple[str, str], Cell]:
    """The default matrix by method and column."""
    return {cell.key: cell for cell in compare.matrix(scenario.default())}


class Steps(NamedTuple):
    """USD over the horizon of RAG to agentic search on two models, and of the models with each method."""

    method_on_large: float
    method_on_small: float
    model_with_rag: float
    model_with_agent: float

    @property
    def model_outweighs(self) -> bool:
        """Whether the smaller change of model is larger than the larger change of method."""
        return min(abs(self.model_with_rag), abs(self.model_with_agent)) > max(
            abs(self.method_on_large), abs(self.method_on_small)
        )


def steps() -> Steps:
    """The four steps of the default matrix."""
    return Steps(*(step.usd for step in compare.steps(tuple(cells().values()))))


def finding() -> str:
    """What the figure shows, in a sentence that the prices decide."""
    if steps().model_outweighs:
        return "The model moves the bill more than the method"
    return "Neither the model nor the method alone decides the bill"


def finding_chart() -> Any:
    """What a year costs in every cell of the default matrix that does the job."""
    frame = pd.DataFrame(
        [
            (cell.hosted.column.label, cell.method.label, cell.horizon_usd)
            for cell in cells().values()
            if cell.available and not cell.confirm_first
        ],
        columns=["model", "method", "usd"],
    )
    shown = [name for name, method in METHODS.items() if method.label in set(frame.method)]
    columns = list(dict.fromkeys(cell.hosted.column.label for cell in cells().values()))
    said = "; ".join(f"{row.method} on {row.model}, {usd(row.usd)}" for row in frame.itertuples())
    return (
        alt.Chart(frame)
        .mark_point(size=140)
        .encode(
            alt.X(
                "usd:Q", title="USD a year, people included", axis=usd_axis(), scale=alt.Scale(domainMin=0)
            ),
            alt.Y("model:N", sort=columns, title=None),
            method_colour(shown),
            alt.Shape(
                "method:N", legend=None, scale=alt.Scale(domain=[METHODS[name].label for name in shown])
            ),
            tooltip=[
                alt.Tooltip("method:N", title="Method"),
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("usd:Q", title="A year", format="$,.0f"),
            ],
        )
        .properties(
            title=f"{finding()}: methods that know your documents, in our default case",
            description=f"What a year costs, by model and method. {said}.".replace("\\", ""),
        )
    )


class Counted(NamedTuple):
    """How often one arm beat another over published settings, and over those that n resolves."""

    papers: int
    all: Record
    resolved: Record


def counted(arm: Any, against: Any) -> Counted:
    """The settings of every paper that published both arms."""
    found = comparisons(arm, against)
    plain, resolved = (by_paper(found, resolved_only=only).values() for only in (False, True))
    return Counted(len(plain), *(Record(*map(sum, zip(*one, strict=True))) for one in (plain, resolved)))


def cost_matrix() -> Matrix:
    """The matrix with the reader's default case."""
    return matrix("matrix", "What a year costs, method by model")
