"""What a result of a paired comparison shows."""

from ragvsft.chapters.decide import evaluate_your_case as chapter


def test_a_paired_result_by_hand() -> None:
    # (31 - 14) / 400 = 4.25 points; 17² = 289 > 3.84 × 45 = 173
    shown = chapter.paired_result().compute()
    assert shown["gain"] == 4.25 and shown["verdict"] == 2 and shown["low"] > 0
