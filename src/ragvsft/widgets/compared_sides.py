"""Two sides of the cost model set against each other: choosing them, and their break-even volumes in words.

A side is a method on a model, paid by the token or on one's own GPU. Both sides share the model unless the
reader says otherwise: else a break-even compares models, not methods.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ragvsft.costs import columns as cols
from ragvsft.costs import scenario
from ragvsft.costs.break_even import Side, bends, overtakes, side_crossings
from ragvsft.costs.inputs import Inputs, changed, chosen_roles, flat, inputs, names
from ragvsft.costs.methods import METHODS, Bill, Serving, bill
from ragvsft.formula import Quantity, Traced, where
from ragvsft.prices import rates, values
from ragvsft.prose import number
from ragvsft.widgets.calculator import Choice, Crossings, Number, Select
from ragvsft.widgets.cost_inputs import cost_inputs, model_select

LOW, HIGH = 100.0, 1e8
"""Queries a month between which break-evens are searched."""

MODEL = "gpt-oss-20b"
"""The model of both sides unless the reader names another: one that is sold untuned, tuned and as weights."""

SERVINGS: tuple[Serving, ...] = ("per_token", "self_hosted")
KINDS = tuple((name, serving) for name in METHODS for serving in SERVINGS)
CODES = {kind: float(code) for code, kind in enumerate(KINDS)}
"""The number by which a traced model knows a method and how its model is served."""


def kind_label(name: str, serving: Serving) -> str:
    """ "RAG" or "RAG, own GPU"."""
    return METHODS[name].label + (", own GPU" if serving == "self_hosted" else "")


CHEAPER = tuple(f"cheaper: {kind_label(*kind)}" for kind in KINDS)


def kind_select(name: str, label: str, default: str, serving: Serving = "per_token") -> Select:
    """The methods, by the token and on one's own GPU; a choice sets `{name}_code`."""
    choices = tuple(
        Choice(f"{method}-{served}", kind_label(method, served), {f"{name}_code": CODES[method, served]})
        for method, served in KINDS
    )
    return Select(name, label, f"{default}-{serving}", choices)


def shared_model_select() -> Select:
    """The model of both sides: one that is sold untuned and tuned by the token and as open weights."""
    choices = []
    for column in cols.columns().values():
        own = cols.columns().get(f"{column.id}-self-hosted")
        hosted = cols.hosted(column.id)
        if own is None or not hosted.offers["tuned_llm"]:
            continue
        offers = {role: hosted.offers[role] for role in ("answer_llm", "tuned_llm")}
        offers["weights"] = cols.hosted(own.id).offers["weights"]
        sets: dict[str, float] = {}
        for role, offer_id in offers.items():
            sets |= flat(role, values(str(offer_id)))
        prices = tuple(price for offer_id in offers.values() for price in rates(str(offer_id)).values())
        choices.append(Choice(column.id, column.label, sets, prices))
    return Select("model", "Model of both sides", MODEL, tuple(choices))


SAME = "same"


def other_model_select() -> Select:
    """Another model for the first side, paid by the token: then the comparison is of models as well."""
    offered = model_select().open
    blank = dict.fromkeys(names("answer_llm"), 0.0)
    choices = [Choice(SAME, "The same", {"other_on": 0.0} | _as_other(blank))]
    choices += [
        Choice(choice.id, choice.label, {"other_on": 1.0} | _as_other(choice.sets), choice.prices)
        for choice in offered
    ]
    return Select("other_model", "Model of the first side, if another", SAME, tuple(choices))


def _as_other(sets: Mapping[str, float]) -> dict[str, float]:
    return {name.replace("answer_llm.", "other_llm."): value for name, value in sets.items()}


def side_inputs() -> tuple[Number | Select, ...]:
    """Every input that a bill depends on, the model apart."""
    return cost_inputs(*chosen_roles())


def first_side(s: Any) -> Inputs:
    """The inputs of the first side: another model's token prices where the reader named one."""
    given = vars(s)
    other = {
        f"answer_llm.{item}": where(s.other_on > 0, given[f"other_llm.{item}"], given[f"answer_llm.{item}"])
        for item in (name.partition(".")[2] for name in names("answer_llm"))
    }
    return inputs({**given, **other})


def second_side(s: Any) -> Inputs:
    """The inputs of the second side."""
    return inputs(vars(s))


def bills(s: Inputs) -> Callable[[str, Serving], Bill]:
    """The bill of a method, by the token or on one's own GPU, computed when it is asked for."""
    return functools.cache(lambda name, served: bill(s, METHODS[name], served))


def pick(code: Quantity, value: Callable[[str, Serving], Quantity]) -> Quantity:
    """`value` of the method and serving with this code: of that one alone, or of every one if traced."""
    if not isinstance(code, Traced):
        return value(*KINDS[int(code)])
    *others, last = KINDS
    picked = value(*last)
    for kind in reversed(others):
        picked = where(code <= CODES[kind], value(*kind), picked)
    return picked


BENDS = tuple(f"bend_{side}_{k}" for side in ("a", "b", "tuned") for k in range(3))


def volume_crossings(high: float = HIGH, strides: tuple[str, ...] = (), shown: int = 3) -> Crossings:
    """The volumes, up to `high` queries a month, at which the two sides change order."""
    first, second = ("a_usd", "a_code"), ("b_usd", "b_code")
    return Crossings("volume", "queries_per_month", first, second, LOW, high, BENDS, strides, shown=shown)


def bend_outputs(a: Inputs, b: Inputs) -> dict[str, Quantity]:
    """Where cost curves bend, as the outputs that a search for crossings reads."""
    found = (*bends(a.answer_llm), *bends(b.answer_llm), *bends(b.tuned_llm))
    return dict(zip(BENDS, found, strict=True))


def side(method: str, column_id: str = MODEL, **keys: Any) -> Side:
    """A method on a column in the default scenario with some keys set."""
    found = scenario.from_keys({"columns": [column_id], **keys})
    return Side(METHODS[method], cols.column(column_id).serving, found.inputs(column_id))


def when_lower(a: Side, b: Side) -> str:
    """Where B costs less than A: "from 13,100", "up to 31,100", "from 639,000, for good from 1,280,000".

    Also "at any volume" and "never", between LOW and HIGH queries a month.
    """
    found = side_crossings(a, b, LOW, HIGH)
    at_once = overtakes(a, b, LOW, HIGH) == LOW
    if not found:
        return "at any volume" if at_once else "never"
    first, last = about(found[0]), about(found[-1])
    for_good = at_once == (len(found) % 2 == 0)
    if len(found) == 1:
        return f"up to {first}" if at_once else f"from {first}"
    start = f"up to {first}, again higher up" if at_once else f"from {first}, not always"
    return f"{start}; for good from {last}" if for_good else f"{start}; not beyond {last}"


def about(value: float) -> str:
    """A volume or amount to three significant figures: ``13087.96`` → "13,100"."""
    return number(float(f"{value:.3g}"))


def at_volume(s: Inputs, queries_per_month: Any) -> Inputs:
    """The same inputs at another volume, or at an array of volumes."""
    return changed(s, queries_per_month=queries_per_month)
