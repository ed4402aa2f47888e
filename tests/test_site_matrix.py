"""The matrix in a browser: every cell, reason, range and verdict as Python has them, in many states."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from os.path import basename as base
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ragvsft import prices
from ragvsft.cli import main
from ragvsft.costs import columns as cols
from ragvsft.costs import compare
from ragvsft.costs.methods import METHODS
from ragvsft.prices import PLACES
from ragvsft.retrieval import evaluated
from ragvsft.widgets import matrix as matrix_widget
from ragvsft.widgets.matrix import Matrix, matrix
from retrieval.drawn_evaluations import HOSTILE, HUGE, MARKUP, evaluation

ROOT = Path(__file__).parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WIDGETS = Path(matrix_widget.__file__).parent.parent
MATRIX = matrix("matrix", note="A note.")

READ = """() => {
  const root = document.getElementById("calc-matrix");
  const text = (node, selector) => node.querySelector(selector)?.textContent ?? "";
  return {
    head: [...root.querySelectorAll("thead th[data-column]")].map((cell) => cell.dataset.column),
    hosts: [...root.querySelectorAll(".matrix-host")].map((cell) => cell.textContent),
    cells: [...root.querySelectorAll("tbody td")].map((cell) => ({
      method: cell.parentElement.dataset.method,
      usd: text(cell, ".matrix-usd"),
      range: text(cell, ".matrix-range"),
      reason: text(cell, ".matrix-reason"),
      mark: text(cell, ".matrix-mark"),
      name: cell.className,
    })),
    verdict: text(root, ".matrix-verdict"),
    steps: [...root.querySelectorAll(".matrix-steps li")].map((step) => step.textContent),
    state: {...ragvsftCalculators.calculators.get("matrix").state},
  };
}"""
SETTLED = "() => document.getElementById('calc-matrix').dataset.drawn >= 1"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page that holds the matrix alone, with the styles and scripts of the site."""
    folder = tmp_path_factory.mktemp("matrix")
    for name in (*MATRIX.styles, *MATRIX.scripts):
        shutil.copy(WIDGETS / name, folder)
    static = WIDGETS.parent / "book" / "static"
    shutil.copy(static / "book.css", folder)
    shutil.copytree(static / "vendor", folder / "vendor")
    styles = "".join(
        f'<link rel="stylesheet" href="{name}">' for name in ["book.css", *map(base, MATRIX.styles)]
    )
    scripts = "".join(f'<script src="{base(name)}" defer></script>' for name in MATRIX.scripts)
    (folder / "page.html").write_text(
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Matrix</title>'
        f'<meta name="viewport" content="width=device-width">{styles}{scripts}</head>'
        f"<body><main><h1>Matrix</h1>{MATRIX.html()}</main></body></html>",
        "utf-8",
    )
    return (folder / "page.html").as_uri()


