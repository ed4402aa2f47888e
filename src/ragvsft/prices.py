"""One price table: token prices from genai-prices, the rest from `data/prices.csv`, each with its date.

A selection names one offer of `data/offers.csv` for each kind. `resolve` turns it into the cost model's
price inputs (floats, USD) and keeps the provenance of every one.
"""

import csv
import dataclasses
import functools
import importlib.util
import io
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, cast, get_args

import genai_prices
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices
from genai_prices.update_prices import DEFAULT_UPDATE_URL
from pydantic import BaseModel, ConfigDict, Field

from ragvsft.data import (
    DataError,
    EmbeddingRow,
    IsoDate,
    ModelRow,
    OfferRow,
    PriceLibraryRow,
    PriceRow,
    load,
    nearest,
)
from ragvsft.units import DAYS_PER_MONTH

Kind = Literal["llm", "embedding", "reranker", "vector_store", "tuned_model", "gpu"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_SELECTION: dict[Kind, str] = {
    "llm": "claude-sonnet-5-5",
    "embedding": "text-embedding-3-large",
    "reranker": "cohere-rerank-v3.5",
    "vector_store": "pinecone-standard",
    "tuned_model": "tinker-qwen3-8b",
    "gpu": "runpod-h100-sxm-secure",
}
"""The offers a scenario uses unless it names others."""

MAX_AGE_DAYS = 180
"""A price older than this, counted from the newest committed row, is not used."""

NO_END_DAYS = 1e6
"""Days left of an offer without an announced end."""

LABELS: dict[Kind, dict[str, str]] = {
    "llm": {
        "llm_input_usd_per_mtok": "Language model: input",
        "llm_output_usd_per_mtok": "Language model: output",
        "llm_cache_read_usd_per_mtok": "Language model: cached input, read",
        "llm_cache_write_usd_per_mtok": "Language model: cached input, write",
        "llm_batch_multiplier": "Language model: batch price as a share of the standard price",
        "llm_tier_threshold_tokens": "Language model: prompt length above which the long-prompt prices apply",
        "llm_tier_input_usd_per_mtok": "Language model, long prompt: input",
        "llm_tier_output_usd_per_mtok": "Language model, long prompt: output",
        "llm_tier_cache_read_usd_per_mtok": "Language model, long prompt: cached input, read",
        "llm_tier_cache_write_usd_per_mtok": "Language model, long prompt: cached input, write",
        "llm_context_window_tokens": "Language model: longest prompt",
        "llm_min_cacheable_tokens": "Language model: shortest prefix that is cached",
        "llm_cache_ttl_seconds": "Language model: life of a cached prefix",
    },
    "embedding": {"embedding_usd_per_mtok": "Embedding model"},
    "reranker": {
        "rerank_usd_per_search": "Reranker: per search",
        "rerank_usd_per_mtok": "Reranker: per token",
    },
    "vector_store": {
        "vector_usd_per_gb_month": "Vector store: storage",
        "vector_usd_per_million_reads": "Vector store: read units",
        "vector_usd_per_million_writes": "Vector store: write units",
        "vector_minimum_usd_per_month": "Vector store: monthly minimum",
    },
    "tuned_model": {
        "tuned_input_usd_per_mtok": "Hosted fine-tuned model: input",
        "tuned_output_usd_per_mtok": "Hosted fine-tuned model: output",
        "tuned_training_usd_per_mtok": "Hosted fine-tuned model: training",
        "tuned_hosting_usd_per_hour": "Hosted fine-tuned model: hosting",
    },
    "gpu": {"gpu_usd_per_hour": "GPU"},
}
"""The price inputs of each kind, with their labels."""


class Price(BaseModel):
    """One resolved input with its provenance."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(description="Name of the cost model's input.")
    label: str = Field(description="The same in plain English.")
    value: float = Field(ge=0)
    unit: str
    as_of: IsoDate
    source_kind: str
    source: str
    note: str = ""


class Status(NamedTuple):
    """Whether an offer can be bought for the whole horizon, and if not, why."""

    available: bool
    reason: str


class Choice(NamedTuple):
    """One entry of a calculator's list."""

    id: str
    label: str
    provider: str
    available: bool
    reason: str


@dataclasses.dataclass(frozen=True)
class ResolvedPrices:
    """A selection's price inputs; one without a published price is absent."""

    selection: dict[Kind, str]
    prices: tuple[Price, ...]
    statuses: dict[Kind, Status]


# ------------------------------------------------------------------------------------------------- rates


def llm_rates(model_id: str) -> dict[str, Price]:
    """The thirteen `llm_*` inputs of a model of `data/models.csv`, from genai-prices at its release date.

    A provider without a cache-read or cache-write price charges the input price. A model without a
    long-prompt tier gets its context window as threshold and its base prices above it. Raises `DataError`
    if genai-prices has no batch price for it (it then answers silently with the standard one).
    """
    model = _row("models", model_id)
    limits = {
        "llm_context_window_tokens": model.context_window_tokens,
        "llm_min_cacheable_tokens": model.min_cacheable_tokens,
        "llm_cache_ttl_seconds": model.cache_ttl_seconds,
    }
    return (
        _library_prices("llm", _values(model), _scheduled_change(model))
        | {name: _price("llm", name, value, model) for name, value in limits.items()}
        | _newer_rows("llm", model_id)
    )


def embedding_rates(model_id: str) -> dict[str, Price]:
    """`embedding_usd_per_mtok` of a model of `data/embeddings.csv`, from genai-prices."""
    model = _row("embeddings", model_id)
    return _library_prices("embedding", _values(model)) | _newer_rows("embedding", model_id)


def rates(kind: Kind, offer_id: str) -> dict[str, Price]:
    """The price inputs of one offer, by name; those without a published price are missing.

    Raises `ValueError`, with the nearest valid id, for an id that is not of that kind.
    """
    known = [row.id for row in _offers().values() if row.kind == kind]
    if offer_id not in known:
        raise ValueError(
            f"{kind} = {offer_id!r}: must be one of {', '.join(sorted(known))}{nearest(offer_id, known)}"
        )
    if kind == "llm":
        return llm_rates(offer_id)
    return embedding_rates(offer_id) if kind == "embedding" else _rows(kind, offer_id)


def resolve(
    selection: Mapping[Any, str] = DEFAULT_SELECTION,
    on_date: date | None = None,
    horizon_months: float = 12,
    carried: Collection[str] = (),
) -> ResolvedPrices:
    """The price inputs of a selection: `{kind: offer id}`, with `DEFAULT_SELECTION` for kinds it omits.

    Raises `ValueError`, with the nearest valid name, for an unknown kind or id. An offer that cannot be
    bought is resolved all the same; `statuses` says why it cannot. `carried` is as in `offer_status`.
    """
    for kind in selection:
        if kind not in KINDS:
            raise ValueError(f"selection = {kind!r}: must be one of {', '.join(KINDS)}{nearest(kind, KINDS)}")
    chosen: dict[Kind, str] = {kind: selection.get(kind, DEFAULT_SELECTION[kind]) for kind in KINDS}
    return ResolvedPrices(
        selection=chosen,
        prices=tuple(price for kind in KINDS for price in rates(kind, chosen[kind]).values()),
        statuses={kind: offer_status(chosen[kind], on_date, horizon_months, carried) for kind in KINDS},
    )


# ------------------------------------------------------------------------------------------ availability


def prices_as_of() -> date:
    """The newest date any committed price carries: the book's today, so an old checkout still builds."""
    dates = [row.as_of for row in load("prices")]
    return max([*dates, _library().released_on])


def offer_status(
    offer_id: str, on_date: date | None = None, horizon_months: float = 12, carried: Collection[str] = ()
) -> Status:
    """Whether an offer can be bought on a date (default `prices_as_of()`) and kept for the horizon.

    `carried` names the price inputs that the caller has from elsewhere: those need no published price.
    """
    offer = _offer(offer_id)
    start = on_date or prices_as_of()
    end = start + timedelta(days=horizon_months * DAYS_PER_MONTH)
    if offer.availability == "closed":
        return Status(False, _reason("closed to new customers", offer))
    if offer.ends_on and offer.ends_on <= end:
        past = offer.ends_on <= start
        when = f"ended on {offer.ends_on}" if past else f"ends on {offer.ends_on}, inside the horizon"
        return Status(False, _reason(when, offer))
    if offer.kind == "service":
        return Status(True, "")
    found = rates(offer.kind, offer_id)
    if stale := [price.as_of for price in found.values() if is_stale(price.as_of)]:
        return Status(False, f"its price of {min(stale)} is over {MAX_AGE_DAYS} days older than the newest")
    if missing := [label for name, label in LABELS[offer.kind].items() if name not in {*found, *carried}]:
        return Status(False, f"no published price ({missing[0].lower()})")
    return Status(True, "")


def days_left(offer_id: str) -> float:
    """Days from `prices_as_of()` that an offer can still be bought; 0 if it cannot be bought now."""
    if not offer_status(offer_id, horizon_months=0).available:
        return 0
    end = _offer(offer_id).ends_on
    return (end - prices_as_of()).days if end else NO_END_DAYS


def choices(kind: Kind, on_date: date | None = None, horizon_months: float = 12) -> tuple[Choice, ...]:
    """Every offer of a kind in the order of `data/offers.csv`, the unavailable ones with their reason."""
    return tuple(
        Choice(row.id, row.offer, row.provider, *offer_status(row.id, on_date, horizon_months))
        for row in _offers().values()
        if row.kind == kind
    )


def is_stale(as_of: date) -> bool:
    """Whether a date lies more than `MAX_AGE_DAYS` before the newest committed price."""
    return (prices_as_of() - as_of).days > MAX_AGE_DAYS


# ------------------------------------------------------------------------------------- check and refresh


def check(selection: Mapping[Kind, str] = DEFAULT_SELECTION) -> list[str]:
    """What is wrong with the prices a selection uses, one sentence each; empty if nothing is.

    An offer that cannot be bought, a price or a cited assumption that is stale, and any token price of an
    offered model on which genai-prices and model-prices disagree.
    """
    resolved = resolve(selection)
    in_use = [(price.name, price.value, price.as_of) for price in resolved.prices]
    in_use += [(row.name, row.base, row.as_of) for row in load("assumptions") if row.as_of]
    return (
        [
            f"{kind} = {resolved.selection[kind]}: {status.reason}"
            for kind, status in resolved.statuses.items()
            if not status.available
        ]
        + [
            f"{name} = {value:g}: dated {as_of}; must be at most {MAX_AGE_DAYS} days older than the newest "
            f"price, {prices_as_of()}"
            for name, value, as_of in in_use
            if is_stale(as_of)
        ]
        + disagreements()
    )


def disagreements() -> list[str]:
    """Token prices on which genai-prices and model-prices differ, with both values, for every model offered.

    A model that model-prices does not carry is not compared. model-prices is a development dependency:
    without it nothing is compared.
    """
    if importlib.util.find_spec("model_prices") is None:
        return []
    return [
        f"{row.id}: {name}: genai-prices says {ours[name]:g}, model-prices says {theirs:g}"
        for row in _priced_models()
        for ours in [_values(row)]
        for name, theirs in _second_opinion(row).items()
        if not math.isclose(ours[name], theirs)
    ]


def refresh(
    fetch: Callable[[], DataSnapshot | None] | None = None, today: date | None = None
) -> list[PriceRow]:
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
            f"of genai-prices {genai_prices.__version__}, released {_library().released_on}"
        ) from error
    today = today or datetime.now(UTC).date()
    return [
        PriceRow(
            offer=row.id,
            item=name,
            unit=_UNITS[name],
            value=value,
            low=None,
            high=None,
            currency="USD",
            as_of=today,
            source_kind="library",
            source=DEFAULT_UPDATE_URL,
            note=f"was {pinned[name].value:g} on {pinned[name].as_of}",
        )
        for row in _priced_models()
        for pinned in [rates("llm" if isinstance(row, ModelRow) else "embedding", row.id)]
        for name, value in _values(row, snapshot, today).items()
        if not math.isclose(value, pinned[name].value)
    ]


