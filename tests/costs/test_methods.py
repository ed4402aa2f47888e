"""The seven options: golden totals, monotonicity, and one model for numbers, arrays and the browser."""

import csv
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ragvsft.costs.options import OPTIONS, outputs

from costs.golden_inputs import GOLDEN, golden
from ragvsft.formula import javascript, trace

CELLS = list(csv.DictReader((Path(__file__).parent / "golden.csv").open()))


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c['option']}-{c['queries_per_month']}")
def test_golden_totals(cell):
    """The spreadsheet credits reads to the plan's minimum and evaluates at the volume's cache hit rate.

    Ours does neither (a month's bill must not depend on volume), and it evaluates RAG once before release.
    Over twelve months that is at most the plan's minimum, one round, and the cached prefix of every round.
    """
    s = golden(queries_per_month=float(cell["queries_per_month"]))
    bill = OPTIONS[cell["option"]](s)
    indexed = cell["option"].startswith("rag")
    minimum = 12 * 50 if indexed else 0
    evaluation = 12 * 4 * 300 * 2350 * 2.7e-6 + 300 * 0.05 if not cell["option"].startswith("fine") else 0
    assert bill.horizon_usd(s) == pytest.approx(float(cell["horizon_usd"]), abs=minimum + evaluation + 0.5)
    if cell["vendor_horizon_usd"]:
        vendor = bill.vendor_horizon_usd(s)
        assert vendor == pytest.approx(float(cell["vendor_horizon_usd"]), abs=minimum + 0.5)


def test_rag_by_hand():
    s = golden()
    bill = OPTIONS["rag"](s)
    call = (7650 * 3.0 + 2350 * 0.3 + 400 * 15.0) / 1e6
    retrieval = 150 * 0.13e-6 + 33_000 * 14_288 / 1e9 * 16e-6 + 0.002
    assert bill.per_query_usd == pytest.approx(call + retrieval, rel=1e-3)
    assert bill.vendor_one_off_usd == pytest.approx(16.5e6 * 0.13e-6 + 33_000 * 14_288 / 1e9 * 4)
    assert bill.people_one_off_usd == pytest.approx(12_000 + 300 * (call + retrieval + 0.01), rel=1e-4)
    assert bill.vendor_monthly_usd == 50
    assert bill.people_monthly_usd == pytest.approx(800 + 4 * 300 * (call + retrieval + 0.01), rel=1e-4)


def test_a_hosted_fine_tune_by_hand():
    bill = OPTIONS["fine_tuned_hosted"](golden())
    per_query = ((0.35 * 2350 + 150) * 0.4 + 400 * 1.6) / 1e6
    check = 4 * 300 * (per_query + 0.01)
    training = 1000 * 1000 * 3 * 4 * 5 / 1e6
    assert bill.per_query_usd == pytest.approx(per_query)
    assert bill.one_off_usd == pytest.approx(16_000 + 2000 + training + check)
    release = 0.4 * 2000 + 24 * 100 + training + check
    assert bill.monthly_usd == pytest.approx(730 * 1.7 + 400 + 4 * 300 * (per_query + 0.01) + release / 12)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_total_is_always_one_off_plus_months_plus_queries(name):
    s = golden()
    bill = OPTIONS[name](s)
    assert bill.horizon_usd(s) == bill.one_off_usd + 12 * (bill.monthly_usd + 100_000 * bill.per_query_usd)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_months_bill_depends_on_volume_only_through_gpus(name):
    low, high = (OPTIONS[name](golden(queries_per_month=q)) for q in (1.0, 10_000_000.0))
    assert (low.monthly_usd == high.monthly_usd) != name.endswith("self_hosted")


DEARER = ["queries_per_month", "documents", "output_tokens", "usd_per_hour", "evaluation_questions"]
DEARER += [name for name in GOLDEN if name.endswith(("_usd_per_mtok", "_usd_per_hour", "_per_million_reads"))]


@given(name=st.sampled_from(DEARER), factor=st.floats(1.0, 50.0))
def test_more_volume_text_or_price_never_costs_less(name, factor):
    before, after = golden(), golden(**{name: GOLDEN[name] * factor})
    for option in OPTIONS.values():
        bound = option(before).horizon_usd(before) * (1 - 1e-12)
        assert option(after).horizon_usd(after) >= bound


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
    "llm_tier_threshold_tokens": (0, 1e6),
    "candidates_reranked": (0, 1000),
    "tokens_per_chunk": (50, 4000),
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
    return cases


def test_arrays_give_what_numbers_give():
    cases = random_cases(200)
    together = outputs(SimpleNamespace(**cases))
    for k in range(200):
        alone = outputs(SimpleNamespace(**{name: float(values[k]) for name, values in cases.items()}))
        for name, value in alone.items():
            assert value == pytest.approx(np.broadcast_to(together[name], 200)[k], rel=1e-12)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_gives_what_python_gives():
    n = 3000
    cases = random_cases(n, seed=1)
    rows = [{name: float(values[k]) for name, values in cases.items()} for k in range(n)]
    code = javascript("model", GOLDEN, trace(outputs, GOLDEN))
    program = f"{code};console.log(JSON.stringify({json.dumps(rows)}.map(model)))"
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    for row, browser in zip(rows, json.loads(run.stdout), strict=True):
        python = outputs(SimpleNamespace(**row))
        for name, value in python.items():
            if name.startswith("fine_tuned") or name.endswith(("one_off_usd", "monthly_usd")):
                assert browser[name] == value, name
            else:
                assert browser[name] == pytest.approx(value, rel=1e-12), name
