"""Links: notebooks become pages, and every link inside the built site must lead somewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
NOTEBOOK_LINK = re.compile(r"""(<a\b[^>]*\bhref="(?![a-z]+:)[^"#?]+)\.ipynb(?=["#])""")
TOOL_STATES = ("calc:", "answers:")
"""What a fragment begins with that is the state of a calculator or of an answer browser, and no id."""


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _check_site)


def to_pages(html: str) -> str:
    """Relative links to notebooks, wherever the HTML came from, as links to their pages."""
    return NOTEBOOK_LINK.sub(r"\1.html", html)


@dataclass
class Page:
    """What a page offers to links (its ids) and asks of them (its addresses)."""

    ids: set[str] = field(default_factory=set)
    addresses: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.page.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.page.addresses.append(value)


def read_page(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader.page


def broken_links(site: Path, names: list[str]) -> list[tuple[str, str, str]]:
    """(page, address, reason) for every address of the named pages that leads nowhere inside the site."""
    pages = {site / f"{name}.html": read_page(site / f"{name}.html") for name in names}
    faults = []
    for path, page in pages.items():
        for address in dict.fromkeys(page.addresses):
            if reason := _fault(site, path, address, pages):
                faults.append((path.relative_to(site).as_posix(), address, reason))
    return faults


def _fault(site: Path, path: Path, address: str, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(site):
        return "it leaves the site"
    if not target.is_file():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if not anchor or anchor.startswith(TOOL_STATES) or target not in pages:
        return None
    return None if anchor in pages[target].ids else f"the page has no id {anchor!r}"


def _check_site(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    for page, address, reason in broken_links(Path(app.outdir).resolve(), sorted(app.env.found_docs)):
        LOGGER.warning("broken link %s: %s", address, reason, location=page.removesuffix(".html"))
