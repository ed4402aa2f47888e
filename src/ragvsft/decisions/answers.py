"""A reader's answers: old ones translated, every one checked, and what counts for those left open."""

from collections.abc import Mapping
from typing import Any

from ragvsft.costs import scenario as scenarios
from ragvsft.data import nearest
from ragvsft.decisions.engine import UNKNOWN
from ragvsft.decisions.tables import (
    CHOOSES_HOSTS,
    Answer,
    AnswersError,
    QuestionRow,
    answers,
    bounds,
    if_unknown,
    old_answers,
    question,
    questions,
)
from ragvsft.prose import number


def translate(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The answers to today's questions, and a line for each old one that was translated or dropped.

    Raises `AnswersError` for an old question with an answer that it never had.
    """
    old = {name: answer for name, answer in given.items() if name in old_answers()}
    current = {name: answer for name, answer in given.items() if name not in old}
    notes = []
    for name, answer in old.items():
        read_as = _read_as(name, answer)
        taken = {key: value for key, value in read_as if given.get(key, UNKNOWN) == UNKNOWN}
        current |= taken
        notes.append(_note(name, answer, taken, [key for key, _ in read_as if key not in taken]))
    return current, tuple(notes)


def _read_as(name: str, answer: Any) -> tuple[tuple[str, Answer], ...]:
    known = old_answers()[name]
    if answer == UNKNOWN:
        return ()
    if not isinstance(answer, str) or answer not in known:
        allowed = [*known, UNKNOWN]
        hint = nearest(str(answer), allowed)
        raise AnswersError(f"{name} = {answer!r}: must be one of {', '.join(allowed)}{hint}")
    return known[answer]


def _note(name: str, answer: str, taken: Mapping[str, Answer], dropped: list[str]) -> str:
    asked_now = dict.fromkeys(key for rows in old_answers()[name].values() for key, _ in rows)
    said = []
    if taken:
        said.append("read as " + " and ".join(f"{key} = {_toml(value)}" for key, value in taken.items()))
    if dropped:
        said.append(f"dropped for your {' and '.join(dropped)}")
    return f'{name} = "{answer}": {"; ".join(said) or "left open"} (asked as {", ".join(asked_now)} now)'


def _toml(value: Answer) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.15g}"


def check(given: Mapping[str, Any]) -> None:
    """Raises `AnswersError` at the first unknown question or answer, or number out of range."""
    for name, answer in given.items():
        row = question(name)
        if answer == UNKNOWN:
            continue
        if row.kind == "number":
            _check_number(row, answer)
        elif not isinstance(answer, str) or answer not in answers()[name]:
            allowed = [*answers()[name], UNKNOWN]
            hint = nearest(str(answer), allowed)
            raise AnswersError(f"{name} = {answer!r}: must be one of {', '.join(allowed)}{hint}")


def _check_number(row: QuestionRow, value: Any) -> None:
    low, high = bounds(row)
    sound = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    if not sound:
        allowed = f"a number from {number(low)} to {number(high)}"
        unit = scenarios.assumption(row.question).unit
        raise AnswersError(f'{row.question} = {value!r}: must be {allowed} ({unit}) or "{UNKNOWN}"')


def given_and_assumed(current: Mapping[str, Any]) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """What the reader answered, and what counts for each question left open.

    A question about documents that is left open where answers need none does not apply: it is in neither.
    """
    given: dict[str, Answer] = {
        row.question: float(current[row.question]) if row.kind == "number" else str(current[row.question])
        for row in questions()
        if current.get(row.question, UNKNOWN) != UNKNOWN
    }
    assumed = {
        row.question: if_unknown(row)
        for row in questions()
        if row.question not in given and not _does_not_apply(row, given)
    }
    return given, assumed


def counted(given: Mapping[str, Answer]) -> dict[str, Answer]:
    """An answer to every question: the reader's, else what counts where it is open or does not apply."""
    return {
        row.question: given[row.question] if row.question in given else _instead(row, given)
        for row in questions()
    }


def _instead(row: QuestionRow, given: Mapping[str, Answer]) -> Answer:
    return float(row.without_documents) if _does_not_apply(row, given) else if_unknown(row)


def _does_not_apply(row: QuestionRow, given: Mapping[str, Answer]) -> bool:
    return bool(row.without_documents) and given.get("needs_documents") == "no"


def for_the_cost_model(given: Mapping[str, Answer]) -> dict[str, Answer]:
    """The reader's own answers that the cost model takes, as they are; nothing is added and nothing rounded.

    No examples at hand is left out: the cost model asks how many it must price, and takes at least one.
    """
    return {row.question: given[row.question] for row in questions() if _is_handed_on(row, given)}


def handed_from(row: QuestionRow) -> float | bool | None:
    """From which number on the cost model takes the answer; True for a choice that it takes, else None."""
    if row.kind == "number":
        return scenarios.assumption(row.question).minimum
    return True if row.question in ("needs_documents", CHOOSES_HOSTS) else None


def _is_handed_on(row: QuestionRow, given: Mapping[str, Answer]) -> bool:
    answer, least = given.get(row.question), handed_from(row)
    return answer is not None and least is not None and (isinstance(answer, str) or answer >= least)
