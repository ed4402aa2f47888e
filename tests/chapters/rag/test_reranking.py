"""What reranking costs by depth."""

import pytest

from ragvsft.chapters.rag import reranking as chapter


def test_billing_by_search_is_a_staircase_and_by_token_a_line():
    rows = chapter.depth_rows(500, 150)
    by_search = {row["depth"]: row["usd"] for row in rows if row["price"] == "$0.002 a search"}
    by_token = {row["depth"]: row["usd"] for row in rows if row["price"] == "$0.05 a million tokens"}
    assert by_search[10] == by_search[100] == pytest.approx(by_search[101] / 2)
    assert by_token[100] == pytest.approx(10 * by_token[10]) == pytest.approx(0.00325)
