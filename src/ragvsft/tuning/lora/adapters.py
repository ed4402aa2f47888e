"""Adapters on disk: from the files that peft writes to the one file that llama.cpp reads.

Needs the extra `tuning` (gguf, safetensors); nothing here imports torch.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

HEADS, KEY_VALUE_HEADS = 9, 3
"""Attention heads and key-value heads of SmolLM2-135M."""
MODULES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""peft's name of a matrix to llama.cpp's."""
_HEADS_OF = {"attn_q": HEADS, "attn_k": KEY_VALUE_HEADS}


def gguf_tensors(peft_tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Tensors of a peft LoRA adapter under llama.cpp's names, as fp16, in their own shapes.

    A is (rank, inputs), B is (outputs, rank). llama.cpp keeps the rows of the query and key matrices in
    another
    order (rotary halves interleaved), so B of those two is permuted alike. Raises ValueError for a tensor
    that is not a LoRA matrix of a known module.
    """
    return dict(_renamed(name, tensor) for name, tensor in sorted(peft_tensors.items()))


def _renamed(name: str, tensor: np.ndarray) -> tuple[str, np.ndarray]:
    _, _, inner = name.partition("layers.")
    layer, _, rest = inner.partition(".")
    module, _, side = rest.partition(".lora_")
    side = side.partition(".")[0]
    if not layer.isdigit() or module not in MODULES or side not in ("A", "B"):
        raise ValueError(f"tensor {name!r}: must be lora_A or lora_B of one of {', '.join(MODULES)}")
    target = MODULES[module]
    if side == "B" and target in _HEADS_OF:
        tensor = interleave_rotary_rows(tensor, _HEADS_OF[target])
    return f"blk.{layer}.{target}.weight.lora_{side.lower()}", tensor.astype(np.float16)


def interleave_rotary_rows(matrix: np.ndarray, heads: int) -> np.ndarray:
    """The rows of a query or key matrix (outputs, any) in llama.cpp's order: per head, halves interleaved."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(matrix.shape)


def separate_rotary_rows(matrix: np.ndarray, heads: int) -> np.ndarray:
    """The way back from `interleave_rotary_rows`: the rows in torch's order."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(matrix.shape)


def heads_of(target: str) -> int:
    """Heads of a matrix whose rows llama.cpp interleaves, by its name there; 0 for the others."""
    return _HEADS_OF.get(target, 0)


def write_gguf(peft_folder: Path, target: Path) -> None:
    """Write the adapter that peft saved in a folder as one GGUF file in fp16.

    Raises ValueError if the adapter is not a plain LoRA with one rank (`use_rslora` or patterns of ranks or
    alphas).
    """
    from gguf import GGUFWriter
    from safetensors.numpy import load_file

    config: dict[str, Any] = json.loads((peft_folder / "adapter_config.json").read_text(encoding="utf-8"))
    for field in ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern"):
        if config.get(field):
            raise ValueError(f"adapter_config.json: {field} = {config[field]}: must be unset")
    writer = GGUFWriter(target, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for name, tensor in gguf_tensors(load_file(peft_folder / "adapter_model.safetensors")).items():
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
