"""Surveys say whom they asked, and the shares that are counts agree with their counts."""

import re

import pytest

from ragvsft.data import load
from ragvsft.evidence.published import record, static_cells
from ragvsft.evidence.surveys import Survey, surveys, tag_shares


def one(survey_id: str) -> Survey:
    return next(row for row in load("surveys") if row.id == survey_id)


def test_worse_and_no_better_are_two_counts() -> None:
    row, found = one("huyen-no-improvement"), record(static_cells(), "both", against="rag")
    assert row.share == pytest.approx(found.losses / found.cells, abs=0.005)
    assert found.losses + found.ties == 22 and "22 of 30" in row.measured


def test_the_share_of_cases_tagged_with_fine_tuning_falls_every_year() -> None:
    shares = [row.share for row in tag_shares("fine-tuned")]
    assert len(shares) == 4 and shares == sorted(shares, reverse=True)
    assert [row.id[-4:] for row in tag_shares("rag")] == ["2023", "2024", "2025", "2026"]


@pytest.mark.parametrize("row", [*tag_shares("fine-tuned"), *tag_shares("rag")], ids=lambda row: row.id)
def test_a_counted_share_is_its_count(row: Survey) -> None:
    counted = re.search(r"(\d+) of (\d+)$", row.locator)
    assert counted and int(counted[2]) == row.n
    assert row.share == pytest.approx(int(counted[1]) / row.n, abs=5e-5)


def test_an_interval_needs_a_sample_size() -> None:
    low, high = one("langchain-not-fine-tuned").interval or (0, 0)
    assert (low, high) == pytest.approx((0.5435, 0.5964), abs=1e-4)
    assert one("menlo-fine-tuned-2024").interval is None


def test_adoption_has_data_of_2025_and_2026() -> None:
    assert {"amplify-rag-2025", "menlo-2025", "zenml-rag-2026"} <= {row.id for row in surveys("adoption")}
