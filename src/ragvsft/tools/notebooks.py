"""The one form in which notebooks are committed: no outputs, known metadata, stable readable cell ids.

`python -m ragvsft.tools.notebooks PATH...` puts notebooks, or all in a folder, into that form; `--check` only
names those that differ, and then exits with 1. Layout is Jupyter's own: saving in Jupyter changes no line.
`--new chapters/part/its-name.ipynb` writes a chapter to begin with. `--text PATH` prints a notebook's prose
and code with a line before each cell: `make hooks` has git compare notebooks in that form.
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
CHAPTER = re.compile(r"chapters/([a-z]+(?:-[a-z]+)*/[a-z0-9]+(?:-[a-z0-9]+)*)\.ipynb")
TEMPLATE = Path(__file__).with_name("chapter.ipynb")
UNWRITTEN = re.compile("write here", re.IGNORECASE)
"""What the template says wherever its author has something to say: no finished chapter does."""


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


def new(path: Path) -> str:
    """The text of a new chapter at `path`, below the book's folder. Raises ValueError for another place."""
    found = CHAPTER.fullmatch(path.as_posix())
    if not found:
        raise ValueError(f"path = {path}: must be chapters/part/its-name.ipynb, in lower case")
    title = path.stem.replace("-", " ").capitalize()
    text = TEMPLATE.read_text(encoding="utf-8")
    return normalise(text.replace("{title}", title).replace("{chapter}", found[1]))


def as_text(text: str) -> str:
    """A notebook's prose and code as lines that `git diff` can show. Raises ValueError if it is none."""
    blocks = [
        f"=== {cell['cell_type']} {cell.get('id', '')}\n{source(cell).rstrip()}\n"
        for cell in json.loads(text)["cells"]
    ]
    return "\n".join(blocks)


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["--new"], ["--text"]) and len(arguments) == 2:
        return _one(*arguments)
    check = "--check" in arguments
    differing = 0
    for path in find(Path(argument) for argument in arguments if argument != "--check"):
        before = path.read_text(encoding="utf-8")
        try:
            after = normalise(before)
        except (ValueError, KeyError) as error:
            sys.exit(f"{path}: not a notebook: {error!r}")
        if check and UNWRITTEN.search(before):
            differing += 1
            print(f"{path}: still says {UNWRITTEN.pattern!r}")
        if before == after:
            continue
        differing += 1
        print(f"{path}: " + ("not in the committed form: run `make notebooks`" if check else "normalised"))
        if not check:
            path.write_text(after, encoding="utf-8")
    return int(check and differing > 0)


def _one(option: str, name: str) -> int:
    path = Path(name)
    try:
        if option == "--text":
            print(as_text(path.read_text(encoding="utf-8")), end="")
        else:
            text = new(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except FileExistsError:
        sys.exit(f"{path}: exists already")
    except (ValueError, KeyError, TypeError, OSError) as error:
        sys.exit(str(error) if option == "--new" else f"{path}: not a notebook: {error!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
