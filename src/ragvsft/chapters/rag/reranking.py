"""The calculator and charts of the chapter on reranking: what it added, and what it costs by depth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import pandas as pd

from ragvsft import prose
from ragvsft.costs import formulas as costs
from ragvsft.costs.formulas import rerank_usd_per_query
from ragvsft.costs.inputs import inputs
from ragvsft.evaluation.differences import Difference
from ragvsft.evidence.published import difference, figure, results
from ragvsft.formula import Quantity
from ragvsft.prices import of_kind, values
from ragvsft.retrieval import formulas as f
from ragvsft.retrieval import results as measured
from ragvsft.widgets.answer_browser import AnswerBrowser, retrieval_answers
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import COLON_LINES, Layers, usd_axis, with_now
from ragvsft.widgets.cost_inputs import assumption_input, model_select, role_select


def rerank_depth() -> Calculator:
    """Whether a reranker pays for itself by the chunks that it keeps out of the prompt."""
    return Calculator(
        "rerank-depth",
        "Does the reranker pay for itself?",
        (
            role_select("reranker"),
            model_select(),
            assumption_input("candidates_reranked"),
            Number(
                "chunks_without", "Passages in the prompt without it", "chunks", 20, 1, 200, "log", whole=True
            ),
            Number("chunks_with", "Passages in the prompt with it", "chunks", 8, 1, 200, "log", whole=True),
            assumption_input("tokens_per_chunk"),
            assumption_input("query_tokens"),
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
        finding=Finding(
            "Reranking {candidates_reranked:count} passages costs {rerank:usd}; "
            "the shorter prompt saves {saved:usd}"
        ),
        sweep=Sweep(
            "candidates_reranked",
            (10, 20, 30, 50, 75, 100, 101, 150, 200, 201, 250, 300),
            {"rerank": "reranking", "saved": "prompt saved"},
        ),
        presets=(
            Preset("Cheap model", {"model": "claude-haiku-5.5"}),
            Preset(
                "Cheap model, reranker by token",
                {"model": "claude-haiku-5.5", "reranker": "voyage-rerank-3-lite"},
            ),
            Preset("Chunks a little too long", {"tokens_per_chunk": 520, "candidates_reranked": 100}),
        ),
        note=(
            "Input price below the model's long-prompt tier, without caching: "
            "retrieved text changes with every query."
        ),
    )


def _rerank(i: Any) -> Mapping[str, Quantity]:
    s = inputs(vars(i))
    rerank = costs.rerank_usd_per_query(
        i.candidates_reranked,
        i.tokens_per_chunk,
        i.query_tokens,
        s.reranker.usd_per_search,
        s.reranker.usd_per_mtok,
    )
    without = costs.tokens_usd(i.chunks_without * i.tokens_per_chunk, s.answer_llm.input_usd_per_mtok)
    kept = costs.tokens_usd(i.chunks_with * i.tokens_per_chunk, s.answer_llm.input_usd_per_mtok)
    return {
        "rerank": rerank,
        "without": without,
        "kept": kept,
        "saved": without - kept,
        "net": rerank + kept - without,
        "to_pay": f.chunks_saved_to_pay_for_reranking(
            rerank, i.tokens_per_chunk, s.answer_llm.input_usd_per_mtok
        ),
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
    return with_now(
        lines,
        alt.Scale(),
        "Price of reranking against the number of passages reranked, beside what the shorter prompt "
        "saves. A dashed line marks the number set above.",
    )


DEPTHS = (10, 25, 50, 75, 100, 101, 150, 200, 201, 250, 300)


NO_RERANKER = "no reranker (jina-embeddings-v3)"

SETS = {
    "BEIR": "Mean of BEIR",
    "BEIR ArguAna": "Counter-arguments",
    "MIRACL": "Mean of MIRACL",
    "MIRACL German": "German",
}
"""Sets of Wang et al. 2025, as their dataset begins, by the name that a reader sees."""


def largest_test() -> Difference:
    """Recall at five that reranking added to hybrid search in Akarsu et al. 2026."""
    hybrid, reranked = (
        figure("akarsu2026", condition, metric="recall at 5")
        for condition in ("hybrid (BM25 + dense, rank fusion)", "hybrid + Cohere Rerank")
    )
    found = difference(hybrid, reranked)
    assert found is not None
    return found


def largest_test_questions() -> int:
    """How many questions that was."""
    return figure("akarsu2026", "hybrid + Cohere Rerank", metric="recall at 5").n or 0


def reranked() -> pd.DataFrame:
    """What each reranker of Wang et al. 2025 added to the same search, a line for each published score.

    Columns reranker, set, gain (points of nDCG at 10), score and alone (the search's own score).
    """
    scores = [
        (row.condition, SETS[row.dataset.partition(",")[0]], row.value) for row in results("wang2025jina")
    ]
    alone = {name: score for reranker, name, score in scores if reranker == NO_RERANKER}
    return pd.DataFrame(
        [
            (reranker, name, score - alone[name], score, alone[name])
            for reranker, name, score in scores
            if reranker != NO_RERANKER
        ],
        columns=["reranker", "set", "gain", "score", "alone"],
    )


def hurt() -> pd.Series:
    """Whether each of these scores is below the search's own."""
    return reranked().gain < 0


def languages_chart() -> Layers:
    """What each reranker added or took, by set."""
    frame = reranked()
    base = alt.Chart(frame).encode(
        alt.X("gain:Q", title="Change against no reranker (points of nDCG at ten)"),
        alt.Y("reranker:N", title=None, sort=None, axis=alt.Axis(grid=True)),
    )
    shown = alt.Color("set:N", title=None, sort=list(SETS.values()))
    dots = base.mark_point(filled=True, size=70).encode(
        shown,
        alt.Shape("set:N", title=None, sort=list(SETS.values())),
        tooltip=[
            alt.Tooltip("reranker:N", title="Reranker"),
            alt.Tooltip("set:N", title="Set"),
            alt.Tooltip("gain:Q", title="Change in points", format="+.1f"),
            alt.Tooltip("score:Q", title="With it", format=".1f"),
            alt.Tooltip("alone:Q", title="Without", format=".1f"),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"gain": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("gain:Q"))
    worst = frame.loc[frame.gain.idxmin()]
    told = "; ".join(f"{row.reranker}, {row.set}: {row.gain:+.1f}" for row in frame.itertuples())
    return alt.layer(zero, dots).properties(
        title=(
            f"{(frame.gain < 0).sum()} of {len(frame)} scores fall below no reranker, "
            f"by up to {prose.number(round(-worst.gain, 1))} points ({worst['set']})"
        ),
        description=f"Change in points of nDCG at ten that each reranker made to the same search. {told}.",
    )


def cheaper_until(tokens_per_chunk: float, query_tokens: float, search_usd: float, mtok_usd: float) -> str:
    """Up to which number of passages billing by token is cheaper, in words, among the depths of the chart."""
    cheaper = [
        rerank_usd_per_query(depth, tokens_per_chunk, query_tokens, 0, mtok_usd)
        < rerank_usd_per_query(depth, tokens_per_chunk, query_tokens, search_usd, 0)
        for depth in DEPTHS
    ]
    if all(cheaper):
        return "at every depth shown"
    return f"at {prose.count(sum(cheaper))} of the {prose.count(len(cheaper))} depths shown"


STEPS_DEPTHS = ("recall at 5", "recall at 10", "recall at 20")


def recall_chart() -> alt.Chart:
    """Recall after each retrieval step of Anthropic's notebook."""
    frame = pd.DataFrame(
        [(row.condition, row.metric, row.value) for row in results("anthropiccookbook")],
        columns=["step", "depth", "recall"],
    )
    table = frame.pivot(index="step", columns="depth", values="recall")
    context, order = (
        100 * (table.loc[after] - table.loc[before])
        for before, after in (
            ("plain embeddings", "contextual embeddings"),
            ("contextual embeddings", "contextual embeddings + rerank"),
        )
    )
    more = int((context > order).sum())
    told = "; ".join(
        f"{step}: {', '.join(prose.percent(round(table.loc[step, depth], 3)) for depth in STEPS_DEPTHS)}"
        for step in frame.step.unique()
    )
    return (
        alt.Chart(frame)
        .mark_point(filled=True, size=70)
        .encode(
            alt.X("recall:Q", title="Recall", scale=alt.Scale(zero=False), axis=alt.Axis(format="%")),
            alt.Y("step:N", title=None, sort=None, axis=alt.Axis(grid=True)),
            alt.Color("depth:N", title=None, sort=list(STEPS_DEPTHS)),
            tooltip=[
                alt.Tooltip("step:N", title="Step"),
                alt.Tooltip("depth:N", title="Depth"),
                alt.Tooltip("recall:Q", title="Recall", format=".1%"),
            ],
        )
        .properties(
            title=f"Context added more than reranking after it at {more} of {len(context)} depths",
            description=f"{', '.join(STEPS_DEPTHS)}, for each step. {told}.",
        )
    )


def depth_rows(tokens_per_chunk: float, query_tokens: float) -> list[dict[str, Any]]:
    """Price of one query's reranking for every distinct price on the list, at every depth."""
    priced: dict[str, tuple[float, float]] = {}
    for offer in of_kind("reranker"):
        if offer.source_kind == "assumption":
            continue
        found = values(offer.id)
        search, token = found["usd_per_search"], found["usd_per_mtok"]
        unit = f"{prose.usd(search)} a search" if search else f"{prose.usd(token)} a million tokens"
        priced[unit.replace("\\", "")] = search, token
    return [
        {
            "depth": depth,
            "usd": rerank_usd_per_query(depth, tokens_per_chunk, query_tokens, search, token),
            "price": label,
        }
        for label, (search, token) in sorted(priced.items())
        for depth in DEPTHS
    ]


def depth_chart(tokens_per_chunk: float = 500, query_tokens: float = 150) -> Any:
    """Price of reranking against depth, for both billing units."""
    rows = depth_rows(tokens_per_chunk, query_tokens)
    at_depth = {row["price"]: row["usd"] for row in rows if row["depth"] == costs.DOCUMENTS_PER_SEARCH}
    low, high = (
        min(at_depth, key=lambda price: at_depth[price]),
        max(at_depth, key=lambda price: at_depth[price]),
    )
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_line()
        .encode(
            alt.X("depth:Q", title="Passages reranked"),
            alt.Y("usd:Q", title="USD per query", axis=usd_axis()),
            alt.Color("price:N", title=None),
            tooltip=[
                alt.Tooltip("price:N", title="Price"),
                alt.Tooltip("depth:Q", title="Passages"),
                alt.Tooltip("usd:Q", title="USD per query", format="$.4f"),
            ],
        )
        .properties(
            title=(
                f"{costs.DOCUMENTS_PER_SEARCH} passages cost "
                f"{prose.number(at_depth[high] / at_depth[low])} times as much at {high} as at {low}"
            ),
            description=(
                "Price of reranking one query against the number of passages, one line for each price on "
                "the list: prices by search rise in steps, prices by token in a straight line."
            ),
        )
    )


# ------------------------------------------------------------------------------------- our own measurement

LIFTS = (
    "fusion-over-dense",
    "late-interaction-over-fusion",
    "lambdamart-over-dense",
    "bm25.late-interaction-50-over-bm25",
    "dense.late-interaction-50-over-dense",
    "fusion.lambdamart-50-over-fusion.late-interaction-50",
)
"""The paired differences of the chart: the three named beforehand, then exploratory ones."""
STAGES: tuple[Literal["late interaction", "LambdaMART"], ...] = ("late interaction", "LambdaMART")


def points_words(value: float, low: float, high: float) -> str:
    """A difference of nDCG in points with its interval: "+4.54 points (+2.28 to +7.01)"."""
    first, *ends = (f"{100 * size:+.2f}".replace("-", "−") for size in (value, low, high))
    return f"{first} points ({' to '.join(ends)})"


def resolved_words(row: measured.ComparisonRow) -> str:
    """Whether the difference is resolved."""
    return "resolved" if row.resolved else "not resolved"


def lifts() -> list[measured.ComparisonRow]:
    """The paired differences of the report part that the chart shows."""
    return [measured.comparison(name) for name in LIFTS]


def lifts_chart() -> Layers:
    """What each step changed on the same questions, with its interval."""
    rows = lifts()
    frame = pd.DataFrame(
        [
            {
                "step": f"{_short(row.second)}: against {_short(row.first)}",
                "gain": 100 * row.difference,
                "low": 100 * row.low,
                "high": 100 * row.high,
                "told": resolved_words(row),
                "kind": row.kind,
                "wins": row.wins,
                "losses": row.losses,
            }
            for row in rows
        ]
    )
    base = alt.Chart(frame).encode(alt.Y("step:N", title=None, sort=None, axis=COLON_LINES))
    spans = base.mark_rule(size=2).encode(
        alt.X("low:Q", title="Change in nDCG at ten (points), 95% interval"), alt.X2("high:Q"), _told()
    )
    dots = base.mark_point(filled=True, size=80).encode(
        alt.X("gain:Q"),
        _told(),
        alt.Shape("kind:N", title=None, sort=None),
        tooltip=[
            alt.Tooltip("step:N", title="Step"),
            alt.Tooltip("gain:Q", title="Points", format="+.2f"),
            alt.Tooltip("low:Q", title="From", format="+.2f"),
            alt.Tooltip("high:Q", title="To", format="+.2f"),
            alt.Tooltip("wins:Q", title="Questions better"),
            alt.Tooltip("losses:Q", title="Questions worse"),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"gain": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("gain:Q"))
    named = [row for row in rows if row.kind == "primary"]
    settled = [row for row in named if row.resolved]
    told = "; ".join(
        f"{row.step}: {row.gain:+.2f} ({row.low:+.2f} to {row.high:+.2f}), {row.told}"
        for row in frame.itertuples()
    )
    return alt.layer(zero, spans, dots).properties(
        title=(
            f"{len(settled)} of the {len(named)} differences named beforehand are resolved: "
            + ("; ".join(f"{_short(row.second)} {100 * row.difference:+.1f} points" for row in settled))
        ),
        description=f"Change in points of nDCG at ten, paired by question, with its interval. {told}.",
    )


def _short(name: str) -> str:
    return re.sub(r"^(\S+) > (.+) @(\d+)$", r"\2, \3 of \1", name)


def _told() -> alt.Color:
    return alt.Color("told:N", title=None, sort=["resolved", "not resolved"])


def deeper() -> dict[str, measured.ComparisonRow]:
    """What the deepest list tried adds to the shallowest, by second stage, paired by question."""
    found: dict[str, measured.ComparisonRow] = {}
    for stage in STAGES:
        depths = measured.by_depth(stage)
        shallow, deep = depths[0][0], depths[-1][0]
        name = stage.lower().replace(" ", "-")
        found[stage] = measured.comparison(f"fusion.{name}-{deep}-over-fusion.{name}-{shallow}")
    return found


def measured_depth_chart() -> Layers:
    """nDCG at ten against how many candidates were reordered, for both second stages."""
    curves = {stage: measured.by_depth(stage) for stage in STAGES}
    frame = pd.DataFrame(
        [
            {"stage": stage, "depth": depth, "ndcg": row.value, "low": row.low, "high": row.high}
            for stage, curve in curves.items()
            for depth, row in curve
        ]
    )
    best = {stage: int(part.loc[part.ndcg.idxmax()].depth) for stage, part in frame.groupby("stage")}
    alone = measured.method("fusion").value
    lines = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            alt.X("depth:Q", title="Candidates reordered", scale=alt.Scale(type="log", nice=False)),
            alt.Y("ndcg:Q", title="nDCG at ten", scale=alt.Scale(zero=False)),
            alt.Color("stage:N", title=None, sort=list(curves)),
            tooltip=[
                alt.Tooltip("stage:N", title="Second stage"),
                alt.Tooltip("depth:Q", title="Candidates"),
                alt.Tooltip("ndcg:Q", title="nDCG at ten", format=".3f"),
                alt.Tooltip("low:Q", title="From", format=".3f"),
                alt.Tooltip("high:Q", title="To", format=".3f"),
            ],
        )
    )
    rule = alt.Chart(pd.DataFrame({"ndcg": [alone]})).mark_rule(strokeDash=[4, 4]).encode(alt.Y("ndcg:Q"))
    told = "; ".join(f"{row.stage} over {row.depth}: {row.ndcg:.3f}" for row in frame.itertuples())
    return alt.layer(rule, lines).properties(
        title="Highest where " + ", and ".join(f"{stage} reorders {depth}" for stage, depth in best.items()),
        description=f"nDCG at ten by depth; the dashed line is the fusion alone, {alone:.3f}. {told}.",
    )


