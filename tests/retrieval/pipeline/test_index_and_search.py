"""A store follows its documents, survives an interruption, and never shows what a reader may not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.index import put, sync
from ragvsft.retrieval.pipeline.load import Document
from ragvsft.retrieval.pipeline.search import LONGEST_QUERY, fuse, searcher
from ragvsft.retrieval.pipeline.store import Store, qdrant

METHODS = ("lexical", "dense", "fused", "exact")


def found(store: Store, embedder: Any, method: str, query: str, *groups: str) -> list[str]:
    hits = getattr(searcher(store, embedder), method)(query, 10, groups or ("everyone",))
    return [hit.passage.document for hit in hits]


def test_indexing_twice_changes_nothing_and_embeds_nothing(
    store: Store, embedder: Any, documents: list[Document]
) -> None:
    first = sync(store, embedder, documents)
    calls = embedder.calls
    second = sync(store, embedder, documents)
    assert (len(first.added), len(second.added), len(second.unchanged)) == (3, 0, 3)
    assert embedder.calls == calls
    assert len(store.passages()) == 3


def test_a_document_is_added_changed_and_deleted(
    store: Store, embedder: Any, documents: list[Document]
) -> None:
    sync(store, embedder, documents)
    changed = documents[0].model_copy(update={"text": "Vouchers are sent instead of money."})
    new = Document(id="warranty.md", title="Warranty", text="The warranty lasts two years.")
    changes = sync(store, embedder, [changed, new, documents[2]])
    assert changes.added == ("warranty.md",)
    assert changes.changed == ("refunds.md",)
    assert changes.deleted == ("shipping.md",)
    assert found(store, embedder, "lexical", "fourteen days") == []
    assert found(store, embedder, "lexical", "vouchers") == ["refunds.md"]
    assert "shipping.md" not in found(store, embedder, "dense", "parcels warehouse")


def test_a_killed_run_goes_on_where_it_was(store: Store, embedder: Any, documents: list[Document]) -> None:
    def killed(done: int, of: int, name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(store, embedder, documents, killed)
    assert list(store.documents()) == ["refunds.md"]
    told: list[tuple[int, int, str]] = []
    changes = sync(store, embedder, documents, lambda *step: told.append(step))
    assert changes.unchanged == ("refunds.md",)
    assert told == [(1, 2, "shipping.md"), (2, 2, "salaries.md")]
    assert set(store.documents()) == {d.id for d in documents}


def test_a_document_of_which_a_part_is_missing_is_written_again(tmp_path: Path, embedder: Any) -> None:
    store = qdrant(tmp_path, embedder.dimensions)
    document = Document(id="long", title="t", text=" ".join(f"Sentence number {k}." for k in range(200)))
    put(store, embedder, document, words=30)
    points, _ = store.client.scroll("ragvsft", limit=1)
    store.client.delete("ragvsft", points_selector=[points[0].id])
    whole = len(store.passages()) + 1
    assert store.documents() == {}
    assert sync(store, embedder, [document], words=30).changed == ("long",)
    assert len(store.passages()) == whole
    store.close()


def test_an_id_that_occurs_twice_is_refused_before_anything_is_written(
    store: Store, embedder: Any, documents: list[Document]
) -> None:
    with pytest.raises(PipelineError, match=r"refunds\.md: occurs twice"):
        sync(store, embedder, [*documents, documents[0]])
    assert store.documents() == {}


def test_what_was_written_is_there_after_reopening(
    tmp_path: Path, embedder: Any, documents: list[Document]
) -> None:
    store = qdrant(tmp_path, embedder.dimensions)
    sync(store, embedder, documents)
    store.close()
    again = qdrant(tmp_path, embedder.dimensions)
    assert set(again.documents()) == {d.id for d in documents}
    again.close()


@pytest.mark.parametrize("method", METHODS)
def test_permissions_cannot_be_read_past(
    store: Store, embedder: Any, documents: list[Document], method: str
) -> None:
    """The board's document answers the query best, word for word; only its group ever sees it."""
    sync(store, embedder, documents)
    query = "refunds of travel costs are listed beside salaries of the board"
    assert "salaries.md" not in found(store, embedder, method, query, "everyone")
    assert "salaries.md" not in found(store, embedder, method, query, "everyone' or '1'='1", "*", "%", "")
    assert found(store, embedder, method, query, "board") == ["salaries.md"]


