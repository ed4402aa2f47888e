"""The calculators of the chapter on the pipeline: the price of a query by stage, an index in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs import scenario
from ragvsft.costs.inputs import chosen_roles, inputs
from ragvsft.costs.methods import METHODS, index_monthly_usd, query
from ragvsft.costs.stages import STAGES, indexed_tokens, stored_gb
from ragvsft.evaluation.formulas import paired_difference_interval, wilson_interval
from ragvsft.evaluation.growth import PowerLaw, power_law
from ragvsft.evidence.ledger import get
from ragvsft.formula import Quantity
from ragvsft.prose import count, number, percent, table, usd
from ragvsft.retrieval import formulas as f
from ragvsft.retrieval import results as measured
from ragvsft.retrieval.pipeline.embed import DIMENSIONS
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Finding, Number, Preset, Row, Select, Sweep
from ragvsft.widgets.chart import INK, METHOD_COLOURS, QUIET, Layers, usd_axis, with_now
from ragvsft.widgets.cost_inputs import assumption_input, model_select, rest, role_select
from ragvsft.widgets.passage_search import PassageSearch

QUESTIONS = 1000
"""For how many questions costs are given."""
BITS = {"float": 32, "scalar": 8, "binary": 1}
"""Bits a dimension for plain floats and for the two common quantisations."""


DOCUMENTS = 10_000_000
LARGE: dict[str, float | str] = {"documents": DOCUMENTS, "tokens_per_document": 1000}
"""The large corpus of the chapter."""


def rag_stages() -> dict[str, str]:
    """The stages of a RAG query with their labels, in order."""
    return {name: STAGES[name].label for name in METHODS["rag"].stages}


def pipeline_cost() -> Calculator:
    """One query's price by stage, and the month's bill of the index."""
    entries: tuple[Number | Select, ...] = (
        model_select(),
        *(role_select(role) for role in chosen_roles() if role != "gpu"),
        assumption_input("query_tokens"),
        assumption_input("candidates_reranked"),
        assumption_input("chunks_in_prompt"),
        assumption_input("tokens_per_chunk"),
        assumption_input("output_tokens"),
        assumption_input("documents"),
        assumption_input("tokens_per_document"),
        assumption_input("queries_per_month"),
    )
    return Calculator(
        "pipeline-cost",
        "What does each stage of a query cost?",
        entries,
        _pipeline,
        (
            *(
                Row(label.capitalize(), Cell(stage, "usd"), Cell(f"{stage}_share", "percent"))
                for stage, label in rag_stages().items()
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
        finding=Finding("The dearest stage of a query: {highest}, {share:percent}"),
        sweep=Bars(rag_stages()),
        presets=(
            Preset("Cheap model", {"model": "claude-haiku-5.5"}),
            Preset(
                "Cheap model, reranker by token",
                {"model": "claude-haiku-5.5", "reranker": "voyage-rerank-3-lite"},
            ),
            Preset(f"{count(DOCUMENTS)} documents", {"documents": DOCUMENTS}),
        ),
        fixed=rest(*entries),
        note="Everything that is not set here has the base value of the data chapter.",
    )


def _pipeline(i: Any) -> Mapping[str, Quantity]:
    s = inputs(vars(i))
    stages = {name: use.usd for name, use in query(s, METHODS["rag"], "per_token").items()}
    total = sum(stages.values())
    index = index_monthly_usd(s) / s.queries_per_month
    shares = {f"{stage}_share": usd / total for stage, usd in stages.items()}
    return {
        **stages,
        **shares,
        "query": total,
        "whole": 1,
        "index_per_query": index,
        "index_share": index / total,
    }


def _stage_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar(color=METHOD_COLOURS["rag"])
        .encode(
            alt.X("value:Q", title="USD per query", axis=usd_axis()),
            alt.Y("series:N", title=None, sort=list(rag_stages().values())),
        )
        .properties(description="Price of one query as a bar for each stage, in the order in which they run.")
    )


def index_memory() -> Calculator:
    """Size of an index on disk and in memory, by quantisation, and what it takes to embed it again."""
    return Calculator(
        "index-memory",
        "How much memory does the index need?",
        (
            assumption_input("documents"),
            assumption_input("tokens_per_document"),
            assumption_input("tokens_per_chunk"),
            assumption_input("chunk_overlap_fraction"),
            assumption_input("embedding_dimensions"),
            assumption_input("payload_bytes_per_chunk"),
            Number("tokens_per_minute", "Embedding throughput", "tokens/minute", 1e6, 1e4, 1e9, scale="log"),
            role_select("embedder"),
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
        finding=Finding(
            "{documents:count} documents take {float_gb:gb} as floats, {binary_gb:gb} at one bit a number"
        ),
        sweep=Sweep(
            "documents",
            tuple(10 ** (3 + k / 2) for k in range(11)),
            {"float_gb": "floats", "scalar_gb": "scalar (8 bits)", "binary_gb": "binary (1 bit)"},
        ),
        presets=(
            Preset("A wiki", {"documents": 3000}),
            Preset(f"{count(DOCUMENTS)} documents", LARGE),
            Preset("Shorter vectors", {"embedding_dimensions": 1024}),
        ),
        fixed={"links_per_vector": get("hnsw-links").value or 0},
        note=(
            "Memory is vectors with overhead, and the search graph, which quantising does not shrink. "
            "Quantised vectors keep their originals on disk."
        ),
    )


def _memory(i: Any) -> Mapping[str, Quantity]:
    s = inputs(vars(i))
    tokens = indexed_tokens(s)
    chunks = costs.index_chunks(tokens, s.tokens_per_chunk)
    graph = f.graph_memory_gb(chunks, i.links_per_vector)
    memory = {
        f"{name}_gb": f.vector_memory_gb(chunks, i.embedding_dimensions, bits) + graph
        for name, bits in BITS.items()
    }
    return {
        "chunks": chunks,
        "disk_gb": stored_gb(s),
        **memory,
        "embed_usd": f.re_embedding_usd(tokens, s.embedder.usd_per_mtok, 1),
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
    return with_now(
        lines,
        log,
        "Memory of the index against the number of documents, both axes logarithmic, for vectors of "
        "floats, of eight bits and of one bit a dimension. A dashed line marks the corpus set above.",
    )


def rewriting_usd(conversation_tokens: float, question_tokens: float, column_id: str) -> float:
    """USD of the call that turns a conversation's last question into one that stands alone.

    The model reads `conversation_tokens` and writes `question_tokens`, without caching.
    """
    llm = scenario.from_keys({"columns": [column_id]}).inputs(column_id).answer_llm
    read = costs.tokens_usd(conversation_tokens, llm.input_usd_per_mtok)
    return float(read + costs.tokens_usd(question_tokens, llm.output_usd_per_mtok))


# ------------------------------------------------------------------------------- the search box of the page

PROMPT_PRICE = "prompt-price"


def passage_search() -> PassageSearch:
    """The search box over the book's passages; one search or all get some of its questions wrong."""
    return PassageSearch(
        (
            "Does deleting a document delete its vector?",
            "Can employees see what they may not?",
            "Which model is cheapest?",
            "MMLU",
            "What is the capital of France?",
        ),
        price=PROMPT_PRICE,
    )


