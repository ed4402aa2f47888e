"""Prices are dated, sourced, agreed on by two libraries, and never silently missing or stale."""

import dataclasses
import math
import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import model_prices
import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot

from ragvsft import data, prices
from ragvsft.data import DataError, ModelRow, OfferRow, PriceRow, load

MODELS = [row.id for row in load("models")]
EMBEDDINGS = [row.id for row in load("embeddings")]
RELEASED = prices.llm_rates("claude-sonnet-5-5")["llm_input_usd_per_mtok"].as_of


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts rows in place of a table's: `tables(models=(row,))`."""

    def replace(**replaced: tuple[data.Row, ...]) -> None:
        monkeypatch.setattr(prices, "load", lambda name: replaced.get(name) or load(name))

    return replace


def row_of(table: str, id: str, **changes: Any) -> Any:
    return next(row for row in load(table) if row.id == id).model_copy(update=changes)


def price_row(**changes: Any) -> PriceRow:
    return load("prices")[0].model_copy(update=changes)


# Rates


@pytest.mark.parametrize("model", MODELS)
def test_a_language_model_has_exactly_the_thirteen_inputs(model: str) -> None:
    assert set(prices.llm_rates(model)) == set(prices.LABELS["llm"])


@pytest.mark.parametrize("kind", prices.KINDS)
def test_every_offer_gives_only_inputs_of_its_kind(kind: prices.Kind) -> None:
    for choice in prices.choices(kind):
        found = prices.rates(kind, choice.id)
        assert found.keys() <= prices.LABELS[kind].keys()
        assert not choice.available or found.keys() == prices.LABELS[kind].keys()


def test_sonnet_costs_what_anthropic_lists() -> None:
    found = {name: price.value for name, price in prices.llm_rates("claude-sonnet-4-6").items()}
    assert found["llm_input_usd_per_mtok"] == 3
    assert found["llm_output_usd_per_mtok"] == 15
    assert found["llm_cache_read_usd_per_mtok"] == 0.3
    assert found["llm_cache_write_usd_per_mtok"] == 3.75
    assert found["llm_batch_multiplier"] == 0.5


def test_a_long_prompt_to_haiku_costs_five_times_as_much_a_token() -> None:
    found = {name: price.value for name, price in prices.llm_rates("claude-haiku-5-5").items()}
    assert found["llm_tier_threshold_tokens"] == 100_000
    for name in ("input", "output", "cache_read", "cache_write"):
        base, tier = found[f"llm_{name}_usd_per_mtok"], found[f"llm_tier_{name}_usd_per_mtok"]
        assert math.isclose(tier, 5 * base)


def test_without_a_tier_the_threshold_is_the_context_window_and_nothing_changes_there() -> None:
    found = {name: price.value for name, price in prices.llm_rates("claude-sonnet-5-5").items()}
    assert found["llm_tier_threshold_tokens"] == found["llm_context_window_tokens"]
    assert found["llm_tier_input_usd_per_mtok"] == found["llm_input_usd_per_mtok"]


def test_without_a_price_for_cache_writes_a_write_costs_the_input_price() -> None:
    found = prices.llm_rates("gpt-4.1-mini")
    assert found["llm_cache_write_usd_per_mtok"].value == found["llm_input_usd_per_mtok"].value


def test_a_batch_price_that_is_silently_the_standard_one_is_an_error(tables: Callable[..., None]) -> None:
    tables(models=(row_of("models", "gemini-3.8-flash", price_ref="gemini-3.5-flash"),))
    with pytest.raises(DataError, match="batch price is 1 of the standard price: must be one share"):
        prices.llm_rates("gemini-3.8-flash")


def test_token_prices_are_those_of_the_release_date_and_a_coming_change_is_noted() -> None:
    price = prices.llm_rates("gemini-3.8-flash")["llm_input_usd_per_mtok"]
    assert (price.value, price.as_of) == (0.75, date(2026, 11, 10))
    assert "expects another price" in price.note and "$1.5/input" in price.note


