"""The calculator, charts and tables of the chapter on break-even."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import sympy

from ragvsft.costs import break_even, formulas
from ragvsft.costs import columns as cols
from ragvsft.costs.break_even import Side
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.methods import (
    METHODS,
    Serving,
    bill,
    context_window_tokens,
    gpu_seconds_per_query,
    longest_call_tokens,
)
from ragvsft.formula import Quantity, symbolic, where
from ragvsft.prices import rates
from ragvsft.prose import count, months, number, percent, table
from ragvsft.widgets.calculator import Calculator, Cell, Crossings, Finding, Row, Sweep
from ragvsft.widgets.chart import INK, QUIET, SERIES, method_colour, usd_axis
from ragvsft.widgets.compared_sides import (
    CHEAPER,
    MODEL,
    about,
    at_volume,
    bend_outputs,
    bills,
    first_side,
    kind_select,
    other_model_select,
    pick,
    second_side,
    shared_model_select,
    side,
    side_inputs,
    volume_crossings,
    when_lower,
)
from ragvsft.widgets.cost_inputs import presets

LONGEST_PAYBACK_MONTHS = 120

CHART_MONTHS = 36


def _pair_model(s: Any) -> dict[str, Quantity]:
    a, b = first_side(s), second_side(s)
    figures = bend_outputs(a, b)
    for which, code, at in (("a", s.side_a_code, a), ("b", s.side_b_code, b)):
        figures |= _side_figures(which, code, at, s.month)
    return figures


def _side_figures(which: str, code: Quantity, at: Inputs, month: Quantity) -> dict[str, Quantity]:
    paid = bills(at)

    def so_far(name: str, served: Serving) -> Quantity:
        one = paid(name, served)
        return formulas.horizon_usd(
            one.one_off_usd, one.monthly_usd, one.per_query_usd, at.queries_per_month, month
        )

    return {
        f"{which}_code": code,
        f"{which}_usd": pick(code, lambda name, served: paid(name, served).horizon_usd(at)),
        f"{which}_so_far_usd": pick(code, so_far),
        f"{which}_stride": pick(code, lambda name, served: Side(METHODS[name], served, at).stride),
        f"{which}_fits": pick(code, lambda name, served: _fits(at, name, served)),
    }


def _fits(s: Inputs, name: str, serving: Serving) -> Quantity:
    method = METHODS[name]
    window = context_window_tokens(s, method, serving)
    return where(longest_call_tokens(s, method, serving) <= window, 1, 0)


def pair() -> Calculator:
    """Every break-even volume of two sides, the payback time, and the cost of both month by month."""
    can_be_had = ("one call is longer than the model takes", "fits the model")
    ordinals = ("First", "Second", "Third")
    return Calculator(
        "break-even",
        "Where does one method overtake the other?",
        (
            kind_select("side_a", "Compare", "rag"),
            kind_select("side_b", "with", "rag_fine_tuned"),
            shared_model_select(),
            other_model_select(),
            *side_inputs(),
        ),
        _pair_model,
        (
            Row("Total of the first at your volume", Cell("a_usd", "usd"), Cell("a_fits", cases=can_be_had)),
            Row("Total of the second", Cell("b_usd", "usd"), Cell("b_fits", cases=can_be_had)),
            Row(
                "Search from (queries a month)",
                Cell("volume_low", "count"),
                Cell("volume_lower_0", cases=CHEAPER),
            ),
            *(
                Row(
                    f"{ordinal} break-even",
                    Cell(f"volume_crossing_{k}", "count"),
                    Cell(f"volume_lower_{k}", cases=CHEAPER),
                )
                for k, ordinal in enumerate(ordinals, 1)
            ),
            Row("Search up to", Cell("volume_end", "count"), Cell("volume_lower_end", cases=CHEAPER)),
            Row(
                "At your volume, overtaken after",
                Cell("month_crossing_1", "months"),
                Cell("month_lower_1", cases=CHEAPER),
            ),
        ),
        ("", "Figure", "From there on"),
        chart=_cumulative_chart,
        finding=Finding(
            "Neither overtakes at your volume: the first costs {a_usd:usd}, the second {b_usd:usd}",
            "At your volume the order changes after {month_crossing_1:months}, {month_lower_1}",
            by="month_crossings",
        ),
        sweep=Sweep(
            "month",
            tuple(range(CHART_MONTHS + 1)),
            {"a_so_far_usd": "First: {side_a}", "b_so_far_usd": "Second: {side_b}"},
        ),
        crossings=(
            volume_crossings(strides=("a_stride", "b_stride")),
            Crossings(
                "month",
                "month",
                ("a_so_far_usd", "a_code"),
                ("b_so_far_usd", "b_code"),
                0,
                LONGEST_PAYBACK_MONTHS,
                shown=1,
            ),
        ),
        presets=presets(*(entry.name for entry in side_inputs())),
        fixed={"month": 0.0},
        note=(
            "Both sides run on the same model unless you name another for the first: then part of the "
            "difference is the model's. Methods without documents in the prompt know nothing of yours: a "
            "break-even with them counts only where the model already knows enough. A dash: there is no "
            "break-even."
        ),
    )


def _cumulative_chart(rows: Any) -> Any:
    base = alt.Chart(rows).encode(
        alt.X("x:Q", title="Months from the start", scale=alt.Scale(domain=[0, CHART_MONTHS], nice=False)),
        alt.Y("value:Q", title="USD spent so far, at your volume", axis=usd_axis()),
        alt.Color("series:N", legend=None, scale=alt.Scale(range=[SERIES[2], SERIES[5]])),
    )
    names = base.transform_filter(f"datum.x === {CHART_MONTHS}").mark_text(align="right", dy=-10, fontSize=13)
    return alt.layer(base.mark_line(), names.encode(alt.Text("series:N"))).properties(
        height=280,
        description=(
            "What each of the two sides has cost after so many months at the chosen volume: two straight "
            "lines that start at the one-off costs. Where they cross, the higher start has paid for itself."
        ),
    )


PROMISED_CUT = (0.5, 0.8)
"""Share of the prompt that fine-tuning is often said to remove: claim `prompt-cut`."""

MODELS = (
    "claude-opus-5.5",
    "claude-sonnet-5.5",
    "gpt-6.1-terra",
    "gemini-3.8-flash",
    "claude-haiku-5.5",
    "gpt-6-luna",
)
"""Models of the chapter's tables, most expensive first."""

