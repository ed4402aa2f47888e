"""Break-evens: the bills really cross there, and nowhere else."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.golden_inputs import GOLDEN, golden
from javascript import node
from ragvsft.costs import break_even as be
from ragvsft.costs import formulas as f
from ragvsft.costs.inputs import inputs
from ragvsft.costs.methods import METHODS
from ragvsft.formula import javascript, symbolic, trace

CELLS = [(name, serving) for name in METHODS for serving in ("per_token", "self_hosted")]
"""Every method on a model by the token and on one's own GPUs."""

PAIRS = list(itertools.combinations(CELLS, 2))
LINES = ("one_off_a", "monthly_a", "per_query_a", "one_off_b", "monthly_b", "per_query_b", "horizon")
money = st.floats(0, 1e6).map(lambda usd: round(usd, 2))
per_query = st.floats(0, 1).map(lambda usd: round(usd, 6))
bills = st.tuples(money, money, per_query, money, money, per_query, st.integers(1, 60))


def bill_usd(one_off, monthly, per_query, horizon, queries):
    return f.horizon_usd(one_off, monthly, per_query, queries, horizon)


# Two straight bills


@pytest.mark.parametrize(
    ("extra", "saved", "case"),
    [
        (10, 1, be.ABOVE),
        (-10, -1, be.BELOW),
        (-10, 1, be.ALWAYS),
        (0, 1, be.ALWAYS),
        (-10, 0, be.ALWAYS),
        (10, -1, be.NEVER),
        (0, -1, be.NEVER),
        (10, 0, be.NEVER),
        (0, 0, be.NEVER),
    ],
)
def test_the_signs_decide_when_the_challenger_is_cheaper(extra, saved, case):
    assert be.break_even_case(extra, saved) == case


def test_a_bill_worked_by_hand():
    # B costs 12,000 + 12 x 500 = 18,000 more and saves 12 x 0.03 for each query a month: 50,000.
    found = be.break_even_volume(0, 0, 0.04, 12_000, 500, 0.01, 12)
    assert found.case == be.ABOVE
    assert found.at == pytest.approx(50_000)


@given(bills)
def test_the_challenger_is_cheaper_exactly_where_the_case_says(lines):
    one_off_a, monthly_a, per_query_a, one_off_b, monthly_b, per_query_b, horizon = lines
    found = be.break_even_volume(*lines)
    for queries in (found.at * 0.999, found.at * 1.001, 1, 1e9):
        a = bill_usd(one_off_a, monthly_a, per_query_a, horizon, queries)
        b = bill_usd(one_off_b, monthly_b, per_query_b, horizon, queries)
        if abs(a - b) <= 1e-9 * (a + b):
            continue
        expected = {be.ABOVE: queries > found.at, be.BELOW: queries < found.at}.get(
            found.case, found.case == be.ALWAYS
        )
        assert (b < a) == expected


def test_the_equation_on_the_page_is_the_solution_of_two_equal_bills():
    names = dict(
        zip(
            ("one_off_a_usd", "monthly_a_usd", "per_query_a_usd", "one_off_b_usd", "monthly_b_usd",
             "per_query_b_usd", "horizon_months"),
            ("F_A", "M_A", "v_A", "F_B", "M_B", "v_B", "H"),
            strict=True,
        )
    )  # fmt: skip
    f_a, m_a, v_a, f_b, m_b, v_b, months, queries = sympy.symbols(
        "F_A M_A v_A F_B M_B v_B H Q", positive=True
    )
    equal = sympy.Eq(
        f.horizon_usd(f_a, m_a, v_a, queries, months), f.horizon_usd(f_b, m_b, v_b, queries, months)
    )
    (solution,) = sympy.solve(equal, queries)
    assert sympy.simplify(symbolic(be.break_even_queries_per_month, **names) - solution) == 0


@settings(max_examples=10, deadline=None)
@given(st.lists(bills, min_size=1, max_size=50))
def test_scalars_arrays_and_the_browser_agree(cases):
    def model(i):
        found = be.break_even_volume(*(getattr(i, name) for name in LINES))
        return {"case": found.case, "at": found.at}

    scalars = [be.break_even_volume(*case) for case in cases]
    arrays = be.break_even_volume(*np.array(cases, dtype=float).T)
    assert [tuple(map(float, pair)) for pair in zip(*arrays, strict=True)] == scalars

    code = javascript("model", LINES, trace(model, LINES))
    inputs = [dict(zip(LINES, case, strict=True)) for case in cases]
    browser = node(f"{code};console.log(JSON.stringify({json.dumps(inputs)}.map(model)))")
    assert [(row["case"], row["at"]) for row in browser] == scalars


