"""LoRA on SmolLM2-135M-Instruct with peft, on one CPU thread. No other code of the book imports torch."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peft
import torch
import transformers
from plan import Settings

from ragvsft.tuning.lora.answering import MODEL_FILE, model_path
from ragvsft.tuning.lora.prompts import END, Example

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Training(NamedTuple):
    """What a training run took and left."""

    steps: int
    tokens: int
    cpu_seconds: float
    trainable_parameters: int
    losses: list[float]


def load_base() -> tuple[Any, Any]:
    """The tokenizer, and the model de-quantised from its 4-bit file, in bf16 where that is quick."""
    torch.set_num_threads(1)
    folder = str(model_path().parent)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=MODEL_FILE)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=MODEL_FILE, dtype=precision())
    model.config.use_cache = False
    if getattr(model.config, "quantization_config", None) is not None:
        del model.config.quantization_config
    model.is_quantized = False
    return tokenizer, model


def precision() -> torch.dtype:
    """bf16 on a processor with bf16 instructions, else fp32."""
    cpu = Path("/proc/cpuinfo")
    quick = cpu.exists() and any(flag in cpu.read_text() for flag in ("avx512_bf16", "amx_bf16", " bf16"))
    return torch.bfloat16 if quick else torch.float32


def with_adapter(model: Any, settings: Settings, seed: int, targets: Sequence[str] = TARGETS) -> Any:
    """The model with a fresh, seeded adapter on every matrix of these names, ready to train."""
    torch.manual_seed(seed)
    config = peft.LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, target_modules=list(targets), task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, config)


def train(
    tokenizer: Any,
    model: Any,
    examples: list[Example],
    settings: Settings,
    seed: int,
    folder: Path,
    targets: Sequence[str] = TARGETS,
) -> Training:
    """Train one adapter on the examples, in their order, once; save it in `folder`; take it off again."""
    started = time.process_time()
    tuned = with_adapter(model, settings, seed, targets)
    trained = [p for p in tuned.parameters() if p.requires_grad]
    encoded = [_encode(tokenizer, example) for example in examples]
    batches = [encoded[k : k + settings.batch_size] for k in range(0, len(encoded), settings.batch_size)]
    optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
    warmup = max(1, round(settings.warmup_fraction * len(batches)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda k: min((k + 1) / warmup, (len(batches) - k) / max(1, len(batches) - warmup))
    )
    tuned.train()
    losses = []
    for batch in batches:
        loss = _loss(tuned, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        schedule.step()
        losses.append(float(loss.detach()))
    tuned.save_pretrained(folder)
    tuned.unload()
    return Training(
        steps=len(batches),
        tokens=sum(len(ids) for ids, _ in encoded),
        cpu_seconds=time.process_time() - started,
        trainable_parameters=sum(p.numel() for p in trained),
        losses=losses,
    )


def _encode(tokenizer: Any, example: Example) -> tuple[list[int], int]:
    """Token ids of prompt and completion, and how many of them the prompt takes."""
    prompt = tokenizer(example.prompt, add_special_tokens=False)["input_ids"] if example.prompt else []
    completion = tokenizer(example.completion + END, add_special_tokens=False)["input_ids"]
    if not prompt:  # a document begins as every text did in pretraining
        prompt = [tokenizer.bos_token_id]
    return prompt + completion, len(prompt)


def _loss(model: Any, batch: list[tuple[list[int], int]]) -> torch.Tensor:
    """Mean cross-entropy over the completions; logits are computed at those positions alone."""
    width = max(len(ids) for ids, _ in batch)
    tokens = np.zeros((len(batch), width), np.int64)
    learnt = np.zeros((len(batch), width - 1), bool)
    for row, (ids, prompt) in enumerate(batch):
        tokens[row, : len(ids)] = ids
        learnt[row, prompt - 1 : len(ids) - 1] = True
    ids, wanted = torch.from_numpy(tokens), torch.from_numpy(learnt)
    base = model.get_base_model()
    # Padding stands at the end, so causal attention needs no mask.
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=base.dtype == torch.bfloat16):
        hidden = base.model(input_ids=ids).last_hidden_state[:, :-1][wanted]
        logits = base.lm_head(hidden)
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][wanted])
