"""The decision rules, as data, and what they recommend: a first step, what to add next and when to stop.

Every question has a few answers and one that is assumed for "don't know". A rule whose conditions hold adds
points to steps (a caution adds none). A step belongs to the plan if its points reach what it needs and it is
not done yet. The plan follows the order of `decision_steps.csv`: cheap and reversible first.
`decisions.js` evaluates the same rows in the browser.
"""

import functools
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ragvsft.costs import scenario as scenarios
from ragvsft.data import DataError, Identifier, References, Row, Slug, Text, load, nearest
from ragvsft.evidence import ledger

UNKNOWN = "unknown"
"""The answer "don't know": the question's `if_unknown` counts, and the recommendation says so."""

Codes = npt.NDArray[np.int8]
"""Answers of n readers, shape (n, questions): each the position of an answer among its question's answers."""
Flags = npt.NDArray[np.bool_]


COLUMNS = ("rag", "fine_tuning", "both")
"""The columns of the source's matrix."""

SOURCE_VERDICTS = {
    "rag": "RAG",
    "fine_tuning": "fine-tune",
    "both": "both",
    "nothing": "nothing, no row applies",
}


class AnswersError(ValueError):
    """A fault in the answers. The message names the question, the value and what is allowed."""


# ------------------------------------------------------------------------------------------------ tables


class QuestionRow(Row, table="decision_questions", key=("question",)):
    """What the decision tool asks."""

    question: Identifier = Field(description="Its name in rules, links and answers.toml.")
    group: Text = Field(description="The heading it stands under.")
    title: Text = Field(description="The question.")
    help: str = Field(description="What to count, in one sentence.")
    if_unknown: Identifier = Field(description='The answer assumed for "don\'t know".')


def _steps(text: object) -> object:
    names = tuple(filter(None, str(text).split(";")))
    known = [row.step for row in steps()]
    for name in names:
        if name not in known:
            raise ValueError(f"{name} must be a step of data/decision_steps.csv{nearest(name, known)}")
    return names


def _numbers(text: object) -> object:
    pairs = [pair.partition("=") for pair in str(text).split(";") if pair]
    return tuple((name, scenarios.checked(name, float(value))) for name, _, value in pairs)


def _conditions(text: object) -> object:
    parts = [part.strip().partition("=") for part in str(text).split("&") if part.strip()]
    parsed = tuple((question, tuple(allowed.split("|"))) for question, _, allowed in parts)
    for question, allowed in parsed:
        _check_answers(question, allowed)
    return parsed


def _check_answers(question: str, allowed: Iterable[str]) -> None:
    if question not in options():
        hint = nearest(question, options())
        raise ValueError(f"{question} must be a question of data/decision_questions.csv{hint}")
    for answer in allowed:
        if answer not in options()[question]:
            hint = nearest(answer, options()[question])
            raise ValueError(f"{answer} must be an answer to {question} in data/decision_answers.csv{hint}")


Steps = Annotated[tuple[str, ...], BeforeValidator(_steps)]
Numbers = Annotated[tuple[tuple[str, float], ...], BeforeValidator(_numbers)]
Conditions = Annotated[tuple[tuple[str, tuple[str, ...]], ...], BeforeValidator(_conditions)]
ClaimId = Annotated[str, References("claims", "id")]


class StepRow(Row, table="decision_steps", key=("step",)):
    """What can be recommended, from cheap and reversible to dear and lasting."""

    step: Identifier = Field(description="Its name in rules and results.")
    title: Text = Field(description="What the reader calls it.")
    action: Text = Field(description="What to do.")
    needs_points: int = Field(ge=0, description="Points at which it belongs to the plan.")
    stop_when: Text = Field(description="The result after which nothing more is needed.")
    chapter: Text = Field(description="Where the book shows how.")


class AnswerRow(Row, table="decision_answers", key=("question", "answer")):
    """The answers to choose from."""

    question: Annotated[str, References("decision_questions", "question")] = Field(
        description="What it answers."
    )
    answer: Identifier = Field(description="Its name in rules, links and answers.toml.")
    label: Text = Field(description="What the reader chooses.")
    steps_done: Steps = Field(description="Steps that the answer says are behind the reader.")
    scenario: Numbers = Field(description="Cost-model inputs that follow from it, as name=value.")


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


