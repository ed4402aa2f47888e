"""The published rows are shown in plain words."""

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import lora_qlora as chapter
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
