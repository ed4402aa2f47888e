"""A reader's own documents and questions: fair parts, honest warnings, files that are whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragvsft import cli
from ragvsft.retrieval import evaluated
from ragvsft.retrieval.pipeline import PipelineError, embed, evaluate, example

HEADER = "question,document,answer,part\n"
TOPICS = ["refunds", "parcels", "warranty", "invoices", "passwords", "vouchers", "holidays", "printers"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for topic in TOPICS:
        text = f"# {topic}\n\nAll about {topic}. The rule for {topic} is number {len(topic)} of the handbook."
        (documents / f"{topic}.md").write_text(text, encoding="utf-8")
    return documents


def asked(part: str = "report") -> str:
    return HEADER + "".join(f"What is the rule for {topic}?,{topic}.md,number,{part}\n" for topic in TOPICS)


def result(folder: Path, embedder: Any, text: str, **options: Any) -> evaluate.Evaluation:
    return evaluate.evaluate(folder, evaluate.questions(text), embedder, **options)


def test_methods_are_scored_on_the_reported_questions(folder: Path, embedder: Any) -> None:
    found = result(folder, embedder, asked(), k=1)
    assert [m.method for m in found.methods] == ["BM25", "dense", "fusion"]
    assert (found.questions, found.documents, found.tuned_on) == (8, 8, 0)
    assert found.methods[0].found == 8
    assert found.methods[0].low < 0.7 < found.methods[0].high == 1


def test_it_says_what_so_few_questions_cannot_tell(folder: Path, embedder: Any) -> None:
    found = result(folder, embedder, asked())
    assert not any(c.resolved for c in found.comparisons)
    assert sum("8 questions cannot tell" in warning for warning in found.warnings) == 3


def test_a_clear_difference_is_not_warned_of() -> None:
    clear = evaluate._comparison("a", "b", [False] * 40 + [True] * 10, [True] * 50)
    assert clear.resolved and clear.low > 0.5
    close = evaluate._comparison(
        "a", "b", [False, False, True] + [True] * 47, [True, True, False] + [True] * 47
    )
    assert not close.resolved
    assert "questions would" in evaluate._unresolved(close, 50)


def test_tuning_on_the_reported_part_is_refused(folder: Path, embedder: Any) -> None:
    with pytest.raises(PipelineError, match="tune_on = report: must be tune"):
        result(folder, embedder, asked(), tune_on="report")
    twice = asked() + asked("tune").removeprefix(HEADER)
    with pytest.raises(PipelineError, match="is in both parts"):
        result(folder, embedder, twice)


def test_a_reranker_is_trained_on_enough_other_questions(folder: Path, embedder: Any) -> None:
    more = "".join(f"Tell me about {t} please {n},{t}.md,,tune\n" for t in TOPICS for n in range(4))
    found = result(folder, embedder, asked() + more)
    assert found.tuned_on == 32
    assert found.methods[-1].method == "LambdaMART"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question\nq\n", "questions:1: column document is missing"),
        ("question,document,gold\nq,d,x\n", "questions:1: column = gold: must be one of"),
        (HEADER + "q,,,\n", "questions:2: document is blank"),
        (HEADER + "q,d,,test\n", "questions:2: part = test: must be tune or report"),
        (HEADER + "q,d,,tune\n", "none has part report"),
    ],
)
def test_a_faulty_questions_file_says_where(text: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message.replace(".", r"\.")):
        evaluate.questions(text)


def test_a_document_or_answer_that_is_not_there_is_named(folder: Path, embedder: Any) -> None:
    with pytest.raises(PipelineError, match=r"document = none\.md: is not in the folder"):
        result(folder, embedder, HEADER + "q,none.md,,\n")
    with pytest.raises(PipelineError, match=r"answer = 'forty': stands in no passage of refunds\.md"):
        result(folder, embedder, HEADER + "q,refunds.md,forty,\n")


def test_the_command_writes_both_files(
    folder: Path,
    embedder: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(embed, "from_environment", lambda: embedder)
    (tmp_path / "q.csv").write_text(asked(), encoding="utf-8")
    out = tmp_path / "out"
    assert cli.main(["evaluate", str(folder), str(tmp_path / "q.csv"), "--out", str(out)]) == 0
    assert "BM25" in capsys.readouterr().out
    stored = (out / "evaluation.json").read_text(encoding="utf-8")
    assert json.loads(stored)["schema"] == evaluated.SCHEMA
    assert evaluated.read(stored).questions == 8
    page = (out / "evaluation.html").read_text(encoding="utf-8")
    assert "<svg" in page and "<script" not in page and "http" not in page
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.html", "evaluation.json"]


def test_bad_input_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "q.csv").write_text("question\nq\n", encoding="utf-8")
    assert cli.main(["evaluate", str(tmp_path), str(tmp_path / "q.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_audit_command_tells_found_from_not_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wal").write_text("… the secret of Quarrywright …", encoding="utf-8")
    assert cli.main(["audit-deletion", str(tmp_path), "--canary", "secret of Quarrywright"]) == 1
    assert "wal at byte" in capsys.readouterr().out
    assert cli.main(["audit-deletion", str(tmp_path), "--canary", "another secret"]) == 0
    assert cli.main(["audit-deletion", str(tmp_path / "none"), "--canary", "another secret"]) == 2


def test_the_example_needs_no_file_and_leaks_no_question(tmp_path: Path) -> None:
    folder, text = example.write(tmp_path / "made")
    asked = evaluate.questions(text)
    parts = [question.part for question in asked]
    assert (parts.count("tune"), parts.count("report")) == (example.TUNE, example.REPORT)
    assert len({question.document for question in asked}) == len(asked)
    for question in asked:
        assert question.question not in (folder / question.document).read_text(encoding="utf-8")
    assert example.write(tmp_path / "again")[1] == text


def test_the_example_runs_as_a_command(
    tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embed, "from_environment", lambda: embedder)
    assert cli.main(["evaluate", "--example", "--out", str(tmp_path / "out")]) == 0
    assert f"{example.REPORT} questions" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["tuned_on"] == example.TUNE


@pytest.mark.parametrize("arguments", [[], ["--example", "folder"], ["folder"]])
def test_files_and_the_example_exclude_each_other(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", *arguments]) == 2
    assert "must be" in capsys.readouterr().err
