"""The published rows are shown in plain words."""

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import lora_qlora as chapter
from ragvsft.tuning import results
from ragvsft.tuning.catalogue import architecture
from ragvsft.tuning.lora import demo
from ragvsft.tuning.memory import METHODS


def test_every_published_row_is_named_in_plain_words():
    rows = drawn(chapter.lora_quality_chart())
    assert {row["trained on"] for row in rows} == set(chapter.TRAINED_ON.values())
    assert {row["method"] for row in rows} == set(chapter.METHODS_TRIED.values())


def test_the_drawing_counts_the_weights_of_the_two_thin_matrices():
    # Llama-3.1-8B: 4,096 × 4,096 frozen, 2 × 4,096 × 16 trained
    drawing = chapter.two_matrices("Llama-3.1-8B", 16).data
    assert "16,777,216" in drawing and "131,072" in drawing


def test_the_titles_follow_from_the_bars_and_the_dots():
    chart = chapter.memory_chart("Llama-3.1-8B", 16, 2048)
    bars, title = drawn(chart), chart.to_dict()["title"]
    total = {name: sum(row["gb"] for row in bars if row["method"] == name) for name in METHODS.values()}
    full, lora, qlora = total.values()
    assert f"{round(100 * lora / full)}%" in title and f"{round(100 * qlora / full)}%" in title
    assert " below " in chapter.lora_quality_chart().to_dict()["title"]


def test_our_figure_shows_every_behaviour_of_every_condition():
    chart = chapter.behaviours_chart()
    shown = {(row["label"], row["condition"]): row for row in drawn(chart)}
    assert len(shown) == len(chapter.BEHAVIOURS) * len(results.conditions())
    stale = shown["changed fact: gives the old value", "LoRA on facts"]
    assert stale["mean"] == results.estimate("facts", "changed", "gold", "stale").mean
    assert all(0 <= row["low"] <= row["mean"] <= row["high"] <= 1 for row in shown.values())


def test_the_trained_parameters_are_the_formulas():
    shape = architecture("SmolLM2-135M")
    for row in results.trainings():
        assert row.trainable_parameters % shape.lora_parameters(1) == 0


def test_the_recorded_answers_stand_beside_their_question():
    lines = chapter.recorded_table(2).splitlines()[2:]
    assert len(lines) == 2 * len(demo.WAYS)
    assert {line.split(" | ")[0].removeprefix("| ") for line in lines} == set(demo.recorded_questions()[:2])
    assert all(line.endswith((" right |", " wrong |")) for line in lines)
