"""The calculators, charts and tables of the chapter on what drives the cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import sympy

from ragvsft.costs import formulas, options, scenario, uncertainty
from ragvsft.costs.options import LABELS, OPTIONS, Inputs
from ragvsft.data import load
from ragvsft.formula import Quantity, javascript, symbolic, trace
from ragvsft.prose import percent, table, usd
from ragvsft.widgets.calculator import Calculator, Cell, Crossings, Number, Row, Select, Sweep, Tornado
from ragvsft.widgets.chart import INK, QUIET, SERIES, now_rule, usd_axis
from ragvsft.widgets.compared_options import (
    BENDS,
    CHEAPER,
    CODES,
    HIGH,
    LOW,
    bends,
    model_inputs,
    option_select,
    pick,
    volumes,
    with_hosting,
)
from ragvsft.widgets.cost_inputs import VOLUMES, presets


def _used_inputs(model: Callable[[Any], Mapping[str, Quantity]]) -> tuple[Number | Select, ...]:
    """The inputs of the cost model that this model reads."""
    entries = model_inputs()
    sets = {
        entry.name: [*entry.open[0].sets] if isinstance(entry, Select) else [entry.name] for entry in entries
    }
    names = [name for group in sets.values() for name in group]
    read = set(re.findall(r"\bi\.(\w+)", javascript("", names, trace(model, names))))
    return tuple(entry for entry in entries if read & set(sets[entry.name]))


def _ranges(inputs: tuple[Number | Select, ...]) -> dict[str, tuple[str, float, float]]:
    """Every uncertain assumption among the inputs: its label and the ends of its likely range."""
    names = {entry.name for entry in inputs}
    return {row.name: (row.label, row.low, row.high) for row in uncertainty.uncertain() if row.name in names}


def _break_even_model(s: Any) -> dict[str, Quantity]:
    return bends(s) | {
        "rag_usd": OPTIONS["rag"](s).horizon_usd(s),
        "tuned_usd": OPTIONS["fine_tuned_hosted"](s).horizon_usd(s),
        "rag_code": CODES["rag"],
        "tuned_code": CODES["fine_tuned_hosted"],
    }


def break_even_drivers() -> Calculator:
    """What each uncertain assumption, alone, does to the break-even of RAG and a hosted fine-tune."""
    return Calculator(
        "break-even-drivers",
        "Which assumption moves your break-even?",
        _used_inputs(_break_even_model),
        _break_even_model,
        (
            Row(
                "A hosted fine-tune costs less than RAG from (queries a month)",
                Cell("volume_crossing_1", "count"),
                Cell("volume_lower_end", cases=CHEAPER),
            ),
        ),
        ("", "Break-even", "At high volume"),
        chart=_break_even_tornado,
        sweep=Tornado("volume_overtakes", _ranges(_used_inputs(_break_even_model)), ratio=True),
        crossings=(
            Crossings(
                "volume",
                "queries_per_month",
                ("rag_usd", "rag_code"),
                ("tuned_usd", "tuned_code"),
                LOW,
                HIGH,
                BENDS,
                shown=1,
            ),
        ),
        presets=presets(),
        note=(
            "A bar that ends at the left edge: the fine-tune costs less at any volume. At the right edge: "
            "at none. A fine-tune without retrieval knows nothing of your documents."
        ),
    )


def _break_even_tornado(rows: Any) -> Any:
    return _tornado(
        rows,
        alt.X(
            "low:Q",
            title="Queries a month from which the fine-tune costs less",
            scale=alt.Scale(type="log", domain=[LOW, HIGH]),
            axis=alt.Axis(format="~s", values=[10**k for k in range(2, 9)]),
        ),
        "One bar for each assumption, widest first: the break-even volume with the assumption at the low "
        "end (open circle) and at the high end (filled) of its range, the others as set above. The vertical "
        "line is the break-even with all of them as set.",
    )


def _loaded_model(s: Any) -> dict[str, Quantity]:
    queries = s.queries_per_month * s.horizon_months
    bills = {name: option(s) for name, option in OPTIONS.items()}
    return {
        "total_usd": pick(s.option_code, {name: bill.horizon_usd(s) for name, bill in bills.items()}),
        "marginal_usd": pick(s.option_code, {name: bill.per_query_usd for name, bill in bills.items()}),
        "loaded_usd": pick(
            s.option_code, {name: bill.horizon_usd(s) / queries for name, bill in bills.items()}
        ),
    }


def cost_drivers() -> Calculator:
    """What each uncertain assumption, alone, does to an option's full cost per query."""
    return Calculator(
        "cost-drivers",
        "Which assumption moves your cost per query?",
        (option_select("option", "Option", "rag"), *model_inputs()),
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
        sweep=Tornado("loaded_usd", _ranges(model_inputs())),
        presets=presets(),
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
        "wrong_per_million": 1e6 * loss,
        "dear_usd": formulas.usd_per_query_with_failures(
            s.dear_usd, s.accuracy_percent / 100, s.usd_per_failure
        ),
        "cheap_usd": formulas.usd_per_query_with_failures(
            s.cheap_usd, (s.accuracy_percent - s.lost_points) / 100, s.usd_per_failure
        ),
    }


