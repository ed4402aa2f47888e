"""The calculator, charts and tables of the chapter on break-even."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import sympy

from ragvsft import prices
from ragvsft.costs import break_even, formulas
from ragvsft.costs.options import LABELS, OPTIONS, Inputs, availability
from ragvsft.data import load
from ragvsft.formula import Quantity, symbolic
from ragvsft.prose import count, months, number, percent, table
from ragvsft.widgets.calculator import Calculator, Cell, Crossings, Row, Sweep
from ragvsft.widgets.chart import INK, QUIET, SERIES, option_colour, usd_axis
from ragvsft.widgets.compared_options import (
    BENDS,
    CHEAPER,
    HIGH,
    LOW,
    about,
    at_volume,
    bends,
    model_inputs,
    on,
    option_select,
    pick,
    volumes,
)
from ragvsft.widgets.cost_inputs import presets

LONGEST_PAYBACK_MONTHS = 120

CHART_MONTHS = 36


def _pair_model(s: Any) -> dict[str, Quantity]:
    bills = {name: option(s) for name, option in OPTIONS.items()}
    available = availability(s)
    figures = bends(s)
    for which, code in (("a", s.option_a_code), ("b", s.option_b_code)):
        figures |= {
            f"{which}_code": code,
            f"{which}_usd": pick(code, {name: bill.horizon_usd(s) for name, bill in bills.items()}),
            f"{which}_so_far_usd": pick(
                code,
                {
                    name: formulas.horizon_usd(
                        bill.one_off_usd, bill.monthly_usd, bill.per_query_usd, s.queries_per_month, s.month
                    )
                    for name, bill in bills.items()
                },
            ),
            f"{which}_stride": pick(code, {name: break_even.stride(name, s) for name in OPTIONS}),
            f"{which}_available": pick(code, {name: available[f"{name}_available"] for name in OPTIONS}),
        }
    return figures


def pair() -> Calculator:
    """Every break-even volume of two options, the payback time, and the cost of both month by month."""
    can_be_had = ("not available: offer ends too soon, or prompt too long", "available")
    ordinals = ("First", "Second", "Third")
    return Calculator(
        "break-even",
        "Where does one option overtake the other?",
        (
            option_select("option_a", "Compare", "rag"),
            option_select("option_b", "with", "fine_tuned_hosted"),
            *model_inputs(),
        ),
        _pair_model,
        (
            Row(
                "Total of the first at your volume",
                Cell("a_usd", "usd"),
                Cell("a_available", cases=can_be_had),
            ),
            Row("Total of the second", Cell("b_usd", "usd"), Cell("b_available", cases=can_be_had)),
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
        sweep=Sweep(
            "month",
            tuple(range(CHART_MONTHS + 1)),
            {"a_so_far_usd": "{option_a}", "b_so_far_usd": "{option_b}"},
        ),
        crossings=(
            Crossings(
                "volume",
                "queries_per_month",
                ("a_usd", "a_code"),
                ("b_usd", "b_code"),
                LOW,
                HIGH,
                BENDS,
                ("a_stride", "b_stride"),
            ),
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
        presets=presets(),
        fixed={"month": 0.0},
        note=(
            "Options without retrieval or long context know nothing of your documents: a break-even with "
            "them counts only where the model already knows enough. A dash: there is no break-even."
        ),
    )


def _cumulative_chart(rows: Any) -> Any:
    base = alt.Chart(rows).encode(
        alt.X("x:Q", title="Months from the start", scale=alt.Scale(domain=[0, CHART_MONTHS], nice=False)),
        alt.Y("value:Q", title="USD spent so far, at your volume", axis=usd_axis()),
        option_colour(LABELS, "series", legend=None),
    )
    names = base.transform_filter(f"datum.x === {CHART_MONTHS}").mark_text(align="right", dy=-10, fontSize=13)
    return alt.layer(base.mark_line(), names.encode(alt.Text("series:N"))).properties(
        height=280,
        description=(
            "What each of the two options has cost after so many months at the chosen volume: two straight "
            "lines that start at the one-off costs. Where they cross, the higher start has paid for itself."
        ),
    )


SOURCE_CUT = (0.5, 0.8)
"""Share of the prompt that the source document says fine-tuning removes: claim `prompt-cut`."""

MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "gpt-6.1-terra",
    "gemini-3.8-flash",
    "claude-haiku-5-5",
    "gpt-6-luna",
)
"""The language models of the chapters' tables, most expensive first."""

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


def by_model() -> str:
    """A table: the volumes from which each option with a fine-tune costs less than RAG, by language model."""
    challengers = ("fine_tuned_hosted", "rag_fine_tuned_hosted", "fine_tuned_self_hosted")
    labels = {row.id: row.offer for row in load("offers")}
    rows = []
    for model in MODELS:
        rows.append([labels[model], *(volumes("rag", name, on(model)) for name in challengers)])
    return table(["RAG on", *(LABELS[name] for name in challengers)], rows)


def payback(option_a: str, option_b: str, s: Inputs, queries_per_month: float) -> str:
    """How long B takes to earn back its higher start: "3.04 months", "at once", "not in the horizon"."""
    at = at_volume(s, queries_per_month)
    a, b = OPTIONS[option_a](at), OPTIONS[option_b](at)
    saved = (a.monthly_usd - b.monthly_usd) + queries_per_month * (a.per_query_usd - b.per_query_usd)
    found = break_even.payback_months(b.one_off_usd - a.one_off_usd, saved)
    if found.case == break_even.ALWAYS:
        return "at once"
    in_time = found.case == break_even.ABOVE and found.at <= s.horizon_months
    return months(found.at) if in_time else "not in the horizon"


