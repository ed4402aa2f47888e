"""The only door to `data/`: each CSV is a table of frozen, validated rows.

A table is a `Row` subclass that names its file: `class UnitRow(Row, table="units", key=("unit",))`.
That line is all `load`, `schema` and `dictionary` need, in whatever module of the package it stands.
"""

import csv
import difflib
import functools
import importlib
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
DATA = _CHECKOUT / "data" if (_CHECKOUT / "pyproject.toml").exists() else _PACKAGE / "_data"
"""Folder of the CSV files: `data/` in a source checkout, else the copy inside the installed package."""

TABLES: dict[str, type["Row"]] = {}
"""The tables of the modules imported so far: name (the path under `data/` without `.csv`) to row model."""


class DataError(ValueError):
    """A fault in `data/`. The message names the file, and where it applies line, field, value and range."""


class Row(BaseModel):
    """One line of a CSV file. Its fields are the file's columns, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, *, table: str, key: tuple[str, ...]) -> None:
        super().__init_subclass__()
        cls.TABLE, cls.KEY = table, key
        TABLES[table] = cls


@dataclass(frozen=True)
class References:
    """Marks a column whose values must occur in a column of another table."""

    table: str
    column: str


def _iso_date(value: object) -> object:
    if isinstance(value, str):
        try:
            parsed = date.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is None or parsed.isoformat() != value:
            raise ValueError("must be a date as YYYY-MM-DD")
    return value


def _spelled(pattern: str, words: str) -> Any:
    return Field(pattern=pattern, json_schema_extra={"allowed": words})


@dataclass(frozen=True)
class MayLieAhead:
    """Marks a date that may lie in the future; any other date of `data/` has passed."""


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Text = Annotated[str, _spelled(r"^\S(.*\S)?$", "text without outer spaces, not blank")]
Slug = Annotated[str, _spelled(r"^[a-z0-9]+([.-][a-z0-9]+)*$", "lower-case words joined by - or .")]
Identifier = Annotated[str, _spelled(r"^[a-z][a-z0-9_]*$", "lower-case words joined by _")]
Source = Annotated[
    str,
    _spelled(
        r"^(https://\S+|[a-z0-9-]+ \d+(\.\d+)+ \(released \d{4}-\d{2}-\d{2}\))$",
        "an https:// address, or a library as 'name 1.2.3 (released YYYY-MM-DD)'",
    ),
]
Unit = Annotated[str, References("units", "unit")]
Words = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(filter(None, str(text).split(";"))))]


# ------------------------------------------------------------------------------------------------ tables


class TableRow(Row, table="tables", key=("table",)):
    """How many rows each table has, so that a lost one is noticed. Written by `make data`."""

    table: Text = Field(description="Path of the file under data/, without .csv.")
    rows: int = Field(gt=0, description="Lines that are rows.")


class UnitRow(Row, table="units", key=("unit",)):
    """The units that numbers in `data/` may carry."""

    unit: Text = Field(description="The unit as other tables write it.")
    words: Words = Field(description="How prose writes it; forms joined by semicolons.")
    meaning: Text = Field(description="What one of it is.")


class AssumptionRow(Row, table="assumptions", key=("name",)):
    """Inputs of the cost model that are not prices: a base value, a likely range and an allowed range."""

    name: Identifier = Field(description="The input's name in formulas and scenario files.")
    label: Text = Field(description="The same in plain English, for calculators.")
    group: Literal[
        "traffic", "tokens", "retrieval", "agentic search", "fine-tuning", "serving", "people", "evaluation"
    ] = Field(description="Where a calculator lists it.")
    kind: Literal["workload", "decision", "uncertain"] = Field(
        description="Given by the workload, chosen by the reader, or not known well."
    )
    unit: Unit = Field(description="Unit of all five numbers.")
    minimum: float = Field(description="Lowest value a scenario may give.")
    low: float = Field(description="Low end of the likely range.")
    base: float = Field(description="The value used unless a scenario says otherwise.")
    high: float = Field(description="High end of the likely range.")
    maximum: float = Field(description="Highest value a scenario may give.")
    log_scale: bool = Field(description="Whether draws and sliders are spaced by ratio.")
    draw: int | None = Field(
        ge=0, description="Its place among the draws, never given to another; blank if it is not drawn."
    )
    source_kind: Literal["cited", "assumption", "seed", "measured_by_third_party"] = Field(
        description="Cited, our assumption, taken from the source document, or measured by someone else."
    )
    source: Source | None = Field(description="Address of the source, if there is one.")
    as_of: IsoDate | None = Field(description="When the source was read or published.")
    note: str = Field(description="Why this value, or what the source says.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _ascending(self, "minimum", "low", "base", "high", "maximum")
        if (self.draw is not None) != (self.kind == "uncertain"):
            raise ValueError(
                f"draw = {self.draw}: must be given for an uncertain assumption and for no other"
            )
        if self.log_scale and self.low <= 0:
            raise ValueError(f"low = {self.low:g}: must be > 0 on a log scale")
        if self.source_kind in ("cited", "measured_by_third_party") and not (self.source and self.as_of):
            raise ValueError("source or as_of is blank: a cited value needs both")
        return self


class ThroughputRow(Row, table="throughput", key=("model", "gpu", "input_tokens", "output_tokens", "as_of")):
    """Requests per second that one GPU served within a latency target, by shape of request."""

    model: Text = Field(description="Model and precision.")
    gpu: Text = Field(description="GPU.")
    input_tokens: int = Field(gt=0, description="Prompt tokens per request.")
    output_tokens: int = Field(gt=0, description="Generated tokens per request.")
    requests_per_second: float = Field(gt=0, description="Completed requests per second on one GPU.")
    as_of: IsoDate = Field(description="When it was measured or published.")
    source_kind: Literal["third_party_measurement", "official"] = Field(
        description="Someone else's measurement, or the maker's own."
    )
    source: Source = Field(description="Address of the measurement.")
    note: str = Field(description="Conditions.")


# ----------------------------------------------------------------------------------------------- reading

R = TypeVar("R", bound=Row)


@functools.cache
def load(name: str) -> tuple[Any, ...]:
    """All rows of `data/<name>.csv`, in file order, as its row model's instances.

    Raises `DataError` for an unknown table, a missing or broken file, a bad header, a bad row, or another
    number of rows than `data/tables.csv` says.
    """
    rows = read(DATA / f"{name}.csv", table(name))
    if name != TableRow.TABLE:
        _check_count(name, len(rows))
    return rows


def _check_count(name: str, found: int) -> None:
    counts = {row.table: row.rows for row in load(TableRow.TABLE)}
    if found != counts.get(name):
        stated = f"{counts[name]} in" if name in counts else "missing from"
        raise DataError(
            f"data/{name}.csv: rows = {found}: {stated} data/tables.csv; if rows were meant to be added or "
            "removed, run `make data`"
        )


def tables() -> dict[str, type[Row]]:
    """Every table of the package by name, in order. Imports the modules that define one."""
    for path in _PACKAGE.rglob("*.py"):
        if ", table=" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(("ragvsft", *path.relative_to(_PACKAGE).with_suffix("").parts)))
    return dict(sorted(TABLES.items()))


def table(name: str) -> type[Row]:
    """The row model of a table. Raises `DataError` with the nearest name if there is none."""
    if name not in TABLES and name not in tables():
        raise DataError(f"table = {name!r}: must be one of {', '.join(tables())}{nearest(name, TABLES)}")
    return TABLES[name]


def nearest(name: str, known: Any) -> str:
    """`; did you mean 'x'?` for the closest of `known`, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def read(path: Path, model: type[R]) -> tuple[R, ...]:
    """Rows of one CSV file checked against `model`. Raises `DataError` at the first fault."""
    shown = f"data/{model.TABLE}.csv"
    rows: dict[tuple[Any, ...], tuple[int, R]] = {}
    for line, cells in _records(path, shown, list(model.model_fields)):
        row = parse_row(f"{shown}:{line}", cells, model)
        key = tuple(getattr(row, column) for column in model.KEY)
        if key in rows:
            named = ", ".join(f"{column} = {value}" for column, value in zip(model.KEY, key, strict=True))
            raise DataError(f"{shown}:{line}: {named}: already on line {rows[key][0]}; must be unique")
        rows[key] = line, row
    return tuple(row for _, row in rows.values())


