"""Every formula of the cost model, each written once.

Constant volume; no growth, no discounting. Token prices are USD per million tokens (`usd_per_mtok`).
Arguments may be numbers, NumPy arrays, traced symbols or SymPy symbols.
"""

from ragvsft.formula import Quantity, ceil, expm1, log, maximum, minimum, where
from ragvsft.units import SECONDS_PER_MONTH

TOKENS_PER_RERANKED_DOCUMENT = 510
DOCUMENTS_PER_SEARCH = 100
MINIMUM_READ_UNITS = 0.25
BYTES_PER_FLOAT = 4


# A call to a language model


def tokens_usd(tokens: Quantity, usd_per_mtok: Quantity) -> Quantity:
    """USD for a number of tokens."""
    return tokens * usd_per_mtok / 1e6


def rate_for_prompt(
    prompt_tokens: Quantity,
    tier_threshold_tokens: Quantity,
    usd_per_mtok: Quantity,
    tier_usd_per_mtok: Quantity,
) -> Quantity:
    """USD per million tokens for a prompt of this length: some models charge more above a threshold."""
    return where(prompt_tokens > tier_threshold_tokens, tier_usd_per_mtok, usd_per_mtok)


def cache_hit_rate(queries_per_month: Quantity, cache_ttl_seconds: Quantity) -> Quantity:
    """Share of calls that find the prompt prefix still cached, 0 to 1.

    Poisson arrivals at a constant mean rate; each read renews the time to live. Real traffic comes in
    bursts, which hit more often, so this is a lower bound.
    """
    return -expm1(-(queries_per_month / SECONDS_PER_MONTH * cache_ttl_seconds))


def cache_hit_rate_to_break_even(
    input_usd_per_mtok: Quantity, cache_read_usd_per_mtok: Quantity, cache_write_usd_per_mtok: Quantity
) -> Quantity:
    """The hit rate above which caching a prefix costs less than sending it afresh, 0 to 1."""
    return (cache_write_usd_per_mtok - input_usd_per_mtok) / (
        cache_write_usd_per_mtok - cache_read_usd_per_mtok
    )


def queries_per_month_at_hit_rate(hit_rate: Quantity, cache_ttl_seconds: Quantity) -> Quantity:
    """Queries a month that give this cache hit rate: `cache_hit_rate` solved for the volume."""
    return -log(1 - hit_rate) / cache_ttl_seconds * SECONDS_PER_MONTH


def cached_input_usd_per_mtok(
    hit_rate: Quantity,
    input_usd_per_mtok: Quantity,
    cache_read_usd_per_mtok: Quantity,
    cache_write_usd_per_mtok: Quantity,
) -> Quantity:
    """Mean USD per million tokens of a cacheable prefix; never more than sending it uncached."""
    return minimum(
        input_usd_per_mtok, hit_rate * cache_read_usd_per_mtok + (1 - hit_rate) * cache_write_usd_per_mtok
    )


def cacheable_tokens(prefix_tokens: Quantity, min_cacheable_tokens: Quantity) -> Quantity:
    """Tokens of a fixed prefix that the provider will cache: all of it, or none below its minimum."""
    return where(prefix_tokens >= min_cacheable_tokens, prefix_tokens, 0)


def batch_factor(batch_fraction: Quantity, batch_multiplier: Quantity) -> Quantity:
    """Mean price factor when a share of the traffic goes through the batch endpoint."""
    return 1 - batch_fraction * (1 - batch_multiplier)


def call_usd(
    uncached_tokens: Quantity,
    cached_tokens: Quantity,
    output_tokens: Quantity,
    input_usd_per_mtok: Quantity,
    cached_usd_per_mtok: Quantity,
    output_usd_per_mtok: Quantity,
) -> Quantity:
    """USD for one call: fresh input, cached prefix and output, each at its own rate."""
    return (
        tokens_usd(uncached_tokens, input_usd_per_mtok)
        + tokens_usd(cached_tokens, cached_usd_per_mtok)
        + tokens_usd(output_tokens, output_usd_per_mtok)
    )


# Search by an agent: rounds of a tool call and reading, then the answer


def agent_prompt_tokens(
    call: Quantity,
    prefix_tokens: Quantity,
    query_tokens: Quantity,
    tool_tokens: Quantity,
    call_tokens: Quantity,
) -> Quantity:
    """Tokens of the whole prompt of the agent's call number `call`, from 1: it grows by a round each time."""
    return prefix_tokens + query_tokens + (call - 1) * (tool_tokens + call_tokens)