def prompt_price() -> Calculator:
    """The price of one prompt by model; on the page each search sets the tokens of the prompt."""
    base = scenario.default().assumptions
    return Calculator(
        PROMPT_PRICE,
        "What does that prompt cost?",
        (
            Number(
                "prompt_tokens",
                "Tokens of the prompt",
                "tokens",
                default=base["chunks_in_prompt"] * base["tokens_per_chunk"],
                minimum=1,
                maximum=1e7,
                scale="log",
                slider=(100, 1e6),
                help="Set by each search above.",
            ),
            model_select(),
            assumption_input("output_tokens"),
        ),
        _prompt_usd,
        (
            Row("Reading the prompt", Cell("read", "usd"), Cell("read_1000", "usd")),
            Row("Writing the answer", Cell("write", "usd"), Cell("write_1000", "usd")),
            Row("The question", Cell("query", "usd"), Cell("query_1000", "usd")),
        ),
        ("", "USD a question", f"USD for {number(QUESTIONS)} questions"),
        note="Without caching, search and reranking.",
    )


def _prompt_usd(i: Any) -> Mapping[str, Quantity]:
    llm = inputs(vars(i)).answer_llm
    read = costs.tokens_usd(i.prompt_tokens, llm.input_usd_per_mtok)
    write = costs.tokens_usd(i.output_tokens, llm.output_usd_per_mtok)
    usd = {"read": read, "write": write, "query": read + write}
    return {**usd, **{f"{name}_1000": QUESTIONS * value for name, value in usd.items()}}


