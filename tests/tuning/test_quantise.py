"""NF4 is bitsandbytes' NF4, and the nearest level is taken block by block."""

import numpy as np
import pytest

from ragvsft.tuning.quantise import BLOCK, INT4, dequantise, nf4_levels, quantise, relative_error


def test_the_levels_are_those_that_the_paper_prints() -> None:
    # Dettmers et al., arXiv 2305.14314, appendix E
    printed = [
        -1.0,
        -0.6961928009986877,
        -0.5250730514526367,
        -0.39491748809814453,
        -0.28444138169288635,
        -0.18477343022823334,
        -0.09105003625154495,
        0.0,
        0.07958029955625534,
        0.16093020141124725,
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    ]
    assert nf4_levels() == pytest.approx(printed, abs=1e-6)


def test_weights_on_the_grid_come_back() -> None:
    levels = nf4_levels()
    weights = np.tile(levels, 2 * BLOCK // 16) * np.repeat([3.0, 0.25], BLOCK)
    codes, scales = quantise(weights, levels)
    assert scales.ravel().tolist() == [3.0, 0.25]
    assert dequantise(codes, scales, levels).ravel() == pytest.approx(weights)


def test_every_weight_gets_its_nearest_level() -> None:
    weights = np.random.default_rng(3).standard_normal(4 * BLOCK)
    levels = nf4_levels()
    codes, scales = quantise(weights, levels)
    distance = np.abs(levels - (weights.reshape(-1, BLOCK) / scales)[..., None])
    assert (codes == distance.argmin(-1)).all()


def test_nf4_errs_less_than_even_spacing_on_normal_weights() -> None:
    weights = np.random.default_rng(4).standard_normal(2**16)
    errors = [relative_error(weights, dequantise(*quantise(weights, k), k)) for k in (nf4_levels(), INT4)]
    assert errors[0] < errors[1] < 0.12
