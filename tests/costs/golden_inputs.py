"""Inputs behind `golden.csv`: a spreadsheet of November 2026 that this model was checked against.

A fixture, not current prices: Claude Sonnet 4.6, a fine-tuned gpt-4.1-mini on Azure, Qwen3-8B on one H100.
The spreadsheet gives requests per second of one GPU; the two reading speeds follow from them.
"""

from ragvsft.costs.inputs import Inputs, inputs

SHORT_TOKENS, RAG_TOKENS, ANSWER_TOKENS = 972.5, 8472.5, 400.0
SHORT_SECONDS, RAG_SECONDS = 1 / 5, 1 / 1.3
"""GPU seconds of the tuned short prompt and of the tuned RAG prompt, each with its answer."""

_SECONDS_PER_TOKEN_READ = (RAG_SECONDS - SHORT_SECONDS) / (RAG_TOKENS - SHORT_TOKENS)
_SECONDS_PER_TOKEN_WRITTEN = (SHORT_SECONDS - SHORT_TOKENS * _SECONDS_PER_TOKEN_READ) / ANSWER_TOKENS

LLM = dict(
    input_usd_per_mtok=3.0,
    output_usd_per_mtok=15.0,
    cache_read_usd_per_mtok=0.3,
    cache_write_usd_per_mtok=3.75,
    batch_multiplier=0.5,
    tier_threshold_tokens=1_000_000.0,
    tier_input_usd_per_mtok=3.0,
    tier_output_usd_per_mtok=15.0,
    tier_cache_read_usd_per_mtok=0.3,
    tier_cache_write_usd_per_mtok=3.75,
    context_window_tokens=1_000_000.0,
    min_cacheable_tokens=1024.0,
    cache_ttl_seconds=300.0,
)

TUNED_LLM = dict(
    input_usd_per_mtok=0.4,
    output_usd_per_mtok=1.6,
    cache_read_usd_per_mtok=0.4,
    cache_write_usd_per_mtok=0.4,
    batch_multiplier=1.0,
    tier_threshold_tokens=1_000_000.0,
    tier_input_usd_per_mtok=0.4,
    tier_output_usd_per_mtok=1.6,
    tier_cache_read_usd_per_mtok=0.4,
    tier_cache_write_usd_per_mtok=0.4,
    context_window_tokens=1_000_000.0,
    min_cacheable_tokens=0.0,
    cache_ttl_seconds=300.0,
    training_usd_per_mtok=5.0,
    hosting_usd_per_hour=1.7,
)

PRICES = {
    "answer_llm": LLM,
    "tuned_llm": TUNED_LLM,
    "weights": dict(
        context_window_tokens=40_960.0,
        prefill_tokens_per_second=1 / _SECONDS_PER_TOKEN_READ,
        decode_tokens_per_second=1 / _SECONDS_PER_TOKEN_WRITTEN,
    ),
    "gpu": dict(usd_per_hour=3.99),
    "embedder": dict(usd_per_mtok=0.13),
    "reranker": dict(usd_per_search=0.002, usd_per_mtok=0.0),
    "store": dict(
        usd_per_gb_month=0.33,
        usd_per_million_reads=16.0,
        usd_per_million_writes=4.0,
        minimum_usd_per_month=50.0,
        usd_per_replica_month=0.0,
    ),
}

ASSUMPTIONS = dict(
    queries_per_month=100_000.0,
    horizon_months=12.0,
    peak_to_mean_ratio=4.0,
    batch_fraction=0.0,
    system_tokens=850.0,
    example_tokens=1500.0,
    query_tokens=150.0,
    output_tokens=400.0,
    chunks_in_prompt=15.0,
    tokens_per_chunk=500.0,
    candidates_reranked=50.0,
    documents=10_000.0,
    tokens_per_document=1500.0,
    chunk_overlap_fraction=0.1,
    corpus_churn_per_month=0.05,
    embedding_dimensions=3072.0,
    payload_bytes_per_chunk=2000.0,
    agent_rounds=4.0,
    agent_tool_tokens=2000.0,
    agent_call_tokens=200.0,
    agent_retry_fraction=0.1,
    agent_tool_usd=0.001,
    training_examples=1000.0,
    tokens_per_example=1000.0,
    usd_per_example=2.0,
    epochs=3.0,
    trials_per_release=4.0,
    months_between_releases=6.0,
    relabelled_fraction=0.4,
    months_to_base_model_retirement=21.0,
    prompt_cut_fraction=0.65,
    throughput_reached_fraction=1.0,
    gpu_utilisation_cap=0.6,
    replicas=1.0,
    training_tokens_per_second=8000.0,
    usd_per_hour=100.0,
    prompting_build_hours=30.0,
    rag_build_hours=120.0,
    agentic_build_hours=80.0,
    fine_tuning_build_hours=160.0,
    shared_build_fraction=0.2,
    prompting_ops_hours_per_month=2.0,
    rag_ops_hours_per_month=8.0,
    agentic_ops_hours_per_month=6.0,
    fine_tuning_ops_hours_per_month=4.0,
    self_hosting_ops_hours_per_month=20.0,
    release_hours=24.0,
    evaluation_questions=300.0,
    evaluation_rounds_per_month=4.0,
    judge_usd_per_answer=0.01,
)

GOLDEN: dict[str, float] = ASSUMPTIONS | {
    f"{role}.{item}": value for role, prices in PRICES.items() for item, value in prices.items()
}
"""Every input under its flat name."""


def golden(**changes: float) -> Inputs:
    """The fixture's typed inputs with some changed: assumptions by name, prices as `answer_llm__item`."""
    return inputs(GOLDEN | {name.replace("__", "."): value for name, value in changes.items()})