def test_payback():
    assert be.payback_months(12_000, 4_000) == (be.ABOVE, 3)
    assert be.payback_months(12_000, -1).case == be.NEVER
    assert be.payback_months(-100, 50).case == be.ALWAYS


# Thresholds


def test_a_cut_of_half_pays_for_twice_the_price_only_without_output():
    assert be.prompt_cut_to_break_even(2_500, 0, 0.40, 1.60, 0.80, 3.20) == pytest.approx(0.50)
    assert be.prompt_cut_to_break_even(2_500, 400, 0.40, 1.60, 0.80, 3.20) == pytest.approx(0.82)


@given(st.floats(100, 1e5), st.floats(0, 2_000), st.floats(0.1, 10), st.floats(1, 6), st.floats(1, 4))
def test_at_the_break_even_cut_both_calls_cost_the_same(prompt, output, price, ratio, premium):
    cut = be.prompt_cut_to_break_even(
        prompt, output, price, ratio * price, premium * price, premium * ratio * price
    )
    plain = f.call_usd(prompt, 0, output, price, 0, ratio * price)
    tuned = f.call_usd((1 - cut) * prompt, 0, output, premium * price, 0, premium * ratio * price)
    assert tuned == pytest.approx(plain)


def test_the_premium_that_a_cut_can_pay_for():
    assert be.premium_to_break_even(2_500, 0, 0.50, 0.40, 1.60) == pytest.approx(2)
    assert be.premium_to_break_even(2_500, 400, 0.82, 0.40, 1.60) == pytest.approx(2)


def test_caching_pays_from_some_two_thousand_queries_a_month():
    at = be.caching_queries_per_month_to_break_even(3.0, 0.30, 3.75, 300)
    assert at == pytest.approx(2_147, abs=1)
    hit_rate = f.cache_hit_rate(at, 300)
    assert hit_rate * 0.30 + (1 - hit_rate) * 3.75 == pytest.approx(3.0)


def test_a_cache_that_never_or_always_pays_has_no_threshold_in_reach():
    assert be.caching_queries_per_month_to_break_even(1.0, 2.0, 3.0, 300) > 2e5
    assert be.caching_queries_per_month_to_break_even(3.0, 0.3, 3.0, 300) == 0
    assert np.isfinite(be.caching_queries_per_month_to_break_even(3.0, 3.0, 3.0, 300))


@given(st.floats(1, 20), st.floats(0.5, 50), st.floats(0.1, 1))
def test_one_gpu_serves_its_share_and_not_a_query_more(peak, per_second, cap):
    served = be.queries_per_month_per_gpu(peak, per_second, cap)
    assert f.gpus_needed(served * (1 - 1e-9), peak, per_second, cap, 1) == 1
    assert f.gpus_needed(served * (1 + 1e-9), peak, per_second, cap, 1) == 2


# Staircases and bends


LOW, HIGH = 100.0, 1e8


@st.composite
def staircases(draw):
    """Two bills with GPU steps and a cache that fills up, and where they break."""
    steps = draw(st.lists(st.floats(2e5, 5e7), min_size=2, max_size=2))
    fixed, gpu, slope, cached, life = (
        draw(st.lists(number, min_size=2, max_size=2))
        for number in (
            st.floats(0, 1e5),
            st.sampled_from([0.0, 1_000.0, 3_000.0]),
            st.floats(0, 0.05),
            st.floats(0, 0.02),
            st.just(draw(st.floats(100, 5_000))),
        )
    )

    def costs(queries):
        return tuple(
            float(
                fixed[k]
                + gpu[k] * np.ceil(queries / steps[k])
                + queries * (slope[k] + cached[k] * np.exp(-queries / 2.6e6 * life[k]))
            )
            for k in (0, 1)
        )

    return costs, (2 * 2.6e6 / life[0],), tuple(step for step, usd in zip(steps, gpu, strict=True) if usd)


def leads(costs, queries):
    a, b = costs(queries)
    return a - b