def _records(path: Path, shown: str, columns: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{shown}: no such file; must exist in {path.parent}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{shown}: byte {error.start} is not UTF-8; must be UTF-8 text") from None
    if text.startswith("\ufeff"):
        raise DataError(f"{shown}:1: starts with a byte order mark; must be UTF-8 without one")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, [])
        if header != columns:
            raise DataError(f"{shown}:1: header = {cut(','.join(header))}: must be {','.join(columns)}")
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) != len(columns):
                raise DataError(
                    f"{shown}:{line}: {len(cells)} cells: must be {len(columns)}, as in the header"
                )
            yield line, dict(zip(columns, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{shown}:{line}: broken CSV: {error}") from None


MARKUP = re.compile(r"<[A-Za-z/!?]")
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


@functools.cache
def _numeric(model: type[Row]) -> frozenset[str]:
    return frozenset(
        name for name in model.model_fields if _shape(model, name).get("type") in ("number", "integer")
    )


def parse_row(where: str, cells: dict[str, str], model: type[R]) -> R:
    """One row from its cells as text. Raises `DataError`, which begins with `where`, at the first fault."""
    for column, text in cells.items():
        if markup := MARKUP.search(text):
            raise DataError(f"{where}: {column} = {cut(text)}: must hold no markup ({markup[0]!r})")
        if column in _numeric(model) and text and not NUMBER.fullmatch(text):
            raise DataError(f"{where}: {column} = {cut(text)}: must be {allowed(model, column)}")
    values = {
        column: None if text == "" and _optional(model.model_fields[column]) else text
        for column, text in cells.items()
    }
    try:
        row = model.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{where}: {_complaint(error.errors()[0], cells, model)}") from None
    for column, field in model.model_fields.items():
        for reference in filter(lambda mark: isinstance(mark, References), field.metadata):
            known = {getattr(other, reference.column) for other in load(reference.table)}
            if (value := getattr(row, column)) not in known:
                hint = nearest(value, known)
                said = f"{column} = {cut(str(value))}: must be {allowed(model, column)}{hint}"
                raise DataError(f"{where}: {said}")
    return row


def cut(text: str, longest: int = 80) -> str:
    """A text for an error message: what is long loses its middle."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]} ({len(text):,} characters)"


def _optional(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)


def _complaint(error: ErrorDetails, cells: dict[str, str], model: type[Row]) -> str:
    if not error["loc"]:
        return str(error["ctx"]["error"])
    column = str(error["loc"][0])
    if error["type"] == "value_error":
        return f"{column} = {cut(cells[column])}: {error['ctx']['error']}"
    outside = error["type"].startswith(("greater_than", "less_than"))
    must = _bounds(_shape(model, column)) if outside else allowed(model, column)
    return f"{column} = {cut(cells[column])}: must be {must}"


def _ascending(row: Row, *columns: str) -> None:
    given = [(column, getattr(row, column)) for column in columns if getattr(row, column) is not None]
    for (lower, below), (column, value) in itertools.pairwise(given):
        if below > value:
            raise ValueError(f"{lower} = {below:g}: must be ≤ {column} = {value:g}")


# ------------------------------------------------------------------------------------- schema, dictionary


def schema(name: str) -> dict[str, Any]:
    """JSON Schema of one row of a table."""
    return table(name).model_json_schema()


@dataclass(frozen=True)
class Column:
    """One line of the data dictionary."""

    table: str
    column: str
    allowed: str
    may_be_blank: bool
    meaning: str


def dictionary() -> tuple[Column, ...]:
    """Every column of every table, from the row models: the data dictionary."""
    return tuple(
        Column(name, column, allowed(model, column), _optional(field), field.description or "")
        for name, model in tables().items()
        for column, field in model.model_fields.items()
    )


def allowed(model: type[BaseModel], field: str) -> str:
    """What a field accepts, in words: `a number ≥ 0`, `one of open, closing, closed`."""
    for mark in model.model_fields[field].metadata:
        if isinstance(mark, References):
            return f"in column {mark.column} of data/{mark.table}.csv"
    shape = _shape(model, field)
    if "allowed" in shape:
        return str(shape["allowed"])
    if "const" in shape:
        return str(shape["const"])
    if "enum" in shape:
        return f"one of {', '.join(map(str, shape['enum']))}"
    return f"{_TYPE_NAMES[shape.get('format', shape['type'])]} {_bounds(shape)}".strip()


_TYPE_NAMES = {
    "number": "a finite number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date as YYYY-MM-DD",
    "string": "text",
    "array": "texts joined by semicolons",
}
_SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _shape(model: type[BaseModel], field: str) -> dict[str, Any]:
    described: dict[str, Any] = model.model_json_schema()["properties"][field]
    options = described.get("anyOf", [described])
    return next(described | option for option in options if option.get("type") != "null")


def _bounds(shape: dict[str, Any]) -> str:
    return " and ".join(f"{sign} {shape[bound]:g}" for bound, sign in _SIGNS.items() if bound in shape)


def dictionary_markdown() -> str:
    """The data dictionary as Markdown: for every table its purpose, its key and its columns."""
    columns = dictionary()
    blocks = []
    for name, model in tables().items():
        purpose = " ".join((model.__doc__ or "").split())
        lines = [f"### {name}.csv", "", f"{purpose} Key: {', '.join(model.KEY)}.", ""]
        lines += ["| column | what it holds | allowed |", "| --- | --- | --- |"]
        for column in columns:
            if column.table == name:
                allowed_values = column.allowed + ", or blank" * column.may_be_blank
                lines.append(f"| `{column.column}` | {column.meaning} | {allowed_values} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def write_counts() -> None:
    """Rewrite `data/tables.csv` from the files as they are. Raises `DataError` if one is no CSV file."""
    counts = {
        name: sum(1 for _ in _records(DATA / f"{name}.csv", f"data/{name}.csv", list(model.model_fields)))
        for name, model in tables().items()
        if name != TableRow.TABLE
    }
    lines = "".join(f"{name},{count}\n" for name, count in counts.items())
    (DATA / "tables.csv").write_text(f"table,rows\n{lines}", encoding="utf-8")
    load.cache_clear()


def write_dictionary() -> None:
    """Rewrite the generated part of `data/README.md`, below its heading `## Columns`."""
    page = DATA / "README.md"
    head, heading, _ = page.read_text(encoding="utf-8").partition("## Columns\n")
    page.write_text(f"{head}{heading}\n{dictionary_markdown()}", encoding="utf-8")
