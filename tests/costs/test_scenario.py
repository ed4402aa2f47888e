"""Scenario files: plain keys, one clear error each, and JSON whose keys do not change."""

import json
import math
import tomllib

import pytest
from ragvsft.costs.options import OPTIONS, availability, outputs

from ragvsft import prices
from ragvsft.costs import scenario
from ragvsft.data import DataError, read

KEYS = ["option", "available", "reason", "one_off_usd", "monthly_usd", "per_query_usd"]
KEYS += ["horizon_usd", "vendor_horizon_usd"]


def rows(**keys):
    return {row.option: row for row in scenario.compare(scenario.from_keys(keys))}


def test_the_example_is_the_default_scenario():
    assert scenario.read(scenario.example()) == scenario.default()
    assert "queries_per_month" in tomllib.loads(scenario.example())


def test_every_option_is_listed_and_its_total_adds_up():
    for name, row in rows(queries_per_month=12_345, horizon_months=7).items():
        assert row.horizon_usd == row.one_off_usd + 7 * (row.monthly_usd + 12_345 * row.per_query_usd), name
    assert list(rows()) == list(OPTIONS)


def test_the_json_keys_are_as_documented():
    printed = json.loads(json.dumps(scenario.as_json(scenario.default()), allow_nan=False))
    assert list(printed) == ["options", "prices_as_of", "horizon_months", "queries_per_month"]
    assert all(list(option) == KEYS for option in printed["options"])
    assert printed["horizon_months"] == 12 and printed["queries_per_month"] == 100_000


def test_no_default_option_uses_a_closed_offer():
    for kind in prices.KINDS:
        assert scenario.default().status(kind).available


def test_a_closed_offer_is_listed_with_its_reason():
    tuned = rows(tuned_model="openai-ft-gpt-4.1")
    assert not tuned["fine_tuned_hosted"].available
    assert "2027-01-14" in tuned["fine_tuned_hosted"].reason
    assert tuned["rag"].available


def test_an_offer_that_ends_inside_the_horizon_is_unavailable_only_then():
    assert rows(llm="gpt-4.1-mini", horizon_months=1)["rag"].available
    assert not rows(llm="gpt-4.1-mini", horizon_months=12)["rag"].available


def test_an_offer_without_a_price_has_no_figures():
    option = rows(vector_store="qdrant-cloud")["rag"]
    assert not option.available and "no published price" in option.reason
    assert math.isnan(option.horizon_usd)
    printed = scenario.as_json(scenario.from_keys({"vector_store": "qdrant-cloud"}))
    assert printed["options"][2]["horizon_usd"] is None


def test_a_corpus_that_fits_the_prompt_makes_long_context_available():
    assert rows(documents=100, tokens_per_document=1000)["long_context"].available
    too_long = rows(documents=1_000_000)["long_context"]
    assert not too_long.available and "1,500,002,900 tokens" in too_long.reason


@pytest.mark.parametrize("llm", ["claude-sonnet-5-5", "gpt-4.1-mini"])
@pytest.mark.parametrize("tuned_model", ["tinker-qwen3-8b", "openai-ft-gpt-4.1"])
@pytest.mark.parametrize("months", [1, 2, 12])
@pytest.mark.parametrize("documents", [100, 10_000])
def test_the_browsers_availability_agrees(llm, tuned_model, months, documents):
    keys = {"llm": llm, "tuned_model": tuned_model, "horizon_months": months, "documents": documents}
    chosen = scenario.from_keys(keys)
    s = scenario.inputs(chosen)
    for kind in prices.KINDS:
        setattr(s, f"{kind}_days_left", prices.days_left(chosen.selection[kind]))
    flags = availability(s)
    for row in scenario.compare(chosen):
        assert bool(flags[f"{row.option}_available"]) == row.available, row


def test_the_flat_outputs_are_the_same_figures():
    flat = outputs(scenario.inputs(scenario.default()))
    assert flat["rag_horizon_usd"] == rows()["rag"].horizon_usd


CARRIED = """
[prices.llm_input_usd_per_mtok]
value = 3.5
as_of = 2026-01-02
source = "an old bill"
"""


