"""The figures of the landing page."""

from ragvsft.costs import compare, scenario
from ragvsft.costs.compare import Cell
from ragvsft.widgets.matrix import Matrix, matrix


def cells() -> dict[tuple[str, str], Cell]:
    """The default matrix by method and column."""
    return {cell.key: cell for cell in compare.matrix(scenario.default())}


def cost_matrix() -> Matrix:
    """The matrix with the reader's default case."""
    return matrix("matrix", "What a year costs, method by model")
