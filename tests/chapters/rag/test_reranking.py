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


def test_the_chart_of_lifts_counts_the_resolved_ones_among_those_named_beforehand():
    rows = chapter.lifts()
    named = [row for row in rows if row.kind == "primary"]
    assert len(named) == 3 and {row.part for row in rows} == {"report"}
    title = chapter.lifts_chart().to_dict()["title"]
    assert title.startswith(f"{sum(row.resolved for row in named)} of the 3 differences named beforehand")


def test_a_primary_difference_needs_its_interval_and_holm():
    fusion, late, ranker = chapter.lifts()[:3]
    assert (fusion.resolved, late.resolved, ranker.resolved) == (False, True, True)
    assert not late.model_copy(update={"p_holm": 0.06}).resolved
    assert not late.model_copy(update={"low": -0.01}).resolved


def test_differences_are_said_in_words():
    assert chapter.points_words(-0.001, -0.029, 0.024) == "−0.10 points (−2.90 to +2.40)"


def test_the_depth_chart_names_the_depth_of_each_highest_score():
    chart = chapter.measured_depth_chart().to_dict()
    for stage in chapter.STAGES:
        depth, _ = max(chapter.measured.by_depth(stage), key=lambda pair: pair[1].value)
        assert f"{stage} reorders {depth}" in chart["title"]
        assert chapter.deeper()[stage].second == f"fusion > {stage} @100"


def test_the_takeaway_on_labels_follows_from_the_curve():
    late = chapter.measured.comparison("late-interaction-over-fusion")
    gains = [row.gain for row in chapter.curve()]
    assert gains == sorted(gains)
    assert gains[0] < late.difference < gains[-1]
    assert not any(row.low > 0 or row.high < 0 for row in chapter.curve("linear map of the question"))


def test_training_the_retriever_helped_on_the_report_part_and_hurt_on_held_out_development_projects():
    gains = [row.gain for row in chapter.curve(chapter.ENCODER)]
    assert gains == sorted(gains) and chapter.curve(chapter.ENCODER)[-1].low > 0
    untrained, *tried = chapter.measured.encoder_settings()
    assert all(row.ndcg_at_10 < untrained.ndcg_at_10 for row in tried)
    assert tried[0] == max(tried, key=lambda row: row.ndcg_at_10)