SYMBOLS = {
    "one_off_a_usd": "F_A",
    "monthly_a_usd": "M_A",
    "per_query_a_usd": "v_A",
    "one_off_b_usd": "F_B",
    "monthly_b_usd": "M_B",
    "per_query_b_usd": "v_B",
    "horizon_months": "H",
}

CUT_SYMBOLS = {
    "prompt_tokens": "T",
    "output_tokens": "o",
    "input_usd_per_mtok": "p_i",
    "output_usd_per_mtok": "p_o",
    "tuned_input_usd_per_mtok": "p'_i",
    "tuned_output_usd_per_mtok": "p'_o",
}


def equation() -> str:
    """The break-even volume as a displayed formula, from the function that computes it."""
    return f"$$Q^* = {sympy.latex(symbolic(break_even.break_even_queries_per_month, **SYMBOLS))}$$"


def cut_equation() -> str:
    """The prompt cut that breaks even as a displayed formula, from the function that computes it."""
    return f"$$x^* = {sympy.latex(symbolic(break_even.prompt_cut_to_break_even, **CUT_SYMBOLS))}$$"


TUNED_MODELS = ("gpt-oss-20b", "qwen3-8b")
"""The models that are sold untuned and tuned."""

CHALLENGERS = ("fine_tuned", "rag_fine_tuned")


def same_model() -> str:
    """A table: the volumes from which a fine-tune costs less than RAG on the same model, by model."""
    rows = []
    for model in TUNED_MODELS:
        own = f"{model}-self-hosted"
        rag = side("rag", model)
        rows.append(
            [
                cols.column(model).label,
                *(when_lower(rag, side(name, model)) for name in CHALLENGERS),
                *(when_lower(side("rag", own), side(name, own)) for name in CHALLENGERS),
            ]
        )
    labels = [METHODS[name].label for name in CHALLENGERS]
    return table(["Same model", *labels, *(f"{label}, both on own GPUs" for label in labels)], rows)


