"""Explored after the registered runs were seen: three rounds of changes, and other retrievers. Resumable.

    python experiments/tuning/further.py            run what is missing, then write the tables
    python experiments/tuning/further.py --collect  write the tables from what is done

Nothing here is a registered hypothesis. It uses the adapters that `run.py` has trained, so that runs first.

Rounds: in each, two of the three facts of every trained person change. The index is updated (the changed
passages are embedded again) or the adapter is trained again from the base on the new facts, with the same
recipe; or nothing is done. Then the held-out people's questions are asked.

Retrievers: what stands beside each question on a new fact is what a retriever really found (MiniLM's first,
its first five, and the first five by only some numbers of its vectors, a poor retriever), or
five strangers' passages with the golden one third or missing.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plan
import run
from contexts import Collection
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline.embed import minilm
from ragvsft.tuning.lora import prompts, world
from ragvsft.tuning.lora.answering import Model
from ragvsft.tuning.lora.scoring import read_answer, values_named
from ragvsft.tuning.lora.world import World
from ragvsft.tuning.results import RetrieverRow, RoundRow

ROUNDS = range(1, world.ROUNDS + 1)
WAYS = ("left-alone", "index", "trained-again")
SHORT = 16
"""How many numbers of a vector the poor retriever compares: with all of them MiniLM hardly ever misses."""
CONDITIONS = {"base": None, "facts": "facts", "format": "format"}


def adapter_of(round: int) -> str:
    """The adapter trained on what is true after this round."""
    return f"facts-round-{round}"


def recipe(round: int) -> plan.Recipe:
    """The facts' own recipe, on what is true after this round."""
    return plan.Recipe(
        plan.FACTS,
        lambda w: prompts.fact_examples(w, plan.REWRITES, plan.EXPOSURES, plan.QUESTION_PASSES, round),
    )


def steps() -> Iterator[tuple[int, str, str]]:
    """All the work in order: (seed, "train" or "answer", name)."""
    for seed in plan.SEEDS:
        yield seed, "answer", "retrievers"
    for seed in plan.SEEDS:
        yield from ((seed, "train", adapter_of(round)) for round in ROUNDS)
        yield seed, "answer", "rounds"


def round_cases(w: World, round: int, way: str) -> Iterator[plan.Case]:
    """Every prompt after a round: what it changed, what it left, and capitals where weights were trained."""
    texts = w.passages(round)
    for person in w.held_out:
        for question in world.questions_about(person, round):
            questions = "unchanged" if question.former is None else "changed"
            if way == "index":
                yield plan.Case(questions, "gold", question, [texts[person.name]], 1)
            else:
                yield plan.Case(questions, "none", question, [], None)
    if way != "index":
        for country in w.capitals:
            yield plan.Case("known", "none", world.capital_question(country), [], None)


def answer_rounds(seed: int) -> None:
    """Ask after each round, for each way to keep up; note what the update itself took."""
    w = plan.the_world(seed)
    model = Model({n: run.seed_folder(seed) / f"{n}.gguf" for n in ("facts", *map(adapter_of, ROUNDS))})
    lines = []
    for round in ROUNDS:
        adapter = {"left-alone": "facts", "index": None, "trained-again": adapter_of(round)}
        outdated = {
            question.text: {facts[question.attribute] for facts in person.history[:round]} - {question.answer}
            for person in w.held_out
            for question in world.questions_about(person, round)
        }
        took = {"left-alone": 0.0, "index": seconds_to_embed(w, round), "trained-again": trained(seed, round)}
        for way in WAYS:
            for case in round_cases(w, round, way):
                line = run.answered(model, case, plan.Condition(adapter[way]))
                said = values_named(case.question.attribute, read_answer(line["output"])[0] or "")
                line["outdated"] = bool(said & outdated.get(case.question.text, set()))
                lines.append(
                    {"seed": seed, "round": round, "way": way, "update_cpu_seconds": took[way], **line}
                )
    write_lines(seed, "rounds", lines)


def seconds_to_embed(w: World, round: int) -> float:
    """CPU-seconds to embed the passages that this round changed: every trained person's."""
    texts, model = w.passages(round), minilm()
    started = time.process_time()
    model.embed([texts[person.name] for person in w.trained])
    return time.process_time() - started


def trained(seed: int, round: int) -> float:
    """CPU-seconds that the training for this round took."""
    record = json.loads(run.result_of(seed, "train", adapter_of(round)).read_text(encoding="utf-8"))
    return float(record["cpu_seconds"])


