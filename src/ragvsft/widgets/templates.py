"""What every widget is made with: templates that escape, JSON inside pages, and HTML for JupyterLab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

HERE = Path(__file__).parent
BETWEEN_TAGS = re.compile(r"(?<=[>}])\n\s*(?=[<{])")
LINE_BREAK = re.compile(r"\n\s*")


class _Compact(Extension):
    """Templates are indented for people: a break between tags goes, any other is a space."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return LINE_BREAK.sub(" ", BETWEEN_TAGS.sub("", source.strip()))


_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, extensions=[_Compact]
)


def render(template: str, **context: Any) -> str:
    """The HTML of a template in a widget's folder, such as "calculator/calculator.html"."""
    return _TEMPLATES.get_template(template).render(**context)


def json_island(value: Any) -> Markup:
    """A value as compact JSON for the inside of a `<script>`: no text in it can end the element.

    Raises ValueError for a number that JSON cannot hold.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", r"\u003c"))


def for_lab(html: str, styles: Iterable[str], scripts: Iterable[str]) -> str:
    """A widget for an output cell of JupyterLab, which loads nothing: its styles and scripts come with it."""
    code = "".join(f"<script>{script}</script>" for script in scripts)
    return f"<style>{''.join(styles)}</style>{html}{code}"
