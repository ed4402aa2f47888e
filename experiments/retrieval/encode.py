"""Vectors of passages and of their word pieces, kept in shards so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline.embed import WEIGHTS_SHA256, minilm

SHARD = 128


@dataclass(frozen=True)
class Encoded:
    """`vectors` n × 384; `pieces` all word pieces below one another; text k has pieces[ends[k-1]:ends[k]]."""

    vectors: NDArray[np.float32]
    pieces: NDArray[np.float16]
    ends: NDArray[np.int64]
    cpu_seconds: float

    def of(self, k: int) -> NDArray[np.float16]:
        return self.pieces[self.ends[k - 1] if k else 0 : self.ends[k]]


def encode(texts: Sequence[str], cache: Path, with_pieces: bool = True) -> Encoded:
    """MiniLM's vectors of every text. Seconds are those that the shards took when they were made."""
    folder = cache / "encoded"
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for start in range(0, len(texts), SHARD):
        part = texts[start : start + SHARD]
        name = hashlib.sha256("\0".join([WEIGHTS_SHA256, str(with_pieces), *part]).encode()).hexdigest()[:24]
        file = folder / f"{name}.npz"
        if not file.exists():
            unfinished = folder / f"{name}.part.npz"
            np.savez(unfinished, **_shard(part, with_pieces))
            unfinished.rename(file)
        with np.load(file) as arrays:
            shards.append({key: arrays[key] for key in arrays.files})
        print(f"\rencoded {start + len(part)} of {len(texts)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    lengths = np.concatenate([shard["lengths"] for shard in shards])
    return Encoded(
        np.concatenate([shard["vectors"] for shard in shards]),
        np.concatenate([shard["pieces"] for shard in shards]),
        np.cumsum(lengths),
        float(sum(shard["cpu_seconds"] for shard in shards)),
    )


def _shard(texts: Sequence[str], with_pieces: bool) -> dict[str, Any]:
    model = minilm()
    started = time.process_time()
    vectors, pieces = [], []
    for text in texts:
        states = model.states(text)
        mean = states.mean(axis=0)
        vectors.append(mean / np.linalg.norm(mean))
        inner = states[1:-1] / np.linalg.norm(states[1:-1], axis=1, keepdims=True)
        pieces.append((inner if with_pieces else inner[:0]).astype(np.float16))
    return {
        "vectors": np.array(vectors, dtype=np.float32),
        "pieces": np.concatenate(pieces),
        "lengths": np.array([len(piece) for piece in pieces]),
        "cpu_seconds": time.process_time() - started,
    }