def test_token_prices_name_the_installed_library_and_its_release() -> None:
    source = prices.embedding_rates("text-embedding-3-large")["embedding_usd_per_mtok"].source
    assert source == f"genai-prices {genai_prices.__version__} (released {RELEASED})"


@pytest.mark.parametrize("change", [{"price_ref": "nope"}, {"provider": "nope"}])
@pytest.mark.parametrize("table", ["models", "embeddings"])
def test_a_model_that_the_library_does_not_carry_is_named(
    table: str, change: dict[str, str], tables: Callable[..., None]
) -> None:
    known = load(table)[0]
    tables(**{table: (known.model_copy(update=change),)})
    with pytest.raises(DataError, match=f"^data/{table}.csv: id = {known.id}: .*nope"):
        prices.rates("llm" if table == "models" else "embedding", known.id)


def test_a_library_whose_release_date_is_not_recorded_is_an_error(tables: Callable[..., None]) -> None:
    tables(price_libraries=load("price_libraries")[1:])
    with pytest.raises(
        DataError, match=r"price_libraries.csv: version = .*: missing; must list the installed"
    ):
        prices.prices_as_of()


def test_a_row_newer_than_the_release_overrides_the_library(tables: Callable[..., None]) -> None:
    later = price_row(
        offer="claude-sonnet-5-5",
        item="llm_input_usd_per_mtok",
        value=2.5,
        as_of=RELEASED + timedelta(days=1),
    )
    tables(prices=(*load("prices"), later))
    assert prices.llm_rates("claude-sonnet-5-5")["llm_input_usd_per_mtok"].value == 2.5


def test_the_newest_row_counts() -> None:
    assert prices.rates("gpu", "runpod-h100-sxm-secure")["gpu_usd_per_hour"].value == 3.99
    assert prices.rates("tuned_model", "tinker-qwen3-8b")["tuned_training_usd_per_mtok"].value == 0.44


@pytest.mark.parametrize("row", load("prices"), ids=lambda row: f"{row.offer}-{row.item}-{row.as_of}")
def test_a_price_row_has_the_kind_and_unit_of_the_input_it_sets(row: PriceRow) -> None:
    kind = row_of("offers", row.offer).kind
    inputs = {price.name: price.unit for price in prices.rates(kind, row.offer).values()}
    recorded_only = {"tuned_storage_usd_per_gb_month": "USD/GB-month"}
    assert row.unit == (inputs | recorded_only)[row.item]


# Agreement of two libraries


@pytest.mark.parametrize("row", [*load("models"), *load("embeddings")], ids=lambda row: row.id)
def test_every_model_is_priced_by_both_libraries(row: ModelRow) -> None:
    assert model_prices.rates(row.price_ref, at=RELEASED.isoformat(), provider=row.provider) is not None


def test_both_libraries_agree() -> None:
    assert prices.disagreements() == []


