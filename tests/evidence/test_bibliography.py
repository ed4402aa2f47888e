"""Every source is complete, used, cited with a link, and read as its note says."""

import re
from collections.abc import Iterator

import pytest

from ragvsft import prose
from ragvsft.data import load
from ragvsft.evidence import bibliography
from ragvsft.evidence.ledger import ledger


def test_every_source_is_complete_and_says_how_it_was_read() -> None:
    for key, entry in bibliography.bibliography().entries.items():
        assert entry.fields["note"].startswith("read as: "), key
        assert entry.fields["url"].startswith("https://"), key
        assert bibliography.reference(key).count("(") >= 2, key


def figures() -> Iterator[tuple[str, str, str]]:
    """(table, source, how read) of every figure in the tables that cite the bibliography."""
    for row in ledger():
        yield from (("claims", key, how) for key, how in zip(row.citation, row.how_read, strict=True))
    for table in ("published_results", "paired_results", "surveys"):
        yield from ((table, row.citation, row.how_read) for row in load(table))
    summaries = (row for row in load("cases") if row.evidence == "secondary")
    yield from (("cases", "zenmldatabase", row.how_read) for row in summaries)


def test_a_source_has_one_standing() -> None:
    """No table reads a source in a way that its note does not give, so the tables cannot disagree."""
    wrong = {
        f"{table}: {key} as {how}" for table, key, how in figures() if how not in bibliography.readings(key)
    }
    assert wrong == set()


def test_a_source_that_was_only_quoted_is_secondary_everywhere() -> None:
    quoted = {key for _, key, how in figures() if bibliography.only_quoted(key)}
    assert "biderman2024" in quoted
    assert {how for _, key, how in figures() if key in quoted} == {"quotation"}


@pytest.mark.parametrize("word", ["index file", "from memory", "to check"])
def test_no_entry_speaks_of_how_the_work_was_done(word: str) -> None:
    notes = [entry.fields["note"] for entry in bibliography.bibliography().entries.values()]
    locators = [row.locator for table in ("published_results", "surveys", "cases") for row in load(table)]
    assert not [text for text in [*notes, *locators] if word in text]


@pytest.mark.parametrize(("how", "standing"), [("quotation", "secondary"), ("abstract", "primary")])
def test_only_a_quotation_is_secondary(how: bibliography.HowRead, standing: str) -> None:
    assert bibliography.evidence(how) == standing


def test_a_primary_figure_says_where_it_stands() -> None:
    bibliography.require_locator("", "quotation")
    with pytest.raises(ValueError, match="locator is blank: a figure read as full text must say where"):
        bibliography.require_locator("", "full text")


def test_every_source_is_used() -> None:
    files = [path for pattern in ("data/*.csv", "chapters/**/*.ipynb") for path in prose.root().glob(pattern)]
    text = "\n".join(path.read_text("utf-8") for path in files)
    assert [key for key in bibliography.bibliography().entries if not re.search(rf"\b{key}\b", text)] == []
