"""The public accounts: what was tried, what was kept, and how each was read."""

import re

import pytest

from drawn_rows import drawn
from ragvsft.chapters.evidence import what_teams_did as chapter
from ragvsft.evidence.cases import cases


def test_every_account_has_a_row_that_says_how_it_was_read() -> None:
    lines = chapter.cases_table(cases()).splitlines()[2:]
    assert len(lines) == len(cases()) == 36
    for line, row in zip(lines, cases(), strict=True):
        assert row.organisation in line and str(row.source) in line
        assert ("read in a summary" in line) == (row.how_read == "quotation")
        assert line.rstrip(" |").endswith("), abstract read") == (row.how_read == "abstract")


def test_the_filter_leaves_the_rows_of_one_method() -> None:
    html, lines = chapter.kept_filter().data, chapter.cases_table(cases())
    marks = set(re.findall(r'class="(kept-[a-z-]+)"', lines))
    assert marks == {f"kept-{name}" for name in re.findall(r"not\(:has\(\.kept-([a-z-]+)\)\)", html)}
    assert {f"show-{mark.removeprefix('kept-')}" for mark in marks} | {"show-all"} == set(
        re.findall(r'id="(show-[a-z-]+)"', html)
    )


def test_what_was_kept_adds_up() -> None:
    kept = [int(line.split("|")[2]) for line in chapter.kept_table().splitlines()[2:]]
    assert sum(kept) == len(cases()) and kept == sorted(kept, reverse=True)


@pytest.mark.parametrize(
    ("organisation", "trained", "retrieved"),
    [("Checkr", True, True), ("Sixt", False, False), ("Morgan Stanley", False, True), ("Faire", True, False)],
)
def test_accounts_are_read_for_training_and_retrieval(organisation, trained, retrieved) -> None:
    row = chapter.case(organisation)
    assert (chapter.trained(row), chapter.retrieved(row)) == (trained, retrieved)


def test_the_share_of_cases_that_train_falls_every_year() -> None:
    rows = [row for row in drawn(chapter.tags_chart()) if row["tag"] == "tagged fine-tuning"]
    shares = [row["share"] for row in sorted(rows, key=lambda row: row["year"])]
    assert shares == sorted(shares, reverse=True) and len(shares) == 4
    assert all(row["low"] < row["share"] < row["high"] for row in rows)
    assert (
        chapter.tags_chart().to_dict()["title"] == "Share of cases that train: 30.1% in 2023, 11.4% in 2026"
    )
