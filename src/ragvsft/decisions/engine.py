"""The engine: which rules fire and which steps form the plan, for one reader or for every combination."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragvsft.decisions.tables import Conditions, criteria, matrix, options, rules, steps

UNKNOWN = "unknown"
"""The answer "don't know": the question's `if_unknown` counts, and the recommendation says so."""

Codes = npt.NDArray[np.int8]
"""Classes and choices of n readers, shape (n, criteria): each the position among its criterion's answers."""
Flags = npt.NDArray[np.bool_]

COLUMNS = ("rag", "fine_tuning", "both")
"""The columns of the source's matrix."""


def every_combination() -> Codes:
    """All combinations of classes and choices, shape (n, criteria), the last criterion changing fastest."""
    sizes = [len(rows) for rows in options().values()]
    codes = np.empty((math.prod(sizes), len(sizes)), dtype=np.int8, order="F")
    for k, size in enumerate(sizes):
        cycle = np.repeat(np.arange(size, dtype=np.int8), math.prod(sizes[k + 1 :]))
        codes[:, k] = np.tile(cycle, math.prod(sizes[:k]))
    return codes


def evaluate(codes: Codes) -> tuple[Flags, Flags]:
    """Which rules fire, shape (n, rules), and which steps form the plan, shape (n, steps)."""
    fired = np.empty((len(codes), len(rules())), dtype=np.bool_, order="F")
    points = np.zeros((len(codes), len(steps())), dtype=np.int8, order="F")
    names = [row.step for row in steps()]
    for k, rule in enumerate(rules()):
        fired[:, k] = hold(rule.when, codes)
        for step in rule.steps if rule.points else ():
            points[:, names.index(step)] += rule.points * fired[:, k].view(np.int8)
    needed = np.array([row.needs_points for row in steps()], dtype=np.int8)
    return fired, (points >= needed) & ~_done(codes)


def hold(when: Conditions, codes: Codes) -> Flags:
    """Whether every condition holds, shape (n,)."""
    holds = np.ones(len(codes), dtype=np.bool_)
    for criterion, allowed in when:
        table = np.array([answer in allowed for answer in options()[criterion]])
        holds &= table[codes[:, _column(criterion)]]
    return holds


def _column(criterion: str) -> int:
    return [row.question for row in criteria()].index(criterion)


def _done(codes: Codes) -> Flags:
    done = np.zeros((len(codes), len(steps())), dtype=np.bool_, order="F")
    for column, row in enumerate(criteria()):
        answers = options()[row.question].values()
        table = np.array([[step.step in answer.steps_done for step in steps()] for answer in answers])
        for step in np.flatnonzero(table.any(axis=0)):
            done[:, step] |= table[:, step][codes[:, column]]
    return done


def codes_of(readers: Iterable[Mapping[str, str]]) -> Codes:
    """The codes of readers who answer every criterion, shape (n, criteria)."""
    places = {
        criterion: {answer: k for k, answer in enumerate(rows)} for criterion, rows in options().items()
    }
    return np.array([[places[name][reader[name]] for name in places] for reader in readers], np.int8)


@dataclass(frozen=True)
class Count:
    """What the rules do over every combination of classes and choices.

    `planned` counts the combinations whose plan holds a step, stopping included: it must be all of them.
    `first` counts them by first step. `moved_by_hosts` counts those whose plan another answer to where the
    text may go would change: it must be none.
    """

    combinations: int
    planned: int
    first: Mapping[str, int]
    moved_by_hosts: int


def count() -> Count:
    """The machine count of the rules, over every combination."""
    codes = every_combination()
    plans = evaluate(codes)[1]
    first = np.bincount(plans.argmax(axis=1), minlength=len(steps()))
    column = _column("text_may_go")
    sizes = [len(rows) for rows in options().values()]
    by_host = np.moveaxis(plans.reshape(*sizes, len(steps())), column, 0)
    moved = (by_host != by_host[:1]).any(axis=(0, -1)).sum() * sizes[column]
    return Count(
        combinations=len(codes),
        planned=int(plans.any(axis=1).sum()),
        first={row.step: int(number) for row, number in zip(steps(), first, strict=True)},
        moved_by_hosts=int(moved),
    )


# ------------------------------------------------------------------------------------- the source's matrix


def source_columns(codes: Codes) -> Flags:
    """Whether the source's matrix ticks each of `COLUMNS` for each reader, shape (n, columns)."""
    rows = [(row.tick, hold(row.when, codes)) for row in matrix()]
    return np.stack(
        [np.any([holds for tick, holds in rows if tick == column], axis=0) for column in COLUMNS], axis=1
    )


def source_matrix(classes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The rows of the source's matrix that apply, by column; every criterion must have an answer."""
    codes = codes_of([classes])
    return {
        column: tuple(row.row for row in matrix() if row.tick == column and hold(row.when, codes)[0])
        for column in COLUMNS
    }


def source_verdict(ticks: Mapping[str, Sequence[str]]) -> str:
    """What the matrix says in a word: the only column with ticks, "both" for several, or "nothing"."""
    columns = [column for column in COLUMNS if ticks[column]]
    return "nothing" if not columns else columns[0] if len(columns) == 1 else "both"
