"""A power law through measured sizes, and how far it may be trusted beyond them."""

import numpy as np
import pytest

from ragvsft.evaluation.growth import power_law

SIZES = (1e3, 3e3, 1e4, 3e4, 1e5)


def test_an_exact_law_is_found_again_and_leaves_no_interval() -> None:
    law = power_law(SIZES, [2 * size**1.5 for size in SIZES])
    assert (law.scale, law.exponent) == (pytest.approx(2), pytest.approx(1.5))
    at = law.at(1e6)
    assert at.value == pytest.approx(2e9)
    assert at.low == pytest.approx(at.value, rel=1e-6) and at.high == pytest.approx(at.value, rel=1e-6)


def test_nineteen_of_twenty_new_measurements_fall_into_the_interval() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(800):
        noise = np.exp(rng.normal(0, 0.2, len(SIZES) + 1))
        law = power_law(SIZES, [size * factor for size, factor in zip(SIZES, noise, strict=False)])
        at = law.at(1e6)
        hits += at.low <= 1e6 * noise[-1] <= at.high
    assert 0.92 < hits / 800 < 0.975


def test_the_interval_widens_beyond_the_sizes() -> None:
    law = power_law(SIZES, [1.0, 3.2, 9.5, 31.0, 98.0])
    inside, beyond = law.at(1e4), law.at(1e7)
    assert beyond.high / beyond.value > inside.high / inside.value


@pytest.mark.parametrize(
    ("sizes", "values", "said"),
    [((1, 2), (1, 2), "at least 3"), ((1, 2, 3), (1, 2), "one number"), ((1, 2, 3), (1, 0, 2), "above 0")],
)
def test_too_few_sizes_or_a_zero_are_refused(sizes, values, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        power_law(sizes, values)
