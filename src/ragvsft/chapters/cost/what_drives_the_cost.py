"""The calculators, charts and tables of the chapter on what drives the cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import sympy

from ragvsft.costs import columns as cols
from ragvsft.costs import formulas, uncertainty
from ragvsft.costs.break_even import Side
from ragvsft.costs.inputs import Inputs, inputs
from ragvsft.costs.methods import METHODS, Serving, bill, query
from ragvsft.data import load
from ragvsft.formula import Quantity, javascript, symbolic, trace, where
from ragvsft.prose import count, percent, table, usd
from ragvsft.widgets.calculator import (
    Calculator,
    Cell,
    Choice,
    Finding,
    Number,
    Row,
    Select,
    Sweep,
    Tornado,
)
from ragvsft.widgets.chart import INK, QUIET, SERIES, now_rule, usd_axis, with_now
from ragvsft.widgets.compared_sides import (
    CHEAPER,
    CODES,
    MODEL,
    bend_outputs,
    bills,
    kind_select,
    pick,
    shared_model_select,
    side,
    side_inputs,
    volume_crossings,
    when_lower,
)
from ragvsft.widgets.cost_inputs import VOLUMES, assumption_input, presets

LOW, HIGH = 100.0, 1e9
"""Queries a month between which a break-even is searched, and between which the chart of bars is drawn."""

PAIRS = (
    ("rag", "rag_fine_tuned"),
    ("rag", "agentic_search"),
    ("prompting", "fine_tuned"),
)
"""Methods that do the same job, each with its challenger. Only the last pair knows no documents."""


def pair_label(pair: tuple[str, str]) -> str:
    """ "RAG + fine-tuned, against RAG"."""
    return f"{METHODS[pair[1]].label}, against {METHODS[pair[0]].label}"


def _pair_select() -> Select:
    choices = (
        Choice(
            f"{b}-{a}",
            pair_label((a, b)),
            {"side_a_code": CODES[a, "per_token"], "side_b_code": CODES[b, "per_token"]},
        )
        for a, b in PAIRS
    )
    return Select("pair", "Challenger, on the same model", "rag_fine_tuned-rag", tuple(choices))


def _used_inputs(model: Callable[[Any], Mapping[str, Quantity]]) -> tuple[Number | Select, ...]:
    """The model, the pair, and the inputs of the cost model that this model reads."""
    entries = (_pair_select(), shared_model_select(), *side_inputs())
    sets = {
        entry.name: [*entry.open[0].sets] if isinstance(entry, Select) else [entry.name] for entry in entries
    }
    names = [name for group in sets.values() for name in group]
    printed = javascript("", names, trace(model, names))
    read = {one or other for one, other in re.findall(r'\bi(?:\.(\w+)|\["([^"]+)"\])', printed)}
    return tuple(entry for entry in entries if read & set(sets[entry.name]))


def _ranges(entries: tuple[Number | Select, ...]) -> dict[str, tuple[str, float, float]]:
    """Every uncertain assumption among the inputs: its label and the ends of its likely range."""
    names = {entry.name for entry in entries}
    return {row.name: (row.label, row.low, row.high) for row in uncertainty.uncertain() if row.name in names}


def _break_even_model(s: Any) -> dict[str, Quantity]:
    at = inputs(vars(s))
    paid = bills(at)

    def usd_of(name: str, served: Serving) -> Quantity:
        return paid(name, "per_token").horizon_usd(at)

    return bend_outputs(at, at) | {
        "a_usd": pick(s.side_a_code, usd_of),
        "b_usd": pick(s.side_b_code, usd_of),
        "a_code": s.side_a_code,
        "b_code": s.side_b_code,
    }


def break_even_drivers() -> Calculator:
    """What each uncertain assumption, alone, does to the break-even of two methods on one model."""
    entries = _used_inputs(_break_even_model)
    return Calculator(
        "break-even-drivers",
        "Which assumption moves your break-even?",
        entries,
        _break_even_model,
        (
            Row("Lower at low volume", Cell("volume_low", "count"), Cell("volume_lower_0", cases=CHEAPER)),
            Row(
                "Break-even (queries a month)",
                Cell("volume_crossing_1", "count"),
                Cell("volume_lower_1", cases=CHEAPER),
            ),
            Row("Lower at high volume", Cell("volume_end", "count"), Cell("volume_lower_end", cases=CHEAPER)),
        ),
        ("", "Volume", "From there on"),
        chart=_break_even_tornado,
        finding=Finding(
            "No break-even as set. What moves it most: {widest}",
            "Break-even: {volume_crossing_1:count} queries. What moves it most: {widest}",
            by="volume_crossings",
        ),
        sweep=Tornado("volume_overtakes", _ranges(entries), ratio=True),
        crossings=(volume_crossings(HIGH, shown=1),),
        presets=presets(*(entry.name for entry in entries)),
        note=(
            "Both sides run on the same model, paid by the token. A bar that ends at the left edge: the "
            "challenger costs less at any volume. At the right edge: at none. A dash: there is no break-even."
        ),
    )


def _break_even_tornado(rows: Any) -> Any:
    return _tornado(
        rows,
        alt.X(
            "low:Q",
            title="Queries a month from which the challenger costs less",
            scale=alt.Scale(type="log", domain=[LOW, HIGH]),
            axis=alt.Axis(format="~s", values=[10**k for k in range(2, 10)]),
        ),
        "One bar for each assumption, widest first: the break-even volume with the assumption at the low "
        "end (open circle) and at the high end (filled) of its range, the others as set above. The vertical "
        "line is the break-even with all of them as set.",
    )


def _loaded_model(s: Any) -> dict[str, Quantity]:
    at = inputs(vars(s))
    queries = at.queries_per_month * at.horizon_months
    paid = bills(at)
    return {
        "total_usd": pick(s.side_code, lambda *kind: paid(*kind).horizon_usd(at)),
        "marginal_usd": pick(s.side_code, lambda *kind: paid(*kind).per_query_usd),
        "loaded_usd": pick(s.side_code, lambda *kind: paid(*kind).horizon_usd(at) / queries),
    }


def cost_drivers() -> Calculator:
    """What each uncertain assumption, alone, does to a method's full cost per query."""
    entries = (kind_select("side", "Method", "rag"), shared_model_select(), *side_inputs())
    return Calculator(
        "cost-drivers",
        "Which assumption moves your cost per query?",
        entries,
        _loaded_model,
        (
            Row(
                "At your volume",
                Cell("loaded_usd", "usd"),
                Cell("marginal_usd", "usd"),
                Cell("total_usd", "usd"),
            ),
        ),
        ("", "Per query, everything", "One more query", "Whole horizon"),
        chart=_cost_tornado,
        finding=Finding("What moves the cost of a query most: {widest}, {from:usd} to {to:usd}"),
        sweep=Tornado("loaded_usd", _ranges(entries)),
        presets=presets(*(entry.name for entry in entries)),
    )


