"""The picture that a link to a page is shown with elsewhere: its title and its claim, drawn at build."""

from __future__ import annotations

import textwrap
from html import escape
from pathlib import Path

import vl_convert
from sphinx.application import Sphinx

FOLDER = "social"
WIDTH, HEIGHT = 1200, 630
TITLE_PX, CLAIM_PX, NAME_PX = 76, 36, 28
TITLE_LETTERS, CLAIM_LETTERS = 26, 58
"""Letters that a line holds at these sizes."""
MOST_CLAIM_LINES = 4
LINE_HEIGHT = 1.2
AFTER_THE_SITE_IS_TIDIED = 950


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _write, priority=AFTER_THE_SITE_IS_TIDIED)


def picture(pagename: str) -> str:
    """Where in the site a page's picture lies."""
    return f"{FOLDER}/{pagename}.png"


def svg(title: str, claim: str, book: str) -> str:
    """The picture: title large, claim beneath, and the book's name at the foot unless it is the title."""
    titles = textwrap.wrap(title, TITLE_LETTERS)
    claims = textwrap.wrap(claim, CLAIM_LETTERS, max_lines=MOST_CLAIM_LINES, placeholder=" …")
    top = 150
    below = top + LINE_HEIGHT * TITLE_PX * (len(titles) - 1) + 2 * CLAIM_PX
    texts = [
        *_lines(titles, top, TITLE_PX, "#1f2428"),
        *_lines(claims, below, CLAIM_PX, "#5a6169"),
        *_lines([book] if book != title else [], HEIGHT - 40, NAME_PX, "#0b5563"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="serif">'
        '<rect width="100%" height="100%" fill="#fdfcf8"/><rect width="100%" height="16" fill="#0b5563"/>'
        f"{''.join(texts)}</svg>"
    )


def _lines(texts: list[str], top: float, size_px: int, colour: str) -> list[str]:
    return [
        f'<text x="80" y="{top + LINE_HEIGHT * size_px * k:g}" font-size="{size_px}" fill="{colour}">'
        f"{escape(text)}</text>"
        for k, text in enumerate(texts)
    ]


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html" or app.config.ragvsft_preview:
        return
    for name in app.env.found_docs:
        drawing = svg(
            app.env.titles[name].astext(), app.env.metadata[name].get("claim", ""), app.config.html_title
        )
        path = Path(app.outdir) / picture(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(vl_convert.svg_to_png(drawing))
