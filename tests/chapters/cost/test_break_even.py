"""The pair calculator shows what the cost model finds."""

import pytest

from ragvsft.chapters.cost import break_even as chapter
from ragvsft.chapters.cost.break_even import payback
from ragvsft.costs import break_even
from ragvsft.widgets.compared_options import on


@pytest.mark.parametrize("second", ["fine_tuned_hosted", "rag_fine_tuned_self_hosted", "prompting"])
def test_the_pair_calculator_shows_every_crossing_of_the_cost_model(second):
    shown = chapter.pair().compute(option_a="rag", option_b=second)
    found = break_even.option_crossings("rag", second, on("claude-sonnet-5-5"), 100, shown["volume_end"])
    assert shown["volume_crossings"] == len(found)
    for k, at in enumerate(found[:3], 1):
        assert shown[f"volume_crossing_{k}"] == pytest.approx(at)


def test_payback_and_break_even_agree_on_whether_it_pays_inside_the_horizon():
    s = on("claude-sonnet-5-5")
    (at,) = break_even.option_crossings("rag", "rag_fine_tuned_hosted", s, 100, 1e8)
    assert payback("rag", "rag_fine_tuned_hosted", s, at * 0.99) == "not in the horizon"
    assert payback("rag", "rag_fine_tuned_hosted", s, at * 1.01).endswith("months")
    assert payback("rag", "prompting", s, 100_000) == "at once"
