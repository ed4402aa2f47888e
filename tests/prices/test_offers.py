"""Offers: dated, sourced, agreed on by two libraries, and never silently missing or stale."""

import csv
import dataclasses
import io
import math
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import model_prices
import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot

from clock import CHECKED
from ragvsft import data, prices
from ragvsft.costs import compare, scenario
from ragvsft.data import DataError, load
from ragvsft.prices import library, offers, rates, status, values
from ragvsft.prices.check import as_csv, check, disagreements, refresh
from ragvsft.prices.offers import PriceRow, usd_per

RELEASED = library.released_on()
PRICED_BY_LIBRARY = [row for row in load("offers") if row.library]


@pytest.fixture(autouse=True)
def _as_checked(on) -> None:
    on(CHECKED)


def offer_line(offer_id: str, **changes: str) -> str:
    """An offer's row as a line of the file, with some cells changed."""
    with (data.DATA / "offers.csv").open(encoding="utf-8", newline="") as file:
        cells = next(row for row in csv.DictReader(file) if row["id"] == offer_id) | changes
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells.values())
    return text.getvalue()


# Token prices from the library


def test_sonnet_costs_what_anthropic_lists() -> None:
    found = values("claude-sonnet-4-6")
    assert found["input_usd_per_mtok"] == 3
    assert found["output_usd_per_mtok"] == 15
    assert found["cache_read_usd_per_mtok"] == 0.3
    assert found["cache_write_usd_per_mtok"] == 3.75
    assert found["batch_multiplier"] == 0.5


def test_a_long_prompt_to_haiku_costs_five_times_as_much_a_token() -> None:
    found = values("claude-haiku-5-5")
    assert found["tier_threshold_tokens"] == 100_000
    for name in ("input", "output", "cache_read", "cache_write"):
        assert math.isclose(found[f"tier_{name}_usd_per_mtok"], 5 * found[f"{name}_usd_per_mtok"])


def test_without_a_batch_price_batches_are_not_cheaper() -> None:
    assert "batch_multiplier" not in rates("fireworks-gpt-oss-20b")
    assert values("fireworks-gpt-oss-20b")["batch_multiplier"] == 1


def test_token_prices_are_those_of_the_release_date_and_a_coming_change_is_known() -> None:
    price = rates("gemini-3.8-flash")["input_usd_per_mtok"]
    assert (price.value, price.as_of) == (0.75, RELEASED)
    coming = library.coming_values("gemini-3.8-flash", "llm", "google/gemini-3.8-flash")
    assert (coming["input_usd_per_mtok"], coming["output_usd_per_mtok"]) == (1.5, 7.5)
    assert library.coming_values("gpt-6-luna", "llm", "openai/gpt-6-luna") == {}


def test_token_prices_name_the_installed_library_and_its_release() -> None:
    source = rates("text-embedding-3-large")["usd_per_mtok"].source
    assert source == f"genai-prices {genai_prices.__version__} (released {RELEASED})"


@pytest.mark.parametrize("entry", ["nope/gpt-6-luna", "openai/nope"])
def test_an_entry_that_the_library_does_not_carry_is_named(planted, entry) -> None:
    planted(offers=[offer_line("gpt-6-luna", library=entry, as_of="2026-11-25")])
    with pytest.raises(DataError, match=rf"^data/offers.csv: id = gpt-6-luna: library = {entry}: .*nope"):
        rates("gpt-6-luna")


def test_a_library_whose_release_date_is_not_recorded_is_an_error(monkeypatch) -> None:
    monkeypatch.setattr(library.genai_prices, "__version__", "9.9.9")
    with pytest.raises(DataError, match=r"version = 9.9.9: missing; must list the installed genai-prices"):
        library.released_on()


def test_a_row_newer_than_the_release_overrides_the_library_and_an_older_one_does_not(planted) -> None:
    line = "gpt-6-luna,{},0.25,,,USD,{},official,https://example.org/prices,"
    planted(
        prices=[
            line.format("input_usd_per_mtok", RELEASED + timedelta(days=1)),
            line.format("output_usd_per_mtok", RELEASED - timedelta(days=1)),
        ]
    )
    assert rates("gpt-6-luna")["input_usd_per_mtok"].value == 0.25
    assert rates("gpt-6-luna")["output_usd_per_mtok"].source_kind == "library"


