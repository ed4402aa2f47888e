"""The tables that the decisions stand in, `data/decision_*.csv`, each row checked as it is read."""

import functools
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self, cast

from pydantic import BeforeValidator, Field, model_validator

from ragvsft.costs import scenario as scenarios
from ragvsft.data import (
    DataError,
    Identifier,
    IsoDate,
    References,
    Row,
    Slug,
    Source,
    Text,
    Unit,
    load,
    nearest,
)
from ragvsft.prose import number, percent

CHOOSES_HOSTS = "text_may_go"
"""The question that chooses hosts and prices. A rule that asks it gives no points."""

Answer = str | float
"""A choice by its name, or a number in the unit of the cost model's input of that name."""


class AnswersError(ValueError):
    """A fault in the answers. The message names the question, the value and what is allowed."""


class QuestionRow(Row, table="decision_questions", key=("question",)):
    """What the decision tool asks, and the classes that its rules speak of."""

    question: Identifier = Field(description="Its name in rules, links and answers.toml.")
    kind: Literal["number", "choice", "class"] = Field(
        description="A number is named as the cost model's input; a class is not asked but derived."
    )
    group: str = Field(description="The heading it stands under; blank for a class.")
    title: Text = Field(description="The question.")
    short: Text = Field(description="The same in a few words, for lists.")
    help: str = Field(description="What to count, in one sentence.")
    derives: str = Field(description="The class that it decides; blank if rules ask the answer itself.")
    if_unknown: str = Field(
        description="The answer counted for \"don't know\"; blank for a number: the cost model's base value."
    )
    without_documents: str = Field(
        description="The number counted instead, if left open where answers need no documents."
    )


def _steps(text: object) -> object:
    names = tuple(filter(None, str(text).split(";")))
    known = [row.step for row in steps()]
    for name in names:
        if name not in known:
            raise ValueError(f"{name} must be a step of data/decision_steps.csv{nearest(name, known)}")
    return names


def _conditions(text: object) -> object:
    parts = [part.strip().partition("=") for part in str(text).split("&") if part.strip()]
    parsed = tuple((criterion, tuple(allowed.split("|"))) for criterion, _, allowed in parts)
    for criterion, allowed in parsed:
        _check_choices(criterion, allowed, options())
    return parsed


def _current(text: object) -> object:
    pairs = [part.partition("=") for part in str(text).split(";") if part]
    return tuple((question, _as_answer(question, value)) for question, _, value in pairs)


def _as_answer(name: str, text: str) -> Answer:
    row = question(name)
    if row.kind == "number":
        return float(text)
    _check_choices(name, [text], answers())
    return text


def _check_choices(name: str, given: Iterable[str], known: dict[str, dict[str, "AnswerRow"]]) -> None:
    if name not in known:
        raise ValueError(f"{name} must be a question of data/decision_questions.csv{nearest(name, known)}")
    for answer in given:
        if answer not in known[name]:
            hint = nearest(answer, known[name])
            raise ValueError(f"{answer} must be an answer to {name} in data/decision_answers.csv{hint}")


Steps = Annotated[tuple[str, ...], BeforeValidator(_steps)]
Conditions = Annotated[tuple[tuple[str, tuple[str, ...]], ...], BeforeValidator(_conditions)]
Current = Annotated[tuple[tuple[str, Answer], ...], BeforeValidator(_current)]
ClaimId = Annotated[str, References("claims", "id")]


class StepRow(Row, table="decision_steps", key=("step",)):
    """What can be recommended, from cheap and reversible to dear and lasting."""

    step: Identifier = Field(description="Its name in rules and results.")
    title: Text = Field(description="What the reader calls it.")
    action: Text = Field(description="What to do.")
    needs_points: int = Field(ge=0, description="Points at which it belongs to the plan.")
    stop_when: Text = Field(description="The result after which nothing more is needed.")
    chapter: Text = Field(description="Where the book shows how.")


