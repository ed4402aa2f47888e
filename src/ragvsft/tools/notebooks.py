"""The one form in which notebooks are committed: no outputs, known metadata, stable readable cell ids.

`python -m ragvsft.tools.notebooks PATH...` puts notebooks, or all in a folder, into that form; `--check` only
names those that differ, and then exits with 1. Layout is Jupyter's own: saving in Jupyter changes no line.
"""

import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ragvsft.chapters import METADATA

READABLE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?")
LONGEST_ID = 40


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The notebooks among `paths` and in the folders among them, each folder's in order of name."""
    for path in paths:
        found = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        yield from (notebook for notebook in found if ".ipynb_checkpoints" not in notebook.parts)


def normalise(text: str) -> str:
    """The committed form of a notebook's JSON text: blank cells go, ids that a person chose stay."""
    cells = [cell for cell in json.loads(text)["cells"] if source(cell).strip()]
    ids = unique(readable_id(cell) for cell in cells)
    notebook = {
        "cells": [clean(cell, name) for cell, name in zip(cells, ids, strict=True)],
        "metadata": METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def clean(cell: dict[str, Any], name: str) -> dict[str, Any]:
    tags = cell["metadata"].get("tags")
    cleaned = {
        "cell_type": cell["cell_type"],
        "id": name,
        "metadata": {"tags": tags} if tags else {},
        "source": source(cell).strip("\n").splitlines(keepends=True),
    }
    return cleaned | {"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else cleaned


def readable_id(cell: dict[str, Any]) -> str:
    """The cell's own id, unless it is missing or an editor drew it at random: then its first words."""
    own: str = cell.get("id", "")
    if READABLE_ID.fullmatch(own) and not RANDOM_ID.fullmatch(own):
        return own
    words = "-".join(re.findall(r"[a-z0-9]+", source(cell).lower()))
    return words[:LONGEST_ID].strip("-") or cell["cell_type"]


def unique(names: Iterable[str]) -> list[str]:
    """The same names, each repetition with the first free number from 2 on."""
    taken: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        taken[next(each for each in itertools.chain([name], numbered) if each not in taken)] = None
    return list(taken)


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    differing = 0
    for path in find(Path(argument) for argument in arguments if argument != "--check"):
        before = path.read_text(encoding="utf-8")
        try:
            after = normalise(before)
        except (ValueError, KeyError) as error:
            sys.exit(f"{path}: not a notebook: {error!r}")
        if before == after:
            continue
        differing += 1
        print(f"{path}: " + ("not in the committed form: run `make notebooks`" if check else "normalised"))
        if not check:
            path.write_text(after, encoding="utf-8")
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