# ------------------------------------------------------------------------------------- our own measurement

READ_AGAIN = 50
"""Passages that the measured second stages read: part of their names in the data."""
FOUND_BY = {
    "BM25": "keywords (BM25)",
    "dense": "vectors (dense)",
    "fusion": "both, fused",
    f"fusion > late interaction @{READ_AGAIN}": f"both, then late interaction over {READ_AGAIN}",
    f"fusion > LambdaMART @{READ_AGAIN}": f"both, then LambdaMART over {READ_AGAIN}",
}
"""The measured methods that the chapter shows, with their names in words."""
SECOND_STAGES = (
    f"late interaction, {READ_AGAIN} passages",
    f"LambdaMART's features, {READ_AGAIN} passages read before",
)
TIMED = (*measured.SEARCH_STAGES, *SECOND_STAGES, f"LambdaMART's prediction, {READ_AGAIN} passages")
"""The timed stages of a search with a second stage, in order."""


def found_table() -> str:
    """Recall at five and ten and nDCG at ten of each method on the report part, with 95% intervals."""
    measures = {"R@5": percent, "R@10": percent, "nDCG@10": number}
    rows = []
    for name, label in FOUND_BY.items():
        cells = []
        for measure, words in measures.items():
            row = measured.method(name, measure=measure)
            cells.append(f"{words(row.value)} ({words(row.low)} to {words(row.high)})")
        rows.append([label, *cells])
    return table(["Search", "Recall at five", "Recall at ten", "nDCG at ten"], rows)


def timings() -> dict[str, measured.LatencyRow]:
    """The timed stages of a search with its second stage, in order."""
    rows = {row.stage: row for row in measured.latency()}
    return {stage: rows[stage] for stage in TIMED}


def cpu_chart() -> Layers:
    """CPU milliseconds of each stage of one question's search, median and 95th percentile."""
    rows = timings()
    frame = pd.DataFrame(
        [{"stage": name, "p50": row.cpu_ms_p50, "p95": row.cpu_ms_p95} for name, row in rows.items()]
    )
    base = alt.Chart(frame).encode(alt.Y("stage:N", title=None, sort=None))
    bars = base.mark_bar(color=METHOD_COLOURS["rag"]).encode(
        alt.X("p50:Q", title="CPU milliseconds for one question: median (bar), 95th percentile (tick)"),
        tooltip=[
            alt.Tooltip("stage:N", title="Stage"),
            alt.Tooltip("p50:Q", title="Median, ms", format=".2f"),
            alt.Tooltip("p95:Q", title="95th percentile, ms", format=".2f"),
        ],
    )
    ticks = base.mark_tick(thickness=2).encode(alt.X("p95:Q"))
    longest = frame.loc[frame.p50.idxmax()]
    told = "; ".join(f"{row.stage}: {row.p50:.2f} and {row.p95:.2f}" for row in frame.itertuples())
    return alt.layer(bars, ticks).properties(
        title=(
            f"All stages together take {number(frame.p50.sum())} ms of CPU at their medians; "
            f"{percent(longest.p50 / frame.p50.sum())} of it is {longest.stage}"
        ),
        description=f"CPU milliseconds by stage, median and 95th percentile. {told}.",
    )


