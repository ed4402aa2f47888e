"""The calculator, charts and tables of the chapter on agentic search."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import sympy

from ragvsft.costs import columns as cols
from ragvsft.costs import formulas, latency
from ragvsft.costs.inputs import Inputs, chosen_roles, inputs
from ragvsft.costs.methods import METHODS, bill, figures, query
from ragvsft.costs.scenario import assumption
from ragvsft.costs.stages import STAGES, Answering, longest_prompt_tokens
from ragvsft.evidence.combining import paper
from ragvsft.evidence.published import results
from ragvsft.formula import Quantity, symbolic
from ragvsft.prose import count, number, percent, table, usd
from ragvsft.retrieval import results as measured
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Select, Sweep
from ragvsft.widgets.chart import METHOD_COLOURS, Layers, method_colour, usd_axis
from ragvsft.widgets.compared_sides import MODEL, side, when_lower
from ragvsft.widgets.cost_inputs import assumption_input, model_select, rest

LARGE = "claude-sonnet-5.5"
PAIR = ("rag", "agentic_search")

PROMPT_SYMBOLS = {
    "call": "i",
    "prefix_tokens": "P",
    "query_tokens": "q",
    "tool_tokens": "t",
    "call_tokens": "o",
}


def prompt_equation() -> str:
    """The prompt of the agent's call number i as a displayed formula, from the function that computes it."""
    return f"$$T_i = {sympy.latex(symbolic(formulas.agent_prompt_tokens, **PROMPT_SYMBOLS), order='none')}$$"


def all_calls_equation() -> str:
    """The tokens of all prompts of n rounds and the answer: that formula, summed over the calls."""
    i, n = sympy.symbols("i n", positive=True, integer=True)
    names = {**PROMPT_SYMBOLS}
    one = formulas.agent_prompt_tokens(
        i, *(sympy.Symbol(names[name], positive=True) for name in list(names)[1:])
    )
    total = sympy.factor(sympy.summation(one, (i, 1, n + 1)))
    return rf"$$\sum_{{i=1}}^{{n+1}} T_i = {sympy.latex(total)}$$"


# ------------------------------------------------------------------------------------------ the calculator

ENTRIES = (
    "agent_rounds",
    "agent_tool_tokens",
    "agent_call_tokens",
    "agent_retry_fraction",
    "agent_tool_usd",
    "queries_per_month",
    "output_tokens",
)

FOLDED = (
    "query_tokens",
    "system_tokens",
    "example_tokens",
    "chunks_in_prompt",
    "tokens_per_chunk",
    "candidates_reranked",
    "documents",
    "agentic_build_hours",
    "agentic_ops_hours_per_month",
    "rag_build_hours",
    "rag_ops_hours_per_month",
    "usd_per_hour",
)


def agent_cost() -> Calculator:
    """What RAG and agentic search cost and how long they take on one model, by rounds and tool tokens."""
    entries: tuple[Number | Select, ...] = (
        model_select(),
        *(assumption_input(name) for name in ENTRIES),
        *(assumption_input(name, "more") for name in FOLDED),
    )
    both = ("weights", "gpu")
    return Calculator(
        "agent-cost",
        "RAG or an agent that searches, on your model?",
        entries,
        _model,
        tuple(
            Row(
                METHODS[name].label,
                Cell(f"{name}_horizon_usd", "usd"),
                Cell(f"{name}_per_query_usd", "usd"),
                Cell(f"{name}_first_ms", "ms"),
                Cell(f"{name}_last_ms", "ms"),
                available=f"{name}_fits",
                reason="one call is longer than the model takes",
            )
            for name in PAIR
        ),
        ("Method", "Total", "One more query", "First token", "Last token"),
        chart=_rounds_chart,
        finding=Finding(
            "At {agent_rounds:number} rounds {highest} costs {times:number} times what {lowest} does"
        ),
        sweep=Sweep(
            "agent_rounds",
            tuple(float(rounds) for rounds in range(11)),
            {f"{name}_per_query_usd": METHODS[name].label for name in PAIR},
        ),
        presets=(
            Preset("Short looks", {"agent_tool_tokens": 500, "agent_call_tokens": 80}),
            Preset("Whole pages", {"agent_tool_tokens": 8000}),
            Preset("A stubborn agent", {"agent_rounds": 10, "agent_retry_fraction": 0.5}),
        ),
        fixed=rest(*entries, roles=(*both, *(role for role in chosen_roles() if role not in both))),
        lowest=1,
        note=(
            "Waits are at the published speeds of one server with one request, whatever the model; tokens "
            "that an earlier call of the same answer has read are not read again."
        ),
    )


