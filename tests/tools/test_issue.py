"""An answered form becomes rows that its table takes, or one line that says why not."""

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


def price_row(text: str, latest: date) -> str:
    return issue.lines("price", text, latest)


def form(said: dict[str, str]) -> str:
    """The issue's text as GitHub writes it."""
    return "\n\n".join(f"### {label}\n\n{answer}" for label, answer in said.items())


def written(**changes: str) -> str:
    """An answered price form, with some answers changed."""
    return form(ANSWERS | {label.replace("_", " "): answer for label, answer in changes.items()})


def test_an_answered_form_is_a_row_that_the_table_takes(tmp_path: Path) -> None:
    line = price_row(written(), TODAY)
    table = (data.DATA / "prices.csv").read_text(encoding="utf-8") + line
    (tmp_path / "prices.csv").write_text(table, encoding="utf-8")
    row = data.read(tmp_path / "prices.csv", data.table("prices"))[-1]
    assert (row.offer, row.item, row.value, row.as_of) == (KNOWN.offer, KNOWN.item, 0.2, date(2030, 1, 1))
    assert (row.currency, row.note) == ("USD", 'Covers "all", and more.')
    assert line.count("\n") == 1


def test_an_answer_on_several_lines_stays_one_cell_on_one_line() -> None:
    line = price_row(written(Note="one\r\ntwo"), TODAY)
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
        price_row(written(**changes), TODAY)


def test_a_text_without_answers_is_no_form() -> None:
    with pytest.raises(ValueError, match="holds no answers"):
        price_row("The price is wrong!", TODAY)
    with pytest.raises(ValueError, match="Value: is answered twice"):
        price_row(written() + "\n\n### Value\n\n7", TODAY)


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


def cells(line: str, table: str) -> dict[str, str]:
    (row,) = csv.reader(io.StringIO(line))
    return dict(zip(data.table(table).model_fields, row, strict=True))


def as_table(text: str, table: str, folder: Path) -> tuple[data.Row, ...]:
    """The rows that a table would take from these lines."""
    header = ",".join(data.table(table).model_fields)
    (folder / f"{table}.csv").write_text(f"{header}\n{text}", encoding="utf-8")
    return data.read(folder / f"{table}.csv", data.table(table))


DISPUTED = data.load("claims")[0]
CLAIM = {
    "Claim": DISPUTED.id,
    "Verdict": "outdated",
    "Finding": "It held once,\nand no more.",
    "As of": "2030-01-01",
    "Citation": "new2030",
    "Locator": "Table 9",
    "How read": "abstract",
    "Source": "```\n@misc{new2030,\n  title = {New},\n}\n```",
    "Anything else": "_No response_",
}


def test_a_disputed_claim_is_its_row_with_the_verdict_and_a_source_more(tmp_path: Path) -> None:
    line = issue.lines("claim", form(CLAIM), TODAY)
    (row,) = as_table(line, "claims", tmp_path)
    assert (row.id, row.verdict, row.finding) == (DISPUTED.id, "outdated", "It held once, and no more.")
    assert row.citation == (*DISPUTED.citation, "new2030") and row.how_read[-1] == "abstract"
    kept = {"id", "statement", "source_value", "value", "low", "high", "unit", "kind", "chapter", "check"}
    assert row.model_dump(include=kept) == DISPUTED.model_dump(include=kept)


def test_a_source_read_again_takes_the_place_of_its_first_reading(tmp_path: Path) -> None:
    again = CLAIM | {"Citation": DISPUTED.citation[0], "Source": ""}
    (row,) = as_table(issue.lines("claim", form(again), TODAY), "claims", tmp_path)
    assert sorted(row.citation) == sorted(DISPUTED.citation)
    assert (row.citation[-1], row.locator[-1]) == (DISPUTED.citation[0], "Table 9")
    none = CLAIM | {"Citation": "_No response_", "Locator": "", "How read": "", "Source": ""}
    (row,) = as_table(issue.lines("claim", form(none), TODAY), "claims", tmp_path)
    assert row.citation == DISPUTED.citation and row.verdict == "outdated"


