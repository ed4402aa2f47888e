"""A notebook runs again when something changes that it depends on, and no other notebook does."""

import shutil
from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path

import pytest

from book.opened import opened, runner
from ragvsft.book import inputs
from ragvsft.tools import notebooks

ROOT = Path(__file__).parents[2]
PACKAGE = inputs.read_package(ROOT)
NOTEBOOKS = {
    path.relative_to(ROOT).with_suffix("").as_posix(): path
    for path in notebooks.find([ROOT / "index.ipynb", ROOT / "chapters"])
}
DOOR = inputs.parse("from ragvsft.data import tables")
"""What `load` may import while it looks for a table's row model."""


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    with runner() as pool:
        yield pool


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parts of the checkout that decide what runs again."""
    for folder in ("chapters", "data", "src"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "vendor")
        )
    for name in ("index.ipynb", "references.bib", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def rerun(root: Path, edited: Path) -> set[str]:
    """The notebooks that would run again after an edit."""
    before = inputs.digests(root)
    edited.write_bytes(edited.read_bytes() + b"\n")
    after = inputs.digests(root)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_that_a_notebook_opens_counts(name: str, processes: Pool) -> None:
    found = processes.apply(opened, (ROOT, NOTEBOOKS[name]))
    asked_for_row_models = {path for path in inputs.reached(PACKAGE, DOOR) if path.suffix == ".py"}
    assert ROOT / "src" / "ragvsft" / "__init__.py" in found
    # Row counts check a table; what a chapter shows of it changes with the table itself.
    row_counts = {ROOT / "data" / "tables.csv"}
    assert found - asked_for_row_models - row_counts - inputs.inputs(PACKAGE, NOTEBOOKS[name]) == set()


def test_an_edit_in_a_chapters_module_runs_that_chapter_alone(copy: Path) -> None:
    modules = [path for path in (copy / "src/ragvsft/chapters").rglob("*.py") if path.name != "__init__.py"]
    chapters = {path: path.relative_to(copy / "src/ragvsft").with_suffix("").as_posix() for path in modules}
    expected = {path: {name.replace("_", "-")} for path, name in chapters.items()}
    expected = {path: {"index"} if names == {"chapters/index"} else names for path, names in expected.items()}
    assert {path: rerun(copy, path) for path in modules} == expected


def test_an_edit_in_a_table_runs_the_chapters_that_read_it(copy: Path) -> None:
    alone = rerun(copy, copy / "data" / "evaluation_worksheet.csv")
    many = rerun(copy, copy / "data" / "connections.csv")
    assert "chapters/decide/evaluate-your-case" in alone
    assert not {name for name in alone if name.startswith("chapters/cost/")}
    assert many >= {*NOTEBOOKS} - {"index"}


def test_an_edit_in_an_experiment_or_in_the_readme_runs_nothing(copy: Path) -> None:
    elsewhere = [copy / "experiments" / "tuning" / "run.py", copy / "README.md", copy / "data" / "README.md"]
    for path in elsewhere:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [rerun(copy, path) for path in elsewhere] == [set(), set(), set()]


def test_a_widgets_script_runs_the_chapters_that_show_it(copy: Path) -> None:
    script = next((copy / "src/ragvsft").rglob("decisions.js"))
    assert rerun(copy, script) == {"index", "chapters/decide/decision-matrix"}


def test_the_lock_and_a_chapters_title_run_everything(copy: Path) -> None:
    assert rerun(copy, copy / "requirements.txt") == {*NOTEBOOKS}
    path = copy / "chapters/cost/latency.ipynb"
    before = inputs.digests(copy)
    path.write_text(path.read_text("utf-8").replace('"# ', '"# On ', 1), "utf-8")
    assert {name for name, key in inputs.digests(copy).items() if key != before[name]} == {*NOTEBOOKS}


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import ragvsft.formula", "formula.py"),
        ("from ragvsft import formula", "formula.py"),
        ("from ragvsft.formula import trace", "formula.py"),
        ("def later():\n    from ragvsft.formula import trace", "formula.py"),
        ("import ragvsft.costs.formulas", "costs/__init__.py"),
    ],
)
def test_imports_are_found_wherever_they_stand(code: str, module: str) -> None:
    assert ROOT / "src/ragvsft" / module in inputs.reached(PACKAGE, inputs.parse(code))


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ('load("surveys")', "surveys"),
        ('for name in ("surveys", "gpus"): load(name)', "gpus"),
        ('load(f"ovadia_{kind}.csv")', "ovadia_table1"),
        ('load("prices")', "offers"),
        ("from ragvsft.data import tables", "throughput"),
        ("from ragvsft import data\ndata.dictionary()", "throughput"),
    ],
)
def test_tables_are_found_by_name_by_pattern_and_by_reference(code: str, table: str) -> None:
    assert ROOT / "data" / f"{table}.csv" in inputs.reached(PACKAGE, inputs.parse(code))


def test_what_only_a_type_checker_imports_does_not_count() -> None:
    code = "if TYPE_CHECKING:\n    from ragvsft.formula import Expr"
    assert inputs.reached(PACKAGE, inputs.parse(code)) == {ROOT / "requirements.txt"}
