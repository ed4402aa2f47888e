"""What moved between two revisions: conclusions first, then numbers, then rows of data/.

Each revision is taken out of git, and its own `snapshot` runs on its own package with the packages installed
here; a revision that has none is read with ours, and what it lacks is said. Both count the newer one's data
date as today, so that what moves is the data and the model, never the calendar.
"""

import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from ragvsft import data
from ragvsft.costs.uncertainty import TIE
from ragvsft.evidence.changes import NONE, ConclusionRow, subject, unexplained
from ragvsft.prose import number, table, without_markup
from ragvsft.tools import snapshot

HERE = "the working tree"
SHOWN = 12
"""Lines of a list that the Markdown shows; the JSON has all of them."""
UNSAID = "**no line in the changelog**"
Cell = str | float | None


@dataclass(frozen=True)
class Moved:
    """One value that differs; None where that side has none. `why` is the changelog's line on it."""

    section: str
    key: str
    before: Cell
    after: Cell
    why: str | None = None

    @property
    def name(self) -> str:
        """The conclusion's name in data/conclusions.csv."""
        return f"{self.section}/{self.key}"

    @property
    def ratio(self) -> float:
        """How many times larger or smaller, as a distance from 1; infinite for what is no two numbers."""
        pair = (self.before, self.after)
        if not all(isinstance(value, float | int) for value in pair):
            return math.inf
        before, after = (float(value) for value in pair if value is not None)
        return abs(math.log(after / before)) if before * after > 0 else math.inf


@dataclass(frozen=True)
class Rows:
    """What became of the rows of one table: their keys, and of changed ones the columns."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Diff:
    """Everything that moved from one revision to another; what one side cannot say is `not_compared`."""

    before: str
    after: str
    on: str
    conclusions: list[Moved]
    numbers: list[Moved]
    rows: dict[str, Rows]
    not_compared: dict[str, str]

    @property
    def flips(self) -> list[Moved]:
        """Conclusions that the older revision drew, and the newer one does not, or draws otherwise."""
        return [each for each in self.conclusions if each.before is not None]

    @property
    def unsaid(self) -> list[Moved]:
        """Flips without a line in the changelog."""
        return [each for each in self.flips if each.why is None]

    def as_json(self) -> dict[str, Any]:
        """The whole of it, as plain values."""
        return {"schema": snapshot.SCHEMA, **asdict(self)}


def diff(before: str, after: str, repository: Path) -> Diff:
    """Compare two revisions of a repository; blank is its working tree.

    Raises ValueError for a revision that git does not know, or that has no data.
    """
    with tempfile.TemporaryDirectory() as folder:
        trees = [_tree(name, repository, Path(folder) / str(k)) for k, name in enumerate((before, after))]
        for name, tree in zip((before, after), trees, strict=True):
            if not (tree / "data" / "prices.csv").is_file():
                raise ValueError(f"revision = {name or HERE}: has no data/prices.csv; must be of this book")
        on = snapshot.data_date(trees[1] / "data")
        taken = [_snapshot(tree, on) for tree in trees]
        rows = dict(_moved_rows(*(tree / "data" for tree in trees)))
        said = _said(*(tree / "data" / "conclusions.csv" for tree in trees))
    flips = moved(taken[0]["conclusions"], taken[1]["conclusions"])
    return Diff(
        before or HERE,
        after or HERE,
        str(on),
        [replace(each, why=said.get((each.name, each.after or ""))) for each in flips],
        sorted(moved(taken[0]["numbers"], taken[1]["numbers"]), key=lambda each: -each.ratio),
        rows,
        {
            section: f"{name or HERE}: {why}"
            for name, one in zip((before, after), taken, strict=True)
            for section, why in one["missing"].items()
        },
    )


def moved(before: Mapping[str, Mapping[str, Cell]], after: Mapping[str, Mapping[str, Cell]]) -> list[Moved]:
    """The values that differ, section by section; numbers within a relative 1e-9 are the same."""
    found = []
    for section in before:
        if section in after:
            old, new = before[section], after[section]
            keys = [*new, *(key for key in old if key not in new)]
            found += [Moved(section, key, old.get(key), new.get(key)) for key in keys]
    return [each for each in found if not _same(each.before, each.after)]


def _same(a: Cell, b: Cell) -> bool:
    if isinstance(a, float | int) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=TIE)
    return a == b


def _tree(name: str, repository: Path, folder: Path) -> Path:
    if not name:
        return repository
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.returncode:
        raise ValueError(f"revision = {name}: git does not know it in {repository.name}; must be a commit")
    paths = ("src", "data", "chapters", "references.bib", "pyproject.toml", "_toc.yml")
    commit = found.stdout.decode().strip()
    known = _git(repository, "ls-tree", "--name-only", commit, *paths).stdout.decode().split()
    archive = _git(repository, "archive", commit, *known).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    if not shutil.which("git"):
        raise ValueError("git: is not installed; two revisions cannot be told apart without it")
    return subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=False)


def _snapshot(tree: Path, on: date) -> Any:
    if not (tree / "src" / "ragvsft").is_dir():
        return {"conclusions": {}, "numbers": {}, "missing": {"everything computed": "it has no src/ragvsft"}}
    own = tree / "src" / "ragvsft" / "tools" / "snapshot.py"
    program = own if own.is_file() else Path(snapshot.__file__)
    run = subprocess.run(
        [sys.executable, "-P", program, str(on)],
        env=os.environ | {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no message"])[-1]
        return {"conclusions": {}, "numbers": {}, "missing": {"everything computed": last}}
    return json.loads(run.stdout)


def _moved_rows(before: Path, after: Path) -> Iterator[tuple[str, Rows]]:
    """Tables whose rows differ, matched by key; a table that one side lacks counts as all new or all gone."""
    for name, model in data.tables().items():
        old, new = (_by_key(folder / f"{name}.csv", model.KEY) for folder in (before, after))
        changed = {
            key: [column for column in row if row[column] != new[key].get(column)]
            for key, row in old.items()
            if key in new and row != new[key]
        }
        found = Rows([key for key in new if key not in old], [key for key in old if key not in new], changed)
        if found != Rows():
            yield name, found


def _by_key(path: Path, key: tuple[str, ...]) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {", ".join(row.get(name) or "" for name in key): row for row in csv.DictReader(file)}


def _said(before: Path, after: Path) -> dict[tuple[str, Cell], str]:
    """Conclusion and value → why, of the rows that only the newer revision's data/conclusions.csv has."""
    old, new = (_by_key(path, ConclusionRow.KEY) for path in (before, after))
    silent = {(row.conclusion, row.as_of.isoformat()) for row in unexplained()}
    rows = [row for key, row in new.items() if old.get(key) != row]
    return {
        (row["conclusion"], row["value"]): row["why"]
        for row in rows
        if (row["conclusion"], row["as_of"]) not in silent
    }


