"""Lexical, dense, fused and exact search over one store, with the reader's groups inside each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline import lexical as keywords
from ragvsft.retrieval.pipeline.chunk import Passage
from ragvsft.retrieval.pipeline.embed import Embedder
from ragvsft.retrieval.pipeline.load import EVERYONE
from ragvsft.retrieval.pipeline.store import Hit, Store

LONGEST_QUERY = 4_000
RRF_CONSTANT = 60
DEPTH = 100
"""Candidates that each side gives to the fusion."""


@dataclass(frozen=True)
class Searcher:
    """A store with its keyword index, which holds the passages of the moment it was made: see `refreshed`."""

    store: Store
    embedder: Embedder
    passages: tuple[Passage, ...]
    bm25: keywords.Bm25

    def refreshed(self) -> Searcher:
        """The same over what the store holds now, after documents were added, changed or deleted."""
        return searcher(self.store, self.embedder)

    def lexical(self, query: str, k: int, groups: Sequence[str] = (EVERYONE,)) -> list[Hit]:
        """The k best by BM25; passages that share no term with the query are not found."""
        scores = self.bm25.scores(_checked(query, k), self._readable(groups))
        return [Hit(self.passages[i], float(scores[i])) for i in best(scores, k) if scores[i] > 0]

    def dense(self, query: str, k: int, groups: Sequence[str] = (EVERYONE,)) -> list[Hit]:
        """The k nearest by cosine of their vectors."""
        return self.store.search(self.embedder.embed([_checked(query, k)])[0], k, groups)

    def fused(self, query: str, k: int, groups: Sequence[str] = (EVERYONE,)) -> list[Hit]:
        """The k best by reciprocal rank fusion of the two."""
        depth = max(k, DEPTH)
        found = self.lexical(query, depth, groups), self.dense(query, depth, groups)
        hits = {hit.passage.id: hit for side in found for hit in side}
        scores = fuse([[hit.passage.id for hit in side] for side in found])
        order = sorted(scores, key=lambda name: (-scores[name], name))[:k]
        return [replace(hits[name], score=scores[name]) for name in order]

    def exact(self, words: str, k: int, groups: Sequence[str] = (EVERYONE,)) -> list[Hit]:
        """The first k passages that hold these words in this order."""
        readable = self._readable(groups)
        found = keywords.exact(_checked(words, k), [passage.text for passage in self.passages])
        return [Hit(self.passages[i], 1.0) for i in found if readable[i]][:k]

    def _readable(self, groups: Sequence[str]) -> NDArray[np.bool_]:
        allowed = set(groups)
        return np.array([bool(allowed & set(passage.groups)) for passage in self.passages], dtype=bool)


def searcher(store: Store, embedder: Embedder) -> Searcher:
    """A searcher over everything in the store. Raises PipelineError for an empty one."""
    passages = tuple(store.passages())
    if not passages:
        raise PipelineError("store: holds no passage; must hold at least one, so index documents first")
    return Searcher(store, embedder, passages, keywords.bm25([passage.text for passage in passages]))


def fuse(rankings: Sequence[Sequence[str]], constant: int = RRF_CONSTANT) -> Mapping[str, float]:
    """Reciprocal rank fusion: the sum of 1 / (constant + rank) over the rankings that hold a name.

    Source: Cormack, Clarke and Büttcher, SIGIR 2009.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, 1):
            scores[name] = scores.get(name, 0.0) + 1 / (constant + rank)
    return scores


def best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Positions of the k highest scores, best first; equal ones in order of position."""
    return np.argsort(-scores, kind="stable")[:k]


def _checked(query: str, k: int) -> str:
    if not query.strip():
        raise PipelineError("query: is empty; must have at least one word")
    if len(query) > LONGEST_QUERY:
        raise PipelineError(f"query: has {len(query):,} characters, must have at most {LONGEST_QUERY:,}")
    if k < 1:
        raise PipelineError(f"k = {k}: must be at least 1")
    return query
