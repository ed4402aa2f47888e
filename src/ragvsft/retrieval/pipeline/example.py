"""An example that needs no file of yours: functions of NumPy, asked for by their docstrings' first lines.

A question here is a title and its answer the section under it, so nobody asked it: such pairs show how the
comparison works, and they are easier than people's questions. The texts are those of the installed NumPy.
"""

from __future__ import annotations

import csv
import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ragvsft.retrieval.pipeline.chunk import WORDS

TUNE, REPORT = 40, 80
SHORTEST_WORDS = 40
MODULES = ("numpy", "numpy.linalg", "numpy.fft", "numpy.random")


def write(folder: Path) -> tuple[Path, str]:
    """Write the documents into a folder; gives it with the text of questions.csv. The folder is made.

    A document is what follows the first line of a docstring, cut to one passage. Which functions are taken,
    and which of them tune, follows from the hash of their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = sorted(pairs().items(), key=lambda pair: hashlib.sha256(pair[0].encode()).hexdigest())
    rows = [["question", "document", "part"]]
    for place, (name, (summary, body)) in enumerate(chosen[: TUNE + REPORT]):
        (folder / f"{name}.txt").write_text(body + "\n", encoding="utf-8")
        rows.append([summary, f"{name}.txt", "tune" if place < TUNE else "report"])
    file = folder / "questions.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)
    return folder, file.read_text(encoding="utf-8")


def pairs() -> dict[str, tuple[str, str]]:
    """Function → its docstring's first line and what follows; a first line or text occurs once."""
    found: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    for name, text in docstrings():
        paragraphs = text.split("\n\n")
        if paragraphs[0].startswith(name.rpartition(".")[2] + "("):
            del paragraphs[0]
        summary = " ".join(paragraphs[0].split())
        words = " ".join(paragraphs[1:]).split()[:WORDS]
        body = " ".join(words)
        if len(words) < SHORTEST_WORDS or len(summary.split()) < 3 or summary in body:
            continue
        if not seen & {summary, body}:
            found[name] = summary, body
            seen |= {summary, body}
    return found


def docstrings() -> Iterator[tuple[str, str]]:
    """Every public function of `MODULES` that says what it does, by name."""
    for path in MODULES:
        module = np
        for part in path.split(".")[1:]:
            module = getattr(module, part)
        for name in sorted(vars(module)):
            item = getattr(module, name)
            if name.startswith("_") or not callable(item) or inspect.isclass(item):
                continue
            if text := inspect.getdoc(item):
                yield f"{path}.{name}", text
