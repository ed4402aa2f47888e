"""The files that a notebook's code opens and the modules that it imports, by running it in a new process."""

import multiprocessing
import os
import sys
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

LIBRARIES = ["altair", "pandas", "pybtex.database", "scipy.stats", "sympy", "vl_convert", "genai_prices"]


def runner() -> Pool:
    """A pool whose every task gets a new process with the libraries loaded, and nothing of the book."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context.Pool(1, maxtasksperchild=1)


def opened(root: Path, notebook: Path) -> set[Path]:
    """The data and resources in `root` that the run opens, and the modules of the package that it imports."""
    found = set[str]()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            found.add(os.path.abspath(arguments[0]))

    sys.path.insert(0, str(root / "tests"))
    from in_notebook import shown

    sys.addaudithook(note)
    shown(notebook)
    loaded = [module.__file__ for name, module in sys.modules.items() if name.startswith("ragvsft")]
    files = {path for path in map(Path, found) if path.suffix not in (".py", ".pyc", ".ipynb")}
    folders = (root / "data", root / "src")
    named = {path for path in files if path.parent == root or any(map(path.is_relative_to, folders))}
    return {path for path in named if path.is_file()} | {Path(name) for name in loaded if name}
