"""What an index costs as it grows: to load, to ask, to change one passage in, on disk and in memory.

No question of the report part is asked. The passages are those of the development part; beyond their number
each is the first half of one and the second half of another, with the unit mean of their vectors: a stand-in
for growth, not more documentation. Each store and size is loaded by one process and used by another.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import corpus as corpora
import growth_stores
import numpy as np
from encode import encode
from part import Results

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
QUESTIONS = 50


def run(cache: Path) -> Results:
    folder = cache / "growth"
    embedded, cpu_seconds = prepare(folder, cache, max(SIZES))
    rows = []
    for name, store in growth_stores.STORES.items():
        for size in (size for size in SIZES if size <= store.most):
            print(f"growth: {name}, {size} passages", flush=True)
            rows.append(measured(name, size, folder))
    shutil.rmtree(folder)
    rows.append(embedder(rows[0], embedded, cpu_seconds))
    libraries = tuple(store.library for store in growth_stores.STORES.values())
    return Results({"retrieval_growth": rows}, libraries=libraries, kept_cpu_seconds=cpu_seconds)


def prepare(folder: Path, cache: Path, size: int) -> tuple[int, float]:
    """Write what the processes read. Gives the number of real passages and the CPU-seconds to embed them."""
    given = corpora.corpus("development", cache)
    texts = [passage.text for passage in given.passages]
    questions = [question.text for question in given.questions]
    encoded, asked = encode(texts, cache), encode(questions, cache)
    grown = grow(texts, encoded.vectors, size + growth_stores.MOST_CHANGES)
    write(folder, *grown, questions[:QUESTIONS], asked.vectors[:QUESTIONS])
    return len(texts), encoded.cpu_seconds


def write(folder: Path, texts: list[str], vectors: Any, questions: list[str], asked: Any) -> None:
    """What the processes read; the last passages are those that are added one by one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size = len(texts) - growth_stores.MOST_CHANGES
    for name, content in (("texts", texts[:size]), ("added", texts[size:]), ("questions", questions)):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "questions.npy", asked)


def grow(texts: list[str], vectors: Any, size: int) -> tuple[list[str], Any]:
    """The first `size` passages; those beyond the given ones are made of two halves of two of them."""
    missing = max(0, size - len(texts))
    first, second = np.random.default_rng(0).integers(0, len(texts), (2, missing))
    words = [text.split() for text in texts]
    made = [
        " ".join(words[i][: len(words[i]) // 2] + words[j][len(words[j]) // 2 :])
        for i, j in zip(first, second, strict=True)
    ]
    mean = vectors[first] + vectors[second]
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    return (texts + made)[:size], np.concatenate([vectors, mean])[:size].astype(np.float32)


def measured(name: str, size: int, folder: Path) -> dict[str, Any]:
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    found: dict[str, Any] = {"store": name, "passages": size}
    for action in ("load", "use"):
        command = [sys.executable, growth_stores.__file__, name, action, str(size), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"growth: {name}, {size}, {action}: {done.stderr.strip()[-500:]}")
        found |= json.loads(done.stdout.splitlines()[-1])
    return found | {"overlap_with_exact": overlap(found.pop("answers"), size, folder)}


def overlap(answers: list[list[int]], size: int, folder: Path) -> float | str:
    """Share of the ten nearest by exact cosine that were found; blank for a store without vectors."""
    vectors, questions = np.load(folder / "vectors.npy")[:size], np.load(folder / "questions.npy")
    exact = [np.argsort(-(vectors @ question))[: growth_stores.NEAREST] for question in questions]
    shares = [len(set(a) & set(b.tolist())) / len(b) for a, b in zip(answers, exact, strict=False)]
    return float(np.mean(shares)) if shares else ""


def embedder(like: dict[str, Any], passages: int, cpu_seconds: float) -> dict[str, Any]:
    """The row of the embedder: what the real passages took, one by one, on one thread."""
    return dict.fromkeys(like, "") | {
        "store": "MiniLM",
        "passages": passages,
        "load_cpu_seconds": cpu_seconds,
        "add_cpu_ms": 1_000 * cpu_seconds / passages,
    }
