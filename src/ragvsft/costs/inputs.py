"""The inputs of the cost model, typed: prices by the role that is paid, and every assumption by name.

A role is declared once, in `Inputs`: its type says which prices it has, so mypy follows
`s.embedder.usd_per_mtok`. Everywhere else (scenario files, calculators, the browser) an input is a flat
name: an assumption's own, or role and item joined by a dot, such as `embedder.usd_per_mtok`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_type_hints

from ragvsft.formula import Quantity
from ragvsft.prices import TYPES, Type, items
from ragvsft.prices.registry import Embedder, Gpu, Llm, Reranker, Store, TunedLlm, Weights


class Inputs:
    """Numbers, arrays or traced symbols under typed names; made by `inputs` from flat names.

    Roles that a calculation does not use may be absent. USD prices and units are those of
    `data/price_items.csv`; assumptions are rows of `data/assumptions.csv`.
    """

    answer_llm: Llm
    """The model that answers, untuned, by the token."""
    tuned_llm: TunedLlm
    """The same model fine-tuned, trained and served by a host."""
    weights: Weights
    """The same model's open weights on rented or own GPUs."""
    gpu: Gpu
    """The GPU that they run on."""
    embedder: Embedder
    reranker: Reranker
    store: Store

    queries_per_month: Quantity
    horizon_months: Quantity
    peak_to_mean_ratio: Quantity
    batch_fraction: Quantity
    system_tokens: Quantity
    example_tokens: Quantity
    query_tokens: Quantity
    output_tokens: Quantity
    chunks_in_prompt: Quantity
    tokens_per_chunk: Quantity
    candidates_reranked: Quantity
    documents: Quantity
    tokens_per_document: Quantity
    chunk_overlap_fraction: Quantity
    corpus_churn_per_month: Quantity
    embedding_dimensions: Quantity
    payload_bytes_per_chunk: Quantity
    agent_rounds: Quantity
    agent_tool_tokens: Quantity
    agent_call_tokens: Quantity
    agent_retry_fraction: Quantity
    agent_tool_usd: Quantity
    training_examples: Quantity
    tokens_per_example: Quantity
    usd_per_example: Quantity
    epochs: Quantity
    trials_per_release: Quantity
    months_between_releases: Quantity
    relabelled_fraction: Quantity
    months_to_base_model_retirement: Quantity
    prompt_cut_fraction: Quantity
    throughput_reached_fraction: Quantity
    gpu_utilisation_cap: Quantity
    replicas: Quantity
    training_tokens_per_second: Quantity
    usd_per_hour: Quantity
    prompting_build_hours: Quantity
    rag_build_hours: Quantity
    agentic_build_hours: Quantity
    fine_tuning_build_hours: Quantity
    shared_build_fraction: Quantity
    prompting_ops_hours_per_month: Quantity
    rag_ops_hours_per_month: Quantity
    agentic_ops_hours_per_month: Quantity
    fine_tuning_ops_hours_per_month: Quantity
    self_hosting_ops_hours_per_month: Quantity
    release_hours: Quantity
    evaluation_questions: Quantity
    evaluation_rounds_per_month: Quantity
    judge_usd_per_answer: Quantity


@dataclass(frozen=True)
class Role:
    """Who is paid: the name in `Inputs`, the type of offer that fills it, and what a reader calls it."""

    name: str
    type: Type
    label: str
    of_column: bool = False


ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("answer_llm", "llm", "Answering model", of_column=True),
        Role("tuned_llm", "tuned_llm", "Fine-tuned model", of_column=True),
        Role("weights", "weights", "Open model", of_column=True),
        Role("gpu", "gpu", "GPU"),
        Role("embedder", "embedder", "Embedding model"),
        Role("reranker", "reranker", "Reranker"),
        Role("store", "store", "Vector store"),
    )
}
"""Every role. `of_column`: the offer follows from the column of the matrix, not from a choice of its own."""


def chosen_roles() -> tuple[str, ...]:
    """The roles whose offer is chosen on its own, whatever the column."""
    return tuple(role.name for role in ROLES.values() if not role.of_column)


def flat(role: str, values: Mapping[str, float]) -> dict[str, float]:
    """The inputs of one role under their flat names."""
    return {f"{role}.{item}": value for item, value in values.items()}


def names(*roles: str) -> list[str]:
    """The flat names of every input of these roles."""
    return [f"{role}.{item}" for role in roles for item in items(ROLES[role].type)]


def inputs(values: Mapping[str, Quantity]) -> Inputs:
    """The typed inputs from flat names. A role is there if all its items are."""
    s = Inputs()
    vars(s).update({name: value for name, value in values.items() if "." not in name})
    for role in ROLES.values():
        given = {item: values.get(f"{role.name}.{item}") for item in items(role.type)}
        if all(value is not None for value in given.values()):
            setattr(s, role.name, TYPES[role.type](**given))
    return s


def changed(s: Inputs, **assumptions: Quantity) -> Inputs:
    """A copy with other values of some assumptions."""
    copy = Inputs()
    vars(copy).update(vars(s) | assumptions)
    return copy


@functools.cache
def declared() -> dict[str, object]:
    """The names and types that `Inputs` declares."""
    return get_type_hints(Inputs)