CASE = {
    "Organisation": "Example", "Task": "contracts", "Years": "2029", "Corpus": "contracts",
    "Tried": "prompting;RAG", "Kept": "RAG", "Effect": "accuracy 0.5; 0.8", "Unit": "fraction",
    "Time or cost": "_No response_", "Claims": DISPUTED.id, "Source": "https://example.org/case",
    "Locator": "section 3", "How read": "full text", "Note": "_No response_", "Anything else": "",
}  # fmt: skip


def test_a_case_becomes_a_row(tmp_path: Path) -> None:
    (row,) = as_table(issue.lines("case", form(CASE), TODAY), "cases", tmp_path)
    assert (row.organisation, row.tried, row.kept) == ("Example", ("prompting", "RAG"), "RAG")
    assert row.claims == (DISPUTED.id,) and row.evidence == "primary"


WORKLOAD = {
    "Label": "Contract search",
    "Scenario": "```toml\nqueries_per_month = 1234\ncorpus_churn_per_month = 0.15\n```",
    "What is asked": "By lawyers.",
    "What you chose, and how it went": "",
}


def test_a_workload_becomes_a_row_for_each_number_that_differs(tmp_path: Path) -> None:
    rows = as_table(issue.lines("workload", form(WORKLOAD), TODAY), "workloads", tmp_path)
    assert {row.name: row.value for row in rows} == {
        "queries_per_month": 1234,
        "corpus_churn_per_month": 0.15,
    }
    assert {(row.workload, row.label) for row in rows} == {("contract-search", "Contract search")}


@pytest.mark.parametrize(
    ("kind", "said", "message"),
    [
        ("claim", CLAIM | {"Claim": "cost/break-even: dear"}, "claim = .*: must be an id of data/claims.csv"),
        ("claim", CLAIM | {"Claim": DISPUTED.id[:-1]}, f"did you mean {DISPUTED.id!r}"),
        ("claim", CLAIM | {"Verdict": "wrong"}, "verdict = wrong: must be one of holds, "),
        ("claim", CLAIM | {"Source": ""}, "citation = new2030: must be a key of references.bib"),
        ("claim", CLAIM | {"Locator": ""}, "locator has .* entries: must have"),
        ("claim", CLAIM | {"As of": "2030-01-03"}, "as_of = 2030-01-03: lies in the future"),
        ("claim", CLAIM | {"Finding": ""}, "finding = : must be text"),
        ("claim", CLAIM | {"Finding": "<script>"}, "finding = <script>: must hold no markup"),
        ("case", CASE | {"Kept": "magic"}, "kept = magic: must be one of prompting, RAG"),
        ("case", CASE | {"Claims": "nonsense"}, "claims = nonsense: must be an id of data/claims.csv"),
        ("workload", WORKLOAD | {"Label": ""}, "workload = : must be lower-case words"),
        ("workload", WORKLOAD | {"Scenario": "querys_per_month = 3"}, "did you mean 'queries_per_month'"),
        ("workload", WORKLOAD | {"Scenario": ""}, "scenario: every number is the default's"),
        ("workload", WORKLOAD | {"Scenario": "a = "}, "not valid TOML"),
    ],
)
def test_a_wrong_answer_of_any_form_is_named(kind: str, said: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        issue.lines(kind, form(said), TODAY)


def test_a_row_that_is_there_already_is_refused() -> None:
    known = data.load("cases")[0]
    with pytest.raises(DataError, match=r"data/cases\.csv has this row already"):
        issue.lines("case", form(CASE | {"Organisation": known.organisation, "Task": known.task}), TODAY)


@pytest.mark.parametrize(("kind", "said"), [("claim", CLAIM), ("case", CASE), ("workload", WORKLOAD)])
def test_each_form_asks_for_what_its_row_needs(kind: str, said: dict[str, str]) -> None:
    fields = yaml.safe_load((FORMS / f"{kind}.yml").read_text("utf-8"))["body"]
    assert [field["attributes"]["label"] for field in fields] == [*said]
    for field in fields:
        column = issue._column(field["attributes"]["label"])
        if options := field["attributes"].get("options"):
            known = data.table(issue.FORMS[kind].table).model_json_schema()["properties"][column]
            assert set(options) == set(known.get("enum") or known["items"]["enum"])
