"""The classes that numbers fall into. Each formula gives the position of a class, 0 for the lowest.

They are traced to JavaScript, so a browser classifies as Python does.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from ragvsft.decisions.tables import Answer, QuestionRow, answers, bounds, criteria, questions, thresholds
from ragvsft.formula import Quantity, javascript, trace, where


def corpus(
    needs_documents: Quantity,
    documents: Quantity,
    tokens_per_document: Quantity,
    context_window_tokens: Quantity,
    other_prompt_tokens: Quantity,
    huge_documents: Quantity,
) -> Quantity:
    """0 none, 1 fits in one prompt beside all else, 2 does not fit, 3 more than `huge_documents`.

    `needs_documents` is 1 or 0, `documents` a number of documents, the rest are tokens.
    """
    fits = documents * tokens_per_document + other_prompt_tokens <= context_window_tokens
    with_documents = where(fits, 1, where(documents > huge_documents, 3, 2))
    return where(needs_documents > 0, with_documents, 0)


def rank(value: Quantity, second_from: Quantity, third_from: Quantity) -> Quantity:
    """0 below `second_from`, 1 from there on, 2 from `third_from`; all three in one unit."""
    return where(value >= third_from, 2, where(value >= second_from, 1, 0))


def _corpus(i: Any, t: Any) -> Quantity:
    return corpus(
        i.needs_documents,
        i.documents,
        i.tokens_per_document,
        t.context_window_tokens,
        t.other_prompt_tokens,
        t.huge_documents,
    )


CLASSES: Mapping[str, Callable[[Any, Any], Quantity]] = {
    "changes": lambda i, t: rank(i.corpus_churn_per_month, t.changes_monthly, t.changes_weekly),
    "corpus": _corpus,
    "examples": lambda i, t: rank(i.training_examples, t.examples_some, t.examples_many),
    "volume": lambda i, t: rank(i.queries_per_month, t.volume_middle, t.volume_high),
}
"""Each class of `decision_questions.csv` as a formula of the reader's numbers and the thresholds."""


def positions(i: Any) -> dict[str, Quantity]:
    """The position of every class, from a namespace of numbers, arrays or traced symbols."""
    limits = SimpleNamespace(**thresholds())
    return {name: formula(i, limits) for name, formula in CLASSES.items()}


def inputs() -> tuple[str, ...]:
    """The questions whose answers derive a class."""
    return tuple(row.question for row in questions() if row.derives)


def classify(counted: Mapping[str, Answer]) -> dict[str, str]:
    """The answer to every criterion, from an answer to every question."""
    numbers = {name: _number(counted[name]) for name in inputs()}
    found = positions(SimpleNamespace(**numbers))
    known = {name: list(answers()[name]) for name in found}
    derived = {name: known[name][int(position)] for name, position in found.items()}
    return {row.question: derived.get(row.question) or str(counted[row.question]) for row in criteria()}


def candidates(row: QuestionRow) -> list[Answer]:
    """What an open question may turn out to be: every answer, or both ends and the powers of ten between."""
    if row.kind == "choice":
        return list(answers()[row.question])
    low, high = bounds(row)
    powers = (10.0**exponent for exponent in range(-4, 10))
    return [low, *(power for power in powers if low < power < high), high]


def _number(answer: Answer) -> float:
    return float(answer == "yes") if isinstance(answer, str) else answer


def classes_javascript() -> str:
    """`positions` as a JavaScript function of an object with a number for each of `inputs()`."""
    return javascript("classes", inputs(), trace(positions, inputs()))
