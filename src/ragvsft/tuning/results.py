"""What the fine-tuning experiment measured: `data/measured/tuning*.csv`, its outputs and its run record.

A 135-million-parameter model in an invented world; no effect size here is carried over to large models.
"""

import gzip
import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from statistics import fmean
from typing import Any, Literal, NamedTuple, cast

from pydantic import Field

from ragvsft import data
from ragvsft.data import Row, Slug, Text
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evaluation.seeds import Estimate, PairedTest, holm, paired_t, t_interval
from ragvsft.prose import number
from ragvsft.tuning.formulas import accuracy_when_found

Questions = Literal["new", "changed", "counterfactual", "known", "unseen"]
Level = Literal["gold", "first-of-three", "third-of-five", "five-near-misses", "none"]
Mark = Literal["correct", "abstained", "stale", "distracted", "valid_json", "cited"]

LEVELS: tuple[Level, ...] = ("gold", "first-of-three", "third-of-five", "five-near-misses", "none")
LEVEL_NAMES: dict[Level, str] = {
    "gold": "right passage alone",
    "first-of-three": "first of three",
    "third-of-five": "third of five",
    "five-near-misses": "five near misses",
    "none": "no passage",
}
"""What stands beside the question, in plain words."""

OUTPUTS = "tuning-outputs.jsonl.gz"
"""The file with every prompt and answer."""

CONDITIONS = {
    "base": "untuned",
    "instructions": "untuned, instructions",
    "examples": "untuned, three worked examples",
    "grammar": "untuned, grammar",
    "facts": "LoRA on facts",
    "format": "LoRA on format with context",
}
"""The core's conditions, by what they are called in a sentence."""

REMEDIES = {
    "raft": "LoRA on questions with passages (RAFT)",
    "mixture": "LoRA on facts, format and old facts mixed",
}
"""Explored later: other data for the adapter, by what it is called in a sentence."""

Schedule = Literal["as many steps", "one pass"]
REWRITES: dict[Schedule, dict[int, str]] = {
    "as many steps": {1: "facts-1-rewrite-same-steps", 4: "facts-4-rewrites-same-steps", 16: "facts"},
    "one pass": {
        1: "facts-1-rewrite-one-epoch",
        4: "facts-4-rewrites-one-epoch",
        16: "facts",
        64: "facts-64-rewrites-one-epoch",
    },
}
"""Explored later: wordings of each person's statement, seen as often as 16 are, or each once or so."""

FIRST_STAGE = ("base", "facts", "format")
"""What was run first, seed by seed."""

LEAST_SEEDS = 3
"""A condition with fewer seeds is not shown: its interval would span everything."""

LEVEL_OF_TEST = 0.05


class MeasuredRow(Row, table="measured/tuning", key=("seed", "condition", "questions", "retrieval")):
    """Counts of the fine-tuning experiment: one row for each cell of a condition and seed."""

    seed: int = Field(ge=0, description="Seed of the world, the training order and the adapter's start.")
    condition: Slug = Field(description="Who answers and how it is asked; `facts` and `format` are adapters.")
    questions: Questions = Field(
        description="New facts; facts changed since training; capitals that the passage contradicts; "
        "capitals that the base may know; people of whom nothing is written."
    )
    retrieval: Level = Field(description="Which passages stand beside the question.")
    n: int = Field(gt=0, description="Questions.")
    correct: int = Field(
        ge=0, description="Answers that name the right value alone; for unseen, abstentions."
    )
    abstained: int = Field(ge=0, description="Answers that say the answer is not there.")
    stale: int = Field(
        ge=0, description="Answers that name the value before the change, or the true capital."
    )
    distracted: int = Field(ge=0, description="Wrong answers with another passage's value.")
    valid_json: int = Field(ge=0, description="Answers in the agreed form.")
    cited: int = Field(ge=0, description="Answers in the form that cite the golden passage, or none rightly.")
    prompt_tokens: int = Field(gt=0, description="Tokens of all the prompts.")
    read_tokens: int = Field(gt=0, description="Of these, read: the rest was shared with the prompt before.")
    answer_tokens: int = Field(gt=0, description="Tokens of all the answers.")
    answer_characters_sd: float = Field(ge=0, description="Standard deviation of the answers' length.")
    cpu_seconds: float = Field(gt=0, description="CPU-seconds of one thread for all the answers.")


