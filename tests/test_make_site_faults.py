"""`make site` says a fault of the inputs at once, builds nothing, and after the mending runs as if new."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SET_UP = (".venv/locked", ".venv/package", "node_modules/.bundled")
CHAPTER = "chapters/cost/break-even.ipynb"
FAULTS = {
    "data/offers.csv": (None, "data/offers.csv: no such file"),
    "data/prices.csv": ("a,b\n1,2\n", "data/prices.csv:1: header = a,b: must be"),
    CHAPTER: ("{", f"{CHAPTER}:1: not a notebook: not JSON"),
}


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the book with this one's set-up, and a build that is a stand-in: it makes an empty folder."""
    copy = tmp_path / "a book"
    ignored = shutil.ignore_patterns(
        "_build", "node_modules", ".venv", ".git", "__pycache__", ".*_cache", "tests"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    executable(copy / ".venv/bin/python", f'PYTHONPATH="{copy}/src" exec "{sys.executable}" "$@"')
    executable(copy / ".venv/bin/jupyter-book", "mkdir -p _build/html")
    return copy


def make_site(checkout: Path) -> subprocess.CompletedProcess[str]:
    old = [word for stamp in SET_UP for word in ("-o", stamp)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "site", *old], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_stops_make_site_at_once_and_leaves_no_trace(name: str, checkout: Path) -> None:
    content, message = FAULTS[name]
    before = (checkout / name).read_bytes()
    (checkout / name).unlink()
    if content is not None:
        (checkout / name).write_text(content, encoding="utf-8")
    for run in (make_site(checkout), make_site(checkout)):
        assert run.returncode != 0 and message in run.stderr
        assert len((run.stdout + run.stderr).splitlines()) < 8, run.stdout + run.stderr
    assert not (checkout / "_build").exists()
    (checkout / name).write_bytes(before)
    mended = make_site(checkout)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert (checkout / "_build/html/.built").exists()