# ---------------------------------------------------------------------------------------------- Markdown


def as_markdown(found: Diff, whole: str = "") -> str:
    """The tables that a reviewer reads; `whole` says where all of a list that is cut here can be found."""
    new = [each for each in found.conclusions if each not in found.flips]
    head = [
        f"# What moved: {found.before} → {found.after}",
        f"{_many(len(found.flips), 'conclusion')} flipped, {_many(len(new), 'conclusion')} new, "
        f"{_many(len(found.numbers), 'computed number')} moved, rows of {_many(len(found.rows), 'table')} "
        f"differ. Both sides count {found.on} as today.",
    ]
    if found.unsaid:
        head.append(
            f"{_many(len(found.unsaid), 'flip')} without a line in the changelog: run `make data`, then say "
            "why in `data/conclusions.csv`."
        )
    blocks = [*head, "## Conclusions that flipped", _flips(found.flips)]
    if new:
        blocks += [
            "## New conclusions",
            _table(("", "now"), ((_named(each), _text(each.after)) for each in new), whole),
        ]
    sections = dict.fromkeys(each.section for each in found.numbers)
    for section in sections:
        lines = [each for each in found.numbers if each.section == section]
        blocks += [
            f"## Numbers: {section}",
            _table(("", "before", "after", "change"), map(_number, lines), whole),
        ]
    if found.rows:
        counted = (
            (name, str(len(rows.added)), str(len(rows.removed)), str(len(rows.changed)))
            for name, rows in found.rows.items()
        )
        blocks += ["## Rows of data/", _table(("table", "new", "gone", "changed"), counted, whole)]
    if found.not_compared:
        blocks += ["## Not compared", "\n".join(f"- {k}: {_text(v)}" for k, v in found.not_compared.items())]
    return "\n\n".join(blocks) + "\n"


def _flips(flips: list[Moved]) -> str:
    if not flips:
        return "None."
    lines = ((_named(each), *_both(each), _why(each.why)) for each in flips)
    return table(("", "before", "after", "why"), lines)


def _named(each: Moved) -> str:
    return f"{_text(subject(each.name))} (`{each.name}`)"


def _why(said: str | None) -> str:
    return UNSAID if said is None else _text(said or "recorded")


def _number(each: Moved) -> tuple[str, ...]:
    change = ""
    if math.isfinite(each.ratio):
        change = f"{100 * (float(each.after or 0) / float(each.before or 1) - 1):+.3g}%"
    return f"`{each.key}`", *_both(each), change


def _table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]], whole: str) -> str:
    kept = list(lines)
    text = table(head, kept[:SHOWN])
    if len(kept) <= SHOWN:
        return text
    rest = f"{SHOWN} of {len(kept)} are shown, the furthest moved first"
    return f"{text}\n\n{rest}; {whole or '--json prints all of them'}."


def _both(each: Moved) -> tuple[str, str]:
    """Before and after as text, with more digits where few would look the same."""
    before, after = _text(each.before), _text(each.after)
    alike = before == after and math.isfinite(each.ratio)
    return (f"{each.before:.12g}", f"{each.after:.12g}") if alike else (before, after)


def _text(value: Cell) -> str:
    if value is None or value == "":
        return NONE
    text = number(value) if isinstance(value, float | int) else value
    return without_markup(" ".join(text.split()))


def _many(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def write(found: Diff, folder: Path) -> None:
    """`diff.json` and `diff.md` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.as_json(), indent=1, ensure_ascii=False)
    (folder / "diff.json").write_text(text + "\n", encoding="utf-8")
    (folder / "diff.md").write_text(as_markdown(found, "diff.json has all of them"), encoding="utf-8")
