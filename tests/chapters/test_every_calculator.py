"""Every calculator of the chapters gives the same figures in the browser as in Python."""

import json
import math
import shutil
import subprocess

import numpy as np
import pytest

from costs import test_stages
from ragvsft.chapters.cost import cost_comparison
from ragvsft.formula import Traced, trace
from ragvsft.tools.snapshot import every_calculator
from ragvsft.widgets.calculator import STATIC, Calculator, Number

CALCULATORS = sorted(every_calculator(), key=lambda calculator: calculator.id)


each = pytest.mark.parametrize("calculator", CALCULATORS, ids=lambda calculator: calculator.id)
each_with_rows = pytest.mark.parametrize(
    "calculator", [c for c in CALCULATORS if c.sweep], ids=lambda calculator: calculator.id
)
with_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def test_there_are_calculators_to_test() -> None:
    assert len(CALCULATORS) == len({calculator.id for calculator in CALCULATORS}) >= 22


def random_state(calculator: Calculator, random: np.random.Generator) -> dict[str, float | str]:
    state: dict[str, float | str] = {}
    for entry in calculator.inputs:
        if isinstance(entry, Number):
            value = random.uniform(entry.minimum, entry.maximum)
            state[entry.name] = round(value) if entry.whole else value
        else:
            state[entry.name] = random.choice([choice.id for choice in entry.choices if not choice.disabled])
    return state


@with_node
@each
def test_the_browser_computes_what_python_computes(calculator: Calculator) -> None:
    random = np.random.default_rng(7)
    states = [random_state(calculator, random) for _ in range(200)]
    cases = [calculator.values(**state) for state in states]
    program = f"const f={calculator.javascript};console.log(JSON.stringify({json.dumps(cases)}.map(f)))"
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    outputs = trace(calculator.model, list(calculator.values()))
    for state, browser in zip(states, json.loads(run.stdout), strict=True):
        python = calculator._run(calculator.values(**state))
        for name, value in outputs.items():
            tolerance = 1e-12 if isinstance(value, Traced) and value.transcendental else 0
            assert browser[name] == pytest.approx(python[name], rel=tolerance, abs=tolerance), name


PAGE = """
globalThis.window = globalThis;
globalThis.document = {querySelector: () => null, readyState: "loading", addEventListener() {}};
%(scripts)s
const labels = %(labels)s;
const inputs = new Map(Object.entries(labels));
const element = (name) => ({selectedOptions: [{text: labels[name]}]});
const shown = Object.create(ragvsftCalculators.Calculator.prototype, {
  data: {value: %(payload)s}, model: {value: (%(model)s)}, element: {value: element}, inputs: {value: inputs},
});
console.log(JSON.stringify(%(cases)s.map((values) => {
  const outputs = shown.compute(values);
  const rows = shown.chartRows(values, outputs);
  return [outputs, rows, shown.finding(values, outputs, rows)];
})));
"""


def in_browser(calculator: Calculator, states: list[dict[str, float]]) -> list:
    program = PAGE % {
        "scripts": "".join((STATIC / name).read_text() for name in ("crossings.js", "calculator.js")),
        "labels": json.dumps(calculator._chosen_labels({})),
        "payload": json.dumps(calculator.payload()),
        "model": calculator.javascript,
        "cases": json.dumps([calculator.values(**state) for state in states]),
    }
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    return json.loads(run.stdout)


def random_states(calculator: Calculator, number: int) -> list[dict[str, float]]:
    """Numbers drawn over their sliders; the lists stay at their defaults."""
    random = np.random.default_rng(5)
    numbers = [entry for entry in calculator.inputs if isinstance(entry, Number)]
    return [{entry.name: random.uniform(*entry.span) for entry in numbers} for _ in range(number)]


def same(browser, python) -> bool:
    if isinstance(python, str):
        return browser == python
    if browser is None:
        return not math.isfinite(python)
    return math.isclose(browser, python, rel_tol=1e-12)


@with_node
@each_with_rows
def test_the_browser_gives_pythons_figures_crossings_and_chart(calculator: Calculator) -> None:
    states = random_states(calculator, 8)
    for state, (outputs, rows, finding) in zip(states, in_browser(calculator, states), strict=True):
        python = calculator.compute(**state)
        assert [name for name in python if not same(outputs[name], python[name])] == []
        expected = calculator.chart_rows(**state)
        assert [row["series"] for row in rows] == [row["series"] for row in expected]
        for row, python_row in zip(rows, expected, strict=True):
            assert all(same(row[column], value) for column, value in python_row.items())
        assert finding == calculator.finding_text(**state)


@each
def test_it_can_be_traced_and_every_preset_changes_a_figure(calculator: Calculator) -> None:
    assert calculator.javascript.startswith("function")
    for preset in calculator.presets:
        assert calculator.compute(**preset.values) != calculator.compute()


@each
def test_every_preset_gives_finite_figures(calculator: Calculator) -> None:
    for preset in calculator.presets:
        assert np.isfinite(list(calculator._run(calculator.values(**preset.values)).values())).all()


@each_with_rows
def test_its_chart_is_titled_with_a_finding_that_moves_with_the_inputs(calculator: Calculator) -> None:
    findings = {calculator.finding_text(**state) for state in [{}, *random_states(calculator, 8)]}
    assert len(findings) > 1
    assert all("–" not in found and 15 <= len(found) <= 110 for found in findings), findings


@each
def test_it_has_rows_to_draw_and_says_what_they_show(calculator: Calculator) -> None:
    spec = calculator.vegalite()
    if spec is not None:
        assert calculator.chart_rows() and spec["description"]


guardrail = test_stages.guardrail


@pytest.fixture
def figures_before() -> dict[str, dict[str, float]]:
    """What each calculator gives without the stage. It stands before `guardrail` in a test's arguments."""
    return {c.id: c.compute(**random_states(c, 1)[0]) for c in CALCULATORS}


@with_node
def test_a_stage_registered_in_python_is_in_every_calculator_and_in_the_matrix(
    figures_before: dict[str, dict[str, float]], guardrail: None
) -> None:
    moved = set()
    for calculator in every_calculator():
        assert calculator.html().startswith("<section"), calculator.id
        (state,) = random_states(calculator, 1)
        python = calculator.compute(**state)
        if calculator.sweep:
            ((outputs, *_),) = in_browser(calculator, [state])
            assert [name for name in python if not same(outputs[name], python[name])] == [], calculator.id
        if python != figures_before[calculator.id]:
            moved.add(calculator.id)
    assert {"total-by-volume", "break-even", "cost-drivers"} <= moved
    matrix = cost_comparison.cost_matrix()
    assert "guardrail_llm" in {entry.name for entry in matrix.inputs}
    assert "guardrail_llm" in matrix.javascript and "Guardrail model" in matrix.html()
