"""What else was measured of LoRA beside the experiment's answers: footprint, quantisers, merging, settings.

`experiments/tuning/` writes these tables: `footprint.py`, `precision.py` and `sweep.py`.
"""

from typing import Literal, cast

from pydantic import Field

from ragvsft import data
from ragvsft.data import IsoDate, Row, Slug, Text

Way = Literal["full", "lora", "qlora"]
Form = Literal["float32", "bfloat16", "float16", "8-bit", "4-bit"]


class FootprintRow(Row, table="measured/tuning-footprint", key=("way", "rank")):
    """Memory and time of one training step of SmolLM2-135M on one CPU thread, layers recomputed."""

    way: Way = Field(description="Everything trained, adapters on a 16-bit base, adapters on a 4-bit base.")
    rank: int = Field(ge=0, description="Rank of the adapters; 0 without.")
    trainable_parameters: int = Field(gt=0, description="Parameters that were trained, as torch counts.")
    tokens_in_batch: int = Field(gt=0, description="Tokens processed at once.")
    base_mb: float = Field(gt=0, description="The model's weights, MB of 10^6 bytes, scales counted.")
    training_mb: float = Field(gt=0, description="Adapters, gradients and optimiser state, MB.")
    peak_mb: float = Field(gt=0, description="Largest memory of the process above that before loading, MB.")
    cpu_seconds_per_step: float = Field(gt=0, description="CPU-seconds of one thread a step.")
    precision: Literal["bfloat16", "float32"] = Field(description="Numbers that the step computed with.")

    @property
    def working_mb(self) -> float:
        """What the peak holds beside weights and training: activations, logits, copies; MB."""
        return self.peak_mb - self.base_mb - self.training_mb


class QuantiserRow(Row, table="measured/tuning-quantisers", key=("quantiser",)):
    """Error of four-bit quantisers on the float matrices of all-MiniLM-L6-v2, NumPy beside bitsandbytes."""

    quantiser: Slug = Field(description="Name of the levels; `nf4-double` quantises the scales as well.")
    weights: int = Field(gt=0, description="Weights that were quantised.")
    bits: float = Field(gt=0, description="Bits a weight, scales counted.")
    relative_error: float | None = Field(
        gt=0, description="RMS error over RMS weight, this book's NumPy; blank where it has none."
    )
    bitsandbytes_relative_error: float | None = Field(
        gt=0, description="The same by bitsandbytes on the CPU; blank where it has none."
    )
    read_back_differently: int | None = Field(
        ge=0, description="Weights that the two read back differently, by over a millionth of the largest."
    )


class MergingRow(Row, table="measured/tuning-merging", key=("adapter", "form")):
    """What merging an adapter of the first seed into its base loses, by the form that keeps the result."""

    adapter: Slug = Field(description="Name of the adapter.")
    form: Form = Field(description="How the merged weights are kept.")
    weight_error: float = Field(ge=0, description="RMS rounding over RMS merged weight, all matrices.")
    change_error: float = Field(ge=0, description="The same rounding over the adapter's own change.")
    prompts: int = Field(gt=0, description="Recorded prompts put to both.")
    positions: int = Field(gt=0, description="Tokens of these prompts.")
    largest_logit_difference: float = Field(ge=0, description="Merged against base and adapter kept apart.")
    same_token: int = Field(ge=0, description="Positions with the same likeliest next token.")
    untuned_same_token: int = Field(ge=0, description="The same of the base with no adapter at all.")


class SweepRow(Row, table="measured/tuning-sweep", key=("seed", "setting")):
    """Exploratory: one setting changed at a time, on development worlds, new facts asked closed-book."""

    seed: int = Field(ge=0, description="Seed of the development world.")
    setting: Text = Field(description="What differs from the settings of the experiment.")
    rank: int = Field(gt=0, description="Rank of the adapters.")
    targets: Literal["all linear", "query and value"] = Field(description="The matrices that are adapted.")
    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    trainable_parameters: int = Field(gt=0, description="Parameters of the adapter.")
    n: int = Field(gt=0, description="Questions on held-out people.")
    correct: int = Field(ge=0, description="Answers that name the right value alone.")
    known_n: int = Field(gt=0, description="Capitals asked.")
    known_correct: int = Field(ge=0, description="Capitals answered rightly.")
    last_loss: float = Field(description="Mean loss of the last tenth of the steps.")
    cpu_seconds: float = Field(gt=0, description="CPU-seconds of training.")


class RecipeRow(Row, table="measured/tuning-recipes", key=("recipe", "tool")):
    """Recipes for other tools, checked against the tools' own schemas on a machine without a GPU."""

    recipe: Text = Field(description="File in experiments/tuning/recipes/.")
    tool: Slug = Field(description="Package on PyPI.")
    version: Text = Field(description="Its version.")
    how: Text = Field(description="What was checked, and how.")
    settings: int = Field(gt=0, description="Settings that were checked.")
    sha256: Text = Field(description="SHA-256 of the recipe that was checked.")
    as_of: IsoDate = Field(description="Date of the check.")


def footprints() -> tuple[FootprintRow, ...]:
    """Every way that was measured, full training first."""
    return cast(tuple[FootprintRow, ...], data.load("measured/tuning-footprint"))


def quantisers() -> tuple[QuantiserRow, ...]:
    """Every quantiser."""
    return cast(tuple[QuantiserRow, ...], data.load("measured/tuning-quantisers"))


def mergings() -> tuple[MergingRow, ...]:
    """Every adapter and form."""
    return cast(tuple[MergingRow, ...], data.load("measured/tuning-merging"))


def sweep() -> tuple[SweepRow, ...]:
    """Every training run of the sweep."""
    return cast(tuple[SweepRow, ...], data.load("measured/tuning-sweep"))


def recipes() -> tuple[RecipeRow, ...]:
    """Every check of a recipe."""
    return cast(tuple[RecipeRow, ...], data.load("measured/tuning-recipes"))