def switched_model(challenger_model: str = MODEL) -> str:
    """A table: the volumes from which methods on one model cost less than RAG on another: a model switch."""
    names = ("rag", *CHALLENGERS)
    rows = [
        [
            cols.column(model).label,
            *(when_lower(side("rag", model), side(name, challenger_model)) for name in names),
        ]
        for model in MODELS
    ]
    switched = cols.column(challenger_model).label
    return table(["RAG on", *(f"{METHODS[name].label} on {switched}" for name in names)], rows)


def payback(a: Side, b: Side, queries_per_month: float) -> str:
    """How long B takes to earn back its higher start: "3.04 months", "at once", "not in the horizon"."""
    paid = [bill(at_volume(one.s, queries_per_month), one.method, one.serving) for one in (a, b)]
    saved = (paid[0].monthly_usd - paid[1].monthly_usd) + queries_per_month * (
        paid[0].per_query_usd - paid[1].per_query_usd
    )
    found = break_even.payback_months(paid[1].one_off_usd - paid[0].one_off_usd, saved)
    if found.case == break_even.ALWAYS:
        return "at once"
    in_time = found.case == break_even.ABOVE and found.at <= a.s.horizon_months
    return months(found.at) if in_time else "not in the horizon"


def payback_table(a: Side, challengers: Sequence[Side], queries_per_month: Sequence[float]) -> str:
    """The payback time of each challenger against A, by volume."""
    rows = [[count(volume), *(payback(a, b, volume) for b in challengers)] for volume in queries_per_month]
    return table(["queries a month", *(b.method.label for b in challengers)], rows)


def staircase(a: Side, b: Side, low: float, high: float) -> Any:
    """Two cost curves that climb by whole GPUs, and every crossing."""
    volumes = np.linspace(low, high, 1501)
    lines = pd.concat(
        _corners(volumes, np.broadcast_to(one.horizon_usd(volumes), volumes.shape)).assign(
            method=one.method.label
        )
        for one in (a, b)
    )
    found = np.array(break_even.side_crossings(a, b, low, high))
    points = pd.DataFrame({"volume": found, "usd": a.horizon_usd(found)})
    x = alt.X("volume:Q", title="Queries a month", axis=alt.Axis(format="~s"), scale=alt.Scale(zero=False))
    y = alt.Y("usd:Q", title="USD over the horizon", axis=usd_axis(), scale=alt.Scale(zero=False))
    return alt.layer(
        alt.Chart(lines)
        .mark_line(strokeCap="butt")
        .encode(x, y, method_colour([a.method.name, b.method.name])),
        alt.Chart(points).mark_point(color=INK, size=90).encode(x, y),
    ).properties(
        title=f"{a.method.label} and {b.method.label} on own GPUs cross {count(len(found))} times",
        description=(
            f"Cost over the horizon against volume: {a.method.label} and {b.method.label} both climb by "
            f"whole GPUs. They cross {count(len(found))} times, each marked with a dot."
        ),
    )


def _corners(volumes: Any, usd: Any) -> pd.DataFrame:
    """The points of a line where it turns, and its two ends: all that a drawing of it needs."""
    turns = np.abs(np.diff(usd, 2)) > 1e-6 * np.ptp(usd)
    kept = np.concatenate([[True], turns, [True]])
    return pd.DataFrame({"volume": volumes[kept], "usd": usd[kept]})


