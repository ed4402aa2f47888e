"""Agentic search: rounds of a tool call and reading, then the answer."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.golden_inputs import golden
from ragvsft.costs import scenario
from ragvsft.costs.methods import METHODS, bill, longest_call_tokens, query

PREFIX, QUESTION, TOOL, CALL, ANSWER = 2350, 150, 2000, 200, 500
INPUT, WRITE, READ, OUTPUT = 2.0, 2.5, 0.1, 10.0
AGENT, PROMPTING, RAG = METHODS["agentic_search"], METHODS["prompting"], METHODS["rag"]


def worked(rounds: float, **changes: float):
    """The example of equation 17: rates per million tokens, everything in the cache, free tools."""
    return golden(
        **{
            "agent_rounds": rounds,
            "agent_tool_tokens": TOOL,
            "agent_call_tokens": CALL,
            "agent_retry_fraction": 0,
            "agent_tool_usd": 0,
            "output_tokens": ANSWER,
            "answer_llm__input_usd_per_mtok": INPUT,
            "answer_llm__cache_write_usd_per_mtok": WRITE,
            "answer_llm__cache_read_usd_per_mtok": READ,
            "answer_llm__output_usd_per_mtok": OUTPUT,
            **changes,
        }
    )


def usd(s, hit_rate: float = 1.0) -> float:
    return float(sum(use.usd for use in query(s, AGENT, "per_token", hit_rate).values()))


def test_two_rounds_written_out_by_hand():
    """Three calls. Each reads what the calls before it read, and afresh what was written and found since."""
    first = PREFIX * READ + QUESTION * WRITE + CALL * OUTPUT
    second = (PREFIX + QUESTION) * READ + (TOOL + CALL) * WRITE + CALL * OUTPUT
    third = (PREFIX + QUESTION + TOOL + CALL) * READ + (TOOL + CALL) * WRITE + ANSWER * OUTPUT
    assert usd(worked(2)) == pytest.approx((first + second + third) / 1e6, rel=1e-12)
    assert usd(worked(2)) == pytest.approx(0.02133, abs=5e-6)


@pytest.mark.parametrize(("rounds", "published"), [(0, 0.005535), (1, 0.01336), (2, 0.02133), (4, 0.03793)])
def test_the_worked_numbers(rounds, published):
    assert usd(worked(rounds)) == pytest.approx(published, abs=5e-6)


def test_the_stages_say_where_the_money_goes():
    stages = query(worked(2, agent_tool_usd=0.001), AGENT, "per_token", hit_rate=1)
    assert list(stages) == ["rounds", "tools", "read", "write"]
    assert stages["tools"].usd == pytest.approx(2 * 0.001)
    assert stages["write"].usd == pytest.approx(ANSWER * OUTPUT / 1e6)
    third = (PREFIX + QUESTION + TOOL + CALL) * READ + (TOOL + CALL) * WRITE
    assert stages["read"].usd == pytest.approx(third / 1e6)


@pytest.mark.parametrize("batch_fraction", [0, 0.3])
@pytest.mark.parametrize("queries", [1, 1e5])
def test_without_a_round_it_is_prompting(batch_fraction, queries):
    s = worked(0, batch_fraction=batch_fraction, queries_per_month=queries)
    prompting = sum(use.usd for use in query(s, PROMPTING, "per_token").values())
    assert bill(s, AGENT, "per_token").per_query_usd == pytest.approx(prompting, rel=1e-12)


def test_one_round_without_tools_cache_and_calls_is_rags_reading_and_one_prefix_more():
    uncached = {
        "answer_llm__cache_read_usd_per_mtok": INPUT,
        "answer_llm__cache_write_usd_per_mtok": INPUT,
        "agent_tool_tokens": 15 * 500,
        "agent_call_tokens": 0,
    }
    s = worked(1, **uncached)
    rag = query(s, RAG, "per_token")
    reading = rag["read"].usd + rag["write"].usd
    assert usd(s) == pytest.approx(reading + (PREFIX + QUESTION) * INPUT / 1e6, rel=1e-12)


def test_a_prefix_that_nobody_has_cached_is_written_because_the_next_call_reads_it():
    cold = usd(worked(1), hit_rate=0)
    assert cold - usd(worked(1), hit_rate=1) == pytest.approx(PREFIX * (WRITE - READ) / 1e6, rel=1e-12)


def test_repeated_rounds_cost_what_rounds_cost_and_the_answer_is_given_once():
    plain, repeated = (query(worked(4, agent_retry_fraction=r), AGENT, "per_token", 1) for r in (0, 0.5))
    assert repeated["rounds"].usd == pytest.approx(1.5 * plain["rounds"].usd)
    assert repeated["rounds"].calls == 6
    assert (repeated["read"].usd, repeated["write"].usd) == (plain["read"].usd, plain["write"].usd)


def test_a_prefix_below_the_smallest_that_is_cached_costs_the_input_rate():
    s = worked(1, answer_llm__min_cacheable_tokens=1e6)
    first = (PREFIX + QUESTION) * INPUT + CALL * OUTPUT
    second = (PREFIX + QUESTION + TOOL + CALL) * INPUT + ANSWER * OUTPUT
    assert usd(s) == pytest.approx((first + second) / 1e6, rel=1e-12)


def test_each_call_pays_the_tier_of_its_whole_prompt():
    at = PREFIX + QUESTION + 1
    tiers = {f"answer_llm__tier_{kind}_usd_per_mtok": 0.0 for kind in ("input", "cache_read", "cache_write")}
    s = worked(1, answer_llm__tier_threshold_tokens=at, answer_llm__tier_output_usd_per_mtok=0, **tiers)
    first = PREFIX * READ + QUESTION * WRITE + CALL * OUTPUT
    assert usd(s) == pytest.approx(first / 1e6, rel=1e-12)


@given(
    rounds=st.integers(0, 19),
    tool=st.floats(0, 50_000),
    call=st.floats(0, 5_000),
    hit_rate=st.floats(0, 1),
    more=st.floats(1, 1_000),
)
def test_it_rises_with_rounds_tool_tokens_and_call_tokens(rounds, tool, call, hit_rate, more):
    def at(n, t, o):
        return usd(worked(n, agent_tool_tokens=t, agent_call_tokens=o), hit_rate)

    here = at(rounds, tool, call)
    assert at(rounds, tool + more, call) >= here
    assert at(rounds, tool, call + more) >= here
    if rounds >= 1:
        assert at(rounds + 1, tool, call) >= here


def test_a_cache_lowers_the_square_in_rounds_and_does_not_remove_it():
    steps = [usd(worked(n + 1)) - usd(worked(n)) for n in (4, 5, 6)]
    second = [b - a for a, b in pairwise(steps)]
    assert second == pytest.approx([(TOOL + CALL) * READ / 1e6] * 2)


def test_on_ones_own_gpu_it_takes_seconds_and_no_money():
    stages = query(worked(2), AGENT, "self_hosted")
    assert stages["rounds"].usd == stages["read"].usd == stages["write"].usd == 0
    assert all(stages[name].gpu_seconds > 0 for name in ("rounds", "read", "write"))


def test_the_longest_call_is_the_last():
    assert (
        longest_call_tokens(worked(4), AGENT, "per_token") == PREFIX + QUESTION + 4 * (TOOL + CALL) + ANSWER
    )


@pytest.mark.parametrize("rounds", [2.5, -1, 21])
def test_only_whole_rounds_from_0_to_20(rounds):
    with pytest.raises(
        scenario.ScenarioError, match=r"agent_rounds = .*: must be a whole number from 0 to 20"
    ):
        scenario.from_keys({"agent_rounds": rounds})
