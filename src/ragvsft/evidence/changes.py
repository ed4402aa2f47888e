"""What changed, by date: the book's conclusions and break-evens, and the prices and offers behind them.

Prices and offers are append-only, so their history stands in their own tables. What the book concludes is
computed and overwritten with every change, so `data/conclusions.csv` keeps it: `make data` adds a row where
what is computed has moved, and a person says why.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, cast

from pydantic import Field

from ragvsft.costs import columns as cols
from ragvsft.costs import scenario
from ragvsft.costs.methods import METHODS
from ragvsft.data import IsoDate, Row, Text, load
from ragvsft.evidence.ledger import ledger
from ragvsft.prices import PLACES, library, offers
from ragvsft.prices.offers import ExchangeRateRow, OfferRow, PriceRow
from ragvsft.prices.offers import label as offer_label
from ragvsft.prose import count, day, number

BREAK_EVEN = "break-even"
"""First word of conclusions that are volumes. They move with every price: no reason is asked for that."""
NONE = "(none)"
PAGE = "chapters/reference/changelog.html"

Kind = Literal["conclusion", "break-even", "price", "offer"]
HEADS: dict[Kind, str] = {
    "conclusion": "Conclusions",
    "break-even": "Break-evens, in queries a month",
    "price": "Prices",
    "offer": "Offers",
}


class ConclusionRow(Row, table="conclusions", key=("conclusion", "as_of")):
    """What the book concluded, by date. Append-only; the newest row of a conclusion is what holds now."""

    conclusion: Text = Field(description="Its kind, then what it is about; parts joined by /.")
    value: str = Field(description="The conclusion; blank if the book no longer draws it.")
    as_of: IsoDate = Field(description="When the book began to say so.")
    why: str = Field(
        description="What changed it, in a sentence. Not needed for a first row or a break-even."
    )


class Change(NamedTuple):
    """One thing that was one way until a date and another from then on."""

    as_of: date
    kind: Kind
    subject: str
    before: str
    after: str
    why: str

    @property
    def text(self) -> str:
        """The change as one line: `subject: before → after. Why.`"""
        said = f"{self.subject}: {self.before or NONE} → {self.after or NONE}."
        return f"{said} {self.why}".strip()


class Day(NamedTuple):
    """What changed on a date, and how many things were recorded then for the first time, by kind."""

    as_of: date
    changes: tuple[Change, ...]
    first: dict[Kind, int]

    @property
    def summary(self) -> str:
        """`2 conclusions changed, 5 prices changed, 12 prices first recorded`."""
        tally = {kind: sum(change.kind == kind for change in self.changes) for kind in HEADS}
        told = [_counted(tally[kind], kind, "changed") for kind in HEADS]
        told += [_counted(self.first.get(kind, 0), kind, "first recorded") for kind in HEADS]
        return ", ".join(filter(None, told))


def days() -> tuple[Day, ...]:
    """Every date on which something changed or was first recorded, the newest first."""
    changes: dict[date, list[Change]] = {}
    first: dict[date, dict[Kind, int]] = {}
    for kind, as_of, change in _steps():
        changes.setdefault(as_of, [])
        if change:
            changes[as_of].append(change)
        else:
            tally = first.setdefault(as_of, {})
            tally[kind] = tally.get(kind, 0) + 1
    return tuple(
        Day(as_of, tuple(changes[as_of]), first.get(as_of, {})) for as_of in sorted(changes, reverse=True)
    )


def recorded() -> dict[str, ConclusionRow]:
    """The newest row of each conclusion."""
    rows = cast("tuple[ConclusionRow, ...]", load("conclusions"))
    return {row.conclusion: row for row in sorted(rows, key=lambda row: row.as_of)}


def unexplained() -> list[ConclusionRow]:
    """Rows that change a conclusion, and not only the volume of a break-even, and do not say why."""
    return [
        row
        for name, rows in _grouped(load("conclusions"), "conclusion")
        for before, row in itertools.pairwise(rows)
        if not row.why.strip() and _shape(name, before.value) != _shape(name, row.value)
    ]


def _shape(conclusion: str, value: str) -> str:
    return re.sub(r"[\d,.]+", "#", value) if conclusion.startswith(f"{BREAK_EVEN}/") else value


def subject(conclusion: str) -> str:
    """What a conclusion is about, in words."""
    kind, *parts = conclusion.split("/")
    if kind == "verdict":
        return next((row.statement for row in ledger() if row.id == parts[0]), parts[0]).rstrip(".")
    if kind == BREAK_EVEN:
        challenger, base, *columns = parts
        on = ", ".join(_column_label(name) for name in columns)
        return f"Where {METHODS[challenger].label} costs less than {METHODS[base].label} on {on}"
    labels = {name: label for name, (label, _) in scenario.workloads().items()} | {"default": "base case"}
    about = [labels.get(part, PLACES.get(cast(Any, part), part)) for part in parts]
    return f"{ {'cheapest': 'Lowest cost', 'plan': 'Plan'}.get(kind, kind) }, {', '.join(about).lower()}"


def markdown(
    all_days: Sequence[Day], head: Callable[[Day], str] = lambda each: f"## {day(each.as_of)}"
) -> str:
    """The days as Markdown, each under its head."""
    blocks = []
    for each in all_days:
        blocks.append(head(each))
        for kind, title in HEADS.items():
            if lines := [f"- {change.text}" for change in each.changes if change.kind == kind]:
                blocks += [f"**{title}**", "\n".join(lines)]
        if told := ", ".join(filter(None, (_counted(each.first.get(k, 0), k, "") for k in HEADS))):
            blocks.append(f"First recorded: {told}.")
    return "\n\n".join(blocks)


def _counted(many: int, kind: Kind, what: str) -> str:
    return f"{count(many)} {kind}{'' if many == 1 else 's'} {what}".strip() if many else ""


def _column_label(name: str) -> str:
    known = cols.columns()
    return known[name].label if name in known else name


def _grouped(rows: Iterable[Any], *names: str) -> Iterator[tuple[Any, list[Any]]]:
    """Rows of one thing together, in the order of their dates."""

    def key(row: Any) -> tuple[str, ...]:
        return tuple(getattr(row, name) for name in names)

    for found, group in itertools.groupby(sorted(rows, key=lambda row: (key(row), row.as_of)), key):
        yield found if len(found) > 1 else found[0], list(group)


Step = tuple[Kind, date, Change | None]


def _steps() -> Iterator[Step]:
    """Kind, date and change of every row; no change where it is a first one. Repeats are left out."""
    for name, rows in _grouped(load("conclusions"), "conclusion"):
        kind: Kind = "break-even" if name.startswith(f"{BREAK_EVEN}/") else "conclusion"
        yield from _pairs(rows, kind, subject(name), lambda row: row.value, lambda row: row.why)
    units = {row.item: row for row in load("price_items")}
    for (offer_id, item), rows in _grouped(load("prices"), "offer", "item"):
        about = f"{offer_label(offers()[offer_id])}, {units[item].label[0].lower()}{units[item].label[1:]}"
        yield from _pairs(rows, "price", about, functools.partial(_price, unit=units[item].unit))
    for currency, rows in _grouped(load("exchange_rates"), "currency"):
        yield from _pairs(rows, "price", f"1 {currency}", _rate)
    yield "price", library.released_on(), None
    for offer_id, rows in _grouped(load("offers"), "id"):
        yield from _pairs(rows, "offer", offer_label(offers()[offer_id]), _availability)


def _pairs(
    rows: Sequence[Any],
    kind: Kind,
    about: str,
    value: Callable[[Any], str],
    why: Callable[[Any], str] = lambda row: "",
) -> Iterator[Step]:
    yield kind, rows[0].as_of, None
    for before, after in itertools.pairwise(rows):
        if value(before) != value(after):
            yield kind, after.as_of, Change(after.as_of, kind, about, value(before), value(after), why(after))


def _price(row: PriceRow, unit: str) -> str:
    return f"{number(row.value)} {unit.replace('USD', row.currency) if row.currency else unit}"


def _rate(row: ExchangeRateRow) -> str:
    return f"{row.usd:g} USD"


def _availability(row: OfferRow) -> str:
    return f"{row.availability}, ends on {row.ends_on}" if row.ends_on else row.availability
