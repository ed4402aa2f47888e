"""Whether a difference between two shares is resolved at its sample size: one rule for the whole book.

A difference is resolved when its 95% interval excludes zero. Where both systems answered the same questions
and the counts are known, the interval is paired; otherwise it treats the samples as independent, which is
too wide for systems that answered the same questions.
"""

from dataclasses import dataclass

from ragvsft.evaluation.formulas import paired_difference_interval, wilson_interval
from ragvsft.prose import number


@dataclass(frozen=True)
class Difference:
    """Second share minus first, as a fraction, with its 95% interval."""

    value: float
    low: float
    high: float
    paired: bool

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    @property
    def reversed(self) -> "Difference":
        """First share minus second."""
        return Difference(-self.value, -self.high, -self.low, self.paired)


def paired(only_first_right: int, only_second_right: int, n: int) -> Difference:
    """Difference of two systems on the same `n` questions, from the questions that only one got right.

    Raises ValueError unless the counts are at least 0 and together at most n, and n at least 1.
    Source: Agresti and Min 2005, as in `paired_difference_interval`.
    """
    if min(only_first_right, only_second_right) < 0 or n < max(1, only_first_right + only_second_right):
        raise ValueError(
            f"only_first_right = {only_first_right}, only_second_right = {only_second_right}: must be 0 or"
            f" more and together at most n = {n}, which must be 1 or more"
        )
    low, high = paired_difference_interval(only_first_right, only_second_right, n)
    return Difference((only_second_right - only_first_right) / n, float(low), float(high), True)


def unpaired(first_share: float, first_n: int, second_share: float, second_n: int) -> Difference:
    """Difference of two shares of independent samples.

    Raises ValueError for a share outside 0 to 1 or an n below 1. Source: Newcombe, Statistics in Medicine 17
    (1998), 873-890, method 10, which builds the interval from the two Wilson intervals.
    """
    for name, share, n in (("first", first_share, first_n), ("second", second_share, second_n)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name}_share = {share}: must be between 0 and 1")
        if n < 1:
            raise ValueError(f"{name}_n = {n}: must be 1 or more")
    value = second_share - first_share
    first_low, first_high = map(float, wilson_interval(first_share * first_n, first_n))
    second_low, second_high = map(float, wilson_interval(second_share * second_n, second_n))
    below = ((second_share - second_low) ** 2 + (first_high - first_share) ** 2) ** 0.5
    above = ((second_high - second_share) ** 2 + (first_share - first_low) ** 2) ** 0.5
    return Difference(value, value - below, value + above, False)


def points(difference: Difference) -> str:
    """ "−0.4 points (−4.9 to 4), not resolved": percentage points, 95% interval, and what it resolves."""
    shares = (difference.value, difference.low, difference.high)
    value, low, high = (number(round(100 * share, 1)) for share in shares)
    return f"{value} points ({low} to {high}), {'resolved' if difference.resolved else 'not resolved'}"
