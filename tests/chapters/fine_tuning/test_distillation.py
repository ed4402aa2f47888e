"""What a large model's lessons cost, and what tuning a retriever has been worth."""

import pytest

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import distillation as chapter


def test_the_lessons_by_hand() -> None:
    # 2,350 cached tokens at $0.10, 150 at $2 and 400 at $10 a million: the teacher's call
    shown = chapter.teacher_cost().compute()
    call = (2350 * 0.1 + 150 * 2 + 400 * 10) / 1e6
    assert shown["teacher_usd"] == pytest.approx(call)
    assert shown["teaching_usd"] == pytest.approx(5000 * call)
    # (0.35 × 2,350 + 150 + 400) tokens × 5,000 pairs × 3 epochs × 4 runs at $3.60 a million
    assert shown["training_usd"] == pytest.approx(1372.5 * 5000 * 12 * 3.6 / 1e6)


def test_the_saving_is_the_smaller_model_and_rent_can_eat_what_teaching_saves() -> None:
    shown = chapter.teacher_cost().compute()
    assert shown["untuned_usd"] < shown["taught_usd"] < shown["teacher_usd"]
    assert (shown["teacher_verdict"], shown["untuned_verdict"]) == (chapter.PAYS, chapter.NEVER)
    busy = chapter.teacher_cost().compute(queries_per_month=1e8)
    assert busy["taught_usd"] < busy["untuned_usd"] and busy["untuned_verdict"] == chapter.PAYS


def test_a_retriever_is_compared_with_itself_untuned() -> None:
    gains = chapter.retriever_gains()
    assert [round(gain.points, 1) for gain in gains] == [5.7, 6.8, 14.5, 5.7]
    assert {gain.pairs for gain in gains} == {6300, None}
    (counted,) = (gain for gain in gains if gain.difference)
    assert counted.difference.resolved and not counted.difference.paired


def test_the_charts_say_what_their_rows_say() -> None:
    assert chapter.retriever_chart().to_dict()["title"] == "Tuning the retriever gained 5.7 to 14.5 points"
    wins, settings = chapter.student_wins()
    assert (wins, settings) == (3, 3)
    assert f"best in {wins} of {settings} settings" in chapter.student_chart().to_dict()["title"]
    assert len(drawn(chapter.student_chart())) == 4 * settings