def premiums(s: Inputs, output_tokens: Sequence[float]) -> Any:
    """The share of the prompt that must go before a tuned call costs less, against the price premium."""
    lengths = []
    for output in output_tokens:
        cut = np.linspace(0, 1 if output else PROMISED_CUT[1], 41)
        premium = break_even.premium_to_break_even(
            prompt_tokens(s), output, cut, s.answer_llm.input_usd_per_mtok, s.answer_llm.output_usd_per_mtok
        )
        label = f"{count(output)} tokens of output" if output else "No output"
        lengths.append(pd.DataFrame({"premium": premium, "cut": cut, "output": label}))
    frame = pd.concat(lengths)
    band = pd.DataFrame([{"low": PROMISED_CUT[0], "high": PROMISED_CUT[1]}])
    claimed = alt.Chart(band).mark_rect(color=QUIET, opacity=0.18, stroke=None)
    claimed = claimed.encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    named = alt.Chart(band).mark_text(
        align="right", baseline="bottom", dx=-6, dy=-5, color=QUIET, text="the cut that is often promised"
    )
    named = named.encode(alt.Y("low:Q"), x=alt.value("width"))
    names = list(dict.fromkeys(frame.output))
    lines = (
        alt.Chart(frame)
        .mark_line()
        .encode(
            alt.X(
                "premium:Q",
                title="Price of the fine-tuned model, as a multiple of the base model's",
                scale=alt.Scale(zero=False),
            ),
            alt.Y("cut:Q", title="Share of the prompt that must go", axis=alt.Axis(format="%")),
            alt.Color(
                "output:N", title=None, scale=alt.Scale(domain=names, range=SERIES[1 : len(names) + 1])
            ),
        )
    )
    afford = affordable_premiums(s)
    return alt.layer(claimed, lines, named).properties(
        height=280,
        title=(
            f"The promised cut pays for {number(float(f'{afford[0]:.2g}'))} to "
            f"{number(float(f'{afford[1]:.2g}'))} times the base price, not more"
        ),
        description=(
            "The share of the prompt that a fine-tune must make needless, against its price as a multiple of "
            "the base model's, one line for each length of the answer. Every line rises; the longer "
            "the answer, the steeper. A band marks the cut that is often promised."
        ),
    )


def charged_premium(model: str, s: Inputs) -> tuple[float, float]:
    """What a hosted fine-tune charges as a multiple of its base model's input price, and the cut it needs."""
    hosted = cols.hosted(model)
    whole, cut = (rates(str(hosted.offers[role])) for role in ("answer_llm", "tuned_llm"))
    prices = [one[f"{kind}_usd_per_mtok"].value for one in (whole, cut) for kind in ("input", "output")]
    needed = break_even.prompt_cut_to_break_even(prompt_tokens(s), s.output_tokens, *prices)
    return prices[2] / prices[0], needed


def prompt_tokens(s: Inputs) -> float:
    """Tokens of a prompt without retrieved passages: instructions, examples and the question."""
    return float(s.system_tokens + s.example_tokens + s.query_tokens)


def affordable_premiums(s: Inputs) -> tuple[float, float]:
    """The largest price multiples that the two ends of the promised cut can pay for."""
    low, high = (
        break_even.premium_to_break_even(
            prompt_tokens(s),
            s.output_tokens,
            cut,
            s.answer_llm.input_usd_per_mtok,
            s.answer_llm.output_usd_per_mtok,
        )
        for cut in PROMISED_CUT
    )
    return low, high


def utilisation_needed(method: str, by_token: Side, own: Side) -> float:
    """Mean utilisation above which a method's own GPU costs less than another side's price per query."""
    paid = bill(by_token.s, by_token.method, by_token.serving)
    return float(
        formulas.gpu_utilisation_to_break_even(
            own.s.gpu.usd_per_hour, gpu_seconds_per_query(own.s, METHODS[method]), paid.per_query_usd
        )
    )


def caching_table(models: Sequence[str]) -> str:
    """The hit rate and the volume above which caching a prompt pays, for each model."""
    rows = []
    for model in models:
        llm = side("prompting", model).s.answer_llm
        prices = (llm.input_usd_per_mtok, llm.cache_read_usd_per_mtok, llm.cache_write_usd_per_mtok)
        at = break_even.caching_queries_per_month_to_break_even(*prices, llm.cache_ttl_seconds)
        rows.append(
            [
                cols.column(model).label,
                number(llm.cache_ttl_seconds / 60),
                percent(formulas.cache_hit_rate_to_break_even(*prices)),
                about(at),
            ]
        )
    return table(["model", "life of a prefix, minutes", "hit rate needed", "queries a month needed"], rows)
