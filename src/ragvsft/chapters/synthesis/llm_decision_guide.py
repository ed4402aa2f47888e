"""The calculator of the wider tree: for each branch the number that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ragvsft.costs import formulas as costs
from ragvsft.costs import scenario
from ragvsft.costs.inputs import Inputs, chosen_roles, inputs, names
from ragvsft.costs.methods import METHODS, gpu_seconds_per_query, gpus, query
from ragvsft.costs.stages import STAGES, calling_usd, indexed_tokens, retrieved_tokens
from ragvsft.evaluation import formulas as evaluation
from ragvsft.evaluation.formulas import DISCORDANT_SHARE
from ragvsft.formula import Quantity, maximum, where
from ragvsft.retrieval import formulas as retrieval
from ragvsft.units import HOURS_PER_MONTH
from ragvsft.widgets.calculator import Calculator, Cell, Number, Preset, Row, Select
from ragvsft.widgets.cost_inputs import assumption_input, claimed, model_select, rest, role_select

LIBRARY_GB, MACHINE_GB = 4, 64
"""Memory up to which an index can live in the application, and on one ordinary machine. Our lines."""

OPEN_MODEL = "gpt-oss-20b-self-hosted"
"""The column of an open model on one's own GPU that calls are compared with."""

SMALL_SHARE = 0.01
"""Share of the model's bill under which a price need not decide. Our line."""


def model_usd(column_id: str) -> float:
    """USD that the answering model gets for one RAG query of the base case, on a column sold by the token."""
    used = query(scenario.default().inputs(column_id), METHODS["rag"], "per_token")
    return float(sum(use.usd for name, use in used.items() if STAGES[name].role == "answering"))


def busy_to_break_even(column_id: str) -> float:
    """Utilisation, 0 to 1, above which one's own GPU with the open model costs less than a column's calls."""
    own = scenario.default().inputs(OPEN_MODEL)
    seconds = gpu_seconds_per_query(own, METHODS["rag"])
    return float(costs.gpu_utilisation_to_break_even(own.gpu.usd_per_hour, seconds, model_usd(column_id)))


def decision_numbers() -> Calculator:
    """For each branch of the wider tree the number that decides it, on the reader's own inputs."""
    entries: tuple[Number | Select, ...] = (
        assumption_input("queries_per_month"),
        assumption_input("documents"),
        assumption_input("tokens_per_document"),
        Number("usd_per_failure", "What a wrong answer costs you", "USD", 5, 0.01, 10_000, scale="log"),
        model_select(label="Model you would like"),
        replace(_second_model(), label="Cheaper model"),
        role_select("gpu"),
        role_select("embedder"),
        assumption_input("evaluation_questions"),
        *(
            replace(assumption_input(name), group="details")
            for name in (
                "output_tokens",
                "chunks_in_prompt",
                "tokens_per_chunk",
                "embedding_dimensions",
                "throughput_reached_fraction",
                "peak_to_mean_ratio",
            )
        ),
    )
    return Calculator(
        "decision-numbers",
        "The numbers that decide your tree",
        entries,
        _decision_numbers,
        (
            Row(
                "Search: tokens in the corpus",
                Cell("corpus", "count"),
                Cell("corpus_verdict", cases=("all of it in the prompt, cached", "search it")),
            ),
            Row(
                "Model: points the cheaper one may lose",
                Cell("may_lose", "number"),
                Cell(
                    "model_verdict",
                    cases=(
                        "too small for your test to see",
                        "your test can see it: let it decide",
                    ),
                ),
            ),
            Row(
                "Evaluation: questions to see that",
                Cell("questions", "count"),
                Cell("questions_verdict", cases=("more than you have", "you have enough")),
            ),
            Row(
                "Hosting: GPUs' rent over the cheaper model's calls",
                Cell("rent_ratio", "number"),
                Cell("rent_verdict", cases=("an API costs less", "your own GPUs cost less, before people")),
            ),
            Row(
                "Embedding: first indexing over a month of calls",
                Cell("embedding_share", "percent"),
                Cell("embedding_verdict", cases=("choose by measured recall", "price counts too")),
            ),
            Row(
                "Store: memory for floats",
                Cell("memory", "gb"),
                Cell(
                    "memory_verdict",
                    cases=("a library in your process", "one machine", "a service, or fewer bits"),
                ),
            ),
        ),
        ("Branch: what decides", "Your number", "What it says"),
        presets=(
            Preset("Support bot", {"queries_per_month": 50_000, "documents": 2000}),
            Preset("High volume", {"queries_per_month": 1e7, "documents": 300}),
            Preset("Large archive", {"documents": 1e7}),
            Preset("Wrong answers are expensive", {"usd_per_failure": 500}),
        ),
        fixed=rest(*entries, roles=("weights", *chosen_roles()))
        | {"small_corpus_tokens": claimed("small-corpus-tokens"), "links": claimed("hnsw-links")},
        note=(
            "The lines between verdicts are ours, except the size up to which a corpus fits in the prompt. "
            "Calls find their prefix cached. GPUs serve a small open model; whether it answers as well is "
            "for the test to say."
        ),
    )


def _second_model() -> Select:
    """The models again, under names of their own."""
    models = model_select(name="second", label="Cheaper model", default="claude-haiku-5.5")
    return replace(
        models,
        in_scenario=False,
        choices=tuple(
            replace(choice, sets={f"second_{name}": value for name, value in choice.sets.items()})
            for choice in models.choices
        ),
    )


def _second(i: Any) -> Inputs:
    given = vars(i)
    return inputs(given | {name: given[f"second_{name}"] for name in names("answer_llm")})


def _decision_numbers(i: Any) -> Mapping[str, Quantity]:
    corpus = costs.corpus_tokens(i.documents, i.tokens_per_document)
    s, second = inputs(vars(i)), _second(i)
    prefix, fresh = s.system_tokens + s.example_tokens, s.query_tokens + retrieved_tokens(s)
    wanted_usd, cheap_usd = (
        calling_usd(at, at.answer_llm, prefix, fresh, at.output_tokens, 1) for at in (s, second)
    )
    may_lose = costs.accuracy_loss_to_break_even(wanted_usd - cheap_usd, i.usd_per_failure)
    questions = evaluation.questions_for_paired_difference(maximum(may_lose, 1e-6), DISCORDANT_SHARE)
    rent_ratio = (gpus(s, METHODS["rag"]) * HOURS_PER_MONTH * s.gpu.usd_per_hour) / (
        i.queries_per_month * cheap_usd
    )
    indexed = indexed_tokens(s)
    share = costs.tokens_usd(indexed, s.embedder.usd_per_mtok) / (i.queries_per_month * wanted_usd)
    chunks = costs.index_chunks(indexed, s.tokens_per_chunk)
    memory = retrieval.vector_memory_gb(chunks, i.embedding_dimensions, 32) + retrieval.graph_memory_gb(
        chunks, i.links
    )
    enough = where(questions <= i.evaluation_questions, 1, 0)
    return {
        "corpus": corpus,
        "corpus_verdict": where(corpus <= i.small_corpus_tokens, 0, 1),
        "may_lose": 100 * may_lose,
        "model_verdict": enough,
        "questions": questions,
        "questions_verdict": enough,
        "rent_ratio": rent_ratio,
        "rent_verdict": where(rent_ratio < 1, 1, 0),
        "embedding_share": share,
        "embedding_verdict": where(share < SMALL_SHARE, 0, 1),
        "memory": memory,
        "memory_verdict": where(memory <= LIBRARY_GB, 0, where(memory <= MACHINE_GB, 1, 2)),
    }
