"""The methods: golden totals, bills by hand, and one model for numbers, arrays and the browser."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.golden_inputs import ASSUMPTIONS, GOLDEN, golden
from javascript import mapped
from ragvsft.costs import uncertainty
from ragvsft.costs.inputs import ROLES, changed, declared, inputs, names
from ragvsft.costs.methods import METHODS, bill, figures, gpu_seconds_per_query
from ragvsft.data import load
from ragvsft.formula import Quantity, javascript, trace

CELLS = list(csv.DictReader((Path(__file__).parent / "golden.csv").open()))
SERVINGS = ("per_token", "self_hosted")
EVERY = pytest.mark.parametrize(("name", "serving"), [(m, s) for m in METHODS for s in SERVINGS])


@pytest.mark.parametrize(
    "cell", CELLS, ids=lambda c: f"{c['method']}-{c['serving']}-{c['queries_per_month']}"
)
def test_golden_totals(cell):
    """The spreadsheet credits reads to the plan's minimum and evaluates at the volume's cache hit rate.

    Ours does neither (a month's bill must not depend on volume), and it evaluates RAG once before release.
    Over twelve months that is at most the plan's minimum, one round, and the cached prefix of every round.
    """
    s = golden(queries_per_month=float(cell["queries_per_month"]))
    method = METHODS[cell["method"]]
    paid = bill(s, method, cell["serving"])
    minimum = 12 * 50 if method.indexed else 0
    evaluation = 0 if cell["method"].startswith("fine") else 12 * 4 * 300 * 2350 * 2.7e-6 + 300 * 0.05
    assert paid.horizon_usd(s) == pytest.approx(float(cell["horizon_usd"]), abs=minimum + evaluation + 0.5)
    if cell["vendor_horizon_usd"]:
        vendor = paid.vendor_horizon_usd(s)
        assert vendor == pytest.approx(float(cell["vendor_horizon_usd"]), abs=minimum + 0.5)


def test_the_spreadsheets_gpu_serves_five_short_requests_a_second_or_1_3_of_rag():
    assert gpu_seconds_per_query(golden(), METHODS["fine_tuned"]) == pytest.approx(1 / 5)
    assert gpu_seconds_per_query(golden(), METHODS["rag_fine_tuned"]) == pytest.approx(1 / 1.3)


def test_rag_by_hand():
    paid = bill(golden(), METHODS["rag"], "per_token")
    call = (7650 * 3.0 + 2350 * 0.3 + 400 * 15.0) / 1e6
    retrieval = 150 * 0.13e-6 + 33_000 * 14_288 / 1e9 * 16e-6 + 0.002
    assert paid.per_query_usd == pytest.approx(call + retrieval, rel=1e-3)
    assert paid.vendor_one_off_usd == pytest.approx(16.5e6 * 0.13e-6 + 33_000 * 14_288 / 1e9 * 4)
    assert paid.people_one_off_usd == pytest.approx(12_000 + 300 * (call + retrieval + 0.01), rel=1e-4)
    assert paid.vendor_monthly_usd == 50
    assert paid.people_monthly_usd == pytest.approx(800 + 4 * 300 * (call + retrieval + 0.01), rel=1e-4)


def test_a_hosted_fine_tune_by_hand():
    paid = bill(golden(), METHODS["fine_tuned"], "per_token")
    per_query = ((0.35 * 2350 + 150) * 0.4 + 400 * 1.6) / 1e6
    check = 4 * 300 * (per_query + 0.01)
    training = 1000 * 1000 * 3 * 4 * 5 / 1e6
    assert paid.per_query_usd == pytest.approx(per_query)
    assert paid.one_off_usd == pytest.approx(16_000 + 2000 + training + check)
    release = 0.4 * 2000 + 24 * 100 + training + check
    assert paid.monthly_usd == pytest.approx(730 * 1.7 + 400 + 4 * 300 * (per_query + 0.01) + release / 12)


def test_a_replica_is_a_second_endpoint_a_second_gpu_and_a_second_machine_of_ones_own_store():
    one, two = golden(store__usd_per_replica_month=100), golden(store__usd_per_replica_month=100, replicas=2)

    def extra(name, serving):
        before, after = (bill(s, METHODS[name], serving).monthly_usd for s in (one, two))
        return after - before

    assert extra("fine_tuned", "per_token") == pytest.approx(730 * 1.7)
    assert extra("prompting", "self_hosted") == pytest.approx(730 * 3.99)
    assert extra("rag", "per_token") == pytest.approx(100)


@EVERY
def test_the_total_is_always_one_off_plus_months_plus_queries(name, serving):
    s = golden()
    paid = bill(s, METHODS[name], serving)
    assert paid.horizon_usd(s) == paid.one_off_usd + 12 * (paid.monthly_usd + 100_000 * paid.per_query_usd)


@EVERY
def test_a_months_bill_depends_on_volume_only_through_gpus(name, serving):
    low, high = (
        bill(golden(queries_per_month=q), METHODS[name], serving).monthly_usd for q in (1.0, 10_000_000.0)
    )
    assert (low == high) == (serving == "per_token")


def test_the_first_edition_had_seven_of_these_cells_and_every_one_has_a_row_still():
    assert list(METHODS) == [
        "prompting",
        "long_context",
        "rag",
        "agentic_search",
        "fine_tuned",
        "rag_fine_tuned",
    ]


DEARER = ["queries_per_month", "documents", "output_tokens", "usd_per_hour", "evaluation_questions"]
DEARER += [name for name in GOLDEN if name.endswith(("_usd_per_mtok", ".usd_per_hour", "_per_million_reads"))]


@given(name=st.sampled_from(DEARER), factor=st.floats(1.0, 50.0))
def test_more_volume_text_or_price_never_costs_less(name, factor):
    before, after = golden(), golden(**{name.replace(".", "__"): GOLDEN[name] * factor})
    for method in METHODS.values():
        for serving in SERVINGS:
            bound = bill(before, method, serving).horizon_usd(before) * (1 - 1e-12)
            assert bill(after, method, serving).horizon_usd(after) >= bound


# Typed inputs


def test_the_declared_inputs_are_the_roles_and_the_assumptions():
    assert set(declared()) == set(ROLES) | {row.name for row in load("assumptions")}
    assert set(ASSUMPTIONS) == {row.name for row in load("assumptions")}


def test_a_role_without_all_of_its_prices_is_absent():
    some = {name: value for name, value in GOLDEN.items() if name != "store.usd_per_gb_month"}
    assert hasattr(inputs(GOLDEN), "store") and not hasattr(inputs(some), "store")


# One model: numbers, arrays, the browser

EDGES = {
    "queries_per_month": (1, 1e9),
    "horizon_months": (1, 60),
    "system_tokens": (0, 200_000),
    "example_tokens": (0, 50_000),
    "documents": (0, 1e7),
    "prompt_cut_fraction": (0, 1),
    "batch_fraction": (0, 1),
    "months_between_releases": (1, 60),
    "gpu_utilisation_cap": (0.05, 1),
    "throughput_reached_fraction": (0.01, 1),
    "answer_llm.tier_threshold_tokens": (0, 1e6),
    "tuned_llm.min_cacheable_tokens": (0, 4096),
    "candidates_reranked": (0, 1000),
    "tokens_per_chunk": (50, 4000),
    "agent_tool_tokens": (0, 10_000),
    "agent_call_tokens": (0, 2000),
}


def random_cases(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs drawn across their allowed ranges, every edge included."""
    random = np.random.default_rng(seed)
    cases = {name: value * random.uniform(0.25, 4, n) for name, value in GOLDEN.items()}
    for name, (low, high) in EDGES.items():
        drawn = low + (high - low) * random.uniform(0, 1, n) ** 3
        cases[name] = random.choice([low, high], n) * 1.0
        inner = random.uniform(0, 1, n) < 0.8
        cases[name][inner] = drawn[inner]
    cases["agent_rounds"] = random.integers(0, 21, n) * 1.0
    return cases


def test_arrays_give_what_numbers_give():
    cases = random_cases(60)
    for serving in SERVINGS:
        together = figures(inputs(cases), serving)
        for k in range(60):
            alone = figures(inputs({name: float(values[k]) for name, values in cases.items()}), serving)
            for name, value in alone.items():
                assert value == pytest.approx(np.broadcast_to(together[name], 60)[k], rel=1e-12), name


def model_names(serving: str) -> list[str]:
    paid = ("weights", "gpu") if serving == "self_hosted" else ("answer_llm", "tuned_llm")
    return [*ASSUMPTIONS, *names(*paid, "embedder", "reranker", "store")]


@pytest.mark.parametrize("serving", SERVINGS)
def test_javascript_gives_what_python_gives(serving):
    """To the last bit where no cache's hit rate enters; to 1e-12 where it does, as it is an exponential."""
    n = 800
    listed = model_names(serving)
    traced = trace(lambda i: figures(inputs(vars(i)), serving), listed)
    cases = random_cases(n, seed=1)
    rows = [{name: float(cases[name][k]) for name in listed} for k in range(n)]
    for row, browser in zip(rows, mapped(javascript("model", listed, traced), rows), strict=True):
        for name, value in figures(inputs(row), serving).items():
            if getattr(traced[name], "transcendental", False):
                assert browser[name] == pytest.approx(value, rel=1e-12, abs=1e-15), name
            else:
                assert float(browser[name]) == value, name


@pytest.mark.parametrize("serving", SERVINGS)
def test_no_draw_meets_an_exponential_and_no_hit_rate_a_step(serving):
    """The tracer refuses a comparison, ceil or floor of what exp or log gave; here nothing is refused."""

    def from_a_draw(i: Any) -> Mapping[str, Quantity]:
        points = {
            row.name: uncertainty.quantile(row, uncertainty.point(i.k, uncertainty.root(row)))
            for row in uncertainty.uncertain()
        }
        assert not any(value.transcendental for value in points.values())
        return figures(changed(inputs(vars(i)), **points), serving)

    traced = trace(from_a_draw, [*model_names(serving), "k"])
    assert traced["agentic_search_horizon_usd"].op
