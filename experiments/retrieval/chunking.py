"""The price of a recall point: passage size, passages read, bits of a vector, and a second stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from part import Part, Results
from ranking import train

from ragvsft.retrieval.pipeline.embed import DIMENSIONS, minilm
from ragvsft.retrieval.pipeline.search import best

SHAPES = ((180, 0), (60, 0), (180, 60))
READ = (1, 3, 5, 10, 20)
BITS = (32, 8, 1)
RERANKED = 50

Ranked = tuple[str, int, Callable[[int], list[int]]]


def run(cache: Path) -> Results:
    rows: list[dict[str, Any]] = []
    kept = 0.0
    for words, overlap in SHAPES:
        is_registered = (words, overlap) == SHAPES[0]
        part = Part("report", cache, words, overlap, with_pieces=is_registered)
        kept += part.kept_cpu_seconds
        tokens = np.array([minilm().tokens(text) for text in part.texts])
        second_stages = reranked(part, Part("development", cache)) if is_registered else []
        for method, bits, ranked in [*rankings(part), *second_stages]:
            for k in READ:
                read = [ranked(q)[:k] for q in range(len(part.questions))]
                rows.append(row(part, words, overlap, method, bits, k, read, tokens))
    return Results({"retrieval_chunking": rows}, kept_cpu_seconds=kept)


def rankings(part: Part) -> list[Ranked]:
    most = max(READ)
    found: list[Ranked] = [("BM25", 0, lambda q: part.lexical(q, most))]
    for bits in BITS:
        vectors, queries = quantised(part.passages.vectors, bits), part.queries.vectors
        found.append(("dense", bits, nearest(vectors, queries, most)))
    return [*found, ("fusion", 32, lambda q: part.fused(q, most))]


def reranked(part: Part, development: Part) -> list[Ranked]:
    ranker = train(development, range(len(development.questions)))
    return [
        (
            f"fusion > late interaction @{RERANKED}",
            32,
            lambda q: part.by_late_interaction(q, part.fused(q, RERANKED)),
        ),
        (f"fusion > LambdaMART @{RERANKED}", 32, lambda q: part.by(ranker, q, part.fused(q, RERANKED))),
    ]


def nearest(vectors: Any, queries: Any, most: int) -> Callable[[int], list[int]]:
    return lambda q: [int(k) for k in best(vectors @ queries[q], most)]


def quantised(vectors: Any, bits: int) -> Any:
    """The stored side at this precision: as it is, scaled to 8-bit integers, or its signs."""
    if bits == 32:
        return vectors
    if bits == 8:
        scale = 127 / np.quantile(np.abs(vectors), 0.999)
        return np.clip(np.round(vectors * scale), -127, 127).astype(np.float32)
    return np.sign(vectors).astype(np.float32)


def row(
    part: Part, words: int, overlap: int, method: str, bits: int, k: int, read: list[list[int]], tokens: Any
) -> dict[str, Any]:
    found = [float(bool(part.gold[q] & set(passages))) for q, passages in enumerate(read)]
    covered = [len(part.gold[q] & set(passages)) / len(part.gold[q]) for q, passages in enumerate(read)]
    mean, recall = part.mean(found), part.mean(covered)
    return {
        "words": words,
        "overlap": overlap,
        "method": method,
        "bits": bits,
        "k": k,
        "found_share": mean["value"],
        "low": mean["low"],
        "high": mean["high"],
        "recall": recall["value"],
        "recall_low": recall["low"],
        "recall_high": recall["high"],
        "tokens_read": float(np.mean([tokens[passages].sum() if passages else 0 for passages in read])),
        "passages": len(part.texts),
        "vector_bytes": len(part.texts) * DIMENSIONS * bits // 8,
        "n": mean["n"],
        "projects": mean["projects"],
    }
