"""What each option costs, composed from `formulas`.

Every function here takes `s`, a namespace with one attribute for each input of the model (assumptions and
resolved prices; `scenario.inputs` makes it), and works on numbers, arrays and traced symbols alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ragvsft.costs import formulas as f
from ragvsft.formula import Quantity, where
from ragvsft.prices import Kind
from ragvsft.units import DAYS_PER_MONTH, HOURS_PER_MONTH

Inputs = Any


class Bill(NamedTuple):
    """USD of one option; `people` is labour, labelling and evaluation, `vendor` all that is invoiced."""

    vendor_one_off_usd: Quantity
    people_one_off_usd: Quantity
    vendor_monthly_usd: Quantity
    people_monthly_usd: Quantity
    per_query_usd: Quantity

    @property
    def one_off_usd(self) -> Quantity:
        return self.vendor_one_off_usd + self.people_one_off_usd

    @property
    def monthly_usd(self) -> Quantity:
        return self.vendor_monthly_usd + self.people_monthly_usd

    def horizon_usd(self, s: Inputs) -> Quantity:
        return f.horizon_usd(
            self.one_off_usd, self.monthly_usd, self.per_query_usd, s.queries_per_month, s.horizon_months
        )

    def vendor_horizon_usd(self, s: Inputs) -> Quantity:
        return f.horizon_usd(
            self.vendor_one_off_usd,
            self.vendor_monthly_usd,
            self.per_query_usd,
            s.queries_per_month,
            s.horizon_months,
        )


# Per query


def llm_usd(
    s: Inputs, prefix_tokens: Quantity, fresh_tokens: Quantity, hit_rate: Quantity | None = None
) -> Quantity:
    """USD for one call of the general model; `hit_rate` follows from the volume unless given."""
    prompt = prefix_tokens + fresh_tokens
    if hit_rate is None:
        hit_rate = f.cache_hit_rate(s.queries_per_month, s.llm_cache_ttl_seconds)

    def rate(kind: str) -> Quantity:
        return f.rate_for_prompt(
            prompt,
            s.llm_tier_threshold_tokens,
            getattr(s, f"llm_{kind}_usd_per_mtok"),
            getattr(s, f"llm_tier_{kind}_usd_per_mtok"),
        )

    cached = f.cacheable_tokens(prefix_tokens, s.llm_min_cacheable_tokens)
    return f.batch_factor(s.batch_fraction, s.llm_batch_multiplier) * f.call_usd(
        prompt - cached,
        cached,
        s.output_tokens,
        rate("input"),
        f.cached_input_usd_per_mtok(hit_rate, rate("input"), rate("cache_read"), rate("cache_write")),
        rate("output"),
    )


def tuned_llm_usd(s: Inputs, fresh_tokens: Quantity) -> Quantity:
    """USD for one call of the hosted fine-tuned model: shortened instructions, no cache, no batch."""
    prompt = f.tuned_prefix_tokens(s.system_tokens + s.example_tokens, s.prompt_cut_fraction) + fresh_tokens
    return f.call_usd(prompt, 0, s.output_tokens, s.tuned_input_usd_per_mtok, 0, s.tuned_output_usd_per_mtok)


def _indexed_tokens(s: Inputs) -> Quantity:
    return f.indexed_tokens(f.corpus_tokens(s.documents, s.tokens_per_document), s.chunk_overlap_fraction)


def stored_gb(s: Inputs) -> Quantity:
    """GB that the scenario's index stores."""
    chunks = f.index_chunks(_indexed_tokens(s), s.tokens_per_chunk)
    return f.index_gb(chunks, s.embedding_dimensions, s.payload_bytes_per_chunk)


def index_usd(s: Inputs) -> Quantity:
    """USD to build the scenario's index once."""
    return f.index_build_usd(
        _indexed_tokens(s), stored_gb(s), s.embedding_usd_per_mtok, s.vector_usd_per_million_writes
    )


def index_monthly_usd(s: Inputs) -> Quantity:
    """USD a month to store the scenario's index and keep it up to date."""
    return f.index_monthly_usd(
        stored_gb(s),
        index_usd(s),
        s.corpus_churn_per_month,
        s.vector_usd_per_gb_month,
        s.vector_minimum_usd_per_month,
    )


def rerank_usd(s: Inputs) -> Quantity:
    """USD to rerank one query's candidates."""
    return f.rerank_usd_per_query(
        s.candidates_reranked,
        s.tokens_per_chunk,
        s.query_tokens,
        s.rerank_usd_per_search,
        s.rerank_usd_per_mtok,
    )


def retrieval_usd(s: Inputs) -> Quantity:
    """USD to embed one query, search the index and rerank the candidates."""
    return (
        f.tokens_usd(s.query_tokens, s.embedding_usd_per_mtok)
        + f.search_usd_per_query(stored_gb(s), s.vector_usd_per_million_reads)
        + rerank_usd(s)
    )


def retrieved_tokens(s: Inputs) -> Quantity:
    """Tokens of retrieved text in the prompt."""
    return s.chunks_in_prompt * s.tokens_per_chunk


