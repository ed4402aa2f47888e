"""The calculator and the charts of the chapter on distillation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import Inputs, inputs, names
from ragvsft.costs.stages import calling_usd
from ragvsft.evaluation.differences import Difference
from ragvsft.evidence.combining import paper
from ragvsft.evidence.published import difference, figure, results
from ragvsft.formula import Quantity, where
from ragvsft.prose import count, number, percent
from ragvsft.units import HOURS_PER_MONTH
from ragvsft.widgets.calculator import Calculator, Cell, Number, Preset, Row, Select
from ragvsft.widgets.chart import METHOD_COLOURS, QUIET, Layers
from ragvsft.widgets.cost_inputs import assumption_input, model_select, rest

PAYS, NEVER = range(2)
WARM = 1
"""Every call finds its prefix cached."""
PAID = ("paid for", "never paid for: its calls cost no less")
LEVEL = 0.95
"""Confidence of the intervals, as in `wilson_interval`."""


def teacher_cost() -> Calculator:
    """What a large model's lessons cost, and after how many queries the small model has paid for them."""
    entries: tuple[Number | Select, ...] = (
        Number("pairs", "Answers that the teacher writes", "", 5000, 50, 1e6, scale="log", whole=True),
        _teacher(),
        model_select(label="Small model", default="gpt-oss-20b", tuned=True),
        assumption_input("queries_per_month"),
        assumption_input("system_tokens"),
        assumption_input("example_tokens"),
        assumption_input("query_tokens"),
        assumption_input("output_tokens"),
        assumption_input("prompt_cut_fraction"),
        assumption_input("epochs"),
        assumption_input("trials_per_release"),
    )
    return Calculator(
        "teacher-cost",
        "What do the lessons cost, and when are they paid for?",
        entries,
        _lessons,
        (
            Row("The teacher's answers", Cell("teaching_usd", "usd")),
            Row("Training, all runs", Cell("training_usd", "usd")),
            Row("A call to the teacher", Cell("teacher_usd", "usd")),
            Row("A call to the small model untuned, same prompt", Cell("untuned_usd", "usd")),
            Row("A call to the small model taught, hosting included", Cell("taught_usd", "usd")),
            Row("Against the teacher, the lessons are", Cell("teacher_verdict", cases=PAID)),
            Row("Queries until paid, against the teacher", Cell("against_teacher", "count")),
            Row("Against the small model untuned, they are", Cell("untuned_verdict", cases=PAID)),
            Row(
                "Queries until paid, against the small model untuned (0: never)",
                Cell("against_untuned", "count"),
            ),
        ),
        ("", "Result"),
        presets=(
            Preset("A first set", {"pairs": 500}),
            Preset("Many lessons", {"pairs": 100_000}),
            Preset("Nothing can be cut", {"prompt_cut_fraction": 0}),
        ),
        fixed=rest(*entries),
        note=(
            "Vendors' prices alone: no people, no test. Calls find their prefix cached. The teacher answers "
            "at its ordinary price; a batch endpoint charges less. Whether the small model answers as well "
            "is for your test to say."
        ),
    )


def _teacher() -> Select:
    models = model_select(name="teacher", label="Teacher")
    return replace(
        models,
        in_scenario=False,
        choices=tuple(
            replace(choice, sets={f"teacher_{name}": value for name, value in choice.sets.items()})
            for choice in models.choices
        ),
    )


def _taught_by(i: Any) -> Inputs:
    given = vars(i)
    return inputs(given | {name: given[f"teacher_{name}"] for name in names("answer_llm")})


def _lessons(i: Any) -> Mapping[str, Quantity]:
    s, teacher = inputs(vars(i)), _taught_by(i)
    prefix = i.system_tokens + i.example_tokens
    cut = costs.tuned_prefix_tokens(prefix, i.prompt_cut_fraction)
    ask = (prefix, i.query_tokens, i.output_tokens)
    teacher_usd = calling_usd(teacher, teacher.answer_llm, *ask, WARM)
    untuned_usd = calling_usd(s, s.answer_llm, *ask, WARM)
    hosting_usd = s.tuned_llm.hosting_usd_per_hour * HOURS_PER_MONTH / i.queries_per_month
    taught_usd = calling_usd(s, s.tuned_llm, cut, i.query_tokens, i.output_tokens, WARM) + hosting_usd
    example_tokens = cut + i.query_tokens + i.output_tokens
    tokens = costs.training_tokens(i.pairs, example_tokens, i.epochs, i.trials_per_release)
    teaching_usd = i.pairs * teacher_usd
    training_usd = costs.tokens_usd(tokens, s.tuned_llm.training_usd_per_mtok)
    once = teaching_usd + training_usd
    found = {
        "teaching_usd": teaching_usd,
        "training_usd": training_usd,
        "teacher_usd": teacher_usd,
        "untuned_usd": untuned_usd,
        "taught_usd": taught_usd,
    }
    for name, usd in (("teacher", teacher_usd), ("untuned", untuned_usd)):
        saved = usd - taught_usd
        found[f"against_{name}"] = where(saved > 0, once / where(saved > 0, saved, 1), 0)
        found[f"{name}_verdict"] = where(saved > 0, PAYS, NEVER)
    return found