def _cost_tornado(rows: Any) -> Any:
    return _tornado(
        rows,
        alt.X("low:Q", title="USD per query, everything included", axis=usd_axis()),
        "One bar for each assumption, widest first: the full cost per query with the assumption at the low "
        "end (open circle) and at the high end (filled) of its range, the others as set above. The vertical "
        "line is the cost with all of them as set.",
    )


def _tornado(rows: Any, x: alt.X, description: str) -> Any:
    base = alt.Chart(rows).encode(alt.Y("series:N", sort=None, title=None))
    return alt.layer(
        base.mark_bar(color=SERIES[2], opacity=0.45, height=10, cornerRadiusEnd=0).encode(
            x, alt.X2("high:Q")
        ),
        base.mark_point(filled=False, color=SERIES[2]).encode(alt.X("low:Q")),
        base.mark_point(color=SERIES[2]).encode(alt.X("high:Q")),
        now_rule(rows),
    ).properties(description=description)


def _failure_model(s: Any) -> dict[str, Quantity]:
    loss = formulas.accuracy_loss_to_break_even(s.dear_usd - s.cheap_usd, s.usd_per_failure)
    return {
        "loss_points": 100 * loss,
        "queries_per_failure": where(loss > 0, 1 / where(loss > 0, loss, 1), 0),
        "dear_usd": formulas.usd_per_query_with_failures(
            s.dear_usd, s.accuracy_percent / 100, s.usd_per_failure
        ),
        "cheap_usd": formulas.usd_per_query_with_failures(
            s.cheap_usd, (s.accuracy_percent - s.lost_points) / 100, s.usd_per_failure
        ),
    }