def found_by(w: World) -> Iterator[tuple[str, plan.Case]]:
    """Every retriever with what it puts beside each question on a new fact."""
    texts = w.passages()
    collection, model = Collection(texts), minilm()
    vectors = model.embed(list(texts.values()))
    short = unit(vectors[:, :SHORT])
    for person in w.held_out:
        for question in world.questions_about(person):
            asked = model.embed([question.text])[0]
            best = nearest(collection.names, vectors @ asked)
            poor = nearest(collection.names, short @ unit(asked[:SHORT]))
            for name, ranked in (
                ("minilm-one", best[:1]),
                ("minilm-five", best[:5]),
                (f"minilm-{SHORT}-five", poor[:5]),
            ):
                golden = ranked.index(person.name) + 1 if person.name in ranked else None
                yield name, plan.Case("new", "none", question, [texts[n] for n in ranked], golden)
            for level in ("third-of-five-random", "five-random"):
                passages, golden = collection.beside(person.name, level)
                yield level, plan.Case("new", level, question, passages, golden)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1, along the last axis."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def nearest(names: Sequence[str], similarities: NDArray[np.float32]) -> list[str]:
    """Names by falling similarity."""
    return [names[int(k)] for k in np.argsort(-similarities, kind="stable")]


def answer_retrievers(seed: int) -> None:
    """Ask every question on a new fact beside what each retriever found."""
    model = Model({name: run.seed_folder(seed) / f"{name}.gguf" for name in ("facts", "format")})
    found = sorted(found_by(plan.the_world(seed)), key=lambda pair: pair[0])
    lines = []
    for condition, adapter in CONDITIONS.items():
        for retriever, case in found:
            line = run.answered(model, case, plan.Condition(adapter))
            lines.append({"seed": seed, "condition": condition, "retriever": retriever, **line})
    write_lines(seed, "retrievers", lines)


def write_lines(seed: int, name: str, lines: Sequence[dict[str, Any]]) -> None:
    """Keep what was said, one JSON object a line; its presence says that the step is done."""
    run.write_whole(run.result_of(seed, "answer", name), "".join(json.dumps(line) + "\n" for line in lines))


def read_lines(name: str) -> list[dict[str, Any]]:
    """What was said in every seed that is done."""
    return [
        json.loads(line)
        for seed in plan.SEEDS
        if (path := run.result_of(seed, "answer", name)).exists()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def cells(
    lines: Sequence[dict[str, Any]], *key: str
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The lines of each cell, with the cell's key, in the order in which the cells occur."""
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        grouped.setdefault(tuple(line[field] for field in key), []).append(line)
    for values, members in grouped.items():
        yield dict(zip(key, values, strict=True)), members


def total(lines: Sequence[dict[str, Any]], *fields: str) -> dict[str, Any]:
    """Sums of these fields."""
    return {field: sum(line[field] for line in lines) for field in fields}


def collect() -> None:
    """Write the tables, the outputs and the run record from what is done."""
    rounds, retrievers = read_lines("rounds"), read_lines("retrievers")
    round_rows = [
        RoundRow(
            **cell,
            n=len(lines),
            update_cpu_seconds=round(lines[0]["update_cpu_seconds"], 3),
            **total(lines, "correct", "outdated", "prompt_tokens", "answer_tokens"),
        )
        for cell, lines in cells(rounds, "seed", "round", "way", "questions")
    ]
    retriever_rows = [
        RetrieverRow(
            **cell,
            n=len(lines),
            found=sum(line["golden"] is not None for line in lines),
            **total(lines, "correct", "abstained", "distracted", "prompt_tokens", "answer_tokens"),
        )
        for cell, lines in cells(retrievers, "seed", "condition", "retriever")
    ]
    run.write_table(run.MEASURED / "tuning-rounds.csv", RoundRow, round_rows)
    run.write_table(run.MEASURED / "tuning-retrievers.csv", RetrieverRow, retriever_rows)
    outputs = "".join(json.dumps(line) + "\n" for line in (*rounds, *retrievers))
    run.write_gzip(run.MEASURED / "tuning-further-outputs.jsonl.gz", outputs)
    missing = [
        f"seed {s}: {kind} {name}" for s, kind, name in steps() if not run.result_of(s, kind, name).exists()
    ]
    record = {
        "experiment": "tuning, explored further",
        **run.made_by(),
        "answering_cpu_seconds": round(sum(line["cpu_seconds"] for line in (*rounds, *retrievers)), 1),
        "left_out": missing,
    }
    run.write_whole(run.MEASURED / "tuning-further-run.json", json.dumps(record, indent=1) + "\n")


def main(arguments: Sequence[str]) -> None:
    """Run what is missing, each step in a process of its own; then collect."""
    run.state_of_code()
    work = [] if "--collect" in arguments else list(steps())
    for number, step in enumerate(work, 1):
        if not run.result_of(*step).exists():
            subprocess.run([sys.executable, __file__, "--step", *map(str, step)], check=True)
            print(f"seed {step[0]}: {step[1]} {step[2]}; {number} of {len(work)} steps done", flush=True)
    collect()


def one_step(seed: int, kind: str, name: str) -> None:
    """One step, in this process."""
    if kind == "train":
        run.train_adapter(seed, name, recipe(int(name.rpartition("-")[2])))
    else:
        {"rounds": answer_rounds, "retrievers": answer_retrievers}[name](seed)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:2] == ["--step"]:
        one_step(int(sys.argv[2]), *sys.argv[3:5])
    else:
        main(sys.argv[1:])
