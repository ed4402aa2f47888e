"""Every table of `data/` is registered and sound, and a fault in one is a single clear sentence."""

from pathlib import Path

import pytest

from ragvsft import data
from ragvsft.data import AssumptionRow, DataError, Row, UnitRow
from ragvsft.prices import OfferRow, PriceRow

PRICES = (data.DATA / "prices.csv").read_text(encoding="utf-8").splitlines(keepends=True)


def fault(tmp_path: Path, model: type[Row], content: str | bytes) -> str:
    """The message for a CSV file with this content."""
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as error:
        data.read(path, model)
    return str(error.value)


def with_cell(column: str, value: str, model: type[Row] = PriceRow) -> str:
    """The first row of a table with one cell changed."""
    header, first, *_ = (data.DATA / f"{model.TABLE}.csv").read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {column: value}
    return f"{header}\n{','.join(cells.values())}\n"


@pytest.mark.parametrize("name", data.tables())
def test_every_table_is_sound(name: str) -> None:
    assert data.load(name)


def test_every_csv_file_has_a_row_model_and_every_row_model_a_file() -> None:
    files = {path.relative_to(data.DATA).with_suffix("").as_posix() for path in data.DATA.rglob("*.csv")}
    assert files == set(data.tables())


def test_rows_keep_the_order_of_the_file() -> None:
    assert [row.unit for row in data.load("units")][:2] == ["USD", "USD/month"]


def test_rows_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        data.load("units")[0].unit = "EUR"


def test_a_bad_value_names_file_line_field_value_and_range(tmp_path: Path) -> None:
    cells = PRICES[11].split(",")
    cells[PRICES[0].split(",").index("value")] = "-3"
    content = "".join([*PRICES[:11], ",".join(cells), *PRICES[12:]])
    assert fault(tmp_path, PriceRow, content) == "data/prices.csv:12: value = -3: must be ≥ 0"


@pytest.mark.parametrize(
    ("column", "value", "must"),
    [
        ("value", "cheap", "must be a finite number ≥ 0"),
        ("value", "nan", "must be a finite number ≥ 0"),
        ("value", "inf", "must be a finite number ≥ 0"),
        ("value", "", "must be a finite number ≥ 0"),
        ("currency", "GBP", "must be one of USD, EUR"),
        ("as_of", "~2025-10", "must be a date as YYYY-MM-DD"),
        ("as_of", "2026-1-5", "must be a date as YYYY-MM-DD"),
        ("as_of", "20260105", "must be a date as YYYY-MM-DD"),
        ("as_of", "undated", "must be a date as YYYY-MM-DD"),
        ("as_of", "", "must be a date as YYYY-MM-DD"),
        (
            "source_kind",
            "hearsay",
            "must be one of official, secondary, library, third_party_measurement, assumption",
        ),
        (
            "source",
            "a blog",
            "must be an https:// address, or a library as 'name 1.2.3 (released YYYY-MM-DD)'",
        ),
        ("item", "Training", "must be in column item of data/price_items.csv"),
        (
            "item",
            "training_usd",
            "must be in column item of data/price_items.csv; did you mean 'training_usd_per_mtok'?",
        ),
        (
            "offer",
            "tinker-qwen-8b",
            "must be in column id of data/offers.csv; did you mean 'tinker-qwen3-8b'?",
        ),
    ],
)
def test_each_fault_of_a_price_has_its_message(tmp_path: Path, column: str, value: str, must: str) -> None:
    shown = f"data/prices.csv:2: {column} = {value}: {must}"
    assert fault(tmp_path, PriceRow, with_cell(column, value)) == shown


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("low", "9", "low, value, high = 9, 0.13: must rise"),
        ("source", "", "source = blank: must be given unless source_kind is assumption"),
    ],
)
def test_faults_between_columns_of_a_price(tmp_path: Path, column: str, value: str, message: str) -> None:
    assert fault(tmp_path, PriceRow, with_cell(column, value)) == f"data/prices.csv:2: {message}"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("draw", "3", "draw = 3: must be given for an uncertain assumption and for no other"),
        ("log_scale", "maybe", "log_scale = maybe: must be true or false"),
        ("minimum", "5000", "minimum = 5000: must be ≤ low = 1000"),
        ("high", "500", "base = 100000: must be ≤ high = 500"),
        ("source_kind", "cited", "source or as_of is blank: a cited value needs both"),
    ],
)
def test_faults_of_an_assumption(tmp_path: Path, column: str, value: str, message: str) -> None:
    shown = f"data/assumptions.csv:2: {message}"
    assert fault(tmp_path, AssumptionRow, with_cell(column, value, AssumptionRow)) == shown


