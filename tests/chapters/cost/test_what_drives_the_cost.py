"""What a failure costs."""

import pytest

from ragvsft.chapters.cost import what_drives_the_cost as chapter


def test_a_failure_of_five_dollars_eats_a_cent_in_a_fifth_of_a_point():
    shown = chapter.failure_cost().compute(dear_usd=0.03, cheap_usd=0.02, usd_per_failure=5, lost_points=0.2)
    assert shown["loss_points"] == pytest.approx(0.2)
    assert shown["dear_usd"] == pytest.approx(shown["cheap_usd"])
