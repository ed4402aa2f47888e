"""The retrieval experiment again, in part: the same data, what was registered, and the same results."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragvsft.retrieval import results

ROOT = Path(__file__).parents[2]
EXPERIMENT = ROOT / "experiments" / "retrieval"
CACHE = Path(os.environ.get("RAGVSFT_EXPERIMENTS", ROOT / "_build" / "experiments")) / "retrieval"
AGAIN = ("BM25", "dense", "fusion", "fusion > late interaction @50")
STORES = ("numpy", "bm25s", "qdrant-local", "postgresql-pgvector")
sys.path.insert(0, str(EXPERIMENT))


@pytest.fixture(scope="module")
def report() -> Any:
    pytest.importorskip("onnxruntime", reason="the extra `retrieval` is not installed")
    corpus = pytest.importorskip("corpus")
    missing = [p.name for p in corpus.packages() if not (CACHE / f"{p.name}_{p.sha256[:12]}").exists()]
    if missing:
        pytest.skip(
            f"{len(missing)} packages are not there, {missing[0]} first: the archive has other versions now, "
            "or python experiments/retrieval/run.py --fetch was not run"
        )
    from part import Part

    return Part("report", CACHE)


def test_what_was_run_is_what_was_registered() -> None:
    registered = hashlib.sha256((EXPERIMENT / "PREREGISTRATION.md").read_bytes()).hexdigest()
    record = results.run_record("ranking")
    assert record["sha256"]["PREREGISTRATION.md"] == registered
    assert record["clean"]
    text = (EXPERIMENT / "PREREGISTRATION.md").read_text(encoding="utf-8")
    assert [row.id for row in results.comparisons("primary")] == [
        line.split("|")[1].strip() for line in text.splitlines() if line.count("|") == 5 and "-over-" in line
    ]


def test_the_run_came_from_a_commit_that_is_in_the_history() -> None:
    record = results.run_record("ranking")
    show = ["git", "show", f"{record['commit']}:experiments/retrieval/ranking.py"]
    shown = subprocess.run(show, cwd=ROOT, capture_output=True)
    if shown.returncode:
        pytest.skip("this checkout has no history of the run's commit")
    assert hashlib.sha256(shown.stdout).hexdigest() == record["sha256"]["ranking.py"]


def test_questions_and_labels_are_those_that_were_recorded(report: Any) -> None:
    import corpus

    recorded = {row.id: row for row in results.load("measured/retrieval_questions") if row.part == "report"}
    assert [question.id for question in report.questions] == list(recorded)
    for question in report.questions:
        row = recorded[question.id]
        assert (corpus.digest(question.text), question.gold) == (row.question_sha256, row.gold)


def test_no_passage_holds_its_question(report: Any) -> None:
    import corpus

    assert corpus.leaks(report.corpus) == []


def test_a_leak_would_be_seen(report: Any) -> None:
    """With the question left in its passage BM25 finds nearly all: the check above can fail."""
    import corpus

    question = report.questions[0]
    leaking = corpus.Passage(question.gold[0], question.project, "", "", f"Now: {question.text} Then more.")
    assert corpus.leaks(corpus.Corpus((leaking,), report.questions)) == [question.gold[0]]


def test_the_parts_share_no_project() -> None:
    rows = results.load("measured/retrieval_questions")
    projects = {part: {row.project for row in rows if row.part == part} for part in ("development", "report")}
    assert not projects["development"] & projects["report"]
    assert len(projects["report"]) >= 15


def test_the_methods_find_again_what_they_found(report: Any) -> None:
    """Every report question again, by four methods; the trained one is left to the full run."""
    import ranking

    questions = range(len(report.questions))
    rankings = {
        "BM25": [report.lexical(q, 100) for q in questions],
        "dense": [report.dense(q, 100) for q in questions],
        "fusion": [report.fused(q, 100) for q in questions],
        "fusion > late interaction @50": [
            report.by_late_interaction(q, report.fused(q, 50)) for q in questions
        ],
    }
    scored = ranking.score(report, rankings)
    for name in AGAIN:
        recorded = results.method(name)
        again = float(np.mean(scored[name]["nDCG@10"]))
        assert recorded.low <= again <= recorded.high
        assert again == pytest.approx(recorded.value, abs=0.003), name


@pytest.mark.parametrize("store", STORES)
def test_a_store_keeps_and_purges_as_it_did(store: str, tmp_path: Path) -> None:
    import deletion

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1_200, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"passage {k} " + " ".join(f"w{n}" for n in rng.integers(0, 900, 40)) for k in range(1_200)]
    texts[deletion.CANARY] = deletion.CANARY_TEXT
    rows = tmp_path / "rows.pickle"
    rows.write_bytes(pickle.dumps({"texts": texts, "vectors": vectors, "canary": deletion.CANARY}))
    steps: list[dict[str, Any]] = []
    deletion.examine(store, tmp_path / "store", rows, vectors[deletion.CANARY], steps, [])
    recorded = results.deletion(store)
    if steps[0]["version"] != recorded[0].version:
        pytest.skip(f"{store} {steps[0]['version']} is here; {recorded[0].version} was measured")
    for step, row in zip(steps, recorded, strict=True):
        for name in ("text_on_disk", "vector_on_disk", "search_finds_it"):
            assert step[name] == getattr(row, name), (row.action, name)
