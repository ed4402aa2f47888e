"""A calculator shows in Python what its JavaScript shows in a browser, and refuses what it cannot show."""

import json
import math
import re
import shutil
import subprocess
from datetime import date

import altair as alt
import pytest

from ragvsft.formula import where
from ragvsft.prices import Price
from ragvsft.widgets.calculator import (
    MIME,
    STATIC,
    Bars,
    Calculator,
    Cell,
    Choice,
    Crossings,
    Finding,
    Number,
    Preset,
    Row,
    Select,
    Sweep,
    Tornado,
)

PRICE = Price(
    offer="gpu-box",
    name="rate",
    label="Rate",
    value=2,
    unit="USD/h",
    as_of=date(2026, 11, 1),
    source_kind="secondary",
    source="https://example.org/rates",
)


def rent(i):
    return {"usd": i.hours * i.rate, "cheap": where(i.hours * i.rate < 10, 1, 0), "open": i.open}


def calculator(**changes):
    return Calculator(
        **{
            "id": "rent",
            "title": "Rent <a machine>",
            "inputs": (
                Number("hours", "Hours", "h", default=3, minimum=1, maximum=1000, scale="log"),
                Select(
                    "machine",
                    "Machine",
                    "small",
                    (
                        Choice("small", "Small", {"rate": 2, "open": 1}, (PRICE,)),
                        Choice("old", "Old", {"rate": 1, "open": 0}, (), "ends on 2027-01-06"),
                        Choice("new", "New", disabled=True, reason="no published price"),
                    ),
                ),
            ),
            "model": rent,
            "columns": ("Machine", "Cost", "Cheap?"),
            "rows": (Row("Rent", Cell("usd", "usd"), Cell("cheap", cases=("no", "yes")), available="open"),),
            "presets": (Preset("A week", {"hours": 168}),),
            "lowest": 1,
        }
        | changes
    )


def test_it_computes_for_its_defaults_and_for_any_state():
    assert calculator().compute() == {"usd": 6, "cheap": 1, "open": 1}
    assert calculator().compute(hours=24, machine="old") == {"usd": 24, "cheap": 0, "open": 0}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"hours": 0}, "hours = 0: must lie in 1 to 1000"),
        ({"hours": float("nan")}, "hours = nan: must lie in 1 to 1000"),
        ({"machine": "huge"}, "machine = 'huge': must be one of small, old"),
        ({"machine": "new"}, "machine = 'new': must be one of small, old"),
        ({"days": 2}, "no input is named 'days'"),
    ],
)
def test_a_bad_state_names_the_field_the_value_and_the_range(state, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        calculator().compute(**state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": (Row("Rent", Cell("eur"), Cell("usd")),)}, "the table shows ['eur']"),
        ({"rows": (Row("Rent", Cell("usd")),)}, "every row needs 2 cells"),
        ({"presets": (Preset("A day", {"days": 1}),)}, "'A day' sets the unknown ['days']"),
        ({"presets": (Preset("For ever", {"hours": 9e9}),)}, "hours = 9000000000.0: must lie in"),
    ],
)
def test_a_calculator_that_cannot_work_is_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        calculator(**changes)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="format = 'euro': must be one of usd"):
        Cell("usd", "euro")


def test_every_choice_of_a_list_sets_the_same_inputs():
    with pytest.raises(ValueError, match="every choice must set the same inputs"):
        Select("m", "M", "a", (Choice("a", "A", {"x": 1}), Choice("b", "B", {"y": 1})))


def test_the_table_reads_without_javascript_and_nothing_in_it_is_markup():
    html = calculator().html()
    assert "<td>$6.00</td><td>yes</td>" in html
    assert "Rent &lt;a machine&gt;" in html and "<a machine>" not in html
    assert '<form class="calculator-form" autocomplete="off" hidden>' in html


def test_every_price_stands_with_its_date_and_source():
    html = calculator().html()
    assert "2026-11-01" in html and 'href="https://example.org/rates"' in html
    assert "(secondary source)" in html


