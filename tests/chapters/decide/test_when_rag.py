"""Indexing or training on a large corpus costs what the ledger and the price list say."""

import pytest

from ragvsft.chapters.decide import when_rag as chapter
from ragvsft.evidence.checks import index_ten_million_documents_usd, train_ten_million_documents_usd


def test_the_large_corpus_costs_what_the_ledger_says():
    found = chapter.index_or_train().compute()
    assert found["embed"] == pytest.approx(index_ten_million_documents_usd())
    assert found["train"] == pytest.approx(train_ten_million_documents_usd())
    assert found["train_retold"] == pytest.approx(350 * found["train"])


def test_fewer_bits_need_less_memory_and_the_same_money():
    floats, binary = (chapter.index_or_train().compute(precision=name) for name in ("floats", "binary"))
    assert floats["memory"] == pytest.approx(32 * binary["memory"])
    assert floats["search"] == binary["search"]


def test_no_price_on_record_reaches_hundreds_of_thousands():
    prices = chapter.corpus_prices(1e10)
    assert prices[prices.open].usd.max() < chapter.BIG_BUDGET_USD
    assert prices[prices.label == "text-embedding-3-large"].usd.item() == pytest.approx(1300)


def test_training_on_many_rewrites_is_not_told_from_retrieval_and_on_few_it_is_behind():
    against = chapter.rewriting_against_rag()
    assert not against[max(against)].resolved
    assert against[min(against)].high < 0


def test_retrieval_beats_a_light_fine_tune_on_new_facts():
    found = chapter.new_facts_gap()
    assert found.resolved and found.value == pytest.approx(0.875 - 0.588, abs=1e-3)


def test_the_title_says_whether_a_price_reaches_the_line():
    prices = chapter.corpus_prices(1e10)
    for limit, words in ((chapter.BIG_BUDGET_USD, "none that can be bought"), (1, "some prices reach")):
        assert words in chapter.corpus_prices_chart(prices, limit).to_dict()["title"]
