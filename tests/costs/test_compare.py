"""The matrix: every cell names its model, does the job or says why not, and leads by a range."""

import json
import math

import jsonschema
import numpy as np
import pytest

from clock import CHECKED
from ragvsft.costs import compare, scenario
from ragvsft.costs.columns import DEFAULT_COLUMNS, columns
from ragvsft.costs.methods import METHODS, figures, roles
from ragvsft.prices import PLACES, offer, offers

FEW = 64


@pytest.fixture(autouse=True)
def _as_checked(on):
    on(CHECKED)


def cells(**keys):
    return {cell.key: cell for cell in compare.matrix(scenario.from_keys(keys), FEW)}


# The JSON


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"queries_per_month": 12_345, "horizon_months": 7},
        {"text_may_go": "eu", "columns": list(columns())[:-1]},
        {"text_may_go": "own_machines"},
        {"store": "qdrant-cloud", "needs_documents": "no"},
        {"columns": ["gpt-4.1-mini"], "min_gpus": 2},
        {"mine": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2, "context_window_tokens": 1e5}},
    ],
    ids=str,
)
def test_the_json_is_what_its_schema_says_and_every_total_adds_up(keys):
    printed = json.loads(json.dumps(compare.as_json(scenario.from_keys(keys)), allow_nan=False))
    jsonschema.validate(printed, compare.json_schema(), jsonschema.Draft202012Validator)
    for row in printed["options"]:
        if row["horizon_usd"] is None:
            continue
        monthly = row["monthly_usd"] + printed["queries_per_month"] * row["per_query_usd"]
        assert row["horizon_usd"] == row["one_off_usd"] + printed["horizon_months"] * monthly
        assert row["per_query_usd"] == sum(row["stages"].values())
        assert row["horizon_low_usd"] <= row["horizon_high_usd"]


def test_the_schema_refuses_what_it_should():
    jsonschema.Draft202012Validator.check_schema(compare.json_schema())
    printed = compare.as_json(scenario.default())
    for wrong in ({"reason": ""}, {"method": "magic"}, {"horizon_usd": "much"}):
        broken = printed | {"options": [printed["options"][0] | wrong]}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, compare.json_schema())


def test_rows_are_every_method_on_every_column_and_name_the_base_model_alike():
    rows = compare.as_json(scenario.default())["options"]
    assert [(row["method"], row["column"]) for row in rows] == [
        (m, c) for m in METHODS for c in DEFAULT_COLUMNS
    ]
    assert {row["model"] for row in rows if row["column"].startswith("gpt-oss-20b")} == {"gpt-oss-20b"}
    by_key = {(row["method"], row["column"]): row for row in rows}
    assert by_key["rag", "gpt-oss-20b"]["host"] == "Fireworks AI"
    assert by_key["rag_fine_tuned", "gpt-oss-20b"]["host"] == "Microsoft"
    assert by_key["rag", "claude-sonnet-5.5"]["region"] == "global"
    assert by_key["rag", "gpt-oss-20b-self-hosted"]["host"] == "RunPod"


def test_the_flat_figures_are_the_same():
    chosen = scenario.default()
    s = chosen.inputs("gpt-oss-20b")
    flat = figures(s, "per_token")
    for (method, column), cell in cells().items():
        if column == "gpt-oss-20b":
            assert flat[f"{method}_horizon_usd"] == cell.horizon_usd
            assert bool(flat[f"{method}_fits"]) != cell.reason.startswith("one call needs")


# Which cells do the job


def test_no_cell_of_the_default_matrix_stands_on_a_closed_offer():
    for cell in cells().values():
        assert not any(word in cell.reason for word in ("closed", "ended", "days old"))


def test_a_method_that_knows_no_document_is_greyed_unless_none_is_needed():
    assert cells()["prompting", "claude-haiku-5.5"].reason == compare.UNAWARE
    assert cells(needs_documents="no")["prompting", "claude-haiku-5.5"].available
    assert not cells()["prompting", "claude-haiku-5.5"].available


