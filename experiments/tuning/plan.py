"""What is run: worlds, adapters, conditions, tests. PREREGISTRATION.md says why."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from contexts import Collection

from ragvsft.tuning.lora import prompts, world
from ragvsft.tuning.lora.prompts import Example, Retrieval, Style
from ragvsft.tuning.lora.world import Question, World


class Settings(NamedTuple):
    """How an adapter is trained: LoRA on every linear matrix, AdamW, a linear schedule, one pass."""

    rank: int
    alpha: int
    learning_rate: float
    batch_size: int
    warmup_fraction: float = 0.1


SEEDS = (101, 102, 103, 104, 105)
TRAINED_PEOPLE, HELD_OUT_PEOPLE = 12, 6
BYSTANDERS, UNSEEN_PEOPLE, TESTED_CAPITALS = 60, 4, 12
REWRITES = 16
EXPOSURES = 24
QUESTION_PASSES = 2
FORMAT_EXAMPLES = 128
FACTS = Settings(rank=8, alpha=16, learning_rate=2e-3, batch_size=4)
FORMAT = Settings(rank=8, alpha=16, learning_rate=2e-3, batch_size=4)


class Recipe(NamedTuple):
    """How one adapter is made from a world."""

    settings: Settings
    examples: Callable[[World], list[Example]]


class Condition(NamedTuple):
    """Who answers, and how it is asked."""

    adapter: str | None = None
    style: Style = "plain"
    grammar: bool = False


class Case(NamedTuple):
    """One prompt of the test."""

    questions: str
    """Which set the question belongs to."""
    retrieval: Retrieval
    question: Question
    passages: list[str]
    golden: int | None


def _facts(rewrites: int, exposures: int) -> Recipe:
    return Recipe(FACTS, lambda w: prompts.fact_examples(w, rewrites, exposures, QUESTION_PASSES))


RECIPES: dict[str, Recipe] = {
    "facts": _facts(REWRITES, EXPOSURES),
    "format": Recipe(FORMAT, lambda w: prompts.format_examples(w.seed, FORMAT_EXAMPLES)),
    "facts-1-rewrite-same-steps": _facts(1, EXPOSURES),
    "facts-4-rewrites-same-steps": _facts(4, EXPOSURES),
    "facts-1-rewrite-one-epoch": _facts(1, 2),
    "facts-4-rewrites-one-epoch": _facts(4, 6),
    "facts-64-rewrites-one-epoch": _facts(64, 96),
    "raft": Recipe(FORMAT, lambda w: prompts.raft_examples(w, FORMAT_EXAMPLES)),
    "mixture": Recipe(
        FACTS, lambda w: prompts.mixture_examples(w, REWRITES, EXPOSURES, QUESTION_PASSES, FORMAT_EXAMPLES)
    ),
}
Group = dict[str, Condition]

CORE: dict[str, Group] = {
    "facts": {"facts": Condition(adapter="facts")},
    "format": {"format": Condition(adapter="format")},
    "base": {"base": Condition()},
}
"""What is run first, seed by seed."""
LATER: tuple[dict[str, Group], ...] = (
    {"forms": {"grammar": Condition(grammar=True), "instructions": Condition(style="instructions")}},
    {"examples": {"examples": Condition(style="examples")}},
)
"""The rest of the core, each for every seed before the next. A group answers each prompt in turn."""
EXTRA: dict[str, Group] = {
    name: {name: Condition(adapter=name)}
    for name in (
        "raft",
        "mixture",
        "facts-4-rewrites-same-steps",
        "facts-1-rewrite-same-steps",
        "facts-4-rewrites-one-epoch",
        "facts-1-rewrite-one-epoch",
        "facts-64-rewrites-one-epoch",
    )
}
"""As time allows, in this order, each for every seed before the next."""
GROUPS = CORE | LATER[0] | LATER[1] | EXTRA
LEVELS: tuple[Retrieval, ...] = ("gold", "first-of-three", "third-of-five", "five-near-misses", "none")
CELLS: tuple[tuple[str, Retrieval], ...] = (
    *(("new", level) for level in LEVELS),
    ("changed", "gold"),
    ("counterfactual", "gold"),
    ("known", "none"),
    ("unseen", "five-near-misses"),
)


def the_world(seed: int) -> World:
    """The world of this seed."""
    return world.make_world(seed, TRAINED_PEOPLE, HELD_OUT_PEOPLE, BYSTANDERS, UNSEEN_PEOPLE, TESTED_CAPITALS)


def cases(w: World) -> Iterator[Case]:
    """Every prompt of the test, cell by cell; within a cell, questions about one person stand together."""
    before, after = Collection(w.passages()), Collection(w.passages(1))
    asked = {
        "new": [q for p in w.held_out for q in world.questions_about(p)],
        "changed": [q for p in w.held_out for q in world.changed_questions(p)],
        "unseen": [q for p in w.unseen for q in world.unanswerable_questions(p)],
        "known": [world.capital_question(c) for c in w.capitals],
        "counterfactual": [world.counterfactual_question(c, f) for c, f in w.counterfactual.items()],
    }
    for questions, retrieval in CELLS:
        for question in asked[questions]:
            if questions == "counterfactual":
                passages = [world.counterfactual_passage(question.subject, str(question.answer))]
                golden: int | None = 1
            elif questions == "known":
                passages, golden = [], None
            else:
                collection = after if questions == "changed" else before
                passages, golden = collection.beside(question.subject, retrieval)
            yield Case(questions, retrieval, question, passages, golden)