def share_words(right: int, n: int) -> str:
    """A share of `n` questions with Wilson's 95% interval, which takes each question as one trial."""
    low, high = wilson_interval(right, n)
    return f"{percent(right / n)} ({percent(float(low))} to {percent(float(high))})"


def risk_coverage() -> pd.DataFrame:
    """What a threshold of confidence does to the extractive answerer, a line for each threshold.

    Columns answered (share of the questions with an answer in the index that get one), right (share of those
    whose cited passage answers) and fooled (share of questions that get one though theirs was taken out).
    """
    known, removed = (measured.citations(condition) for condition in ("as indexed", "answer removed"))
    rows = []
    for threshold in sorted({row.confidence for row in known}):
        kept = [row for row in known if row.confidence >= threshold]
        rows.append(
            {
                "answered": len(kept) / len(known),
                "right": sum(row.supports for row in kept) / len(kept),
                "fooled": sum(row.confidence >= threshold for row in removed) / len(removed),
            }
        )
    return pd.DataFrame(rows)


def at_half() -> pd.Series:
    """The line of the threshold that answers nearest to half of the questions that have an answer."""
    frame = risk_coverage()
    return frame.loc[(frame.answered - 0.5).abs().idxmin()]


def abstention_chart() -> alt.Chart:
    """Right citations, and answers to questions without one, against the share of questions answered."""
    frame = risk_coverage()
    frame = frame[frame.answered >= 0.05]
    labels = {"right": "citation right, of those answered", "fooled": "answered without an answer there"}
    long = frame.rename(columns=labels).melt("answered", list(labels.values()), "what", "share")
    half = at_half()
    return (
        alt.Chart(long)
        .mark_line()
        .encode(
            alt.X("answered:Q", title="Questions with an answer that get one", axis=alt.Axis(format="%")),
            alt.Y("share:Q", title="Share", axis=alt.Axis(format="%")),
            alt.Color("what:N", title=None, sort=list(labels.values())),
            tooltip=[
                alt.Tooltip("what:N", title="Line"),
                alt.Tooltip("answered:Q", title="Answered", format=".0%"),
                alt.Tooltip("share:Q", title="Share", format=".0%"),
            ],
        )
        .properties(
            title=(
                f"Answering {half.answered:.0%} makes {half.right:.0%} of citations right and still answers "
                f"{half.fooled:.0%} of questions that have no answer"
            ),
            description=(
                "Share of citations that are right, and share of questions without an answer that get one "
                f"anyway, against the share of questions answered, by threshold of confidence. At "
                f"{half.answered:.0%} answered: {half.right:.0%} and {half.fooled:.0%}."
            ),
        )
    )


# ------------------------------------------------------------------------------ the price of a recall point

FAMILIES = {
    "BM25": "keywords (BM25)",
    "dense": "vectors (dense)",
    "fusion": "both, fused",
    "fusion > late interaction @50": "both, then late interaction",
    "fusion > LambdaMART @50": "both, then LambdaMART",
}
"""The methods of the price chart, with their names in words."""
DEAR, CHEAP = "claude-sonnet-5.5", "claude-haiku-5.5"
SMALLEST_STEP = 0.03
"""Steps of recall below this are left out of the table: the intervals are wider."""


