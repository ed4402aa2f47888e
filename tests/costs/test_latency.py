"""Speeds that follow from published waits, and how percentiles add."""

import pytest

from ragvsft.costs import formulas, latency
from ragvsft.evidence import ledger


def test_reading_speed_follows_from_two_prompts():
    # 4,500 more tokens took 406.77 - 47.77 = 359 ms more.
    assert latency.prefill_tokens_per_second("first-token-short-1", "first-token-long-1") == pytest.approx(
        4_500 / 0.359
    )
    assert latency.decode_tokens_per_second("next-token-1") == pytest.approx(1000 / 18.58)


@pytest.mark.parametrize("prompt", ["short", "long"])
def test_the_ledger_and_the_table_agree(prompt):
    assert ledger.get(f"first-token-{prompt}-prompt").value == latency.wait_ms(f"first-token-{prompt}-1")


def test_reading_is_the_answers_wait_without_retrieval_and_without_an_answer():
    assert latency.reading_milliseconds(1_000, 10_000) == 100
    assert formulas.answer_milliseconds(5, 6, 7, 1_000, 10_000, 50, 100) == 5 + 6 + 7 + 100 + 500


def test_five_stages_that_are_slow_once_in_twenty():
    assert latency.share_with_a_slow_stage(5, 0.05) == pytest.approx(1 - 0.95**5)
    assert latency.share_with_a_slow_stage(1, 0.05) == pytest.approx(0.05)


def test_one_stage_keeps_its_percentile_and_independent_stages_are_seldom_slow_together():
    assert latency.p95_if_independent([100], [250]) == pytest.approx(250, rel=0.02)
    assert 300 < latency.p95_if_independent([100, 100], [250, 250]) < 500


def test_stages_without_spread_add_exactly():
    assert latency.p95_if_independent([100, 20], [100, 20]) == pytest.approx(120)