LARGE = "claude-sonnet-5.5"


def loaded_usd(one: Side) -> float:
    """USD of a side per query, everything included, at its own volume."""
    s = one.s
    return float(one.horizon_usd(s.queries_per_month) / (s.queries_per_month * s.horizon_months))


def failure_cost() -> Calculator:
    """How much accuracy the cheaper of two may lose before it costs more."""
    dear, cheap = (loaded_usd(side("rag", model)) for model in (LARGE, MODEL))
    return Calculator(
        "failure-cost",
        "How much accuracy may the cheaper one lose?",
        (
            Number("dear_usd", "The more expensive one, per query", "USD", round(dear, 4), 0, 10),
            Number("cheap_usd", "The cheaper one, per query", "USD", round(cheap, 4), 0, 10),
            Number("usd_per_failure", "Cost of a wrong answer", "USD", 5, 0.01, 10_000, "log"),
            Number("accuracy_percent", "Right answers of the expensive one", "%", 90, 0, 100),
            Number("lost_points", "Accuracy the cheaper one loses", "points", 1, 0, 100),
        ),
        _failure_model,
        (
            Row("It may lose at most (points of accuracy)", Cell("loss_points")),
            Row("That is, one further wrong answer in (queries)", Cell("queries_per_failure", "count")),
            Row("The more expensive one per query, failures included", Cell("dear_usd", "usd")),
            Row("The cheaper one per query, failures included", Cell("cheap_usd", "usd")),
        ),
        chart=_failure_chart,
        finding=Finding(
            "The cheaper one may lose {loss_points:number} points "
            "where a wrong answer costs {usd_per_failure:usd}"
        ),
        sweep=Sweep(
            "usd_per_failure",
            tuple(10 ** (k / 10) for k in range(-20, 41)),
            {"loss_points": "Accuracy the cheaper one may lose"},
        ),
        note=(
            f"The two costs per query are those of RAG on {cols.column(LARGE).label} and on "
            f"{cols.column(MODEL).label} in the default scenario."
        ),
    )


def _failure_chart(rows: Any) -> Any:
    log, limited = alt.Scale(type="log"), alt.Scale(type="log", domain=[1e-4, 100])
    decades = usd_axis(values=[10**k for k in range(-2, 5)])
    x = alt.X("x:Q", title="Cost of a wrong answer (USD)", scale=log, axis=decades)
    y = alt.Y("value:Q", title="Points of accuracy it may lose", scale=limited, axis=alt.Axis(format="~g"))
    line = alt.Chart(rows).mark_line(clip=True).encode(x, y)
    return with_now(
        line,
        log,
        "The accuracy that the cheaper one may lose before it costs more, against the cost of one wrong "
        "answer. Both axes are logarithmic: the dearer a failure, the less room. The dashed line marks "
        "the cost set above.",
    ).properties(height=260)


DRAWS = 100_000

SOBOL_SAMPLES = 1024


def accuracy_equation() -> str:
    """The accuracy that a saving is worth as a displayed formula, from the function that computes it."""
    loss = symbolic(
        formulas.accuracy_loss_to_break_even, usd_saved_per_query=r"\Delta v", usd_per_failure="L"
    )
    return rf"$$\Delta a = {sympy.latex(loss)}$$"


