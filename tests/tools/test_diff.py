"""What moved between two revisions, and the record that a flipped conclusion must leave."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from planting import forget
from ragvsft import cli, data
from ragvsft.evidence import changes
from ragvsft.tools import changelog, diff, snapshot

ROOT = Path(__file__).parents[2]
LATER = "2026-11-25"
CHEAP = [
    f"claude-haiku-5-5,{kind}_usd_per_mtok,0.0001,,,USD,{LATER},secondary,https://example.org/cheap,"
    for kind in ("input", "output", "cache_read", "cache_write")
]
"""Prices at which no other model can cost less: the cheapest cell of the base case changes."""


def git(repository: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    run = subprocess.run(
        ["git", *identity, *arguments], cwd=repository, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its data as they stand here, committed; and then a price that flips the winner."""
    folder = tmp_path_factory.mktemp("diff") / "a book"
    for name in ("src", "data"):
        unwanted = shutil.ignore_patterns("__pycache__", "vendor", "measured", "*.egg-info")
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted if name == "src" else None)
    for name in ("pyproject.toml", "references.bib"):
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "before")
    (folder / "data" / "prices.csv").open("a", encoding="utf-8").writelines(f"{line}\n" for line in CHEAP)
    counted = (folder / "data" / "tables.csv").read_text("utf-8")
    rows = len(data.load("prices"))
    counted = counted.replace(f"\nprices,{rows}\n", f"\nprices,{rows + len(CHEAP)}\n")
    (folder / "data" / "tables.csv").write_text(counted, "utf-8")
    git(folder, "commit", "--quiet", "--all", "--message", "a price")
    return folder


@pytest.fixture(scope="module")
def found(repository: Path) -> diff.Diff:
    return diff.diff("HEAD^", "HEAD", repository)


def test_the_flipped_winner_is_named_first(found: diff.Diff) -> None:
    first = found.conclusions[0]
    assert first.name == "cheapest/default"
    assert "gpt-oss-20b" in str(first.before) and "Haiku" in str(first.after)
    lines = diff.as_markdown(found).splitlines()
    assert "Lowest cost, base case" in lines[lines.index("| --- | --- | --- | --- |") + 1]


def test_a_flip_without_a_line_in_the_changelog_is_marked(found: diff.Diff) -> None:
    assert "cheapest/default" in [each.name for each in found.unsaid]
    assert diff.UNSAID in diff.as_markdown(found)


def test_numbers_prices_and_rows_follow_the_conclusions(found: diff.Diff) -> None:
    sections = {each.section for each in found.numbers}
    assert {"cells", "prices", "leads", "calculators"} <= sections
    price = next(each for each in found.numbers if each.key == "claude-haiku-5-5/input_usd_per_mtok")
    assert price.after == 0.0001 and price.before != price.after
    assert len(found.rows["prices"].added) == len(CHEAP) and found.rows["prices"].removed == []
    assert found.not_compared == {}


def test_the_json_is_whole_where_the_markdown_is_cut_and_says_so(found: diff.Diff, tmp_path: Path) -> None:
    diff.write(found, tmp_path)
    whole = json.loads((tmp_path / "diff.json").read_text("utf-8"))
    cells = [each for each in whole["numbers"] if each["section"] == "cells"]
    assert len(cells) == sum(each.section == "cells" for each in found.numbers) > diff.SHOWN
    assert f"{diff.SHOWN} of {len(cells)} are shown" in (tmp_path / "diff.md").read_text("utf-8")


def test_a_revision_is_the_same_as_itself(repository: Path) -> None:
    same = diff.diff("HEAD", "", repository)
    assert (same.conclusions, same.numbers, same.rows) == ([], [], {})