@pytest.fixture
def opened(address: str, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """`opened("text_may_go=eu", width=360)`: the matrix in this state, its ranges drawn, on Python's date."""

    def open_page(state: str = "", **options: Any) -> Page:
        page = new_page(**options)
        page.add_init_script(f"window.ragvsftToday = '{prices.today().isoformat()}'")
        page.goto(address + (f"#calc:matrix?{state}" if state else ""))
        page.wait_for_function(SETTLED)
        return page

    return open_page


def assert_as_python(seen: dict[str, Any], calculator: Matrix = MATRIX) -> None:
    """The whole matrix of a page against the cells that Python computes for the page's own state."""
    state = dict(seen["state"])
    chosen = tuple(state.pop("columns").split(","))
    cells = calculator.cells(chosen, **state)
    winner = compare.cheapest(cells)
    by_method = {name: [cell for cell in cells if cell.method.name == name] for name in METHODS}
    expected = []
    for name, row in by_method.items():
        for cell in row:
            shown = getattr(cell, state["show"], cell.horizon_usd)
            ranged = cell.available and state["show"] == "horizon_usd"
            expected.append(
                {
                    "method": name,
                    "usd": matrix_widget._usd(shown),
                    "range": matrix_widget._span(cell) if ranged else "",
                    "reason": cell.reason or ("confirm first" if cell.confirm_first else ""),
                    "mark": "costs least" if cell is winner else "",
                    "name": "unavailable" if not cell.available else "lowest" if cell is winner else "",
                }
            )
    assert seen["head"] == list(chosen)
    assert seen["cells"] == expected
    assert seen["verdict"] == compare.verdict(cells)
    hosts = [matrix_widget._hosts([c for c in cells if c.hosted.column.id == column]) for column in chosen]
    assert seen["hosts"] == hosts


STATES = {
    "default": "",
    "own-prices": "columns=mine,gpt-oss-20b&mine_input_usd_per_mtok=0.4&mine_output_usd_per_mtok=1.7",
    "small-window": "columns=mine&mine_context_window_tokens=2000",
    "short-horizon": "horizon_months=3&queries_per_month=1000",
    "documents-not-needed": "needs_documents=no",
    "few-documents": "documents=20&queries_per_month=5000000",
    "assumption-typed": "retrieved_chunks=9&output_tokens=2000",
} | {f"only-{place}": f"text_may_go={place}" for place in PLACES}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_every_cell_reason_range_and_the_verdict_are_pythons(state: str, opened: Callable[..., Page]) -> None:
    assert_as_python(opened(state).evaluate(READ))


def test_every_column_alone_is_pythons(opened: Callable[..., Page]) -> None:
    page = opened()
    for column in cols.columns():
        page.evaluate("(state) => { location.hash = `#calc:matrix?columns=${state}`; }", column)
        page.wait_for_function(
            "(id) => document.querySelectorAll('th[data-column]').length === 1 && "
            "document.querySelector(`th[data-column='${id}']`)",
            arg=column,
        )
        page.wait_for_function(SETTLED)
        page.wait_for_timeout(400)
        assert_as_python(page.evaluate(READ))


def test_a_preset_says_what_it_changed_and_gives_pythons_matrix(opened: Callable[..., Page]) -> None:
    for k, preset in enumerate(MATRIX.presets):
        page = opened()
        page.locator(f"[data-preset='{k}']").click()
        expect(page.locator(".calculator-message")).to_contain_text(f"{preset.label} set ")
        page.wait_for_function("document.getElementById('calc-matrix').dataset.drawn >= 2")
        assert_as_python(page.evaluate(READ))


@pytest.mark.parametrize("day", [date(2026, 12, 24), date(2027, 6, 1), date(2028, 1, 1)])
def test_on_a_later_day_the_same_offers_have_ended_and_the_same_prices_are_old(
    day: date, on: Callable[[date], None], opened: Callable[..., Page]
) -> None:
    on(day)
    seen = opened().evaluate(READ)
    assert_as_python(seen, matrix("matrix"))
    serving = [cols.columns()[column].serving for column in seen["head"]]
    sold = [cell for k, cell in enumerate(seen["cells"]) if serving[k % len(serving)] == "per_token"]
    assert day.year < 2028 or all(cell["reason"] for cell in sold)


def test_a_downloaded_scenario_gives_the_same_matrix_in_the_terminal(
    opened: Callable[..., Page], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for state in ("", STATES["own-prices"], "text_may_go=eu&documents=2000"):
        page = opened(state)
        with page.expect_download() as download:
            page.click("[data-action=scenario]")
        expect(page.locator(".calculator-done")).to_contain_text("gives the same result")
        file = tmp_path / "scenario.toml"
        download.value.save_as(file)
        assert main(["compare", str(file), "--json"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        told = json.loads(captured.out)
        seen = page.evaluate(READ)
        shown = {
            (cell["method"], seen["head"][k % len(seen["head"])]): cell
            for k, cell in enumerate(seen["cells"])
        }
        assert {(row["method"], row["column"]) for row in told["options"]} == set(shown)
        for row in told["options"]:
            cell = shown[row["method"], row["column"]]
            assert cell["reason"] == (row["reason"] or ("confirm first" if row["confirm_first"] else ""))
            assert cell["usd"] == matrix_widget._usd(row["horizon_usd"] or float("nan"))
        cheapest = told["cheapest"]
        assert [key for key, cell in shown.items() if cell["mark"]] == [
            (cheapest["method"], cheapest["column"])
        ]


def test_prices_say_how_old_the_oldest_is_on_the_readers_day(opened: Callable[..., Page]) -> None:
    page = opened()
    oldest = min(price.as_of for price in compare.prices_in_use(MATRIX.to_scenario()))
    days = (prices.today() - oldest).days
    assert page.locator(".calculator-age").text_content() == f"(the oldest is {days} days old)"


def test_the_keyboard_alone_adds_changes_and_removes_a_model(opened: Callable[..., Page]) -> None:
    page = opened()
    count = "document.querySelectorAll('th[data-column]').length"
    before = page.evaluate(count)
    page.locator("[data-add]").focus()
    page.keyboard.press("Enter")
    assert page.evaluate(count) == before + 1
    assert page.evaluate("document.activeElement.dataset.column") == str(before)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(count) == before
    assert page.evaluate("document.activeElement.tagName") == "SELECT"


def test_it_fits_a_phone(opened: Callable[..., Page]) -> None:
    for width in (320, 360, 390):
        page = opened(width=width)
        page.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(opened: Callable[..., Page], width: int, dark: bool) -> None:
    page = opened(width=width, dark=dark)
    page.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")
    page.add_script_tag(path=AXE)
    found = page.evaluate("() => axe.run(document, {preload: false, resultTypes: ['violations']})")
    assert [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found["violations"]] == []


def test_numbers_said_in_one_matrix_are_offered_in_the_next_until_forgotten(
    opened: Callable[..., Page], address: str
) -> None:
    page = opened()
    page.fill("#calc-matrix-documents", "777")
    page.wait_for_function("localStorage.getItem('workload')")
    page.goto("about:blank")
    page.goto(address)
    offer = page.locator(".calculator-offer")
    expect(offer).to_contain_text("777")
    page.click("[data-action=mine]")
    assert page.input_value("#calc-matrix-documents") == "777"
    expect(offer).to_be_hidden()
    page.click("[data-action=reset]")
    page.goto("about:blank")
    page.goto(address)
    page.click("[data-action=forget]")
    expect(offer).to_be_hidden()
    assert page.evaluate("localStorage.getItem('workload')") is None


def test_the_answer_stays_in_view_while_inputs_are_set(opened: Callable[..., Page]) -> None:
    page = opened(width=360, height=700)
    line = page.locator(".calculator-line")
    expect(line).to_be_in_viewport()
    expect(line).to_contain_text("costs least")
    page.locator(".matrix-verdict").scroll_into_view_if_needed()
    expect(line).to_have_class("calculator-line seen")
    low = opened(width=800, height=400)
    expect(low.locator(".calculator-line")).to_be_hidden()


# ------------------------------------------------------------------------------- the reader's own evaluation

PRICED = """() => [...document.querySelectorAll(".matrix-own-table tbody tr")].map((row) => [
  row.querySelector("th").textContent,
  [...row.querySelectorAll("td")].map((cell) => [...cell.children].map((span) => span.textContent)),
])"""


def give(page: Page, text: str, name: str = "evaluation.json") -> None:
    page.locator(".matrix-own input").set_input_files(
        {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    )


def expected_prices(page: Page, text: str) -> list[list[Any]]:
    """What Python says of the same file in the page's own state."""
    state = dict(page.evaluate(READ)["state"])
    chosen = tuple(state.pop("columns").split(","))
    figure = state["show"] if state["show"] in ("per_query_usd", "vendor_horizon_usd") else "horizon_usd"
    queries = 1 if figure == "per_query_usd" else state["queries_per_month"] * state["horizon_months"]
    lines = evaluated.lines(evaluated.read(text), MATRIX.cells(chosen, **state), queries, figure)

    def shown(cell: evaluated.UsdPerSuccess | str) -> list[str]:
        if isinstance(cell, str):
            return [cell]
        usd, low, high = (matrix_widget._usd(float(f"{value:.3g}")) for value in cell)
        return [usd, f"{low} to {high}"]

    return [[line.label, [shown(cell) for cell in line.cells]] for line in lines]


@pytest.mark.parametrize(
    "state", ["", "show=per_query_usd", "show=vendor_horizon_usd&documents=500", *STATES.values()]
)
def test_an_evaluation_is_priced_as_python_prices_it(state: str, opened: Callable[..., Page]) -> None:
    page, text = opened(state), json.dumps(evaluation())
    page.locator(".matrix-own > summary").click()
    give(page, text)
    expect(page.locator(".matrix-own-said")).to_contain_text("40 questions, BM25, dense, fusion, LambdaMART")
    assert page.evaluate(PRICED) == expected_prices(page, text)
    assert page.locator(".matrix-own img").count() == 0
    assert MARKUP in (page.locator(".matrix-own-notes").text_content() or "")


def test_a_file_of_the_command_itself_is_priced_and_follows_the_inputs(
    opened: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = ["refunds", "parcels", "warranty", "invoices"]
    (tmp_path / "documents").mkdir()
    for topic in topics:
        (tmp_path / "documents" / f"{topic}.md").write_text(f"# {topic}\n\nThe rule for {topic}.", "utf-8")
    asked = "question,document\n" + "".join(f"What is the rule for {t}?,{t}.md\n" for t in topics)
    (tmp_path / "questions.csv").write_text(asked, "utf-8")
    judged = (
        f"question,method,model,judge,correct\nWhat is the rule for parcels?,dense,gpt-oss-20b,{MARKUP},yes\n"
    )
    (tmp_path / "judged.csv").write_text(judged, "utf-8")
    names = [str(tmp_path / name) for name in ("documents", "questions.csv", "judged.csv", "out")]
    assert main(["evaluate", *names[:2], "--judged", names[2], "--out", names[3]]) == 0
    text = (tmp_path / "out" / "evaluation.json").read_text("utf-8")
    page = opened()
    page.locator(".matrix-own > summary").click()
    give(page, text)
    before = expected_prices(page, text)
    assert page.evaluate(PRICED) == before
    page.locator("[data-input=output_tokens] .number").fill("2000")
    page.wait_for_function("document.getElementById('calc-matrix').dataset.drawn >= 2")
    after = expected_prices(page, text)
    assert page.evaluate(PRICED) == after != before


def test_a_hostile_file_is_one_sentence_and_nothing_is_lost(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator(".matrix-own > summary").click()
    said = page.locator(".matrix-own-said")
    give(page, HOSTILE["a method twice"][0])
    expect(said).to_contain_text("Nothing was changed.")
    give(page, json.dumps(evaluation()))
    expect(said).to_contain_text("40 questions")
    kept, state = page.evaluate(PRICED), page.evaluate(READ)
    for name, (text, field) in {**HOSTILE, "huge": (HUGE, "size = ")}.items():
        give(page, text, f"{name}.json")
        expect(said).to_contain_text(f"{name}.json: ")
        told = (said.text_content() or "").removeprefix(f"{name}.json: ")
        assert told.startswith(field) or (field == "not JSON" and "not JSON" in told), (name, told)
        assert "must be" in told and told.endswith("The evaluation opened before is kept."), (name, told)
        assert len(told) < 400
        assert (page.evaluate(PRICED), page.evaluate(READ)) == (kept, state)


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_an_evaluation_is_accessible_and_fits(width: int, dark: bool, opened: Callable[..., Page]) -> None:
    page = opened(width=width, dark=dark)
    page.locator(".matrix-own > summary").press("Enter")
    give(page, json.dumps(evaluation()))
    expect(page.locator(".matrix-own-said")).to_contain_text("40 questions")
    page.add_script_tag(path=AXE)
    assert (
        page.evaluate(
            "axe.run('.matrix-own', {preload: false}).then((found) => found.violations.map(({id}) => id))"
        )
        == []
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
