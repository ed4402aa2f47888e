"""What a result of a paired comparison shows."""

from ragvsft.chapters.decide import evaluate_your_case as chapter


def test_a_paired_result_by_hand() -> None:
    # (31 - 14) / 400 = 4.25 points; 17² = 289 > 3.84 × 45 = 173
    shown = chapter.paired_result().compute()
    assert shown["gain"] == 4.25 and shown["verdict"] == 2 and shown["low"] > 0


def test_the_worked_example_gains_on_the_whole_and_fails_its_gate() -> None:
    example = chapter.worked_example()
    # (1.96 + 0.84)² × 0.12 / 0.05² = 376.7
    assert example.needed == 377 <= example.questions
    assert example.whole.resolved and example.whole.value > 0
    assert example.edited.value < 0 and not example.released


def test_the_worked_example_would_be_released_without_the_lost_edited_passages() -> None:
    example = chapter.worked_example()
    assert example._replace(edited=example.whole).released


def test_the_calculator_starts_from_the_worked_example() -> None:
    shown, example = chapter.paired_result().compute(), chapter.worked_example()
    assert shown["gain"] == 100 * example.whole.value
    assert shown["low"] == 100 * example.whole.low
