"""What the ranges do to the answer, on distributions whose results are known."""

import numpy as np
import pytest
import scipy.stats

from costs.golden_inputs import golden
from ragvsft.costs import uncertainty
from ragvsft.costs.inputs import changed
from ragvsft.costs.methods import METHODS, bill
from ragvsft.data import AssumptionRow


def total(name):
    """A method's USD over the horizon by the token, as a function of the inputs."""
    return lambda s: bill(s, METHODS[name], "per_token").horizon_usd(s)


def row(name, low, base, high, log_scale=False, kind="uncertain", draw=0):
    return AssumptionRow(
        name=name,
        label=name.replace("_", " "),
        group="people",
        kind=kind,
        unit="USD",
        minimum=low,
        low=low,
        base=base,
        high=high,
        maximum=high,
        log_scale=log_scale,
        draw=draw if kind == "uncertain" else None,
        source_kind="assumption",
        source=None,
        as_of=None,
        note="",
    )


HOURS = row("rag_build_hours", 40, 120, 400, log_scale=True)
RATE = row("usd_per_hour", 60, 100, 180, draw=1)
VOLUME = row("queries_per_month", 1e3, 1e5, 1e7, log_scale=True, kind="workload")
FIXED = row("release_hours", 24, 24, 24, draw=2)


@pytest.fixture(autouse=True)
def table(monkeypatch):
    monkeypatch.setattr(uncertainty, "load", lambda name: (HOURS, RATE, VOLUME, FIXED))


def test_only_uncertain_rows_with_a_range_are_drawn():
    assert uncertainty.uncertain() == (HOURS, RATE)
    (drawn,) = uncertainty.draws(golden(), 10)
    assert drawn.usd_per_hour.shape == (10,)
    assert drawn.queries_per_month == 100_000


def test_draws_are_triangular_and_on_a_log_scale_very_nearly_so_in_the_logarithm():
    (drawn,) = uncertainty.draws(golden(), 10_000)
    rate = scipy.stats.triang(c=(100 - 60) / 120, loc=60, scale=120)
    hours = scipy.stats.triang(c=np.log(120 / 40) / np.log(10), loc=np.log(40), scale=np.log(10))
    assert scipy.stats.kstest(drawn.usd_per_hour, rate.cdf).pvalue > 0.001
    assert scipy.stats.kstest(np.log(drawn.rag_build_hours), hours.cdf).pvalue > 0.001


@pytest.mark.parametrize("ends", [(0, 0, 1), (0, 1, 1), (0, 0.5, 1)])
def test_the_mode_may_lie_at_an_end(ends):
    probability = np.linspace(0, 1, 11)
    low, base, high = ends
    expected = scipy.stats.triang(c=base, loc=low, scale=high - low).ppf(probability)
    assert uncertainty.quantile(row("x", *ends), probability) == pytest.approx(expected, abs=1e-12)


def test_the_draws_are_the_same_whole_or_in_chunks(monkeypatch):
    monkeypatch.setattr(uncertainty, "CHUNK", 100)
    first, second, third = uncertainty.draws(golden(), 250)
    assert [len(part.usd_per_hour) for part in (first, second, third)] == [100, 100, 50]
    again = list(uncertainty.draws(golden(), 250))
    assert np.array_equal(third.usd_per_hour, again[2].usd_per_hour)
    assert not np.array_equal(first.usd_per_hour, second.usd_per_hour)


def test_inputs_drawn_together_are_high_or_low_at_once():
    (drawn,) = uncertainty.draws(golden(), 1_000, together=("usd_per_hour", "rag_build_hours"))
    assert np.array_equal(np.argsort(drawn.usd_per_hour), np.argsort(drawn.rag_build_hours))


def test_a_certain_winner_wins_always_and_an_even_race_half_the_time():
    def coin(s):
        return total("rag")(changed(s, usd_per_hour=median(RATE)))

    (even,) = uncertainty.probability_cheaper(total("rag"), coin, golden(), golden(), [1e5], 10_000)
    assert even.probability == pytest.approx(0.5, abs=0.01)
    assert even.standard_error == pytest.approx(0.5 / 100, rel=0.01)
    (certain,) = uncertainty.probability_cheaper(
        total("prompting"), total("rag"), golden(), golden(), [1e5], 1_000
    )
    assert certain == (1, 0)


def median(uncertain_row):
    return float(uncertainty.quantile(uncertain_row, np.array(0.5)))


def test_volume_moves_the_odds():
    low, high = uncertainty.probability_cheaper(
        total("fine_tuned"), total("rag"), golden(), golden(), [1e3, 1e7], 2_000
    )
    assert low.probability < 0.1
    assert high.probability > 0.9


def test_a_tornado_moves_one_input_at_a_time_and_sorts_by_swing():
    swings = uncertainty.tornado(lambda s: bill(s, METHODS["rag"], "per_token").people_one_off_usd, golden())
    (hours, rate) = swings
    assert (hours.name, rate.name) == ("rag_build_hours", "usd_per_hour")
    assert hours.at_high - hours.at_low == pytest.approx((400 - 40) * 100)
    assert rate.at_high - rate.at_low == pytest.approx(120 * (180 - 60))


def test_total_indices_of_a_sum_are_the_shares_of_variance(monkeypatch):
    hours, rate = (scipy.stats.triang(c, loc, scale) for c, loc, scale in ((0.5, 0, 2), (0.5, 0, 1)))
    wide, narrow = row("rag_build_hours", 0, 1, 2), row("usd_per_hour", 0, 0.5, 1)
    monkeypatch.setattr(uncertainty, "load", lambda name: (wide, narrow))
    found = uncertainty.total_indices(lambda s: s.rag_build_hours + s.usd_per_hour, golden(), samples=1024)
    expected = hours.var() / (hours.var() + rate.var())
    assert [influence.name for influence in found] == ["rag_build_hours", "usd_per_hour"]
    assert found[0].total == pytest.approx(expected, abs=0.02)
    assert found[1].total == pytest.approx(1 - expected, abs=0.02)


def test_total_indices_repeat():
    result = total("rag")
    assert uncertainty.total_indices(result, golden(), 64) == uncertainty.total_indices(result, golden(), 64)
