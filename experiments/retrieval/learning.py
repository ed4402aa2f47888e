"""How many labelled pairs a retriever and a reranker need: 0, 30, 100, 300 and all of the development part.

The retriever is tuned by a linear map of the question's vector, learned with in-batch negatives: the index
stays as it is. Beyond the labelled pairs it may learn from titles of sections with their passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from encode import encode
from numpy.typing import NDArray
from part import Part, Results
from ranking import train

from ragvsft.retrieval.pipeline.metrics import difference, measure
from ragvsft.retrieval.pipeline.search import best

SIZES = (30, 100, 300)
SEEDS = (0, 1, 2)
EPOCHS, BATCH, RATE, TEMPERATURE, DECAY = 20, 32, 0.02, 0.05, 0.01
TITLES = 1_500


def run(cache: Path) -> Results:
    development, report = Part("development", cache), Part("report", cache)
    everything = len(development.questions)
    rows = []
    dense = ndcg(report, [report.dense(q, 10) for q in range(len(report.questions))])
    fusion = ndcg(report, [report.fused(q, 10) for q in range(len(report.questions))])
    late = ndcg(
        report,
        [report.by_late_interaction(q, report.fused(q, 50))[:10] for q in range(len(report.questions))],
    )
    for size in (*SIZES, everything):
        seeds = SEEDS if size < everything else SEEDS[:1]
        trained = [reranked(development, report, sample(everything, size, seed)) for seed in seeds]
        rows.append(
            row(
                report,
                "LambdaMART over fusion",
                "labelled",
                size,
                len(seeds),
                fusion,
                np.mean(trained, axis=0),
            )
        )
        mapped = [
            retrieved(report, pairs(development, sample(everything, size, seed)), seed) for seed in seeds
        ]
        rows.append(
            row(
                report,
                "linear map of the question",
                "labelled",
                size,
                len(seeds),
                dense,
                np.mean(mapped, axis=0),
            )
        )
    titled = titles(development, cache)
    mapped = [retrieved(report, titled, seed) for seed in SEEDS]
    rows.append(
        row(report, "linear map of the question", "titles", len(titled[0]), 3, dense, np.mean(mapped, axis=0))
    )
    both = [
        np.concatenate(parts) for parts in zip(pairs(development, range(everything)), titled, strict=True)
    ]
    mapped = [retrieved(report, (both[0], both[1]), seed) for seed in SEEDS]
    rows.append(
        row(report, "linear map of the question", "both", len(both[0]), 3, dense, np.mean(mapped, axis=0))
    )
    rows.append(row(report, "late interaction over fusion", "labelled", 0, 1, fusion, late))
    return Results(
        {"retrieval_learning": rows}, kept_cpu_seconds=development.kept_cpu_seconds + report.kept_cpu_seconds
    )


def sample(everything: int, size: int, seed: int) -> list[int]:
    return sorted(int(k) for k in np.random.default_rng(seed).choice(everything, size, replace=False))


def ndcg(part: Part, rankings: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    gold = {str(q): [str(k) for k in part.gold[q]] for q in range(len(part.questions))}
    values = measure(gold, {str(q): [str(k) for k in order] for q, order in enumerate(rankings)}, ["nDCG@10"])
    return np.array([values["nDCG@10"][str(q)] for q in range(len(part.questions))])


def reranked(development: Part, report: Part, questions: Sequence[int]) -> NDArray[np.float64]:
    ranker = train(development, questions)
    return ndcg(
        report, [report.by(ranker, q, report.fused(q, 50))[:10] for q in range(len(report.questions))]
    )


Pairs = tuple[NDArray[np.float32], NDArray[np.float32]]


def pairs(part: Part, questions: Sequence[int]) -> Pairs:
    """Vectors of questions and of the first passage that answers each."""
    chosen = list(questions)
    return part.queries.vectors[chosen], part.passages.vectors[[min(part.gold[q]) for q in chosen]]


def titles(part: Part, cache: Path) -> Pairs:
    """Titles of other sections with their first passage: pairs that cost no label."""
    gold = {k for passages in part.gold for k in passages}
    seen: dict[str, int] = {}
    for k, passage in enumerate(part.corpus.passages):
        if k not in gold and 2 <= len(passage.heading.split()) <= 20 and "/" not in passage.heading:
            seen.setdefault(passage.heading, k)
    chosen = dict(list(seen.items())[:TITLES])
    return encode(list(chosen), cache, with_pieces=False).vectors, part.passages.vectors[
        list(chosen.values())
    ]


def retrieved(part: Part, given: Pairs, seed: int) -> NDArray[np.float64]:
    mapped = part.queries.vectors @ linear_map(*given, seed).T
    return ndcg(part, [[int(k) for k in best(part.passages.vectors @ vector, 10)] for vector in mapped])


def linear_map(
    questions: NDArray[np.float32], passages: NDArray[np.float32], seed: int
) -> NDArray[np.float32]:
    """I + W, with W learned by the softmax over the passages of a batch; W is drawn towards 0."""
    rng = np.random.default_rng(seed)
    size = questions.shape[1]
    w = np.zeros((size, size), dtype=np.float32)
    for _ in range(EPOCHS):
        order = rng.permutation(len(questions))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            if len(batch) < 2:
                continue
            q, p = questions[batch], passages[batch]
            logits = (q + q @ w.T) @ p.T / TEMPERATURE
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            weights /= weights.sum(axis=1, keepdims=True)
            weights[np.arange(len(batch)), np.arange(len(batch))] -= 1
            gradient = (weights @ p).T @ q / (len(batch) * TEMPERATURE)
            w -= RATE * (gradient + DECAY * w)
    return np.eye(size, dtype=np.float32) + w


def row(
    part: Part, tuned: str, source: str, size: int, seeds: int, before: Any, after: Any
) -> dict[str, Any]:
    found = difference(list(before), list(after), part.projects)
    return {
        "tuned": tuned,
        "pairs": size,
        "pairs_from": source,
        "seeds": seeds,
        "ndcg_at_10": float(np.mean(after)),
        "gain": found.value,
        "low": found.low,
        "high": found.high,
        "wins": found.wins,
        "losses": found.losses,
        "n": found.n,
        "projects": len(set(part.projects)),
    }
