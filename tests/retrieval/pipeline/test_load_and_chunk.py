"""Documents are read whole or refused with a reason; passages lose no word."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.chunk import chunk, sentences
from ragvsft.retrieval.pipeline.load import Document, folder, html_text


def document(text: str) -> Document:
    return Document(id="d", title="t", text=text)


def test_a_folder_gives_its_documents_by_name(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.md").write_text("# Beta\n\ntext", encoding="utf-8")
    (tmp_path / "sub" / "a.txt").write_text("Alpha", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert [(d.id, d.title) for d in folder(tmp_path)] == [("b.md", "Beta"), ("sub/a.txt", "Alpha")]


def test_a_file_without_words_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text(" \n", encoding="utf-8")
    (tmp_path / "full.md").write_text("words", encoding="utf-8")
    assert [d.id for d in folder(tmp_path)] == ["full.md"]


def test_a_file_that_is_not_utf8_is_named_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Gr\xfc\xdfe".encode("latin-1"))
    with pytest.raises(PipelineError, match=r"^latin\.txt: byte 2 is not UTF-8; must be UTF-8 text$"):
        list(folder(tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="must hold at least one of"):
        list(folder(tmp_path))


def test_html_keeps_words_and_drops_scripts() -> None:
    page = "<head><title>x</title></head><script>bad()</script><p>One <b>two</b></p><ul><li>three</li></ul>"
    assert html_text(page) == "One two\n\nthree"


def test_sentences_end_at_punctuation_and_blank_lines() -> None:
    text = "It costs 3.50 USD. Really? Yes\n\nNext part"
    assert sentences(text) == ["It costs 3.50 USD.", "Really?", "Yes", "Next part"]


@given(st.lists(st.sampled_from(["one", "two.", "Three", "four!", "\n\n"]), max_size=60), st.integers(1, 12))
def test_passages_hold_every_word_in_order_and_none_is_too_long(parts: list[str], size: int) -> None:
    text = " ".join(parts)
    passages = chunk(document(text), words=size)
    assert " ".join(passage.text for passage in passages).split() == text.split()
    assert all(len(passage.text.split()) <= size for passage in passages)
    assert [passage.position for passage in passages] == list(range(len(passages)))


@given(st.integers(2, 12).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size - 1))))
def test_an_overlap_repeats_the_last_words(given_sizes: tuple[int, int]) -> None:
    size, overlap = given_sizes
    words = [f"w{k}" for k in range(50)]
    passages = [passage.text.split() for passage in chunk(document(" ".join(words)), size, overlap)]
    assert all(a[-overlap:] == b[:overlap] for a, b in itertools.pairwise(passages))
    assert {word for passage in passages for word in passage} == set(words)


@pytest.mark.parametrize(("words", "overlap"), [(0, 0), (10, 10), (10, -1)])
def test_sizes_out_of_range_are_refused(words: int, overlap: int) -> None:
    with pytest.raises(PipelineError, match="must be"):
        chunk(document("text"), words, overlap)