class WorkloadAnswerRow(Row, table="decision_workloads", key=("workload", "question")):
    """Answers of the example workloads; questions left out are unknown. Our assumption."""

    workload: Annotated[str, References("workloads", "workload")] = Field(description="Id of the example.")
    question: Annotated[str, References("decision_questions", "question")] = Field(
        description="What it answers."
    )
    answer: Identifier = Field(description="The answer.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_answers(self.question, [self.answer])
        return self


class MatrixRow(Row, table="decision_matrix", key=("row",)):
    """The source document's decision matrix, its columns restored."""

    row: Slug = Field(description="Its name.")
    question: Text = Field(description="What the row asks, in our words.")
    when: Conditions = Field(description="The answers that say yes.")
    tick: Literal["rag", "fine_tuning", "both"] = Field(description="The column that the source ticks.")
    claim: ClaimId = Field(description="The ledger's entry that tries it.")
    chapter: Text = Field(description="Where the book argues it.")


def questions() -> tuple[QuestionRow, ...]:
    """The questions, in the order asked."""
    return cast(tuple[QuestionRow, ...], load("decision_questions"))


def steps() -> tuple[StepRow, ...]:
    """The steps, in the order of a plan. The last one, stopping, is in every plan."""
    return cast(tuple[StepRow, ...], load("decision_steps"))


def rules() -> tuple[RuleRow, ...]:
    """The rules, in file order."""
    return cast(tuple[RuleRow, ...], load("decision_rules"))


def matrix() -> tuple[MatrixRow, ...]:
    """The source's ten rows."""
    return cast(tuple[MatrixRow, ...], load("decision_matrix"))


def workloads() -> dict[str, tuple[str, dict[str, str]]]:
    """The example workloads of the cost model: id → (label, the answers that describe it)."""
    answers: dict[str, dict[str, str]] = {name: {} for name in scenarios.workloads()}
    for row in load("decision_workloads"):
        answers[row.workload][row.question] = row.answer
    return {name: (label, answers[name]) for name, (label, _) in scenarios.workloads().items()}


@functools.cache
def options() -> dict[str, dict[str, AnswerRow]]:
    """The answers to each question, by question in the order asked."""
    answers = cast(tuple[AnswerRow, ...], load("decision_answers"))
    found: dict[str, dict[str, AnswerRow]] = {}
    for asked in questions():
        found[asked.question] = {row.answer: row for row in answers if row.question == asked.question}
        if asked.if_unknown not in found[asked.question]:
            raise DataError(
                f"data/decision_questions.csv: {asked.question}: if_unknown = {asked.if_unknown}: "
                f"must be one of {', '.join(found[asked.question])}"
            )
    return found


# ------------------------------------------------------------------------------------------------ engine


def every_combination() -> Codes:
    """All combinations of known answers, shape (n, questions), the last question changing fastest."""
    sizes = [len(options()[row.question]) for row in questions()]
    grid = np.indices(sizes, dtype=np.int8).reshape(len(sizes), -1)
    return cast(Codes, np.ascontiguousarray(grid.T))


def evaluate(codes: Codes) -> tuple[Flags, Flags]:
    """Which rules fire, shape (n, rules), and which steps form the plan, shape (n, steps)."""
    fired = np.stack([_hold(rule.when, codes) for rule in rules()], axis=1)
    points = fired.astype(np.int16) @ _points()
    needed = np.array([row.needs_points for row in steps()])
    return fired, (points >= needed) & ~_done(codes)


def _hold(when: tuple[tuple[str, tuple[str, ...]], ...], codes: Codes) -> Flags:
    holds = np.ones(len(codes), dtype=np.bool_)
    for question, allowed in when:
        answers = list(options()[question])
        holds &= np.isin(codes[:, _column(question)], [answers.index(answer) for answer in allowed])
    return holds


def _column(question: str) -> int:
    return [row.question for row in questions()].index(question)


def _points() -> npt.NDArray[np.int16]:
    table = [[rule.points if row.step in rule.steps else 0 for row in steps()] for rule in rules()]
    return np.array(table, dtype=np.int16)


def _done(codes: Codes) -> Flags:
    done = np.zeros((len(codes), len(steps())), dtype=np.bool_)
    for column, row in enumerate(questions()):
        answers = options()[row.question].values()
        table = np.array([[step.step in answer.steps_done for step in steps()] for answer in answers])
        if table.any():
            done |= table[codes[:, column]]
    return done


# ---------------------------------------------------------------------------------------- recommendation


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reason(_Result):
    """A rule that fired: its reason, the ledger's entry behind it and where the book argues it."""

    rule: str
    points: int
    reason: str
    claim: str
    statement: str
    verdict: str
    chapter: str


class Step(_Result):
    """A step with its reasons: points above 0 speak for it, below 0 against it, 0 is a caution."""

    step: str
    title: str
    action: str
    stop_when: str
    chapter: str
    reasons: tuple[Reason, ...]


class Flip(_Result):
    """Answers to one question each of which, changed alone, would make `first_step` the first step."""

    question: str
    answers: tuple[str, ...]
    first_step: str


class Recommendation(_Result):
    """What the rules say to one reader; also the JSON of `ragvsft decide --json`.

    `steps` is the whole plan, in order, ending in "stop"; `then` names what lies between. `decided_by` names
    the questions whose answers brought the first step or could change it. `assumed` holds the answers counted
    for "don't know"; `source_matrix` the rows that the source's matrix ticks, by column; `scenario` the
    cost-model inputs that follow from the answers given.
    """

    first_step: str
    then: tuple[str, ...]
    steps: tuple[Step, ...]
    not_recommended: tuple[Step, ...]
    notes: tuple[Reason, ...]
    decided_by: tuple[str, ...]
    flips: tuple[Flip, ...]
    answers: dict[str, str]
    assumed: dict[str, str]
    source_matrix: dict[str, tuple[str, ...]]
    scenario: dict[str, float]


def recommend(answers: Mapping[str, str]) -> Recommendation:
    """What the rules make of the answers; questions left out count as "don't know".

    Raises `AnswersError` for an unknown question or answer.
    """
    check(answers)
    given = {name: answers[name] for name in options() if answers.get(name, UNKNOWN) != UNKNOWN}
    assumed = {row.question: row.if_unknown for row in questions() if row.question not in given}
    counted = {name: (given | assumed)[name] for name in options()}
    fired_flags, plan_flags = evaluate(_codes([counted]))
    fired = [rule for rule, holds in zip(rules(), fired_flags[0], strict=True) if holds]
    plan = [row for row, wanted in zip(steps(), plan_flags[0], strict=True) if wanted]
    first = plan[0].step
    flips = _flips(counted, first)
    deciding = {flip.question for flip in flips} | {
        name for rule in fired if first in rule.steps and rule.points > 0 for name, _ in rule.when
    }
    return Recommendation(
        first_step=first,
        then=tuple(row.step for row in plan[1:-1]),
        steps=tuple(_step(row, fired) for row in plan),
        not_recommended=tuple(
            _step(row, fired) for row in steps() if row not in plan and _refused(row, fired)
        ),
        notes=tuple(_reason(rule) for rule in fired if not rule.steps),
        decided_by=tuple(name for name in counted if name in deciding),
        flips=flips,
        answers={name: given.get(name, UNKNOWN) for name in counted},
        assumed=assumed,
        source_matrix=source_matrix(counted),
        scenario={
            key: number for name, answer in given.items() for key, number in options()[name][answer].scenario
        },
    )


def check(answers: Mapping[str, Any]) -> None:
    """Raises `AnswersError` at the first unknown question or answer."""
    for question, answer in answers.items():
        if question not in options():
            hint = nearest(question, options())
            raise AnswersError(f"{question}: must be one of {', '.join(options())}{hint}")
        allowed = [*options()[question], UNKNOWN]
        if answer not in allowed:
            hint = nearest(str(answer), allowed)
            raise AnswersError(f"{question} = {answer!r}: must be one of {', '.join(allowed)}{hint}")


def _codes(readers: Iterable[Mapping[str, str]]) -> Codes:
    places = {question: {answer: k for k, answer in enumerate(rows)} for question, rows in options().items()}
    return np.array(
        [[places[row.question][r[row.question]] for row in questions()] for r in readers], np.int8
    )


def _flips(counted: dict[str, str], first: str) -> tuple[Flip, ...]:
    changes = [
        (name, answer) for name, rows in options().items() for answer in rows if answer != counted[name]
    ]
    _, plans = evaluate(_codes(counted | {name: answer} for name, answer in changes))
    found: dict[tuple[str, str], list[str]] = {}
    for (name, answer), index in zip(changes, plans.argmax(axis=1), strict=True):
        if (step := steps()[index].step) != first:
            found.setdefault((name, step), []).append(answer)
    return tuple(Flip(question=name, answers=tuple(a), first_step=step) for (name, step), a in found.items())


def _refused(row: StepRow, fired: Iterable[RuleRow]) -> bool:
    return any(row.step in rule.steps and rule.points < 0 for rule in fired)


def _reason(rule: RuleRow) -> Reason:
    claim = ledger.get(rule.claim)
    named = {name: getattr(rule, name) for name in ("rule", "points", "reason", "claim", "chapter")}
    return Reason(statement=claim.statement, verdict=claim.verdict, **named)


def _step(row: StepRow, fired: Iterable[RuleRow]) -> Step:
    named = {name: getattr(row, name) for name in ("step", "title", "action", "stop_when", "chapter")}
    return Step(reasons=tuple(_reason(rule) for rule in fired if row.step in rule.steps), **named)


def source_columns(codes: Codes) -> Flags:
    """Whether the source's matrix ticks each of `COLUMNS` for each reader, shape (n, columns)."""
    rows = [(row.tick, _hold(row.when, codes)) for row in matrix()]
    return np.stack(
        [np.any([holds for tick, holds in rows if tick == column], axis=0) for column in COLUMNS], axis=1
    )


def source_matrix(counted: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The rows of the source's matrix that the answers tick, by column; every question must be answered."""
    codes = _codes([counted])
    return {
        column: tuple(row.row for row in matrix() if row.tick == column and _hold(row.when, codes)[0])
        for column in COLUMNS
    }


def source_verdict(ticks: Mapping[str, Sequence[str]]) -> str:
    """What the matrix says in a word: the only column with ticks, "both" for several, or "nothing"."""
    columns = [column for column in COLUMNS if ticks[column]]
    return "nothing" if not columns else columns[0] if len(columns) == 1 else "both"


# ------------------------------------------------------------------------------------- files and terminal


def read(text: str) -> dict[str, str]:
    """The answers in an answers.toml: `question = "answer"` lines. Raises `AnswersError`."""
    try:
        answers: dict[str, str] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AnswersError(f"not a TOML file: {error}") from None
    except RecursionError:
        raise AnswersError("not a TOML file: nested too deeply") from None
    check(answers)
    return answers


def example() -> str:
    """A commented answers.toml that answers nothing yet."""
    lines = ["# Answers for: ragvsft decide answers.toml"]
    for row in questions():
        answers = options()[row.question]
        lines += ["", f"# {row.title} {row.help}".rstrip()]
        lines += [f"#   {answer.answer}: {answer.label}" for answer in answers.values()]
        lines += [f"#   {UNKNOWN}: counted as {row.if_unknown}", f'{row.question} = "{UNKNOWN}"']
    return "\n".join(lines) + "\n"


def as_text(advice: Recommendation) -> str:
    """The recommendation as plain text for a terminal."""
    asked = {row.question: row.title for row in questions()}
    title = {row.step: row.title for row in steps()}
    lines = []
    for lead, step in zip(_leads(advice), advice.steps, strict=True):
        lines += [f"{lead}{step.title}", f"    {step.action}"]
        lines += [f"    {_sourced(reason)}" for reason in step.reasons]
        lines += [f"    {step.stop_when} ({step.chapter})", ""]
    for step in advice.not_recommended:
        lines += [f"Not: {step.title}"]
        lines += [f"    {_sourced(reason)}" for reason in step.reasons if reason.points < 0] + [""]
    lines += [f"Note: {_sourced(reason)}" for reason in advice.notes]
    lines += ["Decided by:", *(f"    {asked[name]} {_label(advice, name)}" for name in advice.decided_by)]
    lines += ["", "One other answer would change the first step:"]
    lines += [
        f"    {asked[flip.question]} {_labels(flip)}: {title[flip.first_step]}" for flip in advice.flips
    ] or ["    none would"]
    lines += ["", f"The source's matrix says: {SOURCE_VERDICTS[source_verdict(advice.source_matrix)]}."]
    return "\n".join(lines)


def _leads(advice: Recommendation) -> list[str]:
    leads = ["First: ", *["If that falls short: "] * len(advice.then), "Last: "]
    return leads[: len(advice.steps)]


def _label(advice: Recommendation, question: str) -> str:
    if question in advice.assumed:
        return f"{options()[question][advice.assumed[question]].label} (assumed)"
    return options()[question][advice.answers[question]].label


def _labels(flip: Flip) -> str:
    return " / ".join(options()[flip.question][answer].label for answer in flip.answers)


def _sourced(reason: Reason) -> str:
    sign = "+" if reason.points > 0 else "-" if reason.points < 0 else "!"
    return f"{sign} {reason.reason} [{reason.claim}: {reason.verdict.replace('-', ' ')}; {reason.chapter}]"
