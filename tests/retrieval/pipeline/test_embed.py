"""MiniLM from its package: the original weights or nothing, and a text's vector is always the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ragvsft.retrieval.pipeline import PipelineError, embed


@pytest.fixture(scope="module")
def model() -> embed.MiniLM:
    pytest.importorskip("onnxruntime")
    try:
        return embed.minilm()
    except PipelineError as error:
        pytest.skip(f"no model: {error}")


def test_a_missing_model_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "PACKAGE", "no_such_model_package")
    with pytest.raises(
        PipelineError, match=r"no_such_model_package: not installed; must be: .*requirements-models\.txt"
    ):
        embed.model_folder()


def test_weights_with_another_hash_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(
        PipelineError, match=r"model\.safetensors: SHA-256 is [0-9a-f]{12}…, must be 53aa51172d14…"
    ):
        embed.load_minilm(tmp_path)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"model file = model\.safetensors: not found"):
        embed.load_minilm(tmp_path)


def test_safetensors_are_read_by_their_header() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    header = {"__metadata__": {}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    raw = json.dumps(header).encode()
    read = embed.safetensors(len(raw).to_bytes(8, "little") + raw + array.tobytes())
    np.testing.assert_array_equal(read["w"], array)


def test_paraphrases_are_nearer_than_strangers(model: embed.MiniLM) -> None:
    vectors = model.embed(["How do I install it?", "Installation instructions", "The cat sat on the mat."])
    nearness = vectors @ vectors.T
    assert nearness[0, 1] > 0.5 > 0.2 > nearness[0, 2]
    np.testing.assert_allclose(np.diag(nearness), 1, atol=1e-5)


def test_known_vector(model: embed.MiniLM) -> None:
    """The first numbers for a fixed text: a change of graph, tokeniser or pooling shows here."""
    vector = model.embed(["The quick brown fox jumps over the lazy dog."])[0]
    np.testing.assert_allclose(vector[:4], KNOWN, atol=2e-5)


def test_a_vector_does_not_depend_on_its_company(model: embed.MiniLM) -> None:
    alone = model.embed(["short text"])[0]
    among = model.embed(["a much longer text " * 40, "short text"])[1]
    np.testing.assert_array_equal(alone, among)


def test_no_text_gives_no_vector(model: embed.MiniLM) -> None:
    assert model.embed([]).shape == (0, 384)


def test_tokens_are_counted_past_the_models_limit(model: embed.MiniLM) -> None:
    assert model.tokens("word " * 400) == 400
    assert model.states("word " * 400).shape == (256, 384)


KNOWN = [0.043934, 0.058934, 0.048178, 0.077548]
