"""Months, days and quantiles are what their names say, and are written nowhere else."""

import re
from pathlib import Path

import pytest
from scipy.stats import norm

import ragvsft
from ragvsft import units

PACKAGE = Path(ragvsft.__file__).parent


def test_quantiles_are_those_of_the_normal_distribution():
    assert pytest.approx(norm.ppf(0.8), rel=1e-15) == units.Z_80_ONE_SIDED
    assert pytest.approx(norm.ppf(0.95), rel=1e-15) == units.Z_95_ONE_SIDED
    assert pytest.approx(norm.ppf(0.975), rel=1e-15) == units.Z_95_TWO_SIDED


def test_the_two_months_are_those_of_the_cloud_and_of_the_calendar():
    assert units.HOURS_PER_MONTH == 365 * 24 / 12
    assert pytest.approx((4 * 365 + 1) / 4 / 12) == units.DAYS_PER_MONTH


def test_no_other_module_writes_them_again():
    again = re.compile(r"\b730\b|365\.25|30\.4\d|1\.64[45]|1\.9(?:6|59)\d*|0\.84162")
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "units.py"]
    assert [path.name for path in modules if again.search(path.read_text("utf-8"))] == []
