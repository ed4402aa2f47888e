"""The pair calculator shows what the cost model finds; tables say on which side of a crossing who leads."""

import pytest

from ragvsft.chapters.cost import break_even as chapter
from ragvsft.chapters.cost.break_even import payback
from ragvsft.costs import break_even
from ragvsft.costs.methods import METHODS
from ragvsft.widgets.compared_sides import HIGH, LOW, side, when_lower

MODEL = "gpt-oss-20b"


@pytest.mark.parametrize(
    "second, column",
    [
        ("fine_tuned-per_token", MODEL),
        ("rag_fine_tuned-self_hosted", f"{MODEL}-self-hosted"),
        ("prompting-per_token", MODEL),
        ("agentic_search-per_token", MODEL),
    ],
)
def test_the_pair_calculator_shows_every_crossing_of_the_cost_model(second, column):
    shown = chapter.pair().compute(side_a="rag-per_token", side_b=second)
    method = second.partition("-")[0]
    a, b = side("rag", MODEL), side(method, column)
    found = break_even.side_crossings(a, b, LOW, shown["volume_end"])
    assert shown["volume_crossings"] == len(found)
    for k, at in enumerate(found[:3], 1):
        assert shown[f"volume_crossing_{k}"] == pytest.approx(at)


def test_both_sides_run_on_one_model_unless_the_reader_names_another():
    same = chapter.pair().compute(side_a="rag-per_token", side_b="rag-per_token")
    assert same["a_usd"] == same["b_usd"]
    other = chapter.pair().compute(
        side_a="rag-per_token", side_b="rag-per_token", other_model="claude-sonnet-5.5"
    )
    assert other["b_usd"] == same["b_usd"] < other["a_usd"]


def test_payback_and_break_even_agree_on_whether_it_pays_inside_the_horizon():
    a, b = side("rag"), side("fine_tuned")
    (at,) = break_even.side_crossings(a, b, LOW, HIGH)
    assert payback(a, b, at * 0.99) == "not in the horizon"
    assert payback(a, b, at * 1.01).endswith("months")
    assert payback(a, side("prompting"), 100_000) == "at once"


def test_the_words_say_on_which_side_of_a_crossing_the_challenger_leads():
    large, small = ("claude-sonnet-5.5", MODEL)
    assert when_lower(side("rag", large), side("agentic_search", large)).startswith("up to ")
    assert when_lower(side("agentic_search", large), side("rag", large)).startswith("from ")
    assert when_lower(side("rag", small), side("agentic_search", small)) == "at any volume"
    assert when_lower(side("agentic_search", small), side("rag", small)) == "never"


@pytest.mark.parametrize("name", chapter.CHALLENGERS)
def test_the_first_table_sets_each_challenger_against_rag_on_its_own_model(name):
    table = chapter.same_model()
    assert METHODS[name].label in table
    assert when_lower(side("rag", MODEL), side(name, MODEL)) in table