def _model(s: Any) -> dict[str, Quantity]:
    at = inputs(vars(s))
    found = dict(figures(at, "per_token", only=PAIR))
    for name in PAIR:
        waits = latency.waits_ms(at, METHODS[name], latency.typical_speeds())
        found |= {f"{name}_first_ms": latency.first_token_ms(waits), f"{name}_last_ms": sum(waits.values())}
    return found


def _rounds_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Rounds of search before the answer"),
            alt.Y("value:Q", title="USD for one more query", axis=usd_axis()),
            method_colour(PAIR, "series"),
        )
        .properties(
            height=280,
            description=(
                "USD for one more query against the agent's rounds of search: RAG does not depend on them, "
                "agentic search rises with every round, and faster than in proportion."
            ),
        )
    )


# ------------------------------------------------------------------------------------------------- tables


def bill_by_stage(model: str = LARGE) -> str:
    """One query of RAG and of agentic search by stage on one model: tokens and USD."""
    rows = []
    for name in PAIR:
        s = side(name, model).s
        for stage, use in query(s, METHODS[name], "per_token").items():
            tokens = [f"{float(n):,.0f}" for n in (use.fresh_tokens, use.cached_tokens, use.output_tokens)]
            rows.append([METHODS[name].label, STAGES[stage].label, *tokens, usd(float(use.usd))])
    return table(["method", "stage", "fresh tokens", "cached tokens", "tokens written", "USD"], rows)


class Grown(NamedTuple):
    """The longest prompt of an agent's answer, and all tokens that its calls read, cached or not."""

    longest_tokens: float
    all_tokens: float


def grown(s: Inputs) -> Grown:
    """How far an agent's context grows at its rounds, retries apart."""
    agent = METHODS["agentic_search"]
    longest = longest_prompt_tokens(Answering(s, agent.reads, agent.tuned, s.answer_llm))
    prefix = s.system_tokens + s.example_tokens
    prompts = (
        formulas.agent_prompt_tokens(call, prefix, s.query_tokens, s.agent_tool_tokens, s.agent_call_tokens)
        for call in range(1, round(float(s.agent_rounds)) + 2)
    )
    return Grown(float(longest), float(sum(prompts)))


MODELS = ("claude-opus-5.5", LARGE, "gpt-6.1-terra", "gemini-3.8-flash", "claude-haiku-5.5", MODEL)


def break_even_table() -> str:
    """At which volumes agentic search costs less than RAG on the same model, by rounds."""
    row = assumption("agent_rounds")
    rounds = (row.low, row.base, row.high)
    rows = [
        [
            cols.column(model).label,
            *(
                when_lower(side("rag", model, agent_rounds=n), side("agentic_search", model, agent_rounds=n))
                for n in rounds
            ),
        ]
        for model in MODELS
    ]
    return table(["Both on", *(f"{count(n)} rounds" for n in rounds)], rows)


def dearest_round_chart() -> Any:
    """USD per query of agentic search over RAG's, by rounds, on a large and a small model."""
    rows = []
    for model in (LARGE, MODEL):
        for rounds in range(11):
            both = [side(name, model, agent_rounds=rounds) for name in PAIR]
            rag, agent = (float(bill(one.s, one.method, "per_token").per_query_usd) for one in both)
            rows.append((cols.column(model).label, rounds, agent / rag))
    frame = pd.DataFrame(rows, columns=["model", "rounds", "ratio"])
    even = {
        model: int(part[part.ratio < 1].rounds.max()) for model, part in frame.groupby("model", sort=False)
    }
    said = "; ".join(f"on {model} up to {rounds} rounds" for model, rounds in even.items())
    lines = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            alt.X("rounds:Q", title="Rounds of search before the answer"),
            alt.Y(
                "ratio:Q",
                title="Agentic search over RAG, one more query",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~g"),
            ),
            alt.StrokeDash("model:N", title=None),
            color=alt.value(METHOD_COLOURS["agentic_search"]),
            tooltip=[
                alt.Tooltip("model:N", title="Both on"),
                alt.Tooltip("rounds:Q", title="Rounds"),
                alt.Tooltip("ratio:Q", title="Times RAG’s price", format=".2f"),
            ],
        )
    )
    one = alt.Chart(pd.DataFrame({"ratio": [1.0]})).mark_rule(color=METHOD_COLOURS["rag"])
    return alt.layer(one.encode(alt.Y("ratio:Q")), lines).properties(
        height=280,
        title=f"A query by agentic search costs less than RAG {said}",
        description=(
            "The price of one more query by agentic search as a multiple of RAG's on the same model, against "
            f"rounds of search, for two models. A line marks the same price. It costs less {said}."
        ),
    )


