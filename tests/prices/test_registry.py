"""One registry of what can be billed: what is absent, what stands for it, and what a half-done row says."""

import dataclasses

import pytest

from ragvsft.costs import columns, compare, scenario
from ragvsft.data import DataError, load
from ragvsft.prices import TYPES, items, missing, offers, rates, status, values
from ragvsft.prices.registry import REQUIRED, completed

NEW_LLM = (
    "acme-quill,llm,Quill 1,Acme,Quill 1,open,,,global,2026-11-24,https://example.org/where,false,,"
    "2026-11-24,2026-11-24,official,https://example.org/prices,"
)


def price(item: str, value: float, offer: str = "acme-quill", currency: str = "USD") -> str:
    return f"{offer},{item},{value},,,{currency},2026-11-24,official,https://example.org/prices,"


QUILL = (
    price("input_usd_per_mtok", 0.5),
    price("output_usd_per_mtok", 2),
    price("context_window_tokens", 9e4, currency=""),
)


@pytest.mark.parametrize("type_", TYPES)
def test_the_fields_that_formulas_see_are_the_rows_of_the_registry(type_):
    assert list(items(type_)) == [field.name for field in dataclasses.fields(TYPES[type_])]


@pytest.mark.parametrize("type_", TYPES)
def test_what_stands_for_an_absent_price_is_a_number_or_ends_at_one(type_):
    known = items(type_)
    given = {name: 7.0 for name, row in known.items() if row.if_absent == REQUIRED}
    assert completed(type_, given).keys() == known.keys()


@pytest.mark.parametrize("row", load("prices"), ids=lambda row: f"{row.offer}-{row.item}-{row.as_of}")
def test_a_price_row_is_registered_for_its_offers_kind_and_is_not_zero(row):
    kind = offers()[row.offer].kind
    (item,) = [
        item
        for item in load("price_items")
        if item.item == row.item and (kind in item.types or "list_price" in item.types)
    ]
    assert row.value > 0, "a price that does not apply is absent, never zero"
    assert (row.currency is not None) == item.unit.startswith("USD/")


@pytest.mark.parametrize("offer_id", [row.id for row in load("offers") if row.kind != "service"])
def test_an_offer_has_a_price_for_every_input_or_a_reason(offer_id):
    kind = offers()[offer_id].kind
    lacking = missing(kind, rates(offer_id))
    assert values(offer_id).keys() == (set() if lacking else items(kind).keys())
    assert not lacking or not status(offer_id).available


def test_absent_means_absent_and_the_formulas_use_what_the_registry_says():
    assert "usd_per_mtok" not in rates("cohere-rerank-v3.5")
    assert values("cohere-rerank-v3.5")["usd_per_mtok"] == 0
    found = values("claude-sonnet-5-5")
    assert "tier_input_usd_per_mtok" not in rates("claude-sonnet-5-5")
    assert found["tier_threshold_tokens"] == found["context_window_tokens"]
    assert found["tier_cache_read_usd_per_mtok"] == found["cache_read_usd_per_mtok"]


def test_without_a_price_for_cache_writes_a_write_costs_the_input_price():
    found = values("gpt-4.1-mini")
    assert found["cache_write_usd_per_mtok"] == found["input_usd_per_mtok"]


def test_a_reranker_is_billed_by_one_of_two_units():
    assert missing("reranker", {}) == "searches or tokens read"
    assert missing("reranker", {"usd_per_mtok": 1}) == ""


# Adding an offer


def test_an_offer_is_one_row_and_its_price_rows_and_nothing_else(planted):
    planted(offers=[NEW_LLM], prices=QUILL)
    assert status("acme-quill").available
    assert "quill-1" in columns.columns()
    own = scenario.from_keys({"columns": ["quill-1"]})
    rag = next(cell for cell in compare.matrix(own, 8) if cell.key == ("rag", "quill-1"))
    assert rag.available and rag.horizon_usd > 0 and rag.hosted.host(rag.method) == "Acme"
    assert own.inputs("quill-1").answer_llm.tier_output_usd_per_mtok == 2


def test_an_embedder_becomes_a_choice_of_its_role(planted):
    row = NEW_LLM.replace("acme-quill,llm,Quill 1", "acme-vectors,embedder,")
    planted(offers=[row], prices=[price("usd_per_mtok", 0.01, "acme-vectors")])
    chosen = scenario.from_keys({"embedder": "acme-vectors"})
    assert chosen.inputs("claude-haiku-5.5").embedder.usd_per_mtok == 0.01
    assert "acme-vectors" in scenario.example()


def test_an_offer_without_a_required_price_says_which(planted):
    planted(offers=[NEW_LLM], prices=QUILL[:1])
    assert status("acme-quill") == (False, "no published price (output)")
    cell = compare.matrix(scenario.from_keys({"columns": ["quill-1"]}), 8)[0]
    assert not cell.available and cell.reason == "Acme: Quill 1: no published price (output)"
    assert cell.horizon_usd != cell.horizon_usd


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            price("input_usd_per_mtoken", 1),
            "item = input_usd_per_mtoken: must be in column item of data/price_items.csv; did you mean",
        ),
        (
            price("input_usd_per_mtok", 1, "acme-quil"),
            "offer = acme-quil: must be in column id of data/offers.csv; did you mean 'acme-quill'?",
        ),
    ],
)
def test_a_price_of_an_unknown_item_or_offer_is_one_error(planted, line, message):
    planted(offers=[NEW_LLM], prices=[*QUILL, line])
    with pytest.raises(DataError) as error:
        rates("acme-quill")
    assert str(error.value).startswith("data/prices.csv:") and message in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (price("usd_per_search", 1), "item = usd_per_search: must be an item that .* has for llm"),
        (price("cache_ttl_seconds", 1), "currency = USD: must be blank for seconds"),
        (price("cache_read_usd_per_mtok", 1, currency=""), "currency = blank: must be given for USD/million"),
        (price("regional_multiplier", 2, currency=""), "item = regional_multiplier: must be an item that"),
    ],
)
def test_a_price_that_its_offer_cannot_carry_is_one_error(planted, line, message):
    planted(offers=[NEW_LLM], prices=[*QUILL, line])
    with pytest.raises(DataError, match=message):
        rates("acme-quill")


def test_an_item_without_a_field_is_named(planted):
    planted(price_items=["fee_usd,llm,USD/month,fee,0,,A fee."])
    with pytest.raises(DataError, match="type llm: fee_usd: must be both a row here and a field of Llm"):
        items("llm")
