"""Two sides share a model unless the reader says otherwise; break-even volumes in words."""

import pytest

from ragvsft.costs.methods import METHODS
from ragvsft.formula import trace
from ragvsft.widgets.compared_sides import (
    CODES,
    KINDS,
    kind_label,
    other_model_select,
    pick,
    shared_model_select,
    side,
    when_lower,
)


def test_volumes_in_words():
    assert when_lower(side("rag"), side("prompting")) == "at any volume"
    assert when_lower(side("prompting"), side("rag")) == "never"


def test_a_staircase_names_where_the_lead_begins_and_where_it_is_for_good():
    own = "gpt-oss-20b-self-hosted"
    words = when_lower(side("rag", own), side("rag_fine_tuned", own))
    assert words.startswith("from ") and "; for good from " in words


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_picks_its_method_and_serving(kind):
    assert pick(CODES[kind], lambda *one: CODES[one]) == CODES[kind]


def test_picking_can_be_traced():
    outputs = trace(lambda s: {"picked": pick(s.code, lambda *one: CODES[one])}, ["code"])
    assert set(outputs) == {"picked"}


def test_the_shared_models_are_sold_untuned_tuned_and_as_weights():
    for choice in shared_model_select().choices:
        roles = {name.partition(".")[0] for name in choice.sets}
        assert roles == {"answer_llm", "tuned_llm", "weights"}


def test_another_model_is_a_choice_and_the_same_is_the_default():
    select = other_model_select()
    assert select.default == "same" and select.choice("same").sets["other_on"] == 0
    assert all(choice.sets["other_on"] == 1 for choice in select.open if choice.id != "same")


def test_a_label_says_whose_gpu():
    assert kind_label("rag", "self_hosted") == f"{METHODS['rag'].label}, own GPU"
    assert kind_label("rag", "per_token") == METHODS["rag"].label
