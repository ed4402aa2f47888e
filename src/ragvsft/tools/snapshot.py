"""What the book concludes and computes, as one JSON: the thing that two revisions are compared by.

`python -m ragvsft.tools.snapshot` prints it. Run as a file with `PYTHONPATH` set to another tree's `src`, it
takes that tree's. What a tree cannot say is named under "missing", and the rest is there.
"""

import contextlib
import csv
import importlib
import inspect
import itertools
import json
import math
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

SCHEMA = 1
Values = dict[str, str | float]

BASES = {"rag": ("fine_tuned", "rag_fine_tuned", "agentic_search"), "long_context": ("rag", "agentic_search")}
"""Of each method, those whose break-even with it is kept."""


def data_date(data: Path) -> date:
    """The newest date on which a price or an offer was read: a snapshot's today, so time moves nothing."""
    dates = []
    for name in ("prices", "offers"):
        with (data / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                dates += [row[column] for column in ("as_of", "checked_on") if row.get(column)]
    return date.fromisoformat(max(dates))


def take(on: date | None = None) -> dict[str, Any]:
    """The snapshot of the package that is imported, with `on` as today: by default the data's own date."""
    from ragvsft.data import DATA

    found: dict[str, Any] = {"schema": SCHEMA, "on": str(on or data_date(DATA))}
    found |= {"conclusions": {}, "numbers": {}, "missing": {}}
    with _today(date.fromisoformat(found["on"])):
        for part, sections in (("conclusions", CONCLUSIONS), ("numbers", NUMBERS)):
            for name, section in sections.items():
                try:
                    found[part][name] = dict(section())
                except Exception as error:  # another tree may lack any of it, in any way
                    found["missing"][name] = f"{type(error).__name__}: {error}"
    return found


@contextlib.contextmanager
def _today(on: date) -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.combine(on, time(), UTC).timestamp()))
    try:
        yield
    finally:
        del os.environ["SOURCE_DATE_EPOCH"]
        if before is not None:
            os.environ["SOURCE_DATE_EPOCH"] = before


Pairs = Iterator[tuple[str, str | float]]


def _scenarios() -> Iterator[tuple[str, Any]]:
    from ragvsft.costs import scenario
    from ragvsft.prices import PLACES

    yield "default", scenario.default()
    for name, (_, keys) in scenario.workloads().items():
        yield name, scenario.from_keys(keys)
    for place in PLACES:
        if place != "anywhere":
            yield f"default/{place}", scenario.from_keys({"text_may_go": place})


def _matrices() -> Iterator[tuple[str, Any]]:
    from ragvsft.costs import compare

    for name, chosen in _scenarios():
        yield name, compare.matrix(chosen)


def _cheapest() -> Pairs:
    """The winner of the default columns in every example workload and place, and whether it is settled."""
    from ragvsft.costs import compare

    for name, cells in _matrices():
        winner = compare.cheapest(cells)
        if winner is None:
            yield name, "none that does the job could be confirmed"
            continue
        other = compare.runner_up(cells, winner)
        settled = other is None or compare.lead_of(winner, other).usd.low > 0
        yield name, winner.label + ("" if settled else ", not settled by the ranges")


def _plan() -> Pairs:
    """The recommended steps of every example workload."""
    from ragvsft import decisions

    title = {row.step: row.title for row in decisions.steps()}
    for name, (_, answers) in decisions.workloads().items():
        advice = decisions.recommend(answers)
        yield name, " → ".join(title[step] for step in (advice.first_step, *advice.then))


def _verdict() -> Pairs:
    """The verdict of every row of the ledger."""
    from ragvsft.evidence.ledger import ledger

    for row in ledger():
        yield row.id, row.verdict


def _break_even() -> Pairs:
    """Where one method costs less than another on the same model, as the book says it."""
    from ragvsft.widgets.compared_sides import when_lower

    for name, base, challenger in _sides():
        yield name, when_lower(base, challenger)


def _sides() -> Iterator[tuple[str, Any, Any]]:
    """Name, base and challenger; without those whose GPUs are too many steps to search."""
    from ragvsft.costs import columns as cols
    from ragvsft.costs import scenario
    from ragvsft.costs.break_even import MOST_STEPS, Side
    from ragvsft.costs.methods import METHODS
    from ragvsft.widgets.compared_sides import HIGH

    default = scenario.default()
    for column in default.columns:
        hosted, inputs, serving = default.hosted(column), default.inputs(column), cols.column(column).serving
        for base, challengers in BASES.items():
            for challenger in challengers:
                methods = METHODS[base], METHODS[challenger]
                a, b = (Side(method, serving, inputs) for method in methods)
                searched = all(side.stride == 0 or side.stride * MOST_STEPS >= HIGH for side in (a, b))
                if searched and not any(map(hosted.reason, methods)):
                    yield f"{challenger}/{base}/{column}", a, b


