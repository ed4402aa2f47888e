"""What the assumption ranges do to the answer: draws, one input at a time, and Sobol indices.

Only rows of kind "uncertain" in `data/assumptions.csv` are drawn, each on its own from a triangular
distribution between low and high with its mode at base: three numbers are what the rows have, and a triangle
adds no more belief than that. Rows on a log scale have ranges that are stated as factors (half to double)
and not as distances. They are drawn in the 64th root, which is the logarithm to within 2% and is made of
square roots: with `exp` the browser's draws could differ in the last bit and take another step of a
staircase, such as one GPU more. Workload and decision rows stay as the scenario has
them: they are chosen, not unknown; so does a value that the reader typed. Inputs are drawn independently of
each other, so ranges that move together in life (expensive engineers also run evaluations) are too narrow
here, and opposed ones too wide.

The points are Richtmyer's: frac((k + 1) × √p) with a prime p for each input. They need no random generator,
so the browser draws the same ones, and they fill the space more evenly than random numbers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ragvsft.costs.inputs import Inputs, changed
from ragvsft.data import AssumptionRow, load
from ragvsft.formula import Quantity, floor, sqrt, where

Floats = NDArray[np.float64]
SEED = 20261122
CHUNK = 10_000
"""Draws computed at once: few enough that the arrays stay in a core's cache."""

DRAWS = 2048
"""Draws behind every range that a table prints; 10th, 50th and 90th percentile err by under 3%."""

HALVINGS = 6
"""Square roots taken of a ratio on a log scale: the 64th root."""

TIE = 1e-9
"""Relative difference below which two costs count as the same."""


def uncertain() -> tuple[AssumptionRow, ...]:
    """The assumptions that are drawn: kind "uncertain" with a range that is not a point."""
    return tuple(row for row in load("assumptions") if row.kind == "uncertain" and row.low < row.high)


# ------------------------------------------------------------------------------------------------- points


def root(row: AssumptionRow) -> float:
    """The square root of the prime that belongs to an input's place among the draws."""
    return math.sqrt(_primes(1 + (row.draw or 0))[-1])


