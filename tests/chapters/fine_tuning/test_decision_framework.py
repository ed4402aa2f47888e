"""What training data costs."""

import pytest

from ragvsft.chapters.fine_tuning import decision_framework as chapter


def test_training_data_cost_by_hand() -> None:
    # 1,000 × 1 minute × 1.2 = 20 hours at $100; 1,000 × 1,000 × 3 × 4 tokens at $0.44 a million
    shown = chapter.dataset_cost().compute()
    assert shown["labelling_usd"] == pytest.approx(2000)
    assert shown["training_usd"] == pytest.approx(5.28)
    assert shown["weeks"] == pytest.approx(0.5)


def test_the_icelandic_chart_says_what_the_last_rung_took() -> None:
    assert (
        chapter.icelandic_chart()
        .to_dict()["title"]
        .endswith("17 points more than examples; retrieval then took 4")
    )