def question_usd(row: measured.ChunkingRow, column_id: str) -> float:
    """USD of one question that is answered as this row was, on a column, its share of the index included.

    Passages read, their length, overlap and bits of a vector are the row's; everything else has its base
    value. A second stage is priced as the default hosted reranker; keywords alone need no vectors.
    """
    base, depth = scenario.from_keys({"columns": [column_id]}), row.method.partition("@")[2]
    given = {
        "chunks_in_prompt": float(row.k),
        "tokens_per_chunk": row.tokens_read / row.k,
        "chunk_overlap_fraction": row.overlap / (row.words - row.overlap),
        "embedding_dimensions": DIMENSIONS * row.bits / BITS["float"],
        "candidates_reranked": float(depth or 0),
    }
    s = replace(base, assumptions={**base.assumptions, **given}).inputs(column_id)
    used = query(s, METHODS["rag"], "per_token")
    skipped = {"embed"} if row.bits == 0 else set()
    stages = sum(use.usd for name, use in used.items() if name not in skipped)
    return float(stages + index_monthly_usd(s) / s.queries_per_month)


def priced(column_id: str = DEAR) -> pd.DataFrame:
    """Every measured combination with its price and recall, cheapest first, and whether it is efficient.

    Efficient is what no cheaper combination equals. Columns usd (for 1,000 questions), recall, low, high,
    method, words, overlap, bits, k, efficient.
    """
    frame = pd.DataFrame(
        [
            {
                "usd": 1_000 * question_usd(row, column_id),
                "recall": row.recall,
                "low": row.recall_low,
                "high": row.recall_high,
                "method": FAMILIES[row.method],
                "words": row.words,
                "overlap": row.overlap,
                "bits": row.bits,
                "k": row.k,
            }
            for row in measured.chunking()
        ]
    ).sort_values(["usd", "recall"], ascending=[True, False], ignore_index=True)
    best_before = frame.recall.cummax().shift(fill_value=-1.0)
    return frame.assign(efficient=frame.recall > best_before)


def frontier(column_id: str = DEAR) -> pd.DataFrame:
    """Efficient combinations, cheapest first, each at least `SMALLEST_STEP` of recall above the one before.

    `point_usd` is what a further point of recall costs. The best combination is always there.
    """
    found = priced(column_id)
    kept: list[int] = []
    for place, row in found[found.efficient].iterrows():
        if not kept or row.recall - found.recall[kept[-1]] >= SMALLEST_STEP:
            kept.append(place)
    best = found.recall.idxmax()
    steps = found.loc[kept if kept[-1] == best else [*kept, best]].reset_index(drop=True)
    return steps.assign(point_usd=steps.usd.diff() / (100 * steps.recall.diff()))


def frontier_chart(column_id: str = DEAR) -> Layers:
    """Recall against USD for 1,000 questions: every combination, and a line through the efficient ones."""
    frame = priced(column_id)
    x = alt.X(
        "usd:Q",
        title=f"USD for {number(QUESTIONS)} questions",
        scale=alt.Scale(type="log", nice=False),
        axis=usd_axis(),
    )
    y = alt.Y("recall:Q", title="Share of the answer's passages read", axis=alt.Axis(format="%"))
    step = alt.Chart(frame[frame.efficient]).mark_line(interpolate="step-after", color=INK).encode(x, y)
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=45, opacity=0.75)
        .encode(
            x,
            y,
            alt.Color("method:N", title=None, sort=list(FAMILIES.values())),
            alt.Shape("words:N", title="Most words in a passage"),
            tooltip=[
                alt.Tooltip("method:N", title="Search"),
                alt.Tooltip("words:Q", title="Most words"),
                alt.Tooltip("overlap:Q", title="Overlap, words"),
                alt.Tooltip("bits:Q", title="Bits a dimension"),
                alt.Tooltip("k:Q", title="Passages read"),
                alt.Tooltip("usd:Q", title=f"USD for {number(QUESTIONS)}", format="$,.4~r"),
                alt.Tooltip("recall:Q", title="Recall", format=".1%"),
                alt.Tooltip("low:Q", title="From", format=".1%"),
                alt.Tooltip("high:Q", title="To", format=".1%"),
            ],
        )
    )
    first, last = frontier(column_id).iloc[0], frontier(column_id).iloc[-1]
    efficient = int(frame.efficient.sum())
    return alt.layer(step, points).properties(
        title=(
            f"{efficient} of {len(frame)} combinations are efficient: from {first.recall:.0%} for "
            f"${first.usd:.2f} to {last.recall:.0%} for ${last.usd:.2f} per {number(QUESTIONS)} questions"
        ),
        description=(
            f"Recall against USD for {number(QUESTIONS)} questions, logarithmic, of {len(frame)} "
            "combinations of search, passage size, overlap, bits and passages read. A line joins the best: "
            + "; ".join(f"${row.usd:.2f}: {row.recall:.0%}" for row in frontier(column_id).itertuples())
            + "."
        ),
    )


