"""The ledger of what is true: every claim the book tries or relies on, with verdict, value, source and check.

A notebook that prints a claim or cites a source leaves a trace here, so that its list of sources is complete
without being kept by hand.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast, get_args

from pydantic import Field

from ragvsft.data import DATA, DataError, IsoDate, Row, Slug, Text, Unit, Words, load, nearest
from ragvsft.prose import link, number, percent, table, usd

if TYPE_CHECKING:
    from IPython.display import HTML
    from pybtex.database import BibliographyData, Entry

Verdict = Literal["holds", "holds-with-conditions", "contradicted", "unsupported", "outdated", "definition"]


class Claim(Row, table="claims", key=("id",)):
    """A claim of the source document, or a published figure that the book prints, and what became of it."""

    id: Slug = Field(description="Its name in the chapters and in its address.")
    statement: Text = Field(description="The claim, in our words.")
    source_value: str = Field(description="What the source document says; blank for figures that it lacks.")
    unit: Unit | None = Field(description="Unit of value, low and high.")
    verdict: Verdict = Field(description="What the evidence makes of the claim.")
    kind: Literal["computed", "measured", "cited", "assumption"] = Field(
        description="Where value comes from."
    )
    value: float | None = Field(description="The figure that the evidence supports.")
    low: float | None = Field(description="Low end of its interval or range.")
    high: float | None = Field(description="High end of its interval or range.")
    citation: Words = Field(description="Keys of references.bib, joined by semicolons.")
    as_of: IsoDate = Field(description="Date of the newest evidence used.")
    chapter: Text = Field(description="The chapter that uses it.")
    check: str = Field(description="Dotted name of the function that recomputes value; blank if none can.")
    evidence: Literal["primary", "secondary", "computed", "none"] = Field(
        description="Read in the source itself, in a text that quotes it, recomputed here, or none found."
    )
    finding: Text = Field(description="Why this verdict, in one sentence.")


@dataclass
class _Used:
    claims: dict[str, Claim] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)


used = _Used()
"""What this kernel has printed so far: `chapter_end` lists its sources."""


def get(claim_id: str) -> Claim:
    """The ledger's row. Raises `DataError` with the nearest id if there is none. Recorded as used."""
    row = next((row for row in ledger() if row.id == claim_id), None)
    if row is None:
        hint = nearest(claim_id, [row.id for row in ledger()])
        raise DataError(f"claim = {claim_id!r}: must be an id of data/claims.csv{hint}")
    used.claims[claim_id] = row
    used.sources.update(dict.fromkeys(row.citation))
    return row


def ledger() -> tuple[Claim, ...]:
    """All claims, in file order."""
    return cast(tuple[Claim, ...], load("claims"))


def claim(claim_id: str) -> str:
    """A claim inline, as Markdown: value with unit and interval if it has one, and the verdict as a link."""
    row = get(claim_id)
    return verdict_link(row) if row.value is None else f"{value_text(row)} ({verdict_link(row)})"


def value_text(row: Claim) -> str:
    """`26.7% (14.2% to 44.4%)`; empty if the claim has no value."""
    if row.value is None:
        return ""
    if row.low is None or row.high is None:
        return _quantity(row.value, row.unit)
    low, high = _quantity(row.low, row.unit), _quantity(row.high, row.unit)
    return f"{_quantity(row.value, row.unit)} ({low} to {high})"


def _quantity(value: float, unit: str | None) -> str:
    if unit is None:
        return number(value)
    if unit == "fraction":
        return percent(value)
    if unit == "ratio":
        return f"{number(value)}×"
    measure, _, per = unit.partition("/")
    amount = usd(value) if measure == "USD" else f"{number(value)} {measure}"
    return f"{amount} per {per}" if per else amount


def verdict_link(row: Claim) -> str:
    """The verdict in words, linked to the claim's place in the ledger."""
    return link("evidence/claims", row.verdict.replace("-", " "), f"claim-{row.id}")


def cite(key: str) -> str:
    """A source inline, as Markdown: "Ovadia et al. 2024", linked to the bibliography. Recorded as used."""
    entry = source(key)
    used.sources[key] = None
    return link("reference/bibliography", f"{authors(entry)} {entry.fields['year']}", f"ref-{key}")


