"""The calculators of the chapter on evaluation: sample size, result, and a year of testing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import altair as alt

from ragvsft.evaluation import formulas as f
from ragvsft.evaluation.differences import Difference, paired, points
from ragvsft.evaluation.paired import paired_p_value
from ragvsft.formula import Quantity, maximum
from ragvsft.prose import count, number, percent, table
from ragvsft.units import MONTHS_PER_YEAR
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Finding, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import with_now
from ragvsft.widgets.cost_inputs import assumption_input

SYSTEMS = 2
"""Every round compares a candidate with the system that runs."""

LEVEL, POWER = 0.05, 0.8
"""Level and power of the tests in `ragvsft.evaluation.formulas`."""

EXACT_BELOW = 25
"""Discordant questions below which the normal approximation is too rough."""


PILOT, PILOT_DISCORDANT = 50, 6
QUESTIONS, ONLY_RAG, ONLY_CANDIDATE = 400, 14, 31
EDITED, EDITED_ONLY_RAG, EDITED_ONLY_CANDIDATE = 40, 6, 0
SMALLEST_DIFFERENCE = 0.05
"""The worked example's counts: invented. The edited passages are a part of the questions."""


class WorkedExample(NamedTuple):
    """One comparison from the pilot to the gate."""

    discordant_share: float
    needed: int
    questions: int
    whole: Difference
    p_value: float
    edited: Difference
    lost_edited: int

    @property
    def released(self) -> bool:
        """Whether the whole gained, resolved, and the edited passages are followed as often as before."""
        return self.whole.low > 0 and self.edited.value >= 0


def worked_example() -> WorkedExample:
    """The chapter's example, computed from its invented counts."""
    share = PILOT_DISCORDANT / PILOT
    return WorkedExample(
        share,
        int(f.questions_for_paired_difference(SMALLEST_DIFFERENCE, share)),
        QUESTIONS,
        paired(ONLY_RAG, ONLY_CANDIDATE, QUESTIONS),
        paired_p_value(ONLY_RAG, ONLY_CANDIDATE),
        paired(EDITED_ONLY_RAG, EDITED_ONLY_CANDIDATE, EDITED),
        EDITED_ONLY_RAG,
    )


def worked_steps(example: WorkedExample) -> str:
    """The steps of the example as a Markdown table."""
    rows = [
        (
            "What would change the decision?",
            f"a gain of {number(100 * SMALLEST_DIFFERENCE)} points",
        ),
        (
            "Pilot: how often is exactly one of the two right?",
            f"{count(PILOT_DISCORDANT)} of {count(PILOT)} questions, {percent(example.discordant_share)}",
        ),
        (
            "How many questions does that take?",
            f"{count(example.needed)}; {count(example.questions)} are written and frozen",
        ),
        (
            "Run both on all of them",
            f"{count(ONLY_CANDIDATE)} right only with the candidate, {count(ONLY_RAG)} only with RAG alone",
        ),
        ("Is the difference real?", points(example.whole)),
        (
            f"The gate: the {count(EDITED)} edited passages among them",
            f"{count(EDITED_ONLY_CANDIDATE)} right only with the candidate, {count(EDITED_ONLY_RAG)} only "
            f"with RAG alone: {points(example.edited)}",
        ),
    ]
    return table(["step", "result"], rows)


def sample_size() -> Calculator:
    """Questions needed for a difference, in four designs."""
    return Calculator(
        "sample-size",
        "How many questions do you need?",
        (
            Number(
                "difference_points", "Smallest difference that matters", "points", 5, 0.5, 30, scale="log"
            ),
            Number(
                "discordant_percent",
                "Questions that only one of the two gets right",
                "%",
                100 * f.DISCORDANT_SHARE,
                1,
                60,
            ),
            Number("grades_right_percent", "Grades that are right", "%", 95, 70, 100),
            Number("base_percent", "Accuracy of the system you have", "%", 80, 5, 95),
        ),
        _questions,
        (
            Row("Same questions, perfect grades", Cell("paired", "count")),
            Row("Same questions, your grader", Cell("judged", "count")),
            Row("Different questions, for each system", Cell("unpaired", "count")),
            Row("One system alone, to within the difference", Cell("alone", "count")),
        ),
        ("Design", "Questions"),
        chart=_size_chart,
        finding=Finding(
            "To see {difference_points:number} points takes {paired:count} questions that both systems answer"
        ),
        sweep=Sweep(
            "difference_points",
            (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30),
            {
                "paired": "same questions, perfect grades",
                "judged": "same questions, your grader",
                "unpaired": "different questions",
            },
        ),
        note=(
            f"Two-sided test at the {percent(LEVEL)} level with a power of {percent(POWER)}. "
            "Discordant questions cannot be fewer than the difference."
        ),
    )


def _questions(i: Any) -> Mapping[str, Quantity]:
    difference, discordant = i.difference_points / 100, i.discordant_percent / 100
    right = i.grades_right_percent / 100
    return {
        "paired": f.questions_for_paired_difference(difference, discordant),
        "judged": f.questions_for_paired_difference(
            f.observed_difference(difference, right), f.observed_discordant_share(discordant, right)
        ),
        "unpaired": f.questions_for_unpaired_difference(difference, i.base_percent / 100),
        "alone": f.questions_for_share(i.base_percent / 100, difference),
    }


