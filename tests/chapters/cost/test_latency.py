"""The parts of a wait add up."""

import pytest

from ragvsft.chapters.cost import latency as chapter


def test_latency_adds_up_and_a_closed_book_answer_lacks_only_retrieval_and_passages():
    shown = chapter.budget().compute()
    parts = sum(shown[f"{part}_typical"] for part in ("retrieve", "passages", "rest", "answer"))
    assert shown["whole_typical"] == pytest.approx(parts)
    assert shown["closed_typical"] == pytest.approx(shown["rest_typical"] + shown["answer_typical"])
