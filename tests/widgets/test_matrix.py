"""The matrix in the browser: the same cells, reasons and lead as in Python, for any state of its inputs."""

import json
import math
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from ragvsft.costs import columns as cols
from ragvsft.costs import compare, uncertainty
from ragvsft.prices import PLACES, today
from ragvsft.widgets.calculator import WIDGETS, Number, Select
from ragvsft.widgets.matrix import Matrix, matrix

with_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

PAGE = """
globalThis.window = globalThis;
window.ragvsftToday = %(today)s;
globalThis.document = {querySelector: () => null, readyState: "loading", addEventListener() {}};
%(scripts)s
const data = %(payload)s;
const model = (%(model)s);
const Kind = ragvsftCalculators.kinds.matrix;
const defaults = Object.fromEntries(data.inputs.map((input) => [input.name, input.default]));
defaults.columns = data.matrix.defaults;
const run = (state, draws) => {
  const shown = Object.create(Kind.prototype, {
    data: {value: data}, model: {value: model}, drawn: {value: [], writable: true},
    inputs: {value: new Map(data.inputs.map((input) => [input.name, input]))},
    state: {value: {...defaults, ...state}},
  });
  const cells = shown.compute();
  const winner = shown.cheapest(cells);
  const other = winner && shown.runnerUp(cells, winner);
  const at = (cell, k) => ({...cell.values, ...shown.drawNumber(k), ...shown.typed()});
  const total = (cell, k) => model[`${cell.hosted.column.serving}_totals`](at(cell, k));
  const totals = (cell) =>
    Array.from({length: draws}, (_, k) => total(cell, k)[`${cell.method.name}_horizon_usd`]);
  const lead = winner && other && draws ? shown.lead(totals(winner), totals(other)) : null;
  return {
    cells: cells.map((cell) => [cell.method.name, cell.hosted.column.id, cell.total, cell.shown, cell.reason,
      cell.confirm, shown.host(cell.hosted, cell.method.tuned)]),
    winner: winner && winner.label,
    verdict: shown.verdictText(cells, winner, other, lead),
    lead,
    scenario: shown.scenario(),
  };
};
console.log(JSON.stringify(%(cases)s.map(([state, draws]) => run(state, draws))));
"""


@pytest.fixture(scope="module")
def shown() -> Matrix:
    return matrix("tested")


def in_browser(shown: Matrix, cases: list[tuple[dict[str, Any], int]]) -> list[dict[str, Any]]:
    scripts = [(WIDGETS / name).read_text(encoding="utf-8") for name in shown.scripts]
    program = PAGE % {
        "today": json.dumps(today().isoformat()),
        "scripts": "\n".join(scripts),
        "payload": json.dumps(shown.payload()),
        "model": shown.javascript,
        "cases": json.dumps(cases),
    }
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def random_state(shown: Matrix, random: np.random.Generator) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Columns, some of them the reader's own, and a value for some inputs."""
    known = list(cols.columns())
    chosen = tuple(random.choice(known, size=random.integers(1, 6), replace=False).tolist())
    state: dict[str, Any] = {}
    for entry in shown.inputs:
        if random.random() < 0.5 and entry.name != "text_may_go":
            continue
        if isinstance(entry, Number):
            value = float(random.uniform(*entry.span))
            state[entry.name] = round(value) if entry.whole else value
        elif isinstance(entry, Select):
            state[entry.name] = str(random.choice([choice.id for choice in entry.open]))
    return chosen, state


def same(browser: float | None, python: float) -> bool:
    if browser is None:
        return math.isnan(python)
    return math.isclose(browser, python, rel_tol=1e-12)


@with_node
def test_every_cell_is_pythons_for_random_states(shown: Matrix) -> None:
    random = np.random.default_rng(11)
    states = [random_state(shown, random) for _ in range(60)]
    cases = [({**state, "columns": ",".join(chosen)}, 0) for chosen, state in states]
    reasons = set()
    for (chosen, state), found in zip(states, in_browser(shown, cases), strict=True):
        cells = shown.cells(chosen, **state)
        by_key = {cell.key: cell for cell in cells}
        figure = state.get("show", "horizon_usd")
        assert len(cells) == len(found["cells"])
        for method, column, total, other, reason, confirm, host in found["cells"]:
            cell = by_key[method, column]
            assert (reason, confirm, host) == (cell.reason, cell.confirm_first, cell.hosted.host(cell.method))
            assert same(total, cell.horizon_usd) and same(other, getattr(cell, figure))
            reasons.add(reason.split(":")[0][:20])
        winner = compare.cheapest(cells)
        assert found["winner"] == (winner and winner.label)
    assert len(reasons) > 5


@with_node
@pytest.mark.parametrize("place", PLACES)
def test_a_place_chooses_the_same_hosts_and_says_the_same_reasons(shown: Matrix, place: str) -> None:
    (found,) = in_browser(shown, [({"text_may_go": place}, 0)])
    by_key = {cell.key: cell for cell in shown.cells(text_may_go=place)}
    for method, column, _, _, reason, confirm, host in found["cells"]:
        cell = by_key[method, column]
        assert (reason, confirm, host) == (cell.reason, cell.confirm_first, cell.hosted.host(cell.method))


@with_node
def test_the_readers_own_prices_are_a_column(shown: Matrix) -> None:
    prices = {
        "mine_input_usd_per_mtok": 0.05,
        "mine_output_usd_per_mtok": 0.2,
        "mine_cache_read_usd_per_mtok": 0.01,
    }
    chosen = (cols.MINE, "gpt-oss-20b")
    (found,) = in_browser(shown, [({**prices, "columns": ",".join(chosen)}, 0)])
    cells = {cell.key: cell for cell in shown.cells(chosen, **prices)}
    for method, column, total, *_ in found["cells"]:
        assert same(total, cells[method, column].horizon_usd)


@with_node
@pytest.mark.parametrize("state", [{}, {"usd_per_hour": 90.0, "queries_per_month": 3000.0}])
def test_the_lead_and_the_verdict_are_pythons_over_the_same_draws(
    shown: Matrix, state: dict[str, float]
) -> None:
    (found,) = in_browser(shown, [(state, uncertainty.DRAWS)])
    cells = shown.cells(**state)
    winner = compare.cheapest(cells)
    assert winner is not None
    other = compare.runner_up(cells, winner)
    assert other is not None
    ahead = compare.lead_of(winner, other)
    assert found["lead"]["low"] == pytest.approx(ahead.usd.low, rel=1e-9)
    assert found["lead"]["high"] == pytest.approx(ahead.usd.high, rel=1e-9)
    assert found["lead"]["won"] == pytest.approx(ahead.share_won)
    assert found["verdict"] == compare.verdict(cells)


@with_node
def test_the_browsers_scenario_file_opens_in_python(shown: Matrix) -> None:
    from ragvsft.costs import scenario

    state = {"queries_per_month": 5e4, "text_may_go": "eu", "needs_documents": "no"}
    (found,) = in_browser(shown, [({**state, "columns": "qwen3-8b,mine"}, 0)])
    read = scenario.read(found["scenario"])
    assert read.columns == ("qwen3-8b", "mine") and read.text_may_go == "eu" and not read.needs_documents
    assert compare.matrix(read, 1)[0].horizon_usd == shown.cells(("qwen3-8b", "mine"), **state)[0].horizon_usd


def test_without_javascript_every_cell_names_its_model_or_its_reason(shown: Matrix) -> None:
    html = shown.html()
    for cell in shown.cells():
        assert cell.hosted.column.label in html
        assert not cell.reason or cell.reason in html
    assert compare.verdict(shown.cells()) in html
