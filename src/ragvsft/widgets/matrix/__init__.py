"""The matrix: methods by models, live. Every cell names its model, and one that cannot do the job says why.

It is a calculator whose table has a column for each model that the reader chooses. The browser runs the
traced cost model once a column, resolves hosts by the same rules as `costs.columns`, and fills the ranges
from the same draws when it is idle. Without JavaScript the reader sees the table that Python computed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ragvsft import prose
from ragvsft.costs import columns as cols
from ragvsft.costs import compare, scenario, uncertainty
from ragvsft.costs.compare import Cell
from ragvsft.costs.inputs import ROLES, inputs, names
from ragvsft.costs.methods import METHODS, Serving, figures, roles
from ragvsft.data import load
from ragvsft.evaluation.formulas import usd_per_success
from ragvsft.formula import Quantity, javascript, trace
from ragvsft.prices import MAX_AGE_DAYS, PLACES, OfferRow, items, missing, of_kind, offers, rates, values
from ragvsft.prices.offers import label as offer_label
from ragvsft.prices.offers import oldest_price_on
from ragvsft.prices.registry import REQUIRED
from ragvsft.retrieval import evaluated
from ragvsft.units import DAYS_PER_MONTH
from ragvsft.widgets.calculator import Calculator, Choice, Number, Preset, Select
from ragvsft.widgets.cost_inputs import FIRST, NEEDS_DOCUMENTS, assumption_input, presets
from ragvsft.widgets.templates import json_island, render

AUTO = "auto"

FIGURES = {
    "horizon_usd": "Total over the horizon",
    "vendor_horizon_usd": "Of the total, what vendors invoice",
    "one_off_usd": "One-off",
    "monthly_usd": "A month",
    "per_query_usd": "One more query",
}
"""The figures that the table can show."""

MINE = {
    "input_usd_per_mtok": ("Your own model: input", 1.0, 1000.0),
    "output_usd_per_mtok": ("Your own model: output", 5.0, 1000.0),
    "cache_read_usd_per_mtok": ("Your own model: cached input", 1.0, 1000.0),
    "context_window_tokens": ("Your own model: longest prompt", 128_000.0, 1e8),
}
"""The prices of the reader's own column: label, default and maximum."""

STEP_METHODS = ("rag", "agentic_search")


def _role_select(role: str) -> Select:
    choices = [Choice(AUTO, "The first that may process the text")]
    choices += [
        Choice(row.id, offer_label(row), reason="" if _usable(row) else "no price", disabled=not _usable(row))
        for row in of_kind(ROLES[role].type)
    ]
    return Select(role, ROLES[role].label, AUTO, tuple(choices), group="who is paid")


def _usable(row: OfferRow) -> bool:
    return bool(values(row.id)) and row.availability != "closed"


def matrix_inputs() -> tuple[Number | Select, ...]:
    """Every input of the matrix: the first few in sight, the others folded away by group."""
    return (
        *(assumption_input(name) for name in FIRST),
        NEEDS_DOCUMENTS,
        Select(
            "text_may_go",
            "Where may the text go?",
            "anywhere",
            tuple(Choice(name, label) for name, label in PLACES.items()),
        ),
        Select(
            "show", "Show", "horizon_usd", tuple(Choice(k, v) for k, v in FIGURES.items()), in_scenario=False
        ),
        *(_role_select(role.name) for role in ROLES.values() if not role.of_column),
        *(
            Number(
                f"mine_{item}",
                label,
                items("llm")[item].unit,
                default=default,
                minimum=0.0 if item != "context_window_tokens" else 1.0,
                maximum=maximum,
                slider=(0.0, 20.0) if item != "context_window_tokens" else (4_000.0, 1e6),
                group="your own prices",
            )
            for item, (label, default, maximum) in MINE.items()
        ),
        *(assumption_input(row.name, row.group) for row in load("assumptions") if row.name not in FIRST),
    )


