"""The rule that no number is typed into prose, as a check of the chapters and of the modules that they use.

Every number comes from code: it belongs in a `say(f"...")` cell, where it carries its source. Flagged are
numbers in digits or large number words beside anything, small number words beside a currency, a percent
sign, a multiplication sign or a unit of `data/units.csv`, fractions ("a tenth"), frequencies ("twice a
year"), bounds ("within the hour") and years, wherever a reader meets them: in Markdown cells, in the
literal text of `say`, in the texts of charts and in those of modules. Code, formulas and headings are
exempt, and so are small number words beside things that prose counts ("three questions").
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
READ_BY_PEOPLE = ("chapters", "widgets", "evidence")
"""Rooms of the package whose texts a reader sees."""
PERIOD = "(?:minute|hour|day|week|fortnight|month|quarter|year)"
ANYWHERE = re.compile(
    "|".join(
        (
            rf"\b{LARGE}",  # fifty passages, hundreds of retellings
            r"\b(?:a|one|two|three)\s+(?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|hundredth)s?\b",
            rf"\b(?:once|twice|{SMALL}\s+times|\d+\s+times)\s+(?:an?|each|every|per)\s+{PERIOD}\b",
            rf"\b(?:within|in\s+under)\s+(?:the|an?|one)\s+{PERIOD}\b",
            rf"\b{SMALL}\s+(?:percentage\s+)?points?\b",
            r"\b(?:19|20)\d\d\b",
            r"(?<![\w.,:+-])\d+(?:[,.]\d+)*(?![\w:-]|[,.]\d)",  # any number by itself
        )
    ),
    re.IGNORECASE,
)
NAMES = (
    "Table Figure Section Chapter Part Article Appendix Equation Python Claude Sonnet Opus Haiku Fable Gemini"
    " Flash Pro Lite Turbo Llama GPT Qwen Mistral Gemma Phi Orca StableLM PaLM BY"
)
NAMED = re.compile(rf"\b(?:{'|'.join(NAMES.split())}|table|figure|chapter)\s+\d+(?:\.\d+)*(?![\w%×,])")
"""A name with its number: Table 2, Python 3.11, Sonnet 4.6."""
NUMBER_IS_NO_FIGURE = re.compile(r"^\s*\d+\. |\b(?:a|per) million tokens\b|\b95% intervals?\b", re.MULTILINE)
"""The number of a list's entry, the unit of a price, and the name of the interval that the book prints."""
EXPRESSION = re.compile(r"datum\.|LN10|width /|max\(|regexp\(|length\(|test\(|tabindex=")
"""What Vega computes, and markup, is not read."""
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


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
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


def typed_numbers(markdown: str) -> list[str]:
    """The numbers that a Markdown text should not have typed, as written, in their order."""
    prose = NUMBER_IS_NO_FIGURE.sub(" ", NOT_PROSE.sub(" ", markdown)).replace(r"\$", "$")
    found = {match.span(): match[0] for match in pattern().finditer(prose)}
    unnamed = NAMED.sub(lambda name: "_" * len(name[0]), prose)
    for match in ANYWHERE.finditer(unnamed):
        if not any(start <= match.start() < end for start, end in found):
            found[match.span()] = match[0]
    return [text.strip() for _, text in sorted(found.items())]


def check(path: Path) -> list[Finding]:
    """Typed numbers in a notebook's prose and chart texts, or in the texts of a module."""
    if path.suffix == ".py":
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return [*_findings(path, texts(tree)), *_disguised(path, None, tree)]
    found: list[Finding] = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found += [Finding(path, cell["id"], text) for text in typed_numbers(source)]
        elif cell["cell_type"] == "code":
            tree = ast.parse(source)
            prose = [(cell["id"], text) for text in _said(tree)]
            prose += [(cell["id"], text) for _, text in _chart_texts(tree)]
            found += [*_findings(path, iter(prose)), *_disguised(path, cell["id"], tree)]
    return found


def _disguised(path: Path, cell: str | None, tree: ast.AST) -> Iterator[Finding]:
    """Numbers typed into a formatter: `count(248)` is as typed as 248."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _name(node.func) in FORMATTERS and node.args):
            continue
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, (int, float)):
            yield Finding(path, cell or f"line {node.lineno}", ast.unparse(node))


def _findings(path: Path, prose: Iterator[tuple[str, str]]) -> Iterator[Finding]:
    for place, text in dict.fromkeys(prose):
        yield from (Finding(path, place, number) for number in typed_numbers(text))


FORMATTERS = {"number", "usd", "percent", "count", "months", "ms"}
CHART_TEXTS = {"title", "subtitle", "description", "text", "label", "caption", "help", "note"}


def texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(line, text) of what a module says to readers: chart texts, and every literal of three words or more.

    Docstrings, messages of exceptions, keys of dictionaries and what is compared with are not for readers.
    """
    skipped = {id(part) for node in ast.walk(tree) for part in _not_for_readers(node)}
    for place, text, node in _strings(tree, skipped):
        if EXPRESSION.search(text):
            continue
        if id(node) not in skipped and len(re.findall(r"[A-Za-z’']+", text)) >= 3:
            yield place, text
    for place, text in _chart_texts(tree):
        if len(re.findall(r"[A-Za-z’']+", text)) < 3:
            yield place, text


def _strings(tree: ast.AST, skipped: set[int]) -> Iterator[tuple[str, str, ast.AST]]:
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield f"line {node.lineno}", next(_literals(node)), node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield f"line {node.lineno}", node.value, node


def _not_for_readers(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, (ast.Raise, ast.Compare)):
        yield from ast.walk(node)
    elif isinstance(node, ast.Dict):
        yield from (part for key in node.keys if key for part in ast.walk(key))


def _chart_texts(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in CHART_TEXTS:
            yield from ((f"line {node.value.lineno}", text) for text in _literals(node.value))


def modules(root: Path) -> list[Path]:
    """The modules of the package whose texts a reader sees."""
    return [path for room in READ_BY_PEOPLE for path in sorted((root / "src/ragvsft" / room).rglob("*.py"))]
