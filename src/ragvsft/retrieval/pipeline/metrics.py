"""How well a ranking finds what it should: per-question measures, and paired intervals between methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError

Ranking = Mapping[str, Sequence[str]]
"""Question id to passage ids, best first."""
MEASURES = ("nDCG@10", "R@5", "R@10", "R@50", "RR@10")


def measure(
    gold: Mapping[str, Sequence[str]], ranking: Ranking, names: Sequence[str] = MEASURES
) -> dict[str, dict[str, float]]:
    """Measure name → question id → value from 0 to 1, by ir-measures; a question without results counts 0.

    Raises PipelineError for a question without gold passages.
    """
    import ir_measures

    if empty := [question for question, passages in gold.items() if not passages]:
        raise PipelineError(f"question = {empty[0]}: has no relevant passage; must have at least one")
    measures = [ir_measures.parse_measure(name) for name in names]
    qrels = [ir_measures.Qrel(q, passage, 1) for q, passages in gold.items() for passage in passages]
    run = [
        ir_measures.ScoredDoc(question, passage, -float(rank))
        for question in gold
        for rank, passage in enumerate(ranking.get(question, ()))
    ]
    values = {name: dict.fromkeys(gold, 0.0) for name in names}
    for found in ir_measures.iter_calc(measures, qrels, run):
        values[str(found.measure)][found.query_id] = float(found.value)
    return values


@dataclass(frozen=True)
class Difference:
    """Mean of second minus first over the same questions, its 95% interval, and a two-sided p-value."""

    value: float
    low: float
    high: float
    p_value: float
    wins: int
    losses: int
    n: int


def difference(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[str],
    draws: int = 10_000,
    seed: int = 0,
) -> Difference:
    """A paired difference, resampled by cluster, then by question; p by flipping clusters' signs.

    A cluster is a project whose questions are alike. With one cluster the questions are resampled alone and
    flipped one by one. Raises PipelineError unless the three have one length of at least 2.
    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    if not len(first) == len(second) == len(clusters) or len(first) < 2:
        raise PipelineError(
            f"questions = {len(first)}, {len(second)}, {len(clusters)}: must be one number of at least 2"
        )
    delta = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    low, high = interval(delta, clusters, draws, seed)
    return Difference(
        float(delta.mean()),
        low,
        high,
        _p_value(delta, clusters, draws, seed),
        int((delta > 1e-12).sum()),
        int((delta < -1e-12).sum()),
        len(delta),
    )


def interval(
    values: Sequence[float] | NDArray[np.float64], clusters: Sequence[str], draws: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """95% percentile interval of the mean, by cluster and then by question; see `difference`."""
    rng = np.random.default_rng(seed)
    groups = _groups(np.asarray(values, dtype=float), clusters)
    sums, sizes = np.empty((draws, len(groups))), np.array([len(group) for group in groups])
    chosen = rng.integers(0, len(groups), (draws, len(groups)))
    totals, counts = np.zeros(draws), np.zeros(draws)
    for k in range(len(groups)):
        for g, group in enumerate(groups):
            rows = np.flatnonzero(chosen[:, k] == g)
            picks = rng.integers(0, len(group), (len(rows), len(group)))
            sums[rows, k] = group[picks].sum(axis=1)
        totals += sums[:, k]
        counts += sizes[chosen[:, k]]
    low, high = np.quantile(totals / counts, [0.025, 0.975])
    return float(low), float(high)


def _p_value(delta: NDArray[np.float64], clusters: Sequence[str], draws: int, seed: int) -> float:
    groups = _groups(delta, clusters)
    sums = np.array([group.sum() for group in groups]) if len(groups) > 1 else delta
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, len(sums)))
    flipped = np.abs(signs @ sums)
    return float((1 + (flipped >= abs(sums.sum()) - 1e-12).sum()) / (draws + 1))


def _groups(values: NDArray[np.float64], clusters: Sequence[str]) -> list[NDArray[np.float64]]:
    names = np.asarray(clusters)
    return [values[names == name] for name in dict.fromkeys(clusters)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the given order. Source: Holm, Scand. Journal of Statistics 6 (1979), 65-70."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted
