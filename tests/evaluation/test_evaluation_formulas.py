"""What an evaluation proves: against textbook values, exact enumeration and SciPy."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from ragvsft.evaluation import formulas as f
from ragvsft.evaluation.paired import paired_p_value


@pytest.mark.parametrize(("successes", "n"), [(8, 30), (1, 1), (57, 100), (9999, 10000)])
def test_wilson_equals_scipy(successes, n):
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert f.wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_wilson_is_exact_at_both_ends():
    none, all_ = f.wilson_interval(0, 60), f.wilson_interval(60, 60)
    assert none[0] == 0 and all_[1] == 1
    assert none[1] == pytest.approx(1 - all_[0]) == pytest.approx(0.0602, abs=5e-5)


def test_wilson_on_arrays_is_wilson_on_each():
    successes, n = np.array([0, 3, 10]), np.array([10, 10, 10])
    low, high = f.wilson_interval(successes, n)
    for k in range(3):
        assert f.wilson_interval(int(successes[k]), int(n[k])) == pytest.approx((low[k], high[k]))


def test_one_share_by_hand():
    # 1.96² × 0.8 × 0.2 / 0.05² = 245.9
    assert f.questions_for_share(0.8, 0.05) == 246


def test_paired_difference_by_hand():
    # (1.96 + 0.84)² = 7.849; 7.849 × 0.15 / 0.05² = 470.9
    assert f.questions_for_paired_difference(0.05, 0.15) == 471
    assert f.questions_for_paired_difference(0.05, 0.01) == f.questions_for_paired_difference(0.05, 0.05)


def test_paired_sample_reaches_its_power():
    # Exact power of McNemar's test: sum over how many questions are discordant and who wins them.
    difference, discordant = 0.2, 0.4
    n = int(f.questions_for_paired_difference(difference, discordant))
    better = (discordant + difference) / 2 / discordant
    power = 0.0
    for decided in range(n + 1):
        weight = math.comb(n, decided) * discordant**decided * (1 - discordant) ** (n - decided)
        wins = [k for k in range(decided + 1) if k > decided / 2 and paired_p_value(decided - k, k) < 0.05]
        power += weight * sum(math.comb(decided, k) * better**k * (1 - better) ** (decided - k) for k in wins)
    assert 0.77 < power < 0.85


def test_pairing_needs_fewer_questions_than_two_samples():
    # 7.849 × (0.8 × 0.2 + 0.85 × 0.15) / 0.05² = 902.6
    assert (
        f.questions_for_unpaired_difference(0.05, 0.8) == 903 > f.questions_for_paired_difference(0.05, 0.15)
    )


def test_the_smallest_detectable_difference_inverts_the_sample_size():
    n = f.questions_for_paired_difference(0.05, 0.15)
    assert f.smallest_detectable_difference(n, 0.15) == pytest.approx(0.05, rel=1e-3)
    assert f.smallest_detectable_difference(1, 0.15) == 0.15


def test_paired_interval_by_hand():
    # Cells 10 and 20 of 100 become 10.5 and 20.5 of 102: 10/102 ± 1.96 √(31 − 100/102) / 102
    low, high = f.paired_difference_interval(10, 20, 100)
    half = 1.959963984540054 * math.sqrt(31 - 100 / 102) / 102
    assert (low, high) == pytest.approx((10 / 102 - half, 10 / 102 + half))
    assert f.paired_difference_interval(0, 1, 1)[1] == 1


def test_paired_test_is_the_two_sided_binomial():
    # 1 against 7 of 8: 2 × (1 + 8) / 256
    assert paired_p_value(1, 7) == pytest.approx(18 / 256) == paired_p_value(7, 1)
    assert paired_p_value(0, 0) == paired_p_value(5, 5) == 1
    with pytest.raises(ValueError, match="only_first_right: -1 is not a count"):
        paired_p_value(-1, 3)


def test_the_verdict_is_mcnemars():
    # 20 against 35: (15)² = 225 > 3.84 × 55 = 211; 20 against 34: 196 < 207
    assert [f.verdict(20, 35), f.verdict(20, 34), f.verdict(35, 20), f.verdict(0, 0)] == [2, 1, 0, 1]


def test_a_noisy_judge_by_simulation():
    random = np.random.default_rng(4)
    n, right = 2_000_000, 0.9
    kind = random.choice(4, n, p=[0.7, 0.05, 0.1, 0.15])  # both right, only first, only second, both wrong
    answers = np.array([(kind == 0) | (kind == 1), (kind == 0) | (kind == 2)])
    graded = np.where(random.random((2, n)) < right, answers, ~answers)
    found = (graded[1].mean() - graded[0].mean(), (graded[0] != graded[1]).mean())
    expected = f.observed_difference(0.05, right), f.observed_discordant_share(0.15, right)
    assert expected == pytest.approx((0.04, 0.276))
    assert found == pytest.approx(expected, abs=2e-3)


def test_cost_of_a_round_by_hand():
    # 300 × 1 × 2 = 600 answers at 0.03 + 0.01 + 5% of 2.00 = 0.14
    assert f.evaluation_run_usd(300, 1, 2, 0.03, 0.01, 0.05, 2.0) == pytest.approx(84.0)
    assert f.question_set_usd(300, 10, 60) == 3000


def test_many_attempts_make_a_small_rate_likely():
    # 1 − 0.99^500
    assert f.chance_of_at_least_one(0.01, 500) == pytest.approx(1 - 0.99**500)
    assert f.chance_of_at_least_one(0.0, 500) == 0
