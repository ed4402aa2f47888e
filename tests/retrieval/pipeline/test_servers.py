"""The same code against servers: Qdrant's interface, an embedding server, a chat model; and dead ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragvsft.retrieval.pipeline import PipelineError, answer, embed
from ragvsft.retrieval.pipeline.index import sync
from ragvsft.retrieval.pipeline.load import Document
from ragvsft.retrieval.pipeline.search import searcher
from ragvsft.retrieval.pipeline.store import Cluster, qdrant

sys.path.insert(0, str(Path(__file__).parent))
from fake_servers import FakeQdrant, serve

DEAD = "http://127.0.0.1:1"


def test_a_qdrant_server_gives_what_the_folder_gives(
    tmp_path: Path, embedder: Any, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    local = qdrant(tmp_path, embedder.dimensions)
    sync(local, embedder, documents)
    expected = [hit.passage.id for hit in searcher(local, embedder).fused("refunds within days", 3)]
    local.close()
    fake = FakeQdrant()
    with serve(fake) as url:
        monkeypatch.setenv("QDRANT_URL", url)
        store = qdrant(
            None,
            embedder.dimensions,
            Cluster(shard_number=3, replication_factor=2, write_consistency_factor=2),
        )
        assert len(sync(store, embedder, documents).added) == 3
        assert sync(store, embedder, documents[:2]).deleted == ("salaries.md",)
        sync(store, embedder, documents)
        assert [
            hit.passage.id for hit in searcher(store, embedder).fused("refunds within days", 3)
        ] == expected
        store.close()
    assert fake.settings is not None
    wanted = {"shard_number": 3, "replication_factor": 2, "write_consistency_factor": 2}
    assert {name: fake.settings[name] for name in wanted} == wanted
    assert fake.indexes == ["document", "groups"]
    assert fake.filters and all(chosen["must"][0]["key"] == "groups" for chosen in fake.filters)


def test_a_dead_qdrant_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", DEAD)
    with pytest.raises(PipelineError, match=f"^QDRANT_URL = {DEAD}: the store did not answer"):
        qdrant(None, 8)


def test_an_embedding_server_is_asked_in_batches_and_its_vectors_are_normalised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def embeddings(method: str, path: str, body: Any) -> tuple[int, Any]:
        assert (method, path, body["model"]) == ("POST", "/v1/embeddings", "some-model")
        sizes.append(len(body["input"]))
        data = [{"index": k, "embedding": [float(len(text)), 3.0]} for k, text in enumerate(body["input"])]
        return 200, {"data": data[::-1]}

    with serve(embeddings) as url:
        monkeypatch.setenv("EMBEDDING_URL", f"{url}/v1/")
        monkeypatch.setenv("EMBEDDING_MODEL", "some-model")
        monkeypatch.setenv("EMBEDDING_DIMENSIONS", "2")
        vectors = embed.from_environment().embed(["four", *["x"] * 70])
    assert sizes == [64, 7]
    np.testing.assert_allclose(vectors[0], [0.8, 0.6], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("status", "content", "must"),
    [
        (500, "{}", "answered 500"),
        (200, "not json", "not JSON"),
        (200, {"data": []}, "must be"),
        (200, {"other": 1}, r"without data\[\]\.embedding"),
    ],
)
def test_a_faulty_embedding_server_is_one_sentence(status: int, content: Any, must: str) -> None:
    with serve(lambda *_: (status, content)) as url, pytest.raises(PipelineError, match=must):
        embed.Server(url, "m", 2).embed(["text"])


def test_a_dead_embedding_server_is_one_sentence() -> None:
    with pytest.raises(PipelineError, match="no answer"):
        embed.Server(DEAD, "m", 2).embed(["text"])


def test_an_embedding_server_needs_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_URL", DEAD)
    monkeypatch.setenv("EMBEDDING_DIMENSIONS", "many")
    with pytest.raises(PipelineError, match=r"^EMBEDDING_DIMENSIONS = 'many': must be a whole number > 0"):
        embed.from_environment()


def test_any_chat_model_can_answer_and_is_sent_the_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def chat(method: str, path: str, body: Any) -> tuple[int, Any]:
        seen.append((path, body))
        return 200, {"choices": [{"message": {"content": "Within fourteen days [1]."}}]}

    with serve(chat) as url:
        monkeypatch.setenv("LLM_URL", f"{url}/v1")
        assert answer.ask_llm(answer.prompt("When?", []), max_tokens=5) == "Within fourteen days [1]."
    path, body = seen[0]
    assert path == "/v1/chat/completions"
    assert (body["max_tokens"], body["temperature"]) == (5, 0)
    assert body["messages"][-1]["content"].endswith("Question: When?")


def test_without_an_address_no_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLM_URL", raising=False)
    with pytest.raises(PipelineError, match=r"^LLM_URL: must name an OpenAI-compatible server"):
        answer.ask_llm([])


@pytest.mark.parametrize("content", [{}, {"choices": []}, {"choices": [{"message": None}]}])
def test_a_chat_model_without_an_answer_is_one_sentence(
    content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda *_: (200, content)) as url:
        monkeypatch.setenv("LLM_URL", url)
        with pytest.raises(PipelineError, match="answered without choices"):
            answer.ask_llm([])
