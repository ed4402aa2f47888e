"""Prices are kept as they stood on each date, at an address that lasts."""

import json
from pathlib import Path

from ragvsft.book.exports import export_data, prices_as_of
from ragvsft.prices.offers import dates, offers, rates


def test_an_archive_knows_nothing_of_later_dates() -> None:
    for on in dates():
        assert all(price["as_of"] <= str(on) for price in prices_as_of(on)["prices"]), on


def test_the_newest_archive_is_what_the_book_prices_with() -> None:
    now = [price.model_dump(mode="json") for offer_id in offers() for price in rates(offer_id).values()]
    assert prices_as_of(dates()[-1])["prices"] == now


def test_a_later_price_leaves_the_archives_before_it_alone(planted) -> None:
    newest, before = dates()[-1], dates()[-2]
    kept = prices_as_of(before)
    planted(
        prices=[
            f"claude-haiku-5-5,{kind}_usd_per_mtok,9,,,USD,{newest},secondary,https://example.org/dear,"
            for kind in ("input", "output")
        ]
    )
    assert prices_as_of(before) == kept
    found = {price["name"]: price["value"] for price in prices_as_of(newest)["prices"] if price["value"] == 9}
    assert {"input_usd_per_mtok", "output_usd_per_mtok"} <= found.keys()


def test_the_index_names_every_archive(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "measured").mkdir(parents=True)
    export_data(folder)
    index = json.loads((folder / "index.json").read_text("utf-8"))
    assert index["archives"] == [f"prices-as-of/{on}.json" for on in dates()]
    assert all((folder / name).is_file() for name in index["archives"])