def frontier_table(column_id: str = DEAR) -> str:
    """The efficient combinations with recall, its interval, price and the price of a further point."""
    rows = []
    for row in frontier(column_id).itertuples():
        size = f"{row.words} words" + (f", {row.overlap} of them repeated" if row.overlap else "")
        vectors = f"{row.bits} bit{'s' * (row.bits > 1)}" if row.bits else "none"
        recall = f"{percent(row.recall)} ({percent(row.low)} to {percent(row.high)})"
        further = "" if math.isnan(row.point_usd) else usd(row.point_usd)
        rows.append([row.method, size, vectors, count(row.k), recall, usd(row.usd), further])
    head = ["Search", "Passage", "Vectors", "Read", "Recall", "USD for 1,000", "USD more for a point"]
    return table(head, rows)


# --------------------------------------------------------------------------------- growth and the update path

STORES = {
    "numpy": "array (NumPy, exact)",
    "postgresql-pgvector": "PostgreSQL with pgvector (exact)",
    "qdrant-local": "Qdrant, embedded (exact)",
    "qdrant-edge": "qdrant-edge (HNSW)",
    "hnswlib": "hnswlib (HNSW)",
    "bm25s": "keyword index (bm25s)",
}
"""The stores that were grown, with their names in words."""
APPROXIMATE = ("hnswlib", "qdrant-edge")
LARGEST, BEYOND = 100_000, 1_000_000


def grown(store: str, measure: str) -> PowerLaw:
    """How a column of the growth table grows with the number of passages."""
    rows = measured.growth(store)
    return power_law([row.passages for row in rows], [getattr(row, measure) for row in rows])


def expected_words(store: str, measure: str, words: Callable[[float], str], passages: int = BEYOND) -> str:
    """What the fit expects at a size beyond the measured ones, with its interval."""
    at = grown(store, measure).at(passages)
    return f"{words(at.value)} ({words(at.low)} to {words(at.high)})"


def embedding_ms() -> float:
    """CPU milliseconds to embed one passage, a mean over real ones."""
    return measured.growth("MiniLM")[0].add_cpu_ms


def update_chart() -> Layers:
    """CPU to bring one changed passage into each store, by passages in it, carried on to a million."""
    rows = [
        {"store": label, "passages": row.passages, "ms": row.add_cpu_ms}
        for name, label in STORES.items()
        for row in measured.growth(name)
    ]
    carried = [
        {"store": label, "passages": size, "ms": grown(name, "add_cpu_ms").at(size).value}
        for name, label in STORES.items()
        if measured.growth(name)[-1].passages == LARGEST
        for size in (LARGEST, BEYOND)
    ]
    x = alt.X(
        "passages:Q", title="Passages in the index", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s")
    )
    y = alt.Y("ms:Q", title="CPU milliseconds to add one passage", scale=alt.Scale(type="log"))
    colour = alt.Color("store:N", title=None, sort=list(STORES.values()))
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            x,
            y,
            colour,
            tooltip=[
                alt.Tooltip("store:N", title="Store"),
                alt.Tooltip("passages:Q", title="Passages", format=",d"),
                alt.Tooltip("ms:Q", title="CPU ms", format=",.3~r"),
            ],
        )
    )
    further = alt.Chart(pd.DataFrame(carried)).mark_line(strokeDash=[4, 4]).encode(x, y, colour)
    embedding = (
        alt.Chart(pd.DataFrame([{"ms": embedding_ms()}])).mark_rule(color=QUIET, size=2).encode(alt.Y("ms:Q"))
    )
    last = {name: measured.growth(name)[-1] for name in STORES}
    keywords = last["bm25s"]
    return alt.layer(embedding, lines, further).properties(
        title=(
            f"At {count(keywords.passages)} passages one new passage costs the keyword index "
            f"{keywords.add_cpu_ms / 1_000:.0f} s of CPU, because it is made anew"
        ),
        description=(
            "CPU milliseconds to add one passage against passages in the index, both logarithmic; dashed "
            f"lines carry the fits on to {count(BEYOND)}; a grey line is the {embedding_ms():.0f} ms of "
            "embedding. "
            + "; ".join(
                f"{STORES[name]} at {row.passages:,}: {row.add_cpu_ms:.3g}" for name, row in last.items()
            )
            + "."
        ),
    )


