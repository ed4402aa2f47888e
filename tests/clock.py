"""A clock for tests: the date of the commit by default, any other on request."""

import os
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

CHECKED = date(2026, 11, 25)
"""The day after the last check of prices: tests that name an end or an age are written for it."""


def stamp(day: date) -> str:
    """Noon of a day in seconds, as `SOURCE_DATE_EPOCH` has it."""
    return str(int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()))


def set_to_commit() -> None:
    """Sets `SOURCE_DATE_EPOCH` to the commit's date unless make has; without git, to `CHECKED`."""
    try:
        shown = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        shown = stamp(CHECKED)
    os.environ.setdefault("SOURCE_DATE_EPOCH", shown)