def test_a_disagreement_names_both_values(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = model_prices.rates

    def dearer(model: str, **which: Any) -> Any:
        found = rates(model, **which)
        return dataclasses.replace(found, output=12.0) if model == "claude-sonnet-5-5" else found

    monkeypatch.setattr(model_prices, "rates", dearer)
    expected = "claude-sonnet-5-5: llm_output_usd_per_mtok: genai-prices says 10, model-prices says 12"
    assert expected in prices.disagreements()
    assert expected in prices.check()


# What can be bought


def test_every_default_can_be_bought_and_nothing_is_wrong_with_its_price() -> None:
    assert prices.check() == []


def test_every_price_in_use_has_a_source_and_is_fresh() -> None:
    for price in prices.resolve().prices:
        assert price.source
        assert not prices.is_stale(price.as_of)


def test_a_price_is_stale_after_180_days() -> None:
    assert not prices.is_stale(prices.prices_as_of() - timedelta(days=180))
    assert prices.is_stale(prices.prices_as_of() - timedelta(days=181))


def test_the_check_reports_a_default_that_went_stale(tables: Callable[..., None]) -> None:
    later = price_row(as_of=date(2027, 7, 1))
    tables(prices=(*load("prices"), later))
    found = prices.check()
    assert "gpu_usd_per_hour = 3.99: dated 2026-11-09; must be at most 180 days older" in "\n".join(found)
    assert any(text.startswith("gpu = runpod-h100-sxm-secure: its price of 2026-11-09") for text in found)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("openai-ft-gpt-4.1-mini", "closed to new customers. Closed in steps since 2026-05-07"),
        ("prime-intellect-qwen3.5-9b", "closed to new customers. No new LoRA runs since 2026-10-05"),
        ("gpt-4.1-mini", "ends on 2027-01-14, inside the horizon"),
        ("openai-fine-tuning-jobs", "ends on 2027-01-06, inside the horizon"),
        ("azure-gpt-4.1-mini", "its price of 2026-02-11 is over 180 days older than the newest"),
        ("qdrant-cloud", "no published price (vector store: storage)"),
        ("together-lora-16b", "no published price (hosted fine-tuned model: input)"),
    ],
)
def test_an_offer_that_cannot_be_bought_says_why(offer: str, reason: str) -> None:
    status = prices.offer_status(offer, horizon_months=12)
    assert not status.available
    assert status.reason.startswith(reason)


def test_the_status_of_an_unknown_offer_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"offer = 'gpt-4.1-mimi': .*did you mean 'gpt-4.1-mini'"):
        prices.offer_status("gpt-4.1-mimi")


def test_days_left_are_counted_from_the_newest_price() -> None:
    assert prices.days_left("gpt-4.1-mini") == (date(2027, 1, 14) - prices.prices_as_of()).days
    assert prices.days_left("claude-sonnet-5-5") == prices.NO_END_DAYS
    assert prices.days_left("openai-ft-gpt-4.1") == 0


def test_an_offer_that_ends_after_a_short_horizon_can_be_bought() -> None:
    assert prices.offer_status("gpt-4.1-mini", date(2026, 11, 22), horizon_months=1).available
    assert not prices.offer_status("gpt-4.1-mini", date(2026, 11, 22), horizon_months=2).available


def test_an_end_in_the_past_reads_so() -> None:
    status = prices.offer_status("gpt-4.1-mini", date(2027, 2, 1), horizon_months=1)
    assert status.reason.startswith("ended on 2027-01-14")


def test_a_new_row_changes_an_offer_without_touching_the_old_one(tables: Callable[..., None]) -> None:
    closed = row_of("offers", "tinker-qwen3-8b", availability="closed", as_of=date(2026, 11, 20), note="")
    tables(offers=(*load("offers"), closed))
    assert prices.offer_status("tinker-qwen3-8b") == (False, "closed to new customers")


@pytest.mark.parametrize("kind", prices.KINDS)
def test_no_offer_is_dropped_and_each_unavailable_one_has_a_reason(kind: prices.Kind) -> None:
    offered = prices.choices(kind)
    assert {choice.id for choice in offered} == {row.id for row in load("offers") if row.kind == kind}
    assert all(bool(choice.reason) != choice.available for choice in offered)


@pytest.mark.parametrize("table", ["models", "embeddings"])
def test_every_model_offered_has_its_row(table: str) -> None:
    kind = {"models": "llm", "embeddings": "embedding"}[table]
    offered = {row.id for row in load("offers") if row.kind == kind}
    assert {row.id for row in load(table)} == offered


# Selections


