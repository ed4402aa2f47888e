"""The calculator and charts of the chapter on reranking: what it added, and what it costs by depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from ragvsft import prose
from ragvsft.costs import formulas as costs
from ragvsft.costs.formulas import rerank_usd_per_query
from ragvsft.evidence import results
from ragvsft.formula import Quantity
from ragvsft.prices import choices, rates
from ragvsft.retrieval import formulas as f
from ragvsft.widgets.calculator import Calculator, Cell, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import now_rule, usd_axis
from ragvsft.widgets.cost_inputs import assumption_input, offer_select


def rerank_depth() -> Calculator:
    """Whether a reranker pays for itself by the chunks that it keeps out of the prompt."""
    return Calculator(
        "rerank-depth",
        "Does the reranker pay for itself?",
        (
            offer_select("reranker"),
            offer_select("llm"),
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


DEPTHS = (10, 25, 50, 75, 100, 101, 150, 200, 201, 250, 300)


def recall_chart() -> Any:
    """Recall after each retrieval step of Anthropic's notebook."""
    rows = [
        {"step": row.condition, "depth": row.metric, "recall": row.value}
        for row in results("anthropiccookbook")
    ]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_point()
        .encode(
            alt.X("recall:Q", title="Recall", scale=alt.Scale(zero=False), axis=alt.Axis(format="%")),
            alt.Y("step:N", title=None, sort=None, axis=alt.Axis(grid=True)),
            alt.Color("depth:N", title=None, sort=None),
        )
        .properties(
            description=(
                "Recall at 5, 10 and 20 for plain embeddings, contextual embeddings, with keyword "
                "search added, and with reranking. Context adds most at every depth; reranking adds "
                "nearly as much at 5, and less at 10 and 20."
            )
        )
    )


def depth_rows(tokens_per_chunk: float, query_tokens: float) -> list[dict[str, Any]]:
    """Price of one query's reranking for every distinct price on the list, at every depth."""
    priced: dict[str, tuple[float, float]] = {}
    for offer in choices("reranker"):
        found = rates("reranker", offer.id)
        search, token = found["rerank_usd_per_search"].value, found["rerank_usd_per_mtok"].value
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
    return (
        alt.Chart(alt.InlineData(depth_rows(tokens_per_chunk, query_tokens)))
        .mark_line()
        .encode(
            alt.X("depth:Q", title="Passages reranked"),
            alt.Y("usd:Q", title="USD per query", axis=usd_axis()),
            alt.Color("price:N", title=None),
        )
        .properties(
            description=(
                "Price of reranking one query against the number of passages, one line for each "
                "price on the list: prices by search rise in steps at every hundred, prices by "
                "token in a straight line."
            )
        )
    )
