"""The package is cut into rooms, and a room imports only what stands above it."""

import ast
import json
from pathlib import Path

import pytest

import ragvsft

PACKAGE = Path(ragvsft.__file__).parent
ROOT = PACKAGE.parents[1]

FLOORS = (
    ("", "data", "formula", "units", "prose"),
    ("prices",),
    ("costs",),
    ("retrieval", "tuning", "evaluation"),
    ("evidence", "claims", "checks", "combining", "connections"),
    ("decisions",),
    ("widgets",),
    ("chapters",),
    ("book",),
    ("cli", "tools"),
)
"""The rooms in the order in which data flows; "" is the package itself."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def room(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def imports(source: str) -> set[str]:
    """The modules of the package that a source imports, wherever in it: imports inside functions count."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "an import must name its module in full"
            own = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module or "" for name in own}
    return {name for name in names if name.partition(".")[0] == "ragvsft"}


GRAPH = {module: imports(path.read_text("utf-8")) for module, path in MODULES.items()}


def test_every_room_has_its_floor():
    assert sorted(set(map(room, MODULES)) - FLOOR.keys()) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_stands_above_its_room(module):
    below = {name for name in GRAPH[module] if FLOOR[room(name)] > FLOOR[room(module)]}
    assert below == set()


def test_no_two_rooms_import_each_other():
    edges = {(room(module), room(name)) for module, found in GRAPH.items() for name in found}
    assert {(a, b) for a, b in edges if a < b and (b, a) in edges} == set()


def test_no_modules_import_each_other_in_a_circle():
    seen: dict[str, bool] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if seen.setdefault(module, False):
            return
        for name in GRAPH.get(module, set()) - {module}:
            visit(name, (*path, module))
        seen[module] = True

    for module in MODULES:
        visit(module, ())


def test_a_circle_and_a_step_up_would_be_found():
    assert imports("def late():\n    from ragvsft.widgets import chart") == {"ragvsft.widgets.chart"}
    assert imports("import ragvsft.book.mime") == {"ragvsft.book.mime"}
    assert FLOOR["book"] > FLOOR["widgets"] > FLOOR["costs"]


NOTEBOOKS = {
    str(path.relative_to(ROOT).with_suffix("")).removeprefix("chapters/"): path
    for path in [ROOT / "index.ipynb", *ROOT.glob("chapters/*/*.ipynb")]
}


def module_of(chapter: str) -> str:
    return "ragvsft.chapters." + chapter.replace("/", ".").replace("-", "_")


def test_every_chapters_module_has_its_notebook():
    folders = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    own = {name for name in MODULES if name.startswith("ragvsft.chapters.")} - folders
    assert sorted(own - set(map(module_of, NOTEBOOKS))) == []


@pytest.mark.parametrize("chapter", sorted(NOTEBOOKS))
def test_a_notebook_shows_its_own_module_and_no_other_chapters(chapter):
    cells = json.loads(NOTEBOOKS[chapter].read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    used = imports(code)
    assert {room(name) for name in used} & {"book", "cli", "tools"} == set()
    expected = {module_of(chapter)} & MODULES.keys()
    assert {name for name in used if room(name) == "chapters"} == expected


CHAPTERS = sorted(name for name in MODULES if room(name) == "chapters")


@pytest.mark.parametrize("module", CHAPTERS)
def test_a_chapter_that_draws_has_the_books_look(module):
    draws = "import altair" in MODULES[module].read_text("utf-8")
    assert not draws or "ragvsft.widgets.chart" in GRAPH[module]


@pytest.mark.parametrize("module", CHAPTERS)
def test_no_chapter_leans_on_another(module):
    assert {name for name in GRAPH[module] if room(name) == "chapters"} == set()
