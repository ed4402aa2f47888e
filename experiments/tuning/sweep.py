"""Rank, target matrices and learning rate, one changed at a time, on development worlds. Exploratory.

    python experiments/tuning/sweep.py      trains what is missing, then writes data/measured/tuning-sweep.csv

The development worlds chose the experiment's own settings, so the sweep shows how sensitive the result is to
each; it tests nothing. New facts are asked closed-book, as in the experiment, and capitals beside them.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any, Literal, NamedTuple

import plan
import run
import stages
import train as training

from ragvsft.tuning.lora import adapters, prompts, world
from ragvsft.tuning.lora.answering import Model
from ragvsft.tuning.lora.scoring import score
from ragvsft.tuning.measured import SweepRow

SEEDS = (9001, 9002)
Targets = Literal["all linear", "query and value"]
TARGETS: dict[Targets, list[str]] = {
    "all linear": training.TARGETS,
    "query and value": ["q_proj", "v_proj"],
}
STATE = run.STATE.parent / "sweep"


class Setting(NamedTuple):
    """What is trained, and how fast; alpha is twice the rank, as in the experiment."""

    name: str
    rank: int = plan.FACTS.rank
    targets: Targets = "all linear"
    learning_rate: float = plan.FACTS.learning_rate


SETTINGS = (
    Setting("as in the experiment"),
    Setting("rank 1", rank=1),
    Setting("rank 32", rank=32),
    Setting("query and value alone", targets="query and value"),
    Setting("a quarter of the learning rate", learning_rate=plan.FACTS.learning_rate / 4),
    Setting("twice the learning rate", learning_rate=plan.FACTS.learning_rate * 2),
)


def trained(tokenizer: Any, base: Any, seed: int, setting: Setting) -> SweepRow:
    """Train one adapter on one world's facts and ask it about the held-out people."""
    w = plan.the_world(seed)
    examples = plan.RECIPES["facts"].examples(w)
    how = plan.FACTS._replace(rank=setting.rank, alpha=2 * setting.rank, learning_rate=setting.learning_rate)
    with tempfile.TemporaryDirectory() as folder:
        found = training.train(tokenizer, base, examples, how, seed, Path(folder), TARGETS[setting.targets])
        target = Path(folder) / "sweep.gguf"
        adapters.write_gguf(Path(folder), target)
        model = Model({"sweep": target})
        asked = [q for person in w.held_out for q in world.questions_about(person)]
        known = [world.capital_question(country) for country in w.capitals]
        right, kept = (
            sum(score(q, model.answer(prompts.ask(q.text), "sweep").text).correct for q in questions)
            for questions in (asked, known)
        )
    return SweepRow(
        seed=seed,
        setting=setting.name,
        rank=setting.rank,
        targets=setting.targets,
        learning_rate=setting.learning_rate,
        trainable_parameters=found.trainable_parameters,
        n=len(asked),
        correct=right,
        known_n=len(known),
        known_correct=kept,
        last_loss=round(statistics.fmean(found.losses[-max(1, len(found.losses) // 10) :]), 4),
        cpu_seconds=round(found.cpu_seconds, 1),
    )


def main() -> None:
    """Train what is missing, world by world; after each whole world write the table."""
    run.state_of_code()
    torch_side = training.load_base()
    rows: list[SweepRow] = []
    for seed in SEEDS:
        for setting in SETTINGS:
            path = STATE / f"{seed}-{setting.name.replace(' ', '-')}.json"
            if not path.exists():
                run.write_whole(path, trained(*torch_side, seed, setting).model_dump_json())
            rows.append(SweepRow.model_validate_json(path.read_text(encoding="utf-8")))
            print(rows[-1].model_dump_json(), flush=True)
        stages.write("sweep", [SweepRow], [rows])


if __name__ == "__main__":
    main()