def test_a_regions_surcharge_is_a_row_and_raises_prices_and_no_limits() -> None:
    world, europe = rates("gpt-6.1-sol"), rates("openai-eu-gpt-6.1-sol")
    assert "regional_multiplier" not in europe
    for name, price in europe.items():
        factor = 1.1 if price.unit.startswith("USD/") else 1
        assert price.value == pytest.approx(factor * world[name].value), name
    assert "List price times 1.1" in europe["input_usd_per_mtok"].note


def test_the_newest_row_counts_and_the_older_ones_stay_readable() -> None:
    assert rates("runpod-h100-sxm-secure")["usd_per_hour"].value == 3.99
    assert rates("tinker-qwen3-8b")["training_usd_per_mtok"].value == 0.44
    history = [row.value for row in load("prices") if row.offer == "runpod-h100-sxm-secure"]
    assert history == [3.29, 3.49, 3.99]


def test_a_price_in_euros_stays_in_euros_and_a_dated_rate_converts_it() -> None:
    (row,) = [row for row in load("prices") if row.offer == "scaleway-h100-1-80g"]
    rate = usd_per("EUR")
    assert (row.currency, row.value) == ("EUR", 2.8665)
    price = rates("scaleway-h100-1-80g")["usd_per_hour"]
    assert price.value == row.value * rate.usd
    assert f"2.8665 EUR at {rate.usd:g} USD ({rate.as_of})" in price.note


def test_a_newer_rate_converts_from_its_day_on(planted) -> None:
    planted(exchange_rates=["EUR,1.5,2026-11-25,https://example.org/rate,A test."])
    assert rates("scaleway-h100-1-80g")["usd_per_hour"].value == pytest.approx(2.8665 * 1.5)


@pytest.mark.parametrize("offer_id", [row.id for row in load("offers") if "weights" in row.kind])
def test_a_models_speed_is_the_fit_to_the_published_throughput(offer_id) -> None:
    """Seconds of a request = prompt / prefill + answer / decode, by least squares in the logarithm."""
    from scipy.optimize import least_squares

    model = offers()[offer_id].model
    rows = [row for row in load("throughput") if row.model.split(" FP8")[0] == model]
    assert len(rows) >= 3

    def misses(speeds):
        prefill, decode = (math.exp(x) for x in speeds)
        return [
            math.log((row.input_tokens / prefill + row.output_tokens / decode) * row.requests_per_second)
            for row in rows
        ]

    fitted = [math.exp(x) for x in least_squares(misses, [math.log(2e4)] * 2, xtol=1e-12, ftol=1e-12).x]
    stated = [rates(offer_id)[f"{way}_tokens_per_second"].value for way in ("prefill", "decode")]
    assert stated == [float(f"{x:.3g}") for x in fitted]


# Agreement of two libraries


@pytest.mark.parametrize("row", PRICED_BY_LIBRARY, ids=lambda row: row.id)
def test_every_token_price_has_a_second_opinion_or_its_host_is_one_that_the_second_does_not_carry(
    row,
) -> None:
    provider = row.library.partition("/")[0]
    assert library.second_opinion(row.kind, row.library) or provider in ("aws", "fireworks", "ovhcloud")


def test_both_libraries_agree() -> None:
    assert disagreements() == []


def test_a_disagreement_names_both_values(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = model_prices.rates

    def dearer(model: str, **which: Any) -> Any:
        found = look_up(model, **which)
        return dataclasses.replace(found, output=12.0) if model == "claude-sonnet-5-5" else found

    monkeypatch.setattr(model_prices, "rates", dearer)
    expected = "claude-sonnet-5-5: output_usd_per_mtok: genai-prices says 10, model-prices says 12"
    assert expected in disagreements()
    assert expected in check([])


# What can be bought


def test_every_price_of_the_default_matrix_has_a_source_and_is_fresh() -> None:
    in_use = compare.prices_in_use(scenario.default())
    assert {price.offer for price in in_use} >= {"claude-sonnet-5-5", "fireworks-gpt-oss-20b"}
    for price in in_use:
        assert price.source and not prices.is_stale(price.as_of)


def test_a_price_is_stale_after_180_days() -> None:
    assert not prices.is_stale(CHECKED - timedelta(days=180))
    assert prices.is_stale(CHECKED - timedelta(days=181))


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("openai-ft-gpt-4.1-mini", "closed to new customers. The end of the model"),
        ("prime-intellect-qwen3.5-9b", "closed to new customers. No new LoRA runs since 2026-10-05"),
        ("gpt-4.1-mini", "ends on 2027-01-14, inside the horizon"),
        ("openai-fine-tuning-jobs", "ends on 2027-01-06, inside the horizon"),
        ("qdrant-cloud", "no published price (storage or machine of one replica)"),
        ("together-lora-16b", "no published price (input)"),
    ],
)
def test_an_offer_that_cannot_be_bought_says_why(offer: str, reason: str) -> None:
    found = status(offer, horizon_months=12)
    assert not found.available
    assert found.reason.startswith(reason)


