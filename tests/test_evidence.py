"""What the book recomputes from published tables agrees with a count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft import claims, evidence
from ragvsft.data import load
from ragvsft.evidence import Record, record, results, static_cells

SHARE = st.floats(min_value=0, max_value=1)


def test_the_thirty_cells_recounted() -> None:
    assert record(static_cells(), "both", against="rag") == Record(wins=8, ties=5, losses=17)
    assert record(static_cells(), "rag", against="fine_tuned") == Record(wins=28, ties=0, losses=2)
    assert record(static_cells(), "rag", against="base") == Record(wins=30, ties=0, losses=0)
    assert record(static_cells(), "fine_tuned", against="base") == Record(wins=22, ties=2, losses=6)


def test_the_weakest_model_gains_most_from_both() -> None:
    llama = [cell for cell in static_cells() if cell.model == "Llama2 7B"]
    assert record(llama, "both", against="rag") == Record(wins=5, ties=1, losses=4)


def test_the_sign_test_ignores_ties() -> None:
    assert Record(wins=8, ties=5, losses=17).p_value == pytest.approx(0.10775, abs=1e-5)
    assert Record(wins=8, ties=500, losses=17).p_value == Record(wins=8, ties=0, losses=17).p_value


def test_shares_come_with_their_interval() -> None:
    share, low, high = Record(wins=8, ties=5, losses=17).share(8)
    assert (share, low, high) == pytest.approx((8 / 30, 0.1418, 0.4445), abs=1e-4)


@given(SHARE, SHARE)
def test_the_overlap_of_two_shares_is_bounded(first: float, second: float) -> None:
    low, high = evidence.joint_share(first, second)
    assert 0 <= low <= high + 1e-12 <= 1 + 1e-12
    assert high <= min(first, second)


def test_the_survey_and_the_adoption_figure_leave_the_answer_open() -> None:
    assert evidence.joint_share(0.57, 0.51) == pytest.approx((0.08, 0.51))


def test_every_published_row_names_a_source() -> None:
    for row in [*results(), *load("surveys")]:
        claims.source(row.citation)
