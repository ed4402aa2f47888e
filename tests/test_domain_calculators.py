"""The calculators of retrieval, tuning and evaluation give the same figures in the browser as in Python."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from ragvsft.calculators import Calculator, Number
from ragvsft.calculators import evaluation as evaluation_calculators
from ragvsft.calculators import retrieval as retrieval_calculators
from ragvsft.calculators import tuning as tuning_calculators
from ragvsft.formula import Traced, trace

CALCULATORS = [
    evaluation_calculators.sample_size(),
    evaluation_calculators.paired_result(),
    evaluation_calculators.evaluation_cost(),
    retrieval_calculators.pipeline_cost(),
    retrieval_calculators.index_memory(),
    retrieval_calculators.rerank_depth(),
    retrieval_calculators.deletion(),
    tuning_calculators.lora_cost(),
    tuning_calculators.dataset_cost(),
]
every_calculator = pytest.mark.parametrize("calculator", CALCULATORS, ids=lambda calculator: calculator.id)


def random_state(calculator: Calculator, random: np.random.Generator) -> dict[str, float | str]:
    state: dict[str, float | str] = {}
    for entry in calculator.inputs:
        if isinstance(entry, Number):
            value = random.uniform(entry.minimum, entry.maximum)
            state[entry.name] = round(value) if entry.whole else value
        else:
            state[entry.name] = random.choice([choice.id for choice in entry.choices if not choice.disabled])
    return state


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@every_calculator
def test_the_browser_computes_what_python_computes(calculator: Calculator) -> None:
    random = np.random.default_rng(7)
    states = [random_state(calculator, random) for _ in range(200)]
    cases = [calculator.values(**state) for state in states]
    program = f"const f={calculator.javascript};console.log(JSON.stringify({json.dumps(cases)}.map(f)))"
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    outputs = trace(calculator.model, list(calculator.values()))
    for state, browser in zip(states, json.loads(run.stdout), strict=True):
        python = calculator.compute(**state)
        for name, value in outputs.items():
            tolerance = 1e-12 if isinstance(value, Traced) and value.transcendental else 0
            assert browser[name] == pytest.approx(python[name], rel=tolerance, abs=tolerance), name


@every_calculator
def test_every_preset_gives_finite_figures(calculator: Calculator) -> None:
    for preset in calculator.presets:
        assert np.isfinite(list(calculator.compute(**preset.values).values())).all()


@every_calculator
def test_it_has_rows_to_draw_and_says_what_they_show(calculator: Calculator) -> None:
    spec = calculator.vegalite()
    if spec is not None:
        assert calculator.chart_rows() and spec["description"]


def test_a_paired_result_by_hand() -> None:
    # (31 - 14) / 400 = 4.25 points; 17² = 289 > 3.84 × 45 = 173
    shown = evaluation_calculators.paired_result().compute()
    assert shown["gain"] == 4.25 and shown["verdict"] == 2 and shown["low"] > 0


def test_the_deletion_of_a_document_by_hand() -> None:
    # a fifth of the index at 1% a month: 20 mean months, after 1 day until the index notices
    shown = retrieval_calculators.deletion().compute()
    assert shown["compaction"] == pytest.approx(1 + 20 * 365.25 / 12)
    assert shown["answers"] == 31
    assert shown["bytes"] == pytest.approx(shown["compaction"] + 35)


def test_a_cheap_model_makes_the_reranker_the_largest_stage() -> None:
    shown = retrieval_calculators.pipeline_cost().compute(llm="claude-haiku-5-5")
    assert shown["rerank"] == max(shown[stage] for stage in ("embed", "search", "rerank", "read", "write"))


def test_training_data_cost_by_hand() -> None:
    # 1,000 × 1 minute × 1.2 = 20 hours at $100; 1,000 × 1,000 × 3 × 4 tokens at $0.44 a million
    shown = tuning_calculators.dataset_cost().compute()
    assert shown["labelling_usd"] == pytest.approx(2000)
    assert shown["training_usd"] == pytest.approx(5.28)
    assert shown["weeks"] == pytest.approx(0.5)
