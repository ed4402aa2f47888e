"""What can be bought, from whom, where it processes text, for how much and until when.

The newest row of an offer in `data/offers.csv` is its status; the newest row of an item in `data/prices.csv`
is its price. Token prices of an offer that names a `library` entry come from genai-prices instead, unless a
row is newer than the pinned release.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple, Self, TypeVar, cast, get_args

from genai_prices.data_snapshot import DataSnapshot
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ragvsft.data import (
    DataError,
    Identifier,
    IsoDate,
    MayLieAhead,
    References,
    Row,
    Slug,
    Source,
    Text,
    Words,
    load,
    nearest,
)
from ragvsft.prices import library
from ragvsft.prices.clock import today
from ragvsft.prices.registry import PriceItemRow, Type, completed, items, missing
from ragvsft.units import DAYS_PER_MONTH

Place = Literal["anywhere", "eu", "own_account", "own_machines"]
PLACES: dict[Place, str] = {
    "anywhere": "Anywhere",
    "eu": "Inside the EU",
    "own_account": "Only in our own cloud account",
    "own_machines": "Only on machines that we own",
}
"""Where a reader's text may be processed."""

Region = Literal["global", "us", "eu", "own_account", "own_machines"]

MAX_AGE_DAYS = 180
"""A price older than this is not used."""

NO_END_DAYS = 1e6
"""Days left of an offer without an announced end."""

UPLIFT = "regional_multiplier"


