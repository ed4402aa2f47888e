"""The wider tree says what its numbers say."""

import pytest

from ragvsft.chapters.synthesis import llm_decision_guide as chapter


@pytest.mark.parametrize(
    ("preset", "verdicts"),
    [
        ("Support bot", {"corpus_verdict": 1, "memory_verdict": 0, "rent_verdict": 0}),
        ("Large archive", {"memory_verdict": 2, "embedding_verdict": 1}),
    ],
)
def test_the_tree_says_what_its_numbers_say(preset, verdicts):
    calculator = chapter.decision_numbers()
    values = next(entry.values for entry in calculator.presets if entry.label == preset)
    found = calculator.compute(**values)
    assert {name: found[name] for name in verdicts} == verdicts


def test_flat_traffic_and_a_dear_model_speak_for_own_gpus():
    found = chapter.decision_numbers().compute(
        second="claude-sonnet-5.5", peak_to_mean_ratio=1, queries_per_month=1e6
    )
    assert found["rent_verdict"] == 1


def test_a_small_corpus_goes_into_the_prompt():
    assert chapter.decision_numbers().compute(documents=100, tokens_per_document=1000)["corpus_verdict"] == 0


def test_a_gpu_is_compared_with_calls_to_the_same_open_model():
    same, other = (chapter.busy_to_break_even(column) for column in ("gpt-oss-20b", "claude-haiku-5.5"))
    assert 0 < other < same < 1
    assert chapter.model_usd("gpt-oss-20b") < chapter.model_usd("claude-haiku-5.5")
