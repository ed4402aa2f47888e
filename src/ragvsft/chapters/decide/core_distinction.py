"""The calculator and the chart of the chapter on where a fact should live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs import scenario
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.methods import index_usd, training_tokens, training_usd
from ragvsft.formula import Quantity, maximum, where
from ragvsft.prose import number
from ragvsft.retrieval import formulas as retrieval
from ragvsft.units import DAYS_PER_MONTH, HOURS_PER_DAY, SECONDS_PER_MINUTE
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import COLON_LINES, METHOD_COLOURS, Layers, with_now
from ragvsft.widgets.cost_inputs import assumption_input, default_prices

PLACES = {"prompt": "The prompt", "index": "An index", "weights": "The weights"}

PLACE_COLOURS = alt.Scale(
    domain=list(PLACES.values()), range=[METHOD_COLOURS[name] for name in ("prompting", "rag", "fine_tuned")]
)
"""Each place has the colour of the method that keeps its facts there."""

MODEL = "gpt-oss-20b"
"""The model whose hosted fine-tune is released."""


def release_usd(s: Inputs) -> Quantity:
    """USD of one later release of a hosted fine-tune, without its hours: new labels and training."""
    labels = s.relabelled_fraction * costs.dataset_usd(s.training_examples, s.usd_per_example)
    return labels + training_usd(s, "per_token")


def training_minutes() -> float:
    """Minutes of one GPU for one training run of the base case, without its trials."""
    s = scenario.default().inputs(MODEL)
    return float(
        training_tokens(s) / s.trials_per_release / s.training_tokens_per_second / SECONDS_PER_MINUTE
    )


def freshness() -> Calculator:
    """How stale answers are, and what each update costs, by the place in which a fact is kept."""
    s = scenario.default().inputs(MODEL)
    return Calculator(
        "freshness",
        "How stale may an answer be?",
        (
            Number("days_between_changes", "A fact changes every", "days", 90, 0.1, 3650, scale="log"),
            Number("stale_percent", "Answers that may be out of date", "%", 2, 0.01, 50, scale="log"),
            Number("prompt_days", "The prompt is edited every", "days", 7, 0.04, 365, scale="log"),
            Number("index_hours", "The index is updated every", "hours", 24, 0.02, 720, scale="log"),
            assumption_input("months_between_releases"),
            Number("prompt_publish_hours", "From edit to live prompt", "hours", 4, 0, 240, group="delays"),
            Number("index_publish_hours", "From new document to index", "hours", 1, 0, 240, group="delays"),
            Number("weights_publish_days", "From data to released model", "days", 5, 0, 90, group="delays"),
            Number("prompt_edit_hours", "Work for an edit of the prompt", "hours", 2, 0, 40, group="work"),
            replace(assumption_input("release_hours"), group="work"),
            replace(assumption_input("usd_per_hour"), group="work"),
        ),
        _freshness,
        tuple(
            Row(
                label,
                Cell(f"{place}_stale", "percent"),
                Cell(f"{place}_verdict", cases=("cannot: the delay is too long", "not often enough", "yes")),
                Cell(f"{place}_longest", "number"),
                Cell(f"{place}_delay", "number"),
                Cell(f"{place}_usd", "usd"),
            )
            for place, label in PLACES.items()
        ),
        (
            "Where the fact is kept",
            "Answers out of date",
            "Meets your target?",
            "Update at least every, days",
            "Longest delay, days",
            "USD a month",
        ),
        chart=_freshness_chart,
        finding=Finding(
            "Most out of date: {highest} ({highest_value:percent}); least: {lowest} ({lowest_value:percent})"
        ),
        sweep=Sweep(
            "days_between_changes",
            tuple(round(10 ** (k / 8), 2) for k in range(29)),
            {f"{place}_stale": label for place, label in PLACES.items()},
        ),
        presets=(
            Preset(
                "Prices, changed daily", {"days_between_changes": 1, "stale_percent": 5, "index_hours": 1}
            ),
            Preset("Product documentation", {"days_between_changes": 60}),
            Preset("Tone of voice", {"days_between_changes": 1500, "stale_percent": 10}),
        ),
        fixed={"index_usd": float(index_usd(s)), "release_usd": float(release_usd(s))},
        prices=default_prices("embedder", "store", "tuned_llm"),
        note=(
            "Changes come at random moments. USD a month: the work of an edit; embedding the whole index "
            "again at each update, which is more than needed; labels, training and work of a release. "
            "Corpus and training set are the cost model's base case."
        ),
    )


def _freshness(i: Any) -> Mapping[str, Quantity]:
    places = {
        "prompt": (
            i.prompt_days,
            i.prompt_publish_hours / HOURS_PER_DAY,
            i.prompt_edit_hours * i.usd_per_hour,
        ),
        "index": (i.index_hours / HOURS_PER_DAY, i.index_publish_hours / HOURS_PER_DAY, i.index_usd),
        "weights": (
            i.months_between_releases * DAYS_PER_MONTH,
            i.weights_publish_days,
            i.release_usd + i.release_hours * i.usd_per_hour,
        ),
    }
    figures: dict[str, Quantity] = {}
    for place, (every_days, publish_days, update_usd) in places.items():
        longest = retrieval.longest_interval_days(i.stale_percent / 100, i.days_between_changes, publish_days)
        figures |= {
            f"{place}_delay": retrieval.longest_delay_days(every_days, publish_days),
            f"{place}_stale": retrieval.stale_share(i.days_between_changes, every_days, publish_days),
            f"{place}_longest": maximum(0, longest),
            f"{place}_verdict": where(longest <= 0, 0, where(every_days <= longest, 2, 1)),
            f"{place}_usd": update_usd * DAYS_PER_MONTH / every_days,
        }
    return figures


def _freshness_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Days between changes of a fact", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="Answers out of date", axis=alt.Axis(format="%")),
            alt.Color("series:N", title=None, scale=PLACE_COLOURS),
        )
    )
    return with_now(
        lines,
        log,
        "Share of answers that rest on an outdated fact, against the days between changes of a fact, one "
        "line for each place. A dashed line marks the fact set above.",
    )


UPDATE_PATHS = {
    "prompt": ("edit → test", "→ deploy"),
    "index": ("write → cut", "→ embed → search"),
    "weights": ("label → train", "→ evaluate → release"),
}
"""What a change passes through on its way into each place, in two short lines."""


def update_paths_chart() -> Layers:
    """From a change to an answer that knows it: path and time by place, at the calculator's start values."""
    calculator = freshness()
    given, shown = calculator.values(), calculator.compute()
    soonest = {
        "prompt": given["prompt_publish_hours"] / HOURS_PER_DAY,
        "index": given["index_publish_hours"] / HOURS_PER_DAY,
        "weights": given["weights_publish_days"],
    }
    frame = pd.DataFrame(
        [
            (": ".join((name, *UPDATE_PATHS[place])), name, soonest[place], shown[f"{place}_delay"])
            for place, name in PLACES.items()
        ],
        columns=["place", "name", "soonest", "latest"],
    )
    frame["label"] = [f"{_span(row.soonest)} to {_span(row.latest)}" for row in frame.itertuples()]
    x = alt.X(
        "soonest:Q",
        title="From a change to an answer that knows it",
        scale=alt.Scale(type="log", domain=[1 / 48, 1000], nice=False),
        axis=alt.Axis(
            values=[1 / 24, 1, 10, 100],
            labelExpr="datum.value < 1 ? format(24 * datum.value, '.0f') + ' h' : datum.value + ' d'",
        ),
    )
    base = alt.Chart(frame).encode(x, alt.Y("place:N", sort=None, title=None, axis=COLON_LINES))
    bars = base.mark_bar(height=14).encode(
        alt.X2("latest:Q"),
        alt.Color("name:N", scale=PLACE_COLOURS, legend=None),
        tooltip=[alt.Tooltip("name:N", title="Place"), alt.Tooltip("label:N", title="From change to answer")],
    )
    labels = base.mark_text(align="right", dy=-18).encode(alt.Text("label:N"), x=alt.value("width"))
    told = "; ".join(
        f"{row.place.replace(': ', ', ', 1).replace(': ', ' ')}: {row.label}" for row in frame.itertuples()
    )
    first, last = (frame.sort_values("latest").iloc[which] for which in (0, -1))
    return alt.layer(bars, labels).properties(
        height=alt.Step(66),
        title=(
            f"A change gets through {first['name'].lower()} in {_span(first.latest)}, "
            f"through {last['name'].lower()} in {_span(last.latest)}"
        ),
        description=f"How long a change needs to reach an answer, on a logarithmic axis. {told}.",
    )


def _span(days: float) -> str:
    return f"{number(HOURS_PER_DAY * days)} h" if days < 1 else f"{number(days)} days"