STAGES = {
    "embed": "embed the question",
    "search": "search the index",
    "rerank": "rerank the candidates",
    "read": "read the prompt",
    "write": "write the answer",
}
"""The stages of a RAG query, in order."""


def query_stages_usd(s: Inputs) -> dict[str, Quantity]:
    """USD per query for each stage of `STAGES`. They add up to the price per query of `rag`."""
    prefix = s.system_tokens + s.example_tokens
    fresh = s.query_tokens + retrieved_tokens(s)
    output_rate = f.rate_for_prompt(
        prefix + fresh,
        s.llm_tier_threshold_tokens,
        s.llm_output_usd_per_mtok,
        s.llm_tier_output_usd_per_mtok,
    )
    batch = f.batch_factor(s.batch_fraction, s.llm_batch_multiplier)
    write = batch * f.tokens_usd(s.output_tokens, output_rate)
    return {
        "embed": f.tokens_usd(s.query_tokens, s.embedding_usd_per_mtok),
        "search": f.search_usd_per_query(stored_gb(s), s.vector_usd_per_million_reads),
        "rerank": rerank_usd(s),
        "read": llm_usd(s, prefix, fresh) - write,
        "write": write,
    }


# Once and every month


def _evaluation(s: Inputs, answer_usd: Quantity) -> Quantity:
    return f.evaluation_usd(s.evaluation_questions, answer_usd, s.judge_usd_per_answer)


def _prompted(s: Inputs, knowledge_tokens: Quantity) -> Bill:
    prefix = s.system_tokens + s.example_tokens + knowledge_tokens
    round_usd = _evaluation(s, llm_usd(s, prefix, s.query_tokens, hit_rate=1))
    return Bill(
        0,
        s.prompting_build_hours * s.usd_per_hour + round_usd,
        0,
        s.prompting_ops_hours_per_month * s.usd_per_hour + s.evaluation_rounds_per_month * round_usd,
        llm_usd(s, prefix, s.query_tokens),
    )


def prompting(s: Inputs) -> Bill:
    """Instructions and examples in the prompt, no knowledge of the corpus."""
    return _prompted(s, 0)


def long_context(s: Inputs) -> Bill:
    """The whole corpus in every prompt, as a cached prefix. A change to the corpus rewrites the cache."""
    return _prompted(s, f.corpus_tokens(s.documents, s.tokens_per_document))


def rag(s: Inputs) -> Bill:
    """Retrieved chunks in the prompt of the general model."""
    prefix = s.system_tokens + s.example_tokens
    fresh = s.query_tokens + retrieved_tokens(s)
    round_usd = _evaluation(s, retrieval_usd(s) + llm_usd(s, prefix, fresh, hit_rate=1))
    return Bill(
        index_usd(s),
        s.rag_build_hours * s.usd_per_hour + round_usd,
        index_monthly_usd(s),
        s.rag_ops_hours_per_month * s.usd_per_hour + s.evaluation_rounds_per_month * round_usd,
        retrieval_usd(s) + llm_usd(s, prefix, fresh),
    )


def _tuned(
    s: Inputs, training_usd: Quantity, serving_monthly_usd: Quantity, ops_hours: Quantity, per_query: Quantity
) -> Bill:
    """A fine-tune: the first release once, every later one spread over the horizon's months."""
    round_usd = _evaluation(s, per_query)
    label_usd = f.dataset_usd(s.training_examples, s.usd_per_example)
    check_usd = s.trials_per_release * round_usd
    monthly_re_releases = (
        f.re_releases(s.horizon_months, s.months_between_releases, s.months_to_base_model_retirement)
        / s.horizon_months
    )
    return Bill(
        training_usd,
        s.fine_tuning_build_hours * s.usd_per_hour + label_usd + check_usd,
        serving_monthly_usd + monthly_re_releases * training_usd,
        ops_hours * s.usd_per_hour
        + s.evaluation_rounds_per_month * round_usd
        + monthly_re_releases
        * (s.relabelled_fraction * label_usd + s.release_hours * s.usd_per_hour + check_usd),
        per_query,
    )


def _training_tokens(s: Inputs) -> Quantity:
    return f.training_tokens(s.training_examples, s.tokens_per_example, s.epochs, s.trials_per_release)


def _tuned_hosted(s: Inputs, retrieved: Quantity, retrieval: Quantity) -> Bill:
    return _tuned(
        s,
        f.tokens_usd(_training_tokens(s), s.tuned_training_usd_per_mtok),
        s.tuned_hosting_usd_per_hour * HOURS_PER_MONTH,
        s.fine_tuning_ops_hours_per_month,
        retrieval + tuned_llm_usd(s, s.query_tokens + retrieved),
    )


def _tuned_self_hosted(s: Inputs, requests_per_second_per_gpu: Quantity, retrieval: Quantity) -> Bill:
    gpus = f.gpus_needed(
        s.queries_per_month,
        s.peak_to_mean_ratio,
        requests_per_second_per_gpu,
        s.gpu_utilisation_cap,
        s.min_gpus,
    )
    return _tuned(
        s,
        f.gpu_training_usd(_training_tokens(s), s.training_tokens_per_second, s.gpu_usd_per_hour),
        gpus * HOURS_PER_MONTH * s.gpu_usd_per_hour,
        s.self_hosting_ops_hours_per_month,
        retrieval,
    )


