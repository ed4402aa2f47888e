"""Lengths of time and normal quantiles, each written once."""

HOURS_PER_MONTH = 730
"""The month by which clouds bill: 8,760 hours a year, divided by 12."""

SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600

DAYS_PER_MONTH = 365.25 / 12
"""The mean month of the calendar, leap years included."""

MONTHS_PER_YEAR = 12
HOURS_PER_DAY = 24
SECONDS_PER_MINUTE = 60

Z_80_ONE_SIDED = 0.8416212335729143
"""The 80th percentile of the standard normal distribution: for a test with a power of 80%."""

Z_95_ONE_SIDED = 1.6448536269514722
"""Its 95th percentile: where a p95 lies above the median, in standard deviations."""

Z_95_TWO_SIDED = 1.959963984540054
"""Its 97.5th percentile: half of a 95% interval, in standard errors."""
