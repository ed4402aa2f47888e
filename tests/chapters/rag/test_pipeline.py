"""The price of a query by stage."""

from ragvsft.chapters.rag import pipeline as chapter
from ragvsft.prices import rates


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
