"""Four-bit quantisation of weights, block by block, as QLoRA stores its base: NF4 and, beside it, INT4."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""Weights that share a scale."""
OUTERMOST = 0.9677083
"""The outermost quantile of NF4, as bitsandbytes takes it: midway between 1 - 1/30 and 1 - 1/32."""

INT4: NDArray[np.float64] = np.arange(-7, 8) / 7
"""Fifteen evenly spaced levels."""


def nf4_levels() -> NDArray[np.float64]:
    """The 16 levels of NF4: quantiles of a normal distribution, with a zero, scaled to end at 1.

    Source: Dettmers et al., arXiv 2305.14314, section 3.
    """
    quantile = NormalDist().inv_cdf
    above = [quantile(p) for p in np.linspace(OUTERMOST, 0.5, 9)[:-1]]
    below = [-quantile(p) for p in np.linspace(OUTERMOST, 0.5, 8)[:-1]]
    return np.sort([*below, 0.0, *above]) / above[0]


def quantise(weights: NDArray[np.floating], levels: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """The number of each weight's nearest level, (blocks, BLOCK), and each block's scale, (blocks, 1)."""
    blocks = weights.reshape(-1, BLOCK)
    scales = np.abs(blocks).max(axis=1, keepdims=True)
    between = (levels[1:] + levels[:-1]) / 2
    return np.digitize(blocks / scales, between).astype(np.uint8), scales


def dequantise(codes: NDArray, scales: NDArray, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights that codes and scales stand for, (blocks, BLOCK)."""
    return levels[codes] * scales


def relative_error(weights: NDArray[np.floating], read_back: NDArray[np.floating]) -> float:
    """Root mean square of what quantising changed, over that of the weights."""
    weights = weights.reshape(read_back.shape).astype(np.float64)
    return float(np.linalg.norm(read_back - weights) / np.linalg.norm(weights))
