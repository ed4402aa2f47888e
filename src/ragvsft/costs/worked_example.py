"""The source document's query: as it was listed, as it would be billed, and on other models.

USD per query throughout. The base assumptions are the source's own: a prompt of 10,000 tokens, 150 of them
the question, and 50 documents to rerank.
"""

from __future__ import annotations

from typing import NamedTuple

from ragvsft.costs import formulas as f
from ragvsft.costs import scenario
from ragvsft.costs.columns import slug
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.methods import METHODS, bill, query
from ragvsft.costs.stages import STAGES, retrieved_tokens, stored_gb
from ragvsft.prices import of_kind, status

SOURCE_MODEL = "claude-sonnet-4.6"
"""The column of the source document's model."""

RAG = METHODS["rag"]


class Part(NamedTuple):
    """One line of a bill."""

    label: str
    usd_per_query: float


class Gap(NamedTuple):
    """Why a fine-tuned small model costs less per query than RAG on a large one."""

    rag_usd: float
    rag_on_small_model_usd: float
    fine_tuned_usd: float

    @property
    def total_usd(self) -> float:
        return self.rag_usd - self.fine_tuned_usd

    @property
    def share_of_model(self) -> float:
        """Share of the gap that the cheaper model explains, before any fine-tuning."""
        return (self.rag_usd - self.rag_on_small_model_usd) / self.total_usd


def source_inputs(column_id: str = SOURCE_MODEL, **keys: float | str) -> Inputs:
    """The cost model's inputs for the source's query on a column, with some scenario keys set."""
    return scenario.from_keys({"columns": [column_id], **keys}).inputs(column_id)


def prompt_tokens(s: Inputs) -> float:
    """Tokens of the whole prompt."""
    return float(s.system_tokens + s.example_tokens + s.query_tokens + retrieved_tokens(s))


def listing(s: Inputs) -> tuple[Part, ...]:
    """The three lines that the source lists: no output, no cache, no search."""
    used = query(s, RAG, "per_token")
    return (
        Part("Embed the question", used["embed"].usd),
        Part("Rerank the candidates", used["rerank"].usd),
        Part("Read the prompt", f.tokens_usd(prompt_tokens(s), s.answer_llm.input_usd_per_mtok)),
    )


def total_usd(parts: tuple[Part, ...]) -> float:
    """The sum of a bill's lines."""
    return sum(part.usd_per_query for part in parts)


def left_out(s: Inputs) -> tuple[Part, ...]:
    """What the source's listing leaves out, each line added to all before it. A saving is negative."""
    listed = total_usd(listing(s))
    output = f.tokens_usd(s.output_tokens, s.answer_llm.output_usd_per_mtok)
    search = f.search_usd_per_query(stored_gb(s), s.store.usd_per_million_reads)
    paid = bill(s, RAG, "per_token")
    queries = s.horizon_months * s.queries_per_month
    people = (s.rag_build_hours / queries + s.rag_ops_hours_per_month / s.queries_per_month) * s.usd_per_hour
    evaluated = paid.people_one_off_usd / queries + paid.people_monthly_usd / s.queries_per_month
    return (
        Part("The answer's tokens", output),
        Part("Searching the vector database", search),
        Part("Caching the fixed prompt", paid.per_query_usd - listed - output - search),
        Part(
            "Storing and refreshing the index",
            paid.vendor_one_off_usd / queries + paid.vendor_monthly_usd / s.queries_per_month,
        ),
        Part("Evaluation", evaluated - people),
        Part("People: building and running it", people),
    )


def by_stage(s: Inputs) -> tuple[Part, ...]:
    """A whole RAG query by stage."""
    return tuple(Part(STAGES[name].label, use.usd) for name, use in query(s, RAG, "per_token").items())


def by_model() -> dict[str, tuple[Part, ...]]:
    """The source's query by stage on every model that can be bought by the token: model → parts."""
    models = dict.fromkeys(row.model for row in of_kind("llm") if status(row.id).available)
    return {model: by_stage(source_inputs(slug(model))) for model in models}


def gap(large: Inputs, small: Inputs) -> Gap:
    """RAG on a large model against a small model fine-tuned, with RAG on the small model untuned between."""
    return Gap(
        bill(large, RAG, "per_token").per_query_usd,
        bill(small, RAG, "per_token").per_query_usd,
        bill(small, METHODS["fine_tuned"], "per_token").per_query_usd,
    )
