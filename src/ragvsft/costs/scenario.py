"""A scenario: a workload, where its text may go, the columns to compare, and prices of one's own.

A scenario file is TOML. Plain keys are the names of `data/assumptions.csv`, `text_may_go`,
`needs_documents`, `columns`, and one key for each role whose offer is chosen (`embedder`, `reranker`,
`store`, `gpu`). Optional tables: `[hosts.COLUMN]` chooses the offers of one column, `[mine]` is a column of
the reader's own prices, and `[prices.OFFER.ITEM]` carries a price with its date. A file of the first edition
opens too; what has no place any more is said line by line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self, cast

from pydantic import Field, model_validator

from ragvsft.costs import columns as cols
from ragvsft.costs.columns import DEFAULT_COLUMNS, MINE, Hosted
from ragvsft.costs.inputs import ROLES, Inputs, chosen_roles, inputs
from ragvsft.data import AssumptionRow, Identifier, Row, Slug, Text, load, nearest
from ragvsft.prices import PLACES, OfferRow, Place, Price, items, of_kind, offer, offers, rates, today
from ragvsft.prices.clock import latest_today
from ragvsft.prices.offers import label as offer_label

MAX_PRICE = 1e12
"""Highest value a carried price may have: beyond it totals would pass the range of a float."""

RENAMED = {"embedding": "embedder", "vector_store": "store", "min_gpus": "replicas"}
"""Keys of first-edition files that live on under another name."""

DROPPED = {
    "tuned_model": "the tuned host follows from the column; choose it with [hosts.COLUMN] tuned_llm",
    "requests_per_second_per_gpu_short": "throughput follows from the model; see throughput_reached_fraction",
    "requests_per_second_per_gpu_rag": "throughput follows from the model; see throughput_reached_fraction",
}
"""Keys of first-edition files without a successor, and what to do instead."""


class WorkloadRow(Row, table="workloads", key=("workload", "name")):
    """Example workloads: the inputs in which each differs from the default scenario."""

    workload: Slug = Field(description="Id of the example.")
    label: Text = Field(description="The name a reader sees.")
    name: Identifier = Field(description="Name of the cost model's input, as in assumptions.csv.")
    value: float = Field(description="The example's value, in that input's unit. Our assumption.")

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        checked(self.name, self.value)
        return self


class ScenarioError(ValueError):
    """A fault in a scenario. The message names the key, its value and what is allowed."""


@dataclass(frozen=True)
class Scenario:
    """Every assumption by name, and the reader's choices.

    `typed` names the assumptions that the reader gave: they are known, so no range is drawn for them.
    `notes` says what of an older file was renamed or dropped.
    """

    assumptions: Mapping[str, float]
    needs_documents: bool = True
    text_may_go: Place = "anywhere"
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    offers: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    carried: Mapping[str, Mapping[str, Price]] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def hosted(self, column_id: str) -> Hosted:
        """A column with the offers that this scenario uses."""
        return cols.hosted(
            column_id,
            self.text_may_go,
            self.assumptions["horizon_months"],
            {**self.offers, **self.hosts.get(column_id, {})},
            self.carried,
        )

    def inputs(self, column_id: str) -> Inputs:
        """The cost model's inputs for one column; roles without a price are absent."""
        return inputs({**self.assumptions, **self.hosted(column_id).values()})

    def price_changes(self) -> list[str]:
        """One line for each carried price that differs from the published one."""
        return [
            f"{offer_id}: {item}: {price.value:g} in the scenario ({price.as_of}), "
            f"{rates(offer_id)[item].value:g} published ({rates(offer_id)[item].as_of})"
            for offer_id, prices in self.carried.items()
            if offer_id != MINE
            for item, price in prices.items()
            if item in rates(offer_id) and rates(offer_id)[item].value != price.value
        ]


def assumption(name: str) -> AssumptionRow:
    """The row of `data/assumptions.csv` for an input. Raises ScenarioError for an unknown name."""
    rows = {row.name: row for row in load("assumptions")}
    if name not in rows:
        raise ScenarioError(f"{_cut(name)}: unknown key{nearest(name[:80], _keys())}")
    return rows[name]


