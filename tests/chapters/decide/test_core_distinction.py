"""Where a fact should live: what keeps up with it, and how soon a change arrives."""

from drawn_rows import drawn
from ragvsft.chapters.decide import core_distinction as chapter


def test_only_the_index_keeps_up_with_a_fact_that_changes_each_season():
    verdicts = {key: value for key, value in chapter.freshness().compute().items() if "verdict" in key}
    assert verdicts == {"prompt_verdict": 1, "index_verdict": 2, "weights_verdict": 0}


def test_a_lasting_tone_may_live_anywhere():
    found = chapter.freshness().compute(days_between_changes=1500, stale_percent=10)
    assert [found[f"{place}_verdict"] for place in chapter.PLACES] == [2, 2, 2]


def test_a_change_takes_longest_into_the_weights_and_never_less_than_its_path():
    prompt, index, weights = drawn(chapter.update_paths_chart())
    assert index["latest"] < prompt["latest"] < weights["latest"]
    assert all(row["soonest"] < row["latest"] for row in (prompt, index, weights))
