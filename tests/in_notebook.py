"""The objects that a notebook's cells show, by running its code in this process.

`python in_notebook.py NOTEBOOK` prints what they say: Markdown and HTML.
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import IPython.display
from IPython.core.formatters import format_display_data


def shown(notebook: Path) -> list[Any]:
    """The value of the last expression of every code cell, in order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    namespace: dict[str, Any] = {}
    values = []
    before = Path.cwd()
    os.chdir(notebook.parent)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in cells:
                if cell["cell_type"] == "code":
                    values.append(_run("".join(cell["source"]), namespace))
    finally:
        os.chdir(before)
    return values


def _run(source: str, namespace: dict[str, Any]) -> Any:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace) if last else None


def texts(notebook: Path) -> list[str]:
    """What a notebook's cells say, as Markdown or HTML."""
    said: list[Any] = []
    IPython.display.display = said.append
    said += [value for value in shown(notebook) if value is not None]
    bundles = [format_display_data(value)[0] for value in said]
    return [str(bundle.get("text/markdown") or bundle.get("text/html", "")) for bundle in bundles]


if __name__ == "__main__":
    print("\n\n".join(texts(Path(sys.argv[1]).resolve())))
