"""Memory, embedding, reranking and deletion, worked by hand."""

import numpy as np
import pytest

from ragvsft.costs.formulas import rerank_usd_per_query
from ragvsft.retrieval import formulas as f


def test_memory_is_the_published_example():
    # Qdrant: a million vectors of 1,024 floats need 6,144,000,000 bytes.
    assert f.vector_memory_gb(1e6, 1024, 32) == pytest.approx(6.144)


@pytest.mark.parametrize(("bits", "factor"), [(8, 4), (1, 32)])
def test_quantising_divides_the_vectors_but_not_the_graph(bits, factor):
    assert f.vector_memory_gb(1e6, 1024, bits) == pytest.approx(6.144 / factor)
    assert f.graph_memory_gb(1e6, 16) == pytest.approx(0.128)


def test_memory_on_arrays_is_memory_on_each():
    chunks = np.array([1e5, 1e7])
    assert f.vector_memory_gb(chunks, 3072, 1) == pytest.approx(
        [f.vector_memory_gb(1e5, 3072, 1), f.vector_memory_gb(1e7, 3072, 1)]
    )


def test_embedding_a_corpus_again():
    # 15 billion tokens at $0.13 a million, and at a million tokens a minute
    assert f.re_embedding_usd(15e9, 0.13, 1) == pytest.approx(1950)
    assert f.re_embedding_usd(15e9, 0.13, 0.5) == pytest.approx(975)
    assert f.embedding_hours(15e9, 1e6) == pytest.approx(250)


def test_token_billing_costs_a_search_at_the_break_even_depth():
    depth = f.rerank_depth_to_break_even(500, 150, 0.002, 0.05)
    assert depth == pytest.approx(2000 / 32.5)
    assert rerank_usd_per_query(depth, 500, 150, 0, 0.05) == pytest.approx(
        rerank_usd_per_query(depth, 500, 150, 0.002, 0)
    )


def test_chunks_that_pay_for_a_reranker():
    # A 500-token chunk costs $0.0015 at $3 a million.
    assert f.chunks_saved_to_pay_for_reranking(0.002, 500, 3.0) == pytest.approx(4 / 3)


def test_rights_applied_after_the_search_empty_the_result():
    assert f.candidates_to_fetch(5, 0.1) == 50
    assert f.chance_of_empty_result(5, 0.1) == pytest.approx(0.9**5)


def test_a_fifth_must_be_deleted_before_a_rebuild():
    assert f.months_until_compaction(0.2, 0.01) == pytest.approx(20)


def test_a_deleted_document_by_hand():
    # Seen after 1 day, cached for 7 more: 8 days in answers, 30 more in logs; or 1 + 30 + 90 in backups.
    in_answers = f.days_until_out_of_answers(1, 7, 2)
    assert in_answers == 8
    assert f.days_until_last_copy(in_answers, 1, 30, 30, 90) == 121
    assert f.days_until_last_copy(in_answers, 1, 0, 365, 90) == 373
    assert f.answers_after_deletion(73_050, 0.001, in_answers) == pytest.approx(19.2)


def test_a_copy_is_stale_as_often_as_a_simulated_one():
    rng = np.random.default_rng(7)
    age = rng.uniform(2, 2 + 30, 200_000)
    changed = rng.exponential(60, age.size) < age
    assert f.stale_share(60, 30, 2) == pytest.approx(changed.mean(), abs=0.004)


def test_a_change_that_just_missed_an_update_waits_for_the_next():
    assert f.longest_delay_days(30, 2) == 32


def test_the_longest_interval_keeps_the_target_and_wastes_little():
    interval = f.longest_interval_days(0.05, 60, 1)
    assert interval == pytest.approx(4)
    assert 0.04 < f.stale_share(60, interval, 1) <= 0.05


def test_no_interval_helps_if_publishing_alone_takes_too_long():
    assert f.longest_interval_days(0.05, 60, 3) == 0
    assert f.longest_interval_days(0.05, 60, 5) < 0


def test_a_corpus_that_costs_as_much_as_retrieval():
    # $0.02 buys 200,000 cached tokens at $0.10 a million.
    assert f.cached_tokens_for(0.02, 0.1) == pytest.approx(200_000)
