"""The rule that no number is typed into prose, as a check of the chapters.

A number beside a currency, a percent sign, a multiplication sign or a unit of `data/units.csv` must come from
code: it belongs in a `say(f"...")` cell, where it carries its source. Flagged are such numbers, in digits or
words, in Markdown cells and in the literal text of `say`; code, formulas and headings are exempt, and so are
small number words beside things that prose counts ("three questions").
"""

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ragvsft.data import load

DIGITS = r"(?:\d+(?:[,.  ]\d+)*(?:[kKMB]\b)?)"
SMALL = r"(?:(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b)"
LARGE = (
    r"(?:(?:fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?"
    r"|dozens?|half an?)\b)"
)
COUNTED = {"question", "query", "document", "chunk", "example", "run", "point", "parameter"}
"""Units that are also things prose counts; their plurals too."""
ALWAYS = ("%", "×", "per cent", "percent", "percentage points?", "times")
CURRENCY = r"(?:[$€£]|US\$|USD|EUR|GBP)"
NOT_PROSE = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`\n]*`|(?<![\\$])\$\$.+?(?<!\\)\$\$|(?<![\\$\w])\$(?!\s)[^$\n]+?(?<![\s\\])\$(?!\d)"
    r"|^#{1,6} .*$|^---\n.*?\n---$|\]\([^)]*\)|<[^>\n]+>|https?://\S+",
    re.DOTALL | re.MULTILINE,
)


class Finding(NamedTuple):
    """A number typed where it should be computed."""

    path: Path
    cell: str
    text: str

    def __str__(self) -> str:
        return f'{self.path}, cell {self.cell!r}: {self.text!r}: compute it or cite it, in say(f"...")'


@functools.cache
def pattern() -> re.Pattern[str]:
    """Matches a number beside a currency, a sign or a unit of `data/units.csv`."""
    units = {word for row in load("units") for word in row.words if word != "$"} | {*ALWAYS}
    counted = {
        unit for unit in units if unit in COUNTED or unit.removesuffix("s") in COUNTED or unit == "queries"
    }
    big, any_size = rf"(?:{DIGITS}|{LARGE})", rf"(?:{DIGITS}|{LARGE}|{SMALL})"
    before = rf"(?<!\w){CURRENCY}\s*{any_size}"
    return re.compile(
        rf"{before}|{_beside(any_size, units - counted)}|{_beside(big, counted)}", re.IGNORECASE
    )


def _beside(number: str, units: set[str]) -> str:
    """A number, a range or a number in several words, then a unit; "per million tokens" is itself a unit."""
    longest_first = "|".join(map(re.escape, sorted(units, key=lambda unit: (-len(unit), unit))))
    joined = rf"{number}(?:(?:[-–]|\s+to\s+|\s+and\s+|\s+){number})*"
    return rf"(?<![\w.])(?<!per ){joined}[\s-]*(?:{longest_first})(?!\w)"


def typed_numbers(markdown: str) -> list[str]:
    """The numbers that a Markdown text should not have typed, as written."""
    prose = NOT_PROSE.sub(" ", markdown).replace(r"\$", "$")
    return [match[0].strip() for match in pattern().finditer(prose)]


def check(path: Path) -> list[Finding]:
    """Every typed number in a notebook's Markdown cells and in the literal text of its `say` calls."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        Finding(path, cell["id"], text)
        for cell in cells
        for prose in _prose(cell["cell_type"], "".join(cell["source"]))
        for text in typed_numbers(prose)
    ]


def _prose(cell_type: str, source: str) -> Iterator[str]:
    if cell_type == "markdown":
        yield source
    elif cell_type == "code":
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and _name(node.func) == "say":
                yield from _literals(node)


def _literals(node: ast.AST) -> Iterator[str]:
    """The typed texts in an expression, with a gap where an f-string puts a value in.

    Looks into tables, lists, sums and joins, not into other calls and look-ups: their strings are names.
    """
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call) and _name(node.func) not in ("say", "table", "join"):
        return
    elif not isinstance(node, ast.Subscript):
        for child in ast.iter_child_nodes(node):
            yield from _literals(child)


def _name(function: ast.AST) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def notebooks(root: Path) -> list[Path]:
    """The landing page and every chapter."""
    return [*root.glob("index.ipynb"), *sorted(root.glob("chapters/**/*.ipynb"))]