def failure_cost() -> Calculator:
    """How much accuracy the cheaper option may lose before it costs more."""
    s = scenario.inputs(scenario.default())
    queries = s.queries_per_month * s.horizon_months
    dear, cheap = (OPTIONS[name](s).horizon_usd(s) / queries for name in ("rag", "fine_tuned_hosted"))
    return Calculator(
        "failure-cost",
        "How much accuracy may the cheaper option lose?",
        (
            Number("dear_usd", "More expensive option, per query", "USD", round(dear, 4), 0, 10),
            Number("cheap_usd", "Cheaper option, per query", "USD", round(cheap, 4), 0, 10),
            Number("usd_per_failure", "Cost of a wrong answer", "USD", 5, 0.01, 10_000, "log"),
            Number("accuracy_percent", "Right answers of the expensive option", "%", 90, 0, 100),
            Number("lost_points", "Accuracy the cheaper one loses", "points", 1, 0, 100),
        ),
        _failure_model,
        (
            Row("It may lose at most (points of accuracy)", Cell("loss_points")),
            Row("That is, further wrong answers in a million", Cell("wrong_per_million", "count")),
            Row("More expensive option per query, failures included", Cell("dear_usd", "usd")),
            Row("Cheaper option per query, failures included", Cell("cheap_usd", "usd")),
        ),
        chart=_failure_chart,
        sweep=Sweep(
            "usd_per_failure",
            tuple(10 ** (k / 10) for k in range(-20, 41)),
            {"loss_points": "Accuracy the cheaper option may lose"},
        ),
        note="The two costs per query are those of RAG and a hosted fine-tune in the default scenario.",
    )


def _failure_chart(rows: Any) -> Any:
    log, limited = alt.Scale(type="log"), alt.Scale(type="log", domain=[1e-4, 100])
    decades = usd_axis(values=[10**k for k in range(-2, 5)])
    x = alt.X("x:Q", title="Cost of a wrong answer (USD)", scale=log, axis=decades)
    y = alt.Y("value:Q", title="Points of accuracy it may lose", scale=limited, axis=alt.Axis(format="~g"))
    line = alt.Chart(rows).mark_line(clip=True).encode(x, y)
    return alt.layer(line, now_rule(rows, scale=log)).properties(
        height=260,
        description=(
            "The accuracy that the cheaper option may lose before it costs more, against the cost of one "
            "wrong answer. Both axes are logarithmic; ten times the cost of a failure leaves a tenth of the "
            "room. The dashed line marks the cost set above."
        ),
    )


DRAWS = 100_000

SOBOL_SAMPLES = 1024

ODDS = (
    ("fine_tuned_hosted", "rag"),
    ("rag_fine_tuned_hosted", "rag"),
    ("fine_tuned_hosted", "prompting"),
)


def accuracy_equation() -> str:
    """The accuracy that a saving is worth as a displayed formula, from the function that computes it."""
    loss = symbolic(
        formulas.accuracy_loss_to_break_even, usd_saved_per_query=r"\Delta v", usd_per_failure="L"
    )
    return rf"$$\Delta a = {sympy.latex(loss)}$$"


def people_share(option: str, s: Inputs) -> float:
    """Share of an option's cost over the horizon that is labour, labelling and evaluation."""
    bill = OPTIONS[option](s)
    return float(1 - bill.vendor_horizon_usd(s) / bill.horizon_usd(s))


def index_share(s: Inputs) -> float:
    """Share of RAG's cost over the horizon that is embedding, storing and searching the documents."""
    bill = options.rag(s)
    per_query = options.retrieval_usd(s) - options.rerank_usd(s)
    spent = formulas.horizon_usd(
        bill.vendor_one_off_usd, bill.vendor_monthly_usd, per_query, s.queries_per_month, s.horizon_months
    )
    return float(spent / bill.horizon_usd(s))


