"""Published waiting times, what follows from them, and how long an answer waits for each of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from ragvsft.costs import formulas
from ragvsft.costs.inputs import Inputs, changed
from ragvsft.costs.methods import Method, query
from ragvsft.costs.stages import STAGES, Stage, Use, Wait
from ragvsft.data import DataError, IsoDate, Row, Slug, Source, Text, load, nearest
from ragvsft.formula import Quantity
from ragvsft.units import Z_95_ONE_SIDED

SEED = 20261122
DRAWS = 100_000


class LatencyRow(Row, table="latency", key=("id",)):
    """Published waiting times of the stages of an answer, each on one system under stated conditions."""

    id: Slug = Field(description="Its name in the code.")
    stage: Literal["embed", "search", "rerank", "first token", "next token"] = Field(
        description="What is waited for."
    )
    system: Text = Field(description="What was measured.")
    statistic: Literal["p50", "p95", "range", "not stated"] = Field(
        description="Which statistic milliseconds is; for a range it is the middle."
    )
    milliseconds: float = Field(gt=0, description="The wait.")
    low: float | None = Field(gt=0, description="Low end of a range.")
    high: float | None = Field(gt=0, description="High end of a range.")
    prompt_tokens: int | None = Field(gt=0, description="Tokens of the prompt, where the wait depends on it.")
    concurrent_requests: int | None = Field(gt=0, description="Requests in flight at once.")
    as_of: IsoDate = Field(description="When it was measured, published or, failing both, read.")
    source_kind: Literal["official", "third_party_measurement", "secondary"] = Field(
        description="The maker's own page, someone else's measurement, or a text that gives rounded figures."
    )
    source: Source = Field(description="Address.")
    note: str = Field(description="Conditions that the columns do not hold.")


def published(row_id: str) -> LatencyRow:
    """One row of `data/latency.csv`. Raises `DataError` for an unknown id."""
    rows: dict[str, LatencyRow] = {row.id: row for row in load("latency")}
    if row_id not in rows:
        raise DataError(f"id = {row_id!r}: must be a row of data/latency.csv{nearest(row_id, rows)}")
    return rows[row_id]


def wait_ms(row_id: str) -> float:
    """The milliseconds of one published row."""
    return published(row_id).milliseconds


def prefill_tokens_per_second(short_id: str, long_id: str) -> float:
    """Reading speed: the further tokens of a longer prompt over the further wait for the first token."""
    short, long = published(short_id), published(long_id)
    tokens = (long.prompt_tokens or 0) - (short.prompt_tokens or 0)
    return 1000 * tokens / (long.milliseconds - short.milliseconds)


def decode_tokens_per_second(next_token_id: str) -> float:
    """Writing speed for one user: the inverse of the wait for each further token."""
    return 1000 / wait_ms(next_token_id)


def call_milliseconds(short_id: str, long_id: str) -> float:
    """What a call waits apart from reading: the line through two first tokens, at a prompt of no length."""
    short, read = published(short_id), prefill_tokens_per_second(short_id, long_id)
    return short.milliseconds - 1000 * (short.prompt_tokens or 0) / read


def reading_milliseconds(prompt_tokens: float, tokens_per_second: float) -> float:
    """The wait for a prompt of this length to be read."""
    return float(formulas.stage_milliseconds(0, 0, prompt_tokens, tokens_per_second, 0, 1))


class Speeds(NamedTuple):
    """How fast the parts of a chain are: milliseconds a call by what is waited for, and a model's speeds.

    `call_ms` has a figure for every `Wait`; a model's is its start-up and the network, without its tokens.
    """

    call_ms: Mapping[Wait, Quantity]
    read_tokens_per_second: Quantity
    write_tokens_per_second: Quantity


def typical_speeds() -> Speeds:
    """The published waits and the speeds of one server with one request; a tool is taken as a far search."""
    short, long = "first-token-short-1", "first-token-long-1"
    return Speeds(
        {
            "embed": wait_ms("embed-hosted"),
            "search": wait_ms("search-far-p50"),
            "rerank": wait_ms("rerank-dedicated-96"),
            "tool": wait_ms("search-far-p50"),
            "model": call_milliseconds(short, long),
        },
        prefill_tokens_per_second(short, long),
        decode_tokens_per_second("next-token-1"),
    )


def stage_ms(stage: Stage, use: Use, speeds: Speeds) -> Quantity:
    """Milliseconds that one query waits for a stage. Only a model's stage waits for its tokens."""
    reads = stage.wait == "model"
    return formulas.stage_milliseconds(
        use.calls,
        speeds.call_ms[stage.wait],
        use.fresh_tokens if reads else 0,
        speeds.read_tokens_per_second,
        use.output_tokens if reads else 0,
        speeds.write_tokens_per_second,
    )


ANSWER = "write"
"""The stage whose tokens the reader sees: what comes before it is the wait for the first one."""


def waits_ms(s: Inputs, method: Method, speeds: Speeds, cached_fraction: Quantity = 0) -> dict[str, Quantity]:
    """Milliseconds that one query of a method waits for each of its stages, in their order.

    `cached_fraction` (0 to 1) of what stands at the head of every prompt, and of a whole corpus in it, is
    not read again. Writing is part of the call that reads, so it adds no call of its own.
    """
    left = 1 - cached_fraction
    heads = ("system_tokens", "example_tokens", "documents")
    fresh = changed(s, **{name: getattr(s, name) * left for name in heads})
    used = query(fresh, method, "self_hosted")
    if ANSWER in used:
        used[ANSWER] = used[ANSWER]._replace(calls=0)
    return {name: stage_ms(STAGES[name], use, speeds) for name, use in used.items()}


def first_token_ms(waits: Mapping[str, Quantity]) -> Quantity:
    """Milliseconds before the first token of the answer: every stage before the one that writes it."""
    total: Quantity = 0
    for name, milliseconds in waits.items():
        if name == ANSWER:
            break
        total = total + milliseconds
    return total


def share_with_a_slow_stage(stages: int, share_slow: float) -> float:
    """Share of answers, 0 to 1, in which at least one of independent stages is slow."""
    return float(1 - (1 - share_slow) ** stages)


def p95_if_independent(p50: Sequence[float], p95: Sequence[float]) -> float:
    """The 95th percentile of a sum of independent log-normal stages with these percentiles, by simulation."""
    random = np.random.default_rng(SEED)
    centre = np.log(np.asarray(p50, dtype=float))
    spread = (np.log(np.asarray(p95, dtype=float)) - centre) / Z_95_ONE_SIDED
    stages = np.exp(centre + spread * random.standard_normal((DRAWS, len(centre))))
    return float(np.quantile(stages.sum(axis=1), 0.95))