class Gain(NamedTuple):
    """A retriever before and after tuning, as fractions of the source's own metric."""

    paper: str
    setting: str
    metric: str
    before: float
    after: float
    pairs: int | None
    """Training pairs, where the source gives them."""
    difference: Difference | None
    """With its interval; None where the number of questions is not known."""

    @property
    def points(self) -> float:
        """Points gained."""
        return 100 * (self.after - self.before)


def retriever_gains() -> tuple[Gain, ...]:
    """Every published retriever that was tuned on made-up questions, against itself untuned."""
    found = []
    for citation in ("schmid2024", "liu2023finetuneembedding"):
        rows = results(citation)
        for after in (row for row in rows if row.condition.startswith("fine-tuned")):
            before = figure(citation, "as published", model=after.model, dataset=after.dataset)
            pairs = re.search(r"([\d,]+) pairs", after.condition)
            found.append(
                Gain(
                    paper(citation),
                    f"{after.model}: {after.dataset}",
                    after.metric,
                    before.value,
                    after.value,
                    int(pairs[1].replace(",", "")) if pairs else None,
                    difference(before, after),
                )
            )
    return tuple(found)


def retriever_chart() -> Layers:
    """Each tuned retriever as a line from its published to its tuned score."""
    gains = retriever_gains()
    frame = pd.DataFrame(
        [(gain.setting, gain.metric, gain.before, gain.after, gain.points) for gain in gains],
        columns=["setting", "metric", "before", "after", "points"],
    )
    y = alt.Y(
        "setting:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelExpr=TWO_LINES, grid=True)
    )
    x = alt.Scale(zero=False)
    base = alt.Chart(frame).encode(y)
    line = base.mark_rule(strokeWidth=2).encode(
        alt.X("before:Q", title="The source's own score, %", scale=x, axis=alt.Axis(format="%", tickCount=4)),
        alt.X2("after:Q"),
    )
    tips = [
        alt.Tooltip("setting:N", title="Retriever and questions"),
        alt.Tooltip("metric:N", title="Score"),
        alt.Tooltip("before:Q", title="As published", format=".1%"),
        alt.Tooltip("after:Q", title="Tuned", format=".1%"),
    ]
    before = base.mark_point(size=90, color=QUIET).encode(alt.X("before:Q", scale=x), tooltip=tips)
    after = base.mark_point(size=110, color=METHOD_COLOURS["rag"]).encode(
        alt.X("after:Q", scale=x), tooltip=tips
    )
    named = base.mark_text(align="left", dx=9).encode(
        alt.X("after:Q", scale=x), alt.Text("points:Q", format="+.1f")
    )
    points = [gain.points for gain in gains]
    told = "; ".join(f"{g.setting}: {percent(g.before)} to {percent(g.after)}" for g in gains)
    return alt.layer(line, before, after, named).properties(
        title=f"Tuning the retriever gained {number(min(points))} to {number(max(points))} points",
        description=f"A grey dot for each retriever as published, a coloured one when tuned. {told}.",
    )


TWO_LINES = "split(datum.label, ': ')"

STUDENT = {
    "base": ("untaught", "prompting"),
    "RAG: retrieved hints": ("untaught, hints retrieved", "rag"),
    "fine-tuned on its own successes": ("trained on its own successes", "fine_tuned"),
    "distilled: trained with hints, run without": ("taught with hints, run without", "rag_fine_tuned"),
}
"""The conditions of Ibrahim et al. in plain words, with the method whose colour they take."""


def student_scores() -> pd.DataFrame:
    """Success rate by setting and condition. Columns setting, way, rate. Source: Ibrahim et al. 2026."""
    rows = [
        (f"{row.dataset}: {row.model.removesuffix(' Instruct')}", STUDENT[row.condition][0], row.value)
        for row in results("ibrahim2026")
    ]
    return pd.DataFrame(rows, columns=["setting", "way", "rate"])


def student_wins() -> tuple[int, int]:
    """(settings in which the taught model is best, settings)."""
    frame = student_scores()
    best = frame.loc[frame.groupby("setting").rate.idxmax()]
    return int((best.way == STUDENT["distilled: trained with hints, run without"][0]).sum()), len(best)


def student_chart() -> Layers:
    """A small agent untaught, with hints retrieved, trained on its own successes, and taught with hints."""
    frame = student_scores()
    ways = [way for way, _ in STUDENT.values()]
    colours = [METHOD_COLOURS[method] for _, method in STUDENT.values()]
    wins, settings = student_wins()
    told = "; ".join(f"{row.setting}, {row.way}: {percent(row.rate)}" for row in frame.itertuples())
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X("rate:Q", title="Tasks solved, %", axis=alt.Axis(format="%", tickCount=4)),
            alt.Y("setting:N", title=None, axis=alt.Axis(labelExpr=TWO_LINES, grid=True)),
            alt.Color("way:N", title=None, scale=alt.Scale(domain=ways, range=colours)),
            alt.Shape("way:N", title=None, scale=alt.Scale(domain=ways)),
            tooltip=[
                alt.Tooltip("setting:N", title="Task and model"),
                alt.Tooltip("way:N", title="Way"),
                alt.Tooltip("rate:Q", title="Solved", format=".1%"),
            ],
        )
        .properties(
            height=alt.Step(52),
            title=f"Taught with hints, a small agent is best in {count(wins)} of {count(settings)} settings",
            description=f"Share of tasks that a small agent solves, by way of helping it. {told}.",
        )
    )
