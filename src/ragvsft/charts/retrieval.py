"""Charts of retrieval: what reranking added, what it costs by depth, what late filtering loses."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from ragvsft import prose
from ragvsft.charts import usd_axis
from ragvsft.costs.formulas import rerank_usd_per_query
from ragvsft.evidence.published import results
from ragvsft.prices import choices, rates
from ragvsft.retrieval.formulas import chance_of_empty_result

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


def empty_result_chart(candidates: Sequence[int] = (5, 20, 100)) -> Any:
    """How often filtering after the search leaves nothing."""
    rows = [
        {
            "share": percent / 100,
            "empty": chance_of_empty_result(k, percent / 100),
            "candidates": f"{k} candidates",
        }
        for k in candidates
        for percent in range(1, 51)
    ]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_line()
        .encode(
            alt.X("share:Q", title="Share of the index that the user may read", axis=alt.Axis(format="%")),
            alt.Y("empty:Q", title="Searches left with nothing", axis=alt.Axis(format="%")),
            alt.Color("candidates:N", title=None, sort=None),
        )
        .properties(
            description=(
                "Chance that filtering after the search leaves nothing, against the share of the "
                "index that a user may read, for 5, 20 and 100 candidates: it falls fast with more "
                "candidates, and stays high for users who may read little."
            )
        )
    )
