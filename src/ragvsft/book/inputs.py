"""What a notebook's outputs depend on besides its own cells: found by reading code, without running any.

A notebook depends on the modules that it imports, on those that they import (in functions too), and on the
files that any of them names: a table, another file, or several by a pattern (``f"measured/{x}"``). Texts are
taken at their word, so a file too many may be found. A test compares with what the notebooks open.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LOCK = "requirements.txt"
DOOR = "ragvsft.data"
"""The module that reads tables for all others: what it names, it does not read."""

READS_ALL = {"data.tables", "data.dictionary", "data.dictionary_markdown", "evidence.checks.run_checks"}
"""Functions that find modules and tables without naming them: who uses one depends on all of them."""

NAME = re.compile(r"[\w./*-]+")
PATTERN = re.compile(r"(?=.*[./])(?=.*\w\w).*\*.*")
"""A text that can name a file or a table, and which of these can name several."""


@dataclass(frozen=True)
class Code:
    """What a piece of Python says."""

    imports: frozenset[str] = frozenset()
    """Dotted names that it imports: modules, and names that may be modules."""
    uses: frozenset[str] = frozenset()
    """`module.name` for each name that it takes from a module."""
    strings: frozenset[str] = frozenset()
    """Its texts that can be names, and its f-strings as patterns with `*`."""
    row_models: tuple[tuple[str, frozenset[str]], ...] = ()
    """The tables whose row models it holds, each with the model's words."""
    types: tuple[tuple[str, frozenset[str]], ...] = ()
    """The types of columns that it names, each with the words of its definition."""


@dataclass(frozen=True)
class Package:
    """A checkout's modules, its tables, and the other files that code may name."""

    modules: dict[str, Path]
    code: dict[str, Code]
    tables: dict[str, Path]
    files: dict[str, frozenset[Path]]
    """What code may call files, with the files that it then means."""


def digests(root: Path) -> dict[str, str]:
    """For every notebook of the book (its path in `root`, without suffix) a digest of what it depends on."""
    package = read_package(root)
    paths = [root / "index.ipynb", *sorted(root.glob("chapters/*/*.ipynb"))]
    titles = [f"{path.relative_to(root).as_posix()}\0{_title(path)}".encode() for path in paths]
    return {
        path.relative_to(root).with_suffix("").as_posix(): digest(root, inputs(package, path), titles)
        for path in paths
    }


