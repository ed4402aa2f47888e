"""The retrieval experiment again, in part: the same data, what was registered, and the same results."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ragvsft.retrieval import results
from ragvsft.retrieval.pipeline import rerank

ROOT = Path(__file__).parents[2]
EXPERIMENT = ROOT / "experiments" / "retrieval"
CACHE = Path(os.environ.get("RAGVSFT_EXPERIMENTS", ROOT / "_build" / "experiments")) / "retrieval"
LATE = "fusion > late interaction @50"
READ = 5
BM25_READ = (180, 0, "BM25", READ)
SAMPLED, OTHERS = 25, 6
VERBS = ("open", "print", "delete", "share", "rename")
NOUNS = ("file", "folder", "picture", "table", "account", "calendar")
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


@pytest.fixture(scope="module")
def sample(report: Any) -> Any:
    """Some questions, with the passages that were recorded for them and a few others, as vectors."""
    from encode import encode

    rng = np.random.default_rng(0)
    asked = sorted(int(q) for q in rng.choice(len(report.questions), SAMPLED, replace=False))
    chosen = {int(k) for k in rng.choice(len(report.texts), SAMPLED * OTHERS, replace=False)}
    for q in asked:
        chosen |= set(recorded_ten(report, q, "dense")) | set(recorded_ten(report, q, LATE))
    places = {k: n for n, k in enumerate(sorted(chosen))}
    queries = {q: encode([report.questions[q].text], CACHE) for q in asked}
    return encode([report.texts[k] for k in places], CACHE), queries, places


@functools.cache
def recorded() -> tuple[dict[str, Any], dict[str, Any]]:
    """What the answer browser shows, and its questions by id."""
    content = results.answers()
    return content, {question["id"]: question for question in content["questions"]}


def recorded_ten(report: Any, q: int, method: str) -> list[int]:
    """The first ten that a method ranked for a report question, as places in the report part."""
    content, questions = recorded()
    place = {passage.id: k for k, passage in enumerate(report.corpus.passages)}
    ranked = questions[report.questions[q].id]["ranked"][content["methods"].index(method)]
    return [place[content["passages"][n]["id"]] for n in ranked]


@pytest.fixture
def tuning_env() -> None:
    """The Python that has torch and llama.cpp."""
    import tuning_python

    try:
        tuning_python.command()
    except SystemExit as error:
        pytest.skip(str(error))


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


def test_keyword_search_finds_again_what_it_found(report: Any) -> None:
    """Every report question again, ranked and read: the tables of two stages."""
    import chunking
    import ranking

    from ragvsft.retrieval.pipeline.embed import minilm

    questions = range(len(report.questions))
    ranked = [report.lexical(q, 100) for q in questions]
    again = float(np.mean(ranking.score(report, {"BM25": ranked})["BM25"]["nDCG@10"]))
    assert again == pytest.approx(results.method("BM25").value, abs=0.003)
    used = {k for order in ranked for k in order[:READ]}
    tokens = np.array([minilm().tokens(text) if k in used else 0 for k, text in enumerate(report.texts)])
    row = chunking.row(report, 180, 0, "BM25", 0, READ, [order[:READ] for order in ranked], tokens)
    recorded = next(r for r in results.chunking() if (r.words, r.overlap, r.method, r.k) == BM25_READ)
    for name in ("found_share", "low", "recall", "recall_high", "tokens_read"):
        assert row[name] == pytest.approx(getattr(recorded, name), rel=0.005), name


def test_vectors_put_passages_in_the_recorded_order(report: Any, sample: Any) -> None:
    """The ten of dense search and of late interaction, in order, and no other passage before them."""
    encoded, queries, places = sample
    for q, query in queries.items():
        cosine = {k: float(encoded.vectors[n] @ query.vectors[0]) for k, n in places.items()}
        late = {
            k: rerank.late_interaction(query.of(0), encoded.of(places[k]))[0]
            for k in recorded_ten(report, q, LATE)
        }
        dense = recorded_ten(report, q, "dense")
        assert np.diff([cosine[k] for k in dense]).max() < 1e-4
        assert max(cosine[k] for k in places if k not in dense) < cosine[dense[-1]] + 1e-4
        assert np.diff([late[k] for k in recorded_ten(report, q, LATE)]).max() < 1e-3


def test_the_cited_sentence_is_the_nearest_of_its_passage(report: Any) -> None:
    from ragvsft.retrieval.pipeline.chunk import sentences
    from ragvsft.retrieval.pipeline.embed import minilm

    text = {passage.id: passage.text for passage in report.corpus.passages}
    asked = {question.id: question.text for question in report.questions}
    for row in results.citations("as indexed")[::30]:
        said = [sentence for sentence in sentences(text[row.cited]) if len(sentence.split()) > 3]
        vectors = minilm().embed([asked[row.question], *said])
        nearness = vectors[1:] @ vectors[0]
        best = hashlib.sha256(f"{said[int(nearness.argmax())]} [1]".encode()).hexdigest()
        assert (best, float(nearness.max())) == (row.sentence_sha256, pytest.approx(row.confidence, abs=1e-3))


def test_keyword_tools_read_again_what_they_read(report: Any) -> None:
    import keyword_tools

    grep, everything = keyword_tools.Grep(report), frozenset(range(len(report.texts)))
    found = []
    for q, question in enumerate(report.questions):
        shown = keyword_tools.rounds(grep, question.text, everything)
        found.append(any(k in report.gold[q] for passages in shown for k in passages))
    assert np.mean(found) == pytest.approx(results.reading("keyword tools", 4).found_share, abs=0.003)


@pytest.mark.parametrize("store", ["numpy", "bm25s", "qdrant-local"])
def test_a_store_grows_as_it_did(store: str, tmp_path: Path) -> None:
    """Its smallest size again, on other texts: what is added is found, and the files are as large."""
    import growth

    rng = np.random.default_rng(0)
    size = growth.SIZES[0] + growth.growth_stores.MOST_CHANGES
    vectors = rng.normal(size=(size, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"own{k} " + " ".join(f"w{n}" for n in rng.integers(0, 900, 120)) for k in range(size)]
    growth.write(tmp_path / "growth", texts, vectors, texts[:5], vectors[:5])
    again = growth.measured(store, growth.SIZES[0], tmp_path / "growth")
    recorded = results.growth(store)[0]
    assert again["added_are_found"] and again["removed_are_gone"]
    if store != "bm25s":
        assert again["overlap_with_exact"] == recorded.overlap_with_exact == 1
        assert again["disk_mb"] == pytest.approx(recorded.disk_mb, rel=0.3)


def test_training_draws_questions_to_the_passages_that_answer_them(tuning_env: None, tmp_path: Path) -> None:
    """The encoder's training on questions and passages of no project; a pair more is nearer afterwards."""
    import encoder

    from ragvsft.retrieval.pipeline.embed import minilm

    pairs = [(f"How do I {verb} a {noun}?", f"The {noun} menu.") for verb in VERBS for noun in NOUNS]
    passages = minilm().embed([passage for _, passage in pairs])
    part = SimpleNamespace(
        questions=[SimpleNamespace(text=question) for question, _ in pairs],
        gold=[{k} for k in range(len(pairs))],
        passages=SimpleNamespace(vectors=passages),
    )
    before = minilm().embed([question for question, _ in pairs])
    after = encoder.trained(part, list(range(len(pairs))), part, encoder.RATES[0], 0, tmp_path)
    assert (before * after).sum(axis=1).min() > 0.8

    def right(vectors: Any) -> float:
        """Share of each question's softmax that falls on its own passage."""
        odds = np.exp(vectors @ passages.T / encoder.TEMPERATURE)
        return float((np.diag(odds) / odds.sum(axis=1)).mean())

    assert right(after) > right(before) + 0.003


def test_the_small_model_answers_as_its_grammar_says(tuning_env: None, tmp_path: Path) -> None:
    import generated

    said = ("A parcel takes three days.", "A refund takes two weeks.")
    asked = generated.Asked(
        "p/1", "as indexed", "How long does a refund take?", said, ("p/a", "p/b"), (False, True)
    )
    first, second = (generated.answered([asked], tmp_path / name)[0]["text"] for name in ("1", "2"))
    assert first == second
    row = generated.judged(asked, generated.answered([asked], tmp_path / "1")[0])
    assert row["abstained"] or row["cited"] in asked.passages
    assert row["supports"] == (row["cited"] == "p/b")


def test_recorded_answers_have_the_form_that_the_grammar_forces() -> None:
    import generated

    answers = results.generated_answers()
    rows = [*results.generated("as indexed"), *results.generated("answer removed")]
    assert {(row.question, row.condition) for row in rows} == answers.keys()
    for row in rows:
        answer = answers[row.question, row.condition]
        named = re.search(r" \[([1-5])\]$", answer)
        assert row.abstained == (answer == generated.UNKNOWN)
        assert (row.sentence, bool(row.cited)) == (int(named[1]) if named else None, bool(named))
        assert row.cited or not row.supports


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
