"""Parameters against published checkpoints, memory and compute against papers and vendors."""

import numpy as np
import pytest

from ragvsft.costs.formulas import gpu_training_usd
from ragvsft.data import DataError
from ragvsft.tuning import formulas as f
from ragvsft.tuning.catalogue import architecture, architectures, gpus

CHECKPOINTS = {
    "SmolLM2-135M": 134_515_008,
    "Qwen3-0.6B": 596_049_920,
    "Qwen3-4B": 4_022_468_096,
    "Llama-2-7B": 6_738_415_616,
    "Mistral-7B-v0.3": 7_248_023_552,
    "Llama-3.1-8B": 8_030_261_248,
    "Qwen3-8B": 8_190_735_360,
    "Qwen3-14B": 14_768_307_200,
    "Qwen3-32B": 32_762_123_264,
    "Llama-3.1-70B": 70_553_706_496,
}


def test_every_architecture_has_the_parameters_of_its_checkpoint():
    assert {row.model: row.parameters for row in architectures()} == CHECKPOINTS


@pytest.mark.parametrize(
    ("model", "trainable"),
    [("Llama-3.1-8B", 41_943_040), ("Llama-2-7B", 39_976_960), ("SmolLM2-135M", 4_884_480)],
)
def test_rank_16_on_all_linear_matrices_trains_what_peft_reports(model, trainable):
    assert architecture(model).lora_parameters(16) == trainable


def test_query_and_value_adapters_of_llama_2():
    # 8 × 32 layers × 2 matrices × (4,096 + 4,096)
    row = architecture("Llama-2-7B")
    found = f.lora_query_value_parameters(8, row.layers, row.hidden_size, row.query_size, row.key_value_size)
    assert found == 4_194_304


def test_an_adapter_is_linear_in_its_rank():
    row = architecture("Qwen3-8B")
    ranks = np.array([1, 8, 256])
    shape = (row.layers, row.hidden_size, row.query_size, row.key_value_size, row.intermediate_size)
    assert (f.lora_parameters(ranks, *shape) == ranks * row.lora_parameters(1)).all()


def test_an_unknown_architecture_is_one_clear_error():
    with pytest.raises(DataError, match=r"model = 'Llama-3-8B'.*did you mean 'Llama-3.1-8B'"):
        architecture("Llama-3-8B")


def test_memory_of_seven_billion_parameters_by_hand():
    assert f.full_tuning_gb(7e9) == 112
    assert f.lora_gb(7e9, 40e6) == pytest.approx(14.64)
    # 6.5 billion at 4.127 bits, half a billion at 16, adapters at 16 bytes
    assert f.qlora_gb(6.5e9, 0.5e9, 40e6) == pytest.approx(3.3531875 + 1.0 + 0.64)


def test_activations_by_hand():
    # 2,048 tokens: 32 kept inputs of 8 KB, one layer at 34 bytes, logits of 128,256 at 8 bytes
    assert f.activation_gb(2048, 4096, 32, 128_256) == pytest.approx(2048 * (4096 * 98 + 8 * 128_256) / 1e9)


def test_a_tenth_of_each_gpu_is_left_free():
    assert f.gpus_to_hold(72, 80) == 1 and f.gpus_to_hold(72.1, 80) == 2
    assert [f.memory_class(gb, 24, 40, 80) for gb in (20, 30, 70, 112)] == [0, 1, 2, 3]


def test_compute_is_6nd_in_full_and_4nd_plus_6pd_with_adapters():
    base, adapters, tokens = 8e9, 4e7, 1e6
    assert f.training_flops(base, base, tokens, 0) == 6 * base * tokens
    assert f.training_flops(base + adapters, adapters, tokens, 0) == pytest.approx(
        4 * base * tokens + 6 * adapters * tokens
    )
    assert f.training_flops(base, base, tokens, 1) == 8 * base * tokens


def test_nvidias_lora_run_comes_out_at_its_published_speed():
    # Llama 3 70B on 8 H100: 608.42 tokens a second and GPU at 176 TFLOP/s (NeMo AutoModel, October 2025)
    row = architecture("Llama-3.1-70B")
    adapters = row.lora_parameters(16)
    flops = f.training_flops(row.parameters + adapters, adapters, 608.42, 0)
    assert flops / 176e12 == pytest.approx(1, rel=0.03)


def test_hours_and_dollars_by_hand():
    # 4 × 8e9 = 3.2e10 operations a token; at 20% of 1e15 a second, 3e6 tokens take 480 s
    speed = f.training_tokens_per_second(3.2e10, 1000, 0.2, 1)
    assert f.training_hours(3e6, speed) == pytest.approx(480 / 3600)
    assert f.training_tokens_per_second(3.2e10, 1000, 0.2, 4) == pytest.approx(4 * speed)
    assert gpu_training_usd(3e6, speed, 3.99) == pytest.approx(0.532)


def test_a_run_at_a_fifth_of_the_peak():
    assert f.model_flops_utilisation(200, 1000) == 0.2


def test_labelling_by_hand():
    # 1,000 × 6 minutes, a tenth redone: 110 hours; two people of 20 hours a week take 2.75 weeks
    assert f.labelling_hours(1000, 6, 0.1) == pytest.approx(110)
    assert f.labelling_weeks(110, 2, 20) == pytest.approx(2.75)


def test_gpus_are_listed_from_small_to_large():
    assert [(row.memory_gb, row.peak_tflops) for row in gpus()] == sorted(
        (row.memory_gb, row.peak_tflops) for row in gpus()
    )


def test_the_price_at_which_a_corpus_costs_a_budget():
    # ten billion tokens for $100,000
    assert f.usd_per_mtok_at_budget(100_000, 10e9) == pytest.approx(10)