def checked(key: str, value: Any) -> float:
    """The value of an assumption. Raises ScenarioError for an unknown name or one out of range."""
    row = assumption(key)
    whole = key == "agent_rounds"
    kind = "a whole number" if whole else "a number"
    allowed = f"{kind} from {row.minimum:,g} to {row.maximum:,g} ({row.unit})"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(f"{key} = {_cut(repr(value))}: must be {allowed}")
    if not row.minimum <= value <= row.maximum or (whole and value != int(value)):
        raise ScenarioError(f"{key} = {_cut(str(value))}: must be {allowed}")
    return float(value)


def default() -> Scenario:
    """Every assumption at its base value and every choice at its default."""
    return from_keys({})


def workloads() -> dict[str, tuple[str, dict[str, float]]]:
    """The example workloads of `data/workloads.csv`: id → (label, the inputs it sets)."""
    found: dict[str, tuple[str, dict[str, float]]] = {}
    for row in cast("tuple[WorkloadRow, ...]", load("workloads")):
        found.setdefault(row.workload, (row.label, {}))[1][row.name] = row.value
    return found


def from_keys(keys: Mapping[str, Any]) -> Scenario:
    """A scenario from a mapping as TOML gives it. Raises ScenarioError at the first fault."""
    keys, notes = _from_first_edition(keys)
    assumptions = {row.name: row.base for row in load("assumptions")}
    typed: set[str] = set()
    choices: dict[str, Any] = {}
    for key, value in keys.items():
        if key in _choices():
            choices[key] = value
        else:
            assumptions[key] = checked(key, value)
            typed.add(key)
    carried = _carried(choices.get("prices", {}))
    names = _columns(choices.get("columns", list(DEFAULT_COLUMNS)))
    if "mine" in choices:
        carried = {**carried, MINE: _mine(choices["mine"])}
        names = names if MINE in names else (*names, MINE)
    elif MINE in names:
        raise ScenarioError("columns: mine needs a table [mine] with its prices")
    return Scenario(
        assumptions,
        _yes_or_no("needs_documents", choices.get("needs_documents", "yes")),
        _place(choices.get("text_may_go", "anywhere")),
        names,
        {role: _offer(role, choices[role], ROLES[role].type) for role in chosen_roles() if role in choices},
        _hosts(choices.get("hosts", {}), names),
        carried,
        frozenset(typed),
        tuple(notes),
    )


