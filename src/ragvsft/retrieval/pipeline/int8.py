"""MiniLM in eight bits: what a browser can load and compute with, and the same model here to compare with.

Each row of a matrix becomes whole numbers from -127 to 127 and one scale, so that its largest entry is exact.
Norms and biases stay floats. The file is a safetensors file under gzip; its metadata holds the vocabulary.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import embed

LARGEST = 127
SCALES = ".scale"
"""What a matrix's name ends in for the array of its rows' scales."""
_TYPES = {"int8": "I8", "float32": "F32"}
_UNUSED = ("embeddings.position_ids", "pooler.")

Arrays = Mapping[str, NDArray[Any]]


def quantised(matrix: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """An n × m matrix as whole numbers and n scales, nearly their product. A row of zeros has scale 1."""
    scales = (np.abs(matrix).max(axis=1) / LARGEST).astype(np.float32)
    scales[scales == 0] = 1
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales


def pack(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays with every matrix quantised and its scales beside it; the rest as they are."""
    packed: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim == 2:
            packed[name], packed[name + SCALES] = quantised(array)
        else:
            packed[name] = array.astype(np.float32)
    return packed


def unpack(packed: Arrays) -> dict[str, NDArray[np.float32]]:
    """The matrices that `pack` made, as floats again, and the rest as it is."""
    names = [name for name in packed if not name.endswith(SCALES)]
    return {
        name: packed[name] * packed[name + SCALES][:, None] if name + SCALES in packed else packed[name]
        for name in names
    }


def model_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """What the encoder needs of the published weights, packed, without positions beyond the longest text."""
    weights = {
        name: array
        for name, array in embed.original_weights(folder).items()
        if not name.startswith(_UNUSED) and array.dtype == np.float32
    }
    places = "embeddings.position_embeddings.weight"
    return pack(weights | {places: weights[places][: embed.MAX_TOKENS]})


def minilm_int8(folder: Path) -> embed.MiniLM:
    """MiniLM with the weights that the browser gets, computed in single precision."""
    return embed.with_weights(unpack(model_arrays(folder)), folder, "all-MiniLM-L6-v2 int8")


def vocabulary(folder: Path) -> list[str]:
    """The tokeniser's word pieces in the order of their numbers."""
    known = embed.load_tokenizer(folder).get_vocab()
    return sorted(known, key=lambda piece: known[piece])


def compressed(arrays: Arrays, metadata: Mapping[str, str]) -> bytes:
    """The arrays, float32 or int8, as a safetensors file under gzip: the same bytes for the same arrays."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": _TYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    raw = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    return gzip.compress(len(head).to_bytes(8, "little") + head + raw, compresslevel=9, mtime=0)
