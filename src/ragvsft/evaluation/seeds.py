"""Intervals and tests over the seeds of an experiment: each seed is one observation."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import t as student


class Estimate(NamedTuple):
    """A mean over seeds with its interval; a single seed has none (low and high are not a number)."""

    mean: float
    low: float
    high: float
    seeds: int


class PairedTest(NamedTuple):
    """A mean difference over seeds, its interval, and the two-sided p-value that it is zero."""

    difference: Estimate
    p_value: float


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean over seeds with Student's t interval. Raises ValueError without values or for a bad confidence.

    A bootstrap of five seeds gives intervals that are too short; this one assumes seed means near normal.
    Source: Student, Biometrika 6 (1908), 1-25.
    """
    if not values:
        raise ValueError("values: there are none; an interval needs at least one seed")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence}: must be between 0 and 1")
    mean, count = statistics.fmean(values), len(values)
    if count == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    reach = float(student.ppf((1 + confidence) / 2, count - 1)) * statistics.stdev(values) / math.sqrt(count)
    return Estimate(mean, mean - reach, mean + reach, count)


def paired_t(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> PairedTest:
    """Second minus first, seed by seed: the mean difference and Student's paired test.

    With the same difference in every seed the p-value is 0, or 1 if that difference is zero.
    Raises ValueError if the two differ in length or have fewer than two seeds.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"{len(first)} and {len(second)} seeds: must be the same number, at least 2")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    found = t_interval(differences, confidence)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    if error == 0:
        return PairedTest(found, float(found.mean == 0))
    return PairedTest(found, float(2 * student.sf(abs(found.mean / error), len(differences) - 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: reject those at or below the level.

    Raises ValueError for a value outside 0 to 1. Source: Holm, Scandinavian Journal of Statistics 6 (1979),
    65-70.
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"p value {p}: must be from 0 to 1")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = largest
    return adjusted
