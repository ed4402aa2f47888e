"""The passages of the book itself, which a reader may search on the pipeline's page: the chapters' prose.

They are read from the built pages and cut by the pipeline's own chunker. `passages.js` is a classic script,
so that keyword search works from a folder too. `make demo` adds to it what the search by vectors needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sphinx.application import Sphinx

from ragvsft.book import search_index
from ragvsft.retrieval.pipeline import embed
from ragvsft.retrieval.pipeline.answer import prompt
from ragvsft.retrieval.pipeline.chunk import chunk
from ragvsft.retrieval.pipeline.load import Document

NAME = "passages.js"
WORDS = 50
"""Words in a passage: a few sentences, so that many ranks can be read side by side."""
UNREAD = frozenset({"table", "figure", "calculator"})
"""Tags and classes that hold no prose."""
LEFT_OUT = ("chapters/reference/", "chapters/evidence/claims")
"""Lists, not chapters: the bibliography, the data, the glossary, the ledger."""
_VARIABLE = "window.ragvsftPassages="


class BookPassage(BaseModel):
    """A passage of a section; `chapter` is its chapter's position in the index."""

    model_config = ConfigDict(frozen=True)

    chapter: int
    anchor: str
    heading: str
    text: str
    tokens: int
    """Word pieces that it adds to a prompt: title, heading and its number there included."""


class Vectors(BaseModel):
    """What `make demo` adds: the files of the model and of the passages' vectors, and their bytes."""

    model_config = ConfigDict(frozen=True)

    model: str
    vectors: str
    bytes: int


class Index(BaseModel):
    """Everything that the search box loads first."""

    model_config = ConfigDict(frozen=True)

    rules: str
    """What the prompt says before the passages."""
    rules_tokens: int
    """Word pieces of a prompt without passages and without a question."""
    chapters: tuple[tuple[str, str], ...]
    """Address and title of each chapter."""
    passages: tuple[BookPassage, ...]
    dense: Vectors | None = None

    def whole(self, passage: BookPassage) -> str:
        """A passage as it is indexed and prompted: its chapter's title and its heading come first."""
        return whole(self.chapters[passage.chapter][1], passage.heading, passage.text)


def whole(title: str, heading: str, text: str) -> str:
    return "\n".join(dict.fromkeys([title, heading, text]))


def index(site: Path, names: list[str]) -> Index:
    """The passages of a built site's pages. Raises PipelineError if the tokeniser is not installed."""
    tokenizer = embed.load_tokenizer(embed.model_folder())
    tokenizer.no_truncation()

    def tokens(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    chapters: list[tuple[str, str]] = []
    passages: list[BookPassage] = []
    for name in names:
        read = search_index.entries((site / f"{name}.html").read_text("utf-8"), UNREAD)
        title = read[0].heading
        for place in read:
            if place.kind in ("page", "section"):
                document = Document(id=place.anchor, title=place.heading, text=place.text)
                passages += [
                    BookPassage(
                        chapter=len(chapters),
                        anchor=place.anchor,
                        heading=place.heading,
                        text=part.text,
                        tokens=tokens(f"[1] {whole(title, place.heading, part.text)}"),
                    )
                    for part in chunk(document, WORDS)
                ]
        chapters.append((f"{name}.html", title))
    rules, question = (message["content"] for message in prompt("", []))
    return Index(
        rules=rules,
        rules_tokens=tokens(rules) + tokens(question),
        chapters=tuple(chapters),
        passages=tuple(passages),
    )


def write(site: Path, found: Index) -> None:
    """Write `passages.js`; a passage is an array of its values, in order."""
    content: dict[str, Any] = found.model_dump()
    content["passages"] = [list(passage.values()) for passage in content["passages"]]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (site / NAME).write_text(f"{_VARIABLE}{text};\n", "utf-8")


def read(site: Path) -> Index:
    """What `write` wrote. Raises FileNotFoundError for a site that is not built."""
    text = (site / NAME).read_text("utf-8")
    content = json.loads(text.removeprefix(_VARIABLE).rstrip().removesuffix(";"))
    content["passages"] = [
        dict(zip(BookPassage.model_fields, row, strict=True)) for row in content["passages"]
    ]
    return Index.model_validate(content)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _write, priority=search_index.AFTER_THE_LINKS_ARE_CHECKED)


def _names(app: Sphinx) -> Iterator[str]:
    for name in sorted(app.env.found_docs):
        if name.startswith("chapters/") and not name.startswith(LEFT_OUT):
            yield name


def _write(app: Sphinx, exception: Exception | None) -> None:
    if not exception and app.builder.format == "html":
        write(Path(app.outdir), index(Path(app.outdir), list(_names(app))))
