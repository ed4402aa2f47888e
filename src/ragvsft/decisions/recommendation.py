"""What the rules say to one reader: the plan with its reasons, what decided it and what would change it."""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from ragvsft.decisions import answers as readers
from ragvsft.decisions.classes import candidates, classify
from ragvsft.decisions.engine import UNKNOWN, codes_of, evaluate, source_matrix
from ragvsft.decisions.tables import Answer, RuleRow, StepRow, options, questions, rules, steps
from ragvsft.evidence import ledger


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
    """Answers to one criterion each of which, alone, would make `first_step` the first step.

    `open` says whether answering a question that the reader left open could bring one of them.
    """

    criterion: str
    answers: tuple[str, ...]
    first_step: str
    open: bool


class Change(_Result):
    """What answering a question that the reader left open would change in the plan.

    Where it brings one of `answers` to `criterion`, the plan `adds` and `drops` these steps.
    """

    question: str
    criterion: str
    answers: tuple[str, ...]
    adds: tuple[str, ...]
    drops: tuple[str, ...]


class Recommendation(_Result):
    """What the rules say to one reader; also the JSON of `ragvsft decide --json`.

    `steps` is the whole plan, in order, ending in "stop"; `then` names what lies between. `classes` holds
    what the rules were asked: the classes of the reader's numbers, and the choices. `decided_by` names the
    criteria that brought the first step or could change it. `assumed` holds the answers counted for "don't
    know", `finding_out` what other answers to those questions would change. `source_matrix` has the rows that
    the source's matrix ticks, by column; `scenario` exactly the reader's own answers that the cost model
    takes; `translated` a line for each old answer that was translated or dropped.
    """

    first_step: str
    then: tuple[str, ...]
    steps: tuple[Step, ...]
    not_recommended: tuple[Step, ...]
    notes: tuple[Reason, ...]
    decided_by: tuple[str, ...]
    flips: tuple[Flip, ...]
    answers: dict[str, Answer]
    assumed: dict[str, Answer]
    finding_out: tuple[Change, ...]
    classes: dict[str, str]
    source_matrix: dict[str, tuple[str, ...]]
    scenario: dict[str, Answer]
    translated: tuple[str, ...]


def recommend(answers: Mapping[str, Any]) -> Recommendation:
    """What the rules make of the answers; questions left out count as "don't know".

    Answers of the first edition are translated. Raises `AnswersError` for an unknown question or answer, or a
    number out of range.
    """
    current, translated = readers.translate(answers)
    readers.check(current)
    given, assumed = readers.given_and_assumed(current)
    classes = classify(readers.counted(given))
    fired_flags, plan_flags = evaluate(codes_of([classes]))
    fired = [rule for rule, holds in zip(rules(), fired_flags[0], strict=True) if holds]
    plan = [row for row, wanted in zip(steps(), plan_flags[0], strict=True) if wanted]
    first = plan[0].step
    found_out = _found_out(given, assumed)
    flips = _flips(classes, first, {(row.criterion, row.answer) for row in found_out})
    deciding = {flip.criterion for flip in flips} | {
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
        decided_by=tuple(name for name in classes if name in deciding),
        flips=flips,
        answers={row.question: given.get(row.question, UNKNOWN) for row in questions()},
        assumed=assumed,
        finding_out=_changes(found_out, tuple(row.step for row in plan)),
        classes=classes,
        source_matrix=source_matrix(classes),
        scenario=readers.for_the_cost_model(given),
        translated=translated,
    )


class _Found(NamedTuple):
    """What an open question may turn out to be: the criterion's answer, and the plan that it would bring."""

    question: str
    criterion: str
    answer: str
    plan: tuple[str, ...]


def _found_out(given: Mapping[str, Answer], assumed: Iterable[str]) -> list[_Found]:
    open_rows = [row for row in questions() if row.question in assumed]
    tried = [(row, {**given, row.question: answer}) for row in open_rows for answer in candidates(row)]
    classes = [classify(readers.counted(reader)) for _, reader in tried]
    return [
        _Found(row.question, criterion, found[criterion], plan)
        for (row, _), found, plan in zip(tried, classes, _plans(classes), strict=True)
        if (criterion := row.derives or row.question)
    ]


def _plans(readers: Sequence[Mapping[str, str]]) -> list[tuple[str, ...]]:
    names = [row.step for row in steps()]
    return [tuple(compress(names, plan)) for plan in evaluate(codes_of(readers))[1]] if readers else []


def _flips(classes: dict[str, str], first: str, could_be: Container[tuple[str, str]]) -> tuple[Flip, ...]:
    changes = [
        (name, answer) for name, rows in options().items() for answer in rows if answer != classes[name]
    ]
    found: dict[tuple[str, str], list[str]] = {}
    for (name, answer), plan in zip(changes, _plans([classes | {k: v} for k, v in changes]), strict=True):
        if plan[0] != first:
            found.setdefault((name, plan[0]), []).append(answer)
    return tuple(
        Flip(
            criterion=name,
            answers=tuple(answers),
            first_step=step,
            open=any((name, answer) in could_be for answer in answers),
        )
        for (name, step), answers in found.items()
    )


def _changes(found_out: Iterable[_Found], plan: tuple[str, ...]) -> tuple[Change, ...]:
    found: dict[tuple[str, str, tuple[str, ...]], dict[str, None]] = {}
    for row in found_out:
        if row.plan != plan:
            found.setdefault((row.question, row.criterion, row.plan), {})[row.answer] = None
    return tuple(
        Change(
            question=question,
            criterion=criterion,
            answers=tuple(answers),
            adds=tuple(step for step in other if step not in plan),
            drops=tuple(step for step in plan if step not in other),
        )
        for (question, criterion, other), answers in found.items()
    )


def _refused(row: StepRow, fired: Iterable[RuleRow]) -> bool:
    return any(row.step in rule.steps and rule.points < 0 for rule in fired)


def _reason(rule: RuleRow) -> Reason:
    claim = ledger.get(rule.claim)
    named = {name: getattr(rule, name) for name in ("rule", "points", "reason", "claim", "chapter")}
    return Reason(statement=claim.statement, verdict=claim.verdict, **named)


def _step(row: StepRow, fired: Iterable[RuleRow]) -> Step:
    named = {name: getattr(row, name) for name in ("step", "title", "action", "stop_when", "chapter")}
    return Step(reasons=tuple(_reason(rule) for rule in fired if row.step in rule.steps), **named)