@dataclass(frozen=True)
class Matrix(Calculator):
    """Methods by models for a reader's own case. `default_columns` are ids of `costs.columns`."""

    default_columns: tuple[str, ...] = field(default=cols.DEFAULT_COLUMNS)

    def __post_init__(self) -> None:
        known = {entry.name for entry in self.inputs}
        for preset in self.presets:
            if unknown := set(preset.values) - known:
                raise ValueError(f"{self.id}: preset {preset.label!r} sets the unknown {sorted(unknown)}")
            self.to_scenario(None, **preset.values)

    def to_scenario(self, columns: tuple[str, ...] | None = None, **state: float | str) -> scenario.Scenario:
        """The scenario of a state: inputs that are not at their defaults, and the columns.

        Raises ScenarioError or ValueError for an unknown input or one out of range.
        """
        chosen = columns or self.default_columns
        keys: dict[str, Any] = {"columns": list(chosen)}
        mine = {item: default for item, (_, default, _) in MINE.items()}
        known = {entry.name: entry for entry in self.inputs}
        for name, value in state.items():
            if name not in known:
                raise ValueError(f"{self.id}: no input is named {name!r}")
            if name.startswith("mine_"):
                mine[name.removeprefix("mine_")] = float(value)
            elif name != "show" and value != known[name].default:
                keys[name] = value
        if cols.MINE in chosen:
            keys["mine"] = mine
        return scenario.from_keys(keys)

    def cells(self, columns: tuple[str, ...] | None = None, **state: float | str) -> tuple[Cell, ...]:
        """The cells of a state, as the browser shows them."""
        return compare.matrix(self.to_scenario(columns, **state))

    def compute(self, **state: float | str) -> dict[str, float]:
        """The totals of every cell by `method column`."""
        return {" ".join(cell.key): cell.horizon_usd for cell in self.cells(None, **state)}

    @functools.cached_property
    def javascript(self) -> str:
        """The cost model of one column: figures and totals by way of serving, and the draws."""
        parts = []
        for serving in ("per_token", "self_hosted"):
            parts.append(f"{serving}:{_traced(serving, only_totals=False)}")
            parts.append(f"{serving}_totals:{_traced(serving, only_totals=True)}")
        drawn = javascript("", ["k"], trace(_draw, ["k"]))
        success = javascript("", SUCCESS, trace(_success, SUCCESS))
        return "{" + ",".join([*parts, f"draw:{drawn}", f"success:{success}"]) + "}"

    def payload(self) -> dict[str, Any]:
        return super().payload() | {
            "matrix": {
                "defaults": ",".join(self.default_columns),
                "columns": [vars(column) | {"label": column.label} for column in cols.columns().values()],
                "methods": [
                    {
                        "name": method.name,
                        "label": method.label,
                        "tuned": method.tuned,
                        "knows": method.knows_documents,
                        "roles": {s: list(roles(method, s)) for s in ("per_token", "self_hosted")},
                    }
                    for method in METHODS.values()
                ],
                "roles": {
                    role.name: {
                        "label": role.label.lower(),
                        "ofColumn": role.of_column,
                        "offers": [row.id for row in of_kind(role.type)],
                    }
                    for role in ROLES.values()
                },
                "offers": {row.id: _offer_payload(row) for row in offers().values() if row.kind != "service"},
                "mine": {"items": list(MINE), "ifAbsent": _if_absent()},
                "places": {name: label.lower().removeprefix("only ") for name, label in PLACES.items()},
                "uncertain": [row.name for row in uncertainty.uncertain()],
                "draws": uncertainty.DRAWS,
                "tie": uncertainty.TIE,
                "daysPerMonth": DAYS_PER_MONTH,
                "maxAgeDays": MAX_AGE_DAYS,
                "stepMethods": list(STEP_METHODS),
                "evaluation": {
                    "schema": evaluated.SCHEMA,
                    "notPaid": evaluated.NOT_PAID,
                    "largestBytes": evaluated.LARGEST_BYTES,
                    "longestName": evaluated.LONGEST_NAME,
                    "longestWarning": evaluated.LONGEST_WARNING,
                    "mostMethods": evaluated.MOST_METHODS,
                    "mostJudged": evaluated.MOST_JUDGED,
                    "mostWarnings": evaluated.MOST_WARNINGS,
                },
            }
        }

    def html(self) -> str:
        """The matrix for a page that carries calculator.js and matrix.js."""
        cells = self.cells()
        groups = dict.fromkeys(entry.group for entry in self.inputs)
        chosen = [cols.column(name) for name in self.default_columns]
        by_key = {cell.key: cell for cell in cells}
        winner = compare.cheapest(cells)
        return render(
            "matrix/matrix.html",
            calculator=self,
            groups=[(group, [entry for entry in self.inputs if entry.group == group]) for group in groups],
            columns=chosen,
            every_column=list(cols.columns().values()),
            methods=list(METHODS.values()),
            cell=lambda method, column: by_key[method.name, column.id],
            winner=winner,
            verdict=compare.verdict(cells),
            steps=compare.steps(cells, STEP_METHODS),
            usd=_usd,
            span=_span,
            hosts={c.id: _hosts([cell for cell in cells if cell.hosted.column.id == c.id]) for c in chosen},
            prices=compare.prices_in_use(self.to_scenario()),
            plain=_plain,
            id=json_island(self.id),
            payload=json_island(self.payload()),
            javascript=Markup(self.javascript),
        )

    def vegalite(self) -> dict[str, Any] | None:
        return None

    def _plain_text(self) -> str:
        cells = self.cells()
        lines = [self.title]
        lines += [f"{cell.label}: {_usd(cell.horizon_usd)} {cell.reason}".rstrip() for cell in cells]
        return "\n".join([*lines, compare.verdict(cells)])

    @property
    def scripts(self) -> tuple[str, ...]:
        return (*super().scripts, "matrix/evaluation.js", "matrix/matrix.js")

    @property
    def styles(self) -> tuple[str, ...]:
        return (*super().styles, "matrix/matrix.css")


