"""Answers as a file, and the recommendation as text for a terminal."""

import tomllib
from collections.abc import Mapping
from typing import Any

from ragvsft.costs import scenario as scenarios
from ragvsft.decisions import answers as readers
from ragvsft.decisions.engine import UNKNOWN, source_verdict
from ragvsft.decisions.recommendation import Change, Flip, Reason, Recommendation
from ragvsft.decisions.tables import (
    Answer,
    AnswersError,
    QuestionRow,
    answers,
    bounds,
    criteria,
    if_unknown,
    options,
    question,
    questions,
    steps,
)
from ragvsft.prose import number

SOURCE_VERDICTS = {
    "rag": "RAG",
    "fine_tuning": "fine-tune",
    "both": "both",
    "nothing": "nothing, no row applies",
}


def read(text: str) -> dict[str, Any]:
    """The answers in an answers.toml: `question = 20000` and `question = "answer"` lines.

    Old answers are kept as they stand, for `recommend` to translate and to say so. Raises `AnswersError`.
    """
    try:
        given: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AnswersError(f"not a TOML file: {error}") from None
    except RecursionError:
        raise AnswersError("not a TOML file: nested too deeply") from None
    readers.check(readers.translate(given)[0])
    return given


def example() -> str:
    """A commented answers.toml that answers nothing yet."""
    lines = ["# Answers for: ragvsft decide answers.toml"]
    for row in questions():
        lines += ["", f"# {row.title} {row.help}".rstrip(), *_allowed(row)]
        lines += [f"#   {UNKNOWN}: counted as {said(row, if_unknown(row))}", f'{row.question} = "{UNKNOWN}"']
    return "\n".join(lines) + "\n"


def _allowed(row: QuestionRow) -> list[str]:
    if row.kind == "choice":
        return [f"#   {answer.answer}: {answer.label}" for answer in answers()[row.question].values()]
    low, high = bounds(row)
    return [f"#   a number from {number(low)} to {number(high)} ({scenarios.assumption(row.question).unit})"]


def said(row: QuestionRow, answer: Answer) -> str:
    """An answer as a reader sees it: its label, or the number."""
    return answers()[row.question][answer].label if isinstance(answer, str) else number(answer)


def as_text(advice: Recommendation) -> str:
    """The recommendation as plain text for a terminal; what "don't know" was taken for stands beside it."""
    title = {row.step: row.title for row in steps()}
    asked = {row.question: row.title for row in criteria()}
    lines = [f"Translated: {note}" for note in advice.translated]
    lines += [""] if lines else []
    for k, (lead, step) in enumerate(zip(_leads(advice), advice.steps, strict=True)):
        lines += [f"{lead}{step.title}", f"    {step.action}"]
        lines += _taken_for(advice) if k == 0 else []
        lines += [f"    {_sourced(reason)}" for reason in step.reasons]
        lines += [f"    {step.stop_when} ({step.chapter})", ""]
    for step in advice.not_recommended:
        lines += [f"Not: {step.title}"]
        lines += [f"    {_sourced(reason)}" for reason in step.reasons if reason.points < 0] + [""]
    lines += [f"Note: {_sourced(reason)}" for reason in advice.notes]
    lines += ["Decided by:", *(f"    {asked[name]} {_label(advice, name)}" for name in advice.decided_by)]
    lines += ["", "One other answer would change the first step:"]
    lines += [
        f"    {asked[flip.criterion]} {_flip(flip)}: {title[flip.first_step]}" for flip in advice.flips
    ] or ["    none would"]
    lines += ["", "What finding out would change in the plan:"] if advice.finding_out else []
    lines += [f"    {_change(change, title)}" for change in advice.finding_out]
    lines += ["", f"The source's matrix says: {SOURCE_VERDICTS[source_verdict(advice.source_matrix)]}."]
    return "\n".join(lines)


def _taken_for(advice: Recommendation) -> list[str]:
    matters = {change.question for change in advice.finding_out}
    lines = [f"      {_assumed(advice, name)}" for name in advice.assumed if name in matters]
    if lines:
        lines = ['    Your "don\'t know" was taken for, and another answer could change this plan:', *lines]
    if rest := [_assumed(advice, name) for name in advice.assumed if name not in matters]:
        lines.append(f'    Taken for "don\'t know", with no say in this plan: {"; ".join(rest)}')
    return lines


def _assumed(advice: Recommendation, name: str) -> str:
    row = question(name)
    return f"{row.short}: {said(row, advice.assumed[name])}"


def _leads(advice: Recommendation) -> list[str]:
    leads = ["First: ", *["If that falls short: "] * len(advice.then), "Last: "]
    return leads[: len(advice.steps)]


def _label(advice: Recommendation, criterion: str) -> str:
    behind = [row for row in questions() if (row.derives or row.question) == criterion]
    label = options()[criterion][advice.classes[criterion]].label
    return label + " (assumed)" * any(row.question in advice.assumed for row in behind)


def _change(change: Change, title: Mapping[str, str]) -> str:
    labels = " / ".join(options()[change.criterion][answer].label for answer in change.answers)
    parts = [(" adds ", change.adds), (" drops ", change.drops)]
    effect = ";".join(verb + ", ".join(title[step] for step in changed) for verb, changed in parts if changed)
    return f"{question(change.question).short}: {labels}:{effect}"


def _flip(flip: Flip) -> str:
    labels = " / ".join(options()[flip.criterion][answer].label for answer in flip.answers)
    return labels + " (worth finding out)" * flip.open


def _sourced(reason: Reason) -> str:
    sign = "+" if reason.points > 0 else "-" if reason.points < 0 else "!"
    return f"{sign} {reason.reason} [{reason.claim}: {reason.verdict.replace('-', ' ')}; {reason.chapter}]"
