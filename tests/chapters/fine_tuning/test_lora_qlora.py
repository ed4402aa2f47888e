"""The published rows are shown in plain words."""

import json
from pathlib import Path
from typing import Any

import pytest

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import lora_qlora as chapter
from ragvsft.tuning import results
from ragvsft.tuning.catalogue import architecture
from ragvsft.tuning.lora import demo
from ragvsft.tuning.memory import METHODS

NOTEBOOK = Path(__file__).parents[3] / "chapters" / "fine-tuning" / "lora-qlora.ipynb"


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


def test_the_cells_that_a_reader_edits_begin_with_a_recorded_answer():
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"]}
    given: dict[str, Any] = {}
    exec(cells["ask"], given)
    assert demo.said(given["question"], given["passages"])[1]
    assert "As recorded" in chapter.answers_table(given["question"], given["passages"])


def test_the_gate_lets_no_adapter_out_and_says_why():
    assert "counterfactual: a loss of 10% is not ruled out" in chapter.gate_text("facts")
    shut = chapter.gate_text("format")
    assert "the first is right in 0 of 60" in shut and "ordinary:" not in shut


def test_the_figure_of_what_training_does_is_the_paired_differences():
    shown = {(row["label"], row["step"]): row for row in drawn(chapter.shapes_chart()) if "step" in row}
    assert len(shown) == sum(map(len, chapter.SHIFTS.values()))
    facts = results.compare(("base", "new", "none"), ("facts", "new", "none")).difference
    assert shown["new facts right", chapter.FACTS]["points"] == 100 * facts.mean
    known = shown["known capitals right, no passage", chapter.FACTS]
    assert known["high"] < 0, "training on facts costs known ones, as the text says"


def test_the_published_rows_stand_beside_ours():
    head, _, *lines = chapter.published_table().splitlines()
    assert head.count("|") == 6 and lines[0].startswith("| measured here | ")
    assert len(lines) == 6 and "75.4%" in lines[3]


def test_a_setting_that_was_not_swept_is_refused():
    with pytest.raises(ValueError, match="setting = 'rank 2'"):
        chapter.swept("rank 2")