def test_a_closed_model_without_a_tuning_offer_has_no_tuned_cell():
    cell = cells()["fine_tuned", "claude-sonnet-5.5"]
    assert (cell.available, cell.reason) == (False, "nobody sells Claude Sonnet 5.5 fine-tuned by the token")
    assert math.isnan(cell.horizon_usd)


def test_the_cheapest_is_the_lowest_that_does_the_job():
    found = cells()
    running = [cell for cell in found.values() if cell.available]
    winner = compare.cheapest(running)
    assert winner is min(running, key=lambda cell: cell.horizon_usd)
    lowest = min(found.values(), key=lambda cell: cell.horizon_usd if cell.horizon_usd > 0 else math.inf)
    assert not lowest.available, "prompting costs less and does not do the job"


def test_where_nothing_does_the_job_nothing_is_called_cheapest():
    nothing = tuple(cell for cell in cells().values() if not cell.available)
    assert compare.cheapest(nothing) is None
    assert compare.verdict(nothing) == "No cell of the matrix does the job."


def test_the_lead_is_taken_draw_by_draw_and_said_in_words():
    found = compare.matrix(scenario.default(), FEW)
    winner = compare.cheapest(found)
    other = compare.runner_up(found, winner)
    lead = compare.lead_of(winner, other)
    difference = other.draws_usd - winner.draws_usd
    assert lead.usd == tuple(np.quantile(difference, (0.1, 0.5, 0.9)))
    assert lead.share_won == np.mean(difference > 0)
    said = compare.verdict(found)
    assert said.startswith(f"{winner.label} costs least. Its lead over {other.label} is ")
    assert f"it wins {lead.share_won:.0%} of the draws" in said


# Where text may go


@pytest.mark.parametrize("place", PLACES)
def test_a_place_chooses_hosts_and_never_which_methods_exist(place):
    found = cells(text_may_go=place)
    assert list(found) == list(cells())
    for cell in found.values():
        paid = [cell.hosted.offers[role] for role in roles(cell.method, cell.hosted.column.serving)]
        if cell.available:
            assert all(offer(name).may_process(place) for name in paid)


@pytest.mark.parametrize("place", [place for place in PLACES if place != "anywhere"])
def test_an_offer_of_unknown_place_may_process_nothing_that_is_confined(place):
    unknown = [row for row in offers().values() if not row.regions]
    assert unknown and not any(row.may_process(place) for row in unknown)


def test_europe_has_a_whole_ladder_and_its_weak_rungs_are_marked():
    found = cells(text_may_go="eu")
    available = {key for key, cell in found.items() if cell.available}
    assert {
        ("rag", "claude-sonnet-5.5"),
        ("rag", "gpt-oss-20b"),
        ("rag_fine_tuned", "gpt-oss-20b"),
    } <= available
    assert ("rag", "gpt-oss-20b-self-hosted") in available
    assert found["rag", "gpt-oss-20b"].confirm_first and found["rag_fine_tuned", "gpt-oss-20b"].confirm_first
    assert not found["rag", "claude-sonnet-5.5"].confirm_first
    sonnet = found["rag", "claude-sonnet-5.5"].hosted.offers
    assert (
        sonnet["answer_llm"] == "bedrock-eu-claude-sonnet-5-5" and sonnet["store"] == "pinecone-standard-eu"
    )


def test_a_cell_that_needs_confirmation_is_never_called_cheapest():
    found = list(cells(text_may_go="eu").values())
    lowest = min((cell for cell in found if cell.available), key=lambda cell: cell.horizon_usd)
    assert lowest.confirm_first
    assert not compare.cheapest(found).confirm_first
    only = [cell for cell in found if cell.confirm_first and cell.available]
    assert compare.cheapest(only) is None
    assert compare.verdict(only).startswith("Nothing that does the job could be confirmed at its seller")


def test_own_machines_price_rag_on_an_untuned_open_model():
    found = cells(text_may_go="own_machines")
    cell = found["rag", "gpt-oss-20b-self-hosted"]
    assert cell.available and cell.horizon_usd > 0 and not cell.method.tuned
    paid = {cell.hosted.offers[role] for role in roles(cell.method, "self_hosted")}
    assert paid == {"gpt-oss-20b-weights", "own-gpu", "own-embedder", "own-reranker", "own-store"}
    assert not found["rag", "claude-sonnet-5.5"].available
    assert "not known to keep text" in found["rag", "claude-sonnet-5.5"].reason