def test_the_status_of_an_unknown_offer_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"offer = 'gpt-4.1-mimi': .*did you mean 'gpt-4.1-mini'"):
        status("gpt-4.1-mimi")


def test_days_left_are_counted_from_today(on) -> None:
    assert prices.days_left("gpt-4.1-mini") == (date(2027, 1, 14) - CHECKED).days
    on(date(2027, 1, 4))
    assert prices.days_left("gpt-4.1-mini") == 10
    assert prices.days_left("claude-sonnet-5-5") == prices.NO_END_DAYS
    assert prices.days_left("openai-ft-gpt-4.1") == 0


def test_an_offer_that_ends_after_a_short_horizon_can_be_bought() -> None:
    assert status("gpt-4.1-mini", 1, on=date(2026, 11, 22)).available
    assert not status("gpt-4.1-mini", 2, on=date(2026, 11, 22)).available


def test_a_new_row_changes_an_offer_without_touching_the_old_one(planted) -> None:
    planted(offers=[offer_line("tinker-qwen3-8b", availability="closed", as_of="2026-11-25")])
    assert status("tinker-qwen3-8b").reason.startswith("closed to new customers")
    assert [row.availability for row in load("offers") if row.id == "tinker-qwen3-8b"] == ["open", "closed"]


@pytest.mark.parametrize("kind", prices.TYPES)
def test_no_offer_is_dropped_and_each_unavailable_one_has_a_reason(kind: prices.Type) -> None:
    offered = prices.of_kind(kind)
    assert {row.id for row in offered} == {row.id for row in load("offers") if row.kind == kind}
    for row in offered:
        found = status(row.id)
        assert bool(found.reason) != found.available


def test_an_offer_that_cannot_be_bought_keeps_the_prices_it_has() -> None:
    found = rates("openai-ft-gpt-4.1-mini")
    assert found["input_usd_per_mtok"].value == 0.8
    assert "training_usd_per_mtok" not in found
    assert values("openai-ft-gpt-4.1-mini") == {}


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
    assert refresh(get_snapshot, on=RELEASED) == []


def test_refresh_gives_rows_to_append(tmp_path: Path) -> None:
    today = RELEASED + timedelta(days=1)
    rows = refresh(lambda: with_cache_read("claude-sonnet-5-5", "0.2"), today)
    assert [(row.offer, row.item, row.value, row.as_of, row.note) for row in rows] == [
        ("claude-sonnet-5-5", "cache_read_usd_per_mtok", 0.2, today, f"was 0.1 on {RELEASED}")
    ]
    header = (data.DATA / "prices.csv").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "prices.csv").write_text(f"{header}\n{as_csv(rows)}", encoding="utf-8")
    assert list(data.read(tmp_path / "prices.csv", PriceRow)) == rows


def test_refresh_without_a_network_changes_nothing_and_says_so() -> None:
    def unreachable() -> None:
        raise OSError("Network is unreachable")

    with pytest.raises(
        ConnectionError, match="OSError: Network is unreachable; nothing is changed, token prices stay"
    ):
        refresh(unreachable)


def test_a_host_ends_a_tuned_model_on_one_day_in_all_its_places() -> None:
    ends: dict[tuple[str, str], set[date | None]] = {}
    for row in offers().values():
        if row.kind == "tuned_llm":
            ends.setdefault((row.provider, row.model), set()).add(row.ends_on)
    assert {host: days for host, days in ends.items() if len(days) > 1} == {}