def test_a_logarithmic_range_starts_above_zero(tmp_path: Path) -> None:
    content = with_cell("low", "0", AssumptionRow).replace(",1,0,", ",0,0,")
    assert fault(tmp_path, AssumptionRow, content).endswith("low = 0: must be > 0 on a log scale")


def test_a_closing_offer_says_when_it_ends(tmp_path: Path) -> None:
    content = with_cell("availability", "closing", OfferRow)
    assert "ends_on is blank: a closing offer needs the day it ends" in fault(tmp_path, OfferRow, content)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("regions", "mars", "regions = mars: must be of global, us, eu, own_account, own_machines"),
        ("regions_source", "", "regions_as_of or regions_source is blank: a place needs both"),
        ("model", "", "model = '': must be named for a llm, and for models only"),
    ],
)
def test_faults_of_an_offer(tmp_path: Path, column: str, value: str, message: str) -> None:
    shown = f"data/offers.csv:2: {message}"
    assert fault(tmp_path, OfferRow, with_cell(column, value, OfferRow)) == shown


def test_a_key_occurs_once(tmp_path: Path) -> None:
    content = PRICES[0] + PRICES[1] + PRICES[2] + PRICES[1]
    assert fault(tmp_path, PriceRow, content) == (
        "data/prices.csv:4: offer = tinker-qwen3-8b, item = input_usd_per_mtok, as_of = 2026-01-05: "
        "already on line 2; must be unique"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("unit,meaning\n", "data/units.csv:1: header = unit,meaning: must be unit,words,meaning"),
        ("", "data/units.csv:1: header = : must be unit,words,meaning"),
        ("unit,words,meaning\nUSD,$\n", "data/units.csv:2: 2 cells: must be 3, as in the header"),
        ("unit,words,meaning\nUSD,$,a,b\n", "data/units.csv:2: 4 cells: must be 3, as in the header"),
        ('unit,words,meaning\nUSD,$,"dollar\n', "data/units.csv:2: broken CSV: unexpected end of data"),
        (b"unit,words,meaning\nUSD,\xa3,pound\n", "data/units.csv: byte 23 is not UTF-8; must be UTF-8 text"),
        (
            b"\xef\xbb\xbfunit,words,meaning\n",
            "data/units.csv:1: starts with a byte order mark; must be UTF-8 without one",
        ),
        (
            'unit,words,meaning\nUSD,"$;\ndollar",US dollar\n ms,ms,thousandth\n',
            "data/units.csv:4: unit =  ms: must be text without outer spaces, not blank",
        ),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert fault(tmp_path, UnitRow, content) == message


def test_a_missing_file_says_where_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^data/units.csv: no such file; must exist in {tmp_path}$"):
        data.read(tmp_path / "units.csv", UnitRow)


def test_an_unknown_table_suggests_the_nearest() -> None:
    with pytest.raises(DataError, match=r"table = 'price': must be one of .*; did you mean 'prices'"):
        data.load("price")


def test_the_schema_states_the_range() -> None:
    assert data.schema("prices")["properties"]["value"]["minimum"] == 0


def test_the_dictionary_explains_every_column() -> None:
    assert [line for line in data.dictionary() if not line.meaning.endswith(".")] == []


def test_the_readme_is_the_current_dictionary() -> None:
    page = (data.DATA / "README.md").read_text(encoding="utf-8")
    fix = 'python -c "from ragvsft import data; data.write_dictionary()"'
    assert page.partition("## Columns\n\n")[2] == data.dictionary_markdown(), f"run: {fix}"


UNIT_OF_SUFFIX = {
    "_tokens": "tokens",
    "_hours": "hours",
    "_hours_per_month": "hours/month",
    "_months": "months",
    "_fraction": "fraction",
    "_dimensions": "dimensions",
    "_usd_per_hour": "USD/hour",
    "_tokens_per_second": "tokens/second",
}


@pytest.mark.parametrize("row", data.load("assumptions"), ids=lambda row: row.name)
def test_an_assumption_carries_the_unit_its_name_says(row: AssumptionRow) -> None:
    suffixes = [suffix for suffix in UNIT_OF_SUFFIX if row.name.endswith(suffix)]
    assert not suffixes or row.unit == UNIT_OF_SUFFIX[max(suffixes, key=len)]


def test_a_value_without_a_source_is_marked_as_an_assumption() -> None:
    unsourced = {row.source_kind for row in data.load("assumptions") if row.source is None}
    assert unsourced == {"assumption", "seed"}
