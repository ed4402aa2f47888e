"""From peft's tensors to llama.cpp's: names, shapes, and the order of rows that rotary embedding wants."""

import numpy as np
import pytest

from ragvsft.tuning.lora.adapters import HEADS, KEY_VALUE_HEADS, gguf_tensors, interleave_rotary_rows

PREFIX = "base_model.model.model.layers.7."
RANK, HIDDEN, KEY_VALUE = 4, 576, 192


def peft_tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        f"{PREFIX}self_attn.q_proj.lora_A.weight": rng.normal(size=(RANK, HIDDEN)).astype(np.float32),
        f"{PREFIX}self_attn.q_proj.lora_B.weight": rng.normal(size=(HIDDEN, RANK)).astype(np.float32),
        f"{PREFIX}self_attn.k_proj.lora_B.weight": rng.normal(size=(KEY_VALUE, RANK)).astype(np.float32),
        f"{PREFIX}self_attn.v_proj.lora_B.weight": rng.normal(size=(KEY_VALUE, RANK)).astype(np.float32),
        f"{PREFIX}mlp.down_proj.lora_A.weight": rng.normal(size=(RANK, 1536)).astype(np.float32),
    }


def test_names_and_shapes() -> None:
    found = gguf_tensors(peft_tensors())
    assert {name: tensor.shape for name, tensor in found.items()} == {
        "blk.7.attn_q.weight.lora_a": (RANK, HIDDEN),
        "blk.7.attn_q.weight.lora_b": (HIDDEN, RANK),
        "blk.7.attn_k.weight.lora_b": (KEY_VALUE, RANK),
        "blk.7.attn_v.weight.lora_b": (KEY_VALUE, RANK),
        "blk.7.ffn_down.weight.lora_a": (RANK, 1536),
    }
    assert {tensor.dtype for tensor in found.values()} == {np.dtype(np.float16)}


def test_only_b_of_query_and_key_changes_its_rows() -> None:
    given, found = peft_tensors(), gguf_tensors(peft_tensors())

    def same(module: str, side: str, target: str) -> bool:
        return np.array_equal(
            given[f"{PREFIX}{module}.lora_{side}.weight"].astype(np.float16),
            found[f"blk.7.{target}.weight.lora_{side.lower()}"],
        )

    assert same("self_attn.q_proj", "A", "attn_q")
    assert same("self_attn.v_proj", "B", "attn_v")
    assert not same("self_attn.q_proj", "B", "attn_q")
    assert not same("self_attn.k_proj", "B", "attn_k")


@pytest.mark.parametrize("heads", [HEADS, KEY_VALUE_HEADS])
def test_row_k_of_a_heads_second_half_follows_row_k_of_its_first(heads: int) -> None:
    size = 64
    rows = np.arange(heads * size, dtype=float)[:, None]
    found = interleave_rotary_rows(rows, heads)[:, 0].reshape(heads, size)
    for head in range(heads):
        assert found[head, 0::2].tolist() == list(range(head * size, head * size + size // 2))
        assert found[head, 1::2].tolist() == list(range(head * size + size // 2, (head + 1) * size))


@pytest.mark.parametrize("name", ["base_model.model.lm_head.lora_A.weight", f"{PREFIX}mlp.down_proj.bias"])
def test_a_tensor_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be lora_A or lora_B"):
        gguf_tensors({name: np.zeros((2, 2), np.float32)})
