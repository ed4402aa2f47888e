"""A fault is planted in the book's inputs: the check names it in one line, and once it is mended is clean."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ragvsft import data
from ragvsft.tools import inputs

ROOT = Path(__file__).parents[2]
TODAY = date(2100, 1, 1)
Plant = Callable[[Path], None]


def forget() -> None:
    """Empty every cache of the package, as a new process would find them."""
    for name, module in list(sys.modules.items()):
        if name == "ragvsft" or name.startswith("ragvsft."):
            for value in vars(module).values():
                if clear := getattr(value, "cache_clear", None):
                    clear()


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book's inputs, to break."""
    folder = tmp_path_factory.mktemp("book")
    for name in ("data", "chapters"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("index.ipynb", "_toc.yml", "references.bib"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def book(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(data, "DATA", copied / "data")
    forget()
    yield copied
    forget()


def found(book: Path, latest: date = TODAY) -> list[str]:
    forget()
    return inputs.findings(book, latest)


def replaced(name: str, old: str, new: str) -> Plant:
    """A file with the first `old` made `new`."""

    def plant(book: Path) -> None:
        before = (book / name).read_text(encoding="utf-8")
        assert old in before, f"{name} holds no {old!r}: plant another fault"
        (book / name).write_text(before.replace(old, new, 1), encoding="utf-8")

    return plant


def cell(table: str, column: str, value: str, row: int = 1) -> Plant:
    """A table with one cell of one row changed, without touching the rest."""

    def plant(book: Path) -> None:
        path = book / "data" / f"{table}.csv"
        rows = data._records(path, path.name, list(data.table(table).model_fields))
        line, cells = next(each for number, each in enumerate(rows, 1) if number == row)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        changed = ",".join(f'"{text}"' for text in (cells | {column: value}).values())
        path.write_text("".join([*lines[: line - 1], changed + "\n", *lines[line:]]), encoding="utf-8")

    return plant


def without_last_row(name: str) -> Plant:
    def plant(book: Path) -> None:
        lines = (book / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (book / name).write_text("".join(lines[:-1]), encoding="utf-8")

    return plant


def removed(name: str) -> Plant:
    return lambda book: (book / name).unlink()


def content(name: str, written: bytes) -> Plant:
    def plant(book: Path) -> None:
        (book / name).write_bytes(written)

    return plant


CHAPTER = "chapters/cost/break-even.ipynb"
FAULTS: dict[str, tuple[str, Plant, str]] = {
    "a missing table": (
        "data/offers.csv",
        removed("data/offers.csv"),
        "data/offers.csv: no such file; must exist in {book}/data",
    ),
    "a table cut at a row's end": (
        "data/prices.csv",
        without_last_row("data/prices.csv"),
        "data/prices.csv: rows = {prices_less_one}: {prices} in data/tables.csv; if rows were meant to be "
        "added or removed, run `make data`",
    ),
    "a table cut inside a row": (
        "data/gpus.csv",
        replaced("data/gpus.csv", ",library,", "\n"),
        "data/gpus.csv:2: 4 cells: must be 6, as in the header",
    ),
    "an empty table": (
        "data/gpus.csv",
        content("data/gpus.csv", b""),
        "data/gpus.csv:1: header = : must be gpu,memory_gb,peak_tflops,as_of,source_kind,source",
    ),
    "the counts lost": (
        "data/tables.csv",
        removed("data/tables.csv"),
        "data/tables.csv: no such file; must exist in {book}/data",
    ),
    "a table that is not counted": (
        "data/tables.csv",
        replaced("data/tables.csv", "gpus,", "gpu,"),
        "data/gpus.csv: rows = {gpus}: missing from data/tables.csv; if rows were meant to be added or "
        "removed, run `make data`",
    ),
    "a table without a row model": (
        "data/price.csv",
        content("data/price.csv", b"offer\nx\n"),
        "data/price.csv: no table of this name; must have a row model; did you mean 'prices'?",
    ),
    "a header renamed": (
        "data/gpus.csv",
        replaced("data/gpus.csv", "memory_gb", "memory"),
        "data/gpus.csv:1: header = gpu,memory,peak_tflops,as_of,source_kind,source: must be "
        "gpu,memory_gb,peak_tflops,as_of,source_kind,source",
    ),
    "bytes that are not UTF-8": (
        "data/gpus.csv",
        content("data/gpus.csv", b"gpu\xff"),
        "data/gpus.csv: byte 3 is not UTF-8; must be UTF-8 text",
    ),
    "a byte order mark": (
        "data/gpus.csv",
        content("data/gpus.csv", b"\xef\xbb\xbfgpu"),
        "data/gpus.csv:1: starts with a byte order mark; must be UTF-8 without one",
    ),
    "a quote never closed": (
        "data/gpus.csv",
        replaced("data/gpus.csv", "L4", '"L4'),
        "data/gpus.csv:2: broken CSV: unexpected end of data",
    ),
    "an underscore in a number": (
        "data/gpus.csv",
        cell("gpus", "memory_gb", "1_000"),
        "data/gpus.csv:2: memory_gb = 1_000: must be a finite number > 0",
    ),
    "a number that is none": (
        "data/gpus.csv",
        cell("gpus", "memory_gb", "nan"),
        "data/gpus.csv:2: memory_gb = nan: must be a finite number > 0",
    ),
    "a number of 5,000 digits": (
        "data/gpus.csv",
        cell("gpus", "memory_gb", "9" * 5000),
        "data/gpus.csv:2: memory_gb = " + "9" * 40 + "…" + "9" * 40 + " (5,000 characters): "
        "must be a finite number > 0",
    ),
    "a number below its range": (
        "data/gpus.csv",
        cell("gpus", "memory_gb", "-3"),
        "data/gpus.csv:2: memory_gb = -3: must be > 0",
    ),
    "markup": (
        "data/glossary.csv",
        cell("glossary", "definition", "<img src=x onerror=alert(1)>"),
        "data/glossary.csv:2: definition = <img src=x onerror=alert(1)>: must hold no markup ('<i')",
    ),
    "a script's end": (
        "data/glossary.csv",
        cell("glossary", "definition", "before </script> after"),
        "data/glossary.csv:2: definition = before </script> after: must hold no markup ('</')",
    ),
    "a comment that opens a script": (
        "data/glossary.csv",
        cell("glossary", "definition", "<!--<script>"),
        "data/glossary.csv:2: definition = <!--<script>: must hold no markup ('<!')",
    ),
    "a date that never was": (
        "data/gpus.csv",
        cell("gpus", "as_of", "2026-02-30"),
        "data/gpus.csv:2: as_of = 2026-02-30: must be a date as YYYY-MM-DD",
    ),
    "a date to come": (
        "data/gpus.csv",
        cell("gpus", "as_of", "2100-01-02"),
        "data/gpus.csv: gpu = L4: as_of = 2100-01-02: lies in the future; must be at most 2100-01-01",
    ),
    "a row twice": (
        "data/gpus.csv",
        cell("gpus", "gpu", "A10"),
        "data/gpus.csv:3: gpu = A10: already on line 2; must be unique",
    ),
    "a unit that does not exist": (
        "data/assumptions.csv",
        cell("assumptions", "unit", "querys/month"),
        "data/assumptions.csv:2: unit = querys/month: must be in column unit of data/units.csv; did you mean "
        "'queries/month'?",
    ),
    "a chapter that does not exist": (
        "data/glossary.csv",
        cell("glossary", "see", "cost/break-eve"),
        "data/glossary.csv: term = abstention: see = cost/break-eve: must be a chapter; did you mean "
        "'cost/break-even'?",
    ),
    "a source that does not exist": (
        "references.bib",
        replaced("references.bib", "@inproceedings{zhang2024raft,", "@inproceedings{zhang2024rat,"),
        "citation = zhang2024raft: must be a key of references.bib; did you mean 'zhang2024rat'?",
    ),
    "a broken bibliography": (
        "references.bib",
        content("references.bib", b"@article{x, title = {never closed"),
        "references.bib: cannot be read: ",
    ),
    "a check whose function is missing": (
        "data/claims.csv",
        replaced("data/claims.csv", ":not_fine_tuned,", ":not_fine_tunde,"),
        "has no function 'not_fine_tunde'; did you mean 'not_fine_tuned'?",
    ),
    "a check whose module is missing": (
        "data/claims.csv",
        replaced("data/claims.csv", "ragvsft.", "ragvsfft."),
        "must be module:function",
    ),
    "a notebook that is not JSON": (
        CHAPTER,
        content(CHAPTER, b'{"cells": [\n'),
        f"{CHAPTER}:2: not a notebook: not JSON: Expecting value",
    ),
    "a merge left in a notebook": (
        CHAPTER,
        replaced(CHAPTER, '\n   "cell_type"', '\n<<<<<<< HEAD\n   "cell_type"'),
        f"{CHAPTER}:4: not a notebook: not JSON: Expecting property name enclosed in double quotes",
    ),
    "an empty notebook": (
        CHAPTER,
        content(CHAPTER, b""),
        f"{CHAPTER}:1: not a notebook: not JSON: Expecting value",
    ),
    "JSON that is no notebook": (
        CHAPTER,
        content(CHAPTER, b"[]"),
        f"{CHAPTER}: not a notebook: TypeError: list indices must be integers or slices, not str",
    ),
    "code that is no Python": (
        CHAPTER,
        replaced(CHAPTER, '"source": [\n    "from ', '"source": [\n    "from from '),
        f"{CHAPTER}: cell ",
    ),
    "a notebook lost": (CHAPTER, removed(CHAPTER), "_toc.yml: chapters/cost/break-even: no such notebook"),
    "a contents file that is none": (
        "_toc.yml",
        content("_toc.yml", b"root: [index"),
        "_toc.yml: cannot be read: ParserError: ",
    ),
    "an entry that leads nowhere": (
        "_toc.yml",
        replaced("_toc.yml", "cost/break-even", "cost/break-evens"),
        "_toc.yml: chapters/cost/break-evens: no such notebook",
    ),
}
DEPENDENTS = {"a notebook lost", "a source that does not exist", "a check whose module is missing"}
"""Faults that many rows meet: each row says so, in a line of its own."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_one_clear_line_and_the_mended_book_is_clean(name: str, book: Path) -> None:
    file, plant, message = FAULTS[name]
    rows = {f"{table}": len(data.load(table)) for table in ("prices", "gpus")}
    before = (book / file).read_bytes() if (book / file).exists() else None
    try:
        plant(book)
        faults = found(book)
    finally:
        (book / file).unlink(missing_ok=True) if before is None else (book / file).write_bytes(before)
    expected = message.format(book=book, prices_less_one=rows["prices"] - 1, **rows)
    assert [fault for fault in faults if expected in fault], faults
    assert len(faults) == 1 or name in DEPENDENTS, faults
    assert all(fault.isprintable() for fault in faults)
    assert found(book) == []


def test_what_is_committed_is_sound_and_dated_up_to_today() -> None:
    assert inputs.findings(ROOT, inputs.today()) == []


def test_only_dates_that_may_lie_ahead_do(book: Path) -> None:
    newest = max(row.as_of for row in data.load("offers"))
    ends = [row.ends_on for row in data.load("offers") if row.ends_on and row.ends_on > newest]
    faults = found(book, latest=newest)
    assert ends and not [fault for fault in faults if "ends_on" in fault]
    assert [fault for fault in found(book, newest - timedelta(days=1)) if "data/offers.csv" in fault]


def test_every_date_of_a_table_is_checked() -> None:
    ahead = [
        (name, column)
        for name, model in data.tables().items()
        for column, field in model.model_fields.items()
        if any(isinstance(mark, data.MayLieAhead) for mark in field.metadata)
    ]
    assert ("offers", "ends_on") in ahead and ("offers", "as_of") not in ahead


def test_make_data_counts_again_and_then_all_is_well(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (book / "data/gpus.csv").read_text(encoding="utf-8")
    counts = (book / "data/tables.csv").read_text(encoding="utf-8")
    row = "B200,180,2250,2026-09-10,library,lightning-fabric 2.6.6 (released 2026-09-10)\n"
    try:
        (book / "data/gpus.csv").write_text(before + row, encoding="utf-8")
        assert "run `make data`" in found(book)[0]
        forget()
        assert inputs.main(["--write"]) == 0
        assert len(data.load("gpus")) == len(before.splitlines())
    finally:
        (book / "data/gpus.csv").write_text(before, encoding="utf-8")
        (book / "data/tables.csv").write_text(counts, encoding="utf-8")


def test_the_command_prints_each_fault_and_fails(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inputs, "findings", lambda root, latest: ["one", "two"])
    assert inputs.main([]) == 1
    assert capsys.readouterr().err == "one\ntwo\n"


def test_tables_register_whatever_was_imported_first() -> None:
    assert importlib.import_module("ragvsft.data").tables().keys() >= {"claims", "prices", "tables"}
