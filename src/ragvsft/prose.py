r"""Sentences that carry numbers: `say` shows Markdown, the formatters print values honestly rounded.

One rule for every formatter: a value that is exact in few digits prints as it is; any other is rounded to
three significant figures, or to whole units from 100 upwards. Zeros that rounding produced are kept
(``0.0320195`` prints as ``0.0320``), only zero prints as zero, and only the whole prints as 100%.
A dollar sign comes escaped (``\$``) for Markdown. JupyterLab unescapes it before MathJax looks for formulas,
so `say` also puts each into an element of its own, where it cannot pair with another.
"""

import math
import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

SIGNIFICANT = 3
MOST_DECIMALS = 60
"""A value that needs more is printed with its power of ten, as calculator.js does."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PLACE = re.compile(r"""<span(?: (?:id|class)="[\w .:-]*")*>|</span>""")


def say(markdown: str) -> None:
    """Show one Markdown paragraph, list or table as the output of a cell. HTML in it shows as text, but for
    `<span>` with an id or a class, so that no row of data becomes part of a page's markup."""
    from IPython.display import Markdown, display

    display(Markdown(without_markup(markdown).replace(r"\$", r"<span>\$</span>")))


def without_markup(markdown: str) -> str:
    """Markdown in which `<img …>` and all other tags are text: only `<span id="…" class="…">` stays a tag."""
    return _TAG.sub(lambda tag: tag[0] if _PLACE.match(markdown, tag.start()) else "&lt;", markdown)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of ready texts; every row has a cell for each column, and `|` is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def number(value: float) -> str:
    """``1340`` → "1,340"; ``0.0320195`` → "0.0320"; ``2.5`` → "2.5". Raises ValueError if not finite."""
    if not math.isfinite(value):
        raise ValueError(f"value: {value} cannot be printed; it must be a finite number")
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size >= 100 or size == int(size):
        return f"{sign}{round(size):,}"
    decimals = SIGNIFICANT - 1 - math.floor(math.log10(float(f"{size:.{SIGNIFICANT}g}")))
    if decimals > MOST_DECIMALS:
        return f"{sign}{size:.{SIGNIFICANT - 1}e}"
    while decimals > 0 and math.isclose(round(size, decimals - 1), size, rel_tol=1e-12):
        decimals -= 1
    return f"{sign}{size:,.{decimals}f}"


def usd(amount: float) -> str:
    r"""Dollars, at least to the cent below \$100: ``0.0320195`` → "\$0.0320"; ``3`` → "\$3.00"."""
    text = number(amount).lstrip("−")
    whole, _, decimals = text.partition(".")
    if 0 < abs(amount) < 100:
        text = f"{abs(amount):.2f}" if abs(amount) >= 1 else f"{whole}.{decimals:<02}"
    return ("−" if amount < 0 else "") + r"\$" + text


def percent(fraction: float) -> str:
    """A fraction as a percentage: ``17 / 30`` → "56.7%"; ``0.57`` → "57%"; ``0.99996`` → "99.996%"."""
    value = 100 * fraction
    whole = round(value)
    if value == whole or (whole not in (0, 100) and math.isclose(value, whole, rel_tol=1e-12)):
        return f"{number(whole)}%"
    if abs(value) < 10**-MOST_DECIMALS:
        return f"{number(value)}%"
    decimals = 1
    while round(value, decimals) in (0, 100):
        decimals += 1
    return f"{value:,.{decimals}f}%".replace("-", "−")


def count(items: float) -> str:
    """A number of things: ``1340`` → "1,340". Raises ValueError unless it is a whole number."""
    if items != round(items):
        raise ValueError(f"items: {items} is not a whole number; use number() for quantities")
    return number(round(items))


def months(duration_months: float) -> str:
    """``1`` → "1 month"; ``3.04`` → "3.04 months"."""
    return f"{number(duration_months)} month{'' if duration_months == 1 else 's'}"


def ms(duration_ms: float) -> str:
    """Milliseconds in, milliseconds out: ``359`` → "359 ms"."""
    return f"{number(duration_ms)} ms"


def day(when: date) -> str:
    """``date(2026, 5, 7)`` → "7 May 2026"."""
    return f"{when.day} {when:%B %Y}"


def root() -> Path:
    """The book's folder: the nearest one at or above the working directory that holds `data/claims.csv`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data" / "claims.csv").is_file():
            return folder
    raise FileNotFoundError(f"cwd: {here} is not inside the book; run from its repository")


def chapter_path(chapter_id: str) -> Path:
    """The notebook of a chapter: "cost/break-even", or "index" for the landing page."""
    return root() / (f"chapters/{chapter_id}.ipynb" if "/" in chapter_id else f"{chapter_id}.ipynb")


def link(chapter_id: str, text: str, anchor: str | None = None, title: str = "") -> str:
    """A Markdown link to a chapter, relative to the running notebook's folder; `title` shows on hover."""
    target = Path(os.path.relpath(chapter_path(chapter_id), Path.cwd())).as_posix()
    hover = f' "{title}"' if title else ""
    return f"[{text}]({target}{'#' + anchor if anchor else ''}{hover})"
