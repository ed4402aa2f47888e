"""Every calculator of the built site against Python: each slider, field, list and preset; links; keyboard.

The matrix has tests of its own: test_site_matrix.py.
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from costs.test_methods import random_cases
from in_notebook import shown
from ragvsft.costs.inputs import inputs
from ragvsft.costs.methods import figures
from ragvsft.prose import percent
from ragvsft.widgets.calculator import Calculator, Number, Select
from ragvsft.widgets.matrix import Matrix

ROOT = Path(__file__).parent.parent
COST_PAGE = "chapters/cost/cost-comparison.html"
NOTEBOOKS = [ROOT / "index.ipynb", *sorted((ROOT / "chapters").rglob("*.ipynb"))]

MOVE_EVERYTHING = """(id) => {
  const calculator = ragvsftCalculators.calculators.get(id);
  const root = calculator.root;
  const seen = [];
  const note = (what) => seen.push({
    what,
    state: {...calculator.state},
    outputs: {...calculator.outputs},
    table: calculator.tableRows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)),
    marks: calculator.tableRows.map((row) => row.className),
    message: calculator.message.textContent,
  });
  const put = (element, value, ...events) => {
    element.value = value;
    events.forEach((name) => element.dispatchEvent(new Event(name, {bubbles: true})));
  };
  note("default");
  for (const input of calculator.inputs.values()) {
    if (input.choices) {
      for (const choice of Object.keys(input.choices)) {
        put(calculator.element(input.name, "select"), choice, "input");
        note(`${input.name}: ${choice}`);
      }
    } else {
      for (const position of [0, 1, 333, 500, 819, 1000]) {
        put(calculator.element(input.name, ".slider"), position, "input");
        note(`${input.name}: slider ${position}`);
      }
      const beyond = [input.max * 10 + 1, input.min - 1];
      for (const value of [input.min, input.max, ...beyond, "<b>x</b>", "", "1e999"]) {
        put(calculator.element(input.name, ".number"), value, "input", "change");
        note(`${input.name}: typed ${value}`);
      }
    }
    root.querySelector('[data-action="reset"]').click();
  }
  root.querySelectorAll("[data-preset]").forEach((button) => {
    button.click();
    note(`preset ${button.textContent}`);
  });
  root.querySelector('[data-action="reset"]').click();
  note("reset");
  return seen;
}"""


@pytest.fixture(scope="session")
def calculators(site_dir: Path) -> dict[str, tuple[str, Calculator]]:
    """id → (page address, the object that its notebook shows)."""
    found = {}
    for notebook in NOTEBOOKS:
        address = notebook.relative_to(ROOT).with_suffix(".html").as_posix()
        if 'class="calculator-data"' not in (site_dir / address).read_text(encoding="utf-8"):
            continue
        for value in shown(notebook):
            if isinstance(value, Calculator) and not isinstance(value, Matrix):
                assert value.id not in found, f"two calculators are called {value.id}"
                found[value.id] = (address, value)
    assert found
    return found


@pytest.fixture
def pages(calculators, site_url, new_page) -> Iterator[tuple[Calculator, Page]]:
    """Every calculator with its page open."""

    def each() -> Iterator[tuple[Calculator, Page]]:
        page, opened = new_page(), ""
        for address, calculator in calculators.values():
            if address != opened:
                page.goto(f"{site_url}/{address}")
                opened = address
            yield calculator, page

    return each()


def same(browser: Any, python: Any) -> bool:
    if not isinstance(python, float):
        return bool(browser == python)
    if browser is None or not math.isfinite(python):
        return not math.isfinite(python) and (browser is None or not math.isfinite(browser))
    return math.isclose(browser, python, rel_tol=1e-12, abs_tol=0)


def test_every_input_of_every_calculator_gives_what_python_gives(pages):
    for calculator, page in pages:
        for seen in page.evaluate(MOVE_EVERYTHING, calculator.id):
            where = f"{calculator.id}, {seen['what']}"
            outputs = calculator.compute(**seen["state"])
            for name, value in outputs.items():
                assert same(seen["outputs"][name], value), f"{where}: {name}"
            marked = calculator._lowest_row(outputs)
            for k, row in enumerate(calculator.rows):
                texts = [cell.text(seen["outputs"]) for cell in row.cells]
                assert seen["table"][k] == texts, where
                closed = bool(row.available) and not outputs[row.available]
                expected = "unavailable" if closed else "lowest" if k == marked else ""
                assert seen["marks"][k] == expected, (where, row.label)


@pytest.mark.parametrize("serving", ["per_token", "self_hosted"])
def test_the_cost_model_agrees_on_thousands_of_random_inputs(serving, site_url, new_page):
    """In the site's own browser, to a relative 1e-12, for the cache hit rate brings in exp."""
    drawn = random_cases(3000, seed=2)
    rows = [{name: float(values[k]) for name, values in drawn.items()} for k in range(3000)]
    page = new_page()
    page.goto(f"{site_url}/{COST_PAGE}")
    run = "([rows, serving]) => rows.map(ragvsftModels['cost-comparison'][serving])"
    for row, browser in zip(rows, page.evaluate(run, [rows, serving]), strict=True):
        for name, value in figures(inputs(row), serving).items():
            assert same(browser[name], float(value)), (name, row)


