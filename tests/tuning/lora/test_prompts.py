"""What the model reads: shared beginnings, one to five passages, a format that leaks no fact of a world."""

import json
import re

from ragvsft.tuning.lora import prompts
from ragvsft.tuning.lora.world import VALUES, make_world

W = make_world(1, 16, 8)


def passages_in(prompt: str) -> int:
    return len(re.findall(r"^\[\d\] |(?<=user\n)\[\d\] ", prompt, re.MULTILINE))


def test_two_questions_about_the_same_passages_share_everything_before_the_question() -> None:
    first, second = (prompts.ask(q, ["One.", "Two."]) for q in ("Who?", "Where?"))
    assert first.index("Who?") == second.index("Where?")
    assert first[: first.index("Who?")] == second[: second.index("Where?")]


def test_instructions_stand_after_the_question_and_examples_before_everything() -> None:
    plain = prompts.ask("Who?", ["One."])
    assert prompts.ask("Who?", ["One."], "instructions").startswith(plain[: plain.index("Who?") + 4])
    assert prompts.ask("Who?", ["One."], "examples") == prompts.worked_examples() + plain


def test_worked_examples_cite_first_and_second_and_refuse_once() -> None:
    answers = re.findall(r'\{"source".*\}', prompts.worked_examples())
    assert [json.loads(a)["source"] for a in answers] == [1, 2, None]


def test_format_examples_are_what_they_claim() -> None:
    examples = prompts.format_examples(3, 200)
    shown = [passages_in(e.prompt) for e in examples]
    assert set(shown) == {1, 2, 3, 4, 5}
    answers = [json.loads(e.completion) for e in examples]
    assert 30 <= sum(a["answer"] is None for a in answers) <= 70
    for example, answer, count in zip(examples, answers, shown, strict=True):
        assert (answer["answer"] is None) == (answer["source"] is None)
        if answer["source"] is not None:
            assert 1 <= answer["source"] <= count
            cited = re.search(rf"\[{answer['source']}\] (.*)", example.prompt)
            assert cited is not None and answer["answer"] in cited[1]


def test_format_examples_hold_no_name_and_no_value_of_any_world() -> None:
    text = " ".join(e.prompt + e.completion for e in prompts.format_examples(3, 200))
    names = {p.name for p in (*W.trained, *W.bystanders, *W.unseen)}
    assert not [name for name in names if name in text]
    assert not [v for values in VALUES.values() for v in values if re.search(rf"\b{v}\b", text)]


def test_equal_exposures_are_equal_steps_whatever_the_number_of_rewrites() -> None:
    counts = {n: prompts.fact_examples(W, n, 16, 2) for n in (1, 4, 16)}
    assert len({len(examples) for examples in counts.values()}) == 1
    name = W.held_out[0].name
    for n, examples in counts.items():
        assert len({e.completion for e in examples if name in e.completion}) == n


def test_the_mixture_replays_no_capital_of_the_test() -> None:
    examples = prompts.mixture_examples(W, 4, 4, 1, 10)
    replayed = {c for e in examples for c in re.findall(r"capital of (\w+)\?", e.prompt)}
    assert replayed and not replayed & set(W.capitals)


def test_the_grammar_is_the_form_that_is_learnt() -> None:
    # llama.cpp checks the grammar itself in test-experiments; here the fixed parts of both agree.
    for text in (prompts.as_json("Oslo", 2), prompts.as_json(None, None)):
        assert text.startswith('{"source": ') and ', "answer": ' in text
    assert r'"{\"source\": "' in prompts.GRAMMAR and r'", \"answer\": "' in prompts.GRAMMAR
