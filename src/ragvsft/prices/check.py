"""Whether the prices in use can still be trusted, and what is newer today."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

import genai_prices
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.update_prices import DEFAULT_UPDATE_URL

from ragvsft.data import load
from ragvsft.prices import library
from ragvsft.prices.clock import today
from ragvsft.prices.offers import (
    MAX_AGE_DAYS,
    OfferRow,
    PriceRow,
    is_stale,
    list_prices,
    offer,
    offers,
    rates,
    status,
)

MAX_DAYS_UNCHECKED = 90
"""An offer in use must have been compared with its source within this time."""


def check(in_use: Sequence[str], on: date | None = None) -> list[str]:
    """What is wrong with the offers in use on a date (default: today), one sentence each; empty if nothing.

    An offer that cannot be bought or has not been looked at for long, a price or a cited assumption that is
    too old, and any token price of an offer on which genai-prices and model-prices disagree.
    """
    at = on or today()
    return (
        [finding for offer_id in in_use for finding in _offer_findings(offer_id, at)]
        + [
            f"{row.name} = {row.base:g}: dated {row.as_of}; must be at most {MAX_AGE_DAYS} days old"
            for row in load("assumptions")
            if row.as_of and is_stale(row.as_of, at)
        ]
        + disagreements()
    )


def _offer_findings(offer_id: str, at: date) -> list[str]:
    found = status(offer_id, horizon_months=0, on=at)
    findings = [] if found.available else [f"{offer_id}: {found.reason}"]
    unchecked = (at - offer(offer_id).checked_on).days
    if unchecked > MAX_DAYS_UNCHECKED:
        findings.append(
            f"{offer_id}: checked_on = {offer(offer_id).checked_on}: {unchecked} days ago; must be at most "
            f"{MAX_DAYS_UNCHECKED}"
        )
    findings += [
        f"{offer_id}: {price.name} = {price.value:g}: dated {price.as_of}; must be at most {MAX_AGE_DAYS} "
        "days old"
        for price in rates(offer_id).values()
        if price.source_kind != "assumption" and price.unit.startswith("USD/") and is_stale(price.as_of, at)
    ]
    return findings


def disagreements() -> list[str]:
    """Token prices on which genai-prices and model-prices differ, for every offer priced by the library."""
    return [
        finding for row in _from_library() for finding in library.disagreements(row.id, row.kind, row.library)
    ]


def refresh(fetch: Callable[[], DataSnapshot | None] | None = None, on: date | None = None) -> list[PriceRow]:
    """Rows to append to `data/prices.csv` for token prices that differ today from those in use.

    The only function that uses the network: `fetch` (by default genai-prices' own) gets today's data. Raises
    `ConnectionError` if that fails. A row newer than the pinned release overrides the library's price.
    """
    try:
        snapshot = (fetch or genai_prices.UpdatePrices().fetch)()
        if snapshot is None:
            raise ValueError("no prices in the answer")
    except Exception as error:
        raise ConnectionError(
            f"today's prices: {type(error).__name__}: {error}; nothing is changed, token prices stay those "
            f"of {library.source()}"
        ) from error
    at = on or datetime.now(UTC).date()
    return [
        PriceRow(
            offer=row.id,
            item=name,
            value=value,
            low=None,
            high=None,
            currency="USD" if name.endswith("_usd_per_mtok") or name == "usd_per_mtok" else None,
            as_of=at,
            source_kind="library",
            source=DEFAULT_UPDATE_URL,
            note=f"was {pinned[name].value:g} on {pinned[name].as_of}" if name in pinned else "new",
        )
        for row in _from_library()
        for pinned in [rates(row.id)]
        for name, value in list_prices(row, snapshot, at).items()
        if name not in pinned or not math.isclose(value, pinned[name].value)
    ]


def as_csv(rows: Iterable[PriceRow]) -> str:
    """Rows as lines of `data/prices.csv`, without the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow("" if value is None else value for value in row.model_dump(mode="json").values())
    return text.getvalue()


def _from_library() -> tuple[OfferRow, ...]:
    return tuple(row for row in offers().values() if row.library)