def test_values_out_of_range_are_clamped_and_said(pages):
    for calculator, page in pages:
        seen = {entry["what"]: entry for entry in page.evaluate(MOVE_EVERYTHING, calculator.id)}
        for entry in calculator.inputs:
            if isinstance(entry, Select):
                continue
            below = seen[f"{entry.name}: typed <b>x</b>"]
            assert below["message"].startswith(entry.label) and "is not a number" in below["message"]
            for what in seen:
                if what.startswith(f"{entry.name}: typed"):
                    assert entry.minimum <= seen[what]["state"][entry.name] <= entry.maximum
        assert seen["reset"]["state"] == {entry.name: entry.default for entry in calculator.inputs}


def random_state(calculator: Calculator, seed: int) -> dict[str, float | str]:
    draw = random.Random(seed)
    state: dict[str, float | str] = {}
    for entry in calculator.inputs:
        if isinstance(entry, Number):
            value = draw.uniform(entry.minimum, entry.maximum)
            state[entry.name] = float(round(value)) if entry.whole else value
        else:
            state[entry.name] = draw.choice(entry.open).id
    return state


def test_a_link_carries_the_whole_state(calculators, site_url, new_page):
    page = new_page()
    for seed, (address, calculator) in enumerate(calculators.values()):
        state = random_state(calculator, seed)
        query = "&".join(f"{name}={value!r}".replace("'", "") for name, value in state.items())
        page.goto("about:blank")
        page.goto(f"{site_url}/{address}#calc:{calculator.id}?{query}")
        read = "(id) => ragvsftCalculators.calculators.get(id)"
        assert page.evaluate(f"(id) => ({read})(id).state", calculator.id) == state
        link = page.evaluate(f"(id) => new URL(({read})(id).address(), location.href).href", calculator.id)
        page.goto("about:blank")
        page.goto(link)
        assert page.evaluate(f"(id) => ({read})(id).state", calculator.id) == state


def test_an_old_link_says_what_it_dropped(calculators, site_url, new_page):
    address, calculator = next(iter(calculators.values()))
    page = new_page()
    page.goto(f"{site_url}/{address}#calc:{calculator.id}?gone_since=3")
    message = page.locator(f"#calc-{calculator.id} .calculator-message")
    assert message.inner_text() == "“gone_since” is not an input of this calculator and was left out."


FRAGMENTS = [
    "calc:",
    "calc:total-by-volume",
    "calc:total-by-volume?",
    "calc:total-by-volume?queries_per_month",
    "calc:total-by-volume?queries_per_month=1&queries_per_month=2",
    "calc:total-by-volume?queries_per_month=%00%ff",
    "calc:total-by-volume?__proto__=1&constructor=2&toString=3",
    "calc:total-by-volume?model=__proto__&gpu=constructor",
    "calc:total-by-volume?queries_per_month=<script>window.hacked=1</script>",
    "calc:total-by-volume?model=<img src=x onerror=window.hacked=1>",
    "calc:total-by-volume?queries_per_month=1e308;calc:total-by-volume?queries_per_month=-1e308",
    "calc:../../etc?a=b",
    "calc:total-by-volume?" + "a=1&" * 3000,
    "%E0%A4%A",
    "'\"><b>",
]


