"""Two clocks: the commit's date in builds and tests, the reader's calendar elsewhere."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ragvsft.cli import main
from ragvsft.costs.compare import offers_in_use
from ragvsft.prices import offer, status, today
from ragvsft.prices.check import MAX_DAYS_UNCHECKED, check

IN_USE = "claude-sonnet-5-5"


def test_today_is_the_date_of_source_date_epoch(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795564800")
    assert today() == date(2026, 11, 25)


def test_without_it_today_is_the_real_date(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert abs(today() - datetime.now(UTC).date()) <= timedelta(days=1)


@pytest.mark.parametrize("stamp", ["yesterday", "-5", "1.5"])
def test_another_stamp_is_refused(monkeypatch, stamp):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stamp)
    with pytest.raises(ValueError, match=f"SOURCE_DATE_EPOCH = '{stamp}': must be whole seconds since 1970"):
        today()


def test_an_offer_ends_by_the_readers_calendar(on):
    on(date(2026, 11, 25))
    assert status("gpt-4.1-mini", horizon_months=1).available
    assert status("gpt-4.1-mini", 12).reason.startswith("ends on 2027-01-14, inside the horizon")
    on(date(2027, 1, 14))
    assert status("gpt-4.1-mini", horizon_months=1).reason.startswith("ended on 2027-01-14")


def test_an_offer_that_nobody_has_looked_at_for_91_days_is_reported():
    last = offer(IN_USE).checked_on
    assert check([IN_USE], last + timedelta(days=MAX_DAYS_UNCHECKED)) == []
    assert check([IN_USE], last + timedelta(days=91)) == [
        f"{IN_USE}: checked_on = {last}: 91 days ago; must be at most 90"
    ]


def test_a_price_of_181_days_is_reported_and_not_used(on):
    gpu = "runpod-h100-sxm-secure"
    dated = date(2026, 11, 9)
    old = f"{gpu}: usd_per_hour = 3.99: dated {dated}; must be at most 180 days old"
    assert old not in check([gpu], dated + timedelta(days=180))
    assert old in check([gpu], dated + timedelta(days=181))
    on(dated + timedelta(days=181))
    assert status(gpu, 1) == (False, f"its price of {dated} is over 180 days old")


def test_an_offer_in_use_that_has_ended_is_reported():
    found = check(["gpt-4.1-mini"], date(2027, 1, 14))
    assert any(line.startswith("gpt-4.1-mini: ended on 2027-01-14") for line in found)
    assert not any("ended" in line for line in check(["gpt-4.1-mini"], date(2027, 1, 13)))


def test_the_committed_prices_pass_on_the_commits_date():
    in_use = {
        name for place in ("anywhere", "eu", "own_account", "own_machines") for name in offers_in_use(place)
    }
    assert check(sorted(in_use)) == []


def test_the_command_checks_the_commits_date_unless_it_is_told_today(on, monkeypatch, capsys):
    on(date(2028, 1, 1))
    assert main(["prices", "check"]) == 1
    assert "checked_on" in capsys.readouterr().out
    asked = []
    monkeypatch.setattr("ragvsft.prices.check.check", lambda in_use, day: asked.append(day) or [])
    assert main(["prices", "check", "--today"]) == 0
    assert abs(asked[0] - datetime.now(UTC).date()) <= timedelta(days=1)
