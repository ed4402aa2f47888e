"""What a training step takes: memory by component and CPU-seconds, trained in full, with LoRA and with QLoRA.

    python experiments/tuning/footprint.py      writes data/measured/tuning-footprint.csv and its run record

Each way is trained for a few steps on the same random tokens in a process of its own. QLoRA's base is
quantised by bitsandbytes on the CPU. Reads Linux's account of a process's memory, so it runs on Linux alone.
"""

import ctypes
import gc
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import stages

from ragvsft.tuning.measured import FootprintRow

WAYS = (("full", 0), ("lora", 8), ("lora", 64), ("qlora", 8))
"""Way and rank; rank 0 where there is no adapter."""
SEQUENCES, LENGTH = 4, 256
WARM_STEPS, TIMED_STEPS = 1, 2
ALPHA_OVER_RANK = 2


def one(way: str, rank: int) -> FootprintRow:
    """Train in this way for a few steps and say what it took."""
    import plan
    import torch
    import train as training

    before = _memory_mb("VmRSS")
    model = _base(way)
    if way != "full":
        settings = plan.Settings(rank, ALPHA_OVER_RANK * rank, learning_rate=1e-4, batch_size=SEQUENCES)
        model = training.with_adapter(model, settings, seed=0)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4)
    ids = torch.randint(0, model.config.vocab_size, (SEQUENCES, LENGTH), generator=torch.manual_seed(0))
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is counted from here
    seconds = 0.0
    for step in range(WARM_STEPS + TIMED_STEPS):
        started = time.process_time()
        quick = training.precision() == torch.bfloat16
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=quick, cache_enabled=False):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        if step + 1 < WARM_STEPS + TIMED_STEPS:
            optimiser.zero_grad(set_to_none=True)
        seconds += (time.process_time() - started) * (step >= WARM_STEPS)
    states = [t for state in optimiser.state.values() for t in state.values() if torch.is_tensor(t)]
    gradients = [p.grad for p in trained if p.grad is not None]
    return FootprintRow(
        way=way,  # type: ignore[arg-type]
        rank=rank,
        trainable_parameters=sum(p.numel() for p in trained),
        tokens_in_batch=SEQUENCES * LENGTH,
        base_mb=round(_mb(trained) if way == "full" else _frozen_mb(model), 1),
        training_mb=round(_mb(states) + _mb(gradients) + (_mb(trained) if way != "full" else 0), 1),
        peak_mb=round(_memory_mb("VmHWM") - before, 1),
        cpu_seconds_per_step=round(seconds / TIMED_STEPS, 2),
        precision=str(training.precision()).removeprefix("torch."),  # type: ignore[arg-type]
    )


def _base(way: str) -> Any:
    """The model as this way keeps it: fp32 for full training, 16 bits for LoRA, NF4 matrices for QLoRA."""
    import torch
    import train as training

    _, model = training.load_base()
    if way == "full":
        model = model.to(torch.float32)
    if way == "qlora":
        _quantise(model)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def _quantise(model: Any) -> None:
    """Put bitsandbytes' NF4 matrices with double quantisation in the place of every layer's linear ones."""
    import bitsandbytes
    import torch

    for layer in model.model.layers:
        for block in (layer.self_attn, layer.mlp):
            for name, linear in list(block.named_children()):
                if not isinstance(linear, torch.nn.Linear):
                    continue
                quantised = bitsandbytes.nn.Linear4bit(
                    linear.in_features, linear.out_features, bias=False, compute_dtype=linear.weight.dtype
                )
                quantised.weight = bitsandbytes.nn.Params4bit(
                    linear.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
                )
                setattr(block, name, quantised.to("cpu"))
    model.is_loaded_in_4bit = True


def _mb(tensors: list[Any]) -> float:
    return sum(t.nbytes for t in tensors) / 1e6


def _frozen_mb(model: Any) -> float:
    """MB of the frozen tensors, the quantised matrices' scales among them."""
    frozen = [p for p in model.parameters() if not p.requires_grad]
    total = _mb(frozen)
    for weight in frozen:
        state = getattr(weight, "quant_state", None)
        if state is not None:
            total += _mb([state.absmax, state.code, state.offset, state.state2.absmax, state.state2.code])
    return total


def _memory_mb(field: str) -> float:
    """A figure of Linux's account of this process, in MB of 10^6 bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    if not found:
        raise ValueError(f"/proc/self/status has no {field}")
    return int(found[1]) * 1024 / 1e6


def main() -> None:
    """Measure each way in a process of its own, and write the table and the record."""
    rows = []
    for way, rank in WAYS:
        command = [sys.executable, __file__, way, str(rank)]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        rows.append(FootprintRow.model_validate_json(found))
        print(found, flush=True)
    stages.write("footprint", [FootprintRow], [rows], extra_packages=("bitsandbytes", "accelerate"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if len(sys.argv) == 3:
        print(one(sys.argv[1], int(sys.argv[2])).model_dump_json())
    else:
        main()