def source(key: str) -> Entry:
    """An entry of references.bib. Raises `DataError` with the nearest key if there is none."""
    entries = bibliography().entries
    if key not in entries:
        raise DataError(f"citation = {key!r}: must be a key of references.bib{nearest(key, entries)}")
    return entries[key]


@functools.cache
def bibliography() -> BibliographyData:
    """references.bib, parsed."""
    from pybtex.database import parse_file

    return parse_file(str(DATA.parent / "references.bib"), bib_format="bibtex")


def authors(entry: Entry) -> str:
    """`Lewis`, `Gao and Ma`, `Ovadia et al.`, or the name of a company."""
    names = [plain(" ".join(person.last_names)) for person in entry.persons["author"]]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def plain(text: str) -> str:
    """BibTeX text without its protecting braces."""
    return text.replace("{", "").replace("}", "")


def reference(key: str) -> str:
    """One source as Markdown: authors, year, title, venue, address, and how and when it was read."""
    entry = source(key)
    fields = {name: plain(value) for name, value in entry.fields.items()}
    venue = fields.get("journal") or fields.get("booktitle") or fields["howpublished"]
    return (
        f"{authors(entry)} ({fields['year']}). [{fields['title']}]({fields['url']}). {venue}. "
        f"{fields['note'].capitalize()}, {fields['urldate']}."
    )


def bibliography_markdown() -> str:
    """The whole bibliography as a Markdown list, by author, with the anchors that `cite` links to."""
    keys = sorted(bibliography().entries, key=lambda key: reference(key).casefold())
    return "\n".join(f'- <span id="ref-{key}"></span>{reference(key)}' for key in keys)


def ledger_table(rows: Iterable[Claim]) -> str:
    """Claims as a Markdown table with the places that verdicts link to: for the ledger's own page."""
    return table(("Claim", "Source document", "Evidence", "Verdict"), map(_ledger_line, rows))


def _ledger_line(row: Claim) -> tuple[str, str, str, str]:
    get(row.id)
    place = f'<span id="claim-{row.id}" class="verdict-{row.verdict}"></span>'
    value = f"**{value_text(row)}** " if row.value is not None else ""
    read = "no source" if row.evidence == "none" else row.evidence
    origin = ", ".join([*map(cite, row.citation), read, row.as_of.isoformat()])
    verdict = f'<span class="verdict {row.verdict}">{row.verdict.replace("-", " ")}</span>'
    return (
        place + row.statement,
        row.source_value.replace("$", r"\$"),
        f"{value}{row.finding} ({origin})",
        verdict,
    )


def verdict_filter() -> HTML:
    """Radio buttons that leave only the rows of one verdict in the ledger's tables. Needs no script."""
    verdicts = get_args(Verdict)
    buttons = "".join(
        f'<label><input type="radio" name="verdict" id="show-{name}"{" checked" * (name == "all")}> '
        f"{name.replace('-', ' ')}</label> "
        for name in ("all", *verdicts)
    )
    others = 'tr:has([id^="claim-"]):not(:has(.verdict-'
    rules = "".join(
        f"body:has(#show-{name}:checked) {others}{name})) {{display: none}}\n" for name in verdicts
    )
    from IPython.display import HTML

    return HTML(f"<style>\n{rules}</style><fieldset><legend>Show</legend>{buttons}</fieldset>")


@dataclass(frozen=True)
class Check:
    """What a claim's check returned, beside the ledger's row."""

    claim: Claim
    recomputed: tuple[float, ...]

    @property
    def agrees(self) -> bool:
        """Whether value (and low and high, where the check returns them) agree to a relative 1e-9."""
        stated = (self.claim.value, self.claim.low, self.claim.high)
        return all(
            expected is not None and math.isclose(found, expected, rel_tol=1e-9)
            for found, expected in zip(self.recomputed, stated, strict=False)
        )


def run_checks() -> tuple[Check, ...]:
    """Recompute every claim that names a check."""
    return tuple(Check(row, _recompute(row.check)) for row in ledger() if row.check)


def _recompute(dotted: str) -> tuple[float, ...]:
    module, _, name = dotted.partition(":")
    function = cast(Callable[[], float | tuple[float, ...]], getattr(importlib.import_module(module), name))
    result = function()
    return result if isinstance(result, tuple) else (result,)
