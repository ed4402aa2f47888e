"""Rows appended to a copy of `data/`, as a contributor appends them, and read by the whole package."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ragvsft import data
from ragvsft.prices.offers import items_of_lists, offers, rates
from ragvsft.prices.registry import items

CACHED = (data.load, offers, rates, items_of_lists, items)
"""Everything of the package that remembers what it read."""


def forget() -> None:
    """Have the tables read again."""
    for function in CACHED:
        function.cache_clear()


def into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that appends lines to tables of a copy of `data/` in `folder`, which then is `data/`."""

    def plant(**lines: Sequence[str]) -> None:
        if not folder.exists():
            shutil.copytree(data.DATA, folder)
            monkeypatch.setattr(data, "DATA", folder)
        for table, added in lines.items():
            with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in added)
        data.write_counts()
        forget()

    return plant