class TrainingRow(Row, table="measured/tuning-training", key=("seed", "adapter")):
    """What it took to train each adapter of the fine-tuning experiment."""

    seed: int = Field(ge=0, description="Seed of the world, the training order and the adapter's start.")
    adapter: Slug = Field(description="Name of the adapter.")
    examples: int = Field(gt=0, description="Training examples, each seen once.")
    steps: int = Field(gt=0, description="Optimiser steps.")
    tokens: int = Field(gt=0, description="Tokens of the training examples.")
    cpu_seconds: float = Field(gt=0, description="CPU-seconds of one thread, loading the base left out.")
    peak_memory_mb: float = Field(gt=0, description="Largest memory of the process, MB of 10^6 bytes.")
    trainable_parameters: int = Field(gt=0, description="Parameters of the adapter.")
    precision: Literal["bfloat16", "float32"] = Field(description="Numbers that the training computed with.")
    first_loss: float = Field(description="Mean loss of the first tenth of the steps.")
    last_loss: float = Field(description="Mean loss of the last tenth of the steps.")
    gguf_sha256: Text = Field(description="SHA-256 of the adapter's GGUF file.")


class RoundRow(Row, table="measured/tuning-rounds", key=("seed", "round", "way", "questions")):
    """Keeping up with changes, explored after the registered runs: counts for each round and way."""

    seed: int = Field(ge=0, description="Seed of the world.")
    round: int = Field(ge=1, description="Rounds of changes so far; each changes two of three facts.")
    way: Literal["left-alone", "index", "trained-again"] = Field(
        description="The adapter of the start, closed-book; the untuned base with the updated passage; an "
        "adapter trained anew on what is true now, closed-book."
    )
    questions: Literal["changed", "unchanged", "known"] = Field(
        description="Facts that this round changed; facts that it left; capitals that the base may know."
    )
    n: int = Field(gt=0, description="Questions.")
    correct: int = Field(ge=0, description="Answers that name the value that is true now, alone.")
    outdated: int = Field(ge=0, description="Answers that name a value that was true before.")
    update_cpu_seconds: float = Field(
        ge=0, description="CPU-seconds of one thread for the update itself: embedding, or training."
    )
    prompt_tokens: int = Field(gt=0, description="Tokens of all the prompts.")
    answer_tokens: int = Field(gt=0, description="Tokens of all the answers.")


class RetrieverRow(Row, table="measured/tuning-retrievers", key=("seed", "condition", "retriever")):
    """New facts beside what a retriever found, explored after the registered runs."""

    seed: int = Field(ge=0, description="Seed of the world.")
    condition: Slug = Field(description="Who answers; `facts` and `format` are adapters.")
    retriever: Slug = Field(
        description="MiniLM's first; its first five; the first five by 16 numbers of its vectors; or "
        "strangers' passages, with the golden one third of five, or without it."
    )
    n: int = Field(gt=0, description="Questions.")
    found: int = Field(ge=0, description="Prompts in which the golden passage stands.")
    correct: int = Field(ge=0, description="Answers that name the right value alone.")
    abstained: int = Field(ge=0, description="Answers that say the answer is not there.")
    distracted: int = Field(ge=0, description="Wrong answers with another passage's value.")
    prompt_tokens: int = Field(gt=0, description="Tokens of all the prompts.")
    answer_tokens: int = Field(gt=0, description="Tokens of all the answers.")


class Crossing(NamedTuple):
    """The recall at which retrieval and another condition answer equally well, with its 95% interval.

    `recall` is None if the lines do not cross between 0 and 1. The interval holds every recall at which a t
    interval of the difference, over seeds, contains zero; low and high are None if there is none.
    """

    recall: float | None
    low: float | None
    high: float | None


class Hypothesis(NamedTuple):
    """A primary hypothesis of the pre-registration and its test; without one while registered seeds lack."""

    name: str
    first: str
    second: str
    test: PairedTest | None
    adjusted_p: float | None

    @property
    def verdict(self) -> Literal["not yet decided", "supported", "contradicted", "not supported"]:
        """What the corrected test says at 5%."""
        if self.test is None or self.adjusted_p is None:
            return "not yet decided"
        if self.adjusted_p > LEVEL_OF_TEST:
            return "not supported"
        return "supported" if self.test.difference.mean > 0 else "contradicted"


def rows() -> tuple[MeasuredRow, ...]:
    """Every measured cell."""
    return cast(tuple[MeasuredRow, ...], data.load("measured/tuning"))


def trainings() -> tuple[TrainingRow, ...]:
    """Every training run."""
    return cast(tuple[TrainingRow, ...], data.load("measured/tuning-training"))


