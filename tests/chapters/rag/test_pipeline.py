"""The price of a query by stage."""

from ragvsft.chapters.rag import pipeline as chapter


def test_a_cheap_model_makes_the_reranker_the_largest_stage() -> None:
    shown = chapter.pipeline_cost().compute(llm="claude-haiku-5-5")
    assert shown["rerank"] == max(shown[stage] for stage in ("embed", "search", "rerank", "read", "write"))
