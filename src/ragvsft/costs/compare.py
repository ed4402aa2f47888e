"""The matrix: what every method costs on every column, which cells do the job, and by how much one leads."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from ragvsft.costs.columns import MINE, Hosted
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.methods import (
    METHODS,
    Bill,
    Method,
    bill,
    context_window_tokens,
    longest_call_tokens,
    roles,
)
from ragvsft.costs.scenario import Scenario
from ragvsft.costs.uncertainty import DRAWS, TIE, Lead, Range, drawn, interval, lead
from ragvsft.formula import Quantity
from ragvsft.prices import Place, Price, of_kind, offer, status

UNAWARE = "knows none of your documents"
SCHEMA = 2


@dataclass(frozen=True)
class Cell:
    """One method on one column: figures in USD, NaN where a price is missing, and whether it does the job.

    `available` is False where it cannot be bought, does not fit or knows none of the documents that answers
    must follow; `reason` says which. `confirm_first` cells do the job and are never called cheapest.
    """

    method: Method
    hosted: Hosted
    available: bool
    reason: str
    confirm_first: bool
    one_off_usd: float
    monthly_usd: float
    per_query_usd: float
    horizon_usd: float
    vendor_horizon_usd: float
    range_usd: Range
    stages_usd: dict[str, float]
    draws_usd: Quantity

    @property
    def key(self) -> tuple[str, str]:
        """Name of the method and id of the column."""
        return self.method.name, self.hosted.column.id

    @property
    def label(self) -> str:
        return f"{self.method.label} on {self.hosted.column.label}"


class Step(NamedTuple):
    """What changes when one steps from one cell to another, in USD over the horizon; NaN says why not."""

    label: str
    usd: float
    reason: str


def matrix(scenario: Scenario, number_of_draws: int = DRAWS) -> tuple[Cell, ...]:
    """Every method on every column of the scenario, by method and then by column."""
    hosted = [scenario.hosted(name) for name in scenario.columns]
    inputs = [scenario.inputs(name) for name in scenario.columns]
    return tuple(
        _cell(scenario, method, place, s, number_of_draws)
        for method in METHODS.values()
        for place, s in zip(hosted, inputs, strict=True)
    )


def total(method: Method, hosted: Hosted) -> Callable[[Inputs], Quantity]:
    """A cell's USD over the horizon as a function of its column's inputs."""
    return lambda s: bill(s, method, hosted.column.serving).horizon_usd(s)


def cheapest(cells: Sequence[Cell]) -> Cell | None:
    """The cell with the lowest total among those that do the job and need no confirmation; None if none."""
    running = [cell for cell in cells if cell.available and not cell.confirm_first]
    return min(running, key=lambda cell: cell.horizon_usd, default=None)


def runner_up(cells: Sequence[Cell], winner: Cell) -> Cell | None:
    """The next lowest cell that does the job and costs something else than the winner."""
    return cheapest(
        [
            cell
            for cell in cells
            if cell is not winner and abs(cell.horizon_usd - winner.horizon_usd) > TIE * winner.horizon_usd
        ]
    )


def lead_of(winner: Cell, other: Cell) -> Lead:
    """How far the winner is ahead of another cell, draw by draw."""
    return lead(winner.draws_usd, other.draws_usd)


def steps(
    cells: Sequence[Cell],
    methods: tuple[str, str] = ("rag", "agentic_search"),
    between: tuple[str, str] | None = None,
) -> tuple[Step, ...]:
    """The change of method on each of two columns, and the change of column at each of two methods.

    Four numbers and no average; the two ways round add up to the same. `between` names the columns; by
    default the first two of the matrix. A matrix of one column has no step; then there are none.
    """
    known = tuple(dict.fromkeys(cell.hosted.column.id for cell in cells))
    if between is None and len(known) < 2:
        return ()
    by_key = {cell.key: cell for cell in cells}
    first, second = between or known[:2]
    pairs = [
        ((methods[0], first), (methods[1], first)),
        ((methods[0], second), (methods[1], second)),
        ((methods[0], first), (methods[0], second)),
        ((methods[1], first), (methods[1], second)),
    ]
    return tuple(_step(by_key[a], by_key[b]) for a, b in pairs)


def _step(a: Cell, b: Cell) -> Step:
    same_column = a.hosted.column.id == b.hosted.column.id
    label = (
        f"{a.method.label} to {b.method.label} on {a.hosted.column.label}"
        if same_column
        else f"{a.hosted.column.label} to {b.hosted.column.label} with {a.method.label}"
    )
    blocked = next((cell for cell in (a, b) if not cell.available), None)
    if blocked:
        return Step(label, math.nan, f"{blocked.label}: {blocked.reason}")
    return Step(label, b.horizon_usd - a.horizon_usd, "")


def tuning_step(
    scenario: Scenario, column_id: str, method: str = "rag", tuned: str = "rag_fine_tuned"
) -> tuple[Step, ...]:
    """From untuned to tuned on one column: the host's part and the tuning's, where they can be told apart.

    Where the host that serves the tuned model also sells it untuned, two steps: first the host, then the
    tuning. Else one step that is both.
    """
    hosted = scenario.hosted(column_id)
    here = {
        name: _cell(scenario, METHODS[name], hosted, scenario.inputs(column_id), 1)
        for name in (method, tuned)
    }
    a, b = here[method], here[tuned]
    blocked = next((cell for cell in (a, b) if cell.reason and cell.reason != UNAWARE), None)
    if blocked:
        return (Step(f"{a.label} to {b.label}", math.nan, f"{blocked.label}: {blocked.reason}"),)
    if hosted.host(METHODS[method]) == hosted.host(METHODS[tuned]):
        return (Step(f"Tuning {hosted.column.model}", b.horizon_usd - a.horizon_usd, ""),)
    tuned_host = offer(str(hosted.offers["tuned_llm"])).provider
    same = [
        row
        for row in of_kind("llm", hosted.column.model)
        if row.provider == tuned_host and status(row.id, hosted.horizon_months, hosted.place).available
    ]
    if not same:
        why = f"{tuned_host} sells no untuned {hosted.column.model}: host and tuning cannot be told apart"
        return (Step(f"Another host and tuning {hosted.column.model}", b.horizon_usd - a.horizon_usd, why),)
    there = {**scenario.hosts.get(column_id, {}), "answer_llm": same[0].id}
    moved = replace(scenario, hosts={**scenario.hosts, column_id: there})
    middle = _cell(moved, METHODS[method], moved.hosted(column_id), moved.inputs(column_id), 1)
    return (
        Step(f"{hosted.host(METHODS[method])} to {tuned_host}", middle.horizon_usd - a.horizon_usd, ""),
        Step(f"Tuning {hosted.column.model} at {tuned_host}", b.horizon_usd - middle.horizon_usd, ""),
    )


def _cell(scenario: Scenario, method: Method, hosted: Hosted, s: Inputs, number_of_draws: int) -> Cell:
    serving = hosted.column.serving
    reason = hosted.reason(method)
    if not _priced(s, method, hosted):
        nothing = math.nan
        return Cell(
            method, hosted, False, reason, False, nothing, nothing, nothing, nothing, nothing,
            Range(nothing, nothing, nothing), dict.fromkeys(method.stages, nothing), nothing,
        )  # fmt: skip
    paid: Bill = bill(s, method, serving)
    if not reason:
        reason = _does_not_fit(s, method, hosted)
    if not reason and scenario.needs_documents and not method.knows_documents:
        reason = UNAWARE
    totals = total(method, hosted)(drawn(s, 0, number_of_draws, fixed=scenario.typed))
    return Cell(
        method,
        hosted,
        not reason,
        reason,
        hosted.confirm_first(method),
        float(paid.one_off_usd),
        float(paid.monthly_usd),
        float(paid.per_query_usd),
        float(paid.horizon_usd(s)),
        float(paid.vendor_horizon_usd(s)),
        interval(totals),
        {name: float(use.usd) for name, use in paid.stages.items()},
        totals,
    )


def _priced(s: Inputs, method: Method, hosted: Hosted) -> bool:
    return all(hasattr(s, role) for role in roles(method, hosted.column.serving))


def _does_not_fit(s: Inputs, method: Method, hosted: Hosted) -> str:
    longest = longest_call_tokens(s, method, hosted.column.serving)
    window = context_window_tokens(s, method, hosted.column.serving)
    if longest <= window:
        return ""
    return f"one call needs {longest:,.0f} tokens; {hosted.column.model} takes {window:,.0f}"


def as_json(scenario: Scenario) -> dict[str, Any]:
    """The JSON of `ragvsft compare --json`, as `json_schema` says; a figure without a price is null."""
    cells = matrix(scenario)
    winner = cheapest(cells)
    return {
        "schema": SCHEMA,
        "options": [_row(cell) for cell in cells],
        "cheapest": None if winner is None else _winner(cells, winner),
        "prices_as_of": max(price.as_of for cell in cells for price in cell.hosted.prices()).isoformat(),
        "horizon_months": scenario.assumptions["horizon_months"],
        "queries_per_month": scenario.assumptions["queries_per_month"],
        "needs_documents": scenario.needs_documents,
        "text_may_go": scenario.text_may_go,
        "notes": list(scenario.notes),
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `as_json`: `compare.schema.json` beside this module."""
    text = Path(__file__).with_name("compare.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _row(cell: Cell) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return None if value != value else value

    return {
        "method": cell.method.name,
        "column": cell.hosted.column.id,
        "model": cell.hosted.column.model,
        "host": cell.hosted.host(cell.method),
        "region": cell.hosted.region(cell.method),
        "offers": {role: cell.hosted.offers[role] for role in roles(cell.method, cell.hosted.column.serving)},
        "knows_documents": cell.method.knows_documents,
        "available": cell.available,
        "reason": cell.reason,
        "confirm_first": cell.confirm_first,
        "one_off_usd": number(cell.one_off_usd),
        "monthly_usd": number(cell.monthly_usd),
        "per_query_usd": number(cell.per_query_usd),
        "horizon_usd": number(cell.horizon_usd),
        "horizon_low_usd": number(cell.range_usd.low),
        "horizon_high_usd": number(cell.range_usd.high),
        "vendor_horizon_usd": number(cell.vendor_horizon_usd),
        "stages": {name: number(usd) for name, usd in cell.stages_usd.items()},
    }


def _winner(cells: Sequence[Cell], winner: Cell) -> dict[str, Any]:
    other = runner_up(cells, winner)
    if other is None:
        return {"method": winner.method.name, "column": winner.hosted.column.id, "over": None}
    ahead = lead_of(winner, other)
    return {
        "method": winner.method.name,
        "column": winner.hosted.column.id,
        "over": {"method": other.method.name, "column": other.hosted.column.id},
        "lead_low_usd": ahead.usd.low,
        "lead_usd": ahead.usd.middle,
        "lead_high_usd": ahead.usd.high,
        "share_of_draws_won": ahead.share_won,
    }


def verdict(cells: Sequence[Cell]) -> str:
    """The winner in words, with the range of its lead; says so where no cell does the job."""
    winner = cheapest(cells)
    if winner is None:
        confirm = [cell for cell in cells if cell.available]
        if confirm:
            return "Nothing that does the job could be confirmed at its seller: ask before you choose."
        return "No cell of the matrix does the job."
    other = runner_up(cells, winner)
    if other is None:
        return f"{winner.label} is the only one that does the job."
    ahead = lead_of(winner, other)
    lead_text = (
        f"Its lead over {other.label} is {_usd(ahead.usd.low)} to {_usd(ahead.usd.high)} USD (10th to 90th "
        f"percentile); it wins {ahead.share_won:.0%} of the draws."
    )
    if ahead.usd.low > 0:
        return f"{winner.label} costs least. {lead_text}"
    return f"{winner.label} costs least at the base values, but the ranges do not settle it. {lead_text}"


def _usd(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def prices_in_use(scenario: Scenario) -> tuple[Price, ...]:
    """Every price that the matrix uses, once each."""
    found = {
        (price.offer, price.name): price
        for name in scenario.columns
        for price in scenario.hosted(name).prices()
    }
    return tuple(found.values())


def offers_in_use(place: Place = "anywhere") -> tuple[str, ...]:
    """The offers behind the default matrix in a place, for the check of prices."""
    from ragvsft.costs.scenario import default

    scenario = replace(default(), text_may_go=place)
    found = {
        offer_id: None
        for hosted in map(scenario.hosted, scenario.columns)
        for method in METHODS.values()
        for role in roles(method, hosted.column.serving)
        if (offer_id := hosted.offers[role]) and offer_id != MINE
    }
    return tuple(found)
