"""An answered price form becomes a row that the table takes, or one line that says why not."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
import yaml

from ragvsft import data
from ragvsft.cli import main
from ragvsft.data import DataError
from ragvsft.tools import issue

FORMS = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE"
TODAY = date(2030, 1, 2)
KNOWN = data.load("prices")[0]
ANSWERS = {
    "Offer": KNOWN.offer,
    "Item": KNOWN.item,
    "Value": "0.2",
    "As of": "2030-01-01",
    "Source kind": "official",
    "Source": "https://example.org/prices",
    "Note": 'Covers "all", and more.',
    "Anything else": "_No response_",
}


def written(**changes: str) -> str:
    """The issue's text as GitHub writes it, with some answers changed."""
    said = ANSWERS | {label.replace("_", " "): answer for label, answer in changes.items()}
    return "\n\n".join(f"### {label}\n\n{answer}" for label, answer in said.items())


def test_an_answered_form_is_a_row_that_the_table_takes(tmp_path: Path) -> None:
    line = issue.price_row(written(), TODAY)
    table = (data.DATA / "prices.csv").read_text(encoding="utf-8") + line
    (tmp_path / "prices.csv").write_text(table, encoding="utf-8")
    row = data.read(tmp_path / "prices.csv", data.table("prices"))[-1]
    assert (row.offer, row.item, row.value, row.as_of) == (KNOWN.offer, KNOWN.item, 0.2, date(2030, 1, 1))
    assert (row.currency, row.note) == ("USD", 'Covers "all", and more.')
    assert line.count("\n") == 1


def test_an_answer_on_several_lines_stays_one_cell_on_one_line() -> None:
    line = issue.price_row(written(Note="one\r\ntwo"), TODAY)
    cells = dict(zip(data.table("prices").model_fields, next(csv.reader(io.StringIO(line))), strict=True))
    assert cells["note"] == "one two"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Item": "tuned_input_usd_per_mtokk"}, "item = tuned_input_usd_per_mtokk: must be an item of"),
        ({"Value": "1_000"}, "value = 1_000: must be a finite number ≥ 0"),
        ({"Value": "$2"}, r"value = \$2: must be a finite number ≥ 0"),
        ({"Value": "_No response_"}, "value = : must be a finite number ≥ 0"),
        ({"As of": "2 January 2030"}, "as_of = 2 January 2030: must be a date as YYYY-MM-DD"),
        ({"As of": "2030-01-03"}, "as_of = 2030-01-03: lies in the future; must be at most 2030-01-02"),
        ({"As of": KNOWN.as_of.isoformat()}, "data/prices.csv has this row already"),
        ({"Source": "http://example.org"}, "source = http://example.org: must be an https:// address"),
        ({"Note": "<img src=x onerror=alert(1)>"}, "note = .*: must hold no markup"),
        ({"Source kind": "hearsay"}, "source_kind = hearsay: must be one of official"),
    ],
)
def test_a_wrong_answer_is_named(changes: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        issue.price_row(written(**changes), TODAY)


def test_a_text_without_answers_is_no_form() -> None:
    with pytest.raises(ValueError, match="holds no answers"):
        issue.price_row("The price is wrong!", TODAY)
    with pytest.raises(ValueError, match="Value: is answered twice"):
        issue.price_row(written() + "\n\n### Value\n\n7", TODAY)


def test_the_command_prints_the_row_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "issue.md"
    file.write_text(written(As_of="2026-01-06"), encoding="utf-8")
    assert main(["row", "price", "--from-issue", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{KNOWN.offer},{KNOWN.item},") and captured.out.count("\n") == 1
    assert "make data" in captured.err


def test_the_command_says_what_is_wrong_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "issue.md"
    file.write_text(written(Value="cheap"), encoding="utf-8")
    assert main(["row", "price", "--from-issue", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "value = cheap: must be a finite number" in captured.err


def test_the_form_asks_for_the_columns_of_the_table() -> None:
    fields = yaml.safe_load((FORMS / "price.yml").read_text("utf-8"))["body"]
    labels = [field["attributes"]["label"] for field in fields]
    assert labels == [*ANSWERS]
    columns = data.table("prices").model_fields
    asked = [issue._column(label) for label in labels if label != "Anything else"]
    assert set(asked) <= set(columns)
    assert set(columns) - set(asked) <= {"unit", "currency", "low", "high"}
    options = next(field["attributes"]["options"] for field in fields if field["id"] == "source-kind")
    assert set(options) <= set(
        data.allowed(data.table("prices"), "source_kind")[len("one of ") :].split(", ")
    )
