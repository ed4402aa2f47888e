"""The stages of an answer: what each uses of whom, for one query.

`STAGES` is the one list. The bill, the stage chart, the latency budget, the price list, the command line and
the browser derive from it; a new stage is a function here, an entry in `STAGES` and its name in `methods`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ragvsft.costs import formulas as f
from ragvsft.costs.inputs import Inputs
from ragvsft.formula import Quantity, where
from ragvsft.prices.registry import Llm

Reads = Literal["question", "corpus", "passages", "tools"]
Wait = Literal["embed", "search", "rerank", "tool", "model"]

MOST_ROUNDS = 20
"""Rounds of agentic search that the formulas unroll; `agent_rounds` may be at most this."""


class Use(NamedTuple):
    """What a query uses of one stage.

    `usd` is invoiced per query; on one's own GPU a model's stage costs nothing per query and takes
    `gpu_seconds`, which the monthly GPU bill covers. Token counts are per query, all calls together.
    """

    usd: Quantity = 0
    calls: Quantity = 1
    fresh_tokens: Quantity = 0
    cached_tokens: Quantity = 0
    output_tokens: Quantity = 0
    gpu_seconds: Quantity = 0


@dataclass(frozen=True)
class Answering:
    """Everything a stage may look at: the inputs, and how this method and column answer.

    `llm` holds the token prices of the answering model, untuned or tuned; None if it runs on one's own GPU.
    `hit_rate` is the prompt cache's; None lets it follow from the volume.
    """

    s: Inputs
    reads: Reads
    tuned: bool
    llm: Llm | None
    hit_rate: Quantity | None = None

    @property
    def prefix_tokens(self) -> Quantity:
        """Tokens at the head of the prompt that are the same in every query."""
        s = self.s
        instructions = s.system_tokens + s.example_tokens
        if self.tuned:
            instructions = f.tuned_prefix_tokens(instructions, s.prompt_cut_fraction)
        if self.reads == "corpus":
            return instructions + f.corpus_tokens(s.documents, s.tokens_per_document)
        return instructions

    @property
    def fresh_tokens(self) -> Quantity:
        """Tokens after the fixed head: the question, and passages if the method retrieves them."""
        return self.s.query_tokens + (retrieved_tokens(self.s) if self.reads == "passages" else 0)


@dataclass(frozen=True)
class Stage:
    """One step of an answer. `role` is who is paid; `wait` is what a reader waits for."""

    name: str
    label: str
    role: str
    use: Callable[[Answering], Use]
    wait: Wait = "model"


# Calls of a language model


def rate(llm: Llm, kind: str, prompt_tokens: Quantity) -> Quantity:
    """USD per million tokens of a kind (input, output, cache_read, cache_write) for such a prompt."""
    base, tier = {
        "input": (llm.input_usd_per_mtok, llm.tier_input_usd_per_mtok),
        "output": (llm.output_usd_per_mtok, llm.tier_output_usd_per_mtok),
        "cache_read": (llm.cache_read_usd_per_mtok, llm.tier_cache_read_usd_per_mtok),
        "cache_write": (llm.cache_write_usd_per_mtok, llm.tier_cache_write_usd_per_mtok),
    }[kind]
    return f.rate_for_prompt(prompt_tokens, llm.tier_threshold_tokens, base, tier)


def hit_rate(s: Inputs, llm: Llm, given: Quantity | None = None) -> Quantity:
    """Share of queries that find the fixed prefix cached; follows from the volume unless given."""
    return f.cache_hit_rate(s.queries_per_month, llm.cache_ttl_seconds) if given is None else given


def reading_usd(
    s: Inputs,
    llm: Llm,
    prefix_tokens: Quantity,
    fresh_tokens: Quantity,
    given_hit_rate: Quantity | None = None,
) -> Quantity:
    """USD for the prompt of one call: a fixed prefix that may be cached, then fresh tokens."""
    prompt = prefix_tokens + fresh_tokens
    cached = f.cacheable_tokens(prefix_tokens, llm.min_cacheable_tokens)
    cached_rate = f.cached_input_usd_per_mtok(
        hit_rate(s, llm, given_hit_rate),
        rate(llm, "input", prompt),
        rate(llm, "cache_read", prompt),
        rate(llm, "cache_write", prompt),
    )
    usd = f.call_usd(prompt - cached, cached, 0, rate(llm, "input", prompt), cached_rate, 0)
    return f.batch_factor(s.batch_fraction, llm.batch_multiplier) * usd


def writing_usd(s: Inputs, llm: Llm, prompt_tokens: Quantity, output_tokens: Quantity) -> Quantity:
    """USD for the tokens that one call writes after a prompt of this length."""
    return f.batch_factor(s.batch_fraction, llm.batch_multiplier) * f.tokens_usd(
        output_tokens, rate(llm, "output", prompt_tokens)
    )


def calling_usd(
    s: Inputs,
    llm: Llm,
    prefix_tokens: Quantity,
    fresh_tokens: Quantity,
    output_tokens: Quantity,
    given_hit_rate: Quantity | None = None,
) -> Quantity:
    """USD for one whole call: the prompt read and the answer written."""
    return reading_usd(s, llm, prefix_tokens, fresh_tokens, given_hit_rate) + writing_usd(
        s, llm, prefix_tokens + fresh_tokens, output_tokens
    )


def own_gpu_seconds(s: Inputs, prompt_tokens: Quantity, output_tokens: Quantity) -> Quantity:
    """Seconds of one's own GPU for a prompt and an answer of these lengths."""
    return f.gpu_seconds(
        prompt_tokens,
        output_tokens,
        s.weights.prefill_tokens_per_second,
        s.weights.decode_tokens_per_second,
        s.throughput_reached_fraction,
    )


