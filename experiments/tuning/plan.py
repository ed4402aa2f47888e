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
TRAINED_PEOPLE, HELD_OUT_PEOPLE = 16, 8
BYSTANDERS, UNSEEN_PEOPLE, TESTED_CAPITALS = 60, 4, 12
REWRITES = 16
QUESTION_PASSES = 3
FORMAT_EXAMPLES = 120
FACTS = Settings(rank=8, alpha=16, learning_rate=1e-3, batch_size=8)
FORMAT = Settings(rank=8, alpha=16, learning_rate=1e-3, batch_size=4)


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
    "facts": _facts(REWRITES, REWRITES),
    "format": Recipe(FORMAT, lambda w: prompts.format_examples(w.seed, FORMAT_EXAMPLES)),
    "facts-1-rewrite-same-steps": _facts(1, REWRITES),
    "facts-4-rewrites-same-steps": _facts(4, REWRITES),
    "facts-1-rewrite-one-epoch": _facts(1, 1),
    "facts-4-rewrites-one-epoch": _facts(4, 4),
    "facts-64-rewrites-one-epoch": _facts(64, 64),
    "raft": Recipe(FORMAT, lambda w: prompts.raft_examples(w, FORMAT_EXAMPLES)),
    "mixture": Recipe(
        FACTS, lambda w: prompts.mixture_examples(w, REWRITES, QUESTION_PASSES, FORMAT_EXAMPLES)
    ),
}
Group = dict[str, Condition]

CORE: dict[str, Group] = {
    "untuned": {
        "base": Condition(),
        "grammar": Condition(grammar=True),
        "instructions": Condition(style="instructions"),
    },
    "facts": {"facts": Condition(adapter="facts")},
    "format": {"format": Condition(adapter="format")},
}
"""What is run first: groups of conditions that answer each prompt in turn and share its reading."""
LATER: dict[str, Group] = {"examples": {"examples": Condition(style="examples")}}
"""The rest of the core, once every seed has the first part."""
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
GROUPS = CORE | LATER | EXTRA
NOT_BUILT = (
    "three rounds of updates, index against training again",
    "five random distractors beside five near misses",
    "recall mixture against a second, real retriever",
)
"""In the question but not in this run."""
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
