"""Inputs of calculators over the cost model: assumptions, offers, workloads, and the values of the rest."""

from __future__ import annotations

from collections.abc import Sequence

from ragvsft import prices
from ragvsft.claims import get
from ragvsft.costs import scenario
from ragvsft.data import load
from ragvsft.prices import DEFAULT_SELECTION, Kind, Price, rates
from ragvsft.widgets.calculator import Choice, Number, Preset, Select

FIRST = ("queries_per_month", "horizon_months", "documents", "query_tokens", "output_tokens")
"""The assumptions that every reader should set; the rest are folded away by group."""

SELECT_LABELS: dict[prices.Kind, str] = {
    "llm": "Language model",
    "embedding": "Embedding model",
    "reranker": "Reranker",
    "vector_store": "Vector database",
    "tuned_model": "Hosted fine-tuned model",
    "gpu": "GPU for self-hosting",
}

UNAVAILABLE = "Not available: offer ends too soon, or prompt too long."

NEEDS_DOCUMENTS = Select(
    "needs_documents",
    "Must answers follow your documents?",
    "yes",
    (
        Choice("yes", "Yes", {"needs_documents": 1}),
        Choice("no", "No, the model knows enough", {"needs_documents": 0}),
    ),
    in_scenario=False,
)


def assumption_input(name: str, group: str = "") -> Number:
    """An assumption as an input: its label, unit and base value; the slider covers its likely range."""
    row = scenario.assumption(name)
    said = row.unit.split("/")[0].lower() in row.label.lower()
    return Number(
        name,
        row.label,
        "" if said else row.unit,
        default=row.base,
        minimum=row.minimum,
        maximum=row.maximum,
        scale="log" if row.log_scale else "linear",
        slider=(row.low, row.high),
        group=group,
    )


def offer_select(kind: prices.Kind, default: str | None = None, group: str = "") -> Select:
    """The offers of a kind: a choice sets every rate of it together; one without a price is greyed."""
    return Select(
        kind,
        SELECT_LABELS[kind],
        default or prices.DEFAULT_SELECTION[kind],
        tuple(_choice(kind, offered) for offered in prices.choices(kind)),
        group=group,
    )


def _choice(kind: prices.Kind, offered: prices.Choice) -> Choice:
    found = prices.rates(kind, offered.id)
    label = offered.label if kind == "llm" else f"{offered.provider}: {offered.label}"
    reason = offered.reason[:1].upper() + offered.reason[1:]
    if set(found) != set(prices.LABELS[kind]):
        return Choice(offered.id, label, reason=offered.reason, disabled=True)
    sets = {name: price.value for name, price in found.items()}
    sets[f"{kind}_days_left"] = prices.days_left(offered.id)
    return Choice(offered.id, label, sets, tuple(found.values()), reason)


def rest(*inputs: Number | Select, priced: Sequence[prices.Price] = ()) -> dict[str, float]:
    """Base values of the assumptions that none of the inputs sets, and the values of `priced`."""
    taken = {entry.name for entry in inputs}
    base = {name: value for name, value in scenario.default().assumptions.items() if name not in taken}
    return base | {price.name: price.value for price in priced}


def presets() -> tuple[Preset, ...]:
    """The example workloads of `data/workloads.csv`."""
    return tuple(Preset(label, values) for label, values in scenario.workloads().values())


def cost_inputs() -> tuple[Number | Select, ...]:
    """Every input of the cost model: the first few in sight, the others folded away by group."""
    return (
        *(assumption_input(name) for name in FIRST),
        NEEDS_DOCUMENTS,
        *(offer_select(kind) for kind in prices.KINDS),
        *(assumption_input(row.name, row.group) for row in load("assumptions") if row.name not in FIRST),
    )


VOLUMES = tuple(float(round(10 ** (3 + k / 8))) for k in range(33))
"""Queries a month at which charts against volume are computed."""


def claimed(claim_id: str) -> float:
    """The value of a claim, as an input's default. Raises `DataError` if there is no such claim."""
    value = get(claim_id).value
    assert value is not None
    return value


def default_prices(*kinds: Kind) -> tuple[Price, ...]:
    """The prices of the offers that a scenario uses unless it names others."""
    return tuple(price for kind in kinds for price in rates(kind, DEFAULT_SELECTION[kind]).values())


LLM_INPUTS = (
    "queries_per_month",
    "batch_fraction",
    *rates("llm", DEFAULT_SELECTION["llm"]),
)
"""What the price of a call depends on, besides its tokens."""