class OfferRow(Row, table="offers", key=("id", "as_of")):
    """What can be bought, where it runs and until when. The newest row of an id is its status."""

    id: Slug = Field(description="The name a scenario uses.")
    kind: Literal["llm", "tuned_llm", "embedder", "reranker", "store", "weights", "gpu", "service"] = Field(
        description="What is sold; weights are an open model for one's own GPU; a service is recorded for "
        "its status and cannot be chosen."
    )
    model: str = Field(description="The base model, alike for its tuned offers and open weights; else blank.")
    provider: Text = Field(description="Who sells it.")
    offer: Text = Field(description="What the seller calls it.")
    availability: Literal["open", "closing", "closed"] = Field(
        description="For a new customer: open, closing (an end is announced) or closed."
    )
    announced_on: IsoDate | None = Field(description="When the seller announced the end.")
    ends_on: Annotated[IsoDate | None, MayLieAhead()] = Field(description="First day without it.")
    regions: Words = Field(
        description="Where it may process text: global, us, eu, own_account, own_machines; joined by "
        "semicolons; blank if not known."
    )
    regions_as_of: IsoDate | None = Field(description="When the source of the regions was read or published.")
    regions_source: Source | None = Field(description="Source of the regions.")
    confirm_first: bool = Field(
        description="Whether something that decides about it could not be read at the seller's: it is shown "
        "and never called cheapest."
    )
    library: str = Field(description="Provider and model in genai-prices, joined by /; blank if it has none.")
    checked_on: IsoDate = Field(description="When somebody last compared the offer and its prices.")
    as_of: IsoDate = Field(description="When the source was read or published.")
    source_kind: Literal["official", "secondary", "library", "assumption"] = Field(
        description="How near the source is; assumption for one's own machines."
    )
    source: Source | None = Field(description="Address, or library with version and release date.")
    note: str = Field(description="Conditions that the columns do not hold.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.availability == "closing" and self.ends_on is None:
            raise ValueError("ends_on is blank: a closing offer needs the day it ends")
        if unknown := set(self.regions) - set(get_args(Region)):
            raise ValueError(f"regions = {';'.join(unknown)}: must be of {', '.join(get_args(Region))}")
        if (
            self.regions
            and not (self.regions_as_of and self.regions_source)
            and self.source_kind != "assumption"
        ):
            raise ValueError("regions_as_of or regions_source is blank: a place needs both")
        if (self.kind in ("llm", "tuned_llm", "weights")) != bool(self.model.strip()):
            raise ValueError(f"model = {self.model!r}: must be named for a {self.kind}, and for models only")
        if (self.source is None) != (self.source_kind == "assumption"):
            raise ValueError(_source_fault(self.source))
        return self

    def may_process(self, place: Place) -> bool:
        """Whether text that may go to `place` only may go to this offer; one of unknown place may not."""
        return place == "anywhere" or place in self.regions


class PriceRow(Row, table="prices", key=("offer", "item", "as_of")):
    """Prices, speeds and limits that no library carries. Append-only; the newest row of an item counts."""

    offer: Annotated[Slug, References("offers", "id")] = Field(description="An id of offers.csv.")
    item: Annotated[Identifier, References("price_items", "item")] = Field(
        description="What is charged for: an item of price_items.csv."
    )
    value: float = Field(ge=0, description="The value used, in the item's unit.")
    low: float | None = Field(ge=0, description="Lowest value of this offer, where the seller has several.")
    high: float | None = Field(ge=0, description="Highest value of this offer.")
    currency: Literal["USD", "EUR"] | None = Field(description="Currency; blank if it is no price.")
    as_of: IsoDate = Field(description="When the source was read or published.")
    source_kind: Literal["official", "secondary", "library", "third_party_measurement", "assumption"] = Field(
        description="The seller's own page, a dated copy of it, a library's data, a measurement, or ours."
    )
    source: Source | None = Field(description="Address, or library with version and release date.")
    note: str = Field(description="What the value covers.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [number for number in (self.low, self.value, self.high) if number is not None]
        if known != sorted(known):
            shown = ", ".join(f"{number:g}" for number in known)
            raise ValueError(f"low, value, high = {shown}: must rise")
        if (self.source is None) != (self.source_kind == "assumption"):
            raise ValueError(_source_fault(self.source))
        return self


def _source_fault(source: str | None) -> str:
    must = "given unless source_kind is assumption" if source is None else "blank for an assumption"
    return f"source = {source or 'blank'}: must be {must}"


class ExchangeRateRow(Row, table="exchange_rates", key=("currency", "as_of")):
    """Dollars for one unit of another currency. Prices stay in their currency; the newest rate converts."""

    currency: Literal["EUR"] = Field(description="The currency.")
    usd: float = Field(gt=0, description="US dollars for one of it.")
    as_of: IsoDate = Field(description="Day of the rate.")
    source: Source = Field(description="Where it was read.")
    note: str = Field(description="Whose rate it is.")


_Dated = TypeVar("_Dated", OfferRow, PriceRow, ExchangeRateRow)


class Price(BaseModel):
    """One price, limit or speed of an offer in USD, with its provenance."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    offer: str = Field(description="Id of the offer.")
    name: str = Field(description="Item of price_items.csv.")
    label: str = Field(description="The same in plain English.")
    value: float = Field(ge=0)
    unit: str
    as_of: IsoDate
    source_kind: str
    source: str
    note: str = ""


class Status(NamedTuple):
    """Whether an offer can be used for the whole horizon in a place, and if not, why."""

    available: bool
    reason: str


# ------------------------------------------------------------------------------------------------- offers


@functools.cache
def offers(on: date | None = None) -> dict[str, OfferRow]:
    """Every offer with its newest row, in file order; as known on a date, if one is given."""
    newest: dict[str, OfferRow] = {}
    for row in _until(on, cast("tuple[OfferRow, ...]", load("offers"))):
        if row.id not in newest or row.as_of > newest[row.id].as_of:
            newest[row.id] = row
    return newest


def dates() -> list[date]:
    """Every date on which a price, an offer or a rate was recorded, the oldest first."""
    tables = ("prices", "offers", "exchange_rates")
    return sorted({row.as_of for name in tables for row in cast("tuple[PriceRow, ...]", load(name))})


def offer(offer_id: str) -> OfferRow:
    """The newest row of an offer. Raises `ValueError` with the nearest id if there is none."""
    if offer_id not in offers():
        raise ValueError(
            f"offer = {offer_id!r}: must be an id of data/offers.csv{nearest(offer_id, offers())}"
        )
    return offers()[offer_id]


def of_kind(kind: str, model: str = "") -> tuple[OfferRow, ...]:
    """The offers of a kind, and of one base model if named, in file order: the order of preference."""
    return tuple(row for row in offers().values() if row.kind == kind and model in ("", row.model))


def label(row: OfferRow) -> str:
    """How lists and tables name an offer."""
    return row.offer if row.provider in row.offer else f"{row.provider}: {row.offer}"


# ------------------------------------------------------------------------------------------------- prices


def usd_per(currency: str, on: date | None = None) -> ExchangeRateRow:
    """The newest rate of a currency, on a date if one is given; the first one where none is as old.

    Raises `DataError` if there is none at all.
    """
    known = cast("tuple[ExchangeRateRow, ...]", load("exchange_rates"))
    rows = sorted((row for row in known if row.currency == currency), key=lambda row: row.as_of)
    if not rows:
        raise DataError(f"data/exchange_rates.csv: currency = {currency}: missing")
    return (_until(on, rows) or rows[:1])[-1]


@functools.cache
def rates(offer_id: str, on: date | None = None) -> Mapping[str, Price]:
    """The prices, limits and speeds of one offer by item; what does not apply is absent.

    With a date, as they stood then: later rows, and a library released later, are not read.
    """
    row = offer(offer_id) if on is None else offers(on)[offer_id]
    if row.kind == "service":
        return {}
    known = items(row.kind)
    listed = _listed(row, known, on)
    uplift = listed.pop(UPLIFT, None)
    found: dict[str, Price] = {}
    if row.library and (on is None or library.released_on() <= on):
        released_on = library.released_on()
        note = f"List price times {uplift.value:g} ({uplift.source}, {uplift.as_of})." if uplift else ""
        for item, value in list_prices(row).items():
            in_usd = known[item].unit.startswith("USD/")
            found[item] = _price(
                row, known[item], value, released_on, "library", library.source(), note if in_usd else ""
            )
        listed = {k: p for k, p in listed.items() if k not in found or p.as_of > released_on}
    return found | listed


def list_prices(
    row: OfferRow, snapshot: DataSnapshot | None = None, on: date | None = None
) -> dict[str, float]:
    """What the library says of an offer by item, with the region's surcharge on what is money."""
    known = items(cast(Type, row.kind))
    uplift = _listed(row, known).get(UPLIFT)
    multiplier = uplift.value if uplift else 1.0
    return {
        item: value * multiplier if known[item].unit.startswith("USD/") else value
        for item, value in library.values(row.id, row.kind, row.library, snapshot, on).items()
    }


def _until(on: date | None, rows: Sequence[_Dated]) -> Sequence[_Dated]:
    return rows if on is None else [row for row in rows if row.as_of <= on]


def _listed(row: OfferRow, known: Mapping[str, PriceItemRow], on: date | None = None) -> dict[str, Price]:
    newest: dict[str, PriceRow] = {}
    for price in _until(on, cast("tuple[PriceRow, ...]", load("prices"))):
        if price.offer == row.id and (price.item not in newest or price.as_of > newest[price.item].as_of):
            newest[price.item] = price
    found = {}
    for name, price in newest.items():
        item = known.get(name) or (items_of_lists().get(name) if row.library else None)
        if item is None:
            raise DataError(
                f"data/prices.csv: offer = {row.id}: item = {name}: must be an item that "
                f"data/price_items.csv has for {row.kind}{nearest(name, known)}"
            )
        if (price.currency is not None) != item.unit.startswith("USD/"):
            raise DataError(
                f"data/prices.csv: offer = {row.id}: item = {name}: currency = {price.currency or 'blank'}: "
                f"must be {'given' if price.currency is None else 'blank'} for {item.unit}"
            )
        value, note = price.value, price.note
        if price.currency == "EUR":
            rate = usd_per("EUR", on)
            value = price.value * rate.usd
            note = f"{price.value:g} EUR at {rate.usd:g} USD ({rate.as_of}). {note}".strip()
        found[name] = _price(
            row, item, value, price.as_of, price.source_kind, price.source or "our assumption", note
        )
    return found


@functools.cache
def items_of_lists() -> dict[str, PriceItemRow]:
    """The items that change a library's list price and are no input of a formula."""
    return {row.item: row for row in load("price_items") if "list_price" in row.types}


def _price(
    row: OfferRow, item: PriceItemRow, value: float, as_of: date, kind: str, source: str, note: str
) -> Price:
    return Price(
        offer=row.id,
        name=item.item,
        label=f"{label(row)}: {item.label}",
        value=value,
        unit=item.unit,
        as_of=as_of,
        source_kind=kind,
        source=source,
        note=note,
    )


def values(offer_id: str, carried: Mapping[str, float] | None = None) -> dict[str, float]:
    """Every formula input of an offer, absent ones replaced as the registry says; {} if it has no price.

    `carried` holds prices from elsewhere that count before the published ones.
    """
    row = offer(offer_id)
    known = {name: price.value for name, price in rates(offer_id).items()} | dict(carried or {})
    if row.kind == "service" or missing(row.kind, known):
        return {}
    return completed(row.kind, known)


# ------------------------------------------------------------------------------------------ availability


def status(
    offer_id: str,
    horizon_months: float = 12,
    place: Place = "anywhere",
    on: date | None = None,
    carried: Collection[str] = (),
) -> Status:
    """Whether an offer can be bought on a date (default: today), kept for the horizon, and sent text.

    `carried` names the price items that the caller has from elsewhere: those need no published price.
    """
    row = offer(offer_id)
    start = on or today()
    if row.availability == "closed":
        return Status(False, _because("closed to new customers", row))
    if row.ends_on and row.ends_on <= start + timedelta(days=horizon_months * DAYS_PER_MONTH):
        past = row.ends_on <= start
        when = f"ended on {row.ends_on}" if past else f"ends on {row.ends_on}, inside the horizon"
        return Status(False, _because(when, row))
    if row.kind == "service":
        return Status(True, "")
    if not row.may_process(place):
        return Status(False, f"not known to keep text {PLACES[place].lower().removeprefix('only ')}")
    found = rates(offer_id)
    if lacking := missing(row.kind, {**found, **dict.fromkeys(carried)}):
        return Status(False, f"no published price ({lacking})")
    oldest = oldest_price_on(offer_id, carried)
    if oldest and is_stale(oldest, start):
        return Status(False, f"its price of {oldest} is over {MAX_AGE_DAYS} days old")
    return Status(True, "")


def oldest_price_on(offer_id: str, carried: Collection[str] = ()) -> date | None:
    """The date of an offer's oldest price in money; None if it has none that can grow old."""
    dates = [
        price.as_of
        for name, price in rates(offer_id).items()
        if name not in carried and price.unit.startswith("USD/") and price.source_kind != "assumption"
    ]
    return min(dates, default=None)


def is_stale(as_of: date, on: date | None = None) -> bool:
    """Whether a date lies more than `MAX_AGE_DAYS` before `on` (default: today)."""
    return ((on or today()) - as_of).days > MAX_AGE_DAYS


def days_left(offer_id: str) -> float:
    """Days from today that an offer can still be bought; 0 if it cannot be bought now."""
    if not status(offer_id, horizon_months=0).available:
        return 0
    end = offer(offer_id).ends_on
    return (end - today()).days if end else NO_END_DAYS


def preferred(
    kind: str, model: str = "", place: Place = "anywhere", horizon_months: float = 12
) -> OfferRow | None:
    """The first usable offer of a kind, else the first of it at all, else None. Order is the file's."""
    candidates = of_kind(kind, model)
    for row in candidates:
        if status(row.id, horizon_months, place).available:
            return row
    return candidates[0] if candidates else None


def prices_as_of() -> date:
    """The newest date that any committed price carries."""
    return max([*(row.as_of for row in load("prices")), library.released_on()])


def _because(why: str, row: OfferRow) -> str:
    return f"{why}. {row.note}".strip().removesuffix(".")
