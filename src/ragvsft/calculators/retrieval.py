"""Calculators of retrieval: the price of a query by stage, an index in memory, reranking, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import altair as alt

from ragvsft.calculators import Bars, Calculator, Cell, Number, Preset, Row, Sweep
from ragvsft.calculators.cost import number, rest, select
from ragvsft.charts import now_rule, usd_axis
from ragvsft.costs import formulas as costs
from ragvsft.costs import options
from ragvsft.evidence.ledger import get
from ragvsft.formula import Quantity
from ragvsft.retrieval import formulas as f

BITS = {"float": 32, "scalar": 8, "binary": 1}
"""Bits a dimension for plain floats and for the two common quantisations."""


def pipeline_cost() -> Calculator:
    """One query's price by stage, and the month's bill of the index."""
    inputs = (
        select("llm"),
        select("embedding"),
        select("reranker"),
        select("vector_store"),
        number("query_tokens"),
        number("candidates_reranked"),
        number("chunks_in_prompt"),
        number("tokens_per_chunk"),
        number("output_tokens"),
        number("documents"),
        number("tokens_per_document"),
        number("queries_per_month"),
    )
    return Calculator(
        "pipeline-cost",
        "What does each stage of a query cost?",
        inputs,
        _pipeline,
        (
            *(
                Row(label.capitalize(), Cell(stage, "usd"), Cell(f"{stage}_share", "percent"))
                for stage, label in options.STAGES.items()
            ),
            Row("The query", Cell("query", "usd"), Cell("whole", "percent")),
            Row(
                "The index, per query at this volume",
                Cell("index_per_query", "usd"),
                Cell("index_share", "percent"),
            ),
        ),
        ("Stage", "USD", "Share of the query"),
        chart=_stage_chart,
        sweep=Bars(options.STAGES),
        presets=(
            Preset("Cheap model", {"llm": "claude-haiku-5-5"}),
            Preset(
                "Cheap model, reranker by token",
                {"llm": "claude-haiku-5-5", "reranker": "voyage-rerank-3-lite"},
            ),
            Preset("Ten million documents", {"documents": 1e7}),
        ),
        fixed=rest(*inputs),
        note="Everything that is not set here has the base value of the data chapter.",
    )


def _pipeline(s: SimpleNamespace) -> Mapping[str, Quantity]:
    stages = options.query_stages_usd(s)
    query = stages["embed"] + stages["search"] + stages["rerank"] + stages["read"] + stages["write"]
    index = options.index_monthly_usd(s) / s.queries_per_month
    shares = {f"{stage}_share": usd / query for stage, usd in stages.items()}
    return {
        **stages,
        **shares,
        "query": query,
        "whole": 1,
        "index_per_query": index,
        "index_share": index / query,
    }


def _stage_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="USD per query", axis=usd_axis()),
            alt.Y("series:N", title=None, sort=list(options.STAGES.values())),
        )
        .properties(description="Price of one query as a bar for each stage, in the order in which they run.")
    )


def index_memory() -> Calculator:
    """Size of an index on disk and in memory, by quantisation, and what it takes to embed it again."""
    return Calculator(
        "index-memory",
        "How much memory does the index need?",
        (
            number("documents"),
            number("tokens_per_document"),
            number("tokens_per_chunk"),
            number("chunk_overlap_fraction"),
            number("embedding_dimensions"),
            number("payload_bytes_per_chunk"),
            Number("tokens_per_minute", "Embedding throughput", "tokens/minute", 1e6, 1e4, 1e9, scale="log"),
            select("embedding"),
        ),
        _memory,
        (
            Row("Vectors", Cell("chunks", "count")),
            Row("On disk, with the text", Cell("disk_gb", "gb")),
            Row("In memory as floats", Cell("float_gb", "gb")),
            Row("In memory, scalar quantisation", Cell("scalar_gb", "gb")),
            Row("In memory, binary quantisation", Cell("binary_gb", "gb")),
            Row("Embedding it all", Cell("embed_usd", "usd")),
            Row("Hours to embed it all", Cell("embed_hours", "number")),
        ),
        ("", "Result"),
        chart=_memory_chart,
        sweep=Sweep(
            "documents",
            tuple(10 ** (3 + k / 2) for k in range(11)),
            {"float_gb": "floats", "scalar_gb": "scalar (8 bits)", "binary_gb": "binary (1 bit)"},
        ),
        presets=(
            Preset("A wiki", {"documents": 3000}),
            Preset("Ten million documents", {"documents": 1e7, "tokens_per_document": 1000}),
            Preset("Shorter vectors", {"embedding_dimensions": 1024}),
        ),
        fixed={"links_per_vector": get("hnsw-links").value or 0},
        note=(
            "Memory is vectors with overhead, and the search graph, which quantising does not shrink. "
            "Quantised vectors keep their originals on disk."
        ),
    )


def _memory(i: Any) -> Mapping[str, Quantity]:
    tokens = costs.indexed_tokens(
        costs.corpus_tokens(i.documents, i.tokens_per_document), i.chunk_overlap_fraction
    )
    chunks = costs.index_chunks(tokens, i.tokens_per_chunk)
    graph = f.graph_memory_gb(chunks, i.links_per_vector)
    memory = {
        f"{name}_gb": f.vector_memory_gb(chunks, i.embedding_dimensions, bits) + graph
        for name, bits in BITS.items()
    }
    return {
        "chunks": chunks,
        "disk_gb": costs.index_gb(chunks, i.embedding_dimensions, i.payload_bytes_per_chunk),
        **memory,
        "embed_usd": f.re_embedding_usd(tokens, i.embedding_usd_per_mtok, 1),
        "embed_hours": f.embedding_hours(tokens, i.tokens_per_minute),
    }


def _memory_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Documents", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="Memory (GB)", scale=log),
            alt.Color("series:N", title=None, sort=None),
        )
    )
    return alt.layer(lines, now_rule(rows, scale=log)).properties(
        description=(
            "Memory of the index against the number of documents, both axes logarithmic, for vectors of "
            "floats, of eight bits and of one bit a dimension: three parallel lines."
        )
    )


def rerank_depth() -> Calculator:
    """Whether a reranker pays for itself by the chunks that it keeps out of the prompt."""
    return Calculator(
        "rerank-depth",
        "Does the reranker pay for itself?",
        (
            select("reranker"),
            select("llm"),
            number("candidates_reranked"),
            Number(
                "chunks_without", "Passages in the prompt without it", "chunks", 20, 1, 200, "log", whole=True
            ),
            Number("chunks_with", "Passages in the prompt with it", "chunks", 8, 1, 200, "log", whole=True),
            number("tokens_per_chunk"),
            number("query_tokens"),
        ),
        _rerank,
        (
            Row("Reranking", Cell("rerank", "usd")),
            Row("Passages without it", Cell("without", "usd")),
            Row("Passages with it", Cell("kept", "usd")),
            Row("Change in the price of a query", Cell("net", "usd")),
            Row("Passages to keep out until it is free", Cell("to_pay", "number")),
        ),
        ("", "Per query"),
        chart=_depth_chart,
        sweep=Sweep(
            "candidates_reranked",
            (10, 20, 30, 50, 75, 100, 101, 150, 200, 201, 250, 300),
            {"rerank": "reranking", "saved": "prompt saved"},
        ),
        presets=(
            Preset("Cheap model", {"llm": "claude-haiku-5-5"}),
            Preset(
                "Cheap model, reranker by token",
                {"llm": "claude-haiku-5-5", "reranker": "voyage-rerank-3-lite"},
            ),
            Preset("Chunks a little too long", {"tokens_per_chunk": 520, "candidates_reranked": 100}),
        ),
        note=(
            "Input price below the model's long-prompt tier, without caching: "
            "retrieved text changes with every query."
        ),
    )


def _rerank(i: Any) -> Mapping[str, Quantity]:
    rerank = costs.rerank_usd_per_query(
        i.candidates_reranked,
        i.tokens_per_chunk,
        i.query_tokens,
        i.rerank_usd_per_search,
        i.rerank_usd_per_mtok,
    )
    without = costs.tokens_usd(i.chunks_without * i.tokens_per_chunk, i.llm_input_usd_per_mtok)
    kept = costs.tokens_usd(i.chunks_with * i.tokens_per_chunk, i.llm_input_usd_per_mtok)
    return {
        "rerank": rerank,
        "without": without,
        "kept": kept,
        "saved": without - kept,
        "net": rerank + kept - without,
        "to_pay": f.chunks_saved_to_pay_for_reranking(rerank, i.tokens_per_chunk, i.llm_input_usd_per_mtok),
    }


def _depth_chart(rows: Any) -> Any:
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Passages reranked"),
            alt.Y("value:Q", title="USD per query", axis=usd_axis()),
            alt.Color("series:N", title=None, sort=None),
        )
    )
    return alt.layer(lines, now_rule(rows)).properties(
        description=(
            "Price of reranking against the number of passages reranked, beside what the shorter prompt "
            "saves. Billing by search rises in steps, billing by token in a straight line."
        )
    )


def deletion() -> Calculator:
    """How long a deleted document lives on: in answers, in bytes, in a model that was trained on it."""
    return Calculator(
        "deletion",
        "How long does a deleted document live on?",
        (
            Number("sync_days", "Until the index notices", "days", 1, 0, 30),
            Number("answer_cache_days", "Life of a cached answer", "days", 7, 0, 90),
            Number("conversation_days", "Life of a conversation's summary", "days", 30, 0, 365),
            Number("log_days", "Life of logs and traces", "days", 90, 0, 1000),
            Number("backup_days", "Life of a backup", "days", 35, 0, 1000),
            Number("deleted_percent", "Share of the index deleted each month", "%", 1, 0.1, 20, scale="log"),
            Number("threshold_percent", "Deleted share that starts a rebuild", "%", 20, 1, 100),
            number("months_between_releases"),
            number("queries_per_month"),
            Number(
                "used_percent", "Share of answers that draw on the document", "%", 0.1, 0.001, 10, scale="log"
            ),
        ),
        _deletion,
        (
            Row("Out of the search results, days", Cell("sync", "number")),
            Row("Out of every answer, days", Cell("answers", "number")),
            Row("Out of the store's files, days", Cell("compaction", "number")),
            Row("Last byte gone, days", Cell("bytes", "number")),
            Row(
                "Out of a model trained on it, days, if the next release leaves it out",
                Cell("weights", "number"),
            ),
            Row("Answers that may still use it, at most", Cell("affected", "count")),
        ),
        ("", "Result"),
        chart=_deletion_chart,
        sweep=Bars(
            {
                "sync": "search results",
                "answers": "answers",
                "compaction": "store's files",
                "bytes": "last byte",
                "weights": "model weights",
            }
        ),
        presets=(
            Preset("Compact every week", {"deleted_percent": 4, "threshold_percent": 1}),
            Preset("No caches", {"answer_cache_days": 0, "conversation_days": 0}),
        ),
        note=(
            "The defaults are assumptions, except the threshold, which is one store's default. "
            "Legal holds are not modelled."
        ),
    )


def _deletion(i: Any) -> Mapping[str, Quantity]:
    compaction = f.DAYS_PER_MONTH * f.months_until_compaction(
        i.threshold_percent / 100, i.deleted_percent / 100
    )
    answers = f.days_until_out_of_answers(i.sync_days, i.answer_cache_days, i.conversation_days)
    return {
        "sync": i.sync_days,
        "answers": answers,
        "compaction": i.sync_days + compaction,
        "bytes": f.days_until_last_copy(answers, i.sync_days, compaction, i.log_days, i.backup_days),
        "weights": i.months_between_releases * f.DAYS_PER_MONTH,
        "affected": f.answers_after_deletion(i.queries_per_month, i.used_percent / 100, answers),
    }


def _deletion_chart(rows: Any) -> Any:
    order = ["search results", "answers", "store's files", "last byte", "model weights"]
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(alt.X("value:Q", title="Days after the deletion"), alt.Y("series:N", title=None, sort=order))
        .properties(
            description=(
                "Days until a deleted document is out of search results, out of answers, out of the store's "
                "files, out of every copy, and out of a model that was trained on it, as five bars."
            )
        )
    )
