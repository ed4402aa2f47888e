"""The picture that a link to the book is shown with elsewhere: its title, drawn at build."""

from __future__ import annotations

from html import escape
from pathlib import Path

import vl_convert
from sphinx.application import Sphinx

NAME = "social.png"
WIDTH, HEIGHT = 1200, 630
AFTER_THE_SITE_IS_TIDIED = 950


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _write, priority=AFTER_THE_SITE_IS_TIDIED)


def svg(title: str, claim: str) -> str:
    """The picture: the title large, what the book is beneath it in lines of at most about 50 characters."""
    lines: list[str] = [""]
    for word in claim.split():
        if len(lines[-1]) + len(word) > 50:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    texts = "".join(
        f'<text x="80" y="{360 + 52 * number}" font-size="38" fill="#444">{escape(line)}</text>'
        for number, line in enumerate(lines[:4])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="serif">'
        f'<rect width="100%" height="100%" fill="#fdfcf9"/><rect width="100%" height="16" fill="#1f5f8b"/>'
        f'<text x="80" y="250" font-size="88" fill="#111">{escape(title)}</text>{texts}</svg>'
    )


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    drawing = svg(app.config.html_title, app.env.metadata[app.config.root_doc].get("claim", ""))
    (Path(app.outdir) / "_static" / NAME).write_bytes(vl_convert.svg_to_png(drawing))
