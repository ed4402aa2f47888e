"""Indexing or training on a large corpus costs what the ledger and the price list say."""

import pytest

from ragvsft.chapters.decide import when_rag as chapter
from ragvsft.checks import index_ten_million_documents_usd, train_ten_million_documents_usd


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