ENCODER = "MiniLM's question side"
"""The retriever's own curve: all layers of the side that reads the question."""


def curve(tuned: str = "LambdaMART over fusion") -> list[measured.LearningRow]:
    """What labelled pairs of other projects gained, fewest pairs first."""
    rows = [row for row in measured.learning(tuned) if row.pairs_from == "labelled"]
    return sorted(rows, key=lambda row: row.pairs)


def learning_chart() -> Layers:
    """Gain on projects that nothing was trained on, against labelled pairs: reranker, retriever, map."""
    names = {
        "LambdaMART over fusion": "reranker (LambdaMART)",
        ENCODER: "retriever (MiniLM's question side)",
        "linear map of the question": "map of the retriever's vectors",
    }
    frame = pd.DataFrame(
        [
            {
                "tuned": label,
                "pairs": row.pairs,
                "gain": 100 * row.gain,
                "low": 100 * row.low,
                "high": 100 * row.high,
            }
            for tuned, label in names.items()
            for row in curve(tuned)
        ]
    )
    colour = alt.Color("tuned:N", title=None, sort=list(names.values()))
    base = alt.Chart(frame).encode(
        alt.X("pairs:Q", title="Labelled pairs of question and passage", scale=alt.Scale(type="log"))
    )
    spans = base.mark_rule(size=2).encode(
        alt.Y("low:Q", title="Gain in nDCG at ten (points), 95% interval"), alt.Y2("high:Q"), colour
    )
    lines = base.mark_line(point=True).encode(
        alt.Y("gain:Q"),
        colour,
        tooltip=[
            alt.Tooltip("tuned:N", title="Trained"),
            alt.Tooltip("pairs:Q", title="Pairs"),
            alt.Tooltip("gain:Q", title="Points", format="+.2f"),
            alt.Tooltip("low:Q", title="From", format="+.2f"),
            alt.Tooltip("high:Q", title="To", format="+.2f"),
        ],
    )
    fewest, *_, most = curve()
    tuned = curve(ENCODER)[-1]
    told = "; ".join(f"{row.tuned}, {row.pairs} pairs: {row.gain:+.2f}" for row in frame.itertuples())
    return alt.layer(spans, lines).properties(
        title=(
            f"{fewest.pairs} labelled pairs gain the reranker {100 * fewest.gain:.1f} points, {most.pairs} "
            f"gain {100 * most.gain:.1f}; the retriever gains {100 * tuned.gain:.1f} from {tuned.pairs}"
        ),
        description=f"Gain in points of nDCG at ten over no training, by labelled pairs. {told}.",
    )


def answers() -> AnswerBrowser:
    """Every question of the report part with what each method ranked, to choose from."""
    return retrieval_answers()