def read(text: str) -> Scenario:
    """A scenario from the text of a TOML file. Raises ScenarioError at the first fault."""
    try:
        return from_keys(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not valid TOML: {error}") from None
    except RecursionError:
        raise ScenarioError("not valid TOML: nested too deeply") from None


def example() -> str:
    """A commented scenario file with every key at its default."""
    lines = [
        "# A scenario for: ragvsft compare scenario.toml",
        "# Every key may be left out; these are the defaults. Units are in the names.",
        "",
        "# Must answers follow your documents? yes or no",
        'needs_documents = "yes"',
        f"# Where may the text go? {'; '.join(f'{name}: {label.lower()}' for name, label in PLACES.items())}",
        'text_may_go = "anywhere"',
        f"# The models to compare, any of: {', '.join(name for name in cols.columns() if name != MINE)}",
        f"columns = [{', '.join(map(_quoted, DEFAULT_COLUMNS))}]",
        "",
        "# What else would be bought; without a key the first offer that may process the text",
    ]
    for role in chosen_roles():
        offered = [row.id for row in of_kind(ROLES[role].type)]
        lines += [f"# one of: {', '.join(offered)}", f'# {role} = "{offered[0]}"']
    group = ""
    for row in load("assumptions"):
        if row.group != group:
            group = row.group
            lines += ["", f"# {group[0].upper()}{group[1:]}"]
        lines.append(
            f"# {row.name} = {_toml(row.base)}  # {row.label} ({row.unit}), "
            f"{_toml(row.minimum)} to {_toml(row.maximum)}; likely {_toml(row.low)} to {_toml(row.high)}"
        )
    lines += [
        "# A value that you give is known: no range is drawn for it.",
        "",
        "# Another host for a column",
        "# [hosts.gpt-oss-20b]",
        '# answer_llm = "bedrock-us-gpt-oss-20b"',
        "",
        "# A column of your own prices",
        "# [mine]",
        "# input_usd_per_mtok = 0.2",
        "# output_usd_per_mtok = 0.8",
        "# context_window_tokens = 128000",
        "",
        "# A scenario may carry other prices of an offer; then these are used and not the published ones",
        '# [prices."cohere-rerank-v4.0-fast".usd_per_search]',
        "# value = 0.0018",
        "# as_of = 2026-11-01",
        '# source = "our contract"',
    ]
    return "\n".join(lines) + "\n"


def _choices() -> tuple[str, ...]:
    return ("needs_documents", "text_may_go", "columns", *chosen_roles(), "hosts", "mine", "prices")


def _keys() -> list[str]:
    return [*_choices(), *RENAMED, *DROPPED, *(row.name for row in load("assumptions"))]


def _toml(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _from_first_edition(keys: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The keys as they are called now, and one line for each that was renamed or dropped."""
    found: dict[str, Any] = {}
    notes = []
    for key, value in keys.items():
        if key == "llm":
            name = cols.slug(offer(_offer(key, value, "llm")).model)
            first = [name, *(other for other in DEFAULT_COLUMNS if other != name)]
            found.setdefault("columns", first)
            notes.append(f"llm: is now a column; {name} stands first")
        elif key in RENAMED:
            if RENAMED[key] in ROLES:
                _offer(key, value, ROLES[RENAMED[key]].type)
            found[RENAMED[key]] = value
            notes.append(f"{key}: is now called {RENAMED[key]}")
        elif key in DROPPED:
            notes.append(f"{key}: dropped; {DROPPED[key]}")
        elif key == "prices" and isinstance(value, dict) and any(name not in offers() for name in value):
            old = [name for name in value if name not in offers() and name.endswith(_OLD_PRICE_ENDINGS)]
            notes += [
                f"prices.{name}: dropped; a price now belongs to an offer: [prices.OFFER.ITEM]"
                for name in old
            ]
            found[key] = {name: table for name, table in value.items() if name not in old}
        else:
            found[key] = value
    return found, notes


_OLD_PRICE_ENDINGS = (
    "_usd_per_mtok",
    "_usd_per_search",
    "_usd_per_hour",
    "_usd_per_gb_month",
    "_usd_per_month",
    "_usd_per_million_reads",
    "_usd_per_million_writes",
    "_multiplier",
    "_tokens",
    "_seconds",
)


def _yes_or_no(key: str, value: Any) -> bool:
    if value in ("yes", "no"):
        return bool(value == "yes")
    if isinstance(value, bool):
        return value
    raise ScenarioError(f'{key} = {_cut(repr(value))}: must be "yes" or "no"')


def _place(value: Any) -> Place:
    if not isinstance(value, str) or value not in PLACES:
        raise ScenarioError(
            f"text_may_go = {_cut(repr(value))}: must be one of {', '.join(PLACES)}"
            f"{nearest(str(value)[:80], PLACES)}"
        )
    return value


def _columns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise ScenarioError(f'columns = {_cut(repr(value))}: must be a list of ids such as ["gpt-oss-20b"]')
    for name in value:
        try:
            cols.column(name)
        except ValueError as error:
            raise ScenarioError(str(error)) from None
    return tuple(dict.fromkeys(value))


def _offer(key: str, value: Any, kind: str) -> str:
    known = [row.id for row in of_kind(kind)]
    if not isinstance(value, str) or value not in known:
        raise ScenarioError(
            f"{key} = {_cut(repr(value))}: must be one of {', '.join(known)}{nearest(str(value)[:80], known)}"
        )
    return value


def _hosts(tables: Any, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    if not isinstance(tables, dict):
        raise ScenarioError(f"hosts = {_cut(repr(tables))}: must be tables such as [hosts.gpt-oss-20b]")
    found: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        if name not in names:
            raise ScenarioError(f"hosts.{_cut(name)}: must be one of the columns {', '.join(names)}")
        if not isinstance(table, dict):
            raise ScenarioError(f"hosts.{name} = {_cut(repr(table))}: must be a table of roles and offers")
        model = cols.column(name).model
        for role, value in table.items():
            if role not in ROLES:
                raise ScenarioError(f"hosts.{name}.{_cut(role)}: unknown role{nearest(role[:80], ROLES)}")
            chosen = _offer(f"hosts.{name}.{role}", value, ROLES[role].type)
            if ROLES[role].of_column and offer(chosen).model != model:
                raise ScenarioError(f"hosts.{name}.{role} = {chosen!r}: must be an offer of {model}")
            found.setdefault(name, {})[role] = chosen
    return found


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_PRICE:
        raise ScenarioError(f"{key} = {_cut(repr(value))}: must be a number from 0 to {MAX_PRICE:g}")
    return float(value)


def _mine(table: Any) -> dict[str, Price]:
    known = items("llm")
    if not isinstance(table, dict):
        raise ScenarioError(f"mine = {_cut(repr(table))}: must be a table of prices")
    for name in table:
        if name not in known:
            raise ScenarioError(f"mine.{_cut(name)}: unknown price{nearest(name[:80], known)}")
    for wanted in ("input_usd_per_mtok", "output_usd_per_mtok", "context_window_tokens"):
        if wanted not in table:
            raise ScenarioError(f"mine: {wanted} is missing; your own model needs it")
    return {
        name: Price(
            offer=MINE,
            name=name,
            label=f"Your own model: {known[name].label}",
            value=_number(f"mine.{name}", value),
            unit=known[name].unit,
            as_of=today(),
            source_kind="scenario",
            source="typed by the reader",
        )
        for name, value in table.items()
    }


def _carried(tables: Any) -> dict[str, dict[str, Price]]:
    if not isinstance(tables, dict):
        raise ScenarioError(f"prices = {_cut(repr(tables))}: must be tables such as [prices.OFFER.ITEM]")
    found: dict[str, dict[str, Price]] = {}
    for offer_id, table in tables.items():
        if offer_id not in offers():
            raise ScenarioError(f"prices.{_cut(offer_id)}: unknown offer{nearest(offer_id[:80], offers())}")
        if not isinstance(table, dict):
            raise ScenarioError(f"prices.{offer_id} = {_cut(repr(table))}: must be tables of items")
        row = offer(offer_id)
        found[offer_id] = {name: _carried_price(row, name, entry) for name, entry in table.items()}
    return found


def _carried_price(row: OfferRow, name: str, table: Any) -> Price:
    key = f"prices.{row.id}.{_cut(name)}"
    known = {} if row.kind == "service" else items(row.kind)
    if name not in known:
        raise ScenarioError(f"{key}: unknown price{nearest(name[:80], known)}")
    if not isinstance(table, dict):
        raise ScenarioError(f"{key} = {_cut(repr(table))}: must be a table with value, as_of and source")
    fields = ("value", "as_of", "source")
    for given in table:
        if given not in fields:
            raise ScenarioError(f"{key}.{_cut(given)}: unknown key{nearest(given[:80], fields)}")
    for wanted in fields:
        if wanted not in table:
            raise ScenarioError(f"{key}: {wanted} is missing; a carried price needs {', '.join(fields)}")
    value, as_of, source = (table[name] for name in fields)
    if type(as_of) is not date:
        raise ScenarioError(
            f"{key}.as_of = {_cut(repr(as_of))}: must be a date as YYYY-MM-DD, without quotes"
        )
    if as_of > latest_today():
        raise ScenarioError(f"{key}.as_of = {as_of}: lies in the future; must be at most {latest_today()}")
    if not isinstance(source, str) or not source.strip():
        raise ScenarioError(f"{key}.source = {_cut(repr(source))}: must be text that says where it is from")
    return Price(
        offer=row.id,
        name=name,
        label=f"{offer_label(row)}: {known[name].label}",
        value=_number(f"{key}.value", value),
        unit=known[name].unit,
        as_of=as_of,
        source_kind="scenario",
        source=source,
    )
