"""The calculators of where things should live agree with the ledger, the cost model and common sense."""

import pytest

from ragvsft.calculators import decide as calculators
from ragvsft.charts import decide as charts
from ragvsft.charts.evidence import combining
from ragvsft.costs import scenario
from ragvsft.evidence.checks import index_ten_million_documents_usd, train_ten_million_documents_usd

EVERY = (
    calculators.freshness,
    calculators.index_or_train,
    calculators.shorter_prompt,
    calculators.both_pays,
    calculators.techniques,
    calculators.decision_numbers,
)


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
def test_every_calculator_can_be_traced_and_has_its_presets(make):
    calculator = make()
    assert calculator.javascript.startswith("function")
    for preset in calculator.presets:
        assert calculator.compute(**preset.values) != calculator.compute()


def test_only_the_index_keeps_up_with_a_fact_that_changes_each_season():
    verdicts = {key: value for key, value in calculators.freshness().compute().items() if "verdict" in key}
    assert verdicts == {"prompt_verdict": 1, "index_verdict": 2, "weights_verdict": 0}


def test_a_lasting_tone_may_live_anywhere():
    found = calculators.freshness().compute(days_between_changes=1500, stale_percent=10)
    assert [found[f"{place}_verdict"] for place in calculators.PLACES] == [2, 2, 2]


def test_the_large_corpus_costs_what_the_ledger_says():
    found = calculators.index_or_train().compute()
    assert found["embed"] == pytest.approx(index_ten_million_documents_usd())
    assert found["train"] == pytest.approx(train_ten_million_documents_usd())
    assert found["train_retold"] == pytest.approx(350 * found["train"])


def test_fewer_bits_need_less_memory_and_the_same_money():
    floats, binary = (calculators.index_or_train().compute(precision=name) for name in ("floats", "binary"))
    assert floats["memory"] == pytest.approx(32 * binary["memory"])
    assert floats["search"] == binary["search"]


def test_tuning_that_changes_nothing_costs_a_whole_call():
    found = calculators.shorter_prompt().compute(cut_percent=0, premium=1)
    assert found["tuned_usd"] == found["uncached_usd"] > found["cached_usd"]


def test_the_support_bot_costs_what_the_cost_model_says():
    found = calculators.both_pays().compute()
    workload = scenario.from_keys(scenario.workloads()["support-bot"][1])
    for row in scenario.compare(workload):
        if row.option in calculators.COMBINED:
            assert found[f"{row.option}_horizon_usd"] == pytest.approx(row.horizon_usd)


def test_the_fine_tune_must_gain_what_it_costs():
    found = calculators.both_pays().compute(usd_per_failure=2)
    extra = found["rag_fine_tuned_hosted_full_usd"] - found["rag_full_usd"]
    assert found["rag_fine_tuned_hosted_points"] / 100 * 2 == pytest.approx(extra)
    assert found["rag_points"] == 0


def test_a_warm_cache_makes_examples_and_corpora_cheap():
    cold, warm = (calculators.techniques().compute(queries_per_month=volume) for volume in (1000, 1e6))
    assert cold["examples_usd"] == cold["examples_uncached_usd"]
    assert warm["examples_usd"] < warm["retrieved_usd"]
    assert warm["corpus_usd"] < cold["corpus_usd"] / 10


@pytest.mark.parametrize(
    ("preset", "verdicts"),
    [
        ("Support bot", {"corpus_verdict": 1, "memory_verdict": 0, "rent_verdict": 0}),
        ("Large archive", {"memory_verdict": 2, "embedding_verdict": 1}),
    ],
)
def test_the_tree_says_what_its_numbers_say(preset, verdicts):
    calculator = calculators.decision_numbers()
    values = next(entry.values for entry in calculator.presets if entry.label == preset)
    found = calculator.compute(**values)
    assert {name: found[name] for name in verdicts} == verdicts


def test_flat_traffic_and_a_dear_model_speak_for_own_gpus():
    found = calculators.decision_numbers().compute(
        second="claude-sonnet-5-5", peak_to_mean_ratio=1, queries_per_month=1e6
    )
    assert found["rent_verdict"] == 1


def test_a_small_corpus_goes_into_the_prompt():
    assert (
        calculators.decision_numbers().compute(documents=100, tokens_per_document=1000)["corpus_verdict"] == 0
    )


def test_no_price_on_record_reaches_hundreds_of_thousands():
    prices = charts.corpus_prices(1e10)
    assert prices[prices.open].usd.max() < calculators.BIG_BUDGET_USD
    assert prices[prices.label == "text-embedding-3-large"].usd.item() == pytest.approx(1300)


def test_the_counts_of_combining_are_all_its_settings():
    rows = [line.split(" | ") for line in charts.combining_counts().splitlines()[2:]]
    assert sum(int(row[2]) for row in rows) == len(combining())
    assert all(int(row[2]) == sum(map(int, row[3:6])) for row in rows)
