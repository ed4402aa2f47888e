"""What an index needs in memory, what it takes to embed again, and when a reranker pays for itself.

Sizes are GB of 10^9 bytes. Prices per query and the size on disk are in `ragvsft.costs.formulas`.
"""

from ragvsft.formula import Quantity, ceil, exp, expm1, log, maximum, where
from ragvsft.units import DAYS_PER_MONTH

MEMORY_OVERHEAD = 1.5
BYTES_PER_LINK = 4


# Memory


def vector_memory_gb(
    chunks: Quantity, embedding_dimensions: Quantity, bits_per_dimension: Quantity
) -> Quantity:
    """GB of memory to search the vectors: 32 bits a dimension as floats, 8 scalar, 1 binary.

    The factor 1.5 covers versions, metadata and segments being rebuilt; it was published for floats.
    Source: Qdrant, capacity planning (qdrant.tech/documentation/capacity-planning).
    """
    return chunks * embedding_dimensions * bits_per_dimension / 8 * MEMORY_OVERHEAD / 1e9


def graph_memory_gb(chunks: Quantity, links_per_vector: Quantity) -> Quantity:
    """GB of an HNSW graph, which quantising the vectors does not shrink.

    Twice `links_per_vector` links of 4 bytes on the lowest layer; the layers above add a few percent.
    Source: Malkov and Yashunin, arXiv 1603.09320, section 4.2.3.
    """
    return chunks * 2 * links_per_vector * BYTES_PER_LINK / 1e9


# Embedding again


def embedding_hours(indexed_tokens: Quantity, tokens_per_minute: Quantity) -> Quantity:
    """Hours to embed this many tokens at a rate limit or a measured throughput."""
    return indexed_tokens / tokens_per_minute / 60


def re_embedding_usd(
    indexed_tokens: Quantity, embedding_usd_per_mtok: Quantity, embedding_batch_multiplier: Quantity
) -> Quantity:
    """USD to embed the whole index again, as after a change of embedding model; 0.5 is a half-price batch."""
    return indexed_tokens * embedding_usd_per_mtok * embedding_batch_multiplier / 1e6


# Reranking


def rerank_depth_to_break_even(
    tokens_per_chunk: Quantity, query_tokens: Quantity, usd_per_search: Quantity, usd_per_mtok: Quantity
) -> Quantity:
    """Candidates at which billing by token costs as much as one search; fewer are cheaper by token.

    Holds while the candidates fit into one billed search.
    """
    return usd_per_search * 1e6 / ((tokens_per_chunk + query_tokens) * usd_per_mtok)


def chunks_saved_to_pay_for_reranking(
    rerank_usd_per_query: Quantity, tokens_per_chunk: Quantity, llm_input_usd_per_mtok: Quantity
) -> Quantity:
    """Chunks that reranking must keep out of the prompt before it costs nothing."""
    return rerank_usd_per_query * 1e6 / (tokens_per_chunk * llm_input_usd_per_mtok)


# Access and deletion


def candidates_to_fetch(chunks_wanted: Quantity, readable_fraction: Quantity) -> Quantity:
    """Candidates to fetch so that on average enough are left once the user's rights are applied."""
    return ceil(chunks_wanted / readable_fraction)


def chance_of_empty_result(candidates: Quantity, readable_fraction: Quantity) -> Quantity:
    """Chance, 0 to 1, that a user may read none of the candidates, if rights fall independently of rank.

    `readable_fraction` is below 1.
    """
    return exp(candidates * log(1 - readable_fraction))


def months_until_compaction(deleted_threshold: Quantity, deleted_fraction_per_month: Quantity) -> Quantity:
    """Months until a store that rebuilds a segment at this share of deleted vectors does so.

    Deletions fall evenly on the segments and the store does not grow. Source of such a threshold: Qdrant's
    vacuum optimiser, `deleted_threshold` in its config.yaml.
    """
    return deleted_threshold / deleted_fraction_per_month


def days_until_out_of_answers(
    sync_days: Quantity, answer_cache_days: Quantity, conversation_days: Quantity
) -> Quantity:
    """Days from deletion at the source until no answer can be built from the document.

    A cached answer or a conversation may have been written in the last moment before the index noticed.
    """
    return sync_days + maximum(answer_cache_days, conversation_days)


def days_until_last_copy(
    days_until_out_of_answers: Quantity,
    sync_days: Quantity,
    compaction_days: Quantity,
    log_days: Quantity,
    backup_days: Quantity,
) -> Quantity:
    """Days from deletion at the source until the last byte is gone.

    The deleted vector stays in its file until compaction, and a backup taken just before that keeps it for
    the whole backup retention; logs may quote it until it is out of the answers.
    """
    in_backups = sync_days + compaction_days + backup_days
    return maximum(in_backups, days_until_out_of_answers + log_days)


def answers_after_deletion(
    queries_per_month: Quantity, share_using_document: Quantity, days_until_out_of_answers: Quantity
) -> Quantity:
    """Upper bound of the answers that may still use a document after its owner deleted it."""
    return queries_per_month / DAYS_PER_MONTH * share_using_document * days_until_out_of_answers


# Freshness


def longest_delay_days(days_between_updates: Quantity, days_to_publish: Quantity) -> Quantity:
    """Days until a change that has just missed an update is answered from."""
    return days_between_updates + days_to_publish


def stale_share(
    days_between_changes: Quantity, days_between_updates: Quantity, days_to_publish: Quantity
) -> Quantity:
    """Share of answers, 0 to 1, that rest on a fact that has changed since it was copied.

    A fact changes at random moments, on average every `days_between_changes`. Copies are taken every
    `days_between_updates`, above 0, and served `days_to_publish` later until the next one is, so their age is
    spread evenly from the delay to delay and interval; one of age a is still right with chance
    exp(-a / days_between_changes).
    """
    delay = days_to_publish / days_between_changes
    return -expm1(-delay) + exp(-delay) * _stale_share_without_delay(
        days_between_updates / days_between_changes
    )


def _stale_share_without_delay(interval: Quantity) -> Quantity:
    """1 - (1 - exp(-x)) / x, by its series where x is small and the difference would lose digits."""
    series = interval * (
        1 / 2 - interval * (1 / 6 - interval * (1 / 24 - interval * (1 / 120 - interval / 720)))
    )
    return where(interval < 0.01, series, 1 + expm1(-interval) / interval)


def longest_interval_days(
    highest_stale_share: Quantity, days_between_changes: Quantity, days_to_publish: Quantity
) -> Quantity:
    """Days between updates that keep `stale_share` at or below a target; at or below 0 if none does.

    Takes the share as the mean age over `days_between_changes`, which it never exceeds: the safe side.
    """
    return 2 * (highest_stale_share * days_between_changes - days_to_publish)


# No index at all


def cached_tokens_for(usd_per_query: Quantity, cache_read_usd_per_mtok: Quantity) -> Quantity:
    """Tokens that can be read from the cache with every query for this price."""
    return usd_per_query / cache_read_usd_per_mtok * 1e6