def _crossings() -> Pairs:
    """Every volume at which one of those methods overtakes the other, in queries a month."""
    from ragvsft.costs.break_even import side_crossings
    from ragvsft.widgets.compared_sides import HIGH, LOW

    for name, a, b in _sides():
        for place, volume in enumerate(side_crossings(a, b, LOW, HIGH), 1):
            yield f"{name}/{place}", volume


def _leads() -> Pairs:
    """How far each winner is ahead of the next, in USD over the horizon and as a share of the draws."""
    from ragvsft.costs import compare

    for name, cells in _matrices():
        winner = compare.cheapest(cells)
        other = winner and compare.runner_up(cells, winner)
        if winner and other:
            ahead = compare.lead_of(winner, other)
            for part, value in zip(("low", "middle", "high"), ahead.usd, strict=True):
                yield f"{name}/{part}", float(value)
            yield f"{name}/share_won", float(ahead.share_won)


def _cells() -> Pairs:
    """USD over the horizon of every cell with its range, and why a cell does not do the job."""
    for name, cells in _matrices():
        for cell in cells:
            key = "/".join((name, *cell.key))
            yield f"{key}/reason", cell.reason or ("confirm first" if cell.confirm_first else "")
            if cell.available:
                yield f"{key}/usd", cell.horizon_usd
                yield f"{key}/low_usd", float(cell.range_usd.low)
                yield f"{key}/high_usd", float(cell.range_usd.high)


def _claims() -> Pairs:
    """The figures of every row of the ledger."""
    from ragvsft.evidence.ledger import ledger

    for row in ledger():
        for part in ("value", "low", "high"):
            if (value := getattr(row, part)) is not None:
                yield f"{row.id}/{part}", value


def _checks() -> Pairs:
    """What every claim that can be recomputed comes to."""
    from ragvsft.evidence.checks import run_checks

    for check in run_checks():
        for part, value in zip(("value", "low", "high"), check.recomputed, strict=False):
            yield f"{check.claim.id}/{part}", value


def _calculators() -> Pairs:
    """Every output of every calculator, at its defaults."""
    for calculator in every_calculator():
        for name, value in calculator.compute().items():
            if math.isfinite(value):
                yield f"{calculator.id}/{name}", value


def every_calculator() -> Iterator[Any]:
    """What every public function of a chapter's module returns that says it returns a calculator."""
    from ragvsft import chapters

    for info in pkgutil.walk_packages(chapters.__path__, "ragvsft.chapters."):
        module = importlib.import_module(info.name)
        for name, made in inspect.getmembers(module, inspect.isfunction):
            own = made.__module__ == info.name and not name.startswith("_")
            if own and made.__annotations__.get("return") == "Calculator":
                yield made()


def _prices() -> Pairs:
    """Every price, limit and speed that the book can use, in USD."""
    from ragvsft.prices import offers, rates

    for offer_id in offers():
        for item, price in rates(offer_id).items():
            yield f"{offer_id}/{item}", price.value


Section = Callable[[], Pairs]
CONCLUSIONS: dict[str, Section] = {
    "cheapest": _cheapest,
    "plan": _plan,
    "verdict": _verdict,
    "break-even": _break_even,
}
NUMBERS: dict[str, Section] = {
    "break-even volumes": _crossings,
    "leads": _leads,
    "cells": _cells,
    "claims": _claims,
    "checks": _checks,
    "calculators": _calculators,
    "prices": _prices,
}


def conclusions() -> dict[str, str]:
    """`kind/subject` → what is concluded, of the package that is imported, by the data's own date.

    Raises whatever a part of it raises.
    """
    from ragvsft.data import DATA

    with _today(data_date(DATA)):
        pairs = [
            (f"{kind}/{name}", str(value)) for kind, part in CONCLUSIONS.items() for name, value in part()
        ]
    return dict(pairs)


def main(arguments: list[str]) -> None:
    """Print the snapshot; the argument, if any, is the date that counts as today."""
    on = next(map(date.fromisoformat, itertools.islice(arguments, 1)), None)
    json.dump(take(on), sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1:])
