"""What a fine-tune must gain agrees with the cost model, and the counts are those of the settings."""

import pytest

from ragvsft.chapters.decide import when_both as chapter
from ragvsft.costs import scenario
from ragvsft.costs.compare import matrix
from ragvsft.evidence.combining import combining


def test_the_support_bot_costs_what_the_cost_model_says():
    found = chapter.both_pays().compute()
    workload = scenario.from_keys({**scenario.workloads()["support-bot"][1], "columns": [chapter.MODEL]})
    cells = {cell.method.name: cell for cell in matrix(workload, number_of_draws=8)}
    for name in chapter.METHODS_COMPARED:
        assert found[f"{name}_horizon_usd"] == pytest.approx(cells[name].horizon_usd)


def test_the_fine_tune_must_gain_what_it_costs():
    found = chapter.both_pays().compute(usd_per_failure=2)
    extra = found["rag_fine_tuned_full_usd"] - found["rag_full_usd"]
    assert found["rag_fine_tuned_points"] / 100 * 2 == pytest.approx(extra)
    assert found["rag_points"] == 0


def test_the_counts_of_combining_are_all_its_settings():
    rows = [line.split(" | ") for line in chapter.combining_counts().splitlines()[2:]]
    assert sum(int(row[2]) for row in rows) == len(combining())
    assert all(int(row[2]) == sum(map(int, row[3:6])) for row in rows)
    assert sum(record.cells for record in chapter.outcomes().values()) == len(combining())


def test_rag_on_the_same_model_costs_what_the_calculator_says():
    found = chapter.both_pays().compute(queries_per_month=1e5)
    assert chapter.rag_on(chapter.MODEL, 1e5) == pytest.approx(found["rag_horizon_usd"])
