"""MiniLM itself fine-tuned on 30, 100, 300 and all labelled pairs of the development part.

Only the side that reads the question is trained, all of its layers; passages keep the vectors that they have,
so the index stays and every passage of the development part can be a negative. One setting, the usual one of
such training (one pass, AdamW at 2e-5): nothing was chosen by its result.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import numpy as np
import tuning_python
from learning import SEEDS, SIZES, ndcg, row, sample
from numpy.typing import NDArray
from part import Part, Results

from ragvsft.retrieval.pipeline.embed import minilm, model_folder
from ragvsft.retrieval.pipeline.search import best

RATE, EPOCHS, BATCH, TEMPERATURE = 2e-5, 1, 8, 0.05
SEVERAL_SEEDS_UP_TO = 100
TUNED = "MiniLM's question side"
SCRIPT = Path(__file__).with_name("encoder_train.py")


def run(cache: Path) -> Results:
    development, report = Part("development", cache), Part("report", cache)
    folder = cache / "encoder"
    folder.mkdir(exist_ok=True)
    everything = len(development.questions)
    dense = ndcg(report, [report.dense(q, 10) for q in range(len(report.questions))])
    rows = []
    for size in (*SIZES, everything):
        seeds = SEEDS if size <= SEVERAL_SEEDS_UP_TO else SEEDS[:1]
        scored = [
            searched(report, trained(development, sample(everything, size, seed), report, seed, folder))
            for seed in seeds
        ]
        print(f"encoder: {size} pairs, {[round(float(x.mean()), 4) for x in scored]}", flush=True)
        rows.append(row(report, TUNED, "labelled", size, len(seeds), dense, np.mean(scored, axis=0)))
    return Results(
        {"retrieval_encoder": rows},
        kept_cpu_seconds=development.kept_cpu_seconds + report.kept_cpu_seconds,
        versions=tuning_python.versions("torch", "transformers"),
    )


def searched(part: Part, queries: NDArray[np.float32]) -> NDArray[np.float64]:
    return ndcg(part, [[int(k) for k in best(part.passages.vectors @ vector, 10)] for vector in queries])


def trained(
    development: Part, questions: list[int], asked: Part, seed: int, folder: Path
) -> NDArray[np.float32]:
    """Vectors of the asked part's questions from a process that has torch, trained on these pairs."""
    encoded = minilm().tokenizer.encode_batch
    given = [development.questions[q] for q in questions]
    np.savez(
        folder / "given.npz",
        questions=padded([e.ids for e in encoded([question.text for question in given])]),
        gold=[min(development.gold[q]) for q in questions],
        passages=development.passages.vectors,
        asked=padded([e.ids for e in encoded([question.text for question in asked.questions])]),
    )
    settings = {
        "model": str(model_folder()),
        "rate": RATE,
        "epochs": EPOCHS,
        "batch": BATCH,
        "temperature": TEMPERATURE,
        "seed": seed,
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    subprocess.run([*tuning_python.command(), str(SCRIPT), str(folder)], check=True)
    return np.asarray(np.load(folder / "vectors.npy"))


def padded(ids: list[list[int]]) -> NDArray[np.int64]:
    return np.array(list(itertools.zip_longest(*ids, fillvalue=0)), dtype=np.int64).T
