"""The ledger of what is true: every claim the book tries or relies on, with verdict, value and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Self, cast, get_args

from pydantic import BeforeValidator, Field, model_validator

from ragvsft.data import DataError, IsoDate, Row, Slug, Text, Unit, Words, load, nearest
from ragvsft.evidence.bibliography import HowRead, cite, used
from ragvsft.prose import link, number, percent, table, usd

if TYPE_CHECKING:
    from IPython.display import HTML

Readings = Annotated[
    tuple[HowRead, ...], BeforeValidator(lambda text: tuple(filter(None, str(text).split(";"))))
]
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
    locator: Words = Field(description="Where each of them says so, in the same order.")
    how_read: Readings = Field(description="How each was read, in the same order.")
    as_of: IsoDate = Field(description="Date of the newest evidence used.")
    chapter: Text = Field(description="The chapter that uses it.")
    check: str = Field(description="Dotted name of the function that recomputes value; blank if none can.")
    finding: Text = Field(description="Why this verdict, in one or two sentences.")

    @model_validator(mode="after")
    def _located(self) -> Self:
        for name in ("locator", "how_read"):
            if len(getattr(self, name)) != len(self.citation):
                raise ValueError(
                    f"{name} has {len(getattr(self, name))} entries: must have {len(self.citation)}, one for"
                    " each citation"
                )
        return self

    @property
    def evidence(self) -> Literal["primary", "secondary", "computed", "measured", "none"]:
        """Recomputed or measured here, none found, or how it was read: secondary if any was only quoted."""
        if self.kind in ("computed", "measured"):
            return self.kind
        if not self.citation:
            return "none"
        return "secondary" if "quotation" in self.how_read else "primary"


def get(claim_id: str) -> Claim:
    """The ledger's row. Raises `DataError` with the nearest id if there is none. Recorded as used."""
    row = next((row for row in ledger() if row.id == claim_id), None)
    if row is None:
        hint = nearest(claim_id, [row.id for row in ledger()])
        raise DataError(f"claim = {claim_id!r}: must be an id of data/claims.csv{hint}")
    used.update(dict.fromkeys(row.citation))
    return row


def ledger() -> tuple[Claim, ...]:
    """All claims, in file order."""
    return cast(tuple[Claim, ...], load("claims"))


MARKS: dict[Verdict, str] = {
    "holds": "✓",
    "definition": "=",
    "holds-with-conditions": "◐",
    "outdated": "†",
    "unsupported": "?",
    "contradicted": "✗",
}
"""The quiet sign of each verdict, for a verdict that stands behind a number."""


def claim(claim_id: str) -> str:
    """A claim inline, as Markdown: its value and the verdict's sign, or the verdict in words alone."""
    row = get(claim_id)
    return verdict_link(row) if row.value is None else f"{value_text(row)} {verdict_mark(row)}"


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


def words(verdict: Verdict) -> str:
    """A verdict as prose has it: "holds with conditions"."""
    return verdict.replace("-", " ")


def verdict_link(row: Claim) -> str:
    """The verdict in words, linked to the claim's place in the ledger."""
    return link("evidence/claims", words(row.verdict), f"claim-{row.id}")


def verdict_mark(row: Claim) -> str:
    """The verdict's sign with the same link; its words are the link's title."""
    return link("evidence/claims", MARKS[row.verdict], f"claim-{row.id}", words(row.verdict))


def ledger_table(rows: Iterable[Claim]) -> str:
    """Claims as a Markdown table with the places that verdicts link to: for the ledger's own page."""
    return table(("Claim", "Source document", "Evidence", "Verdict"), map(_ledger_line, rows))


def _ledger_line(row: Claim) -> tuple[str, str, str, str]:
    get(row.id)
    place = f'<span id="claim-{row.id}" class="verdict-{row.verdict}"></span>'
    value = f"**{value_text(row)}** " if row.value is not None else ""
    unread = {"none": "no source", "computed": "computed", "measured": "our experiment"}
    read = [unread[row.evidence]] if row.evidence in unread else []
    origin = "; ".join([*_sources(row), *read, row.as_of.isoformat()])
    verdict = f'<span class="verdict {row.verdict}">{words(row.verdict)}</span>'
    return (
        place + row.statement,
        row.source_value.replace("$", r"\$"),
        f"{value}{row.finding} ({origin})",
        verdict,
    )


def _sources(row: Claim) -> Iterator[str]:
    for key, place, how in zip(row.citation, row.locator, row.how_read, strict=True):
        yield f"{cite(key)}, {place} ({how})"


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
