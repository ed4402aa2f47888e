"""An answered issue form as lines of a table: checked like any other row, ready to be put there.

GitHub writes the answers of a form as Markdown: `### Label`, a blank line, the answer. The labels of
the forms in `.github/ISSUE_TEMPLATE/` are columns ("As of" is `as_of`); other answers are for people.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from ragvsft import data
from ragvsft.data import DataError, Row, cut
from ragvsft.tools import inputs

NO_ANSWER = "_No response_"
HEADING = re.compile(r"^### +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"```\w*\n(.*?)\n?```", re.DOTALL)
BIBTEX_KEY = re.compile(r"@\w+\s*\{\s*([^\s,]+)\s*,")
Answers = dict[str, str]


def answers(text: str) -> Answers:
    """`{column: answer}` of an issue's text, blank where nothing was said. Raises ValueError without any."""
    _, *parts = HEADING.split(text.replace("\r\n", "\n"))
    if not parts:
        raise ValueError("the text holds no answers: it must be an issue that was written with the form")
    labels, texts = parts[::2], parts[1::2]
    if repeated := {label for label in labels if labels.count(label) > 1}:
        raise ValueError(f"{cut(min(repeated))}: is answered twice")
    pairs = zip(map(_column, labels), (answer.strip() for answer in texts), strict=True)
    return {column: "" if answer == NO_ANSWER else answer for column, answer in pairs}


def lines(kind: str, text: str, latest: date) -> str:
    """The lines of `data/` that an answered form of a kind of `FORMS` stands for.

    Raises `DataError` for an answer that no row of the table may hold, a date after `latest`, a row that
    the table has already, or a name that the book does not know; `ValueError` for a text that is no form.
    """
    form = FORMS[kind]
    model, said = data.table(form.table), answers(text)
    written = []
    for cells in form.cells(said, model):
        row: Any = data.parse_row("answers", cells, model)
        _check(row, said, latest, replaces=kind == "claim")
        written.append(cells.values())
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(written)
    return made.getvalue()


def _price(said: Answers, model: type[Row]) -> Iterable[dict[str, str]]:
    """A new price. Its item must have had one, of which it takes the unit."""
    cells = _same_columns(said, model)
    known = {row.item: getattr(row, "unit", "") for row in data.load("prices")}
    if cells["item"] not in known:
        hint = data.nearest(cells["item"], known)
        raise DataError(f"item = {cut(cells['item'])}: must be an item of data/prices.csv{hint}")
    for column, default in (("unit", known[cells["item"]]), ("currency", "USD")):
        if column in cells:
            cells[column] = cells[column] or default
    yield cells


def _claim(said: Answers, model: type[Row]) -> Iterable[dict[str, str]]:
    """The ledger's row with another verdict, finding and date, and a source more, or one read again."""
    name = said.get("claim", "")
    with (data.DATA / "claims.csv").open(encoding="utf-8", newline="") as file:
        before = {row["id"]: row for row in csv.DictReader(file)}
    if name not in before:
        hint = data.nearest(name, before)
        raise DataError(f"claim = {cut(name)}: must be an id of data/claims.csv{hint}")
    cells = before[name] | {
        column: _one_line(said.get(column, "")) for column in ("verdict", "finding", "as_of")
    }
    key = _one_line(said.get("citation", ""))
    if key:
        read = zip(*(_listed(cells[column]) for column in _CITED), strict=True)
        kept = [entry for entry in read if entry[0] != key]
        kept.append((key, _one_line(said.get("locator", "")), said.get("how_read", "")))
        columns = zip(*kept, strict=True)
        cells |= {name: ";".join(column) for name, column in zip(_CITED, columns, strict=True)}
    yield cells


_CITED = ("citation", "locator", "how_read")


def _case(said: Answers, model: type[Row]) -> Iterable[dict[str, str]]:
    yield _same_columns(said, model)


def _workload(said: Answers, model: type[Row]) -> Iterable[dict[str, str]]:
    """The numbers of a scenario file that differ from the default, a row each."""
    from ragvsft.costs import scenario as scenarios

    label = _one_line(said.get("label", ""))
    fenced = FENCED.search(said.get("scenario", ""))
    scenario = scenarios.read(fenced[1] if fenced else said.get("scenario", ""))
    base = scenarios.default().assumptions
    changed = {name: value for name, value in scenario.assumptions.items() if value != base[name]}
    if not changed:
        raise DataError(
            "scenario: every number is the default's: must change one, as in `queries_per_month = 500`"
        )
    slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    for name, value in changed.items():
        plain = int(value) if value == int(value) else value
        yield {"workload": slug, "label": label, "name": name, "value": repr(plain)}


class Form(NamedTuple):
    """The table that a kind of form fills, the cells of its rows, and what to do with the lines."""

    table: str
    cells: Callable[[Answers, type[Row]], Iterable[dict[str, str]]]
    then: str


FORMS = {
    "price": Form("prices", _price, "append this line to data/prices.csv, then run `make data`"),
    "claim": Form("claims", _claim, "put this line in place of the claim's own in data/claims.csv"),
    "case": Form("cases", _case, "append this line to data/cases.csv, then run `make data`"),
    "workload": Form(
        "workloads", _workload, "append these lines to data/workloads.csv, then run `make data`"
    ),
}


def _check(row: Any, said: Answers, latest: date, replaces: bool) -> None:
    root = data.DATA.parent
    new_sources = BIBTEX_KEY.findall(said.get("source", ""))
    known = [*inputs.bibliography_keys(root), *new_sources]
    for fault in inputs.row_faults(row, root, known, latest):
        raise DataError(f"answers: {fault}")
    key = tuple(getattr(row, column) for column in row.KEY)
    if not replaces and key in {
        tuple(getattr(one, column) for column in row.KEY) for one in data.load(row.TABLE)
    }:
        named = ", ".join(f"{column} = {value}" for column, value in zip(row.KEY, key, strict=True))
        raise DataError(f"answers: {named}: data/{row.TABLE}.csv has this row already")


def _same_columns(said: Answers, model: type[Row]) -> dict[str, str]:
    return {column: _one_line(said.get(column, "")) for column in model.model_fields}


def _listed(cell: str) -> list[str]:
    return [part for part in cell.split(";") if part]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _column(label: str) -> str:
    return re.sub(r"\W+", "_", label.lower()).strip("_")