def _read(a: Answering) -> Use:
    if a.reads == "tools":
        return _agent_read(a)
    prefix, fresh = a.prefix_tokens, a.fresh_tokens
    if a.llm is None:
        return Use(fresh_tokens=prefix + fresh, gpu_seconds=own_gpu_seconds(a.s, prefix + fresh, 0))
    cached = f.cacheable_tokens(prefix, a.llm.min_cacheable_tokens)
    return Use(
        usd=reading_usd(a.s, a.llm, prefix, fresh, a.hit_rate),
        fresh_tokens=prefix + fresh - cached,
        cached_tokens=cached,
    )


def _write(a: Answering) -> Use:
    s = a.s
    if a.llm is None:
        return Use(output_tokens=s.output_tokens, gpu_seconds=own_gpu_seconds(s, 0, s.output_tokens))
    usd = writing_usd(s, a.llm, longest_prompt_tokens(a), s.output_tokens)
    if a.reads == "tools":
        at_once = f.tokens_usd(s.output_tokens, rate(a.llm, "output", longest_prompt_tokens(a)))
        usd = where(s.agent_rounds >= 1, at_once, usd)
    return Use(usd=usd, output_tokens=s.output_tokens)


# Search by an agent: its calls wait for each other, so none of them goes through the batch endpoint


def _agent_prompt(a: Answering, call: int) -> Quantity:
    s = a.s
    return f.agent_prompt_tokens(
        call, a.prefix_tokens, s.query_tokens, s.agent_tool_tokens, s.agent_call_tokens
    )


def _call_input_usd(a: Answering, llm: Llm, call: int) -> Quantity:
    """USD for the prompt of the agent's call number `call` of at least two, after those before it."""
    s = a.s
    prompt = _agent_prompt(a, call)
    plain, read, write = (rate(llm, kind, prompt) for kind in ("input", "cache_read", "cache_write"))
    if call == 1:
        prefix = f.cacheable_tokens(a.prefix_tokens, llm.min_cacheable_tokens)
        hits = hit_rate(s, llm, a.hit_rate)
        head = hits * read + (1 - hits) * write
        question = where(prompt >= llm.min_cacheable_tokens, write, plain)
        return (
            f.tokens_usd(prefix, head)
            + f.tokens_usd(a.prefix_tokens - prefix, plain)
            + f.tokens_usd(s.query_tokens, question)
        )
    fresh = f.agent_fresh_tokens(s.agent_tool_tokens, s.agent_call_tokens)
    is_cached = prompt - fresh >= llm.min_cacheable_tokens
    return f.tokens_usd(prompt - fresh, where(is_cached, read, plain)) + f.tokens_usd(
        fresh, where(prompt >= llm.min_cacheable_tokens, write, plain)
    )