def run_record() -> dict[str, Any]:
    """Commit, machine, versions, hashes, CPU-seconds, and what was left out."""
    found: dict[str, Any] = json.loads((data.DATA / "measured/tuning-run.json").read_text(encoding="utf-8"))
    return found


@cache
def _outputs() -> tuple[dict[str, Any], ...]:
    with gzip.open(data.DATA / "measured" / OUTPUTS, "rt", encoding="utf-8") as file:
        return tuple(json.loads(line) for line in file)


def outputs(**wanted: object) -> Iterator[dict[str, Any]]:
    """Every prompt and what was said, as recorded; `outputs(seed=101, condition="base")` chooses."""
    return (line for line in _outputs() if all(line[field] == value for field, value in wanted.items()))


def passages_of(line: dict[str, Any]) -> list[str]:
    """The passages beside the question of one recorded prompt, in order."""
    last_turn = line["prompt"].rpartition("<|im_start|>user\n")[2]
    return re.findall(r"^\[\d\] (.*)$", last_turn, re.MULTILINE)


def _cell(condition: str, questions: Questions, retrieval: Level) -> list[MeasuredRow]:
    cell = (condition, questions, retrieval)
    found = [row for row in rows() if (row.condition, row.questions, row.retrieval) == cell]
    if not found:
        known = ", ".join(sorted({row.condition for row in rows()}))
        raise ValueError(
            f"condition = {condition!r} at {questions}, {retrieval}: not measured; conditions are {known}"
        )
    return found


def registered_seeds() -> tuple[int, ...]:
    """The seeds that the pre-registration names."""
    return tuple(run_record()["seeds"])


def seeds_of(condition: str) -> list[int]:
    """The seeds in which every cell of a condition was answered."""
    cells = {(row.questions, row.retrieval) for row in rows()}
    found: dict[int, set[tuple[Questions, Level]]] = {}
    for row in rows():
        if row.condition == condition:
            found.setdefault(row.seed, set()).add((row.questions, row.retrieval))
    return sorted(seed for seed, answered in found.items() if answered == cells)


def seeds_in() -> list[int]:
    """The seeds in which every condition of the first stage was answered."""
    return sorted(set.intersection(*(set(seeds_of(condition)) for condition in FIRST_STAGE)))


def conditions(least_seeds: int = LEAST_SEEDS) -> list[str]:
    """The core's conditions with at least so many seeds, in the order of `CONDITIONS`."""
    return [condition for condition in CONDITIONS if len(seeds_of(condition)) >= least_seeds]


def shares(
    condition: str, questions: Questions, retrieval: Level, mark: Mark = "correct"
) -> dict[int, float]:
    """Share of answers with this mark in a cell, seed by seed. Raises ValueError if the cell was not run."""
    return {row.seed: getattr(row, mark) / row.n for row in _cell(condition, questions, retrieval)}


def estimate(condition: str, questions: Questions, retrieval: Level, mark: Mark = "correct") -> Estimate:
    """Mean over seeds with its t interval, kept within 0 and 1.

    Where every seed's share is 0, or every one's is 1, Wilson's interval over all the questions instead.
    """
    return _share([(getattr(row, mark), row.n) for row in _cell(condition, questions, retrieval)])


def _share(seeds: Sequence[tuple[int, int]]) -> Estimate:
    """Marked answers and questions of each seed to the mean share with its interval."""
    marked, n = (sum(column) for column in zip(*seeds, strict=True))
    if marked in (0, n):
        low, high = wilson_interval(marked, n)
        return Estimate(marked / n, float(low), float(high), len(seeds))
    return _clipped(t_interval([right / of for right, of in seeds]))


def rewrites_curve() -> list[tuple[Schedule, int, Estimate]]:
    """Closed-book accuracy on new facts by schedule and wordings a fact, where enough seeds were run."""
    return [
        (schedule, wordings, estimate(condition, "new", "none"))
        for schedule, points in REWRITES.items()
        for wordings, condition in points.items()
        if len(seeds_of(condition)) >= LEAST_SEEDS
    ]


def round_rows() -> tuple[RoundRow, ...]:
    """Every measured cell of the rounds of changes."""
    return cast(tuple[RoundRow, ...], data.load("measured/tuning-rounds"))