def test_an_offer_that_ends_shows_its_end_and_one_without_price_cannot_be_chosen():
    html = calculator().html()
    assert '<option value="old">Old (see note)</option>' in html and "ends on 2027-01-06" in html
    assert '<option value="new" disabled>New (no published price)</option>' in html


def test_chart_rows_sweep_one_input():
    swept = calculator(
        chart=lambda rows: alt.Chart(rows).mark_line().properties(description="Cost by hours"),
        sweep=Sweep("hours", (1, 10), {"usd": "Cost"}),
        finding=Finding("{machine}, {hours:count} hours: {lowest_value:usd}"),
    )
    assert swept.chart_rows(hours=5) == [
        {"x": 1, "series": "Cost", "value": 2.0, "now": 5.0},
        {"x": 10, "series": "Cost", "value": 20.0, "now": 5.0},
    ]
    assert swept.chart_rows(machine="old") == []
    assert "rows" in json.dumps(swept.vegalite())
    assert swept.vegalite()["title"] == swept.finding_text() == "Small, 3 hours: $6.00"
    assert swept.finding_text(machine="old", hours=4) == "Old, 4 hours: –"


@pytest.mark.parametrize(
    ("finding", "hours", "text"),
    [
        (Finding("it costs {usd:usd}, cheap: {cheap}"), 3, "It costs $6.00, cheap: yes"),
        (Finding("Dear", "Cheap at {usd:usd}", by="cheap"), 3, "Cheap at $6.00"),
        (Finding("Dear", "Cheap at {usd:usd}", by="cheap"), 30, "Dear"),
        (
            Finding("{highest} is {share:percent}, {times:number} times {lowest}"),
            3,
            "Cost is 85.7%, 6 times Flag",
        ),
    ],
)
def test_a_finding_is_chosen_by_an_output_and_filled_with_figures_and_words(finding, hours, text):
    bars = calculator(sweep=Bars({"usd": "Cost", "cheap": "Flag"}), finding=finding)
    assert bars.finding_text(hours=hours) == text


def test_a_chart_without_a_finding_is_refused():
    with pytest.raises(ValueError, match="no finding to be titled with"):
        calculator(chart=lambda rows: alt.Chart(rows).mark_line())


def test_chart_rows_of_bars_follow_the_state():
    bars = calculator(sweep=Bars({"usd": "Cost"}))
    assert bars.chart_rows(hours=4) == [{"series": "Cost", "value": 8.0}]


def test_a_chart_without_description_is_refused():
    silent = calculator(
        chart=lambda rows: alt.Chart(rows).mark_line(),
        sweep=Sweep("hours", (1, 2), {"usd": "Cost"}),
        finding=Finding("It costs {usd:usd}"),
    )
    with pytest.raises(ValueError, match="no description"):
        silent.vegalite()


def test_only_a_row_that_does_the_job_is_marked_lowest():
    rows = (
        Row("Cheap", Cell("open"), candidate="cheap"),
        Row("Dear", Cell("usd")),
    )
    two = calculator(columns=("", "Value"), rows=rows)
    assert two._lowest_row(two.compute(hours=3)) == 0
    assert two._lowest_row(two.compute(hours=300)) == 1


def test_the_bundle_serves_the_site_jupyterlab_and_a_terminal():
    bundle = calculator()._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/html", "text/plain"}
    assert "ragvsftCalculators.start(document,true)" in bundle["text/html"]
    assert bundle["text/plain"].splitlines() == [
        "Rent <a machine>",
        "Machine | Cost | Cheap?",
        "Rent | $6.00 | yes",
    ]


def test_a_script_cannot_be_closed_from_inside_the_data():
    sly = calculator(
        inputs=(
            Number("hours", "</script><b>", default=3, minimum=1, maximum=9),
            *calculator().inputs[1:],
        ),
        presets=(),
    )
    data = sly.html().split('class="calculator-data">')[1].split("</script>")[0]
    assert json.loads(data)["inputs"][0]["label"] == "</script><b>"