def as_csv(rows: Iterable[PriceRow]) -> str:
    """Rows as lines of `data/prices.csv`, without the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow("" if value is None else value for value in row.model_dump(mode="json").values())
    return text.getvalue()


# ----------------------------------------------------------------------------------------------- lookups


def _offers() -> dict[str, OfferRow]:
    newest: dict[str, OfferRow] = {}
    for row in load("offers"):
        if row.id not in newest or row.as_of > newest[row.id].as_of:
            newest[row.id] = row
    return newest


def _offer(offer_id: str) -> OfferRow:
    offers = _offers()
    if offer_id not in offers:
        raise ValueError(f"offer = {offer_id!r}: must be an id of data/offers.csv{nearest(offer_id, offers)}")
    return offers[offer_id]


def _newest(offer_id: str) -> dict[str, PriceRow]:
    rows = sorted(load("prices"), key=lambda row: row.as_of)
    return {row.item: row for row in rows if row.offer == offer_id}


def _library() -> PriceLibraryRow:
    version = genai_prices.__version__
    for row in load("price_libraries"):
        if (row.name, row.version) == ("genai-prices", version):
            return cast(PriceLibraryRow, row)
    raise DataError(
        f"data/price_libraries.csv: version = {version}: missing; must list the installed genai-prices with "
        "its release date"
    )


def _row(table: str, id: str) -> Any:
    return next(row for row in load(table) if row.id == id)


def _priced_models() -> tuple[ModelRow | EmbeddingRow, ...]:
    return (*load("models"), *load("embeddings"))


def _price(kind: Kind, name: str, value: float, row: PriceRow | ModelRow) -> Price:
    return Price(
        name=name,
        label=LABELS[kind][name],
        value=value,
        unit=_UNITS[name],
        as_of=row.as_of,
        source_kind=row.source_kind,
        source=row.source,
        note=row.note,
    )


def _rows(kind: Kind, offer_id: str) -> dict[str, Price]:
    newest = _newest(offer_id)
    return {
        name: _price(kind, name, newest[name].value, newest[name]) for name in LABELS[kind] if name in newest
    }


def _newer_rows(kind: Kind, offer_id: str) -> dict[str, Price]:
    released_on = _library().released_on
    return {name: price for name, price in _rows(kind, offer_id).items() if price.as_of > released_on}


def _library_prices(kind: Kind, values: Mapping[str, float], note: str = "") -> dict[str, Price]:
    library = _library()
    return {
        name: Price(
            name=name,
            label=LABELS[kind][name],
            value=value,
            unit=_UNITS[name],
            as_of=library.released_on,
            source_kind="library",
            source=f"genai-prices {library.version} (released {library.released_on})",
            note=note,
        )
        for name, value in values.items()
    }


# ------------------------------------------------------------------------------------------ genai-prices

Rate = Decimal | TieredPrices


def _values(
    row: ModelRow | EmbeddingRow, snapshot: DataSnapshot | None = None, on: date | None = None
) -> dict[str, float]:
    standard = _model_price(row, snapshot, on)
    if isinstance(row, EmbeddingRow):
        return {"embedding_usd_per_mtok": float(_base(_rate(row, standard, "input_mtok")))}
    batch = _model_price(row, snapshot, on, {"processing": "batch"})
    charged = _charged(row, standard)
    thresholds = {tier.start for rate in charged.values() for tier in _tiers(rate)}
    if len(thresholds) > 1:
        raise DataError(f"{row.id}: genai-prices' tiers start at {sorted(thresholds)} tokens: must be one")
    return (
        {f"llm_{name}_usd_per_mtok": float(_base(rate)) for name, rate in charged.items()}
        | {"llm_batch_multiplier": _batch_multiplier(row, charged, _charged(row, batch))}
        | {"llm_tier_threshold_tokens": thresholds.pop() if thresholds else row.context_window_tokens}
        | {f"llm_tier_{name}_usd_per_mtok": float(_top(rate)) for name, rate in charged.items()}
    )


def _model_price(
    row: ModelRow | EmbeddingRow,
    snapshot: DataSnapshot | None = None,
    on: date | None = None,
    context: dict[str, str] | None = None,
) -> ModelPrice:
    at = datetime.combine(on or _library().released_on, time(), UTC)
    usage = genai_prices.Usage(input_tokens=1)
    try:
        found = (snapshot or get_snapshot()).calc(usage, row.price_ref, row.provider, None, at, context)
    except LookupError as error:
        raise DataError(f"data/{row.TABLE}.csv: id = {row.id}: genai-prices: {error}") from None
    return found.model_price


def _charged(row: ModelRow, price: ModelPrice) -> dict[str, Rate]:
    paid = _rate(row, price, "input_mtok")
    return {
        "input": paid,
        "output": _rate(row, price, "output_mtok"),
        "cache_read": price.cache_read_mtok or paid,
        "cache_write": price.cache_write_mtok or paid,
    }


def _rate(row: ModelRow | EmbeddingRow, price: ModelPrice, name: str) -> Rate:
    rate: Rate | None = getattr(price, name)
    if rate is None:
        raise DataError(f"{row.id}: genai-prices has no {name} for {row.price_ref}")
    return rate


def _base(rate: Rate) -> Decimal:
    return rate.base if isinstance(rate, TieredPrices) else rate


def _tiers(rate: Rate) -> list[Tier]:
    return rate.tiers if isinstance(rate, TieredPrices) else []


def _top(rate: Rate) -> Decimal:
    return _tiers(rate)[-1].price if _tiers(rate) else _base(rate)


def _batch_multiplier(row: ModelRow, standard: Mapping[str, Rate], batch: Mapping[str, Rate]) -> float:
    shares = {_base(batch[name]) / _base(standard[name]) for name in ("input", "output")}
    if len(shares) > 1 or shares == {1}:
        found = " and ".join(f"{share:g}" for share in sorted(shares))
        raise DataError(
            f"{row.id}: genai-prices' batch price is {found} of the standard price: must be one share "
            "below 1, for input and output"
        )
    return float(shares.pop())


def _scheduled_change(row: ModelRow) -> str:
    released_on = _library().released_on
    later = released_on + timedelta(days=365)
    after = _model_price(row, on=later)
    if _model_price(row) == after:
        return ""
    return f"genai-prices expects another price by {later}: {after}"


def _second_opinion(row: ModelRow | EmbeddingRow) -> dict[str, float]:
    import model_prices

    look_up = functools.partial(
        model_prices.rates, row.price_ref, at=_library().released_on.isoformat(), provider=row.provider
    )
    found, batch = look_up(), look_up(mode="batch")
    if found is None:
        return {}
    if isinstance(row, EmbeddingRow):
        return {"embedding_usd_per_mtok": found.input}
    base = {
        "input": found.input,
        "output": found.output,
        "cache_read": found.cache_read or found.input,
        "cache_write": found.cache_write or found.input,
    }
    tier = found.tiers[-1] if found.tiers else None
    return (
        {f"llm_{name}_usd_per_mtok": rate for name, rate in base.items()}
        | {"llm_batch_multiplier": batch.input / found.input}
        | {"llm_tier_threshold_tokens": tier.above if tier else row.context_window_tokens}
        | {f"llm_tier_{name}_usd_per_mtok": getattr(tier, name, None) or rate for name, rate in base.items()}
    )


def _reason(why: str, offer: OfferRow) -> str:
    return f"{why}. {offer.note}".strip().removesuffix(".")


_UNITS = {
    "llm_batch_multiplier": "fraction",
    "llm_tier_threshold_tokens": "tokens",
    "llm_context_window_tokens": "tokens",
    "llm_min_cacheable_tokens": "tokens",
    "llm_cache_ttl_seconds": "seconds",
    "rerank_usd_per_search": "USD/search",
    "vector_usd_per_gb_month": "USD/GB-month",
    "vector_usd_per_million_reads": "USD/million reads",
    "vector_usd_per_million_writes": "USD/million writes",
    "vector_minimum_usd_per_month": "USD/month",
    "tuned_hosting_usd_per_hour": "USD/hour",
    "gpu_usd_per_hour": "USD/GPU-hour",
} | {
    name: "USD/million tokens"
    for names in LABELS.values()
    for name in names
    if name.endswith("_usd_per_mtok")
}
