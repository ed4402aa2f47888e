"""Marking an answer: right, abstained, out of date, taken from the wrong passage; form, citation, length."""

import json
import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from ragvsft.tuning.lora.world import CAPITALS, VALUES, Question

ABSTENTION = re.compile(
    r"\b(not (given|mentioned|stated|provided|specified|available|known|found|in the|listed)|"
    r"do(es)? not (know|say|mention|state|give|provide)|do(es)?n't (know|say|mention|have)|unknown|cannot|"
    r"can't|no (information|answer|mention))\b",
    re.IGNORECASE,
)


class Score(BaseModel):
    """What one answer is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    correct: bool
    """Names the right value and no other; without a right value: abstains."""
    abstained: bool
    stale: bool
    """Names the value that was true before, or that the passage contradicts."""
    distracted: bool
    """Wrong, with a value that another passage of the prompt gives for the same attribute."""
    valid_json: bool
    """Is exactly an object with an answer (text or null) and a source (number or null)."""
    cited: bool
    """Is valid and names the golden passage, or no passage if none is golden."""


def read_answer(text: str) -> tuple[str | None, int | None, bool]:
    """The answer, the passage it cites, and whether it has the agreed form. None is an abstention."""
    try:
        found = json.loads(text)
    except ValueError:
        return text.strip(), None, False
    if not isinstance(found, dict) or set(found) != {"answer", "source"}:
        return text.strip(), None, False
    answer, source = found["answer"], found["source"]
    if not (answer is None or isinstance(answer, str)):
        return text.strip(), None, False
    if not (source is None or (isinstance(source, int) and not isinstance(source, bool))):
        return text.strip(), None, False
    return answer, source, True


def score(question: Question, text: str, passages: Sequence[str] = (), golden: int | None = None) -> Score:
    """Mark an answer. `golden` is the number of the golden passage among `passages`, from 1; None without."""
    answer, source, valid = read_answer(text)
    named = values_named(question.attribute, answer or "")
    abstained = not named and (answer is None or bool(ABSTENTION.search(answer)))
    correct = abstained if question.answer is None else named == {question.answer}
    elsewhere = {
        value
        for number, passage in enumerate(passages, 1)
        if number != golden
        for value in values_named(question.attribute, passage)
    }
    return Score(
        correct=correct,
        abstained=abstained,
        stale=question.former is not None and question.former in named,
        distracted=not correct and bool(named & elsewhere),
        valid_json=valid,
        cited=valid and source == golden,
    )


def values_named(attribute: str, text: str) -> set[str]:
    """The values of this attribute that occur in a text as whole words."""
    if attribute == "capital":
        known: set[str] = {*CAPITALS.values(), *VALUES["city"]}
    else:
        known = set(VALUES[attribute])  # type: ignore[index]
    return {value for value in known if re.search(rf"\b{re.escape(value)}\b", text, re.IGNORECASE)}