CHOICES: tuple[tuple[str, dict[str, float | str]], ...] = (
    ("As it is", {}),
    ("RAG on Claude Haiku 5.5", {"llm": "claude-haiku-5-5"}),
    ("RAG on Claude Opus 5.5", {"llm": "claude-opus-5-5"}),
    ("5 passages in the prompt, not 15", {"chunks_in_prompt": 5}),
    ("No worked examples in the prompt", {"example_tokens": 0}),
    ("Half the queries in batches", {"batch_fraction": 0.5}),
    ("Answers of 1,500 tokens, not 400", {"output_tokens": 1500}),
    ("100,000 documents, not 10,000", {"documents": 100_000}),
    ("A release every 2 months, not every 6", {"months_between_releases": 2}),
    ("5,000 training examples, not 1,000", {"training_examples": 5000}),
)
"""Decisions and workloads, each with what it changes in the default scenario."""


def choices_table() -> str:
    """What each choice does to RAG's price per query and to two break-evens."""
    cases = {label: scenario.inputs(scenario.from_keys(keys)) for label, keys in CHOICES}
    cases["The fine-tune on a rented GPU of its own"] = with_hosting(cases["As it is"])
    rows = [
        [
            label,
            usd(float(options.rag(s).per_query_usd)),
            volumes("rag", "fine_tuned_hosted", s),
            volumes("rag", "rag_fine_tuned_hosted", s),
        ]
        for label, s in cases.items()
    ]
    head = ["Choice", "RAG, one more query", "Break-even with the fine-tune", "With RAG + fine-tune"]
    return table(head, rows)


def inputs_by_kind() -> dict[str, int]:
    """How many assumptions are of each kind."""
    return dict(Counter(row.kind for row in load("assumptions")))


def odds(option_a: str, option_b: str, s: Inputs, volume: float, **drawn: Any) -> uncertainty.Share:
    """How often option A costs less than option B at one volume."""
    (share,) = uncertainty.probability_cheaper(option_a, option_b, s, [volume], DRAWS, **drawn)
    return share


PEOPLE = tuple(
    row.name
    for row in uncertainty.uncertain()
    if "hours" in row.name or row.name in ("usd_per_hour", "usd_per_example")
)
"""The uncertain assumptions about people's time and its price."""


def odds_chart(s: Inputs) -> Any:
    """How often one option costs less than another over the assumption ranges, by volume."""
    frame = pd.concat(
        pd.DataFrame(
            {
                "volume": VOLUMES,
                "probability": [
                    share.probability for share in uncertainty.probability_cheaper(a, b, s, VOLUMES, DRAWS)
                ],
                "pair": f"{LABELS[a]}, against {LABELS[b]}",
            }
        )
        for a, b in ODDS
    )
    pairs = list(dict.fromkeys(frame.pair))
    lines = (
        alt.Chart(frame)
        .mark_line()
        .encode(
            alt.X(
                "volume:Q", title="Queries a month", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s")
            ),
            alt.Y("probability:Q", title="Share of draws in which it costs less", axis=alt.Axis(format="%")),
            alt.Color("pair:N", title=None, scale=alt.Scale(domain=pairs, range=SERIES[1:4])),
        )
    )
    even = (
        alt.Chart(pd.DataFrame({"even": [0.5]}))
        .mark_rule(color=QUIET, strokeDash=[4, 4])
        .encode(alt.Y("even:Q"))
    )
    return alt.layer(lines, even).properties(
        height=300,
        description=(
            "The share of draws in which one option costs less than another, against volume. "
            + " ".join(
                f"{pair}: from {percent(share.iloc[0])} to {percent(share.iloc[-1])}."
                for pair, share in frame.groupby("pair", sort=False).probability
            )
        ),
    )


def log_ratio(option_a: str, option_b: str) -> Any:
    """The logarithm of one option's cost over another's: above 0 where the first costs more."""

    def result(s: Inputs) -> Any:
        return np.log(OPTIONS[option_a](s).horizon_usd(s) / OPTIONS[option_b](s).horizon_usd(s))

    return result


def influence_chart(influences: Sequence[uncertainty.Influence], most: int = 8) -> Any:
    """Sobol total indices with their intervals, the largest few."""
    frame = pd.DataFrame(influences[:most])
    frame["low"], frame["high"] = frame.total - frame.confidence, frame.total + frame.confidence
    base = alt.Chart(frame).encode(alt.Y("label:N", sort=None, title=None))
    return alt.layer(
        base.mark_bar().encode(alt.X("total:Q", title="Total index", axis=alt.Axis(format="%"))),
        base.mark_rule(color=INK).encode(alt.X("low:Q"), alt.X2("high:Q")),
    ).properties(
        description=(
            "Sobol total indices of the uncertain assumptions, largest first, with their intervals: the "
            "share of the variance in which each has a part. "
            f"{influences[0].label}: {percent(influences[0].total)}."
        )
    )