class ThresholdRow(Row, table="decision_thresholds", key=("threshold",)):
    """Where one class ends and the next begins, and why there."""

    threshold: Identifier = Field(description="Its name in the formulas of the classes and in labels.")
    value: float = Field(gt=0, description="The bound.")
    unit: Unit = Field(description="Its unit, which is that of the numbers compared with it.")
    source_kind: Literal["cited", "assumption", "seed"] = Field(
        description="Cited, our judgement, or taken from the source document."
    )
    source: Source | None = Field(description="Address of the source, if there is one.")
    as_of: IsoDate | None = Field(description="When the source was read or published.")
    reason: Text = Field(description="Why there.")

    @model_validator(mode="after")
    def _cited(self) -> Self:
        if self.source_kind == "cited" and not (self.source and isinstance(self.as_of, date)):
            raise ValueError("source or as_of is blank: a cited value needs both")
        return self


class AnswerRow(Row, table="decision_answers", key=("question", "answer")):
    """The answers to choose from, and the classes that numbers fall into, from the lowest up."""

    question: Annotated[str, References("decision_questions", "question")] = Field(
        description="What it answers."
    )
    answer: Identifier = Field(description="Its name in rules, links and answers.toml.")
    label: Text = Field(description="What the reader chooses; {name} is the threshold of that name.")
    steps_done: Steps = Field(description="Steps that the answer says are behind the reader.")


class RuleRow(Row, table="decision_rules", key=("rule",)):
    """If every condition holds, the steps get the points, and the reader gets the reason."""

    rule: Slug = Field(description="Its name.")
    steps: Steps = Field(
        description="Steps that it speaks about; blank for a note on the answers themselves."
    )
    points: int = Field(
        ge=-9, le=9, description="For the steps if positive, against them if negative, a caution if 0."
    )
    when: Conditions = Field(description="question=answer|answer, joined by &; blank always holds.")
    reason: Text = Field(description="Why, in a sentence without figures.")
    claim: ClaimId = Field(description="The ledger's entry behind it.")
    chapter: Text = Field(description="Where the book argues it.")

    @model_validator(mode="after")
    def _hosts_are_no_method(self) -> Self:
        if self.points and any(criterion == CHOOSES_HOSTS for criterion, _ in self.when):
            raise ValueError(
                f"points = {self.points}: must be 0 in a rule that asks {CHOOSES_HOSTS}, "
                "which chooses hosts and never a method"
            )
        return self


