"""The Sphinx extension of the book: its theme, executed cells as prose, checked links, exports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from ragvsft.book import (
    cells,
    execution,
    exports,
    glossary,
    inputs,
    links,
    maths,
    pages,
    passages,
    search_index,
    social,
)

HERE = Path(__file__).parent
PACKAGE = HERE.parent
STATIC = HERE / "static"
WIDGET_FILES = sorted(path for path in (PACKAGE / "widgets").glob("*/*") if path.suffix in (".css", ".js"))
"""The styles and scripts that stand beside their widgets; on the site they lie in `_static`."""


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_theme("ragvsft", str(HERE / "theme"))
    app.add_config_value("ragvsft_pages", "", "env")
    app.add_config_value("ragvsft_preview", False, "")
    app.connect("config-inited", _configure)
    for module in (cells, execution, exports, glossary, links, maths, pages, search_index, passages, social):
        module.setup(app)
    app.connect("build-finished", _finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _configure(app: Sphinx, config: Config) -> None:
    drawn_with = [
        *(path for path in PACKAGE.rglob("*") if path.suffix not in (".py", ".pyc")),
        *HERE.rglob("*.py"),
    ]
    config.ragvsft_pages = inputs.digest(PACKAGE, filter(Path.is_file, drawn_with))
    static = [os.path.relpath(path, app.confdir) for path in (STATIC, *WIDGET_FILES)]
    config.html_static_path = [*config.html_static_path, *static]
    config.html_favicon = os.path.relpath(STATIC / "favicon.svg", app.confdir)


def _finish(app: Sphinx, exception: Exception | None) -> None:
    """Drop what the parent themes copied; after a warning forget all, so that the next build fails too."""
    if exception or (app._warncount and not app.config.ragvsft_preview):
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)
    if app.builder.format != "html":
        return
    if not app.config.ragvsft_preview:
        (Path(app.outdir) / ".buildinfo").unlink(missing_ok=True)  # it holds this machine's paths, hashed
    own = {path.relative_to(STATIC) for path in STATIC.rglob("*")} | {
        Path(path.name) for path in WIDGET_FILES
    }
    static = Path(app.outdir) / "_static"
    for path in [*static.rglob("*")]:
        name = path.relative_to(static)
        if path.is_file() and name not in own:
            path.unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
