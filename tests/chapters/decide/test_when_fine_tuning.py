"""Cutting the prompt against caching it."""

from ragvsft.chapters.decide import when_fine_tuning as chapter


def test_tuning_that_changes_nothing_costs_a_whole_call():
    found = chapter.shorter_prompt().compute(cut_percent=0, premium=1)
    assert found["tuned_usd"] == found["uncached_usd"] > found["cached_usd"]
