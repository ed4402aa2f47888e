"""What can be billed: one row of `data/price_items.csv` for each input of each type of offer.

The type names of the registry are the classes below, so that mypy follows a price from the offer to the
formula: an `Llm` has `input_usd_per_mtok`, a `Store` has `usd_per_gb_month`. A price that does not apply is
absent from `data/prices.csv`; `if_absent` says what the formulas then use.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Literal, cast

from pydantic import Field

from ragvsft.data import DataError, Identifier, Row, Text, Unit, Words, load
from ragvsft.formula import Quantity

Type = Literal["llm", "tuned_llm", "embedder", "reranker", "store", "weights", "gpu"]

REQUIRED = "required"


@dataclasses.dataclass(frozen=True)
class Llm:
    """A language model served by the token."""

    input_usd_per_mtok: Quantity
    output_usd_per_mtok: Quantity
    cache_read_usd_per_mtok: Quantity
    cache_write_usd_per_mtok: Quantity
    batch_multiplier: Quantity
    tier_threshold_tokens: Quantity
    tier_input_usd_per_mtok: Quantity
    tier_output_usd_per_mtok: Quantity
    tier_cache_read_usd_per_mtok: Quantity
    tier_cache_write_usd_per_mtok: Quantity
    context_window_tokens: Quantity
    min_cacheable_tokens: Quantity
    cache_ttl_seconds: Quantity


@dataclasses.dataclass(frozen=True)
class TunedLlm(Llm):
    """A fine-tuned model that a host trains and serves."""

    training_usd_per_mtok: Quantity
    hosting_usd_per_hour: Quantity


@dataclasses.dataclass(frozen=True)
class Embedder:
    """An embedding model served by the token."""

    usd_per_mtok: Quantity


@dataclasses.dataclass(frozen=True)
class Reranker:
    """A reranker, billed by the search or by the token."""

    usd_per_search: Quantity
    usd_per_mtok: Quantity


@dataclasses.dataclass(frozen=True)
class Store:
    """A vector store, billed by use or by the machine."""

    usd_per_gb_month: Quantity
    usd_per_million_reads: Quantity
    usd_per_million_writes: Quantity
    minimum_usd_per_month: Quantity
    usd_per_replica_month: Quantity


@dataclasses.dataclass(frozen=True)
class Weights:
    """An open model on one's own GPU: how fast one GPU reads and writes at full load."""

    context_window_tokens: Quantity
    prefill_tokens_per_second: Quantity
    decode_tokens_per_second: Quantity


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A GPU by the hour."""

    usd_per_hour: Quantity


TYPES: dict[Type, type] = {
    "llm": Llm,
    "tuned_llm": TunedLlm,
    "embedder": Embedder,
    "reranker": Reranker,
    "store": Store,
    "weights": Weights,
    "gpu": Gpu,
}


class PriceItemRow(Row, table="price_items", key=("item", "types")):
    """The registry of billable inputs: what a price in prices.csv may be a price of."""

    item: Identifier = Field(description="Name of the input, as prices.csv and scenario files write it.")
    types: Words = Field(description="The types of offer that may carry it; joined by semicolons.")
    unit: Unit = Field(description="Its unit.")
    label: Text = Field(description="The same in plain English, after the name of the offer.")
    if_absent: Text = Field(
        description="What the formulas use where an offer has no such price: a number, another item of the "
        "offer, or 'required', where the offer cannot be priced without it."
    )
    one_of: str = Field(description="Of the items with the same word an offer must have at least one.")
    meaning: Text = Field(description="What it pays for.")


@functools.cache
def items(type_: Type) -> dict[str, PriceItemRow]:
    """The billable inputs of a type of offer, by name, in the registry's order."""
    rows = cast("tuple[PriceItemRow, ...]", load("price_items"))
    found = {row.item: row for row in rows if type_ in row.types}
    fields = {field.name for field in dataclasses.fields(TYPES[type_])}
    if set(found) != fields:
        raise DataError(
            f"data/price_items.csv: type {type_}: {', '.join(sorted(set(found) ^ fields))}: "
            f"must be both a row here and a field of {TYPES[type_].__name__}"
        )
    return found


def missing(type_: Type, values: Mapping[str, object]) -> str:
    """The label of the first price without which an offer cannot be billed; blank if there is none."""
    known = items(type_)
    for row in known.values():
        if row.if_absent == REQUIRED and row.item not in values:
            return row.label
        group = [other.item for other in known.values() if row.one_of and other.one_of == row.one_of]
        if group and not any(item in values for item in group):
            return " or ".join(known[item].label for item in group)
    return ""


def completed(type_: Type, values: Mapping[str, float]) -> dict[str, float]:
    """Every input of a type: the values given, and what stands for the absent ones.

    Raises KeyError if a required price is absent.
    """
    known = items(type_)

    def value(item: str) -> float:
        if item in values:
            return values[item]
        instead = known[item].if_absent
        if instead == REQUIRED:
            raise KeyError(item)
        return value(instead) if instead in known else float(instead)

    return {item: value(item) for item in known}
