"""The parts of the memory add up to what the calculator shows."""

import pytest

from ragvsft.chapters.fine_tuning.lora_qlora import lora_cost
from ragvsft.tuning.catalogue import architectures
from ragvsft.tuning.memory import memory


@pytest.mark.parametrize("row", architectures(), ids=lambda row: row.model)
def test_the_parts_are_the_calculators_total(row):
    shown = lora_cost().compute(model=row.model.lower(), rank=32, tokens_in_batch=4096)
    for method, found in memory(row, 32, 4096).items():
        assert found.total_gb == pytest.approx(shown[f"{method}_gb"])


def test_a_hundred_and_twelve_gb_for_seven_billion():
    # 16 bytes a parameter, of which 2 are the base
    llama = next(row for row in architectures() if row.model == "Llama-2-7B")
    full = memory(llama, 16, 1)["full"]
    assert full.base_gb == pytest.approx(2 * 6.738415616)
    assert full.training_gb == pytest.approx(14 * 6.738415616)
