"""The ledger says what it can prove: checks agree, sources exist, and values print with their verdicts."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from ragvsft import prose
from ragvsft.data import DATA, DataError, load, read
from ragvsft.evidence import bibliography, checks
from ragvsft.evidence import ledger as claims
from ragvsft.evidence.checks import Check
from ragvsft.evidence.ledger import Claim, ledger


@pytest.fixture(autouse=True)
def _in_a_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(prose.root() / "data")
    bibliography.used.clear()


@pytest.mark.parametrize("check", checks.run_checks(), ids=lambda check: check.claim.id)
def test_every_check_agrees_with_the_ledger(check: Check) -> None:
    assert check.agrees, f"recomputed {check.recomputed}"


def test_a_value_that_moved_fails_its_check() -> None:
    row = claims.get("rag-cost-per-query")
    assert not Check(row, (0.032,)).agrees
    assert Check(row, (0.0320195,)).agrees


@pytest.mark.parametrize("row", ledger(), ids=lambda row: row.id)
def test_every_claim_is_complete(row: Claim) -> None:
    assert row.unit is None or row.unit in {unit.unit for unit in load("units")}
    assert (row.unit is None) == (row.value is None)
    assert (row.low is None) == (row.high is None)
    assert bool(row.citation) or row.kind in ("assumption", "measured")
    assert row.low is None or row.low <= row.value <= row.high
    for key in row.citation:
        bibliography.source(key)


CLAIMS_CSV = (DATA / "claims.csv").read_text("utf-8")


def with_claim(**changed: str) -> str:
    """The ledger's header and first row, with cells changed."""
    first = next(csv.DictReader(io.StringIO(CLAIMS_CSV))) | changed
    text = io.StringIO()
    writer = csv.DictWriter(text, first)
    writer.writeheader()
    writer.writerow(first)
    return text.getvalue()


def test_a_primary_row_without_a_locator_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    for column, cell in (("locator", ""), ("how_read", ""), ("locator", "Table 2")):
        path.write_text(with_claim(**{column: cell}), "utf-8")
        with pytest.raises(DataError, match=rf"claims.csv:2: {column} has \d entries: must have \d"):
            read(path, Claim)


def test_how_a_claim_was_read_is_one_of_the_known_ways(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(with_claim(citation="ovadia2024", locator="Table 2", how_read="skimmed"), "utf-8")
    with pytest.raises(DataError, match="how_read = skimmed"):
        read(path, Claim)


def test_a_claim_with_one_quoted_source_is_secondary() -> None:
    row = claims.get("facts-seen-once")
    assert "quotation" in row.how_read and row.evidence == "secondary"
    assert claims.get("new-facts-fine-tuned").evidence == "primary"
    assert claims.get("both-most-powerful").evidence == "computed"
    assert claims.get("measured-facts-closed-book").evidence == "measured"
    assert claims.get("style-needs-fine-tuning").evidence == "none"


def test_a_recomputed_claim_has_a_check() -> None:
    assert [
        row.id
        for row in ledger()
        if row.kind in ("computed", "measured") and row.value is not None and not row.check
    ] == []


def test_the_source_document_is_covered() -> None:
    tried = [row for row in ledger() if row.source_value]
    assert len(tried) >= 45
    assert set(Counter(row.verdict for row in tried)) == {
        "holds", "holds-with-conditions", "contradicted", "unsupported", "outdated", "definition"
    }  # fmt: skip


def test_a_claim_prints_its_value_and_a_sign_that_says_and_links_its_verdict() -> None:
    assert claims.claim("rag-cost-per-query") == (
        r"\$0.0320 per query "
        '[◐](../chapters/evidence/claims.ipynb#claim-rag-cost-per-query "holds with conditions")'
    )
    assert claims.claim("both-most-powerful").startswith("26.7% (14.2% to 44.4%) [◐](")
    assert claims.claim("style-needs-fine-tuning").startswith("[unsupported](")


def test_an_unknown_claim_or_source_is_an_error_that_helps() -> None:
    with pytest.raises(DataError, match=r"claim = 'rag-cost-per-qeury'.* did you mean 'rag-cost-per-query'"):
        claims.claim("rag-cost-per-qeury")
    with pytest.raises(DataError, match=r"citation = 'ovadia2023'.* did you mean 'ovadia2024'"):
        bibliography.cite("ovadia2023")


def test_a_citation_links_to_the_bibliography_and_is_remembered() -> None:
    assert bibliography.cite("ovadia2024") == (
        "[Ovadia et al. 2024](../chapters/reference/bibliography.ipynb#ref-ovadia2024)"
    )
    claims.claim("exact-attribution")
    assert list(bibliography.used) == ["ovadia2024", "gao2023alce", "wallat2024"]


def test_the_ledger_table_has_a_row_and_a_place_for_each_claim() -> None:
    table = claims.ledger_table(ledger())
    assert table.count("\n") == len(ledger()) + 1
    assert all(line.count(" | ") == 3 for line in table.splitlines())


def test_the_ledger_table_says_where_and_how_each_source_was_read() -> None:
    line = claims.ledger_table([claims.get("legal-rag-best")]).splitlines()[-1]
    assert "#ref-magesh2025), abstract (abstract); " in line


def test_a_share_without_the_answer_is_another_share() -> None:
    stated = claims.get("rerank-share-on-small-model")
    assert "500 answer tokens" in stated.statement
    assert checks.rerank_share_on_small_model() == pytest.approx(stated.value)
    assert checks.rerank_share_on_small_model(answer_tokens=0) == pytest.approx(0.6624, abs=1e-4)


def test_the_saving_of_routing_names_both_models() -> None:
    row = claims.get("self-route-saving")
    assert (row.low, row.high) == (0.39, 0.65) and "GPT-4o" in row.statement


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert set(claims.MARKS) == set(get_args(claims.Verdict))
    assert len(set(claims.MARKS.values())) == len(claims.MARKS)


def test_a_measured_row_has_a_check_and_is_told_from_one_without_a_source() -> None:
    rows = [row for row in ledger() if row.kind == "measured"]
    assert len(rows) >= 10 and all(row.check and row.evidence == "measured" for row in rows)
    line = claims.ledger_table([claims.get("measured-fusion-lift")]).splitlines()[-1]
    assert "our experiment" in line and "no source" not in line
