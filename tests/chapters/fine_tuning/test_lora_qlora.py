"""The published rows are shown in plain words."""

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import lora_qlora as chapter


def test_every_published_row_is_named_in_plain_words():
    rows = drawn(chapter.lora_quality_chart())
    assert {row["trained on"] for row in rows} == set(chapter.TRAINED_ON.values())
    assert {row["method"] for row in rows} == set(chapter.METHODS_TRIED.values())
