"""Merging an adapter into its base, matrix by matrix, from the two GGUF files; needs the extra `tuning`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Adapted(NamedTuple):
    """A frozen matrix and its adapter, in llama.cpp's order of rows."""

    name: str
    base: NDArray[np.float64]
    """W, (outputs, inputs), de-quantised."""
    a: NDArray[np.float64]
    """A, (rank, inputs)."""
    b: NDArray[np.float64]
    """B, (outputs, rank)."""
    scale: float
    """Alpha over rank."""

    @property
    def change(self) -> NDArray[np.float64]:
        """What training added to the matrix: scale × B A, (outputs, inputs)."""
        return self.scale * self.b @ self.a

    @property
    def merged(self) -> NDArray[np.float64]:
        """W + scale × B A: the one matrix that does what base and adapter do together."""
        return self.base + self.change


def adapted(base: Path, adapter: Path) -> Iterator[Adapted]:
    """Every matrix that the adapter changes. Raises ValueError for one that the base lacks."""
    from gguf import GGUFReader, dequantize

    weights = {tensor.name: tensor for tensor in GGUFReader(base).tensors}
    reader = GGUFReader(adapter)
    thin = {tensor.name: np.asarray(tensor.data, np.float64) for tensor in reader.tensors}
    alpha = float(_only(reader.fields["adapter.lora.alpha"]))
    for name in sorted(key.removesuffix(".lora_a") for key in thin if key.endswith(".lora_a")):
        if name not in weights:
            raise ValueError(f"tensor {name!r} of {adapter.name}: not in {base.name}")
        a, b = thin[f"{name}.lora_a"], thin[f"{name}.lora_b"]
        frozen = weights[name]
        whole = np.asarray(dequantize(frozen.data, frozen.tensor_type), np.float64)
        yield Adapted(name, whole, a, b, alpha / len(a))


def _only(field: Any) -> Any:
    return field.parts[field.data[0]][0]


FORMS = {"float32": "F32", "bfloat16": "BF16", "float16": "F16", "8-bit": "Q8_0", "4-bit": "Q4_1"}
"""The forms in which merged weights are kept, to GGUF's type; the base here comes in the last."""


def kept_as(matrix: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    """The matrix as it comes back from a file in this form, a key of `FORMS`."""
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    kind = GGMLQuantizationType[FORMS[form]]
    return np.asarray(dequantize(quantize(matrix.astype(np.float32), kind), kind), np.float64)
