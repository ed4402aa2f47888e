"""Calculators of fine-tuning: an adapter's size, memory, time and price, and what the data costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import altair as alt

from ragvsft.calculators import Bars, Calculator, Cell, Choice, Number, Preset, Row, Select, Sweep
from ragvsft.calculators.cost import number, select
from ragvsft.charts import now_rule, usd_axis
from ragvsft.costs import formulas as costs
from ragvsft.evidence.ledger import get
from ragvsft.formula import Quantity
from ragvsft.tuning import formulas as f
from ragvsft.tuning.catalogue import Architecture, architectures, gpus
from ragvsft.tuning.memory import METHODS

GPU_SIZES_GB = (24, 40, 80)
"""The GPU sizes that a table of `data/gpus.csv` is read by: small, medium, large."""

CLASSES = (*(f"one of {gb} GB" for gb in GPU_SIZES_GB), f"several of {GPU_SIZES_GB[-1]} GB")


def architecture_select(default: str = "Llama-3.1-8B") -> Select:
    """The named architectures; a choice sets its layer shapes."""
    return Select(
        "model",
        "Model",
        default.lower(),
        tuple(Choice(row.model.lower(), row.model, _shapes(row)) for row in architectures()),
    )


def _shapes(row: Architecture) -> Mapping[str, float]:
    columns = (
        "layers",
        "hidden_size",
        "query_size",
        "key_value_size",
        "intermediate_size",
        "vocabulary_size",
        "embedding_matrices",
        "head_norm_size",
    )
    return {column: getattr(row, column) for column in columns}


def published_utilisation() -> float:
    """Share of an H100's peak in NVIDIA's published LoRA run, 0 to 1."""
    peak = next(row.peak_tflops for row in gpus() if row.gpu == "H100 SXM")
    speed = get("lora-training-speed").value
    assert speed is not None
    return speed / peak


def lora_cost(calculator_id: str = "lora-cost") -> Calculator:
    """Parameters, memory, hours and dollars of one fine-tune: full training, LoRA and QLoRA side by side."""
    return Calculator(
        calculator_id,
        "What does one fine-tune take?",
        (
            architecture_select(),
            Number("rank", "Rank of the adapters", "", 16, 1, 512, scale="log", whole=True),
            number("training_examples"),
            number("tokens_per_example"),
            number("epochs"),
            number("trials_per_release"),
            Number(
                "tokens_in_batch", "Tokens processed at once", "tokens", 2048, 128, 65536, "log", whole=True
            ),
            Number("utilisation", "Share of the GPU's peak reached", "fraction", 0.18, 0.05, 0.6),
            replace(select("gpu"), label="H100 from"),
        ),
        _fine_tune,
        (
            Row("Full fine-tuning", *_cells("full")),
            Row("LoRA, 16-bit base", *_cells("lora")),
            Row("QLoRA, 4-bit base", *_cells("qlora")),
        ),
        ("Method", "Memory", "All runs", "Hours a run", "GPUs that hold it", "Parameters trained"),
        chart=_memory_chart,
        sweep=Sweep(
            "tokens_in_batch",
            (512, 1024, 2048, 4096, 8192, 16384, 32768),
            {"full_gb": "full", "lora_gb": "LoRA", "qlora_gb": "QLoRA"},
        ),
        presets=(
            Preset("Small classifier", {"model": "qwen3-0.6b", "tokens_per_example": 300}),
            Preset("Long documents", {"tokens_per_example": 8000, "tokens_in_batch": 8192}),
            Preset("Largest model here", {"model": "llama-3.1-70b"}),
        ),
        fixed={"peak_tflops": next(row.peak_tflops for row in gpus() if row.gpu == "H100 SXM")},
        note=(
            "Adapters on every linear matrix, activations recomputed. Hours are those of one H100, however "
            "many it takes to hold the model; QLoRA's unpacking of weights is not counted."
        ),
    )


def _cells(method: str) -> tuple[Cell, ...]:
    return (
        Cell(f"{method}_gb", "gb"),
        Cell(f"{method}_usd", "usd"),
        Cell(f"{method}_hours", "number"),
        Cell(f"{method}_class", cases=CLASSES),
        Cell(f"{method}_trained", "count"),
    )


def _fine_tune(i: Any) -> Mapping[str, Quantity]:
    linear = f.linear_parameters(i.layers, i.hidden_size, i.query_size, i.key_value_size, i.intermediate_size)
    other = f.other_parameters(
        i.layers, i.hidden_size, i.vocabulary_size, i.embedding_matrices, i.head_norm_size
    )
    adapters = f.lora_parameters(
        i.rank, i.layers, i.hidden_size, i.query_size, i.key_value_size, i.intermediate_size
    )
    base = linear + other
    working = f.activation_gb(i.tokens_in_batch, i.hidden_size, i.layers, i.vocabulary_size)
    held = {
        "full": f.full_tuning_gb(base),
        "lora": f.lora_gb(base, adapters),
        "qlora": f.qlora_gb(linear, other, adapters),
    }
    found: dict[str, Quantity] = {}
    for method in METHODS:
        trained = base if method == "full" else adapters
        total = base if method == "full" else base + adapters
        needed = held[method] + working
        run_tokens = costs.training_tokens(i.training_examples, i.tokens_per_example, i.epochs, 1)
        hours = f.training_hours(
            f.training_flops(total, trained, run_tokens, 1), i.peak_tflops, i.utilisation, 1
        )
        found |= {
            f"{method}_trained": trained,
            f"{method}_gb": needed,
            f"{method}_class": f.memory_class(needed, *GPU_SIZES_GB),
            f"{method}_hours": hours,
            f"{method}_usd": f.rental_usd(hours * i.trials_per_release, 1, i.gpu_usd_per_hour),
        }
    return found


def _memory_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Tokens processed at once", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="Memory (GB)", scale=log),
            alt.Color("series:N", title=None, sort=None),
        )
    )
    return alt.layer(lines, now_rule(rows, scale=log)).properties(
        description=(
            "Memory for full fine-tuning, LoRA and QLoRA against the tokens processed at once, both axes "
            "logarithmic: the gap between the methods closes as activations come to dominate."
        )
    )


def dataset_cost() -> Calculator:
    """Cost and time of the training data, beside the training run that it is for."""
    return Calculator(
        "dataset-cost",
        "What does the training data cost, and when is it ready?",
        (
            number("training_examples"),
            Number("minutes_per_example", "To write or correct an example", "minutes", 1, 0.1, 120, "log"),
            Number("reviewed_fraction", "Share done again by a second person", "fraction", 0.2, 0, 1),
            number("usd_per_hour"),
            Number("labellers", "People working on it", "", 2, 1, 50, "log", whole=True),
            Number("hours_per_week", "Hours each gives a week", "hours", 20, 1, 40),
            number("tokens_per_example"),
            number("epochs"),
            number("trials_per_release"),
            select("tuned_model"),
            number("months_to_base_model_retirement"),
        ),
        _dataset,
        (
            Row("Labelling", Cell("labelling_usd", "usd")),
            Row("Training, hosted, all runs", Cell("training_usd", "usd")),
            Row("Labelling per dollar of training", Cell("ratio", "number")),
            Row("Person-hours", Cell("hours", "count")),
            Row("Weeks until it is ready", Cell("weeks", "number")),
            Row("Both, per month until the base model is retired", Cell("usd_per_month", "usd")),
        ),
        ("", "Result"),
        chart=_dataset_chart,
        sweep=Bars({"labelling_usd": "labelling", "training_usd": "training"}),
        presets=(
            Preset("Written by hand", {"minutes_per_example": 6}),
            Preset("Specialists", {"minutes_per_example": 15, "usd_per_hour": 180}),
            Preset("First try", {"training_examples": 50}),
        ),
        note="Labour and minutes are assumptions: time ten examples and put in yours.",
    )


def _dataset(i: Any) -> Mapping[str, Quantity]:
    hours = f.labelling_hours(i.training_examples, i.minutes_per_example, i.reviewed_fraction)
    labelling = hours * i.usd_per_hour
    tokens = costs.training_tokens(i.training_examples, i.tokens_per_example, i.epochs, i.trials_per_release)
    training = costs.tokens_usd(tokens, i.tuned_training_usd_per_mtok)
    return {
        "labelling_usd": labelling,
        "training_usd": training,
        "ratio": labelling / training,
        "hours": hours,
        "weeks": f.labelling_weeks(hours, i.labellers, i.hours_per_week),
        "usd_per_month": (labelling + training) / i.months_to_base_model_retirement,
    }


def _dataset_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="USD for one release", axis=usd_axis()),
            alt.Y("series:N", title=None, sort=None),
        )
        .properties(description="Cost of one release as two bars: labelling the data, and training on it.")
    )