def pay(i):
    return {"rent_usd": i.hours * i.rate, "buy_usd": i.price, "rent": 0, "buy": 1}


def rent_or_buy(**changes):
    return Calculator(
        **{
            "id": "rent-or-buy",
            "title": "Rent or buy?",
            "inputs": (
                Number("hours", "Hours", "h", default=3, minimum=1, maximum=1000),
                Number("price", "Price", "USD", default=100, minimum=0, maximum=5000),
                Select("machine", "Machine", "small", (Choice("small", "Small", {"rate": 2}),)),
            ),
            "model": pay,
            "columns": ("", "Hours", "Lower from there on"),
            "rows": (Row("First", Cell("use_crossing_1"), Cell("use_lower_1", cases=("rent", "buy"))),),
            "crossings": (Crossings("use", "hours", ("rent_usd", "rent"), ("buy_usd", "buy"), 1, 1000),),
        }
        | changes
    )


def test_a_search_adds_where_two_outputs_change_order():
    outputs = rent_or_buy().compute()
    assert outputs["use_crossing_1"] == outputs["use_overtakes"] == pytest.approx(50)
    assert (outputs["use_crossings"], outputs["use_end"], outputs["use_lower_end"]) == (1, 1000, 1)
    assert (outputs["use_lower_0"], outputs["use_lower_1"]) == (0, 1)
    assert math.isnan(outputs["use_crossing_2"]) and math.isnan(outputs["use_lower_2"])
    assert "<td>50</td><td>buy</td>" in rent_or_buy().html()


def test_without_a_crossing_the_table_says_so_and_the_lower_one_holds_throughout():
    never = rent_or_buy().compute(price=5000)
    assert (never["use_crossings"], never["use_overtakes"], never["use_lower_end"]) == (0, 1000, 0)
    at_once = rent_or_buy().compute(price=0)
    assert (at_once["use_crossings"], at_once["use_overtakes"], at_once["use_lower_end"]) == (0, 1, 1)


def test_a_tornado_moves_one_input_at_a_time_the_widest_swing_first():
    ranges = {"price": ("Price", 50, 200), "rate": ("Rate", 1, 4)}
    rows = rent_or_buy(sweep=Tornado("use_overtakes", ranges)).chart_rows(price=120)
    assert [row["series"] for row in rows] == ["Rate", "Price"]
    assert [(row["low"], row["high"], row["now"]) for row in rows] == [
        pytest.approx((120, 30, 60)),
        pytest.approx((25, 100, 60)),
    ]


def test_a_series_may_be_named_after_the_choice():
    rows = rent_or_buy(sweep=Sweep("hours", (1,), {"rent_usd": "{machine} machine"})).chart_rows()
    assert rows == [{"x": 1, "series": "Small machine", "value": 2.0, "now": 3.0}]


PAGE = """
globalThis.window = globalThis;
const data = %s;
globalThis.document = {querySelector: () => null, readyState: "loading", addEventListener() {}};
%s
%s
const shown = Object.create(ragvsftCalculators.Calculator.prototype, {
  data: {value: data}, model: {value: %s},
});
const outputs = shown.compute(%s);
console.log(JSON.stringify([outputs, shown.chartRows(%s, outputs)]));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_searches_and_swings_as_python_does():
    shown = rent_or_buy(sweep=Tornado("use_overtakes", {"price": ("Price", 0, 1900), "rate": ("Rate", 1, 4)}))
    values = json.dumps(shown.values())
    scripts = [(STATIC / name).read_text() for name in ("crossings.js", "calculator.js")]
    program = PAGE % (json.dumps(shown.payload()), *scripts, f"({shown.javascript})", values, values)
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    outputs, rows = json.loads(run.stdout)
    python = {k: None if math.isnan(v) else v for k, v in shown.compute().items()}
    assert outputs == python
    assert rows == shown.chart_rows()
