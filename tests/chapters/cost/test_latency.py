"""The budget shows what the stages of a method wait for."""

import pytest

from ragvsft.chapters.cost import latency as chapter
from ragvsft.costs import latency, methods, stages
from ragvsft.costs.methods import METHODS, Method
from ragvsft.costs.stages import STAGES, Stage, Use


@pytest.mark.parametrize("method", METHODS)
def test_the_stages_of_every_method_add_up_and_its_documents_are_what_prompting_lacks(method):
    shown = chapter.budget().compute(method=method)
    assert shown["whole_typical"] == pytest.approx(sum(shown[f"{name}_typical"] for name in STAGES))
    assert [name for name in STAGES if shown[f"{name}_in_use"]] == [
        name for name in STAGES if name in METHODS[method].stages
    ]
    plain = "fine_tuned" if METHODS[method].tuned else "prompting"
    assert shown["plain_typical"] == pytest.approx(chapter.budget().compute(method=plain)["whole_typical"])


def test_the_budget_and_the_table_of_methods_agree():
    at = latency.waits_ms(chapter.default_inputs(), METHODS["agentic_search"], latency.typical_speeds())
    shown = chapter.budget().compute(method="agentic_search")
    assert shown["whole_typical"] == pytest.approx(sum(at.values()), rel=1e-3)
    assert f"{sum(at.values()):,.0f} ms" in chapter.methods_table()


def test_a_stage_that_is_registered_appears(monkeypatch):
    guard = Stage("guard", "Check the question", "tools", lambda a: Use(fresh_tokens=500, output_tokens=1))
    monkeypatch.setitem(stages.STAGES, "guard", guard)
    rag = METHODS["rag"]
    monkeypatch.setitem(
        methods.METHODS, "rag", Method(rag.name, rag.label, ("guard", *rag.stages), reads=rag.reads)
    )
    budget = chapter.budget()
    assert budget.compute()["guard_typical"] > 0
    assert "Check the question" in budget.html()
    assert "Check the question" in [row["series"] for row in budget.chart_rows()]


def test_the_independent_percentile_lies_below_the_sum_of_percentiles():
    added, independent = chapter.sum_of_p95s()
    assert chapter.budget().compute()["first_typical"] < independent < added
