"""What a fine-tune added to retrieval agrees with the published tables."""

import pytest

from ragvsft.evidence.combining import combining


def test_training_with_context_never_loses_and_training_without_often_does() -> None:
    settings = combining()
    with_context = settings[settings.trained == "trained with context"]
    assert len(with_context) == 6 and (with_context.gain > 0).all()
    assert (settings[settings.trained == "trained without context"].gain < 0).sum() > 20


def test_both_is_compared_with_the_better_one_alone() -> None:
    row = (
        combining()
        .set_index(["paper", "dataset", "trained"])
        .loc[("Zhang et al. 2024", "Torch Hub", "trained without context")]
    )
    assert (row.rag, row.fine_tuned, row.both) == pytest.approx((8.6, 84.94, 82.8))
    assert row.gain == pytest.approx(82.8 - 84.94)