def _with_index(s: Inputs, tuned: Bill) -> Bill:
    """Add the index and the retrieval work to a fine-tune; some of the build work is shared."""
    build_usd = (1 - s.shared_build_fraction) * s.rag_build_hours * s.usd_per_hour
    return Bill(
        tuned.vendor_one_off_usd + index_usd(s),
        tuned.people_one_off_usd + build_usd,
        tuned.vendor_monthly_usd + index_monthly_usd(s),
        tuned.people_monthly_usd + s.rag_ops_hours_per_month * s.usd_per_hour,
        tuned.per_query_usd,
    )


def fine_tuned_hosted(s: Inputs) -> Bill:
    """A fine-tuned model that a provider serves. No retrieval, so no knowledge of the corpus."""
    return _tuned_hosted(s, 0, 0)


def fine_tuned_self_hosted(s: Inputs) -> Bill:
    """A fine-tuned open model on rented GPUs. No retrieval, so no knowledge of the corpus."""
    return _tuned_self_hosted(s, s.requests_per_second_per_gpu_short, 0)


def rag_fine_tuned_hosted(s: Inputs) -> Bill:
    """Retrieval in front of a fine-tuned model that a provider serves."""
    return _with_index(s, _tuned_hosted(s, retrieved_tokens(s), retrieval_usd(s)))


def rag_fine_tuned_self_hosted(s: Inputs) -> Bill:
    """Retrieval in front of a fine-tuned open model on rented GPUs."""
    return _with_index(s, _tuned_self_hosted(s, s.requests_per_second_per_gpu_rag, retrieval_usd(s)))


OPTIONS: dict[str, Callable[[Inputs], Bill]] = {
    option.__name__: option
    for option in (
        prompting,
        long_context,
        rag,
        fine_tuned_hosted,
        fine_tuned_self_hosted,
        rag_fine_tuned_hosted,
        rag_fine_tuned_self_hosted,
    )
}

LABELS = {
    "prompting": "Prompting only",
    "long_context": "Long context",
    "rag": "RAG",
    "fine_tuned_hosted": "Fine-tuned, hosted",
    "fine_tuned_self_hosted": "Fine-tuned, self-hosted",
    "rag_fine_tuned_hosted": "RAG + fine-tuned, hosted",
    "rag_fine_tuned_self_hosted": "RAG + fine-tuned, self-hosted",
}
NEEDS: dict[str, tuple[Kind, ...]] = {
    "prompting": ("llm",),
    "long_context": ("llm",),
    "rag": ("llm", "embedding", "reranker", "vector_store"),
    "fine_tuned_hosted": ("tuned_model",),
    "fine_tuned_self_hosted": ("gpu",),
    "rag_fine_tuned_hosted": ("tuned_model", "embedding", "reranker", "vector_store"),
    "rag_fine_tuned_self_hosted": ("gpu", "embedding", "reranker", "vector_store"),
}
"""The kinds of offer that each option buys."""

KNOWS_THE_CORPUS = {option: option == "long_context" or option.startswith("rag") for option in LABELS}


def longest_call_tokens(s: Inputs, option: str) -> Quantity:
    """Tokens of one call, prompt and answer, for an option that uses the general model."""
    tokens = s.system_tokens + s.example_tokens + s.query_tokens + s.output_tokens
    if option == "long_context":
        return tokens + f.corpus_tokens(s.documents, s.tokens_per_document)
    return tokens + (retrieved_tokens(s) if option == "rag" else 0)


def availability(s: Inputs) -> dict[str, Quantity]:
    """1 or 0 under names such as `rag_available`: offers outlast the horizon, and one call fits the model.

    `s` holds the days that the chosen offer of every kind can still be bought, such as `llm_days_left`.
    """
    flags: dict[str, Quantity] = {}
    for option, kinds in NEEDS.items():
        flag: Quantity = 1
        for kind in kinds:
            flag = where(getattr(s, f"{kind}_days_left") > s.horizon_months * DAYS_PER_MONTH, flag, 0)
        if "llm" in kinds:
            flag = where(longest_call_tokens(s, option) <= s.llm_context_window_tokens, flag, 0)
        flags[f"{option}_available"] = flag
    return flags


def outputs(s: Inputs) -> dict[str, Quantity]:
    """Every option's figures under one flat set of names, such as `rag_horizon_usd`: the browser's model."""
    figures: dict[str, Quantity] = {}
    for name, option in OPTIONS.items():
        bill = option(s)
        figures |= {
            f"{name}_one_off_usd": bill.one_off_usd,
            f"{name}_monthly_usd": bill.monthly_usd,
            f"{name}_per_query_usd": bill.per_query_usd,
            f"{name}_horizon_usd": bill.horizon_usd(s),
            f"{name}_vendor_horizon_usd": bill.vendor_horizon_usd(s),
        }
    return figures
