"""The price of a query by stage."""

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
