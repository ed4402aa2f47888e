"""Documents from a folder: plain text, Markdown, reStructuredText and HTML, as UTF-8."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ragvsft.retrieval.pipeline import PipelineError

SUFFIXES = {".txt", ".md", ".rst", ".html", ".htm"}
EVERYONE = "everyone"
"""The group of a document that names no other: every reader is in it."""


class Document(BaseModel):
    """One text with its permissions. `id` is stable: the same file keeps it when its text changes."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1)
    title: str
    text: str
    groups: tuple[str, ...] = Field(default=(EVERYONE,), min_length=1)

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that an index keeps of the document, as 64 hexadecimal digits."""
        parts = (self.id, self.title, self.text, *sorted(self.groups))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def folder(path: Path) -> Iterator[Document]:
    """Every document under a folder, by name; the id is the path below it. A file without words is left out.

    Raises PipelineError for a folder that does not exist or holds none, and for a file that is not UTF-8.
    """
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise PipelineError(f"folder = {path}: must hold at least one of {', '.join(sorted(SUFFIXES))}")
    for file in files:
        if (found := document(file, file.relative_to(path).as_posix())).text.strip():
            yield found


def document(file: Path, name: str) -> Document:
    """One file as a document. Raises PipelineError with the place of the first byte that is not UTF-8."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PipelineError(f"{name}: byte {error.start} is not UTF-8; must be UTF-8 text") from None
    if file.suffix.lower() in (".html", ".htm"):
        text = html_text(text)
    first = next((line for line in text.splitlines() if line.strip()), name)
    return Document(id=name, title=first.strip(" #=*-\t")[:200] or name, text=text)


_BLOCKS = {
    "p",
    "div",
    "li",
    "dt",
    "dd",
    "tr",
    "pre",
    "br",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "section",
}
_SILENT = {"script", "style", "head", "nav"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in _SILENT
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT and self.silent > 0
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def html_text(html: str) -> str:
    """The words of a page, a blank line between blocks; scripts, styles and navigation are left out."""
    reader = _Text()
    reader.feed(html)
    paragraphs = "".join(reader.parts).split("\n\n")
    return "\n\n".join(words for paragraph in paragraphs if (words := " ".join(paragraph.split())))
