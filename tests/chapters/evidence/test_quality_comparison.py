"""What the published comparisons add up to, paper by paper."""

import pytest

from drawn_rows import drawn
from ragvsft.chapters.evidence import quality_comparison as chapter
from ragvsft.evidence.combining import combining
from ragvsft.tuning import results


def test_papers_are_counted_not_only_the_largest_one() -> None:
    found = chapter.facts_by_paper()
    assert (found["ovadia2024"].wins, found["ovadia2024"].losses) == (31, 2)
    assert (found["zhang2024raft"].wins, found["zhang2024raft"].losses) == (0, 5)
    assert chapter.ahead(found.values()) == 8 and len(found) == 11


def test_few_settings_are_resolved_at_their_sample_size() -> None:
    resolved = chapter.facts_by_paper(resolved_only=True).values()
    assert sum(one.wins for one in resolved) == 5
    assert sum(one.losses for one in resolved) == 1


def test_rewriting_closes_the_gap_by_degrees() -> None:
    found = chapter.rewrites()
    assert found.points.is_monotonic_increasing
    assert found.iloc[-1].points == pytest.approx(100 * (55 - 57) / 468)
    assert not found.iloc[-1].resolved and found.iloc[0].resolved
    assert (chapter.most_rewrites(), chapter.rewrite_questions()) == (160, 468)


@pytest.mark.parametrize(
    ("chart", "title"),
    [
        (chapter.papers_chart, "Retrieval leads in 8 of 11 papers"),
        (chapter.rewrites_chart, "Trained on rewritten news, 5 of 7 fine-tunes trail retrieval"),
        (chapter.recount_chart, "A fine-tune made retrieval worse in 17 of 30 cells"),
        (chapter.new_facts_chart, "On news, retrieval is best for 3 of 3 models"),
        (
            lambda: chapter.combining_chart(combining()),
            "Both are best in 26 of 60 settings; trained with context, in 6 of 6",
        ),
    ],
)
def test_a_figure_is_titled_by_what_its_rows_say(chart, title) -> None:
    spec = chart().to_dict()
    assert spec["title"] == title and spec["description"] and drawn(chart())


def test_the_explorer_offers_every_source_with_an_arm() -> None:
    spec = chapter.explorer_chart().to_dict()
    offered = spec["params"][0]["bind"]["options"]
    assert {"Ovadia et al. 2024"}.isdisjoint(offered) and "Zhang et al. 2024" in offered
    assert {row["source"] for row in drawn(chapter.explorer_chart())} <= set(offered)


def test_our_figure_shows_every_level_for_every_condition() -> None:
    chart = chapter.levels_chart()
    rows = drawn(chart)
    assert len(rows) == len(results.LEVELS) * len(results.conditions())
    shown = {(row["label"], row["condition"]): row["mean"] for row in rows}
    alone, closed = results.estimate("base", "new", "gold"), results.estimate("facts", "new", "none")
    assert shown["right passage alone", "untuned"] == alone.mean
    assert f"{closed.mean:.0%} with no passage" in chart.to_dict()["title"]


def test_the_readers_recall_lies_between_the_two_measured_points() -> None:
    calculator = chapter.recall_calculator()
    missed, found = (calculator.compute(recall=r, retrieval="clean") for r in (0, 1))
    assert found["base"] == results.estimate("base", "new", "gold").mean
    assert missed["base"] == results.estimate("base", "new", "none").mean
    assert calculator.compute(recall=0.25, retrieval="clean")["base"] == pytest.approx(
        0.25 * found["base"] + 0.75 * missed["base"]
    )
    assert found["closed"] == missed["closed"] == results.estimate("facts", "new", "none").mean
    near = calculator.compute(recall=0.6)["format"]
    assert near == pytest.approx(results.accuracy_at_recall("format", 0.6).mean)


def test_lines_that_do_not_cross_are_said_not_to() -> None:
    assert chapter._crossing(results.Crossing(None, None, None)) == ("no crossing", "nowhere")
    assert chapter._crossing(results.Crossing(0.5, 0.25, 1)) == ("0.5", "from 0.25 to 1")
    assert chapter.crossings_table().count("\n") == 1 + 2 * len(chapter.RETRIEVERS)


def test_every_registered_hypothesis_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "registered_seeds", lambda: (1, 2))
    undecided = chapter.hypotheses_table()
    assert undecided.count("| seeds missing |  | not yet decided |") == len(results.PRIMARY)