def digest(root: Path, files: Iterable[Path], texts: Iterable[bytes] = ()) -> str:
    """A digest of files, of their places in `root`, of further texts and of the version of Python."""
    found = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for text in texts:
        found.update(b"\0" + text)
    for path in sorted(files):
        found.update(f"\0{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def inputs(package: Package, notebook: Path) -> set[Path]:
    """The files that the outputs of a notebook depend on, itself apart."""
    sources = ("".join(cell["source"]) for cell in _cells(notebook) if cell["cell_type"] == "code")
    return reached(package, parse("\n".join(sources)))


def reached(package: Package, code: Code) -> set[Path]:
    """The modules that `code` imports directly or by others, the files that it or they name, and the lock."""
    found = {*package.files.get(LOCK, ())}
    waiting, seen = deque([code]), set[str]()
    while waiting:
        said = waiting.popleft()
        tables = {*package.tables} if READS_ALL & said.uses else _tables(package, said)
        modules = _modules(package, said, tables) - seen
        found |= {package.tables[table] for table in tables} | {package.modules[name] for name in modules}
        found = found.union(*(package.files[name] for name in _matches(said.strings, package.files)))
        waiting += [package.code[name] for name in modules]
        seen |= modules
    return found


def _modules(package: Package, said: Code, tables: set[str]) -> set[str]:
    """The modules that code imports, the packages around them, those of the tables' row models and checks."""
    homes = {name for name, code in package.code.items() if tables & {table for table, _ in code.row_models}}
    parts = [name.split(".") for name in {*said.imports, *homes}]
    names = {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}
    if READS_ALL & said.uses:
        texts = [path.read_text("utf-8") for path in package.tables.values()]
        names |= {name for name in package.modules for text in texts if f"{name}:" in text}
    return names & package.modules.keys()


def _tables(package: Package, said: Code) -> set[str]:
    """The tables that code names, and those that their columns refer to."""
    models = [model for code in package.code.values() for model in code.row_models]
    types = [pair for code in package.code.values() for pair in code.types]
    found, waiting = set[str](), _matches(said.strings, package.tables)
    while waiting:
        found |= waiting
        words = {word for table, model in models if table in waiting for word in model}
        words |= {word for name, definition in types if name in words for word in definition}
        waiting = (words & package.tables.keys()) - found
    return found


def _matches(texts: Iterable[str], names: Iterable[str]) -> set[str]:
    names, texts = {*names}, {*texts}
    patterns = [text for text in texts if PATTERN.fullmatch(text)]
    return (names & texts) | {name for name in names for pattern in patterns if fnmatchcase(name, pattern)}


def read_package(root: Path) -> Package:
    """Read a checkout's code once, and list the files that it may name."""
    source, data = root / "src", root / "data"
    package = source / "ragvsft"
    modules = {_dotted(path.relative_to(source)): path for path in sorted(package.rglob("*.py"))}
    code = {name: parse(path.read_text("utf-8")) for name, path in modules.items()}
    if DOOR in code:
        code[DOOR] = replace(code[DOOR], strings=frozenset())
    tables = {path.relative_to(data).with_suffix("").as_posix(): path for path in data.rglob("*.csv")}
    files: dict[str, frozenset[Path]] = {}
    for folder, paths in ((root, data.rglob("*")), (package, package.rglob("*")), (root, root.iterdir())):
        for path in paths:
            if path.is_file() and path.suffix not in (".py", ".pyc", ".ipynb"):
                parts = path.relative_to(folder).parts
                for start in range(len(parts)):
                    name = "/".join(parts[start:])
                    files[name] = files.get(name, frozenset()) | {path}
    return Package(modules, code, tables, files)


@functools.cache
def parse(text: str) -> Code:
    """What Python text says; nothing if it does not parse, for running it will say what is wrong."""
    try:
        nodes = list(_walk(ast.parse(text)))
    except SyntaxError:
        return Code()
    imports, uses, strings = set[str](), set[str](), set[str]()
    row_models, types = list[tuple[str, frozenset[str]]](), list[tuple[str, frozenset[str]]]()
    for node in nodes:
        match node:
            case ast.Import(names=names):
                imports |= {alias.name for alias in names}
            case ast.ImportFrom(module=str() as module, names=names):
                imports |= {module, *(f"{module}.{alias.name}" for alias in names)}
                uses |= {f"{module.rpartition('.')[2]}.{alias.name}" for alias in names}
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                uses.add(f"{owner}.{name}")
            case ast.Constant(value=str() as value):
                strings.add(value)
            case ast.JoinedStr(values=values):
                parts = [part.value if isinstance(part, ast.Constant) else "*" for part in values]
                strings.add("".join(map(str, parts)))
            case ast.ClassDef(keywords=keywords):
                tables = [keyword.value for keyword in keywords if keyword.arg == "table"]
                row_models += [(str(ast.literal_eval(table)), _words(node)) for table in tables]
            case ast.Dict(
                keys=[ast.Constant(value="table"), *_], values=[ast.Constant(value=str() as table), *_]
            ):
                row_models.append((str(table), frozenset()))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if (words := _words(value)) and "References" in words:
                    types.append((name, words))
    texts = frozenset(filter(NAME.fullmatch, strings))
    return Code(frozenset(imports), frozenset(uses), texts, tuple(row_models), tuple(types))


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, but for what only a type checker imports."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in _words(child.test)):
            yield from _walk(child)


def _words(node: ast.AST) -> frozenset[str]:
    """The names and the texts in a piece of code."""
    nodes = list(ast.walk(node))
    texts = {each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return frozenset(texts | {each.id for each in nodes if isinstance(each, ast.Name)})


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _cells(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text("utf-8"))["cells"]
    return cells


def _title(notebook: Path) -> str:
    cells = _cells(notebook)
    return "".join(cells[0]["source"]).partition("\n")[0] if cells else ""
