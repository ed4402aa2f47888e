"""Token prices from the pinned release of genai-prices, and a second opinion on them from model-prices."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

import genai_prices
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices
from pydantic import Field

from ragvsft.data import DataError, IsoDate, Row, Slug, Source, Text, load

Rate = Decimal | TieredPrices


class PriceLibraryRow(Row, table="price_libraries", key=("name", "version")):
    """Releases of the libraries that prices come from: their release date dates those prices."""

    name: Slug = Field(description="Package name.")
    version: Text = Field(description="Version.")
    released_on: IsoDate = Field(description="When that version was released.")
    role: str = Field(
        pattern="^(prices|cross-check|transcribed)$",
        description="prices: read at run time; cross-check: compared in tests; transcribed: copied by hand.",
    )
    source: Source = Field(description="The project.")
    note: str = Field(description="What we take from it.")


def _release() -> PriceLibraryRow:
    version = genai_prices.__version__
    for row in cast("tuple[PriceLibraryRow, ...]", load("price_libraries")):
        if (row.name, row.version) == ("genai-prices", version):
            return row
    raise DataError(
        f"data/price_libraries.csv: version = {version}: missing; must list the installed genai-prices with "
        "its release date"
    )


def released_on() -> date:
    """When the installed genai-prices was released: the date of its prices."""
    return _release().released_on


def source() -> str:
    """The installed genai-prices as a source."""
    row = _release()
    return f"genai-prices {row.version} (released {row.released_on})"


def values(
    offer_id: str, kind: str, entry: str, snapshot: DataSnapshot | None = None, on: date | None = None
) -> dict[str, float]:
    """The prices that genai-prices has for `entry` ("provider/model"), by item; what it lacks is absent.

    Raises `DataError` if it does not know the entry.
    """
    standard = _model_price(offer_id, entry, snapshot, on)
    paid = _rate(offer_id, entry, standard, "input_mtok")
    if kind == "embedder":
        return {"usd_per_mtok": float(_base(paid))}
    charged: dict[str, Rate] = {"input": paid, "output": _rate(offer_id, entry, standard, "output_mtok")}
    if standard.cache_read_mtok is not None:
        charged["cache_read"] = standard.cache_read_mtok
    if standard.cache_write_mtok is not None:
        charged["cache_write"] = standard.cache_write_mtok
    thresholds = {tier.start for rate in charged.values() for tier in _tiers(rate)}
    if len(thresholds) > 1:
        raise DataError(f"{offer_id}: genai-prices' tiers start at {sorted(thresholds)} tokens: must be one")
    found = {f"{name}_usd_per_mtok": float(_base(rate)) for name, rate in charged.items()}
    if thresholds:
        found["tier_threshold_tokens"] = float(thresholds.pop())
        found |= {f"tier_{name}_usd_per_mtok": float(_top(rate)) for name, rate in charged.items()}
    batch = _model_price(offer_id, entry, snapshot, on, {"processing": "batch"})
    shares = {
        _base(_rate(offer_id, entry, batch, f"{name}_mtok")) / _base(charged[name])
        for name in ("input", "output")
    }
    if len(shares) > 1:
        shown = " and ".join(f"{share:g}" for share in sorted(shares))
        raise DataError(
            f"{offer_id}: genai-prices' batch price is {shown} of the standard price: must be one"
        )
    return found if shares == {1} else found | {"batch_multiplier": float(shares.pop())}


def coming_values(offer_id: str, kind: str, entry: str) -> dict[str, float]:
    """The prices that genai-prices expects within a year of its release and that are not today's, by item."""
    before = values(offer_id, kind, entry)
    after = values(offer_id, kind, entry, on=released_on() + timedelta(days=365))
    return {name: value for name, value in after.items() if value != before.get(name)}


def second_opinion(kind: str, entry: str) -> dict[str, float]:
    """What model-prices says of the same entry, by item; {} if it or the entry is not there."""
    if importlib.util.find_spec("model_prices") is None:
        return {}
    import model_prices

    provider, _, reference = entry.partition("/")
    look_up = functools.partial(
        model_prices.rates, reference, at=released_on().isoformat(), provider=provider
    )
    found, batch = look_up(), look_up(mode="batch")
    if found is None:
        return {}
    if kind == "embedder":
        return {"usd_per_mtok": found.input}
    base = {"input": found.input, "output": found.output}
    if found.cache_read:
        base["cache_read"] = found.cache_read
    if found.cache_write:
        base["cache_write"] = found.cache_write
    opinion = {f"{name}_usd_per_mtok": float(rate) for name, rate in base.items()}
    if batch is not None and batch.input != found.input:
        opinion["batch_multiplier"] = batch.input / found.input
    if found.tiers:
        tier = found.tiers[-1]
        opinion["tier_threshold_tokens"] = float(tier.above)
        opinion |= {
            f"tier_{name}_usd_per_mtok": getattr(tier, name, None) or rate for name, rate in base.items()
        }
    return opinion


def disagreements(offer_id: str, kind: str, entry: str) -> list[str]:
    """Prices on which the two libraries differ, both values named."""
    ours, theirs = values(offer_id, kind, entry), second_opinion(kind, entry)
    return [
        f"{offer_id}: {name}: genai-prices says {ours[name]:g}, model-prices says {theirs[name]:g}"
        for name in ours
        if name in theirs and not math.isclose(ours[name], theirs[name])
    ]


def _model_price(
    offer_id: str,
    entry: str,
    snapshot: DataSnapshot | None = None,
    on: date | None = None,
    context: Mapping[str, str] | None = None,
) -> ModelPrice:
    at = datetime.combine(on or released_on(), time(), UTC)
    provider, _, reference = entry.partition("/")
    usage = genai_prices.Usage(input_tokens=1)
    try:
        found = (snapshot or get_snapshot()).calc(
            usage, reference, provider, None, at, dict(context) if context else None
        )
    except LookupError as error:
        raise DataError(
            f"data/offers.csv: id = {offer_id}: library = {entry}: genai-prices: {error}"
        ) from None
    return found.model_price


def _rate(offer_id: str, entry: str, price: ModelPrice, name: str) -> Rate:
    rate: Rate | None = getattr(price, name)
    if rate is None:
        raise DataError(f"{offer_id}: genai-prices has no {name} for {entry}")
    return rate


def _base(rate: Rate) -> Decimal:
    return rate.base if isinstance(rate, TieredPrices) else rate


def _tiers(rate: Rate) -> list[Tier]:
    return rate.tiers if isinstance(rate, TieredPrices) else []


def _top(rate: Rate) -> Decimal:
    return _tiers(rate)[-1].price if _tiers(rate) else _base(rate)