def test_carried_prices_are_used_and_compared_with_todays():
    carried = scenario.read(CARRIED)
    assert scenario.inputs(carried).llm_input_usd_per_mtok == 3.5
    (line,) = carried.price_changes()
    today = scenario.inputs(scenario.default()).llm_input_usd_per_mtok
    assert line.startswith("llm_input_usd_per_mtok: 3.5 in the scenario (2026-01-02)")
    assert f"{today:g} today" in line


def test_a_scenario_may_carry_prices_that_nobody_publishes():
    names = prices.LABELS["vector_store"]
    tables = [f'[prices.{name}]\nvalue = 2\nas_of = 2026-01-02\nsource = "a quote"' for name in names]
    quoted = scenario.read("\n".join(['vector_store = "qdrant-cloud"', *tables]))
    rag = {row.option: row for row in scenario.compare(quoted)}["rag"]
    assert rag.available and rag.horizon_usd > 0
    partly = scenario.read("\n".join(['vector_store = "qdrant-cloud"', *tables[1:]]))
    assert partly.status("vector_store").reason == "no published price (vector store: storage)"
    assert quoted.price_changes() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queries_per_mont = 5", "queries_per_mont: unknown key; did you mean 'queries_per_month'?"),
        ("queries_per_day = 5", "queries_per_day: unknown key; did you mean 'queries_per_month'?"),
        ("horizon_years = 1", "horizon_years: unknown key; did you mean 'horizon_months'?"),
        ("queries_per_month = -1", "queries_per_month = -1: must be a number from 1 to"),
        ("queries_per_month = nan", "queries_per_month = nan: must be a number from 1 to"),
        ("queries_per_month = inf", "queries_per_month = inf: must be a number from 1 to"),
        pytest.param(f"queries_per_month = 1{'0' * 400}", "must be a number from 1 to", id="beyond a float"),
        ('queries_per_month = "5k"', "queries_per_month = '5k': must be a number from 1 to"),
        ("queries_per_month = true", "queries_per_month = True: must be a number from 1 to"),
        ('llm = "claude-sonet-5-5"', "did you mean 'claude-sonnet-5-5'?"),
        ("llm = 3", "llm = 3: must be the id of an offer, in quotes"),
        ("a = ", "not valid TOML"),
        pytest.param(f"a = {'[' * 5000}", "not valid TOML", id="nested too deep"),
        ("[prices.llm_input_usd]\nvalue = 1", "prices.llm_input_usd: unknown price; did you mean"),
        ("[prices.llm_input_usd_per_mtok]\nvalue = 1", "as_of is missing"),
        (CARRIED.replace("3.5", "-3.5"), "prices.llm_input_usd_per_mtok.value = -3.5: must be a number"),
        (CARRIED.replace("3.5", "1e308"), ".value = 1e+308: must be a number from 0 to 1e+12"),
        pytest.param(
            CARRIED.replace("3.5", f"1{'0' * 400}"), "must be a number from 0 to", id="a price beyond"
        ),
        (CARRIED.replace("2026-01-02", "2026-01-02T10:00:00"), "must be a date as YYYY-MM-DD"),
        (CARRIED.replace("2026-01-02", '"2026"'), "as_of = '2026': must be a date"),
        (CARRIED.replace('"an old bill"', '""'), "source = '': must be text"),
        (CARRIED.replace("as_of", "asof"), "prices.llm_input_usd_per_mtok.asof: unknown key"),
        ("prices = 3", "prices = 3: must be tables"),
    ],
)
def test_one_clear_error(text, message):
    with pytest.raises(scenario.ScenarioError) as error:
        scenario.read(text)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("queries_per_mont,5", "queries_per_mont: unknown key; did you mean 'queries_per_month'?"),
        (
            "queries_per_month,-5",
            "queries_per_month = -5.0: must be a number from 1 to 1e+09 (queries/month)",
        ),
    ],
)
def test_a_bad_workload_is_named_with_its_line(tmp_path, row, message):
    path = tmp_path / "workloads.csv"
    path.write_text(f"workload,label,name,value\nbot,Bot,{row}\n")
    with pytest.raises(DataError) as error:
        read(path, scenario.WorkloadRow)
    assert str(error.value) == f"data/workloads.csv:2: {message}"


@pytest.mark.parametrize("workload", scenario.workloads())
def test_every_example_workload_is_a_valid_scenario(workload):
    label, keys = scenario.workloads()[workload]
    assert label and scenario.compare(scenario.from_keys(keys))
