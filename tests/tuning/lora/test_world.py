"""The world of facts: seeded, consistent, with near neighbours; nothing of the test leaks into training."""

import re

import pytest

from ragvsft.tuning.lora import prompts, world
from ragvsft.tuning.lora.world import ATTRIBUTES, make_world

W = make_world(1, trained_people=16, held_out_people=8)


def test_a_seed_is_a_world() -> None:
    assert make_world(1, 16, 8) == W
    assert make_world(2, 16, 8) != W


def test_everyone_has_another_name() -> None:
    names = [p.name for p in (*W.trained, *W.bystanders, *W.unseen)]
    assert len(names) == len(set(names)) == 16 + 60 + 5


def test_trained_people_share_no_name_but_have_neighbours_among_the_documents() -> None:
    parts = [part for p in W.trained for part in p.name.split()]
    assert len(parts) == len(set(parts))
    for person in (*W.held_out, *W.unseen):
        near = [p for p in W.bystanders if set(p.name.split()) & set(person.name.split())]
        assert len(near) >= 2, person.name


def test_each_round_changes_two_facts_to_values_not_held_before() -> None:
    for person in W.held_out:
        for number in range(1, world.ROUNDS + 1):
            before, now = person.facts(number - 1), person.facts(number)
            assert sum(before[a] != now[a] for a in ATTRIBUTES) == 2
        for a in ATTRIBUTES:
            held = [facts[a] for facts in person.history]
            kept = [value for k, value in enumerate(held) if k == 0 or value != held[k - 1]]
            assert len(kept) == len(set(kept))


def test_documents_hold_the_facts_of_their_round_and_nobody_unseen() -> None:
    for number in (0, 1):
        passages = W.passages(number)
        assert not set(passages) & {p.name for p in W.unseen}
        for person in (*W.trained, *W.bystanders):
            text = passages[person.name]
            assert person.name in text
            assert all(value in text for value in person.facts(number).values())


def test_rewrites_differ_and_each_states_all_three_facts() -> None:
    person = W.held_out[0]
    found = world.rewrites(person, 64, seed=1)
    assert len(set(found)) == 64
    assert all(value in text for text in found for value in person.facts().values())
    assert world.rewrites(person, 4, seed=1) == found[:4]


def test_questions_of_the_test_are_in_no_training_example() -> None:
    asked = {q.text for p in W.trained for q in world.questions_about(p)}
    trained = [*prompts.fact_examples(W, 4, 4, 1), *prompts.raft_examples(W, 40)]
    assert not [e for e in trained for q in asked if q in e.prompt]


def test_the_held_out_are_stated_and_never_asked_about_in_training() -> None:
    examples = prompts.fact_examples(W, 4, 8, 1)
    for person in W.held_out:
        about = [e for e in examples if person.name in e.prompt + e.completion]
        assert len(about) == 8
        assert all(e.prompt == "" for e in about)
    for person in W.questioned:
        assert sum(person.name in e.prompt for e in examples) == 3 * 2


def test_a_changed_question_knows_the_old_value() -> None:
    person = W.held_out[0]
    changed = world.changed_questions(person)
    assert len(changed) == 2
    assert all(
        q.former == person.facts()[q.attribute] and q.answer == person.facts(1)[q.attribute] for q in changed
    )


def test_a_counterfactual_passage_says_another_capital_and_not_the_true_one() -> None:
    for country, false in W.counterfactual.items():
        text = world.counterfactual_passage(country, false)
        assert false in text
        assert world.CAPITALS[country] not in text


def test_no_wrong_article() -> None:
    texts = [*W.passages().values(), *world.rewrites(W.held_out[0], 64, 1)]
    texts += [e.prompt + e.completion for e in prompts.format_examples(1, 60)]
    assert not [t for t in texts if re.search(r"\ba [aeio]|\ban [^aeio]", t)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((16, 16), "held_out_people = 16"),
        ((31, 8), "trained_people = 31"),
        ((4, 2), "bystanders"),
        ((16, 8, 60, 5, 0), "capitals = 0"),
    ],
)
def test_an_impossible_world_is_refused(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_world(1, *arguments)
