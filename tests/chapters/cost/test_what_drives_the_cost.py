"""What a failure costs, and what moves a bill and a break-even on one model."""

import pytest

from ragvsft.chapters.cost import what_drives_the_cost as chapter
from ragvsft.costs import uncertainty
from ragvsft.costs.break_even import overtakes
from ragvsft.widgets.compared_sides import side


def test_a_failure_of_five_dollars_eats_a_cent_in_a_fifth_of_a_point():
    shown = chapter.failure_cost().compute(dear_usd=0.03, cheap_usd=0.02, usd_per_failure=5, lost_points=0.2)
    assert shown["loss_points"] == pytest.approx(0.2)
    assert shown["queries_per_failure"] == pytest.approx(500)
    assert shown["dear_usd"] == pytest.approx(shown["cheap_usd"])


@pytest.mark.parametrize("a, b", chapter.PAIRS)
def test_the_break_even_of_a_pair_is_the_cost_models(a, b):
    shown = chapter.break_even_drivers().compute(pair=f"{b}-{a}")
    expected = overtakes(side(a), side(b), chapter.LOW, chapter.HIGH)
    assert shown["volume_overtakes"] == pytest.approx(expected)


def test_every_uncertain_assumption_that_the_break_even_reads_has_a_bar_or_moves_nothing():
    calculator = chapter.break_even_drivers()
    ranges = calculator.sweep.ranges
    assert {"fine_tuning_build_hours", "usd_per_hour", "usd_per_example", "agent_tool_tokens"} <= set(ranges)
    assert set(ranges) <= {row.name for row in uncertainty.uncertain()}
    assert {entry.name for entry in calculator.inputs} >= {"pair", "model", "replicas"}
    assert "gpu" not in {entry.name for entry in calculator.inputs}


def test_the_tornado_is_pythons_one_at_a_time():
    swings = uncertainty.tornado(lambda s: chapter.total(rag)(s), (rag := side("rag")).s)
    widest = chapter.cost_drivers().chart_rows()[0]
    queries = rag.s.queries_per_month * rag.s.horizon_months
    assert widest["series"] == swings[0].label
    assert widest["high"] == pytest.approx(swings[0].at_high / queries)


def test_people_index_and_the_rest_are_shares():
    rag = side("rag")
    assert 0 < chapter.index_share(rag) < 1 - chapter.people_share(rag)
    assert chapter.people_share(side("rag", queries_per_month=1000)) > chapter.people_share(rag)


def test_the_odds_of_a_pair_and_of_its_reverse_make_one():
    a, b = side("agentic_search"), side("rag")
    (one,), (other,) = chapter.odds(a, b, [1e5]), chapter.odds(b, a, [1e5])
    assert one.probability + other.probability == pytest.approx(1)


def test_a_choice_says_what_it_was():
    assert chapter.choice_label({"chunks_in_prompt": 5}).endswith(": 5, not 15")
    assert "not sold tuned" in chapter.choices_table()


def test_the_model_moves_rags_bill_more_than_any_other_choice():
    def usd(model=chapter.MODEL, **changes):
        rag = side("rag", model, **changes)
        return float(rag.horizon_usd(rag.s.queries_per_month))

    as_it_is = usd()
    other_model = max(abs(usd(model) - as_it_is) for model in chapter.OTHER_MODELS)
    assert other_model > max(abs(usd(**changes) - as_it_is) for changes in chapter.CHOICES)