def people_share(one: Side) -> float:
    """Share of a side's cost over the horizon that is labour, labelling and evaluation."""
    paid = bill(one.s, one.method, one.serving)
    return float(1 - paid.vendor_horizon_usd(one.s) / paid.horizon_usd(one.s))


def index_share(one: Side) -> float:
    """Share of RAG's cost over the horizon that is embedding, storing and searching the documents."""
    paid = bill(one.s, one.method, one.serving)
    used = query(one.s, one.method, one.serving)
    spent = formulas.horizon_usd(
        paid.vendor_one_off_usd,
        paid.vendor_monthly_usd,
        used["embed"].usd + used["search"].usd,
        one.s.queries_per_month,
        one.s.horizon_months,
    )
    return float(spent / paid.horizon_usd(one.s))


CHOICES: tuple[dict[str, float], ...] = (
    {"chunks_in_prompt": 5},
    {"example_tokens": 0},
    {"batch_fraction": 0.5},
    {"output_tokens": 1500},
    {"documents": 100_000},
    {"agent_rounds": 2},
    {"months_between_releases": 2},
    {"training_examples": 5000},
)
"""Decisions and workloads, each with what it changes in the default scenario."""

OTHER_MODELS = (LARGE, "claude-haiku-5.5")


def choice_label(changes: Mapping[str, float]) -> str:
    """ "Passages in the prompt: 5, not 15"."""
    ((name, value),) = changes.items()
    entry = assumption_input(name)
    unit = f" ({entry.unit})" if entry.unit else ""
    return f"{entry.label}{unit}: {value:,g}, not {entry.default:,g}"


def choices_table() -> str:
    """What each choice does to RAG, and to the volumes from which others cost less on the same model."""
    cases: dict[str, tuple[str, Mapping[str, float]]] = {"As it is": (MODEL, {})}
    cases |= {f"On {cols.column(model).label}": (model, {}) for model in OTHER_MODELS}
    cases |= {choice_label(changes): (MODEL, changes) for changes in CHOICES}
    head = ["Choice", "RAG, whole horizon", "RAG, one more query"]
    head += [f"{METHODS[b].label} costs less" for a, b in PAIRS if a == "rag"]
    return table(head, [[label, *_choice_cells(*case)] for label, case in cases.items()])


def _choice_cells(model: str, changes: Mapping[str, float]) -> list[str]:
    rag = side("rag", model, **changes)
    paid = bill(rag.s, rag.method, rag.serving)
    others = [b for a, b in PAIRS if a == "rag"]
    found = [
        when_lower(rag, side(name, model, **changes))
        if not METHODS[name].tuned or cols.hosted(model).offers["tuned_llm"]
        else "not sold tuned"
        for name in others
    ]
    return [usd(float(paid.horizon_usd(rag.s))), usd(float(paid.per_query_usd)), *found]


def inputs_by_kind() -> dict[str, int]:
    """How many assumptions are of each kind."""
    return dict(Counter(row.kind for row in load("assumptions")))


def total(one: Side) -> uncertainty.Total:
    """A side's USD over the horizon as a function of its inputs."""
    return lambda s: bill(s, one.method, one.serving).horizon_usd(s)


def odds(
    a: Side, b: Side, queries_per_month: Sequence[float], together: Collection[str] = ()
) -> tuple[uncertainty.Share, ...]:
    """How often A costs less than B over the same draws, at each volume."""
    return uncertainty.probability_cheaper(total(a), total(b), a.s, b.s, queries_per_month, DRAWS, together)


PEOPLE = tuple(
    row.name
    for row in uncertainty.uncertain()
    if "hours" in row.name or row.name in ("usd_per_hour", "usd_per_example")
)
"""The uncertain assumptions about people's time and its price."""


