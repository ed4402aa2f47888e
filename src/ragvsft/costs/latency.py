"""Published waiting times, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from ragvsft.costs import formulas
from ragvsft.data import IsoDate, Row, Slug, Source, Text, load
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
    """One row of `data/latency.csv`. Raises StopIteration for an unknown id."""
    row: LatencyRow = next(row for row in load("latency") if row.id == row_id)
    return row


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


def reading_milliseconds(prompt_tokens: float, tokens_per_second: float) -> float:
    """The wait for the first token of an answer to a prompt of this length."""
    return float(formulas.answer_milliseconds(0, 0, 0, prompt_tokens, tokens_per_second, 0, 1))


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
