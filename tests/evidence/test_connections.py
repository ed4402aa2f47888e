"""Every chapter leads on for a reason, can be reached, and ends with what it used."""

import json
from pathlib import Path

import pytest

from ragvsft import prose
from ragvsft.data import load
from ragvsft.evidence import bibliography, connections
from ragvsft.evidence.ledger import ledger

SOURCE_CONNECTIONS = {
    "rag/pipeline",
    "rag/reranking",
    "fine-tuning/decision-framework",
    "fine-tuning/lora-qlora",
    "prompting/techniques",
    "synthesis/llm-decision-guide",
}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty chapters under their own ids as titles, seen from the one that is running."""
    for name in connections.chapters():
        path = tmp_path / ("chapters" if "/" in name else "") / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": [{"source": f"# {name}\n\nThe answer."}]}))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "claims.csv").touch()
    monkeypatch.chdir(tmp_path / "chapters" / "decide")
    bibliography.used.clear()
    connections.title.cache_clear()
    return tmp_path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(connections, "say", texts.append)
    return texts


def test_every_chapter_leads_to_others_and_can_be_reached() -> None:
    ids = set(connections.chapters())
    assert {target for _, target, _ in connections.connections()} == ids
    assert all(start != target for start, target, _ in connections.connections())


def test_no_reason_is_given_twice() -> None:
    reasons = [why for _, _, why in connections.connections()]
    assert len(set(reasons)) == len(reasons)


def test_the_connections_of_the_source_document_are_kept() -> None:
    assert {target for _, target, _ in connections.connections()} >= SOURCE_CONNECTIONS


def test_every_notebook_is_connected() -> None:
    notebooks = (prose.root() / "chapters").glob("*/*.ipynb")
    assert {"index", *(f"{path.parent.name}/{path.stem}" for path in notebooks)} == set(
        connections.chapters()
    )


def test_claims_terms_and_connections_name_known_chapters() -> None:
    ids = set(connections.chapters())
    assert {row.chapter for row in ledger()} <= ids
    assert {row.see for row in load("glossary")} <= ids


def test_a_chapter_ends_with_connections_backlinks_and_the_sources_used(book: Path, shown: list[str]) -> None:
    bibliography.cite("lewis2020")
    connections.chapter_end("decide/when-rag")
    connected, rest = shown[0].split("## Linked from")
    linked, sources = rest.split("## Sources")
    assert connected.startswith("## Connections\n- [rag/pipeline](../rag/pipeline.ipynb): ")
    assert "[rag/pipeline](../rag/pipeline.ipynb)" in linked
    assert "Lewis et al. (2020)" in sources and "primary text" in sources


def test_a_chapter_without_sources_has_no_empty_list(book: Path, shown: list[str]) -> None:
    connections.chapter_end("decide/when-rag")
    assert "Sources" not in shown[0]


def test_an_unknown_chapter_is_named(book: Path) -> None:
    with pytest.raises(ValueError, match="chapter_id = 'decide/when-rga': must be a chapter"):
        connections.chapter_end("decide/when-rga")


def test_each_term_has_a_place(book: Path) -> None:
    text = connections.glossary_markdown()
    assert '<span id="term-recall-at-k"></span>**recall at k**: ' in text
    assert text.count("<span id=") == len(load("glossary"))