def after_round(
    round: int, way: str, questions: str = "changed", mark: Literal["correct", "outdated"] = "correct"
) -> Estimate:
    """Share of answers after a round of changes, over seeds. Raises ValueError if it was not measured."""
    cell = (round, way, questions)
    found = [(getattr(r, mark), r.n) for r in round_rows() if (r.round, r.way, r.questions) == cell]
    if not found:
        raise ValueError(f"round {round}, way = {way!r}, {questions}: not measured")
    return _share(found)


def update_seconds(way: str) -> float:
    """Mean CPU-seconds of one thread that keeping up with one round of changes took."""
    rounds = {(r.seed, r.round): r.update_cpu_seconds for r in round_rows() if r.way == way}
    return fmean(rounds.values())


class Foretold(NamedTuple):
    """What a retriever found, what the reader of it answered, and what the mixture had foretold."""

    condition: str
    retriever: str
    recall: float
    observed: Estimate
    foretold: float
    """Recall × accuracy(third of five) + the rest × accuracy(five near misses), mean over seeds."""
    gap: Estimate
    """Observed minus foretold, over seeds."""


def share_found(condition: str, retriever: str) -> Estimate:
    """Share of new facts answered rightly beside what a retriever found. Raises ValueError if not run."""
    return _share([(row.correct, row.n) for row in _found(condition, retriever)])


def _found(condition: str, retriever: str) -> list[RetrieverRow]:
    found = [row for row in retriever_rows() if (row.condition, row.retriever) == (condition, retriever)]
    if not found:
        raise ValueError(f"condition = {condition!r}, retriever = {retriever!r}: not measured")
    return found


def foretold(condition: str, retriever: str) -> Foretold:
    """The recall mixture tried on a retriever that really ran. Raises ValueError if it did not."""
    found = _found(condition, retriever)
    mixed = {
        r.seed: _mixed(condition, r.found / r.n, "third-of-five", "five-near-misses")[r.seed] for r in found
    }
    return Foretold(
        condition,
        retriever,
        sum(r.found for r in found) / sum(r.n for r in found),
        share_found(condition, retriever),
        fmean(mixed.values()),
        t_interval([r.correct / r.n - mixed[r.seed] for r in found]),
    )


def retriever_rows() -> tuple[RetrieverRow, ...]:
    """Every measured cell of what real retrievers found."""
    return cast(tuple[RetrieverRow, ...], data.load("measured/tuning-retrievers"))


def table(mark: Mark = "correct") -> list[dict[str, Any]]:
    """Every cell: condition, questions, retrieval, mean, low, high, seeds, n (questions in all seeds)."""
    sizes: dict[tuple[str, Questions, Level], int] = {}
    for row in rows():
        cell = (row.condition, row.questions, row.retrieval)
        sizes[cell] = sizes.get(cell, 0) + row.n
    return [
        {
            "condition": condition,
            "questions": questions,
            "retrieval": retrieval,
            **estimate(condition, questions, retrieval, mark)._asdict(),
            "n": n,
        }
        for (condition, questions, retrieval), n in sizes.items()
    ]


def compare(
    first: tuple[str, Questions, Level], second: tuple[str, Questions, Level], mark: Mark = "correct"
) -> PairedTest:
    """Second minus first, paired by seed: cells are (condition, questions, retrieval)."""
    a, b = shares(*first, mark), shares(*second, mark)
    both = sorted(a.keys() & b.keys())
    return paired_t([a[seed] for seed in both], [b[seed] for seed in both])


def points(test: PairedTest) -> str:
    """`39 points (15 to 63), resolved`: a difference of shares as text.

    Where it is the same in every seed, t has no width, and neither an interval nor a verdict is given.
    """
    mean, low, high = (round(100 * end) for end in test.difference[:3])
    unit = "point" if abs(mean) == 1 else "points"
    if math.isclose(test.difference.low, test.difference.high, abs_tol=1e-9):
        return f"{number(mean)} {unit} in every seed"
    sure = test.difference.low > 0 or test.difference.high < 0
    return (
        f"{number(mean)} {unit} ({number(max(low, -100))} to {number(min(high, 100))}), "
        f"{'resolved' if sure else 'not resolved'}"
    )


def accuracy_at_recall(
    condition: str, recall: float, present: Level = "third-of-five", absent: Level = "five-near-misses"
) -> Estimate:
    """Accuracy on new facts if the passage is found with this chance: a mixture of two measured cells.

    Raises ValueError for a recall outside 0 to 1.
    """
    return _clipped(t_interval(list(_mixed(condition, recall, present, absent).values())))


