"""What the search knows: prose, headings, terms, claims and numbers of every page; not code, not charts.

It is read from the built pages, so that a reader finds what a reader sees. `static/search.js` ranks it with
MiniSearch, whose script and whose index are classic scripts: search works from a folder too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

from sphinx.application import Sphinx

Kind = Literal["page", "section", "term", "claim"]

NAME = "searchindex.js"
AFTER_THE_LINKS_ARE_CHECKED = 600
HEADINGS = {"h1", "h2", "h3", "h4"}
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
BLOCKS = HEADINGS | {"p", "li", "td", "th", "tr", "dt", "dd", "div", "figcaption"}
SILENT_TAGS = {"script", "style", "svg", "math", "form", "button", "noscript"}
SILENT_CLASSES = {
    *("code", "highlight", "headerlink", "label", "calculator-scroll", "calculator-prices", "copy"),
    *("chart-data", "chart-legend", "chart-view", "verdict-words", "calculator-actions", "figure-tools"),
    *("neighbours", "decision-form", "matrix-columns", "report", "answers", "chart-answers"),
}
SILENT_SECTIONS = {"connections", "linked-from", "sources"}
ENDS = {"term": "p", "claim": "tr"}

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("cost", "price", "pricing", "bill", "expensive", "cheap"),
    ("gdpr", "regulation", "compliance", "privacy"),
    ("delete", "deletion", "erasure", "forget", "removable"),
    ("latency", "speed", "slow", "fast", "delay"),
    ("accuracy", "quality", "right"),
    ("hallucination", "invent", "fabricate"),
    ("citation", "attribution", "cite"),
    ("teacher", "student", "distillation", "distil", "distill"),
    ("peft", "adapter", "lora"),
    ("breakeven", "payback", "crossing"),
    ("survey", "adoption", "percent"),
    ("vendor", "seller", "provider", "sell", "buy"),
    ("evaluate", "evaluation", "test", "benchmark"),
    ("gpu", "selfhost", "hosting"),
    ("embedding", "vector"),
    ("chunk", "passage"),
    ("choose", "decide", "decision"),
    ("engineering", "technique", "prompting"),
)
"""Words that a reader may use one for another; the word asked for counts most."""


@dataclass
class Entry:
    """One place that a reader may be led to: a page, a section of it, a term or a claim."""

    anchor: str
    kind: Kind
    heading: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return spaced("".join(self.pieces))


def spaced(text: str) -> str:
    """Text on one line, with no space before a comma or a full stop."""
    return re.sub(r" (?=[,.;:)!?](?:\s|$))", "", " ".join(text.split()))


class _Reader(HTMLParser):
    def __init__(self, unread: frozenset[str]) -> None:
        super().__init__()
        self.silent_tags = SILENT_TAGS | unread
        self.silent_classes = SILENT_CLASSES | unread
        self.entries: list[Entry] = []
        self.open: list[tuple[str, str]] = []
        self.silent = 0
        self.sections: list[Entry] = []
        self.aside: Entry | None = None

    @property
    def place(self) -> Entry | None:
        return self.aside or (self.sections[-1] if self.sections else None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            if tag == "br":
                self.handle_data(" ")
            return
        found = {name: value or "" for name, value in attrs}
        identifier, classes = found.get("id", ""), set(found.get("class", "").split())
        silent = (
            self.silent > 0
            or tag in self.silent_tags
            or bool(classes & self.silent_classes)
            or (tag == "section" and identifier in SILENT_SECTIONS)
        )
        role = "silent" if silent else ""
        if silent:
            self.silent += 1
        elif tag == "section" and identifier:
            if "calculator" not in classes:
                role = "section"
                self._enter(Entry(identifier, "section" if self.sections else "page"))
        elif tag in HEADINGS:
            role = "heading"
        elif (kind := identifier.partition("-")[0]) in ENDS and tag == "span":
            self.aside = Entry(identifier, "term" if kind == "term" else "claim")
            self.entries.append(self.aside)
        self.open.append((tag, role))
        if tag in BLOCKS:
            self.handle_data(" ")

    def _enter(self, entry: Entry) -> None:
        self.sections.append(entry)
        self.entries.append(entry)

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            opened, role = self.open.pop()
            if role == "silent":
                self.silent -= 1
            elif role == "section":
                self.sections.pop()
            if opened == tag:
                break
        if self.aside and tag == ENDS[self.aside.kind]:
            self.aside = None
        if tag in BLOCKS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if self.silent or (place := self.place) is None:
            return
        if any(role == "heading" for _, role in self.open):
            place.heading += data
        else:
            place.pieces.append(data)


def entries(html: str, unread: frozenset[str] = frozenset()) -> list[Entry]:
    """The places of a built page, in its order, each with the prose that stands under its own heading.

    `unread` names further tags and classes whose text is left out.
    """
    _, _, main = html.partition("<main")
    reader = _Reader(unread)
    reader.feed(f"<main{main.partition('</main>')[0]}")
    for entry in reader.entries:
        entry.heading = spaced(entry.heading)
        if entry.kind == "term":
            entry.heading, _, rest = entry.text.partition(": ")
            entry.pieces = [rest]
        elif entry.kind == "claim":
            entry.heading = entry.text.partition(". ")[0][:160]
    return [entry for entry in reader.entries if entry.heading]


def index(site: Path, names: list[str]) -> dict[str, Any]:
    """The index of a built site: pages as [address, title]; entries as [page, anchor, kind, heading, text].

    Raises ValueError for a page without a title.
    """
    pages: list[list[str]] = []
    found: list[list[Any]] = []
    for name in names:
        read = entries((site / f"{name}.html").read_text("utf-8"))
        title = next((entry.heading for entry in read if entry.kind == "page"), "")
        if not title:
            raise ValueError(f"{name}.html: the page has no title to be found by")
        found += [[len(pages), entry.anchor, entry.kind, entry.heading, entry.text] for entry in read]
        pages.append([f"{name}.html", title])
    return {"pages": pages, "entries": found, "synonyms": [list(words) for words in SYNONYMS]}


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _no_sphinx_search)
    app.connect("html-collect-pages", _search_page)
    app.connect("build-finished", _write, priority=AFTER_THE_LINKS_ARE_CHECKED)


def _no_sphinx_search(app: Sphinx) -> None:
    if app.builder.format == "html":
        app.builder.search = False  # type: ignore[attr-defined]


def _search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {}, "search.html"


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    text = json.dumps(index(site, sorted(app.env.found_docs)), ensure_ascii=False, separators=(",", ":"))
    (site / NAME).write_text(f"window.ragvsftSearchIndex={text};\n", "utf-8")