def agent_fresh_tokens(tool_tokens: Quantity, call_tokens: Quantity) -> Quantity:
    """Tokens of an agent's prompt after the first that no earlier call has read.

    The cache holds prompts, not outputs, so the tokens written in the round before are fresh as well.
    """
    return tool_tokens + call_tokens


# An index


def corpus_tokens(documents: Quantity, tokens_per_document: Quantity) -> Quantity:
    """Tokens in the whole corpus."""
    return documents * tokens_per_document


def indexed_tokens(corpus_tokens: Quantity, chunk_overlap_fraction: Quantity) -> Quantity:
    """Tokens to embed: the corpus plus what neighbouring chunks share."""
    return corpus_tokens * (1 + chunk_overlap_fraction)


def index_chunks(indexed_tokens: Quantity, tokens_per_chunk: Quantity) -> Quantity:
    """Chunks, and so vectors, in the index."""
    return indexed_tokens / tokens_per_chunk


def index_gb(chunks: Quantity, embedding_dimensions: Quantity, payload_bytes_per_chunk: Quantity) -> Quantity:
    """Stored GB (10^9 bytes): a 4-byte float a dimension, and the payload. Memory for search is more."""
    return chunks * (BYTES_PER_FLOAT * embedding_dimensions + payload_bytes_per_chunk) / 1e9


def index_build_usd(
    indexed_tokens: Quantity,
    index_gb: Quantity,
    usd_per_mtok: Quantity,
    usd_per_million_writes: Quantity,
) -> Quantity:
    """USD to embed and write the whole index once. One write unit covers 1 KB (docs.pinecone.io)."""
    return tokens_usd(indexed_tokens, usd_per_mtok) + index_gb * usd_per_million_writes


def index_monthly_usd(
    index_gb: Quantity,
    index_build_usd: Quantity,
    corpus_churn_per_month: Quantity,
    usd_per_gb_month: Quantity,
    minimum_usd_per_month: Quantity,
    replicas: Quantity,
    usd_per_replica_month: Quantity,
) -> Quantity:
    """USD a month to store the index and re-embed what changed, at least the plan's minimum.

    A store on one's own machines costs one machine a replica instead. Reads are charged per query and not
    counted towards the minimum, so a month's bill does not depend on volume; this overstates it by at most
    the minimum.
    """
    used_usd = index_gb * usd_per_gb_month + corpus_churn_per_month * index_build_usd
    return maximum(minimum_usd_per_month, used_usd) + replicas * usd_per_replica_month


# Retrieval, per query


def search_usd_per_query(index_gb: Quantity, usd_per_million_reads: Quantity) -> Quantity:
    """USD for one vector search: a read unit per GB of the namespace, at least 0.25 (docs.pinecone.io)."""
    return maximum(MINIMUM_READ_UNITS, index_gb) * usd_per_million_reads / 1e6


def rerank_searches_per_query(candidates: Quantity, tokens_per_chunk: Quantity) -> Quantity:
    """Billed searches to rerank one query's candidates.

    A search covers 100 documents; a document over 510 tokens is split and each part counts. Source: Cohere's
    pricing notes for rerank v3.5 and v4, as read in litellm's price map.
    """
    parts = ceil(tokens_per_chunk / TOKENS_PER_RERANKED_DOCUMENT)
    return ceil(candidates * parts / DOCUMENTS_PER_SEARCH)


def rerank_usd_per_query(
    candidates: Quantity,
    tokens_per_chunk: Quantity,
    query_tokens: Quantity,
    usd_per_search: Quantity,
    usd_per_mtok: Quantity,
) -> Quantity:
    """USD to rerank one query's candidates, by search or by token: the unit not in use has price 0.

    Token billing counts the query once for each candidate.
    """
    return rerank_searches_per_query(candidates, tokens_per_chunk) * usd_per_search + tokens_usd(
        candidates * (tokens_per_chunk + query_tokens), usd_per_mtok
    )


# Fine-tuning


def dataset_usd(training_examples: Quantity, usd_per_example: Quantity) -> Quantity:
    """USD to write, label and check the training examples."""
    return training_examples * usd_per_example