def _primes(number: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < number:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def point(k: Quantity, root: Quantity) -> Quantity:
    """Draw number k (from 0) of one input: a probability, 0 to 1."""
    position = (k + 1) * root
    return position - floor(position)


def triangular(probability: Quantity, low: Quantity, mode: Quantity, high: Quantity) -> Quantity:
    """The value of a triangular distribution at a probability, 0 to 1."""
    rising = low + sqrt(probability * ((high - low) * (mode - low)))
    falling = high - sqrt((1 - probability) * ((high - low) * (high - mode)))
    return where(probability * (high - low) < mode - low, rising, falling)


def quantile(row: AssumptionRow, probability: Quantity) -> Quantity:
    """The row's distribution inverted: its value at a probability, 0 to 1."""
    if not row.log_scale:
        return triangular(probability, row.low, row.base, row.high)
    found = triangular(probability, *(_halved(end / row.base) for end in (row.low, row.base, row.high)))
    for _ in range(HALVINGS):
        found = found * found
    return row.base * found


def _halved(ratio: float) -> float:
    """A ratio's logarithm halved `HALVINGS` times: its root of that power of two."""
    for _ in range(HALVINGS):
        ratio = math.sqrt(ratio)
    return ratio


def drawn(
    s: Inputs, start: int, stop: int, fixed: Collection[str] = (), together: Collection[str] = ()
) -> Inputs:
    """A copy of the inputs with draws `start` to `stop` in place of every uncertain one, as arrays.

    Names in `fixed` stay as they are. Those in `together` are all high or all low at once: each draw has
    them at one probability.
    """
    rows = [row for row in uncertain() if row.name not in fixed]
    k = np.arange(start, stop, dtype=float)
    shared = point(k, root(next(row for row in rows if row.name in together))) if together else None
    return changed(
        s,
        **{
            row.name: quantile(
                row, shared if shared is not None and row.name in together else point(k, root(row))
            )
            for row in rows
        },
    )


def draws(
    s: Inputs, number: int, fixed: Collection[str] = (), together: Collection[str] = ()
) -> Iterator[Inputs]:
    """The first `number` draws, at most CHUNK of them at a time."""
    for start in range(0, number, CHUNK):
        yield drawn(s, start, min(start + CHUNK, number), fixed, together)


# ------------------------------------------------------------------------------------------------- ranges


class Range(NamedTuple):
    """The 10th, 50th and 90th percentile of a result over the draws, interpolated linearly."""

    low: float
    middle: float
    high: float


def interval(results: Quantity) -> Range:
    """The range of a result's draws, shape (draws,); a plain number is its own range."""
    values = np.atleast_1d(np.asarray(results, dtype=float))
    return Range(*map(float, np.quantile(values, (0.1, 0.5, 0.9))))


class Lead(NamedTuple):
    """How far A is ahead of B over the same draws: B - A in USD, and the share that A wins, 0 to 1."""

    usd: Range
    share_won: float


def lead(a_usd: Quantity, b_usd: Quantity) -> Lead:
    """A's lead over B, draw by draw. A difference under `TIE` of the larger is no win for either."""
    a, b = np.broadcast_arrays(np.atleast_1d(a_usd).astype(float), np.atleast_1d(b_usd).astype(float))
    won = (b - a) > TIE * np.maximum(np.abs(a), np.abs(b))
    return Lead(interval(b - a), float(np.mean(won)))


class Share(NamedTuple):
    """A probability estimated from draws, 0 to 1, and the standard error that as many random draws have."""

    probability: float
    standard_error: float


Total = Callable[[Inputs], Quantity]
"""A result of the cost model as a function of its inputs."""


def probability_cheaper(
    total_a: Total,
    total_b: Total,
    s_a: Inputs,
    s_b: Inputs,
    volumes: Sequence[float],
    number: int,
    together: Collection[str] = (),
) -> tuple[Share, ...]:
    """How often A costs less than B, at each of `volumes` (queries a month).

    The same draws serve both and every volume, so that the curve is smooth. The standard error says nothing
    about whether the ranges are right.
    """
    wins = np.zeros(len(volumes))
    for drawn_a, drawn_b in zip(
        draws(s_a, number, together=together), draws(s_b, number, together=together), strict=True
    ):
        for k, volume in enumerate(volumes):
            a = total_a(changed(drawn_a, queries_per_month=volume))
            b = total_b(changed(drawn_b, queries_per_month=volume))
            wins[k] += np.count_nonzero(a < b)
    shares = wins / number
    return tuple(Share(float(p), float(np.sqrt(p * (1 - p) / number))) for p in shares)


class Swing(NamedTuple):
    """One bar of a tornado: the result with one input at its low and at its high, all others at `s`."""

    name: str
    label: str
    at_low: float
    at_high: float


def tornado(result: Callable[[Inputs], float], s: Inputs) -> tuple[Swing, ...]:
    """One uncertain input at a time, from low to high; the widest swing first.

    `result` takes the inputs and returns one number; an infinite swing sorts first.
    """
    swings = [
        Swing(
            row.name,
            row.label,
            *(float(result(changed(s, **{row.name: end}))) for end in (row.low, row.high)),
        )
        for row in uncertain()
    ]
    return tuple(sorted(swings, key=lambda swing: -abs(swing.at_high - swing.at_low)))


class Influence(NamedTuple):
    """A Sobol total index: the share of the result's variance in which an input has a part, 0 to 1."""

    name: str
    label: str
    total: float
    confidence: float


def total_indices(
    result: Callable[[Inputs], Floats], s: Inputs, samples: int = 512, seed: int = SEED
) -> tuple[Influence, ...]:
    """Sobol total indices of every uncertain input, largest first, by SALib.

    `result` takes inputs that hold arrays and returns an array. `samples` must be a power of 2; the model
    runs on samples * (inputs + 2) points. `confidence` is the half width of SALib's 95% bootstrap interval.
    """
    from SALib.analyze import sobol
    from SALib.sample import sobol as sobol_sample

    rows = uncertain()
    problem: Mapping[str, Any] = {
        "num_vars": len(rows),
        "names": [row.name for row in rows],
        "bounds": [[0, 1]] * len(rows),
    }
    points = sobol_sample.sample(problem, samples, calc_second_order=False, seed=seed)
    inputs = changed(s, **{row.name: quantile(row, points[:, k]) for k, row in enumerate(rows)})
    found = sobol.analyze(problem, result(inputs), calc_second_order=False, seed=seed)
    influences = [
        Influence(row.name, row.label, float(total), float(confidence))
        for row, total, confidence in zip(rows, found["ST"], found["ST_conf"], strict=True)
    ]
    return tuple(sorted(influences, key=lambda influence: -influence.total))
