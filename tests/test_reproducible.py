"""A build from nothing, elsewhere, gives the bytes of the site at hand; so does a build that runs nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EDITED = "chapters/cost/latency"


def contents(site: Path) -> dict[str, bytes]:
    files = (path for path in site.rglob("*") if path.is_file() and path.name != ".built")
    return {str(path.relative_to(site)): path.read_bytes() for path in files}


def last_commit_seconds() -> str:
    return subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT, text=True).strip()


def build(checkout: Path) -> set[str]:
    """Build the book of a checkout with its own code. Returns the notebooks that ran."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    own_code = os.pathsep.join([str(checkout / "src"), str(ROOT / "tests" / "offline")])
    done = subprocess.run(
        [jupyter_book, "build", checkout, "--all", "-W", "-n", "--keep-going"],
        env={"SOURCE_DATE_EPOCH": last_commit_seconds()}
        | os.environ
        | {"PYTHONPATH": own_code, "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.findall(r"(\S+)\.ipynb: Executing notebook", re.sub(r"\x1b\[[\d;]*m", "", done.stdout))
    return {Path(name).relative_to(checkout).as_posix() for name in ran}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout in another folder, with an untouched build cache of its own."""
    target = tmp_path_factory.mktemp("elsewhere") / "copy"
    made = shutil.ignore_patterns(".*", "_build", "node_modules", "__pycache__", "tests", "experiments")
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, target], check=True)
    shutil.copytree(ROOT, target, ignore=made, dirs_exist_ok=True)
    return target


def test_two_clean_builds_are_identical(site_dir: Path, copy: Path) -> None:
    assert EDITED in build(copy)
    assert differences(site_dir, copy) == []


def test_an_edited_module_runs_its_chapter_alone_and_the_site_keeps_its_bytes(
    site_dir: Path, copy: Path
) -> None:
    module = copy / "src" / "ragvsft" / f"{EDITED}.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# an edit without effect\n", encoding="utf-8")
    assert build(copy) == {EDITED}
    assert differences(site_dir, copy) == []


def differences(site: Path, copy: Path) -> list[str]:
    first, second = contents(site), contents(copy / "_build" / "html")
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
