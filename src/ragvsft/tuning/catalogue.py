"""Named architectures and GPUs: the shapes that `ragvsft.tuning.formulas` takes."""

from typing import Literal, cast

from pydantic import Field

from ragvsft.data import DataError, IsoDate, Row, Source, Text, load, nearest
from ragvsft.tuning import formulas


class Architecture(Row, table="architectures", key=("model",)):
    """Layer shapes of dense Llama-like decoders, as their published configuration gives them."""

    model: Text = Field(description="The model's name.")
    layers: int = Field(gt=0, description="Decoder layers.")
    hidden_size: int = Field(gt=0, description="Width of the residual stream.")
    query_size: int = Field(gt=0, description="Attention heads times head dimension.")
    key_value_size: int = Field(gt=0, description="Key-value heads times head dimension.")
    intermediate_size: int = Field(gt=0, description="Width of the feed-forward block.")
    vocabulary_size: int = Field(gt=0, description="Rows of the embedding matrix.")
    embedding_matrices: int = Field(
        ge=1, le=2, description="1 if input and output embedding are one matrix, else 2."
    )
    head_norm_size: int = Field(ge=0, description="Width of query and key norms in a layer; 0 without.")
    as_of: IsoDate = Field(description="Date of the source.")
    source_kind: Literal["library"] = Field(description="A library that carries the published shapes.")
    source: Source = Field(description="Library with version and release date.")

    @property
    def linear_parameters(self) -> int:
        """Parameters in the matrices that LoRA adapts."""
        return int(
            formulas.linear_parameters(
                self.layers, self.hidden_size, self.query_size, self.key_value_size, self.intermediate_size
            )
        )

    @property
    def other_parameters(self) -> int:
        """Parameters in embeddings and norms."""
        return int(
            formulas.other_parameters(
                self.layers,
                self.hidden_size,
                self.vocabulary_size,
                self.embedding_matrices,
                self.head_norm_size,
            )
        )

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.linear_parameters + self.other_parameters

    def lora_parameters(self, rank: int) -> int:
        """Trainable parameters with an adapter of this rank on every linear matrix."""
        return int(
            formulas.lora_parameters(
                rank,
                self.layers,
                self.hidden_size,
                self.query_size,
                self.key_value_size,
                self.intermediate_size,
            )
        )


class Gpu(Row, table="gpus", key=("gpu",)):
    """GPUs by memory and peak speed, as the makers' data sheets give them."""

    gpu: Text = Field(description="Name.")
    memory_gb: float = Field(gt=0, description="Memory, as sold.")
    peak_tflops: float = Field(gt=0, description="10^12 dense bf16 operations a second.")
    as_of: IsoDate = Field(description="Date of the source.")
    source_kind: Literal["library"] = Field(description="A library that carries the data sheets' figures.")
    source: Source = Field(description="Library with version and release date.")


def architectures() -> tuple[Architecture, ...]:
    """Every architecture, smallest first."""
    return cast(tuple[Architecture, ...], load("architectures"))


def architecture(model: str) -> Architecture:
    """One architecture by name. Raises `DataError` with the nearest name if there is none."""
    found = next((row for row in architectures() if row.model == model), None)
    if found is None:
        hint = nearest(model, [row.model for row in architectures()])
        raise DataError(f"model = {model!r}: must be in column model of data/architectures.csv{hint}")
    return found


def gpus() -> tuple[Gpu, ...]:
    """Every GPU, by memory and then speed."""
    return cast(tuple[Gpu, ...], load("gpus"))


def peak_tflops(gpu: str) -> float:
    """A GPU's peak, in 10^12 dense bf16 operations a second. Raises `DataError` with the nearest name."""
    found = next((row for row in gpus() if row.gpu == gpu), None)
    if found is None:
        hint = nearest(gpu, [row.gpu for row in gpus()])
        raise DataError(f"gpu = {gpu!r}: must be in column gpu of data/gpus.csv{hint}")
    return found.peak_tflops
