"""A second look at the candidates: late interaction over word pieces, and a trained LambdaMART."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.lexical import terms, words
from ragvsft.retrieval.pipeline.search import RRF_CONSTANT, Searcher
from ragvsft.retrieval.pipeline.store import Hit

FEATURES = (
    "bm25",
    "bm25_to_best",
    "bm25_reciprocal_rank",
    "cosine",
    "cosine_to_best",
    "cosine_reciprocal_rank",
    "fused",
    "late_interaction",
    "late_interaction_to_best",
    "late_interaction_weakest",
    "share_of_query_terms",
    "share_of_query_idf",
    "share_of_query_bigrams",
    "passage_terms_log",
    "query_terms",
)
ROUNDS, LEAVES, LEARNING_RATE, SMALLEST_LEAF = 150, 15, 0.05, 20

Table = NDArray[np.float64]


def late_interaction(query: NDArray[Any], passage: NDArray[Any]) -> tuple[float, float]:
    """Mean and least, over the query's word pieces, of the best cosine with any word piece of the passage.

    Both hold unit vectors, one a row. The mean is MaxSim divided by the query's length.
    Source: Khattab and Zaharia, SIGIR 2020 (ColBERT).
    """
    nearest = (query.astype(np.float32) @ passage.astype(np.float32).T).max(axis=1)
    return float(nearest.mean()), float(nearest.min())


def features(
    query: str,
    texts: Sequence[str],
    bm25: Sequence[float],
    cosine: Sequence[float],
    interaction: Sequence[tuple[float, float]] | None = None,
    idf: dict[str, float] | None = None,
) -> Table:
    """One row a candidate, one column for each of `FEATURES`; without late interaction its three are 0."""
    asked = terms(query)
    weights = {term: (idf or {}).get(term, 1.0) for term in asked}
    plain = words(query)
    bigrams = set(itertools.pairwise(plain))
    lexical, dense = np.asarray(bm25, dtype=float), np.asarray(cosine, dtype=float)
    late = np.asarray(interaction if interaction is not None else [(0.0, 0.0)] * len(texts), dtype=float)
    ranks = [_ranks(lexical), _ranks(dense)]
    if not texts:
        return np.empty((0, len(FEATURES)))
    rows: list[list[float]] = []
    for k, text in enumerate(texts):
        own, pairs, length = _read(text)
        found = [term for term in weights if term in own]
        rows.append(
            [
                lexical[k],
                lexical[k] / lexical.max() if lexical.max() > 0 else 0.0,
                1 / ranks[0][k],
                dense[k],
                dense[k] - dense.max(),
                1 / ranks[1][k],
                sum(1 / (RRF_CONSTANT + side[k]) for side in ranks),
                late[k, 0],
                late[k, 0] - late[:, 0].max(),
                late[k, 1],
                len(found) / max(1, len(weights)),
                sum(weights[term] for term in found) / max(1e-9, sum(weights.values())),
                len(bigrams & pairs) / max(1, len(bigrams)),
                math.log1p(length),
                len(asked),
            ]
        )
    return np.array(rows, dtype=float).reshape(len(texts), len(FEATURES))


@functools.lru_cache(maxsize=20_000)
def _read(text: str) -> tuple[frozenset[str], frozenset[tuple[str, str]], int]:
    """A passage's terms, its pairs of neighbouring words, and how many terms it has."""
    counted, plain = terms(text), words(text)
    return frozenset(counted), frozenset(itertools.pairwise(plain)), len(counted)


def idf(texts: Sequence[str]) -> dict[str, float]:
    """How rare each term is among these texts: log(1 + (n - d + 0.5) / (d + 0.5))."""
    counts = Counter(term for text in texts for term in set(terms(text)))
    return {term: math.log(1 + (len(texts) - d + 0.5) / (d + 0.5)) for term, d in counts.items()}


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    ranks = np.empty(len(scores), dtype=int)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


@dataclass(frozen=True)
class LambdaMart:
    """A trained ranker. Make one with `train` or `load`."""

    booster: Any

    def scores(self, table: Table) -> NDArray[np.float64]:
        """A score for each row of `features`, the higher the better."""
        return np.asarray(self.booster.predict(table, num_threads=1))

    def save(self, file: Path) -> None:
        unfinished = file.with_name(file.name + ".part")
        unfinished.write_text(self.booster.model_to_string(), encoding="utf-8")
        unfinished.replace(file)


def train(tables: Sequence[Table], labels: Sequence[Sequence[int]], seed: int = 0) -> LambdaMart:
    """Learn to rank from one table of features and one list of labels (1 relevant, 0 not) a query.

    Queries without a relevant candidate teach nothing and are left out. Raises PipelineError if none is left.
    One thread and a fixed seed, so the same input gives the same model.
    """
    import lightgbm

    kept = [k for k, given in enumerate(labels) if any(given)]
    if not kept:
        raise PipelineError("labels: no query has a relevant candidate; must be at least one")
    settings = {
        "objective": "lambdarank",
        "num_leaves": LEAVES,
        "learning_rate": LEARNING_RATE,
        "min_data_in_leaf": SMALLEST_LEAF,
        "lambdarank_truncation_level": 20,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "seed": seed,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(
        np.concatenate([tables[k] for k in kept]),
        label=np.concatenate([np.asarray(labels[k]) for k in kept]),
        group=[len(labels[k]) for k in kept],
        feature_name=list(FEATURES),
    )
    return LambdaMart(lightgbm.train(settings, data, num_boost_round=ROUNDS))


def load(file: Path) -> LambdaMart:
    """A saved ranker. Raises PipelineError for a file that is not one, or was made with other features."""
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, lightgbm.basic.LightGBMError) as error:
        raise PipelineError(f"ranker = {file}: is not a saved ranker ({type(error).__name__})") from None
    if tuple(booster.feature_name()) != FEATURES:
        raise PipelineError(f"ranker = {file}: was trained on other features; must be {', '.join(FEATURES)}")
    return LambdaMart(booster)


def candidates(searcher: Searcher, query: str, depth: int, groups: Sequence[str]) -> tuple[list[Hit], Table]:
    """The `depth` best by fusion with their features; late interaction is not among these."""
    found = searcher.fused(query, depth, groups)
    lexical = {hit.passage.id: hit.score for hit in searcher.lexical(query, depth, groups)}
    dense = {hit.passage.id: hit.score for hit in searcher.dense(query, depth, groups)}
    lowest = min(dense.values(), default=0.0)
    names = [hit.passage.id for hit in found]
    table = features(
        query,
        [hit.passage.text for hit in found],
        [lexical.get(name, 0.0) for name in names],
        [dense.get(name, lowest) for name in names],
    )
    return found, table


def reranked(
    searcher: Searcher, ranker: LambdaMart, query: str, k: int, depth: int, groups: Sequence[str]
) -> list[Hit]:
    """The k best of the `depth` best by fusion, in the order of a ranker that was trained on `candidates`."""
    found, table = candidates(searcher, query, depth, groups)
    if not found:
        return []
    scores = ranker.scores(table)
    return [Hit(found[i].passage, float(scores[i])) for i in np.argsort(-scores, kind="stable")[:k]]
