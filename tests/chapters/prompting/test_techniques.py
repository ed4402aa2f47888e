"""What each prompting technique adds to a call."""

import pytest

from ragvsft.chapters.prompting import techniques as chapter


def test_a_warm_cache_makes_examples_and_corpora_cheap():
    cold, warm = (chapter.techniques().compute(queries_per_month=volume) for volume in (1000, 1e6))
    assert cold["examples_usd"] == cold["examples_uncached_usd"]
    assert warm["examples_usd"] < warm["retrieved_usd"]
    assert warm["corpus_usd"] < cold["corpus_usd"] / 10


def test_the_whole_text_helps_strong_models_and_hurts_weak_ones():
    gains = chapter.long_context_gains().set_index(["model", "length"]).gain
    assert gains["GPT-4o", "128k"] > 0 > gains["Llama-3.2-3B-Instruct", "128k"]
    assert chapter.mean_gain("128k", "unanswerable") < 0 < chapter.mean_gain("128k", "comparison")
    assert chapter.newer_gain("five open models, mean") == pytest.approx(43.65 - 54.67)


def test_the_long_context_chart_counts_what_it_shows():
    gains, title = chapter.long_context_gains(), chapter.long_context_chart().to_dict()["title"]
    for length, group in gains.groupby("length"):
        assert f"{(group.gain > 0).sum()} of {len(group)} models at {length}" in title