def training_tokens(
    training_examples: Quantity, tokens_per_example: Quantity, epochs: Quantity, trials: Quantity
) -> Quantity:
    """Tokens trained on for one release: every trial passes over the data `epochs` times."""
    return training_examples * tokens_per_example * epochs * trials


def gpu_training_usd(
    training_tokens: Quantity, training_tokens_per_second: Quantity, gpu_usd_per_hour: Quantity
) -> Quantity:
    """USD to train on a rented GPU."""
    return training_tokens / training_tokens_per_second / 3600 * gpu_usd_per_hour


def re_releases(
    horizon_months: Quantity, months_between_releases: Quantity, months_to_base_model_retirement: Quantity
) -> Quantity:
    """Releases after the first inside the horizon; at least one when the base model is retired inside it."""
    planned = ceil(horizon_months / months_between_releases) - 1
    return maximum(planned, where(months_to_base_model_retirement < horizon_months, 1, 0))


def tuned_prefix_tokens(prefix_tokens: Quantity, prompt_cut_fraction: Quantity) -> Quantity:
    """Tokens of instructions and examples that the tuned model still needs."""
    return (1 - prompt_cut_fraction) * prefix_tokens


def gpu_seconds(
    prompt_tokens: Quantity,
    output_tokens: Quantity,
    prefill_tokens_per_second: Quantity,
    decode_tokens_per_second: Quantity,
    throughput_reached_fraction: Quantity,
) -> Quantity:
    """Seconds of one GPU that a request takes up, at the share of published throughput that is reached."""
    at_full_load = prompt_tokens / prefill_tokens_per_second + output_tokens / decode_tokens_per_second
    return at_full_load / throughput_reached_fraction


def gpus_needed(
    queries_per_month: Quantity,
    peak_to_mean_ratio: Quantity,
    gpu_seconds_per_query: Quantity,
    gpu_utilisation_cap: Quantity,
    replicas: Quantity,
) -> Quantity:
    """GPUs that serve the peak without passing the utilisation cap: a staircase in volume."""
    peak_per_second = queries_per_month * peak_to_mean_ratio / SECONDS_PER_MONTH
    return maximum(replicas, ceil(peak_per_second * gpu_seconds_per_query / gpu_utilisation_cap))


def gpu_utilisation_to_break_even(
    gpu_usd_per_hour: Quantity, gpu_seconds_per_query: Quantity, usd_per_query: Quantity
) -> Quantity:
    """Mean utilisation, 0 to 1, above which a GPU costs less than this price per query."""
    return gpu_usd_per_hour * gpu_seconds_per_query / (3600 * usd_per_query)


# Evaluation and totals


def evaluation_usd(questions: Quantity, answer_usd: Quantity, judge_usd_per_answer: Quantity) -> Quantity:
    """USD for one round of evaluation: every question answered once and judged once."""
    return questions * (answer_usd + judge_usd_per_answer)


def horizon_usd(
    one_off_usd: Quantity,
    monthly_usd: Quantity,
    per_query_usd: Quantity,
    queries_per_month: Quantity,
    horizon_months: Quantity,
) -> Quantity:
    """USD over the whole horizon."""
    return one_off_usd + horizon_months * (monthly_usd + queries_per_month * per_query_usd)


# Quality


def usd_per_query_with_failures(
    per_query_usd: Quantity, accuracy: Quantity, usd_per_failure: Quantity
) -> Quantity:
    """USD per query when each wrong answer costs something: price plus the expected cost of failure."""
    return per_query_usd + (1 - accuracy) * usd_per_failure


def accuracy_loss_to_break_even(usd_saved_per_query: Quantity, usd_per_failure: Quantity) -> Quantity:
    """How much accuracy, 0 to 1, the cheaper option may lose before it costs more."""
    return usd_saved_per_query / usd_per_failure


# Latency


def stage_milliseconds(
    calls: Quantity,
    milliseconds_per_call: Quantity,
    prompt_tokens: Quantity,
    read_tokens_per_second: Quantity,
    output_tokens: Quantity,
    write_tokens_per_second: Quantity,
) -> Quantity:
    """Milliseconds that an answer waits for one stage, without queueing: its calls, what it reads and writes.

    The calls and the tokens are those of one query, all of them one after another.
    """
    return (
        calls * milliseconds_per_call
        + 1000 * prompt_tokens / read_tokens_per_second
        + 1000 * output_tokens / write_tokens_per_second
    )
