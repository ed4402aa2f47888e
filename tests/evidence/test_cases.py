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


def test_no_case_was_read_in_the_makers_own_words_yet() -> None:
    assert {row.evidence for row in cases()} == {"secondary"}