def test_a_revision_without_a_package_is_compared_by_its_rows_and_this_is_said(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach", "HEAD^")
    git(repository, "rm", "-r", "--quiet", "src")
    git(repository, "commit", "--quiet", "--message", "before there was a package")
    bare = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-")
    old = diff.diff(bare, "", repository)
    assert list(old.rows) == ["prices", "tables"] and old.conclusions == []
    assert bare in next(iter(old.not_compared.values()))


def test_a_revision_that_git_does_not_know_is_named(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    with pytest.raises(ValueError, match=r"revision = nowhere: git does not know it"):
        diff.diff("nowhere", "", repository)
    assert cli.main(["diff", "--", "--upload-pack=touch"]) == 2
    assert "must be a commit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("a", "b", "same"), [(1.0, 1 + 1e-10, True), (1.0, 1 + 1e-8, False), ("x", "y", False)]
)
def test_differences_below_the_tie_are_none(a: str | float, b: str | float, same: bool) -> None:
    assert (diff.moved({"s": {"k": a}}, {"s": {"k": b}}) == []) == same


def test_figures_that_would_look_alike_are_shown_apart() -> None:
    one = diff.Moved("cells", "k", 1000.1, 1000.2)
    assert "1000.1 | 1000.2" in diff.as_markdown(diff.Diff("a", "b", LATER, [], [one], {}, {}))


# ------------------------------------------------------------------------------------------ the changelog


@pytest.fixture
def book(planted: Callable[..., None], tmp_path: Path) -> Iterator[Path]:
    """A copy of the data in which the winner has flipped since yesterday, and the page beside it."""
    planted(prices=CHEAP)
    record = data.DATA / "conclusions.csv"
    record.write_text(record.read_text("utf-8").replace(f",{LATER},", ",2026-11-24,"), "utf-8")
    forget()
    yield data.DATA
    forget()


def test_the_committed_record_is_what_is_computed_today() -> None:
    assert changelog.findings(snapshot.conclusions()) == []


def test_a_flip_fails_the_check_until_a_person_has_said_why(book: Path) -> None:
    computed = snapshot.conclusions()
    unrecorded = changelog.findings(computed)
    assert any(line.startswith("data/conclusions.csv: cheapest/default: is now") for line in unrecorded)
    changelog.write(computed, date.fromisoformat(LATER))
    forget()
    silent = changelog.findings(computed)
    assert any("cheapest/default" in line and "why is blank" in line for line in silent)
    rows = (book / "conclusions.csv").read_text("utf-8").splitlines()
    said = [f"{row}A cheaper price." if row.endswith(f",{LATER},") else row for row in rows]
    (book / "conclusions.csv").write_text("\n".join(said) + "\n", "utf-8")
    forget()
    assert changelog.findings(computed) == ["CHANGELOG.md: is not what data/ makes; run `make data`"]
    changelog.write(computed, date.fromisoformat(LATER))
    forget()
    assert changelog.findings(computed) == []
    page = (book.parent / changelog.PAGE).read_text("utf-8")
    assert "- Lowest cost, base case: Agentic search on gpt-oss-20b → " in page and "A cheaper price." in page


def test_what_was_said_by_hand_survives_and_writing_twice_changes_nothing(book: Path) -> None:
    computed = snapshot.conclusions()
    old = [row for row in data.load("conclusions") if row.why]
    for _ in range(2):
        changelog.write(computed, date.fromisoformat(LATER))
        forget()
        kept = (book / "conclusions.csv").read_bytes()
    assert old and set(old) <= set(data.load("conclusions"))
    changelog.write(computed, date.fromisoformat(LATER))
    assert (book / "conclusions.csv").read_bytes() == kept


def test_a_conclusion_that_is_no_longer_drawn_leaves_a_row(book: Path) -> None:
    computed = snapshot.conclusions()
    gone = next(name for name in computed if name.startswith("verdict/"))
    del computed[gone]
    assert (gone, "") in changelog.not_recorded(computed)


@pytest.mark.parametrize(
    ("conclusion", "before", "after", "asked"),
    [
        ("verdict/x", "holds", "outdated", True),
        ("cheapest/default", "RAG on Claude Haiku 5.5", "RAG on Claude Haiku 6", True),
        ("break-even/fine_tuned/rag/gpt-oss-20b", "from 210,000", "from 230,000", False),
        ("break-even/fine_tuned/rag/gpt-oss-20b", "from 210,000", "never", True),
    ],
)
def test_a_reason_is_asked_for_a_flip_and_not_for_a_volume_that_moved(
    conclusion: str, before: str, after: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(
        changes.ConclusionRow(conclusion=conclusion, value=value, as_of=date(2026, 1, day), why="")
        for day, value in ((1, before), (2, after))
    )
    monkeypatch.setattr(changes, "load", lambda name: rows)
    assert bool(changes.unexplained()) == asked


def test_the_history_of_a_price_is_read_from_its_rows() -> None:
    told = [change for each in changes.days() for change in each.changes if change.kind == "price"]
    assert any("Tinker, Qwen3-8B, input: 0.13 USD/million tokens → 0.195" in change.text for change in told)
