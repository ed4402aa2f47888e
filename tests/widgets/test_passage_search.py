"""The browser's search and Python's: the same stems, word pieces, vectors and first ten."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from javascript import node
from ragvsft.data import load
from ragvsft.retrieval.pipeline import PipelineError, embed, int8, lexical, search
from ragvsft.retrieval.pipeline.answer import prompt
from ragvsft.widgets import passage_search

FOLDER = Path(passage_search.__file__).parent
TEXTS = [f"{row.statement} {row.finding}" for row in load("claims")][:160]
QUERIES = (
    "What does a reranker add?",
    "how much memory does an index need",
    "GDPR: deletion of vectors",
    "When is fine-tuning cheaper than RAG?",
    "What is the capital of France?",
    "How do I delete a document from a vector store?",
    "LoRA adapters' memory",
    "answers in the middle are lost",
    "57%",
    "who sells tuned models",
    "naïve café ΣΑΣ İstanbul",
    "a literal [CLS] and [SEP]",
    "$0.032",
    "break-even volume",
    "latency of retrieval",
    "the price of being wrong",
    "teacher and student",
    "prompt caching",
    "grep, as an agent uses it",
    "Can I trust the survey?",
    "日本語 and 中文 together",
    '<b>markup</b> & "quotes" 💥',
    "x" * 3000,
    "retrieval " * 390,
    "a",
    "how many questions show a difference?",
)


def script(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def test_stems_are_those_of_the_pipeline() -> None:
    files = [*FOLDER.parents[1].rglob("*.py"), *(FOLDER.parents[3] / "data").glob("*.csv")]
    known = sorted({word for path in files for word in lexical.words(path.read_text("utf-8"))})
    assert len(known) > 5000
    found = node(
        f"{script('lexical.js')};"
        f"console.log(JSON.stringify({json.dumps(known)}.map((word) => ragvsftLexical.terms(word))))"
    )
    differing = [(word, stem) for word, stem in zip(known, found, strict=True) if stem != lexical.terms(word)]
    assert differing == []


def test_keywords_rank_and_fuse_as_the_pipeline_does() -> None:
    found = node(
        f"{script('lexical.js')};const index=ragvsftLexical.bm25({json.dumps(TEXTS)});"
        f"const ranked={json.dumps(QUERIES)}.map((query)=>ragvsftLexical.best(index.scores(query),100,0));"
        "console.log(JSON.stringify({ranked,fused:ragvsftLexical.fuse([ranked[0],ranked[1]])}))"
    )
    index = lexical.bm25(TEXTS)
    scores = [index.scores(query) for query in QUERIES]
    expected = [[int(k) for k in search.best(one, 100) if one[k] > 0] for one in scores]
    assert found["ranked"] == expected
    fused = search.fuse([[f"{k:04}" for k in ranking] for ranking in expected[:2]])
    order = sorted(fused, key=lambda name: (-fused[name], name))
    assert found["fused"] == [int(name) for name in order]


@pytest.fixture(scope="module")
def folder() -> Path:
    pytest.importorskip("onnxruntime")
    try:
        return embed.model_folder()
    except PipelineError as error:
        pytest.skip(f"no model: {error}")


@pytest.fixture(scope="module")
def model(folder: Path) -> embed.MiniLM:
    return int8.minilm_int8(folder)


@pytest.fixture(scope="module")
def both(
    folder: Path, model: embed.MiniLM, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[dict[str, Any]], Any]:
    """What the browser's code gives for every query, and the passages' vectors that both sides use."""
    files = tmp_path_factory.mktemp("model")
    numbers, scales = int8.quantised(model.embed(TEXTS))
    packed = {"vectors": numbers, f"vectors{int8.SCALES}": scales}
    metadata = {"vocabulary": "\n".join(int8.vocabulary(folder))}
    contents = {
        "model": int8.compressed(int8.model_arrays(folder), metadata),
        "vectors": int8.compressed(packed, {}),
    }
    for name, content in contents.items():
        (files / name).write_bytes(content)
    found = node(
        f"{script('lexical.js')};{script('minilm.js')};(async () => {{"
        f"const file=(name)=>require('fs').readFileSync({json.dumps(str(files))}+'/'+name);"
        "const read=(name)=>ragvsftMiniLM.unpacked(file(name));"
        "const search=ragvsftMiniLM.searcher(await read('model'),await read('vectors'));"
        f"console.log(JSON.stringify({json.dumps(QUERIES)}.map((query)=>{{"
        "const {ids,vector,scores,tokens}=search(query);"
        "return {ids,tokens,vector:[...vector],first:ragvsftLexical.best(scores,10)}})))})()"
    )
    return found, int8.unpack(packed)["vectors"]


def test_a_question_is_cut_into_the_same_word_pieces(model: embed.MiniLM, both: Any) -> None:
    assert [one["ids"] for one in both[0]] == [model.tokenizer.encode(query).ids for query in QUERIES]
    assert [one["tokens"] for one in both[0]] == [model.tokens(query) for query in QUERIES]


def test_vectors_are_those_of_the_quantised_model_and_the_first_ten_are_the_same(
    model: embed.MiniLM, both: Any
) -> None:
    found, vectors = both
    questions = model.embed(QUERIES)
    cosines = [float(np.dot(one["vector"], vector)) for one, vector in zip(found, questions, strict=True)]
    assert min(cosines) > 0.99999
    expected = [[int(k) for k in search.best(vectors @ vector, 10)] for vector in questions]
    assert [one["first"] for one in found] == expected


def test_eight_bits_stay_near_the_original(folder: Path, model: embed.MiniLM) -> None:
    original, rounded = (each.embed(TEXTS[:20]) for each in (embed.load_minilm(folder), model))
    nearness = (original * rounded).sum(axis=1)
    assert 0.99 < nearness.min() < nearness.max() < 1 - 1e-7


def test_a_row_keeps_its_largest_number_and_a_row_of_zeros_its_zeros() -> None:
    matrix = np.array([[0.5, -2.0, 0.001], [0, 0, 0]], dtype=np.float32)
    numbers, scales = int8.quantised(matrix)
    assert numbers.tolist() == [[32, -127, 0], [0, 0, 0]]
    np.testing.assert_allclose(numbers * scales[:, None], matrix, atol=1 / 127)


def test_a_packed_file_is_the_same_each_time_and_reads_back() -> None:
    arrays = int8.pack({"w": np.eye(3, 5, dtype=np.float32), "b": np.ones(2, dtype=np.float32)})
    content = int8.compressed(arrays, {"vocabulary": "a\nb"})
    assert content == int8.compressed(arrays, {"vocabulary": "a\nb"})
    found = int8.unpack(embed.safetensors(gzip.decompress(content)))
    np.testing.assert_allclose(found["w"], np.eye(3, 5), atol=1e-6)
    np.testing.assert_array_equal(found["b"], [1, 1])


def test_the_script_asks_with_the_pipelines_own_prompt() -> None:
    rules, question = (message["content"] for message in prompt("Why?", []))
    assert question.strip() == "Question: Why?" and rules
    assert "`${this.book.rules}\\n\\n${listed}\\n\\nQuestion: ${query}`" in script("passage_search.js")
