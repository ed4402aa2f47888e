"""Where passages and their vectors are kept: Qdrant, in a folder or on a server.

Permissions are part of the query that the store answers, so a passage that a reader may not see is never
among the candidates. A changed document is removed before it is written again: a reader whom it was taken
from never meets the old one, and a run that is killed in between leaves it out until the run is repeated.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.chunk import Passage
from ragvsft.retrieval.pipeline.embed import Vectors
from ragvsft.retrieval.pipeline.load import Document

COLLECTION = "ragvsft"
PAGE = 1_000


@dataclass(frozen=True)
class Hit:
    """A passage that was found, and its score: the higher the better, comparable within one search only."""

    passage: Passage
    score: float


class Store(Protocol):
    """What the pipeline asks of a store. Every method raises PipelineError when the store cannot answer."""

    def put(self, document: Document, passages: Sequence[Passage], vectors: Vectors) -> None:
        """Keep a document's passages instead of any that it had."""

    def remove(self, document: str) -> None:
        """Forget a document; one that is not there is no error."""

    def documents(self) -> dict[str, str]:
        """Id and content hash of each document that was written whole."""

    def passages(self) -> list[Passage]:
        """Every passage, in order of document and position."""

    def search(self, vector: NDArray[np.float32], k: int, groups: Sequence[str]) -> list[Hit]:
        """The k nearest passages by cosine among those that one of these groups may read, best first."""

    def close(self) -> None:
        """Release the store's files or connection."""


@dataclass(frozen=True)
class Cluster:
    """Settings of a Qdrant collection on more than one machine; an embedded one ignores them."""

    shard_number: int = 1
    replication_factor: int = 1
    write_consistency_factor: int = 1


@dataclass(frozen=True)
class QdrantStore:
    """Make one with `qdrant`."""

    client: Any
    where: str

    def put(self, document: Document, passages: Sequence[Passage], vectors: Vectors) -> None:
        from qdrant_client.models import PointStruct

        content_hash = document.content_hash
        points = [
            PointStruct(
                id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{passage.id}\0{content_hash}")),
                vector=vector.tolist(),
                payload=passage.model_dump(mode="json") | {"hash": content_hash, "of": len(passages)},
            )
            for passage, vector in zip(passages, vectors, strict=True)
        ]
        self.remove(document.id)
        with _faults(self.where):
            if points:
                self.client.upsert(COLLECTION, points=points, wait=True)

    def remove(self, document: str) -> None:
        from qdrant_client.models import FieldCondition, Filter, FilterSelector, MatchValue

        chosen = Filter(must=[FieldCondition(key="document", match=MatchValue(value=document))])
        with _faults(self.where):
            self.client.delete(COLLECTION, points_selector=FilterSelector(filter=chosen), wait=True)

    def documents(self) -> dict[str, str]:
        points = [payload for payload in self._payloads()]
        counts = Counter((payload["document"], payload["hash"]) for payload in points)
        return {
            payload["document"]: payload["hash"]
            for payload in points
            if counts[payload["document"], payload["hash"]] == payload["of"]
        }

    def passages(self) -> list[Passage]:
        found = [_passage(payload) for payload in self._payloads()]
        return sorted(found, key=lambda passage: (passage.document, passage.position))

    def search(self, vector: NDArray[np.float32], k: int, groups: Sequence[str]) -> list[Hit]:
        from qdrant_client.models import FieldCondition, Filter, MatchAny

        readable = Filter(must=[FieldCondition(key="groups", match=MatchAny(any=list(groups)))])
        with _faults(self.where):
            answer = self.client.query_points(
                COLLECTION, query=vector.tolist(), query_filter=readable, limit=k, with_payload=True
            )
        return [Hit(_passage(point.payload), float(point.score)) for point in answer.points]

    def close(self) -> None:
        self.client.close()

    def _payloads(self) -> Iterator[dict[str, Any]]:
        offset = None
        while True:
            with _faults(self.where):
                points, offset = self.client.scroll(
                    COLLECTION, limit=PAGE, offset=offset, with_payload=True, with_vectors=False
                )
            yield from (point.payload for point in points)
            if offset is None:
                return


def qdrant(folder: Path | None, dimensions: int, cluster: Cluster | None = None) -> QdrantStore:
    """The server or cluster that QDRANT_URL names (QDRANT_API_KEY if it asks for one), else a folder's store.

    Raises PipelineError for a dead server, a folder that another process has open or that is not writable,
    and a collection whose vectors have another size.
    """
    from qdrant_client import QdrantClient
    from qdrant_client.models import Distance, PayloadSchemaType, VectorParams

    url = os.environ.get("QDRANT_URL")
    where = f"QDRANT_URL = {url}" if url else f"store = {folder}"
    if not url and folder is None:
        raise PipelineError("store: must be a folder, or QDRANT_URL must be set")
    cluster = cluster or Cluster()
    with _faults(where):
        if url:
            client = QdrantClient(
                url=url, api_key=os.environ.get("QDRANT_API_KEY"), check_compatibility=False
            )
        else:
            client = QdrantClient(path=str(folder), force_disable_check_same_thread=True)
        try:
            if not client.collection_exists(COLLECTION):
                settings = vars(cluster) if url else {}
                size = VectorParams(size=dimensions, distance=Distance.COSINE)
                client.create_collection(COLLECTION, vectors_config=size, **settings)
                if url:
                    for field in ("document", "groups"):
                        client.create_payload_index(
                            COLLECTION, field_name=field, field_schema=PayloadSchemaType.KEYWORD, wait=True
                        )
            vectors: Any = client.get_collection(COLLECTION).config.params.vectors
            found = vectors.size
        except Exception:
            client.close()
            raise
    if found != dimensions:
        client.close()
        raise PipelineError(f"{where}: its vectors have {found} dimensions, must be {dimensions}; re-index")
    return QdrantStore(client, where)


def _passage(payload: dict[str, Any]) -> Passage:
    return Passage.model_validate({name: payload[name] for name in Passage.model_fields})


@contextmanager
def _faults(where: str) -> Iterator[None]:
    """Every way in which a store fails, as one sentence. The causes come from four libraries' own types."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise PipelineError(f"{where}: the store did not answer ({said})") from error