def _size_chart(rows: Any) -> Any:
    log = alt.Scale(type="log", nice=False)
    ticks = alt.Axis(tickCount=6)
    x = alt.X("x:Q", title="Smallest difference that matters (points)", scale=log, axis=ticks)
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(x, alt.Y("value:Q", title="Questions", scale=log), alt.Color("series:N", title=None))
    )
    return with_now(
        lines,
        log,
        "Questions needed against the smallest difference to be found, one line for each design, both "
        "axes logarithmic. "
        "A dashed line marks the difference set above.",
    )


def paired_result() -> Calculator:
    """Gain, interval and decision from the counts of a paired comparison."""
    return Calculator(
        "paired-result",
        "What does your result show?",
        (
            Number("only_first", "Right only with RAG alone", "questions", ONLY_RAG, 0, 500, whole=True),
            Number(
                "only_second",
                "Right only with the candidate",
                "questions",
                ONLY_CANDIDATE,
                0,
                500,
                whole=True,
            ),
            Number("questions", "All questions", "questions", QUESTIONS, 20, 5000, scale="log", whole=True),
        ),
        _result,
        (
            Row("Gain of the candidate", Cell("gain", "number")),
            Row("Lowest gain that fits the data", Cell("low", "number")),
            Row("Highest gain that fits the data", Cell("high", "number")),
            Row(
                "Decision",
                Cell("verdict", cases=("RAG alone is better", "not decided", "the candidate is better")),
            ),
        ),
        ("", "Points"),
        note=(
            f"Interval at {percent(1 - LEVEL)} for matched proportions, McNemar's test at the "
            f"{percent(LEVEL)} level. "
            f"With fewer than {EXACT_BELOW} discordant questions use the exact test. "
            "All questions are at least as many as those that only one got right."
        ),
    )


def _result(i: Any) -> Mapping[str, Quantity]:
    questions = maximum(i.questions, i.only_first + i.only_second)
    low, high = f.paired_difference_interval(i.only_first, i.only_second, questions)
    return {
        "gain": 100 * (i.only_second - i.only_first) / questions,
        "low": 100 * low,
        "high": 100 * high,
        "verdict": f.verdict(i.only_first, i.only_second),
    }


def evaluation_cost() -> Calculator:
    """What writing the questions and a year of rounds cost, models and people apart."""
    return Calculator(
        "evaluation-cost",
        "What does a year of evaluation cost?",
        (
            Number("questions", "Questions", "", 500, 20, 5000, scale="log", whole=True),
            Number(
                "minutes_per_question", "To write a question and its answer", "minutes", 10, 1, 120, "log"
            ),
            Number("usd_per_hour", "Labour", "USD/hour", 100, 10, 300),
            Number("rounds_per_month", "Rounds a month", "", 4, 0.25, 30, "log"),
            Number("checked_percent", "Grades that a person checks", "%", 10, 0, 100),
            Number("minutes_per_check", "To check a grade", "minutes", 2, 0.5, 30, "log"),
            Number("answer_usd", "An answer", "USD", 0.02, 0.0005, 1, "log"),
            assumption_input("judge_usd_per_answer"),
            Number("repeats", "Answers to each question", "", 1, 1, 5, whole=True),
        ),
        _year,
        (
            Row("Writing the questions, once", Cell("writing", "usd")),
            Row("One round of both systems", Cell("run", "usd")),
            Row("People who check, a year", Cell("people", "usd")),
            Row("Models that answer and grade, a year", Cell("models", "usd")),
            Row("First year", Cell("first_year", "usd")),
        ),
        ("", "Cost"),
        chart=_year_chart,
        finding=Finding("The largest part of the first year: {highest}, {share:percent}"),
        sweep=Bars({"writing": "writing questions", "people": "people who check", "models": "models"}),
        presets=(
            Preset("Every night, unchecked", {"rounds_per_month": 30, "checked_percent": 0}),
            Preset("Experts check every grade", {"checked_percent": 100, "usd_per_hour": 180}),
        ),
        note="Two systems a round. The defaults are assumptions: replace them.",
    )


def _year(i: Any) -> Mapping[str, Quantity]:
    check_usd = i.usd_per_hour * i.minutes_per_check / 60
    models = f.evaluation_run_usd(
        i.questions, i.repeats, SYSTEMS, i.answer_usd, i.judge_usd_per_answer, 0, check_usd
    )
    people = f.evaluation_run_usd(i.questions, i.repeats, SYSTEMS, 0, 0, i.checked_percent / 100, check_usd)
    writing = f.question_set_usd(i.questions, i.minutes_per_question, i.usd_per_hour)
    rounds = MONTHS_PER_YEAR * i.rounds_per_month
    return {
        "writing": writing,
        "run": models + people,
        "people": rounds * people,
        "models": rounds * models,
        "first_year": writing + rounds * (models + people),
    }


def _year_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="USD in the first year", axis=alt.Axis(format="$,~r")),
            alt.Y("series:N", title=None, sort=None),
        )
        .properties(
            description=(
                "The first year of evaluation as three bars: writing the questions, people who check grades, "
                "and models that answer and grade."
            )
        )
    )
