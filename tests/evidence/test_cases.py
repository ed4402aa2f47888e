"""Cases name what was tried in which order, what was kept, and entries of the ledger that exist."""

from collections import Counter

import pytest

from ragvsft.evidence.cases import Case, cases
from ragvsft.evidence.ledger import ledger


@pytest.mark.parametrize("row", cases(), ids=lambda row: f"{row.organisation}: {row.task}")
def test_a_case_is_complete(row: Case) -> None:
    assert row.tried and row.claims
    assert set(row.claims) <= {claim.id for claim in ledger()}
    assert row.source.startswith("https://")


def test_what_was_kept_is_counted() -> None:
    kept = Counter(row.kept for row in cases())
    assert kept == {
        "RAG": 13, "fine-tuned": 11, "both": 4, "prompting": 3, "agentic search": 2,
        "RAG, tuned retriever": 2, "other": 1,
    }  # fmt: skip
    assert len(cases("both")) == 4


def test_what_was_read_in_the_makers_own_words_says_where() -> None:
    own = [row for row in cases() if row.evidence == "primary"]
    assert Counter(row.how_read for row in own) == {"full text": 10, "abstract": 1}
    assert not any("llmops-database" in row.locator for row in own)
    assert all("llmops-database" in row.locator for row in cases() if row.evidence == "secondary")


def test_the_credit_goes_to_the_step_that_the_makers_name() -> None:
    tables, labels = (
        next(row for row in cases() if row.organisation == who) for who in ("Pinterest", "Faire")
    )
    assert "before retrieval" in tables.note and "user names" in tables.effect
    assert "about 8%" in labels.note
