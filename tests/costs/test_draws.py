"""The draws behind every range: the same points in Python and in the browser, and enough of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from clock import CHECKED
from javascript import mapped
from ragvsft.costs import compare, scenario, uncertainty
from ragvsft.costs.inputs import changed
from ragvsft.costs.uncertainty import TIE, lead
from ragvsft.data import load
from ragvsft.formula import javascript, trace

ROWS = uncertainty.uncertain()


@pytest.fixture(autouse=True)
def _as_checked(on):
    on(CHECKED)


def draw(i):
    return {
        row.name: uncertainty.quantile(row, uncertainty.point(i.k, uncertainty.root(row))) for row in ROWS
    }


def test_a_place_among_the_draws_belongs_to_one_input():
    places = [row.draw for row in load("assumptions") if row.draw is not None]
    assert len(places) == len(set(places))
    assert [round(uncertainty.root(row) ** 2) for row in ROWS[:4]] == [2, 3, 5, 7]


def test_the_browser_draws_the_same_doubles():
    code = javascript("model", ["k"], trace(draw, ["k"]))
    cases = [{"k": k} for k in range(uncertainty.DRAWS)]
    for case, browser in zip(cases, mapped(code, cases), strict=True):
        assert {name: float(x) for name, x in browser.items()} == draw(SimpleNamespace(k=float(case["k"])))


def test_every_draw_lies_in_its_range():
    drawn = draw(SimpleNamespace(k=np.arange(20_000.0)))
    for row in ROWS:
        assert (
            row.low * (1 - 1e-12)
            <= drawn[row.name].min()
            < row.base
            < drawn[row.name].max()
            <= row.high * (1 + 1e-12)
        )


def at_random(s, number, seed=1):
    random = np.random.default_rng(seed)
    return changed(s, **{row.name: uncertainty.quantile(row, random.uniform(size=number)) for row in ROWS})


@pytest.mark.parametrize("keys", [{}, {"documents": 100, "needs_documents": "no"}], ids=["default", "small"])
def test_2048_points_are_within_3_percent_of_200_000_random_draws(keys):
    chosen = scenario.from_keys(keys)
    for cell in compare.matrix(chosen):
        if np.isnan(cell.horizon_usd):
            continue
        s = chosen.inputs(cell.hosted.column.id)
        many = uncertainty.interval(compare.total(cell.method, cell.hosted)(at_random(s, 200_000)))
        assert cell.range_usd == pytest.approx(many, rel=0.03), cell.label


def test_a_value_that_the_reader_typed_is_not_drawn():
    def widths(**keys):
        cells = compare.matrix(scenario.from_keys(keys), 256)
        return {cell.key: cell.range_usd.high - cell.range_usd.low for cell in cells}

    every = {row.name: row.base for row in ROWS}
    assert {round(width, 6) for width in widths(**every).values() if width == width} == {0.0}
    key = ("rag", "claude-haiku-5.5")
    assert widths(usd_per_hour=100)[key] < widths()[key]


def test_workload_and_decisions_are_not_drawn():
    drawn = uncertainty.drawn(scenario.default().inputs("gpt-oss-20b"), 0, 8)
    for row in load("assumptions"):
        assert np.ndim(getattr(drawn, row.name)) == (1 if row.kind == "uncertain" else 0), row.name


def test_a_lead_is_taken_draw_by_draw_and_not_from_two_ranges():
    base = np.array([1.0, 10.0, 100.0])
    found = lead(base, base + 1)
    assert found.share_won == 1 and found.usd == (1, 1, 1)


def test_differences_under_a_billionth_are_ties():
    a = np.array([100.0, 100.0, 100.0, 100.0])
    b = np.array([100.0 * (1 + TIE / 2), 100.0 * (1 + 2 * TIE), 100.0 * (1 - TIE / 2), 100.0])
    assert lead(a, b).share_won == 0.25
    assert lead(b, a).share_won == 0


def test_a_cell_that_ties_with_the_winner_is_not_the_next_other():
    cells = compare.matrix(scenario.from_keys({"columns": ["gpt-oss-20b", "claude-haiku-5.5"]}), 8)
    winner = compare.cheapest(cells)
    twin = compare.Cell(**{**vars(winner), "horizon_usd": winner.horizon_usd * (1 + TIE / 2)})
    assert compare.runner_up([*cells, twin], winner) is compare.runner_up(cells, winner)
