"""Passages of a bounded number of words, cut at the ends of sentences, with an overlap."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.load import Document

WORDS = 180
"""Words in a passage by default: about 256 word pieces, the longest text that MiniLM reads."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])|\n\s*\n")


class Passage(BaseModel):
    """A part of a document; `position` counts the document's passages from 0."""

    model_config = ConfigDict(frozen=True)

    document: str
    position: int
    title: str
    text: str
    groups: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.document}#{self.position}"


def sentences(text: str) -> list[str]:
    """The sentences of a text, by punctuation and blank lines, without outer space; never a blank one."""
    return [" ".join(part.split()) for part in _SENTENCE_END.split(text) if part.strip()]


def chunk(document: Document, words: int = WORDS, overlap: int = 0) -> list[Passage]:
    """A document's passages: whole sentences, at most `words` words, `overlap` words repeated from the last.

    A sentence longer than a passage is cut between words. A document without words has no passage.
    Raises PipelineError for words below 1 or an overlap outside 0 to words - 1.
    """
    if words < 1:
        raise PipelineError(f"words = {words}: must be at least 1")
    if not 0 <= overlap < words:
        raise PipelineError(f"overlap = {overlap}: must be from 0 to {words - 1}, below words = {words}")
    return [
        Passage(document=document.id, position=k, title=document.title, text=text, groups=document.groups)
        for k, text in enumerate(_texts(document.text, words, overlap))
    ]


def _texts(text: str, words: int, overlap: int) -> list[str]:
    texts: list[str] = []
    current: list[str] = []
    fresh = 0
    for sentence in sentences(text):
        tokens = sentence.split()
        if fresh and len(current) + len(tokens) > words:
            texts.append(" ".join(current))
            current, fresh = current[len(current) - overlap :], 0
        for token in tokens:
            if len(current) == words:
                texts.append(" ".join(current))
                current, fresh = current[words - overlap :], 0
            current.append(token)
            fresh += 1
    return [*texts, " ".join(current)] if fresh else texts