def crossing(
    retrieving: str,
    other: str = "facts",
    present: Level = "third-of-five",
    absent: Level = "five-near-misses",
    other_retrieval: Level = "none",
) -> Crossing:
    """How good retrieval must be before `retrieving` answers as many new facts as `other`.

    `other` answers at one level (closed-book unless said otherwise), so only the first line moves with
    recall.
    """
    reference = shares(other, "new", other_retrieval)

    def difference(recall: float) -> Estimate:
        mixed = _mixed(retrieving, recall, present, absent)
        return t_interval([mixed[seed] - reference[seed] for seed in sorted(mixed.keys() & reference.keys())])

    low, high = difference(0).mean, difference(1).mean
    recall = -low / (high - low) if high != low and 0 <= -low / (high - low) <= 1 else None
    undecided = [k / 1000 for k in range(1001) if (d := difference(k / 1000)).low <= 0 <= d.high]
    return Crossing(recall, min(undecided, default=None), max(undecided, default=None))


def _mixed(condition: str, recall: float, present: Level, absent: Level) -> dict[int, float]:
    if not 0 <= recall <= 1:
        raise ValueError(f"recall = {recall}: must be from 0 to 1")
    found, missed = shares(condition, "new", present), shares(condition, "new", absent)
    both = found.keys() & missed.keys()
    return {s: float(accuracy_when_found(recall, found[s], missed[s])) for s in both}


def _clipped(found: Estimate) -> Estimate:
    return found._replace(low=max(0.0, found.low), high=min(1.0, found.high))


PRIMARY: tuple[tuple[str, tuple[str, Questions, Level], tuple[str, Questions, Level], Mark], ...] = (
    (
        "Retrieval of the right passage answers more new facts than training on them",
        ("facts", "new", "none"),
        ("base", "new", "gold"),
        "correct",
    ),
    (
        "Training on facts makes the model follow a passage less when the fact has changed",
        ("facts", "changed", "gold"),
        ("base", "changed", "gold"),
        "correct",
    ),
    (
        "Training on format makes the model abstain when the passages lack the answer, instructions do not",
        ("instructions", "unseen", "five-near-misses"),
        ("format", "unseen", "five-near-misses"),
        "abstained",
    ),
)
"""The three primary hypotheses: name, first cell, second cell, mark; each says that the second is higher."""


def hypotheses() -> list[Hypothesis]:
    """The three primary hypotheses with paired t tests over seeds and Holm's correction.

    One is undecided while either of its cells lacks a registered seed. Holm's correction then counts it with
    p = 1, which can only raise the others'.
    """
    tests = [
        compare(first, second, mark) if _all_seeds(first[0]) and _all_seeds(second[0]) else None
        for _, first, second, mark in PRIMARY
    ]
    adjusted = holm([test.p_value if test else 1.0 for test in tests])
    return [
        Hypothesis(name, ", ".join(first), ", ".join(second), test, p if test else None)
        for (name, first, second, _), test, p in zip(PRIMARY, tests, adjusted, strict=True)
    ]


def _all_seeds(condition: str) -> bool:
    return set(registered_seeds()) <= set(seeds_of(condition))


def seconds_per_token() -> tuple[float, float]:
    """CPU-seconds of one thread to read a prompt token and to write an answer token, over all measured cells.

    Least squares without a constant, so that a whole prompt can be charged where part of it was shared.
    """
    squares, cross, written = 0.0, 0.0, 0.0
    read_time, write_time = 0.0, 0.0
    for row in rows():
        squares += row.read_tokens**2
        cross += row.read_tokens * row.answer_tokens
        written += row.answer_tokens**2
        read_time += row.read_tokens * row.cpu_seconds
        write_time += row.answer_tokens * row.cpu_seconds
    determinant = squares * written - cross * cross
    if math.isclose(determinant, 0):
        raise ValueError("the measured cells do not tell reading from writing")
    return (
        (written * read_time - cross * write_time) / determinant,
        (squares * write_time - cross * read_time) / determinant,
    )


def cost_per_correct(condition: str, questions: Questions, retrieval: Level) -> tuple[float, float]:
    """Prompt tokens and CPU-seconds for each correct answer in a cell, over all seeds; every prompt read
    whole.

    Infinite if no answer was correct. Never to be priced at another model's rates.
    """
    cells = _cell(condition, questions, retrieval)
    correct = sum(row.correct for row in cells)
    if not correct:
        return math.inf, math.inf
    read, write = seconds_per_token()
    prompt, answer = sum(row.prompt_tokens for row in cells), sum(row.answer_tokens for row in cells)
    return prompt / correct, (prompt * read + answer * write) / correct
