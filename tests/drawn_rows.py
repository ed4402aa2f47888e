"""Helpers of the charts' tests."""

from typing import Any


def drawn(chart: Any) -> list[dict[str, Any]]:
    """The rows that an Altair chart draws."""
    return next(iter(chart.to_dict()["datasets"].values()))
