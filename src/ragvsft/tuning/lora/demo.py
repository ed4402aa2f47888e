"""The live demonstration: one question, its passages, five ways to answer it; and the same as recorded."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from ragvsft import data
from ragvsft.tuning import results
from ragvsft.tuning.lora.answering import Answer, Model
from ragvsft.tuning.lora.prompts import ask
from ragvsft.tuning.results import Level


class Way(NamedTuple):
    """A way to answer: which adapter, and whether it sees the passages."""

    label: str
    adapter: str | None
    passages: bool


WAYS = (
    Way("untuned", None, False),
    Way("untuned + RAG", None, True),
    Way("LoRA on facts", "facts", False),
    Way("LoRA on facts + RAG", "facts", True),
    Way("LoRA on format + RAG", "format", True),
)


@cache
def load_model() -> Model:
    """The base with the committed adapters: a second, 250 MB; needs the extra `tuning` and the weights."""
    return Model({name: data.DATA / "measured" / f"tuning-{name}.gguf" for name in ("facts", "format")})


def side_by_side(model: Model, question: str, passages: Sequence[str]) -> dict[str, Answer]:
    """Every way's answer to a question that a reader typed, beside passages that they may have edited."""
    return {
        way.label: model.answer(ask(question, passages if way.passages else ()), way.adapter) for way in WAYS
    }


def said(question: str, passages: Sequence[str]) -> tuple[dict[str, str], bool]:
    """What each way says to this question beside these passages, and whether that was recorded.

    A question of the test beside its own passage is looked up; anything else is answered now, which loads the
    model once.
    """
    if question in recorded_questions():
        recorded = recorded_side_by_side(question)
        if list(passages) == results.passages_of(recorded["untuned + RAG"]):
            return {label: line["output"] for label, line in recorded.items()}, True
    return {
        label: found.text for label, found in side_by_side(load_model(), question, passages).items()
    }, False


def recorded_questions(retrieval: Level = "gold") -> list[str]:
    """New facts that the first seed's test asked about at this level: what the adapters were trained on."""
    return [line["text"] for line in _recorded("base", retrieval)]


def recorded_side_by_side(question: str, retrieval: Level = "gold") -> dict[str, dict[str, Any]]:
    """What each way answered to a recorded question: lines of `results.outputs`, by label.

    Raises ValueError for a question that the test did not ask.
    """
    found = {}
    for way in WAYS:
        lines = _recorded(way.adapter or "base", retrieval if way.passages else "none")
        line = next((line for line in lines if line["text"] == question), None)
        if line is None:
            raise ValueError(f"question = {question!r}: must be one of recorded_questions({retrieval!r})")
        found[way.label] = line
    return found


def _recorded(condition: str, retrieval: Level) -> list[dict[str, Any]]:
    seed = min(row.seed for row in results.trainings())
    return list(results.outputs(seed=seed, condition=condition, questions="new", retrieval=retrieval))
