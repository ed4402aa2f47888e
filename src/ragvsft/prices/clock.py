"""Two clocks in one function: the commit's date in builds and tests, the reader's calendar elsewhere."""

import os
from datetime import UTC, date, datetime, timedelta, timezone


def today() -> date:
    """The date of `SOURCE_DATE_EPOCH` (seconds, UTC), which make sets from the commit; else the real date.

    Raises ValueError if the variable is not a whole number of seconds.
    """
    if stamp := os.environ.get("SOURCE_DATE_EPOCH"):
        if not stamp.isdecimal():
            raise ValueError(f"SOURCE_DATE_EPOCH = {stamp!r}: must be whole seconds since 1970")
        return datetime.fromtimestamp(int(stamp), UTC).date()
    return datetime.now(UTC).date()


def latest_today() -> date:
    """The latest real date on Earth now: a price of today is none of the future wherever it was read."""
    return datetime.now(timezone(timedelta(hours=14))).date()
