"""Options of the cost model set against each other: choosing two, and their break-even volumes in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ragvsft.costs import break_even, scenario
from ragvsft.costs.options import LABELS, OPTIONS, Inputs
from ragvsft.formula import Quantity, where
from ragvsft.prose import number
from ragvsft.widgets.calculator import Choice, Number, Select
from ragvsft.widgets.cost_inputs import cost_inputs

LOW, HIGH = 100.0, 1e8
"""Queries a month between which break-evens are searched."""

CODES = dict(zip(OPTIONS, range(len(OPTIONS)), strict=True))
"""The number by which a traced model knows an option."""

CHEAPER = tuple(f"cheaper: {label}" for label in LABELS.values())

BENDS = ("bend_0", "bend_1", "bend_2")


def model_inputs() -> tuple[Number | Select, ...]:
    """Every input that a bill depends on."""
    return tuple(entry for entry in cost_inputs() if entry.name != "needs_documents")


def option_select(name: str, label: str, default: str) -> Select:
    """The options of the cost model; a choice sets `{name}_code`."""
    choices = tuple(Choice(option, LABELS[option], {f"{name}_code": CODES[option]}) for option in OPTIONS)
    return Select(name, label, default, choices)


def pick(code: Quantity, values: Mapping[str, Quantity]) -> Quantity:
    """The value of the option with this code."""
    (_, picked), *others = reversed(list(values.items()))
    for option, value in others:
        picked = where(code <= CODES[option], value, picked)
    return picked


def bends(s: Any) -> dict[str, Quantity]:
    """Where cost curves bend, as the outputs that a search for crossings reads."""
    return dict(zip(BENDS, break_even.bends(s), strict=True))


def volumes(option_a: str, option_b: str, s: Inputs) -> str:
    """Every break-even of two options: "13,100", "1,600,000, 1,970,000", "at any volume" or "never"."""
    found = break_even.option_crossings(option_a, option_b, s, LOW, HIGH)
    if found:
        return ", ".join(map(about, found))
    overtakes = break_even.overtakes(option_a, option_b, s, LOW, HIGH)
    return "at any volume" if overtakes == LOW else "never"


def about(value: float) -> str:
    """A volume or amount to three significant figures: ``13087.96`` → "13,100"."""
    return number(float(f"{value:.3g}"))


def on(model: str) -> Inputs:
    """The default scenario's inputs with another language model."""
    return scenario.inputs(scenario.from_keys({"llm": model}))


def at_volume(s: Inputs, queries_per_month: Any) -> Inputs:
    """The same inputs at another volume, or at an array of volumes."""
    return SimpleNamespace(**(vars(s) | {"queries_per_month": queries_per_month}))


def with_hosting(s: Inputs) -> Inputs:
    """The same inputs with an hourly fee for the fine-tuned model: the price of one rented GPU."""
    return SimpleNamespace(**(vars(s) | {"tuned_hosting_usd_per_hour": s.gpu_usd_per_hour}))