# ------------------------------------------------------------------------------------------ published figures

SOURCES = ("subramanian2026keyword", "sen2026grep")


def published_table() -> str:
    """What two papers report of keyword tools, with the sample size where it is known and how it was read."""
    rows = [
        [
            f"{paper(row.citation)} ({row.how_read})",
            row.dataset,
            row.metric,
            f"{row.condition}; {row.model}",
            percent(row.value),
            "not known" if row.n is None else count(row.n),
        ]
        for row in results(*SOURCES)
    ]
    return table(["source", "tried on", "measured", "condition; model", "figure", "n"], rows)


# ------------------------------------------------------------------------------------- our own measurement

ROUNDS = 4
READ = 5
"""Rounds of the scripted tools, and passages from the top of a ranking, that the chapter compares."""


def reading_table() -> str:
    """What each round of the tools, and reading down each ranking, found and cost in tokens."""
    rows = [
        [
            row.method,
            f"{count(row.steps)} {_unit(row)}",
            f"{percent(row.found_share)} ({percent(row.low)} to {percent(row.high)})",
            f"{number(row.tokens_read)} ({number(row.tokens_low)} to {number(row.tokens_high)})",
            number(row.tokens_per_found),
        ]
        for row in measured.keyword_tools()
        if row.method == "keyword tools" or row.steps in (1, READ, 20)
    ]
    return table(["Way", "Reads", "Found an answer", "Tokens a question", "Tokens for each one found"], rows)


def apart() -> str:
    """Whether the tools' interval meets the intervals of the passages from the top of a ranking, in words."""
    tools = measured.reading("keyword tools", ROUNDS)
    clear = all(tools.high < measured.reading(way, READ).low for way in ("BM25", "dense"))
    return "the intervals do not meet" if clear else "the intervals meet"


def _unit(row: measured.KeywordToolsRow) -> str:
    name = "round" if row.method == "keyword tools" else "passage"
    return name if row.steps == 1 else f"{name}s"


def reading_chart() -> Layers:
    """Share of questions answered by what was read, against tokens read: keyword tools, BM25, dense."""
    frame = pd.DataFrame(
        [
            {
                "way": row.method,
                "steps": f"{row.steps} {_unit(row)}",
                "tokens": row.tokens_read,
                "found": row.found_share,
                "low": row.low,
                "high": row.high,
            }
            for row in measured.keyword_tools()
        ]
    )
    ways = ["keyword tools", "BM25", "dense"]
    agent, rag = METHOD_COLOURS["agentic_search"], METHOD_COLOURS["rag"]
    colour = alt.Color("way:N", title=None, sort=ways, scale=alt.Scale(domain=ways, range=[agent, rag, rag]))
    base = alt.Chart(frame).encode(
        alt.X("tokens:Q", title="Tokens read for one question", scale=alt.Scale(type="log")), colour
    )
    spans = base.mark_rule().encode(
        alt.Y("low:Q", title="Questions with an answer read, 95% interval", axis=alt.Axis(format="%")),
        alt.Y2("high:Q"),
    )
    lines = base.mark_line(point=True).encode(
        alt.Y("found:Q"),
        alt.StrokeDash("way:N", title=None, sort=ways),
        tooltip=[
            alt.Tooltip("way:N", title="Way"),
            alt.Tooltip("steps:N", title="Reads"),
            alt.Tooltip("tokens:Q", title="Tokens", format=",.0f"),
            alt.Tooltip("found:Q", title="Found", format=".1%"),
        ],
    )
    tools, dense = measured.reading("keyword tools", ROUNDS), measured.reading("dense", READ)
    told = "; ".join(
        f"{row.way}, {row.steps}: {row.found:.0%} for {row.tokens:,.0f}" for row in frame.itertuples()
    )
    return alt.layer(spans, lines).properties(
        height=280,
        title=(
            f"{ROUNDS} rounds of keyword tools find {tools.found_share:.0%} for {tools.tokens_read:,.0f} "
            f"tokens, {READ} passages of dense search {dense.found_share:.0%} for {dense.tokens_read:,.0f}"
        ),
        description=f"Share of questions with an answer read, against tokens read. {told}.",
    )