def test_a_selection_resolves_to_every_input_with_its_provenance() -> None:
    resolved = prices.resolve({"llm": "gpt-6-luna"})
    assert resolved.selection["llm"] == "gpt-6-luna"
    assert resolved.selection["gpu"] == prices.DEFAULT_SELECTION["gpu"]
    values = {price.name: price.value for price in resolved.prices}
    assert values.keys() == {name for kind in prices.KINDS for name in prices.LABELS[kind]}
    assert values["llm_input_usd_per_mtok"] == 0.1
    assert all(price.source and price.unit for price in resolved.prices)


def test_an_offer_that_cannot_be_bought_resolves_with_its_reason_and_without_missing_prices() -> None:
    resolved = prices.resolve({"tuned_model": "openai-ft-gpt-4.1-mini"})
    assert not resolved.statuses["tuned_model"].available
    values = {price.name: price.value for price in resolved.prices}
    assert values["tuned_input_usd_per_mtok"] == 0.8
    assert "tuned_training_usd_per_mtok" not in values


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"llm": "claude-sonet-5-5"}, "llm = 'claude-sonet-5-5': must be one of .*mean 'claude-sonnet-5-5'"),
        ({"gpu": "claude-sonnet-5-5"}, "gpu = 'claude-sonnet-5-5': must be one of aws-p5-48xlarge, "),
        ({"tuned": "tinker-qwen3-8b"}, "selection = 'tuned': must be one of llm, .*mean 'tuned_model'"),
    ],
)
def test_an_unknown_selection_suggests_the_nearest(selection: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prices.resolve(selection)


# Refresh


def with_cache_read(model: str, usd_per_mtok: str) -> DataSnapshot:
    """Today's data, had Anthropic changed what one model charges for cached input."""

    def changed(known: Any) -> Any:
        if known.id != model:
            return known
        rates = vars(known.prices) | {"cache_read_mtok": Decimal(usd_per_mtok)}
        return dataclasses.replace(known, prices=type(known.prices)(**rates))

    providers = [
        dataclasses.replace(provider, models=[*map(changed, provider.models)])
        if provider.id == "anthropic"
        else provider
        for provider in get_snapshot().providers
    ]
    return DataSnapshot(providers, from_auto_update=True)


def test_refresh_finds_nothing_when_nothing_changed() -> None:
    assert prices.refresh(get_snapshot, today=RELEASED) == []


def test_refresh_gives_rows_to_append(tmp_path: Path) -> None:
    today = RELEASED + timedelta(days=1)
    rows = prices.refresh(lambda: with_cache_read("claude-sonnet-5-5", "0.2"), today)
    assert [(row.offer, row.item, row.value, row.as_of, row.note) for row in rows] == [
        ("claude-sonnet-5-5", f"llm_{tier}cache_read_usd_per_mtok", 0.2, today, f"was 0.1 on {RELEASED}")
        for tier in ("", "tier_")
    ]
    header = (data.DATA / "prices.csv").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "prices.csv").write_text(f"{header}\n{prices.as_csv(rows)}", encoding="utf-8")
    assert list(data.read(tmp_path / "prices.csv", PriceRow)) == rows


def test_refresh_without_a_network_changes_nothing_and_says_so() -> None:
    def unreachable() -> None:
        raise OSError("Network is unreachable")

    with pytest.raises(
        ConnectionError, match="OSError: Network is unreachable; nothing is changed, token prices stay"
    ):
        prices.refresh(unreachable)


# Append-only


def git(*arguments: str) -> str | None:
    """Git's answer in the checkout, or None where there is no git, no repository or no such object."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(["git", *arguments], cwd=data.DATA, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("revision", ["HEAD", "HEAD^1"])
@pytest.mark.parametrize("table", [PriceRow.TABLE, OfferRow.TABLE])
def test_published_rows_are_never_edited_or_removed(table: str, revision: str) -> None:
    published = git("show", f"{revision}:./{table}.csv")
    if published is None:
        pytest.skip(f"no {revision} with data/{table}.csv to compare with")
    current = set((data.DATA / f"{table}.csv").read_text(encoding="utf-8").splitlines())
    assert [line for line in published.splitlines() if line not in current] == []