def odds_pairs() -> dict[str, tuple[Side, Side]]:
    """The pairs of the chart of odds, challenger first: each on one model, and agentic search on two."""
    small, large = cols.column(MODEL).label, cols.column(LARGE).label
    agentic = METHODS["agentic_search"].label
    return {
        f"{pair_label(PAIRS[0])}, on {small}": (side(PAIRS[0][1]), side(PAIRS[0][0])),
        f"{agentic}, against RAG, on {small}": (side("agentic_search"), side("rag")),
        f"{agentic}, against RAG, on {large}": (side("agentic_search", LARGE), side("rag", LARGE)),
    }


def odds_chart() -> Any:
    """How often one method costs less than another over the assumption ranges, by volume."""
    frame = pd.concat(
        pd.DataFrame(
            {
                "volume": VOLUMES,
                "probability": [share.probability for share in odds(a, b, VOLUMES)],
                "pair": label,
            }
        )
        for label, (a, b) in odds_pairs().items()
    )
    pairs = list(dict.fromkeys(frame.pair))
    lines = (
        alt.Chart(frame)
        .mark_line()
        .encode(
            alt.X(
                "volume:Q", title="Queries a month", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s")
            ),
            alt.Y(
                "probability:Q",
                title="Share of draws in which it costs less",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            alt.Color("pair:N", title=None, scale=alt.Scale(domain=pairs, range=SERIES[1:4])),
            tooltip=[
                alt.Tooltip("pair:N", title="Pair"),
                alt.Tooltip("volume:Q", title="Queries a month", format=",.0f"),
                alt.Tooltip("probability:Q", title="Share of draws", format=".0%"),
            ],
        )
    )
    even = (
        alt.Chart(pd.DataFrame({"even": [0.5]}))
        .mark_rule(color=QUIET, strokeDash=[4, 4])
        .encode(alt.Y("even:Q"))
    )
    ends = {pair: part.probability for pair, part in frame.groupby("pair", sort=False)}
    return alt.layer(lines, even).properties(
        height=300,
        title=_odds_title(ends),
        description=(
            "The share of draws in which one method costs less than another, against volume. "
            + " ".join(
                f"{pair}: from {percent(share.iloc[0])} to {percent(share.iloc[-1])}."
                for pair, share in ends.items()
            )
        ),
    )


def _odds_title(ends: Mapping[str, Any]) -> str:
    """What the chart of odds shows at its highest volume: agentic search on two models."""
    small, large = (percent(round(share.iloc[-1], 2)) for share in list(ends.values())[1:])
    return (
        f"At {count(VOLUMES[-1])} queries a month agentic search costs less than RAG in {small} of the draws "
        f"on {cols.column(MODEL).label}, in {large} on {cols.column(LARGE).label}"
    )


def log_ratio(a: Side, b: Side) -> Callable[[Inputs], Any]:
    """The logarithm of one side's cost over another's: above 0 where the first costs more."""
    total_a, total_b = total(a), total(b)
    return lambda s: np.log(total_a(s) / total_b(s))


def influence_chart(influences: Sequence[uncertainty.Influence], most: int = 8) -> Any:
    """Sobol total indices with their intervals, the largest few."""
    frame = pd.DataFrame(influences[:most])
    frame["low"], frame["high"] = frame.total - frame.confidence, frame.total + frame.confidence
    base = alt.Chart(frame).encode(alt.Y("label:N", sort=None, title=None))
    bars = base.mark_bar().encode(
        alt.X("total:Q", title="Total index", axis=alt.Axis(format="%")),
        tooltip=[
            alt.Tooltip("label:N", title="Assumption"),
            alt.Tooltip("total:Q", title="Total index", format=".0%"),
        ],
    )
    return alt.layer(bars, base.mark_rule(color=INK).encode(alt.X("low:Q"), alt.X2("high:Q"))).properties(
        title=f"{influences[0].label}: a part in {percent(round(influences[0].total, 2))} of the variance",
        description=(
            f"Sobol total indices of the {count(min(most, len(influences)))} assumptions with the largest, "
            "largest first, with their intervals: the share of the variance in which each has a part. "
            f"{influences[0].label}: {percent(influences[0].total)}."
        ),
    )
