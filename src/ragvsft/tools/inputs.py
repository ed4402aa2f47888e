"""Everything that people edit, loaded in seconds: the tables, the bibliography and the notebooks.

`python -m ragvsft.tools.inputs` names every fault in one line each, and then exits with 1. `make site` and
`make check` run it first, so that no fault in the data has to be found among the messages of a build.
`--write` counts the rows of `data/` again and rewrites its dictionary; then it checks as well.
"""

import ast
import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml
from pybtex.database import parse_string
from pybtex.exceptions import PybtexError

from ragvsft import data
from ragvsft.data import DataError, MayLieAhead, Row, cut, nearest

CITES = "citation"
"""Columns of this name hold keys of references.bib."""
BEARS_ON = "claims"
"""Columns of this name hold ids of data/claims.csv."""
LEADS_TO = ("chapter", "see", "from", "to")
"""Columns of these names hold chapters: `cost/break-even`, or `index`."""
CHECK = "check"
"""A column of this name holds `module:function`, or is blank."""
TIME_ZONE_FURTHEST_AHEAD = timezone(timedelta(hours=14))


def findings(root: Path, latest: date) -> list[str]:
    """Every fault in the book's inputs below `root`, one line each; `latest` is the newest date allowed."""
    faults = [*_stray_files(), *notebook_faults(root), *contents_faults(root)]
    keys = None
    try:
        keys = bibliography_keys(root)
    except DataError as error:
        faults.append(str(error))
    for name in data.tables():
        try:
            for row in data.load(name):
                said = row_faults(row, root, keys, latest)
                faults += [f"data/{name}.csv: {_key(row)}: {each}" for each in said]
        except DataError as error:
            faults.append(str(error))
    lines = list(dict.fromkeys(" ".join(fault.split()) for fault in faults))
    return [line for line in lines if not any(line != other and line.endswith(other) for other in lines)]


def row_faults(row: Row, root: Path, citations: Iterable[str] | None, latest: date) -> Iterator[str]:
    """What a sound row says of the rest of the book that is not so; without `citations` none is looked up."""
    for column, value in row:
        if column == CITES and citations is not None:
            for key in value if isinstance(value, tuple) else [value]:
                if key not in citations:
                    yield f"{column} = {cut(key)}: must be a key of references.bib{nearest(key, citations)}"
        elif column == BEARS_ON:
            for claim in value:
                if claim not in (ids := _claims()):
                    yield f"{column} = {cut(claim)}: must be an id of data/claims.csv{nearest(claim, ids)}"
        elif column in LEADS_TO and not _notebook(root, value).is_file():
            yield f"{column} = {cut(value)}: must be a chapter{nearest(value, _chapters(root))}"
        elif column == CHECK and value and (reason := _missing(value)):
            yield f"{column} = {cut(value)}: {reason}"
        elif type(value) is date and value > latest and not _may_lie_ahead(row, column):
            yield f"{column} = {value}: lies in the future; must be at most {latest}"


def notebook_faults(root: Path) -> Iterator[str]:
    """Notebooks that are none, or whose code is no Python."""
    for path in [*root.glob("index.ipynb"), *sorted(root.glob("chapters/**/*.ipynb"))]:
        shown = path.relative_to(root).as_posix()
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            cells = [
                (cell["id"], cell["cell_type"], "".join(cell["source"]))
                for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            ]
        except UnicodeDecodeError as error:
            yield f"{shown}: byte {error.start} is not UTF-8; must be UTF-8 text"
        except json.JSONDecodeError as error:
            yield f"{shown}:{error.lineno}: not a notebook: not JSON: {error.msg}"
        except (KeyError, TypeError, RecursionError) as error:
            yield f"{shown}: not a notebook: {type(error).__name__}: {error}"
        else:
            for name, kind, source in cells:
                try:
                    ast.parse(source if kind == "code" else "")
                except (SyntaxError, ValueError) as error:
                    yield f"{shown}: cell {name}: not Python: {error}"


def contents_faults(root: Path) -> Iterator[str]:
    """Entries of `_toc.yml` that lead to no notebook."""
    try:
        contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
        entries = [
            contents["root"],
            *(each["file"] for part in contents["parts"] for each in part["chapters"]),
        ]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        yield f"_toc.yml: cannot be read: {type(error).__name__}: {error}"
    else:
        for entry in entries:
            if not (root / f"{entry}.ipynb").is_file():
                yield f"_toc.yml: {cut(str(entry))}: no such notebook"


def _stray_files() -> Iterator[str]:
    known = data.tables()
    for path in sorted(data.DATA.rglob("*.csv")):
        if (name := path.relative_to(data.DATA).with_suffix("").as_posix()) not in known:
            yield f"data/{name}.csv: no table of this name; must have a row model{nearest(name, known)}"


def bibliography_keys(root: Path) -> list[str]:
    """The keys of references.bib. Raises DataError if it cannot be read."""
    try:
        return list(parse_string((root / "references.bib").read_text(encoding="utf-8"), "bibtex").entries)
    except (OSError, UnicodeDecodeError, PybtexError) as error:
        raise DataError(f"references.bib: cannot be read: {error}") from None


def _key(row: Row) -> str:
    return ", ".join(f"{column} = {cut(str(getattr(row, column)))}" for column in row.KEY)


def _claims() -> list[str]:
    return [str(row.id) for row in data.load("claims")]


def _notebook(root: Path, chapter: str) -> Path:
    return root / (f"chapters/{chapter}.ipynb" if "/" in chapter else f"{chapter}.ipynb")


def _chapters(root: Path) -> list[str]:
    found = (path.relative_to(root / "chapters") for path in root.glob("chapters/*/*.ipynb"))
    return sorted(path.with_suffix("").as_posix() for path in found)


def _missing(dotted: str) -> str | None:
    module, _, name = dotted.partition(":")
    try:
        function = getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return f"there is no module {module!r}; must be module:function"
    known: dict[str, Any] = vars(sys.modules[module])
    return None if callable(function) else f"{module} has no function {name!r}{nearest(name, known)}"


def _may_lie_ahead(row: Row, column: str) -> bool:
    return any(isinstance(mark, MayLieAhead) for mark in type(row).model_fields[column].metadata)


def today() -> date:
    """The latest date on Earth now, or the commit's (`SOURCE_DATE_EPOCH`) if that clock is ahead."""
    committed = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or 0), UTC).date()
    return max(committed, datetime.now(TIME_ZONE_FURTHEST_AHEAD).date())


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--write"]):
        sys.exit(f"arguments = {' '.join(arguments)}: must be none, or --write")
    if arguments:
        try:
            data.write_counts()
            data.write_dictionary()
        except DataError as error:
            sys.exit(str(error))
    faults = findings(data.DATA.parent, today())
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
