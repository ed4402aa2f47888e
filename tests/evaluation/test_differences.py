"""A difference is resolved when its interval excludes zero, paired where the counts are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft.evaluation.differences import Difference, paired, points, unpaired

COUNT = st.integers(min_value=0, max_value=300)
SHARE = st.floats(min_value=0, max_value=1)
SIZE = st.integers(min_value=1, max_value=5000)


def test_newcombes_own_example() -> None:
    """56 of 70 against 48 of 80: 0.20 (0.0524 to 0.3339), table II of his paper, method 10."""
    found = unpaired(48 / 80, 80, 56 / 70, 70)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert found.resolved and not found.paired


def test_the_same_shares_are_resolved_sooner_when_paired() -> None:
    assert paired(only_first_right=5, only_second_right=25, n=300).resolved
    assert not unpaired(0.60, 300, 0.60 + 20 / 300, 300).resolved


@given(COUNT, COUNT, COUNT)
def test_a_paired_difference_lies_in_its_interval_and_turns_round(a: int, b: int, rest: int) -> None:
    n = a + b + rest + 1
    found, other = paired(a, b, n), paired(b, a, n).reversed
    assert found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high
    assert (found.low, found.high) == pytest.approx((other.low, other.high))


@given(SHARE, SIZE, SHARE, SIZE)
def test_an_unpaired_difference_lies_in_its_interval(a: float, m: int, b: float, n: int) -> None:
    found = unpaired(a, m, b, n)
    assert -1 - 1e-9 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1 + 1e-9


def test_equal_shares_are_never_resolved() -> None:
    assert not unpaired(0.5, 10, 0.5, 10_000).resolved and not paired(7, 7, 100).resolved


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, 5, 0.5, 5), "first_share = -0.1: must be between 0 and 1"),
        ((0.5, 5, 0.5, 0), "second_n = 0: must be 1 or more"),
    ],
)
def test_a_bad_share_is_named(arguments: tuple[float, int, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpaired(*arguments)


def test_counts_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="together at most n = 5"):
        paired(3, 3, 5)


def test_a_difference_is_told_in_points_with_its_interval_and_what_it_resolves():
    assert points(Difference(-0.004, -0.049, 0.04, True)) == "−0.4 points (−4.9 to 4), not resolved"
    assert points(Difference(0.05, 0.011, 0.09, False)) == "5 points (1.1 to 9), resolved"