@settings(max_examples=60, deadline=None)
@given(staircases())
def test_the_order_changes_at_every_crossing_and_nowhere_else(bills):
    costs, bends, strides = bills
    found = be.crossings(costs, LOW, HIGH, bends, strides)
    assert list(found) == sorted(found)
    for at in found:
        assert (leads(costs, np.nextafter(at, 0)) > 0) != (leads(costs, at) > 0)

    grid = np.geomspace(LOW, HIGH, 4_000)
    b_is_cheaper = np.array([leads(costs, queries) > 0 for queries in grid])
    passed = np.searchsorted(found, grid, side="right")
    clear = np.array([abs(leads(costs, queries)) > 1e-12 * sum(costs(queries)) for queries in grid])
    expected = (passed % 2 == 1) ^ b_is_cheaper[0]
    assert np.array_equal(b_is_cheaper[clear], expected[clear])


def test_a_staircase_is_crossed_on_the_slope_and_at_the_steps():
    def costs(queries):
        return 0.0012 * queries, 900 + 1_000 * float(np.ceil(queries / 1e6))

    # With five GPUs B costs 5,900: cheaper from 5,900 / 0.0012. A sixth makes it dearer until 6,900 / 0.0012.
    expected = (5_900 / 0.0012, 5e6, 6_900 / 0.0012, 6e6)
    assert be.crossings(costs, LOW, 6.5e6, strides=(1e6,)) == pytest.approx(expected)


def test_two_crossings_in_the_bend_of_a_cache_are_both_found():
    life = 1e5

    def costs(queries):
        return queries * (1 + 2.0 * float(np.exp(-queries / life))), queries * 1.0 + 50_000

    first, second = be.crossings(costs, 1.0, 1e7, bends=(2 * life,))
    for at in (first, second):
        assert 2 * at * np.exp(-at / life) == pytest.approx(50_000)
    assert first < life < second


def test_equal_bills_never_cross():
    assert be.crossings(lambda queries: (queries, queries), LOW, HIGH) == ()


def test_a_stride_too_short_to_count_is_refused_by_name():
    with pytest.raises(ValueError, match="stride: 1 is too short; it must be at least 50000"):
        be.crossings(lambda queries: (queries, 0.0), LOW, HIGH, strides=(1.0,))


# Methods on columns


def side(cell, s):
    name, serving = cell
    return be.Side(METHODS[name], serving, s)


def order_changes(a, b, grid):
    """Between which points of a dense grid the cheaper side changes."""
    b_is_cheaper = a.horizon_usd(grid) > b.horizon_usd(grid)
    return np.flatnonzero(b_is_cheaper[1:] != b_is_cheaper[:-1])


CHEAP = {
    "answer_llm__input_usd_per_mtok": 0.1,
    "answer_llm__cache_read_usd_per_mtok": 0.01,
    "answer_llm__cache_write_usd_per_mtok": 0.125,
}


@pytest.mark.parametrize(("cell_a", "cell_b"), PAIRS, ids=str)
def test_a_dense_grid_sees_no_other_crossing(cell_a, cell_b):
    s = golden(**CHEAP)
    a, b = side(cell_a, s), side(cell_b, s)
    high = min([HIGH, *(step * be.MOST_STEPS for step in (a.stride, b.stride) if step)])
    found = np.array(be.side_crossings(a, b, LOW, high))
    grid = np.geomspace(LOW, high, 50_001)
    cells = np.searchsorted(grid, found) - 1
    assert np.array_equal(np.flatnonzero(np.bincount(cells, minlength=1) % 2), order_changes(a, b, grid))


def test_the_golden_break_even_of_rag_and_a_hosted_fine_tune():
    rag, tuned = (side((name, "per_token"), golden()) for name in ("rag", "fine_tuned"))
    (at,) = be.side_crossings(rag, tuned, LOW, HIGH)
    assert at == pytest.approx(49_800, rel=0.01)


def test_a_self_hosted_fine_tune_and_a_cheap_model_cross_three_times():
    haiku = golden(**CHEAP, answer_llm__output_usd_per_mtok=0.5)
    found = be.side_crossings(
        side(("rag", "per_token"), haiku), side(("fine_tuned", "self_hosted"), haiku), LOW, HIGH
    )
    assert found == pytest.approx((1.60e6, 1.97e6, 2.57e6), rel=0.01)


