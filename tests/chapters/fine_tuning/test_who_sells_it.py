"""Who still sells fine-tuning: what is open, what has ended, and what a forced move costs."""

from datetime import date

import pytest

from drawn_rows import drawn
from ragvsft.chapters.fine_tuning import who_sells_it as chapter
from ragvsft.costs import scenario
from ragvsft.costs.inputs import changed
from ragvsft.prices import offer


def test_every_tuned_model_is_in_one_of_the_two_tables() -> None:
    sold = {
        row.id for row in chapter.tuning_offers() if row.kind == "tuned_llm" and row.availability == "open"
    }
    ended = {row.id for row in chapter.ending(chapter.tuning_offers())}
    closed = {row.id for row in chapter.tuning_offers() if row.availability != "open"}
    assert not sold & closed and closed <= ended


def test_an_open_offer_says_what_stands_against_it() -> None:
    lines = {
        line
        for line in chapter.open_table([offer("fireworks-lora-16b"), offer("tinker-qwen3-8b")]).splitlines()[
            2:
        ]
    }
    unpriced, priced = sorted(lines, key=lambda line: "no published price" not in line)
    assert "no published price" in unpriced and "no published price" not in priced


def test_notice_is_counted_in_days() -> None:
    assert (
        chapter.notice_days(offer("openai-ft-gpt-4.1-mini")) == (date(2027, 1, 14) - date(2026, 10, 14)).days
    )
    assert chapter.notice_days(offer("bedrock-claude-3-haiku")) is None


def test_the_same_model_tuned_lasts_longer_at_another_host() -> None:
    longer = chapter.months_longer(offer("azure-gpt-4.1-mini"), offer("openai-ft-gpt-4.1-mini"))
    assert longer == pytest.approx(9, abs=0.1)


def test_a_forced_move_is_data_training_test_and_people() -> None:
    s = scenario.default().inputs("gpt-oss-20b")
    # 0.4 × 1,000 × $2 + 1,000 × 1,000 × 3 × 4 tokens at $3.60 a million + 24 hours at $100, and the test
    by_hand = 800 + 43.2 + 2400
    assert by_hand < chapter.move_usd(s) < by_hand + 10
    idle = changed(s, relabelled_fraction=0, release_hours=0, training_examples=1, evaluation_questions=1)
    assert 0 < chapter.move_usd(idle) < 1


def test_the_timeline_runs_from_the_announcement_to_the_end() -> None:
    chart = chapter.offers_timeline(chapter.tuning_offers(), date(2026, 11, 25))
    rows = {row["offer"]: row for row in drawn(chart)}
    assert rows["Cohere, all of it"]["status"] == "ended"
    assert rows["Azure, tuned GPT-4.1 mini"]["status"] == "ends later"
    assert all(row["announced"] <= row["ends"] for row in rows.values())
    assert chart.to_dict()["title"] == "Notice before the end: from 0 to 464 days"


def test_open_models_are_told_from_closed_ones() -> None:
    assert chapter.is_open_model(offer("tinker-qwen3-8b"))
    assert not chapter.is_open_model(offer("azure-gpt-4.1-mini"))