def test_the_filter_acts_inside_the_search(store: Store, embedder: Any) -> None:
    """A hundred better passages that may not be read do not push the readable one out of the top 3."""
    secret = [
        Document(id=f"s{k}", title="s", text=f"Budget plan budget {k}.", groups=("board",))
        for k in range(100)
    ]
    public = Document(id="public", title="p", text="A budget is mentioned here among many other words.")
    sync(store, embedder, [*secret, public])
    for method in ("lexical", "dense", "fused"):
        hits = getattr(searcher(store, embedder), method)("budget plan", 3)
        assert [hit.passage.document for hit in hits] == ["public"]


def test_a_revoked_right_takes_effect_at_the_next_search(
    store: Store, embedder: Any, documents: list[Document]
) -> None:
    sync(store, embedder, documents)
    revoked = documents[0].model_copy(update={"groups": ("board",)})
    sync(store, embedder, [revoked, *documents[1:]])
    for method in METHODS:
        assert "refunds.md" not in found(store, embedder, method, "refunds are paid within fourteen days")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("query", "must"), [(" \n", "is empty"), ("x" * 100_000, "has 100,000 characters")])
def test_a_query_without_words_or_without_end_is_refused(
    tmp_path: Path, embedder: Any, documents: list[Document], method: str, query: str, must: str
) -> None:
    store = qdrant(tmp_path, embedder.dimensions)
    sync(store, embedder, documents)
    with pytest.raises(PipelineError, match=must):
        found(store, embedder, method, query)
    assert LONGEST_QUERY < 100_000
    store.close()


def test_an_empty_store_says_what_to_do(store: Store, embedder: Any) -> None:
    with pytest.raises(PipelineError, match="index documents first"):
        searcher(store, embedder)


def test_both_stores_rank_alike(
    tmp_path: Path, embedder: Any, documents: list[Document], database: str
) -> None:
    from ragvsft.retrieval.pipeline.postgres import postgres

    rankings = []
    for store in (qdrant(tmp_path, embedder.dimensions), postgres(embedder.dimensions, database)):
        sync(store, embedder, documents)
        hits = searcher(store, embedder).dense("refunds within days", 3, ("everyone", "board"))
        rankings.append([(hit.passage.id, round(hit.score, 4)) for hit in hits])
        store.close()
    assert rankings[0] == rankings[1]


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    assert fuse([["a", "b"], ["b"]], constant=60) == {"a": 1 / 61, "b": 1 / 62 + 1 / 61}


def test_a_folder_in_use_is_named(tmp_path: Path) -> None:
    store = qdrant(tmp_path, 8)
    with pytest.raises(PipelineError, match=f"^store = {tmp_path}: the store did not answer"):
        qdrant(tmp_path, 8)
    store.close()


def test_vectors_of_another_size_are_refused(tmp_path: Path) -> None:
    qdrant(tmp_path, 8).close()
    with pytest.raises(PipelineError, match="its vectors have 8 dimensions, must be 16"):
        qdrant(tmp_path, 16)


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, embedder: Any, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = qdrant(tmp_path, embedder.dimensions)

    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.client, "upsert", full)
    with pytest.raises(PipelineError, match="No space left on device"):
        sync(store, embedder, documents)
    monkeypatch.undo()
    assert store.documents() == {}
    store.close()


def test_a_dead_database_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from ragvsft.retrieval.pipeline.postgres import postgres

    with pytest.raises(PipelineError, match=r"^DATABASE_URL: the database did not answer"):
        postgres(8, "postgresql://127.0.0.1:1/none")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(PipelineError, match=r"^DATABASE_URL: must name"):
        postgres(8)
