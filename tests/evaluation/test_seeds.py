"""Intervals and tests over seeds agree with SciPy's own and with hand-worked cases."""

import math

import pytest
from scipy import stats

from ragvsft.evaluation.seeds import holm, paired_t, t_interval

A, B = [0.1, 0.3, 0.2, 0.4, 0.35], [0.5, 0.45, 0.6, 0.7, 0.5]


def test_the_interval_is_scipys() -> None:
    found = t_interval(A)
    low, high = stats.t.interval(0.95, 4, loc=found.mean, scale=stats.sem(A))
    assert (found.low, found.high, found.seeds) == (pytest.approx(low), pytest.approx(high), 5)


def test_a_higher_confidence_is_wider() -> None:
    assert t_interval(A, 0.99).low < t_interval(A).low


def test_one_seed_has_no_interval() -> None:
    found = t_interval([0.4])
    assert found.mean == 0.4 and math.isnan(found.low) and math.isnan(found.high)


def test_the_paired_test_is_scipys() -> None:
    found = paired_t(A, B)
    assert found.p_value == pytest.approx(stats.ttest_rel(B, A).pvalue)
    assert found.difference.mean == pytest.approx(sum(B) / 5 - sum(A) / 5)


def test_the_same_difference_everywhere() -> None:
    assert paired_t([0.0, 0.0], [1.0, 1.0]).p_value == 0
    assert paired_t([0.5, 0.25], [0.5, 0.25]).p_value == 1


def test_holm_by_hand() -> None:
    # 0.01 × 4, then 0.02 × 3, then 0.03 × 2 raised to the one before, then 0.04
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: t_interval([]), "at least one seed"),
        (lambda: t_interval(A, 1), "confidence = 1"),
        (lambda: paired_t(A, B[:4]), "5 and 4 seeds"),
        (lambda: paired_t([1.0], [1.0]), "at least 2"),
        (lambda: holm([0.5, 1.2]), "p value 1.2"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
