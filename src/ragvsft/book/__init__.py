"""The Sphinx extension of the book: its theme, executed cells as prose, checked links, exports."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from ragvsft.book import cells, exports, glossary, links, maths, pages

HERE = Path(__file__).parent
PACKAGE = HERE.parent
STATIC = HERE / "static"
WIDGET_FILES = sorted(path for path in (PACKAGE / "widgets").glob("*/*") if path.suffix in (".css", ".js"))
"""The styles and scripts that stand beside their widgets; on the site they lie in `_static`."""

SEARCH_SCRIPTS = {
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "searchtools.js",
    "language_data.js",
}


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_theme("ragvsft", str(HERE / "theme"))
    app.connect("config-inited", _configure)
    for module in (cells, exports, glossary, links, maths, pages):
        module.setup(app)
    app.connect("build-finished", _finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inputs_hash(srcdir: Path) -> str:
    """A digest of what a notebook's output depends on besides its cells, chapter titles included."""
    files = [
        *PACKAGE.rglob("*.py"),
        *(PACKAGE / "widgets").rglob("*.html"),
        *(srcdir / "data").rglob("*.csv"),
    ]
    files += [path for name in ("requirements.txt", "references.bib") if (path := srcdir / name).exists()]
    digest = hashlib.sha256()
    for path in sorted(srcdir.glob("chapters/*/*.ipynb")):
        digest.update(f"{path.relative_to(srcdir)}\0{_title(path)}\0".encode())
    for path in sorted(files):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _title(notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return "".join(cells[0]["source"]).partition("\n")[0] if cells else ""


def _configure(app: Sphinx, config: Config) -> None:
    caches = Path(app.outdir).parent / ".jupyter_cache"
    cache = caches / inputs_hash(Path(app.srcdir))
    for stale in set(caches.glob("*")) - {cache}:
        shutil.rmtree(stale)
    config.nb_execution_cache_path = str(cache)
    config.html_static_path = [*config.html_static_path, str(STATIC), *map(str, WIDGET_FILES)]
    config.html_favicon = str(STATIC / "favicon.svg")


def _finish(app: Sphinx, exception: Exception | None) -> None:
    """Drop what the parent themes copied; after a warning forget all, so that the next build fails too."""
    if exception or app._warncount:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)
    if app.builder.format != "html":
        return
    own = {path.relative_to(STATIC) for path in STATIC.rglob("*")} | {
        Path(path.name) for path in WIDGET_FILES
    }
    static = Path(app.outdir) / "_static"
    for path in [*static.rglob("*")]:
        name = path.relative_to(static)
        if path.is_file() and name not in own and path.name not in SEARCH_SCRIPTS:
            path.unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
