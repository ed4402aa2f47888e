"""Every chapter is short, clean and self-contained, and the normaliser keeps it so."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from ragvsft.tools import notebooks

ROOT = Path(__file__).parent.parent.parent
CHAPTERS = list(notebooks.find([ROOT / "index.ipynb", ROOT / "chapters"]))
LONGEST_CELL_LINES = 12
MEDIAN_CELL_LINES = 4
FORBIDDEN_IN_CODE = re.compile(
    r"""
      ^\s*[!%]                                                      # shell or magic command
    | \b(pip|conda|apt|apt-get|npm)\ install\b
    | \bsys\.path\b
    | \bos\.environ\b | \bgetenv\b | \bgetpass\b                    # secrets, or what only one machine has
    | \b(api_?key|password|secret|token)\s*=\s*["']
    | ^\s*(import|from)\s+(aiohttp|http|httpx|requests|socket|urllib)\b
    | \(\s*["']https?://                                            # a remote file as an argument
    | \bwarnings\.(filterwarnings|simplefilter)\b
    """,
    re.MULTILINE | re.VERBOSE,
)
SPHINX_ONLY = re.compile(r"\{[a-z][\w:+-]*\}`|^\s*(```+|:::+|~~~+)\s*\{", re.MULTILINE)

every_chapter = pytest.mark.parametrize(
    "path", CHAPTERS, ids=[str(path.relative_to(ROOT).with_suffix("")) for path in CHAPTERS]
)


def sources(path: Path, cell_type: str) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [notebooks.source(cell) for cell in cells if cell["cell_type"] == cell_type]


def lines(code: str) -> int:
    return sum(1 for line in code.splitlines() if line.strip())


@every_chapter
def test_chapter_is_in_the_committed_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == notebooks.normalise(text), "run `make notebooks`"


@every_chapter
def test_code_cells_are_short(path: Path) -> None:
    lengths = [lines(code) for code in sources(path, "code")] or [0]
    assert max(lengths) <= LONGEST_CELL_LINES
    assert median(lengths) <= MEDIAN_CELL_LINES


@every_chapter
def test_code_needs_nothing_from_outside(path: Path) -> None:
    assert not [code for code in sources(path, "code") if FORBIDDEN_IN_CODE.search(code)]


@pytest.mark.parametrize(
    "code",
    [
        "!ls",
        "x = 1\n%matplotlib inline",
        "import sys\nsys.path.append('..')",
        "import os\nos.environ['HOME']",
        "client = Client(api_key='abc')",
        "from urllib.request import urlopen",
        "rows = read_csv('https://example.org/prices.csv')",
    ],
)
def test_what_reaches_outside_is_recognised(code: str) -> None:
    assert FORBIDDEN_IN_CODE.search(code)


@every_chapter
def test_text_shows_the_same_in_jupyterlab(path: Path) -> None:
    assert not [text for text in sources(path, "markdown") if SPHINX_ONLY.search(text)]


def test_every_chapter_is_in_the_table_of_contents() -> None:
    listed = re.findall(r"\b(?:root|file):\s*([\w/.-]+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert sorted(path.removesuffix(".ipynb") for path in listed if path != "search") == sorted(
        str(path.relative_to(ROOT).with_suffix("")) for path in CHAPTERS
    )


def cell(source: str, cell_type: str = "code", **extra: Any) -> dict[str, Any]:
    return {"cell_type": cell_type, "metadata": {}, "source": source, **extra}


def normalised(*cells: dict[str, Any], **extra: Any) -> dict[str, Any]:
    before = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4} | extra)
    return json.loads(notebooks.normalise(before))


def test_normalising_drops_outputs_counts_and_unknown_metadata() -> None:
    run = cell(
        "1 + 1",
        id="sum",
        outputs=[{"output_type": "execute_result"}],
        execution_count=7,
        metadata={"tags": ["hide-input"], "collapsed": True},
    )
    notebook = normalised(run, metadata={"widgets": {}, "kernelspec": {"name": "other"}})
    assert notebook["metadata"] == notebooks.METADATA
    assert notebook["cells"] == [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "sum",
            "metadata": {"tags": ["hide-input"]},
            "outputs": [],
            "source": ["1 + 1"],
        }
    ]


@pytest.mark.parametrize(
    ("own", "source", "expected"),
    [
        ("price-of-one-query", "anything", "price-of-one-query"),
        (None, "## What it costs\n\nToday.", "what-it-costs-today"),
        ("3fa85f64", "total = 1", "total-1"),
        ("3fa85f64-5717-4562-b3fc-2c963f66afa6", "total = 1", "total-1"),
        ("Not Kebab", "…", "markdown"),
    ],
)
def test_a_chosen_id_stays_and_any_other_is_made_from_the_cell(
    own: str | None, source: str, expected: str
) -> None:
    extra = {} if own is None else {"id": own}
    assert normalised(cell(source, "markdown", **extra))["cells"][0]["id"] == expected


def test_ids_are_unique() -> None:
    notebook = normalised(cell("a"), cell("a"), cell("x", id="a-2"), cell("a"))
    assert [each["id"] for each in notebook["cells"]] == ["a", "a-2", "a-2-2", "a-3"]


def test_blank_cells_go() -> None:
    assert normalised(cell(" \n"), cell("x"))["cells"][0]["source"] == ["x"]


def test_check_names_the_notebook_and_leaves_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draft.ipynb"
    dirty = json.dumps({"cells": [cell("x")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    path.write_text(dirty, encoding="utf-8")
    assert notebooks.main(["--check", str(tmp_path)]) == 1
    assert str(path) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == dirty
    assert notebooks.main([str(tmp_path)]) == 0
    assert notebooks.main(["--check", str(tmp_path)]) == 0


def test_a_broken_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "draft.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"draft\.ipynb: not a notebook"):
        notebooks.main([str(tmp_path)])


def test_a_new_chapter_is_in_the_committed_form_and_unwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    place = "chapters/cost/my-own-question.ipynb"
    assert notebooks.main(["--new", place]) == 0
    text = Path(place).read_text(encoding="utf-8")
    assert text == notebooks.normalise(text)
    assert "# My own question" in text and 'chapter_end(\\"cost/my-own-question\\")' in text
    assert notebooks.main(["--check", "chapters"]) == 1
    assert capsys.readouterr().out == f"{place}: still says 'write here'\n"
    with pytest.raises(SystemExit, match="exists already"):
        notebooks.main(["--new", place])


@pytest.mark.parametrize(
    "place", ["chapters/x.ipynb", "chapters/A/x.ipynb", "../chapters/a/x.ipynb", "a.txt"]
)
def test_a_chapter_stands_in_a_part_and_nothing_is_made_elsewhere(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=r"must be chapters/part/its-name\.ipynb"):
        notebooks.main(["--new", place])
    assert list(tmp_path.iterdir()) == []


def git(folder: Path, *arguments: str, status: int = 0) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.pager=cat")
    run = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert (run.returncode != 0) == (status != 0), run.stdout + run.stderr
    return run.stdout + run.stderr


def test_one_command_has_git_show_notebooks_as_text_and_check_commits(tmp_path: Path) -> None:
    for name in ("Makefile", ".gitattributes"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".githooks", tmp_path / ".githooks")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/src" exec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    draft = tmp_path / "draft.ipynb"
    draft.write_text(CHAPTERS[0].read_text(encoding="utf-8"), encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "draft.ipynb", ".gitattributes")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "-o", ".venv/package", "hooks"], cwd=tmp_path, env=environment, check=True)

    changed = json.loads(draft.read_text(encoding="utf-8"))
    changed["cells"][0]["source"] = ["# Another title"]
    draft.write_text(json.dumps(changed, indent=1), encoding="utf-8")
    shown = git(tmp_path, "diff")
    assert "\n+# Another title\n" in shown and '"source"' not in shown and "cell_type" not in shown
    draft.write_text("{", encoding="utf-8")
    assert "\n+{" in git(tmp_path, "diff")

    (tmp_path / "Makefile").write_text("check:\n\t@echo a fault; exit 1\n", encoding="utf-8")
    assert "a fault" in git(tmp_path, "commit", "--all", "--message", "two", status=1)
    assert git(tmp_path, "log", "--format=%s") == "one\n"
