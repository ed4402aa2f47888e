"""The calculator and the chart of the chapter on deciding to fine-tune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import inputs
from ragvsft.evidence.published import figure, results
from ragvsft.formula import Quantity
from ragvsft.prose import number
from ragvsft.tuning import formulas as f
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Finding, Number, Preset, Row
from ragvsft.widgets.chart import usd_axis
from ragvsft.widgets.cost_inputs import assumption_input, role_select


def dataset_cost() -> Calculator:
    """Cost and time of the training data, beside the training run that it is for."""
    return Calculator(
        "dataset-cost",
        "What does the training data cost, and when is it ready?",
        (
            assumption_input("training_examples"),
            Number("minutes_per_example", "To write or correct an example", "minutes", 1, 0.1, 120, "log"),
            Number("reviewed_fraction", "Share done again by a second person", "fraction", 0.2, 0, 1),
            assumption_input("usd_per_hour"),
            Number("labellers", "People working on it", "", 2, 1, 50, "log", whole=True),
            Number("hours_per_week", "Hours each gives a week", "hours", 20, 1, 40),
            assumption_input("tokens_per_example"),
            assumption_input("epochs"),
            assumption_input("trials_per_release"),
            role_select("tuned_llm"),
            assumption_input("months_to_base_model_retirement"),
        ),
        _dataset,
        (
            Row("Labelling", Cell("labelling_usd", "usd")),
            Row("Training, hosted, all runs", Cell("training_usd", "usd")),
            Row("Labelling per dollar of training", Cell("ratio", "number")),
            Row("Person-hours", Cell("hours", "count")),
            Row("Weeks until it is ready", Cell("weeks", "number")),
            Row("Both, per month until the base model is retired", Cell("usd_per_month", "usd")),
        ),
        ("", "Result"),
        chart=_dataset_chart,
        finding=Finding("Labelling costs {labelling_usd:usd}, training {training_usd:usd}"),
        sweep=Bars({"labelling_usd": "labelling", "training_usd": "training"}),
        presets=(
            Preset("Written by hand", {"minutes_per_example": 6}),
            Preset("Specialists", {"minutes_per_example": 15, "usd_per_hour": 180}),
            Preset("First try", {"training_examples": 50}),
        ),
        note="Labour and minutes are assumptions: time ten examples and put in yours.",
    )


def _dataset(i: Any) -> Mapping[str, Quantity]:
    hours = f.labelling_hours(i.training_examples, i.minutes_per_example, i.reviewed_fraction)
    labelling = hours * i.usd_per_hour
    tokens = costs.training_tokens(i.training_examples, i.tokens_per_example, i.epochs, i.trials_per_release)
    training = costs.tokens_usd(tokens, inputs(vars(i)).tuned_llm.training_usd_per_mtok)
    return {
        "labelling_usd": labelling,
        "training_usd": training,
        "ratio": labelling / training,
        "hours": hours,
        "weeks": f.labelling_weeks(hours, i.labellers, i.hours_per_week),
        "usd_per_month": (labelling + training) / i.months_to_base_model_retirement,
    }


def _dataset_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="USD for one release", axis=usd_axis()),
            alt.Y("series:N", title=None, sort=None),
        )
        .properties(description="Cost of one release as two bars: labelling the data, and training on it.")
    )


TUNED = next(row.condition for row in results("openaiaccuracy") if row.condition.startswith("fine-tuned on"))

STEPS = {
    "base 0-shot": "instructions",
    "3-shot": "three examples",
    TUNED: "fine-tuned",
    "fine-tuned+RAG (examples)": "fine-tuned, with retrieved examples",
}
"""The steps of OpenAI's case on Icelandic in plain words."""


def icelandic_chart() -> Any:
    """BLEU on Icelandic correction, step by step."""
    rows: list[dict[str, Any]] = [
        {"step": STEPS[row.condition], "model": row.model, "BLEU": row.value}
        for row in results("openaiaccuracy")
    ]
    _, shown, tuned, both = (figure("openaiaccuracy", step, model="GPT-4").value for step in STEPS)
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_point(size=110)
        .encode(
            alt.X("BLEU:Q", title="BLEU (points)", scale=alt.Scale(domain=[0, 100])),
            alt.Y("step:N", title=None, sort=list(STEPS.values())),
            alt.Color("model:N", title=None, sort="descending"),
        )
        .properties(
            title=f"Training gave GPT-4 {number(tuned - shown)} points more than examples; "
            f"retrieval then took {number(tuned - both)}",
            description=(
                "BLEU of GPT-4 and GPT-3.5 correcting Icelandic, by step. "
                + "; ".join(f"{row['model']}, {row['step']}: {number(row['BLEU'])}" for row in rows)
                + "."
            ),
        )
    )
