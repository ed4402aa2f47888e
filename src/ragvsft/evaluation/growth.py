"""How a measured cost grows with size: a power law, and what it says beyond the sizes that were measured."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import linregress
from scipy.stats import t as student


class Expected(NamedTuple):
    """A value beyond the measured sizes, with its 95% prediction interval."""

    value: float
    low: float
    high: float


class PowerLaw(NamedTuple):
    """value = scale × size ** exponent, with the exponent's 95% interval; make one with `power_law`."""

    scale: float
    exponent: float
    low: float
    high: float
    sizes: tuple[float, ...]
    residual_log: float
    """Standard error of the logarithm of a single value."""

    def at(self, size: float) -> Expected:
        """The value at a size, with the interval that a single new measurement falls into.

        It takes the errors of logarithms as normal and the law as true beyond the sizes: a bend is not in it.
        """
        logs = [math.log(known) for known in self.sizes]
        mean, n = sum(logs) / len(logs), len(logs)
        spread = (math.log(size) - mean) ** 2 / sum((log - mean) ** 2 for log in logs)
        reach = _student(n) * self.residual_log * math.sqrt(1 + 1 / n + spread)
        value = self.scale * size**self.exponent
        return Expected(value, value * math.exp(-reach), value * math.exp(reach))


def power_law(sizes: Sequence[float], values: Sequence[float]) -> PowerLaw:
    """Least squares on logarithms. Raises ValueError for fewer than three sizes or a number not above 0.

    Source: Weisberg, Applied Linear Regression (4th edition, 2014), sections 2.8 and 8.1.
    """
    if len(sizes) != len(values) or len(sizes) < 3:
        raise ValueError(f"sizes, values = {len(sizes)}, {len(values)}: must be one number of at least 3")
    if min(*sizes, *values) <= 0:
        raise ValueError(f"sizes, values = {min(*sizes, *values)}: must be above 0")
    x, y = ([math.log(number) for number in numbers] for numbers in (sizes, values))
    fit = linregress(x, y)
    left = sum((b - fit.intercept - fit.slope * a) ** 2 for a, b in zip(x, y, strict=True))
    reach = _student(len(x)) * fit.stderr
    return PowerLaw(
        math.exp(fit.intercept),
        float(fit.slope),
        float(fit.slope - reach),
        float(fit.slope + reach),
        tuple(map(float, sizes)),
        math.sqrt(left / (len(x) - 2)),
    )


def _student(n: int) -> float:
    return float(student.ppf(0.975, n - 2))
