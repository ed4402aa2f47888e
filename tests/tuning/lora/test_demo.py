"""The demonstration shows what was recorded until the reader edits something, and then answers live."""

import pytest

from ragvsft.tuning import results
from ragvsft.tuning.lora import demo


def test_a_recorded_question_beside_its_passage_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "load_model", lambda: pytest.fail("no model is needed"))
    question = demo.recorded_questions()[0]
    lines = demo.recorded_side_by_side(question)
    answers, recorded = demo.said(question, results.passages_of(lines["untuned + RAG"]))
    assert recorded and answers == {way: line["output"] for way, line in lines.items()}


def test_an_edited_passage_is_answered_now() -> None:
    pytest.importorskip("xllamacpp")
    question = demo.recorded_questions()[0]
    (passage,) = results.passages_of(demo.recorded_side_by_side(question)["untuned + RAG"])
    value = demo.recorded_side_by_side(question)["untuned + RAG"]["answer"]
    answers, recorded = demo.said(question, [passage.replace(value, "Porto")])
    assert not recorded and list(answers) == [way.label for way in demo.WAYS]
    assert "Porto" in answers["untuned + RAG"] and "Porto" in answers["LoRA on format + RAG"]
    assert value in answers["LoRA on facts"], "the weights do not follow the edit"
