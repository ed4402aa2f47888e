"""Published rows stay: a correction is a new row. Compared by key with the last commits."""

import csv
import io
import shutil
import subprocess

import pytest

from ragvsft import data
from ragvsft.prices.offers import OfferRow, PriceRow

MAY_MOVE = {"checked_on"}
"""Looking again and finding the same is no correction."""


def git(*arguments: str) -> str | None:
    """Git's answer in the checkout, or None where there is no git, no repository or no such object."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(["git", *arguments], cwd=data.DATA, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def by_key(text: str, key: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, str]]:
    return {tuple(row[name] for name in key): row for row in csv.DictReader(io.StringIO(text))}


def edits(before: str, after: str, key: tuple[str, ...]) -> list[str]:
    """What happened to published rows, in words; columns that were added or dropped are no edit."""
    old, new = by_key(before, key), by_key(after, key)
    found = [f"{' '.join(gone)}: removed" for gone in old.keys() - new.keys()]
    for name, row in old.items():
        now = new.get(name, row)
        shared = (row.keys() & now.keys()) - MAY_MOVE
        found += [f"{' '.join(name)}: {c}: {row[c]} -> {now[c]}" for c in shared if row[c] != now[c]]
        found += [f"{' '.join(name)}: {c} went back" for c in MAY_MOVE & row.keys() if now[c] < row[c]]
    return found


@pytest.mark.parametrize("revision", ["HEAD", "HEAD^1"])
@pytest.mark.parametrize("model", [PriceRow, OfferRow], ids=lambda model: model.TABLE)
def test_published_rows_are_never_edited_or_removed(model, revision):
    published = git("show", f"{revision}:./{model.TABLE}.csv")
    if published is None:
        pytest.skip(f"no {revision} with data/{model.TABLE}.csv to compare with")
    if published.splitlines()[0] != ",".join(model.model_fields):
        pytest.skip(f"{revision} has other columns: rows were migrated since")
    current = (data.DATA / f"{model.TABLE}.csv").read_text(encoding="utf-8")
    assert edits(published, current, model.KEY) == []


HEADER = "id,as_of,checked_on,note\n"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("a,2026-01-01,2026-01-01,x\nb,2026-01-01,2026-01-01,y\n", []),
        ("a,2026-01-01,2026-03-01,x\n", []),
        ("a,2026-01-01,2025-03-01,x\n", ["a 2026-01-01: checked_on went back"]),
        ("a,2026-01-01,2026-01-01,z\n", ["a 2026-01-01: note: x -> z"]),
        ("a,2026-02-01,2026-01-01,x\n", ["a 2026-01-01: removed"]),
    ],
)
def test_an_edit_or_a_removal_is_noticed_and_a_new_row_is_none(after, said):
    assert edits(f"{HEADER}a,2026-01-01,2026-01-01,x\n", HEADER + after, ("id", "as_of")) == said
