"""Keep a store equal to a set of documents: add, change, delete, and go on after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.chunk import WORDS, chunk
from ragvsft.retrieval.pipeline.embed import Embedder
from ragvsft.retrieval.pipeline.load import Document
from ragvsft.retrieval.pipeline.store import Store

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Changes:
    """Ids of the documents that a run added, changed, deleted, and found as they should be."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: tuple[str, ...]


def sync(
    store: Store,
    embedder: Embedder,
    documents: Iterable[Document],
    progress: Progress = lambda done, of, name: None,
    words: int = WORDS,
    overlap: int = 0,
) -> Changes:
    """Make the store hold exactly these documents. Only what differs is embedded.

    Documents are written one by one, so a killed run loses at most one and the next run goes on after it.
    `progress(done, of, id)` is told after each. Raises PipelineError for an id that occurs twice, before
    anything is written.
    """
    wanted: dict[str, Document] = {}
    for document in documents:
        if document.id in wanted:
            raise PipelineError(f"document id = {document.id}: occurs twice; must be unique")
        wanted[document.id] = document
    known = store.documents()
    present = known.keys() | {passage.document for passage in store.passages()}
    deleted = sorted(present - wanted.keys())
    stale = [d for d in wanted.values() if known.get(d.id) != d.content_hash]
    total = len(deleted) + len(stale)
    for done, name in enumerate(deleted, 1):
        store.remove(name)
        progress(done, total, name)
    for done, document in enumerate(stale, len(deleted) + 1):
        put(store, embedder, document, words, overlap)
        progress(done, total, document.id)
    renewed = {document.id for document in stale}
    return Changes(
        tuple(name for name in wanted if name in renewed and name not in present),
        tuple(name for name in wanted if name in renewed and name in present),
        tuple(deleted),
        tuple(name for name in wanted if name not in renewed),
    )


def put(store: Store, embedder: Embedder, document: Document, words: int = WORDS, overlap: int = 0) -> None:
    """Add one document, or replace the one with its id. Raises PipelineError for one without words."""
    passages = chunk(document, words, overlap)
    if not passages:
        raise PipelineError(f"document = {document.id}: has no words; must have at least one")
    store.put(document, passages, embedder.embed([passage.text for passage in passages]))
