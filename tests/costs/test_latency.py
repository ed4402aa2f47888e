"""Speeds that follow from published waits, what each stage of a method waits for, and how percentiles add."""

import pytest

from ragvsft.costs import latency, methods, scenario, stages
from ragvsft.costs.methods import METHODS, Method
from ragvsft.costs.stages import Stage, Use
from ragvsft.data import DataError
from ragvsft.evidence import ledger

SPEEDS = latency.Speeds({"embed": 10, "search": 20, "rerank": 30, "tool": 40, "model": 5}, 10_000, 100)
"""Ten thousand tokens read a second, a hundred written."""


def waits(method: str, cached: float = 0, **keys: float) -> dict[str, float]:
    column = "gpt-oss-20b-self-hosted"
    s = scenario.from_keys({"columns": [column], **keys}).inputs(column)
    return latency.waits_ms(s, METHODS[method], SPEEDS, cached)


PROMPT = {
    "system_tokens": 1000,
    "example_tokens": 0,
    "query_tokens": 100,
    "chunks_in_prompt": 10,
    "tokens_per_chunk": 500,
    "output_tokens": 200,
}


def test_rag_waits_for_every_stage_and_reads_what_it_retrieved():
    found = waits("rag", **PROMPT)
    assert list(found) == ["embed", "search", "rerank", "read", "write"]
    assert (found["embed"], found["search"], found["rerank"]) == (10, 20, 30)
    assert found["read"] == pytest.approx(5 + (1000 + 100 + 5000) / 10)
    assert found["write"] == pytest.approx(2000)
    assert latency.first_token_ms(found) == pytest.approx(60 + 5 + 610)


def test_what_is_cached_is_not_read():
    assert waits("rag", 0.9, **PROMPT)["read"] == pytest.approx(5 + (100 + 100 + 5000) / 10)


def test_an_agent_waits_for_each_round_and_its_own_words():
    rounds = {"agent_rounds": 3, "agent_tool_tokens": 800, "agent_call_tokens": 50, "agent_retry_fraction": 0}
    found = waits("agentic_search", **PROMPT, **rounds)
    # Three calls read the prompt once and two results with the words before them; each writes 50 tokens.
    assert found["rounds"] == pytest.approx(3 * 5 + (1000 + 100 + 2 * 850) / 10 + 3 * 50 * 10)
    assert found["tools"] == pytest.approx(3 * 40)
    assert found["read"] == pytest.approx(5 + 850 / 10)
    assert found["write"] == pytest.approx(2000)


def test_an_agent_without_rounds_waits_as_prompting_does():
    agent, prompting = (waits(name, **PROMPT, agent_rounds=0) for name in ("agentic_search", "prompting"))
    assert sum(agent.values()) == pytest.approx(sum(prompting.values()))


def test_a_stage_that_is_registered_is_waited_for(monkeypatch):
    guard = Stage("guard", "Check the question", "tools", lambda a: Use(fresh_tokens=500, output_tokens=1))
    monkeypatch.setitem(stages.STAGES, "guard", guard)
    plain = METHODS["prompting"]
    guarded = Method(plain.name, plain.label, ("guard", *plain.stages))
    monkeypatch.setitem(methods.METHODS, "prompting", guarded)
    assert waits("prompting", **PROMPT)["guard"] == pytest.approx(5 + 50 + 10)


def test_reading_speed_follows_from_two_prompts():
    # 4,500 more tokens took 406.77 - 47.77 = 359 ms more.
    short, long = "first-token-short-1", "first-token-long-1"
    assert latency.prefill_tokens_per_second(short, long) == pytest.approx(4_500 / 0.359)
    assert latency.call_milliseconds(short, long) == pytest.approx(47.77 - 500 * 0.359 / 4.5)
    assert latency.decode_tokens_per_second("next-token-1") == pytest.approx(1000 / 18.58)


def test_an_unknown_row_is_one_clear_error():
    with pytest.raises(DataError, match=r"search-near.*data/latency\.csv.*did you mean 'search-far-p"):
        latency.published("search-near-p50")


@pytest.mark.parametrize("prompt", ["short", "long"])
def test_the_ledger_and_the_table_agree(prompt):
    assert ledger.get(f"first-token-{prompt}-prompt").value == latency.wait_ms(f"first-token-{prompt}-1")


def test_reading_waits_for_the_tokens_alone():
    assert latency.reading_milliseconds(1_000, 10_000) == 100


def test_five_stages_that_are_slow_once_in_twenty():
    assert latency.share_with_a_slow_stage(5, 0.05) == pytest.approx(1 - 0.95**5)
    assert latency.share_with_a_slow_stage(1, 0.05) == pytest.approx(0.05)


def test_one_stage_keeps_its_percentile_and_independent_stages_are_seldom_slow_together():
    assert latency.p95_if_independent([100], [250]) == pytest.approx(250, rel=0.02)
    assert 300 < latency.p95_if_independent([100, 100], [250, 250]) < 500


def test_stages_without_spread_add_exactly():
    assert latency.p95_if_independent([100, 20], [100, 20]) == pytest.approx(120)
