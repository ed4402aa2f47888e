"""The landing page's finding follows from the default matrix."""

import pytest

from drawn_rows import drawn
from ragvsft.chapters import index
from ragvsft.chapters.index import Steps
from ragvsft.costs import compare, scenario


def test_the_figure_shows_every_cell_that_does_the_job_and_no_other():
    rows = drawn(index.finding_chart())
    expected = {
        (cell.hosted.column.label, cell.method.label): cell.horizon_usd
        for cell in compare.matrix(scenario.default())
        if cell.available and not cell.confirm_first
    }
    assert {(row["model"], row["method"]): row["usd"] for row in rows} == pytest.approx(expected)
    assert not any(row["method"] == "Prompting only" for row in rows)


def test_the_finding_turns_with_the_numbers():
    assert Steps(5, -4, 10, 20).model_outweighs
    assert not Steps(15, -4, 10, 20).model_outweighs
    assert index.finding() in str(index.finding_chart().to_dict()["title"])


def test_the_two_ways_round_the_matrix_add_up():
    steps = index.steps()
    assert steps.method_on_large + steps.model_with_agent == pytest.approx(
        steps.model_with_rag + steps.method_on_small
    )


def test_resolved_settings_are_a_part_of_all():
    for arms in (("RAG", "fine-tuned"), ("both", "RAG")):
        counted = index.counted(*arms)
        assert counted.resolved.cells == counted.all.cells
        assert counted.resolved.wins <= counted.all.wins and counted.resolved.losses <= counted.all.losses