def test_the_two_sides_may_be_two_models():
    large, small = golden(), golden(**CHEAP, answer_llm__output_usd_per_mtok=0.5)
    rag = METHODS["rag"]
    a, b = be.Side(rag, "per_token", large), be.Side(rag, "per_token", small)
    assert be.overtakes(a, b, LOW, HIGH) == LOW
    assert be.side_crossings(a, b, LOW, HIGH) == ()


def test_the_volume_from_which_the_second_side_costs_less():
    rag, tuned, prompting = (
        side((name, "per_token"), golden()) for name in ("rag", "fine_tuned", "prompting")
    )
    (at,) = be.side_crossings(rag, tuned, LOW, HIGH)
    assert be.overtakes(rag, tuned, LOW, HIGH) == at
    assert be.overtakes(rag, prompting, LOW, HIGH) == LOW
    assert be.overtakes(prompting, rag, LOW, HIGH) == HIGH


def test_agentic_search_and_rag_cross_where_a_search_costs_what_the_index_saves():
    cheap_to_run = golden(agent_rounds=2, agentic_ops_hours_per_month=1, agentic_build_hours=10)
    agent, rag = (side((name, "per_token"), cheap_to_run) for name in ("agentic_search", "rag"))
    (at,) = be.side_crossings(agent, rag, LOW, HIGH)
    assert agent.horizon_usd(at * 0.99) < rag.horizon_usd(at * 0.99)
    assert agent.horizon_usd(at * 1.01) > rag.horizon_usd(at * 1.01)


def test_a_bill_without_a_price_is_refused():
    s = golden(tuned_llm__training_usd_per_mtok=np.nan)
    with pytest.raises(
        ValueError, match="fine_tuned: its bill is nan; an offer in the scenario has no price"
    ):
        be.side_crossings(side(("rag", "per_token"), s), side(("fine_tuned", "per_token"), s), LOW, HIGH)


CROSSINGS_JS = Path(be.__file__).parents[1] / "widgets" / "calculator" / "crossings.js"


def key(cell):
    return "_".join(cell)


def browser_model(i):
    s = inputs(vars(i))
    found = {}
    for cell in CELLS:
        one = side(cell, s)
        found |= {
            f"{key(cell)}_horizon_usd": one.horizon_usd(s.queries_per_month),
            f"stride_{key(cell)}": one.stride,
        }
        found |= {f"{key(cell)}_bend_{k}": one.bends[k] if one.bends else 0 for k in range(3)}
    return found


def test_the_browser_finds_the_same_crossings():
    random = np.random.default_rng(7)
    cases = [
        {name: value * random.uniform(0.5, 2) for name, value in GOLDEN.items()}
        | {"batch_fraction": random.uniform(0, 1), "gpu_utilisation_cap": random.uniform(0.3, 1)}
        | {"agent_rounds": float(random.integers(0, 6))}
        for _ in range(4)
    ]
    pairs = [(a, b) for a, b in PAIRS if "long_context" not in (a[0], b[0])]
    program = f"""
        {CROSSINGS_JS.read_text()}
        {javascript("model", GOLDEN, trace(browser_model, GOLDEN))}
        const found = (i, a, b) => {{
          const at = model(i);
          const costs = (queries_per_month) => {{
            const o = model({{...i, queries_per_month}});
            return [o[`${{a}}_horizon_usd`], o[`${{b}}_horizon_usd`]];
          }};
          const strides = [at[`stride_${{a}}`], at[`stride_${{b}}`]].filter(Boolean);
          const names = [a, b].flatMap((name) => [0, 1, 2].map((k) => `${{name}}_bend_${{k}}`));
          const bends = names.map((name) => at[name]).filter(Boolean);
          return ragvsftCrossings(costs, {LOW}, {1e7}, bends, strides);
        }};
        console.log(JSON.stringify({json.dumps(cases)}.map((i) =>
          {json.dumps([[key(a), key(b)] for a, b in pairs])}.map(([a, b]) => found(i, a, b)))));
    """
    for case, browser in zip(cases, node(program), strict=True):
        for (a, b), theirs in zip(pairs, browser, strict=True):
            s = inputs(case)
            ours = be.side_crossings(side(a, s), side(b, s), LOW, 1e7)
            assert theirs == pytest.approx(list(ours), rel=1e-9), (a, b)
