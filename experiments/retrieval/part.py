"""One part of the corpus with everything that its methods are computed from, and where results go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import corpus as corpora
import numpy as np
from encode import Encoded, encode
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import lexical, rerank
from ragvsft.retrieval.pipeline.metrics import interval
from ragvsft.retrieval.pipeline.search import RRF_CONSTANT, best

FUSION_DEPTH = 100


@dataclass
class Results:
    """Rows by table and contents by file; `kept_cpu_seconds` is the time that kept vectors once took.

    `libraries` are of this environment, `versions` of another one that took part.
    """

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    kept_cpu_seconds: float = 0.0


@dataclass
class Clock:
    """CPU and wall milliseconds of each run of a stage."""

    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu.setdefault(stage, []).append(1_000 * (time.process_time() - cpu))
        self.wall.setdefault(stage, []).append(1_000 * (time.perf_counter() - wall))

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "stage": stage,
                "n": len(cpu),
                "cpu_ms_p50": float(np.quantile(cpu, 0.5)),
                "cpu_ms_p95": float(np.quantile(cpu, 0.95)),
                "wall_ms_p50": float(np.quantile(self.wall[stage], 0.5)),
                "wall_ms_p95": float(np.quantile(self.wall[stage], 0.95)),
            }
            for stage, cpu in self.cpu.items()
        ]


class Part:
    """The questions and passages of one part. Rows of score tables are questions, columns passages."""

    def __init__(
        self, name: str, cache: Path, words: int = 180, overlap: int = 0, with_pieces: bool = True
    ) -> None:
        self.name = name
        self.corpus = corpora.corpus(name, cache, words, overlap)
        self.texts = [passage.text for passage in self.corpus.passages]
        self.questions = self.corpus.questions
        self.projects = [question.project for question in self.questions]
        place = {passage.id: k for k, passage in enumerate(self.corpus.passages)}
        self.gold = [{place[name] for name in question.gold} for question in self.questions]
        self.cache, self.with_pieces = cache, with_pieces
        self.clock = Clock()
        self._late: dict[tuple[int, int], tuple[float, float]] = {}
        self._features: dict[tuple[int, ...], rerank.Table] = {}

    @cached_property
    def passages(self) -> Encoded:
        return encode(self.texts, self.cache, self.with_pieces)

    @cached_property
    def queries(self) -> Encoded:
        return encode([question.text for question in self.questions], self.cache)

    @property
    def kept_cpu_seconds(self) -> float:
        return self.passages.cpu_seconds + self.queries.cpu_seconds

    @cached_property
    def index(self) -> lexical.Bm25:
        return lexical.bm25(self.texts)

    @cached_property
    def idf(self) -> dict[str, float]:
        return rerank.idf(self.texts)

    @cached_property
    def bm25(self) -> NDArray[np.float32]:
        rows = []
        for question in self.questions:
            with self.clock.time("bm25"):
                scores = self.index.scores(question.text)
                best(scores, FUSION_DEPTH)
            rows.append(scores)
        return np.array(rows)

    @cached_property
    def cosine(self) -> NDArray[np.float32]:
        rows = []
        for vector in self.queries.vectors:
            with self.clock.time("exact cosine"):
                scores = self.passages.vectors @ vector
                best(scores, FUSION_DEPTH)
            rows.append(scores)
        return np.array(rows)

    def lexical(self, q: int, depth: int) -> list[int]:
        return [int(k) for k in best(self.bm25[q], depth) if self.bm25[q, k] > 0]

    def dense(self, q: int, depth: int) -> list[int]:
        return [int(k) for k in best(self.cosine[q], depth)]

    def fused(self, q: int, depth: int) -> list[int]:
        sides = self.lexical(q, FUSION_DEPTH), self.dense(q, FUSION_DEPTH)
        with self.clock.time("fusion"):
            scores: dict[int, float] = {}
            for side in sides:
                for rank, k in enumerate(side, 1):
                    scores[k] = scores.get(k, 0.0) + 1 / (RRF_CONSTANT + rank)
            return sorted(scores, key=lambda k: (-scores[k], k))[:depth]

    def late(self, q: int, k: int) -> tuple[float, float]:
        if (q, k) not in self._late:
            self._late[q, k] = rerank.late_interaction(self.queries.of(q), self.passages.of(k))
        return self._late[q, k]

    def by_late_interaction(self, q: int, candidates: Sequence[int]) -> list[int]:
        return sorted(candidates, key=lambda k: -self.late(q, k)[0])

    def features(self, q: int, candidates: Sequence[int], with_late: bool = True) -> rerank.Table:
        key = (q, *candidates)
        if key not in self._features:
            self._features[key] = rerank.features(
                self.questions[q].text,
                [self.texts[k] for k in candidates],
                self.bm25[q, candidates],
                self.cosine[q, candidates],
                [self.late(q, k) for k in candidates],
                self.idf,
            )
        table = self._features[key]
        return table if with_late else np.where(["late" in name for name in rerank.FEATURES], 0.0, table)

    def labels(self, q: int, candidates: Sequence[int]) -> list[int]:
        return [int(k in self.gold[q]) for k in candidates]

    def by(
        self, ranker: rerank.LambdaMart, q: int, candidates: Sequence[int], with_late: bool = True
    ) -> list[int]:
        scores = ranker.scores(self.features(q, candidates, with_late))
        return [candidates[k] for k in np.argsort(-scores, kind="stable")]

    def mean(self, values: Sequence[float]) -> dict[str, Any]:
        """The mean over questions with its interval, n and the number of projects."""
        low, high = interval(values, self.projects)
        return {
            "value": float(np.mean(values)),
            "low": low,
            "high": high,
            "n": len(values),
            "projects": len(set(self.projects)),
        }
