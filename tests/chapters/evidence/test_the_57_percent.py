"""The 57%: what surveys said, and the bounds that two of them allow."""

import pytest

from drawn_rows import drawn
from ragvsft.chapters.evidence import the_57_percent as chapter
from ragvsft.evidence.surveys import surveys


def test_the_bounds_of_two_shares() -> None:
    assert chapter.overlap_calculator().compute() == pytest.approx({"low": 0.08, "high": 0.51})
    disjoint = chapter.overlap_calculator().compute(not_tuned_percent=20, rag_percent=30)
    assert disjoint == pytest.approx({"low": 0, "high": 0.2})


def test_a_survey_is_drawn_with_an_interval_where_its_size_is_known() -> None:
    chart = chapter.survey_chart(surveys("57%"), "A title")
    rows = {row["measured"]: row for row in drawn(chart)}
    assert chart.to_dict()["title"] == "A title"
    assert rows["had agents in production"]["low"] is None or rows["had agents in production"]["low"] < 0.573
    assert rows["had not fine-tuned any model"]["low"] == pytest.approx(0.543, abs=0.001)


def test_a_table_of_surveys_marks_what_was_read_in_quotation() -> None:
    rows = surveys("adoption")
    lines = chapter.survey_table(rows).splitlines()[2:]
    for line, row in zip(lines, rows, strict=True):
        assert ("read in quotation" in line) == (row.how_read == "quotation")
