"""Inputs of calculators over the cost model: assumptions, models, offers and workloads."""

from __future__ import annotations

from collections.abc import Sequence

from ragvsft import decisions
from ragvsft.costs import columns as cols
from ragvsft.costs import scenario
from ragvsft.costs.columns import DEFAULT_COLUMNS
from ragvsft.costs.inputs import ROLES, flat, names
from ragvsft.data import load
from ragvsft.evidence.ledger import get
from ragvsft.prices import OfferRow, Price, of_kind, offer, preferred, rates, status, values
from ragvsft.prices.offers import label as offer_label
from ragvsft.widgets.calculator import Choice, Number, Preset, Select

FIRST = ("queries_per_month", "horizon_months", "documents", "query_tokens", "output_tokens")
"""The assumptions that every reader should set; the rest are folded away by group."""

NEEDS_DOCUMENTS = Select(
    "needs_documents",
    "Must answers follow your documents?",
    "yes",
    (
        Choice("yes", "Yes", {"needs_documents": 1}),
        Choice("no", "No, the model knows enough", {"needs_documents": 0}),
    ),
)


def assumption_input(name: str, group: str = "") -> Number:
    """An assumption as an input: its label, unit and base value; the slider covers its likely range."""
    row = scenario.assumption(name)
    said = row.unit.split("/")[0].lower() in row.label.lower()
    likely = (
        f"Likely {row.low:,g} to {row.high:,g}." if row.kind == "uncertain" and row.low < row.high else ""
    )
    return Number(
        name,
        row.label,
        "" if said else row.unit,
        default=row.base,
        minimum=row.minimum,
        maximum=row.maximum,
        scale="log" if row.log_scale else "linear",
        whole=name == "agent_rounds",
        slider=(row.low, row.high),
        help=likely,
        group=group,
    )


def role_select(role: str, group: str = "") -> Select:
    """The offers of a role: a choice sets every price of it together; one without a price is greyed."""
    offered = of_kind(ROLES[role].type)
    first = next(row.id for row in offered if status(row.id).available)
    return Select(role, ROLES[role].label, first, tuple(_choice(role, row) for row in offered), group=group)


def _choice(role: str, row: OfferRow) -> Choice:
    found = status(row.id)
    reason = found.reason[:1].upper() + found.reason[1:]
    sets = values(row.id)
    if not sets:
        return Choice(row.id, offer_label(row), reason=reason, disabled=True)
    ends = row.ends_on.isoformat() if row.ends_on else ""
    return Choice(
        row.id, offer_label(row), flat(role, sets), tuple(rates(row.id).values()), reason, ends=ends
    )


def model_select(
    name: str = "model",
    label: str = "Model",
    default: str = DEFAULT_COLUMNS[0],
    tuned: bool = False,
    group: str = "",
) -> Select:
    """The models sold by the token: a choice sets the prices of `answer_llm`.

    With `tuned` it sets those of `tuned_llm` as well, and only models that somebody sells tuned are offered.
    """
    choices = []
    for column in cols.columns().values():
        if column.serving != "per_token" or column.id == cols.MINE:
            continue
        hosted = cols.hosted(column.id)
        roles = ("answer_llm", "tuned_llm") if tuned else ("answer_llm",)
        reason = next((why for role in roles if (why := hosted.status(role).reason)), "")
        offers = [str(hosted.offers[role]) for role in roles if hosted.offers[role]]
        sets: dict[str, float] = {}
        for role, offer_id in zip(roles, offers, strict=False):
            sets |= flat(role, values(offer_id))
        usable = len(offers) == len(roles) and set(sets) == set(names(*roles))
        if not usable:
            if not tuned:
                choices.append(Choice(column.id, column.label, reason=reason, disabled=True))
            continue
        prices = tuple(price for offer_id in offers for price in rates(offer_id).values())
        ends = min((str(day) for offer_id in offers if (day := offer(offer_id).ends_on)), default="")
        choices.append(Choice(column.id, column.label, sets, prices, reason, ends=ends))
    return Select(name, label, default, tuple(choices), group=group)


def rest(*inputs: Number | Select, roles: Sequence[str] = ()) -> dict[str, float]:
    """Base values of the assumptions that none of the inputs sets, and the default prices of `roles`."""
    taken = {entry.name for entry in inputs}
    base = {name: value for name, value in scenario.default().assumptions.items() if name not in taken}
    return base | fixed_prices(*roles)


def fixed_prices(*roles: str) -> dict[str, float]:
    """The flat price inputs of the offers that fill these roles by default."""
    found: dict[str, float] = {}
    for role in roles:
        found |= flat(role, values(default_offer(role)))
    return found


_COLUMN_OF = {
    "answer_llm": DEFAULT_COLUMNS[0],
    "tuned_llm": DEFAULT_COLUMNS[2],
    "weights": DEFAULT_COLUMNS[3],
}


def default_offer(role: str) -> str:
    """The offer that fills a role by default; a model's role as in the default matrix."""
    if ROLES[role].of_column:
        return str(cols.hosted(_COLUMN_OF[role]).offers[role])
    row = preferred(ROLES[role].type)
    assert row is not None
    return row.id


def default_prices(*roles: str) -> tuple[Price, ...]:
    """The prices of the offers that fill these roles unless a scenario names others."""
    return tuple(price for role in roles for price in rates(default_offer(role)).values())


def presets(*only: str) -> tuple[Preset, ...]:
    """The example workloads: their numbers, or whatever of numbers and choices is named in `only`."""
    answers = {name: given for name, (_, given) in decisions.workloads().items()}
    return tuple(
        Preset(label, {k: v for k, v in {**answers[name], **numbers}.items() if k in (only or numbers)})
        for name, (label, numbers) in scenario.workloads().items()
    )


def cost_inputs(*roles: str) -> tuple[Number | Select, ...]:
    """Every assumption and the offers of these roles: the first few in sight, the others folded by group."""
    return (
        *(assumption_input(name) for name in FIRST),
        *(role_select(role) for role in roles),
        *(assumption_input(row.name, row.group) for row in load("assumptions") if row.name not in FIRST),
    )


VOLUMES = tuple(float(round(10 ** (3 + k / 8))) for k in range(33))
"""Queries a month at which charts against volume are computed."""


def claimed(claim_id: str) -> float:
    """The value of a claim, as an input's default. Raises `DataError` if there is no such claim."""
    value = get(claim_id).value
    assert value is not None
    return value
