"""Charts of fine-tuning: where the memory goes, and what published fine-tunes were worth."""

from typing import Any

import altair as alt

import ragvsft.charts  # noqa: F401  (registers the theme)
from ragvsft.evidence.published import results
from ragvsft.tuning.catalogue import architecture
from ragvsft.tuning.memory import METHODS, memory_rows

TRAINED_ON = {
    "code CPT 20B tok": "code, raw text",
    "code IFT": "code, instructions",
    "math CPT": "mathematics, raw text",
    "math IFT": "mathematics, instructions",
    "code CPT forgetting avg": "general ability, after code",
}
"""The data sets of Biderman et al. 2024 in plain words."""

METHODS_TRIED = {
    "full fine-tuning": "full fine-tuning",
    "LoRA r=256": "LoRA, rank 256",
    "LoRA r=256 (peak)": "LoRA, rank 256",
    "LoRA r=64": "LoRA, rank 64",
    "LoRA r=16": "LoRA, rank 16",
}
"""Its conditions in plain words."""


STEPS = {
    "base 0-shot": "instructions",
    "3-shot": "three examples",
    "fine-tuned on 1,000 examples": "fine-tuned",
    "fine-tuned+RAG (examples)": "fine-tuned, with retrieved examples",
}
"""The steps of OpenAI's case on Icelandic in plain words."""


def memory_chart(model: str, rank: int, tokens_in_batch: int) -> Any:
    """Memory of the three methods as stacked bars."""
    rows = memory_rows(architecture(model), rank, tokens_in_batch)
    parts = list(dict.fromkeys(row["part"] for row in rows))
    rows = [row | {"order": parts.index(row["part"])} for row in rows]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_bar()
        .encode(
            alt.X("gb:Q", title="Memory (GB)"),
            alt.Y("method:N", title=None, sort=list(METHODS.values())),
            alt.Color("part:N", title=None, sort=None),
            alt.Order("order:Q"),
        )
        .properties(
            description=(
                f"Memory to train {model} on {tokens_in_batch:,} tokens at once. Full fine-tuning "
                "needs several times what LoRA needs, most of it gradients and optimiser "
                "state; QLoRA needs about half of LoRA's, because the base is smaller."
            )
        )
    )


def lora_quality_chart() -> Any:
    """Scores of full fine-tuning and LoRA in Biderman et al. 2024."""
    rows = [
        {"trained on": TRAINED_ON[row.dataset], "method": METHODS_TRIED[row.condition], "score": row.value}
        for row in results("biderman2024")
    ]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_point()
        .encode(
            alt.X("score:Q", title="Score", axis=alt.Axis(format="%")),
            alt.Y("trained on:N", title=None, sort=list(TRAINED_ON.values()), axis=alt.Axis(grid=True)),
            alt.Color("method:N", title=None, sort=list(dict.fromkeys(METHODS_TRIED.values()))),
        )
        .properties(
            description=(
                "Llama-2-7B after full fine-tuning and after LoRA. On raw code and mathematics LoRA "
                "is behind; on code instructions its score rises with the rank; on mathematical "
                "instructions the two are level; of general ability LoRA keeps more."
            )
        )
    )


def icelandic_chart() -> Any:
    """BLEU on Icelandic correction, step by step."""
    rows = [
        {"step": STEPS[row.condition], "model": row.model, "BLEU": row.value}
        for row in results("openaiaccuracy")
    ]
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_point(size=110)
        .encode(
            alt.X("BLEU:Q", title="BLEU (points)", scale=alt.Scale(domain=[0, 100])),
            alt.Y("step:N", title=None, sort=list(STEPS.values())),
            alt.Color("model:N", title=None, sort="descending"),
        )
        .properties(
            description=(
                "BLEU of GPT-4 and GPT-3.5 correcting Icelandic: with instructions, with three "
                "examples, fine-tuned on a thousand, and fine-tuned with retrieved examples added, "
                "which is lower than fine-tuning alone."
            )
        )
    )