def test_no_fragment_breaks_the_page_or_runs_code(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    draw = random.Random(0)
    alphabet = "calc:ost-mprin?=&;%<>\"'`${}()0123456789_.\\/é\u202e"
    noise = ["calc:total-by-volume?" + "".join(draw.choices(alphabet, k=60)) for _ in range(60)]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    for fragment in FRAGMENTS + noise:
        page.evaluate("(text) => { location.hash = text; }", fragment)
        page.evaluate("() => new Promise((done) => setTimeout(done, 5))")
        finite = page.evaluate(
            "() => Object.values(ragvsftCalculators.calculators.get('total-by-volume').outputs)"
            ".every(Number.isFinite)"
        )
        assert finite, fragment
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("#calc-total-by-volume :is(img, b, iframe)").count() == 0


def test_the_keyboard_alone_is_enough(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    total = "() => ragvsftCalculators.calculators.get('total-by-volume').outputs.rag_horizon_usd"
    before = page.evaluate(total)
    page.locator("#calc-total-by-volume-queries_per_month").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    moved = page.evaluate(total)
    assert moved > before
    page.locator("#calc-total-by-volume [data-action=reset]").focus()
    page.keyboard.press("Enter")
    reset = page.evaluate(total)
    assert reset == before
    folds = page.locator("#calc-cost-comparison summary")
    folds.first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#calc-cost-comparison details").first.get_attribute("open") is not None


def test_without_javascript_the_reader_has_the_table(calculators, site_url, new_page):
    page = new_page(java_script_enabled=False)
    for address, calculator in calculators.values():
        page.goto(f"{site_url}/{address}")
        section = page.locator(f"#calc-{calculator.id}")
        assert not section.locator("form").locator("visible=true").count()
        outputs = calculator.compute()
        for k, row in enumerate(calculator.rows):
            cells = section.locator(".calculator-result tbody tr").nth(k).locator("td").all_inner_texts()
            assert cells == [cell.text(outputs) for cell in row.cells]


READ = "() => ragvsftCalculators.calculators.get('total-by-volume').state.queries_per_month"


@pytest.mark.parametrize(
    ("typed", "read"),
    [("1,000", 1000), ("1,234,567.5", 1_234_567.5), ("1 000", 1000), ("$5", 5), ("1e5", 1e5), (".5e3", 500)],
)
def test_a_number_may_be_grouped(typed, read, calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    page.locator("#calc-total-by-volume-queries_per_month").fill(typed)
    assert page.evaluate(READ) == read


@pytest.mark.parametrize(
    "typed", ["1,5", "0,5", "1.000,5", "1,00", "1,2345", ",,5", "5k", "１２", "9" * 100_000]
)
def test_a_number_that_could_be_misread_is_refused(typed, calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    page.locator("#calc-total-by-volume-queries_per_month").fill(typed)
    page.keyboard.press("Tab")
    assert page.evaluate(READ) == 100_000
    message = page.locator("#calc-total-by-volume .calculator-message").inner_text()
    assert "is not a number from" in message and len(message) < 200


def test_a_link_full_of_faults_says_so_briefly(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    faults = "&".join(f"gone_{k}=1" for k in range(3000))
    page.goto(f"{site_url}/{address}#calc:total-by-volume?{faults}&{'twice=1&' * 10}")
    message = page.locator("#calc-total-by-volume .calculator-message").inner_text()
    assert message.startswith("“gone_0” is not an input") and message.endswith(" And 2998 more.")


def test_a_link_to_a_calculator_that_left_the_page_says_so(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}#calc:gone?a=1;calc:total-by-volume?queries_per_month=777&b=2")
    message = page.locator("#calc-total-by-volume .calculator-message").inner_text()
    assert message.endswith("“gone” is no longer on this page.") and "“b” is not an input" in message
    assert page.evaluate(READ) == 777


def test_a_heading_in_the_address_loses_no_calculators_state(calculators, site_url, new_page):
    address, _ = calculators["cost-drivers"]
    page = new_page()
    linked = "calc:break-even-drivers?queries_per_month=5000"
    page.goto(f"{site_url}/{address}#{linked}")
    page.evaluate("() => { location.hash = document.querySelector('section[id] section[id]').id; }")
    page.wait_for_timeout(50)
    page.locator("#calc-cost-drivers-queries_per_month").fill("777")
    page.wait_for_function("() => location.hash.startsWith('#calc:')")
    fragment = page.evaluate("() => location.hash")
    assert fragment == f"#{linked};calc:cost-drivers?queries_per_month=777"


def test_every_arrow_key_moves_a_slider_one_step_its_way(pages):
    for calculator, page in pages:
        stuck = page.evaluate(
            """(id) => {
              const calculator = ragvsftCalculators.calculators.get(id);
              const stuck = [];
              const press = (slider, key) =>
                slider.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
              for (const input of calculator.inputs.values()) {
                if (input.choices) continue;
                const slider = calculator.element(input.name, ".slider");
                const now = () => calculator.state[input.name];
                const [low, high] = input.span;
                for (const [key, way] of [["ArrowRight", 1], ["ArrowLeft", -1], ["ArrowUp", 1]]) {
                  for (let k = 0; k < 12; k += 1) {
                    const before = now();
                    press(slider, key);
                    const end = way > 0 ? before >= high : before <= low;
                    const moved = way * (now() - before);
                    if (end ? moved !== 0 : moved <= 0) stuck.push([input.name, key, before]);
                  }
                }
              }
              calculator.root.querySelector('[data-action="reset"]').click();
              return stuck;
            }""",
            calculator.id,
        )
        assert stuck == [], calculator.id


def test_a_drag_is_announced_once_when_it_rests(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    said = page.evaluate(
        """async () => {
          const {root} = ragvsftCalculators.calculators.get("total-by-volume");
          const heard = [];
          root.querySelectorAll("[aria-live], [role=status]").forEach((region) =>
            new MutationObserver(() => region.textContent && heard.push(region.textContent))
              .observe(region, {subtree: true, childList: true, characterData: true}));
          const slider = root.querySelector('[data-input="queries_per_month"] .slider');
          for (let k = 0; k < 40; k += 1) {
            slider.value = 20 * k;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            await new Promise((done) => setTimeout(done, 5));
          }
          await new Promise((done) => setTimeout(done, 1500));
          return heard;
        }"""
    )
    total = page.locator("#calc-total-by-volume .calculator-result tbody td").first.inner_text()
    label = page.locator("#calc-total-by-volume .calculator-result tbody th").first.evaluate(
        "(cell) => cell.firstChild.textContent"
    )
    assert len(said) == 1 and said[0].startswith(f"{label}: Total {total}, ")


def test_a_chart_far_down_the_page_is_drawn_for_the_linked_inputs(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page(height=500)
    page.goto(f"{site_url}/{address}")
    assert page.locator("#calc-total-by-volume .chart-live").count() == 0
    page.goto("about:blank")
    page.goto(f"{site_url}/{address}#calc:total-by-volume?queries_per_month=777")
    page.evaluate("() => scrollTo(0, 0)")
    page.wait_for_selector("#calc-total-by-volume .chart-live", state="attached")
    page.wait_for_function(
        """async () => {
          const chart = document.querySelector("#calc-total-by-volume .calculator-chart");
          return (await ragvsftCharts.view(chart)).data("rows")[0].now === 777;
        }"""
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_the_largest_value_fits_its_field(width, pages):
    for calculator, page in pages:
        page.set_viewport_size({"width": width, "height": 900})
        clipped = page.evaluate(
            """(id) => {
              const calculator = ragvsftCalculators.calculators.get(id);
              const numbers = [...calculator.inputs.values()].filter((input) => !input.choices);
              calculator.root.querySelectorAll("details").forEach((group) => { group.open = true; });
              for (const input of numbers) calculator.state[input.name] = input.max;
              calculator.show();
              const fields = numbers.map((input) => calculator.element(input.name, ".number"));
              return fields.filter((field) => field.scrollWidth > field.clientWidth).map((field) => field.id);
            }""",
            calculator.id,
        )
        assert clipped == []


def test_percentages_are_printed_as_python_prints_them(calculators, site_url, new_page):
    address, _ = calculators["total-by-volume"]
    page = new_page()
    page.goto(f"{site_url}/{address}")
    shares = [10.552686, 58.525, -12.345, 0.99999999999999, 1e-13, 0.07, 1, 0, 0.0005, 123456.7891]
    texts = page.evaluate("(shares) => shares.map(ragvsftCalculators.format.percent)", shares)
    assert texts == [percent(share) for share in shares]


def test_the_chart_follows_the_inputs(calculators, site_url, new_page):
    page = new_page()
    for address, calculator in calculators.values():
        if calculator.chart is None:
            continue
        page.goto(f"{site_url}/{address}")
        rows = page.evaluate(
            """async (id) => {
              const calculator = ragvsftCalculators.calculators.get(id);
              const preset = calculator.root.querySelector("[data-preset]");
              if (preset) preset.click();
              await new Promise((done) => setTimeout(done, 300));
              const place = calculator.root.querySelector(".calculator-chart");
              place.scrollIntoView();
              const view = await ragvsftCharts.view(place);
              await view.runAsync();
              return {rows: view.data("rows"), state: calculator.state};
            }""",
            calculator.id,
        )
        expected = calculator.chart_rows(**rows["state"])
        assert len(rows["rows"]) == len(expected), calculator.id
        for shown_row, row in zip(rows["rows"], expected, strict=True):
            assert all(same(shown_row[key], value) for key, value in row.items()), (shown_row, row)