class WorkloadAnswerRow(Row, table="decision_workloads", key=("workload", "question")):
    """What the example workloads answer beside their numbers; the rest is unknown. Our assumption."""

    workload: Annotated[str, References("workloads", "workload")] = Field(description="Id of the example.")
    question: Annotated[str, References("decision_questions", "question")] = Field(
        description="What it answers: a choice. Numbers stand in workloads.csv."
    )
    answer: Identifier = Field(description="The answer.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_choices(self.question, [self.answer], {name: answers()[name] for name in _choices()})
        return self


class OldAnswerRow(Row, table="decision_old_answers", key=("question", "answer")):
    """Answers of the book's first edition, and what they are read as: old files and links still open."""

    question: Identifier = Field(description="The question as it was called.")
    answer: Identifier = Field(description="The answer.")
    now: Current = Field(description="question=answer of today, joined by semicolons.")


class MatrixRow(Row, table="decision_matrix", key=("row",)):
    """The source document's decision matrix, its columns restored."""

    row: Slug = Field(description="Its name.")
    question: Text = Field(description="What the row asks, in our words.")
    when: Conditions = Field(description="The answers that say yes.")
    tick: Literal["rag", "fine_tuning", "both"] = Field(description="The column that the source ticks.")
    claim: ClaimId = Field(description="The ledger's entry that tries it.")
    chapter: Text = Field(description="Where the book argues it.")


# ------------------------------------------------------------------------------------------------- reading


def _rows() -> tuple[QuestionRow, ...]:
    return cast(tuple[QuestionRow, ...], load("decision_questions"))


def questions() -> tuple[QuestionRow, ...]:
    """The questions that a reader answers, in the order asked."""
    return tuple(row for row in _rows() if row.kind != "class")


def criteria() -> tuple[QuestionRow, ...]:
    """What rules speak of: the classes, and the choices that derive none."""
    return tuple(row for row in _rows() if row.kind == "class" or (row.kind == "choice" and not row.derives))


def _choices() -> tuple[str, ...]:
    return tuple(row.question for row in _rows() if row.kind == "choice")


def question(name: str) -> QuestionRow:
    """The row of a question that is asked. Raises `AnswersError` for any other name."""
    known = {row.question: row for row in questions()}
    if name not in known:
        raise AnswersError(f"{name}: must be one of {', '.join(known)}{nearest(name, known)}")
    return known[name]


def steps() -> tuple[StepRow, ...]:
    """The steps, in the order of a plan. The last one, stopping, is in every plan."""
    return cast(tuple[StepRow, ...], load("decision_steps"))


def rules() -> tuple[RuleRow, ...]:
    """The rules, in file order."""
    return cast(tuple[RuleRow, ...], load("decision_rules"))


def matrix() -> tuple[MatrixRow, ...]:
    """The source's ten rows."""
    return cast(tuple[MatrixRow, ...], load("decision_matrix"))


def thresholds() -> dict[str, float]:
    """The bounds between classes by name, each in the unit of `decision_thresholds.csv`."""
    return {row.threshold: row.value for row in load("decision_thresholds")}


def old_answers() -> dict[str, dict[str, tuple[tuple[str, Answer], ...]]]:
    """First-edition question → answer → what it is read as."""
    found: dict[str, dict[str, tuple[tuple[str, Answer], ...]]] = {}
    for row in load("decision_old_answers"):
        found.setdefault(row.question, {})[row.answer] = row.now
    return found


def workloads() -> dict[str, tuple[str, dict[str, Answer]]]:
    """The example workloads of the cost model: id → (label, the answers that describe it).

    Numbers are those of `workloads.csv`, or the cost model's base values as in the calculators. How many
    checked examples lie at hand has no base value: it is answered only where the workload says so.
    """
    chosen: dict[str, dict[str, Answer]] = {name: {} for name in scenarios.workloads()}
    for row in load("decision_workloads"):
        chosen[row.workload][row.question] = row.answer
    base = {row.question: scenarios.assumption(row.question).base for row in _base_numbers()}
    asked = [row.question for row in questions()]
    found: dict[str, tuple[str, dict[str, Answer]]] = {}
    for name, (label, numbers) in scenarios.workloads().items():
        known = chosen[name] | base | {key: value for key, value in numbers.items() if key in asked}
        found[name] = label, {key: known[key] for key in asked if key in known}
    return found


def _base_numbers() -> tuple[QuestionRow, ...]:
    return tuple(row for row in questions() if row.kind == "number" and not row.if_unknown)


@functools.cache
def answers() -> dict[str, dict[str, AnswerRow]]:
    """The answers to choose from by question, and the classes by name, with thresholds in their labels."""
    said = {
        row.threshold: percent(row.value) if row.unit.startswith("fraction") else number(row.value)
        for row in load("decision_thresholds")
    }
    listed = [
        row.model_copy(update={"label": row.label.format(**said)})
        for row in cast(tuple[AnswerRow, ...], load("decision_answers"))
    ]
    found: dict[str, dict[str, AnswerRow]] = {}
    for asked in _rows():
        if asked.kind == "number":
            continue
        found[asked.question] = {row.answer: row for row in listed if row.question == asked.question}
        if asked.kind == "choice" and asked.if_unknown not in found[asked.question]:
            raise DataError(
                f"data/decision_questions.csv: {asked.question}: if_unknown = {asked.if_unknown}: "
                f"must be one of {', '.join(found[asked.question])}"
            )
    return found


def options() -> dict[str, dict[str, AnswerRow]]:
    """The answers to each criterion of the rules, by criterion."""
    return {row.question: answers()[row.question] for row in criteria()}


# ------------------------------------------------------------------------------------------------- numbers


def bounds(row: QuestionRow) -> tuple[float, float]:
    """The lowest and highest number that a question takes: the cost model's, though none may be at hand."""
    assumption = scenarios.assumption(row.question)
    lowest = min(assumption.minimum, float(row.if_unknown or assumption.minimum))
    return lowest, assumption.maximum


def if_unknown(row: QuestionRow) -> Answer:
    """What is counted for "don't know"."""
    if row.kind == "choice":
        return row.if_unknown
    return float(row.if_unknown) if row.if_unknown else scenarios.assumption(row.question).base
