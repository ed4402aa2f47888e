"""What reranking costs by depth."""

import pytest

from ragvsft.chapters.rag import reranking as chapter


def test_billing_by_search_is_a_staircase_and_by_token_a_line():
    rows = chapter.depth_rows(500, 150)
    by_search = {row["depth"]: row["usd"] for row in rows if row["price"] == "$0.002 a search"}
    by_token = {row["depth"]: row["usd"] for row in rows if row["price"] == "$0.05 a million tokens"}
    assert by_search[10] == by_search[100] == pytest.approx(by_search[101] / 2)
    assert by_token[100] == pytest.approx(10 * by_token[10]) == pytest.approx(0.00325)


def test_a_reranker_of_english_lowers_german_and_a_multilingual_one_raises_it():
    german = chapter.reranked().set_index(["set", "reranker"]).gain["German"]
    assert german["mxbai-rerank-base-v2 0.5B"] == pytest.approx(20.33 - 49.18)
    assert german["bge-reranker-v2-m3 0.6B"] == pytest.approx(58.32 - 49.18)


def test_the_title_counts_the_scores_that_fell():
    title = chapter.languages_chart().to_dict()["title"]
    assert title.startswith(f"{chapter.hurt().sum()} of {len(chapter.reranked())} scores")
    assert 0 < chapter.hurt().sum() < len(chapter.reranked())


def test_the_largest_test_resolves_its_gain():
    found = chapter.largest_test()
    assert found.resolved and found.value == pytest.approx(0.816 - 0.695)


def test_a_price_by_token_is_cheaper_at_some_depths_or_at_every_one():
    assert chapter.cheaper_until(500, 150, 0.002, 0.001) == "at every depth shown"
    assert chapter.cheaper_until(500, 150, 0.002, 0.05).startswith("at ")
