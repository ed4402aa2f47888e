"""What was measured of LoRA agrees with the formulas, the recipes and the settings of the experiment."""

import hashlib
import re
import sys
from pathlib import Path

import pytest
import yaml

from ragvsft.chapters.fine_tuning.lora_qlora import SMALL, computed_mb
from ragvsft.tuning import formulas, measured, results
from ragvsft.tuning.catalogue import architecture

ROOT = Path(__file__).parents[2]
TUNING = ROOT / "experiments" / "tuning"
SHAPE = architecture(SMALL)


def test_trained_parameters_are_the_formulas() -> None:
    for row in results.trainings():  # every adapter of the experiment has rank 8
        assert row.trainable_parameters == SHAPE.lora_parameters(8) == 2_442_240
    for found in measured.footprints():
        expected = SHAPE.lora_parameters(found.rank) if found.rank else SHAPE.parameters
        assert found.trainable_parameters == expected


def test_trained_parameters_of_the_sweep_are_the_formulas() -> None:
    shape = (SHAPE.layers, SHAPE.hidden_size, SHAPE.query_size, SHAPE.key_value_size)
    for row in measured.sweep():
        attention = formulas.lora_query_value_parameters(row.rank, *shape)
        every = SHAPE.lora_parameters(row.rank)
        assert row.trainable_parameters == (every if row.targets == "all linear" else attention)


def test_weights_and_training_state_take_what_the_sums_say() -> None:
    for row in measured.footprints():
        base, training, total = computed_mb(row)
        assert row.base_mb == pytest.approx(base, rel=0.01)
        assert row.training_mb == pytest.approx(training, rel=0.01)
        assert total < row.peak_mb


def test_ours_quantises_as_bitsandbytes_does() -> None:
    nf4 = next(row for row in measured.quantisers() if row.quantiser == "nf4")
    assert nf4.relative_error == pytest.approx(nf4.bitsandbytes_relative_error, rel=1e-6)
    assert nf4.read_back_differently is not None and nf4.read_back_differently / nf4.weights < 1e-6


def test_merging_loses_nothing_but_rounding() -> None:
    for row in measured.mergings():
        if row.form == "float32":
            assert row.same_token == row.positions
            assert row.weight_error < 2.0**-24


def test_every_world_of_the_sweep_ran_every_setting() -> None:
    runs = [(row.seed, row.setting) for row in measured.sweep()]
    seeds, settings = {seed for seed, _ in runs}, {setting for _, setting in runs}
    assert len(runs) == len(set(runs)) == len(seeds) * len(settings)
    assert not seeds & set(results.registered_seeds()), "development worlds only"


@pytest.mark.parametrize("row", measured.recipes(), ids=lambda row: f"{row.recipe}, {row.tool}")
def test_the_recipe_that_was_checked_is_the_one_that_stands_here(row: measured.RecipeRow) -> None:
    recipe = (TUNING / "recipes" / row.recipe).read_bytes()
    assert hashlib.sha256(recipe).hexdigest() == row.sha256, "run experiments/tuning/recipes/check.py again"


def test_the_recipes_train_what_the_experiment_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TUNING))
    import plan

    settings = plan.RECIPES["format"].settings
    for name in ("plan", "contexts"):
        sys.modules.pop(name)
    axolotl = yaml.safe_load((TUNING / "recipes" / "axolotl.yaml").read_text(encoding="utf-8"))
    unsloth = (TUNING / "recipes" / "unsloth_sft.py").read_text(encoding="utf-8")
    assert (axolotl["lora_r"], axolotl["lora_alpha"]) == (settings.rank, settings.alpha)
    assert axolotl["learning_rate"] == settings.learning_rate
    assert axolotl["micro_batch_size"] * axolotl["gradient_accumulation_steps"] == settings.batch_size
    assert axolotl["warmup_ratio"] == settings.warmup_fraction
    written = dict(re.findall(r"^\s+(\w+)=([\d.e-]+),", unsloth, re.MULTILINE))
    assert (int(written["r"]), int(written["lora_alpha"])) == (settings.rank, settings.alpha)
    assert float(written["learning_rate"]) == settings.learning_rate
    assert int(written["per_device_train_batch_size"]) == settings.batch_size
    assert float(written["warmup_steps"]) == settings.warmup_fraction
    assert str(axolotl["lora_target_modules"]).replace("'", '"') in unsloth