def payback_table(
    option_a: str, challengers: Sequence[str], s: Inputs, queries_per_month: Sequence[float]
) -> str:
    """The payback time of each challenger against option A, by volume."""
    rows = [
        [count(volume), *(payback(option_a, name, s, volume) for name in challengers)]
        for volume in queries_per_month
    ]
    return table(["queries a month", *(LABELS[name] for name in challengers)], rows)


def staircase(option_a: str, option_b: str, s: Inputs, low: float, high: float) -> Any:
    """Two cost curves and every crossing, where one of them climbs by whole GPUs."""
    volumes = np.linspace(low, high, 1501)
    at = at_volume(s, volumes)
    lines = pd.concat(
        _corners(volumes, np.broadcast_to(OPTIONS[name](at).horizon_usd(at), volumes.shape)).assign(
            option=LABELS[name]
        )
        for name in (option_a, option_b)
    )
    found = np.array(break_even.option_crossings(option_a, option_b, s, low, high))
    there = at_volume(s, found)
    points = pd.DataFrame({"volume": found, "usd": OPTIONS[option_a](there).horizon_usd(there)})
    x = alt.X("volume:Q", title="Queries a month", axis=alt.Axis(format="~s"), scale=alt.Scale(zero=False))
    y = alt.Y("usd:Q", title="USD over the horizon", axis=usd_axis(), scale=alt.Scale(zero=False))
    return alt.layer(
        alt.Chart(lines).mark_line(strokeCap="butt").encode(x, y, option_colour([option_a, option_b])),
        alt.Chart(points).mark_point(color=INK, size=90).encode(x, y),
    ).properties(
        description=(
            f"Cost over the horizon against volume: {LABELS[option_a]} rises evenly, {LABELS[option_b]} by "
            f"steps of whole GPUs. They cross {count(len(found))} times, each marked with a dot."
        )
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
        cut = np.linspace(0, 1 if output else SOURCE_CUT[1], 41)
        premium = break_even.premium_to_break_even(
            prompt_tokens(s), output, cut, s.llm_input_usd_per_mtok, s.llm_output_usd_per_mtok
        )
        label = f"{count(output)} tokens of output" if output else "No output"
        lengths.append(pd.DataFrame({"premium": premium, "cut": cut, "output": label}))
    frame = pd.concat(lengths)
    band = pd.DataFrame([{"low": SOURCE_CUT[0], "high": SOURCE_CUT[1]}])
    claimed = alt.Chart(band).mark_rect(color=QUIET, opacity=0.18, stroke=None)
    claimed = claimed.encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    named = alt.Chart(band).mark_text(
        align="right", baseline="bottom", dx=-6, dy=-5, color=QUIET, text="the cut it promises"
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
    return alt.layer(claimed, lines, named).properties(
        height=280,
        description=(
            "The share of the prompt that a fine-tune must make needless, against its price as a multiple of "
            "the base model's, one line for each length of the answer. Every line rises; the longer "
            "the answer, the steeper. A band marks the cut that the source document promises."
        ),
    )


def charged_premium(base: str, tuned: str, s: Inputs) -> tuple[float, float]:
    """What a hosted fine-tune charges as a multiple of its base model's input price, and the cut it needs."""
    whole, cut = prices.rates("llm", base), prices.rates("tuned_model", tuned)
    rates = [whole["llm_input_usd_per_mtok"].value, whole["llm_output_usd_per_mtok"].value]
    rates += [cut["tuned_input_usd_per_mtok"].value, cut["tuned_output_usd_per_mtok"].value]
    needed = break_even.prompt_cut_to_break_even(prompt_tokens(s), s.output_tokens, *rates)
    return rates[2] / rates[0], needed


def prompt_tokens(s: Inputs) -> float:
    """Tokens of a prompt without retrieved passages: instructions, examples and the question."""
    return float(s.system_tokens + s.example_tokens + s.query_tokens)


def affordable_premiums(s: Inputs) -> tuple[float, float]:
    """The largest price multiples that the two ends of the source's cut can pay for."""
    low, high = (
        break_even.premium_to_break_even(
            prompt_tokens(s), s.output_tokens, cut, s.llm_input_usd_per_mtok, s.llm_output_usd_per_mtok
        )
        for cut in SOURCE_CUT
    )
    return low, high


def utilisation_needed(option: str, s: Inputs) -> float:
    """Mean utilisation above which a fine-tune's GPU costs less than an option's price per query."""
    return float(
        formulas.gpu_utilisation_to_break_even(
            s.gpu_usd_per_hour, s.requests_per_second_per_gpu_short, OPTIONS[option](s).per_query_usd
        )
    )


def caching_table(models: Sequence[str]) -> str:
    """The hit rate and the volume above which caching a prompt pays, for each model."""
    labels = {row.id: row.offer for row in load("offers")}
    rows = []
    for model in models:
        s = on(model)
        rates = (s.llm_input_usd_per_mtok, s.llm_cache_read_usd_per_mtok, s.llm_cache_write_usd_per_mtok)
        at = break_even.caching_queries_per_month_to_break_even(*rates, s.llm_cache_ttl_seconds)
        rows.append(
            [
                labels[model],
                number(s.llm_cache_ttl_seconds / 60),
                percent(formulas.cache_hit_rate_to_break_even(*rates)),
                about(at),
            ]
        )
    return table(["model", "life of a prefix, minutes", "hit rate needed", "queries a month needed"], rows)
