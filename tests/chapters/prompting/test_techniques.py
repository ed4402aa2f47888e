"""What each prompting technique adds to a call."""

from ragvsft.chapters.prompting import techniques as chapter


def test_a_warm_cache_makes_examples_and_corpora_cheap():
    cold, warm = (chapter.techniques().compute(queries_per_month=volume) for volume in (1000, 1e6))
    assert cold["examples_usd"] == cold["examples_uncached_usd"]
    assert warm["examples_usd"] < warm["retrieved_usd"]
    assert warm["corpus_usd"] < cold["corpus_usd"] / 10