def _agent_rounds(a: Answering) -> Use:
    """Calls 1 to n, each of which asks a tool; repeated calls cost what the first try did."""
    s = a.s
    tries = 1 + s.agent_retry_fraction
    usd: Quantity = 0
    if a.llm is not None:
        for call in range(1, MOST_ROUNDS + 1):
            written = f.tokens_usd(s.agent_call_tokens, rate(a.llm, "output", _agent_prompt(a, call)))
            usd = usd + where(s.agent_rounds >= call, _call_input_usd(a, a.llm, call) + written, 0)
    rounds = s.agent_rounds * tries
    fresh = where(s.agent_rounds >= 1, s.query_tokens, 0) + s.agent_rounds * f.agent_fresh_tokens(
        s.agent_tool_tokens, s.agent_call_tokens
    )
    # The last round's result is read by the answering call.
    fresh = fresh - where(
        s.agent_rounds >= 1, f.agent_fresh_tokens(s.agent_tool_tokens, s.agent_call_tokens), 0
    )
    head = where(s.agent_rounds >= 1, a.prefix_tokens, 0)
    seconds = (
        0 if a.llm is not None else own_gpu_seconds(s, head + fresh, s.agent_rounds * s.agent_call_tokens)
    )
    return Use(
        usd=tries * usd,
        calls=rounds,
        fresh_tokens=tries * (head + fresh),
        output_tokens=rounds * s.agent_call_tokens,
        gpu_seconds=tries * seconds,
    )


def _agent_read(a: Answering) -> Use:
    """The answering call reads the last result; without a round it reads what prompting reads."""
    s = a.s
    after_rounds = f.agent_fresh_tokens(s.agent_tool_tokens, s.agent_call_tokens)
    alone = a.prefix_tokens + s.query_tokens
    fresh = where(s.agent_rounds >= 1, after_rounds, alone)
    if a.llm is None:
        return Use(fresh_tokens=fresh, gpu_seconds=own_gpu_seconds(s, fresh, 0))
    usd = reading_usd(s, a.llm, a.prefix_tokens, s.query_tokens, a.hit_rate)
    for rounds in range(1, MOST_ROUNDS + 1):
        usd = where(s.agent_rounds >= rounds, _call_input_usd(a, a.llm, rounds + 1), usd)
    cached = where(s.agent_rounds >= 1, longest_prompt_tokens(a) - fresh, 0)
    return Use(usd=usd, fresh_tokens=fresh, cached_tokens=cached)


def _agent_tools(a: Answering) -> Use:
    rounds = a.s.agent_rounds * (1 + a.s.agent_retry_fraction)
    return Use(usd=rounds * a.s.agent_tool_usd, calls=rounds)


# Retrieval


def retrieved_tokens(s: Inputs) -> Quantity:
    """Tokens of retrieved passages in the prompt."""
    return s.chunks_in_prompt * s.tokens_per_chunk


def indexed_tokens(s: Inputs) -> Quantity:
    """Tokens that the scenario's index embeds."""
    return f.indexed_tokens(f.corpus_tokens(s.documents, s.tokens_per_document), s.chunk_overlap_fraction)


def stored_gb(s: Inputs) -> Quantity:
    """GB that the scenario's index stores."""
    chunks = f.index_chunks(indexed_tokens(s), s.tokens_per_chunk)
    return f.index_gb(chunks, s.embedding_dimensions, s.payload_bytes_per_chunk)


def _embed(a: Answering) -> Use:
    s = a.s
    return Use(f.tokens_usd(s.query_tokens, s.embedder.usd_per_mtok), fresh_tokens=s.query_tokens)


def _search(a: Answering) -> Use:
    return Use(f.search_usd_per_query(stored_gb(a.s), a.s.store.usd_per_million_reads))


def _rerank(a: Answering) -> Use:
    s = a.s
    return Use(
        f.rerank_usd_per_query(
            s.candidates_reranked,
            s.tokens_per_chunk,
            s.query_tokens,
            s.reranker.usd_per_search,
            s.reranker.usd_per_mtok,
        ),
        fresh_tokens=s.candidates_reranked * (s.tokens_per_chunk + s.query_tokens),
    )


ANSWERING = "answering"
"""The role of whatever model answers: its name depends on the method and the column."""

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("embed", "Embed the question", "embedder", _embed, wait="embed"),
        Stage("search", "Search the index", "store", _search, wait="search"),
        Stage("rerank", "Rerank the candidates", "reranker", _rerank, wait="rerank"),
        Stage("rounds", "Rounds of search by the agent", ANSWERING, _agent_rounds),
        Stage("tools", "Tool calls", "tools", _agent_tools, wait="tool"),
        Stage("read", "Read the prompt", ANSWERING, _read),
        Stage("write", "Write the answer", ANSWERING, _write),
    )
}
"""Every stage, in the order of an answer."""


def longest_prompt_tokens(a: Answering) -> Quantity:
    """Tokens of the longest prompt of a query."""
    if a.reads == "tools":
        return f.agent_prompt_tokens(
            a.s.agent_rounds + 1,
            a.prefix_tokens,
            a.s.query_tokens,
            a.s.agent_tool_tokens,
            a.s.agent_call_tokens,
        )
    return a.prefix_tokens + a.fresh_tokens