def matrix(
    calculator_id: str,
    title: str = "What would it cost you?",
    columns: tuple[str, ...] = cols.DEFAULT_COLUMNS,
    note: str = "",
) -> Matrix:
    """The matrix over every input of the cost model, with the example workloads as presets."""
    entries = matrix_inputs()
    return Matrix(
        calculator_id,
        title,
        entries,
        model=lambda s: {},
        rows=(),
        presets=presets(*(entry.name for entry in entries)),
        scenario=True,
        note=note,
        default_columns=columns,
    )


# ------------------------------------------------------------------------------------- the browser's model


def _model_names(serving: Serving) -> list[str]:
    paid = {role for method in METHODS.values() for role in roles(method, serving)}
    return [*(row.name for row in load("assumptions")), *names(*(role for role in ROLES if role in paid))]


def _traced(serving: Serving, only_totals: bool) -> str:
    def model(s: Any) -> Mapping[str, Quantity]:
        found = figures(inputs(vars(s)), serving)
        return (
            {k: v for k, v in found.items() if k.endswith("_horizon_usd") and "vendor" not in k}
            if only_totals
            else found
        )

    listed = _model_names(serving)
    return javascript("", listed, trace(model, listed))


SUCCESS = ["figure_usd", "questions", "unused_usd", "share"]


def _success(s: Any) -> Mapping[str, Quantity]:
    return {"usd": usd_per_success(s.figure_usd, s.questions, s.unused_usd, s.share)}


def _draw(s: Any) -> Mapping[str, Quantity]:
    return {
        row.name: uncertainty.quantile(row, uncertainty.point(s.k, uncertainty.root(row)))
        for row in uncertainty.uncertain()
    }


def _offer_payload(row: OfferRow) -> dict[str, Any]:
    found = rates(row.id)
    return {
        "model": row.model,
        "provider": row.provider,
        "label": offer_label(row),
        "places": [place for place in PLACES if row.may_process(place)],
        "confirm": row.confirm_first,
        "closed": row.availability == "closed",
        "ends": row.ends_on.isoformat() if row.ends_on else "",
        "note": row.note.removesuffix("."),
        "missing": missing(row.kind, found) if row.kind != "service" else "",
        "oldest": str(oldest_price_on(row.id) or ""),
        "values": values(row.id),
        "prices": [
            {
                "name": p.name,
                "label": p.label,
                "value": p.value,
                "unit": p.unit,
                "as_of": p.as_of.isoformat(),
                "source": p.source,
            }
            for p in found.values()
        ],
    }


def _if_absent() -> dict[str, float | str]:
    known = items("llm")
    return {
        name: row.if_absent if row.if_absent in known else float(row.if_absent)
        for name, row in known.items()
        if row.if_absent != REQUIRED
    }


def _usd(value: float) -> str:
    return "–" if value != value else prose.usd(value).replace("\\", "")


def _span(cell: Cell) -> str:
    """A cell's range, rounded to three figures."""
    low, high = (
        prose.usd(float(f"{end:.3g}")).replace("\\", "") for end in (cell.range_usd.low, cell.range_usd.high)
    )
    return f"{low} to {high}"


def _hosts(cells: list[Cell]) -> str:
    """Who serves a column, untuned and tuned."""
    found = dict.fromkeys(cell.hosted.host(cell.method) for cell in cells if not cell.method.tuned)
    tuned = {cell.hosted.host(cell.method) for cell in cells if cell.method.tuned} - {*found, "nobody"}
    named = ", ".join(found)
    return f"{named}; tuned: {', '.join(tuned)}" if tuned else named


def _plain(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(float(value))


__all__ = ["FIGURES", "Matrix", "Preset", "matrix", "matrix_inputs"]
