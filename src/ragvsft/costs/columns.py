"""The columns of the matrix: a base model with a way to serve it, and the offers that fill its roles.

Columns follow from `data/offers.csv`: one for each model that is sold by the token, one for each whose open
weights have a published throughput. Where the text may go chooses the hosts; it never chooses a method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ragvsft.costs.inputs import ROLES, flat
from ragvsft.costs.methods import METHODS, Method, Serving, roles
from ragvsft.data import nearest
from ragvsft.prices import Place, Price, Status, of_kind, offer, preferred, rates, status, values
from ragvsft.prices.offers import label as offer_label
from ragvsft.prices.registry import completed

DEFAULT_COLUMNS = ("claude-sonnet-5.5", "claude-haiku-5.5", "gpt-oss-20b", "gpt-oss-20b-self-hosted")
"""A large API model, a small API model, an open model by the token, and the same one self-hosted."""

MINE = "mine"
"""The column of the reader's own prices."""


@dataclass(frozen=True)
class Column:
    """A base model and how it is served. `id` is the model in lower case, with -self-hosted on own GPUs."""

    id: str
    model: str
    serving: Serving

    @property
    def label(self) -> str:
        return f"{self.model}, self-hosted" if self.serving == "self_hosted" else self.model


@dataclass(frozen=True)
class Hosted:
    """A column with the offer that fills each of its roles in one place; None where nobody sells it."""

    column: Column
    offers: Mapping[str, str | None]
    carried: Mapping[str, Mapping[str, Price]] = field(default_factory=dict)
    place: Place = "anywhere"
    horizon_months: float = 12

    def status(self, role: str) -> Status:
        """Whether the offer of a role can be used, and if not, why."""
        offer_id = self.offers.get(role)
        if offer_id == MINE:
            return Status(True, "")
        if offer_id is None:
            return Status(False, _nobody(self.column, role))
        found = status(
            offer_id, self.horizon_months, self.place, carried=tuple(self.carried.get(offer_id, ()))
        )
        if found.available:
            return found
        return Status(False, f"{offer_label(offer(offer_id))}: {found.reason}")

    def reason(self, method: Method) -> str:
        """Why a method cannot be bought on this column, whatever the workload; blank if it can."""
        for role in roles(method, self.column.serving):
            if not (found := self.status(role)).available:
                return found.reason
        return ""

    def confirm_first(self, method: Method) -> bool:
        """Whether something about an offer in use could not be read at its seller's."""
        in_use = [self.offers.get(role) for role in roles(method, self.column.serving)]
        return any(offer(name).confirm_first for name in in_use if name and name != MINE)

    def prices(self, method: Method | None = None) -> tuple[Price, ...]:
        """The prices in use, carried ones first: of the roles that a method pays, or that any method pays."""
        methods = (method,) if method else METHODS.values()
        names = dict.fromkeys(role for entry in methods for role in roles(entry, self.column.serving))
        found: list[Price] = []
        for name in names:
            offer_id = self.offers.get(name)
            if offer_id == MINE:
                found += self.carried.get(MINE, {}).values()
            elif offer_id:
                found += {**rates(offer_id), **self.carried.get(offer_id, {})}.values()
        return tuple(found)

    def values(self) -> dict[str, float]:
        """The flat price inputs of every role that can be priced."""
        found: dict[str, float] = {}
        for role, offer_id in self.offers.items():
            if offer_id is None:
                continue
            carried = {item: price.value for item, price in self.carried.get(offer_id, {}).items()}
            if offer_id == MINE:
                found |= flat(role, completed(ROLES[role].type, carried))
            else:
                found |= flat(role, values(offer_id, carried))
        return found

    def host(self, method: Method) -> str:
        """Who serves the answering model of a method."""
        if self.column.serving == "self_hosted":
            return _provider(self.offers.get("gpu"))
        return _provider(self.offers.get("tuned_llm" if method.tuned else "answer_llm"))

    def region(self, method: Method) -> str:
        """Where the answering model runs: where text may go, or what its host says; blank if not known."""
        if self.place != "anywhere":
            return self.place
        answers = (
            "gpu" if self.column.serving == "self_hosted" else "tuned_llm" if method.tuned else "answer_llm"
        )
        offer_id = self.offers.get(answers)
        return "" if offer_id in (None, MINE) else ";".join(offer(str(offer_id)).regions)


def _provider(offer_id: str | None) -> str:
    if offer_id is None:
        return "nobody"
    return "You" if offer_id == MINE else offer(offer_id).provider


def _nobody(column: Column, role: str) -> str:
    if role == "tuned_llm":
        return (
            "your own prices name no fine-tuned model"
            if column.id == MINE
            else f"nobody sells {column.model} fine-tuned by the token"
        )
    return f"no offer of {ROLES[role].label.lower()} is known"


def slug(model: str) -> str:
    """A model's name as an id: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", model.lower()).strip("-")


def columns() -> dict[str, Column]:
    """Every column that offers make possible, in their order; the reader's own last."""
    found: dict[str, Column] = {}
    for row in of_kind("llm"):
        found.setdefault(slug(row.model), Column(slug(row.model), row.model, "per_token"))
    for row in of_kind("weights"):
        name = f"{slug(row.model)}-self-hosted"
        found.setdefault(name, Column(name, row.model, "self_hosted"))
    return found | {MINE: Column(MINE, "Your own prices", "per_token")}


def column(column_id: str) -> Column:
    """The column of an id. Raises ValueError with the nearest id if there is none."""
    known = columns()
    if column_id not in known:
        raise ValueError(
            f"columns = {column_id!r}: must be one of {', '.join(known)}{nearest(column_id, known)}"
        )
    return known[column_id]


def hosted(
    column_id: str,
    place: Place = "anywhere",
    horizon_months: float = 12,
    chosen: Mapping[str, str] | None = None,
    carried: Mapping[str, Mapping[str, Price]] | None = None,
) -> Hosted:
    """A column with its offers: those `chosen` by role, else the first usable one where text may go."""
    entry = column(column_id)
    found: dict[str, str | None] = {}
    for role in ROLES.values():
        model = entry.model if role.of_column else ""
        pick = (chosen or {}).get(role.name)
        if pick is not None and (not role.of_column or offer(pick).model == entry.model):
            found[role.name] = pick
        elif column_id == MINE and role.of_column:
            found[role.name] = MINE if role.name == "answer_llm" else None
        elif (row := preferred(role.type, model, place, horizon_months)) is not None:
            found[role.name] = row.id
        else:
            found[role.name] = None
    return Hosted(entry, found, carried or {}, place, horizon_months)