def growth_table() -> str:
    """Each store at its largest size: load, find, add, disk, and memory by the rule and measured."""
    rows = []
    for name, label in STORES.items():
        row = measured.growth(name)[-1]
        assert row.find_cpu_ms is not None and row.disk_mb is not None and row.memory_mb is not None
        ruled = "" if name == "bm25s" else number(ruled_mb(name, row.passages))
        rows.append(
            [
                label,
                count(row.passages),
                number(row.load_cpu_seconds),
                number(row.find_cpu_ms),
                number(row.add_cpu_ms),
                number(row.disk_mb),
                ruled,
                number(row.memory_mb),
            ]
        )
    head = ["Store", "Passages", "Load, CPU s", "Find ten, CPU ms", "Add one, CPU ms", "Disk, MB"]
    return table([*head, "Memory by the rule, MB", "Memory measured, MB"], rows)


def ruled_mb(store: str, passages: int) -> float:
    """MB of memory by the capacity rule of this chapter, with a search graph where the store has one."""
    graph = f.graph_memory_gb(passages, get("hnsw-links").value or 0) if store in APPROXIMATE else 0
    return float(1_000 * (f.vector_memory_gb(passages, DIMENSIONS, BITS["float"]) + graph))


# --------------------------------------------------------------------------------- a small model's citations


def small_model() -> dict[str, float]:
    """Shares of the small model's answers to questions whose answer was in the index, and what to set beside.

    right: it cites a passage that answers; chance: a blind choice among the sentences shown would;
    extractive: the extractive answerer does on the same questions, and the paired difference to it;
    best_ranked: citing the best-ranked passage unread would; first: it names the first one; abstained: it
    does not know, with the answer there or taken out; own_words: those that the cited sentence lacks.
    """
    rows, removed = (measured.generated(condition) for condition in ("as indexed", "answer removed"))
    extracted = {row.question: row.supports for row in measured.citations("as indexed")}
    browsed = measured.answers()
    ranker = browsed["methods"].index("fusion > LambdaMART @50")
    best = {row["id"]: row["ranked"][ranker][0] in row["gold"] for row in browsed["questions"]}
    n = len(rows)
    only_extracted = sum(extracted[row.question] and not row.supports for row in rows)
    only_model = sum(row.supports and not extracted[row.question] for row in rows)
    low, high = paired_difference_interval(only_extracted, only_model, n)
    return {
        "n": n,
        "right": sum(row.supports for row in rows) / n,
        "chance": sum(row.supports_by_chance for row in rows) / n,
        "extractive": sum(extracted[row.question] for row in rows) / n,
        "difference": (only_model - only_extracted) / n,
        "low": float(low),
        "high": float(high),
        "best_ranked": sum(best[row.question] for row in rows) / n,
        "first": sum(row.sentence == 1 for row in rows) / n,
        "abstained": sum(row.abstained for row in (*rows, *removed)) / (n + len(removed)),
        "own_words": 1 - sum(row.words_from_sentence for row in rows) / n,
        "cpu_seconds": sum(row.cpu_seconds for row in rows) / n,
    }
