"""The chapter on agentic search shows what the cost model and the published rows say."""

import pytest

from ragvsft.chapters.rag import agentic_search as chapter
from ragvsft.costs import formulas
from ragvsft.costs.methods import METHODS, bill
from ragvsft.data import DataError
from ragvsft.widgets.compared_sides import side


@pytest.mark.parametrize("rounds", [0, 1, 4, 10])
def test_the_calculator_is_the_cost_model(rounds):
    shown = chapter.agent_cost().compute(agent_rounds=rounds)
    for name in chapter.PAIR:
        one = side(name, "claude-sonnet-5.5", agent_rounds=rounds)
        assert shown[f"{name}_per_query_usd"] == pytest.approx(
            float(bill(one.s, METHODS[name], "per_token").per_query_usd)
        )


def test_more_rounds_cost_more_and_wait_longer_and_leave_rag_as_it_is():
    few, many = (chapter.agent_cost().compute(agent_rounds=rounds) for rounds in (2, 6))
    for figure in ("per_query_usd", "first_ms", "last_ms"):
        assert many[f"agentic_search_{figure}"] > few[f"agentic_search_{figure}"]
        assert many[f"rag_{figure}"] == few[f"rag_{figure}"]


def test_the_equation_is_the_sum_over_the_calls():
    s = side("agentic_search", chapter.LARGE).s
    n, prefix = int(s.agent_rounds), s.system_tokens + s.example_tokens
    step = s.agent_tool_tokens + s.agent_call_tokens
    by_hand = (n + 1) * (2 * prefix + 2 * s.query_tokens + n * step) / 2
    assert chapter.grown(s).all_tokens == pytest.approx(by_hand)
    assert chapter.grown(s).longest_tokens == formulas.agent_prompt_tokens(
        n + 1, prefix, s.query_tokens, s.agent_tool_tokens, s.agent_call_tokens
    )


def test_the_charts_title_follows_its_rows():
    spec = chapter.dearest_round_chart()
    (rows,) = (rows for rows in spec.to_dict()["datasets"].values() if "rounds" in rows[0])
    for model in ("Claude Sonnet 5.5", "gpt-oss-20b"):
        most = max(row["rounds"] for row in rows if row["model"] == model and row["ratio"] < 1)
        assert f"on {model} up to {most} rounds" in " ".join(str(spec.to_dict()["title"]).split())


def test_the_published_table_says_how_each_row_was_read():
    table = chapter.published_table()
    assert "quotation" in table and "not known" in table
    assert table.count("\n") == 1 + len(chapter.results(*chapter.SOURCES))


def test_the_measured_chart_and_words_follow_the_rows():
    tools = chapter.measured.reading("keyword tools", chapter.ROUNDS)
    dense = chapter.measured.reading("dense", chapter.READ)
    title = chapter.reading_chart().to_dict()["title"]
    assert f"{tools.found_share:.0%} for {tools.tokens_read:,.0f} tokens" in title
    assert f"{dense.found_share:.0%} for {dense.tokens_read:,.0f}" in title
    assert chapter.apart() == "the intervals do not meet"


def test_for_the_same_tokens_a_ranking_read_more_answers():
    # the takeaway, on the tools' own budget: every round against BM25 that read no more tokens
    rows = chapter.measured.keyword_tools()
    bm25 = [row for row in rows if row.method == "BM25"]
    for tools in (row for row in rows if row.method == "keyword tools"):
        within = [row.found_share for row in bm25 if row.tokens_read <= tools.tokens_read]
        assert max(within) > tools.found_share


def test_a_reading_that_was_not_tried_is_an_error_that_names_those_that_were():
    with pytest.raises(
        DataError, match=r"method, steps = 'keyword tools', 5: must be one of .*keyword tools 4"
    ):
        chapter.measured.reading("keyword tools", 5)
