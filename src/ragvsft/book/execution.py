"""Each notebook runs again when its cells change or what they depend on, and only then."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from ragvsft.book import inputs


def setup(app: Sphinx) -> None:
    app.add_config_value("ragvsft_inputs", {}, "")
    app.connect("config-inited", _read_inputs)
    app.connect("env-get-outdated", _outdated)
    app.connect("source-read", _key_source)


def executed(app: Sphinx, name: str) -> nbformat.NotebookNode:
    """A notebook of the book with its outputs, from the cache of executions."""
    written = Path(app.outdir).parent / "jupyter_execute" / f"{name}.ipynb"
    cache = get_cache(str(Path(app.outdir).parent / ".jupyter_cache"))
    _, notebook = cache.merge_match_into_notebook(nbformat.read(written, as_version=4))
    return notebook


def keyed(text: str, key: str) -> str:
    """A notebook's text with a key where jupyter-cache, which compares cells and kernel, will see it."""
    notebook = json.loads(text)
    notebook["metadata"]["kernelspec"]["inputs"] = key
    return json.dumps(notebook)


def _read_inputs(app: Sphinx, config: Config) -> None:
    config.ragvsft_inputs = inputs.digests(Path(app.srcdir))


def _key_source(app: Sphinx, name: str, content: list[str]) -> None:
    if name in app.config.ragvsft_inputs:
        content[0] = keyed(content[0], app.config.ragvsft_inputs[name])


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> Iterable[str]:
    """The notebooks whose inputs are not those of the last build."""
    before = getattr(env, "ragvsft_inputs", {})
    env.ragvsft_inputs = now = app.config.ragvsft_inputs  # type: ignore[attr-defined]
    return [name for name in env.found_docs if now.get(name) != before.get(name)]