# Steps


def test_two_ways_round_add_up_to_the_same():
    found = compare.matrix(scenario.default(), FEW)
    method_on_a, method_on_b, model_at_1, model_at_2 = compare.steps(found)
    assert not any(step.reason for step in (method_on_a, method_on_b, model_at_1, model_at_2))
    assert method_on_a.usd + model_at_2.usd == pytest.approx(model_at_1.usd + method_on_b.usd, rel=1e-9)
    assert method_on_a.label == "RAG to Agentic search on Claude Sonnet 5.5"
    assert model_at_2.label == "Claude Sonnet 5.5 to Claude Haiku 5.5 with Agentic search"


def test_a_corner_that_cannot_do_the_job_prints_its_reason():
    step, *_ = compare.steps(compare.matrix(scenario.default(), FEW), ("rag", "long_context"))
    assert math.isnan(step.usd)
    assert step.reason.startswith("Long context on Claude Sonnet 5.5: one call needs")


def test_one_column_has_no_step():
    assert compare.steps(compare.matrix(scenario.from_keys({"columns": ["gpt-oss-20b"]}), FEW)) == ()


def test_where_one_host_sells_both_the_step_is_the_tuning_alone():
    for column in ("qwen3-8b", "gpt-oss-20b-self-hosted"):
        (step,) = compare.tuning_step(scenario.default(), column)
        assert step.label.startswith("Tuning ") and not step.reason and step.usd > 0


def test_where_the_tuned_host_sells_no_untuned_model_the_two_cannot_be_told_apart():
    (step,) = compare.tuning_step(scenario.default(), "gpt-oss-20b")
    assert step.label == "Another host and tuning gpt-oss-20b"
    assert step.reason == "Microsoft sells no untuned gpt-oss-20b: host and tuning cannot be told apart"
    assert math.isfinite(step.usd)


def test_where_it_does_host_and_tuning_are_two_steps_that_add_up(planted):
    planted(
        offers=[
            "azure-plain-gpt-oss-20b,llm,gpt-oss-20b,Microsoft,gpt-oss-20b on Azure,open,,,global,2026-11-24,"
            "https://example.org/w,false,,2026-11-24,2026-11-24,official,https://example.org/p,"
        ],
        prices=[
            f"azure-plain-gpt-oss-20b,{item},,,{currency},2026-11-24,official,https://example.org/p,"
            for item, currency in (
                ("input_usd_per_mtok,0.08", "USD"),
                ("output_usd_per_mtok,0.31", "USD"),
                ("context_window_tokens,131072", ""),
            )
        ],
    )
    hosts = {"gpt-oss-20b": {"store": "pinecone-standard-eu"}}
    chosen = scenario.from_keys({"hosts": hosts})
    moved, tuned = compare.tuning_step(chosen, "gpt-oss-20b")
    assert (moved.label, tuned.label) == ("Fireworks AI to Microsoft", "Tuning gpt-oss-20b at Microsoft")
    by_key = {cell.key: cell for cell in compare.matrix(chosen, FEW)}
    whole = by_key["rag_fine_tuned", "gpt-oss-20b"].horizon_usd - by_key["rag", "gpt-oss-20b"].horizon_usd
    assert moved.usd + tuned.usd == pytest.approx(whole, rel=1e-9)
    (confined,) = compare.tuning_step(scenario.from_keys({"text_may_go": "eu"}), "gpt-oss-20b")
    assert "cannot be told apart" in confined.reason, "a host elsewhere is no step on the way"


# The price list


def test_the_price_list_holds_what_the_matrix_pays_and_no_more():
    in_use = {
        price.offer for price in compare.prices_in_use(scenario.from_keys({"columns": ["claude-haiku-5.5"]}))
    }
    assert in_use == {"claude-haiku-5-5", "text-embedding-3-large", "cohere-rerank-v3.5", "pinecone-standard"}
    assert set(compare.offers_in_use()) >= {"gpt-oss-20b-weights", "runpod-h100-sxm-secure"}
