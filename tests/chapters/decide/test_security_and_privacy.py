"""How long a deleted document lives on."""

import pytest

from ragvsft.chapters.decide import security_and_privacy as chapter
from ragvsft.retrieval.deletion import assumed_lifetimes


def test_the_deletion_of_a_document_by_hand() -> None:
    # a fifth of the index at 1% a month: 20 mean months, after 1 day until the index notices
    shown = chapter.deletion().compute()
    assert shown["compaction"] == pytest.approx(1 + 20 * 365.25 / 12)
    assert shown["answers"] == 31
    assert shown["bytes"] == pytest.approx(shown["compaction"] + 35)


def test_the_calculator_starts_where_the_other_chapters_quote_it() -> None:
    assert chapter.deletion().compute() == assumed_lifetimes()
