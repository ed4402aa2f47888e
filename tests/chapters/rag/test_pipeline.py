"""The price of a query by stage."""

import pytest

from ragvsft.chapters.rag import pipeline as chapter
from ragvsft.evidence import checks
from ragvsft.prices import rates
from ragvsft.prose import number


def test_a_cheap_model_makes_the_reranker_the_largest_stage() -> None:
    shown = chapter.pipeline_cost().compute(model="claude-haiku-5.5")
    assert shown["rerank"] == max(shown[stage] for stage in chapter.rag_stages())


def test_the_large_corpus_is_the_preset_that_the_chapter_quotes() -> None:
    presets = {preset.label: preset.values for preset in chapter.index_memory().presets}
    assert chapter.LARGE in presets.values()


def test_rewriting_a_question_costs_its_tokens_at_the_models_prices() -> None:
    read, written = (chapter.rewriting_usd(*tokens, "claude-haiku-5.5") for tokens in ((1e6, 0), (0, 1e6)))
    prices = rates("claude-haiku-5-5")
    assert read == prices["input_usd_per_mtok"].value
    assert written == prices["output_usd_per_mtok"].value


def test_the_table_of_methods_has_the_report_parts_figures_with_their_intervals() -> None:
    dense = chapter.measured.method("dense", measure="R@10")
    line = next(line for line in chapter.found_table().splitlines() if "vectors (dense)" in line)
    assert f"{dense.value:.1%} ({dense.low:.1%} to {dense.high:.1%})" in line
    assert chapter.found_table().count("\n") == len(chapter.FOUND_BY) + 1


def test_the_title_of_the_cpu_chart_adds_the_stages_medians_up() -> None:
    medians = [row.cpu_ms_p50 for row in chapter.timings().values()]
    assert f"take {number(sum(medians))} ms" in chapter.cpu_chart().to_dict()["title"]
    assert checks.measured_search_cpu_ms() == sum(medians[: len(chapter.measured.SEARCH_STAGES)])


def test_a_higher_threshold_answers_fewer_of_both_kinds_of_questions() -> None:
    frame = chapter.risk_coverage()
    assert frame.answered.iloc[0] == 1 and frame.answered.is_monotonic_decreasing
    assert frame.fooled.is_monotonic_decreasing
    cited = chapter.measured.citations("as indexed")
    assert frame.right.iloc[0] == sum(row.supports for row in cited) / len(cited)


def test_no_threshold_that_answers_half_keeps_silent_where_there_is_no_answer() -> None:
    frame = chapter.risk_coverage()
    assert frame[frame.answered >= 0.5].fooled.min() > 0.1
    assert not any(row.supports for row in chapter.measured.citations("answer removed"))


def test_a_question_is_priced_by_what_it_reads_and_by_its_second_stage() -> None:
    rows = {(r.words, r.overlap, r.method, r.bits, r.k): r for r in chapter.measured.chunking()}
    one, five = (chapter.question_usd(rows[180, 0, "dense", 32, k], chapter.DEAR) for k in (1, 5))
    more = rows[180, 0, "dense", 32, 5].tokens_read - rows[180, 0, "dense", 32, 1].tokens_read
    price = rates("claude-sonnet-5-5")["input_usd_per_mtok"].value
    assert five - one == pytest.approx(more * price / 1e6, rel=0.02)
    plain, reranked = (
        chapter.priced(chapter.CHEAP).query("method == @name and k == 5 and words == 180 and overlap == 0")
        for name in (chapter.FAMILIES["fusion"], chapter.FAMILIES["fusion > LambdaMART @50"])
    )
    assert reranked.usd.iloc[0] > 2 * plain.usd.iloc[0]


@pytest.mark.parametrize("column", [chapter.DEAR, chapter.CHEAP])
def test_nothing_cheaper_reads_more_than_an_efficient_combination(column: str) -> None:
    frame = chapter.priced(column)
    for row in frame[frame.efficient].itertuples():
        assert not ((frame.usd <= row.usd) & (frame.recall > row.recall)).any()
    for row in frame[~frame.efficient].itertuples():
        assert ((frame.usd <= row.usd) & (frame.recall >= row.recall)).sum() > 1
    shown = chapter.frontier(column)
    assert shown.recall.iloc[-1] == frame.recall.max()
    assert (shown.recall.diff().dropna().iloc[:-1] >= chapter.SMALLEST_STEP).all()


def test_the_second_stage_comes_late_on_the_frontier() -> None:
    names = list(chapter.frontier().method)
    assert names[-1] == chapter.FAMILIES["fusion > LambdaMART @50"]
    assert set(names[: len(names) // 2]) <= {chapter.FAMILIES["dense"], chapter.FAMILIES["BM25"]}


def test_only_the_keyword_index_is_made_anew_for_a_change() -> None:
    def add(name: str) -> float:
        return chapter.measured.growth(name)[-1].add_cpu_ms

    assert chapter.grown("bm25s", "add_cpu_ms").low > 0.9
    assert chapter.grown("postgresql-pgvector", "add_cpu_ms").high < 0.2
    assert min(add("bm25s") / add(name) for name in chapter.STORES if name != "bm25s") > 100


def test_the_memory_rule_holds_and_fails_for_the_stores_that_the_chapter_names() -> None:
    def ratio(name: str) -> float:
        row = chapter.measured.growth(name)[-1]
        return row.memory_mb / chapter.ruled_mb(name, row.passages)

    assert max(ratio("postgresql-pgvector"), ratio("hnswlib")) < 1.05
    assert min(ratio("qdrant-local"), ratio("qdrant-edge")) > 5


def test_removal_took_hold_in_every_store_and_hnswlib_missed_an_addition() -> None:
    last = {name: chapter.measured.growth(name)[-1] for name in chapter.STORES}
    assert all(row.removed_are_gone for row in last.values())
    assert [name for name, row in last.items() if not row.added_are_found] == ["hnswlib"]


def test_the_small_model_is_set_beside_what_needs_no_model() -> None:
    found = chapter.small_model()
    assert found["n"] >= 200
    assert found["chance"] < found["extractive"] < found["right"] < found["best_ranked"]
    assert found["abstained"] == 0
