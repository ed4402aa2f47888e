"""MiniLM itself fine-tuned on 30, 100, 300 and all labelled pairs of the development part.

Only the side that reads the question is trained, all of its layers; passages keep the vectors that they have,
so the index stays and every passage of the development part can be a negative. The learning rate is chosen on
development projects that the training did not see; then each size is trained and scored.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import tuning_python
from learning import SEEDS, SIZES, ndcg, row, sample
from numpy.typing import NDArray
from part import Part, Results

from ragvsft.retrieval.pipeline.embed import minilm, model_folder
from ragvsft.retrieval.pipeline.search import best

RATES = (2e-5, 1e-4)
EPOCHS, BATCH, TEMPERATURE = 2, 8, 0.05
SEVERAL_SEEDS_UP_TO = 100
CHECKED_ON = 3
TUNED = "MiniLM's question side"
SCRIPT = Path(__file__).with_name("encoder_train.py")


def run(cache: Path) -> Results:
    development, report = Part("development", cache), Part("report", cache)
    folder = cache / "encoder"
    folder.mkdir(exist_ok=True)
    rate, tried = chosen(development, folder)
    everything = len(development.questions)
    dense = ndcg(report, [report.dense(q, 10) for q in range(len(report.questions))])
    rows = []
    for size in (*SIZES, everything):
        seeds = SEEDS if size <= SEVERAL_SEEDS_UP_TO else SEEDS[:1]
        scored = [
            searched(report, trained(development, sample(everything, size, seed), report, rate, seed, folder))
            for seed in seeds
        ]
        print(f"encoder: {size} pairs, {[round(float(x.mean()), 4) for x in scored]}", flush=True)
        rows.append(row(report, TUNED, "labelled", size, len(seeds), dense, np.mean(scored, axis=0)))
    return Results(
        {"retrieval_encoder": rows, "retrieval_encoder_settings": tried},
        kept_cpu_seconds=development.kept_cpu_seconds + report.kept_cpu_seconds,
        versions=tuning_python.versions("torch", "transformers"),
    )


def chosen(part: Part, folder: Path) -> tuple[float, list[dict[str, Any]]]:
    """The rate that finds most in three projects when trained on the others, and what each rate found."""
    by_size = sorted(set(part.projects), key=lambda name: (-part.projects.count(name), name))
    held_out = set(by_size[1 : 1 + CHECKED_ON])
    questions = [q for q, name in enumerate(part.projects) if name not in held_out]
    asked = [q for q, name in enumerate(part.projects) if name in held_out]
    vectors = {0.0: part.queries.vectors} | {
        rate: trained(part, questions, part, rate, 0, folder) for rate in RATES
    }
    tried = [
        {
            "rate": rate,
            "epochs": EPOCHS if rate else 0,
            "pairs": len(questions) if rate else 0,
            "ndcg_at_10": float(searched(part, found)[asked].mean()),
            "n": len(asked),
            "projects": CHECKED_ON,
        }
        for rate, found in vectors.items()
    ]
    print(f"encoder: {tried}", flush=True)
    return max(tried[1:], key=lambda attempt: attempt["ndcg_at_10"])["rate"], tried


def searched(part: Part, queries: NDArray[np.float32]) -> NDArray[np.float64]:
    return ndcg(part, [[int(k) for k in best(part.passages.vectors @ vector, 10)] for vector in queries])


def trained(
    development: Part, questions: list[int], asked: Part, rate: float, seed: int, folder: Path
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
        "rate": rate,
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
