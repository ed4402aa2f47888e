"""The training examples of the format adapter as JSON Lines, in the form that both recipes read.

    PYTHONPATH=src python experiments/tuning/recipes/export.py > examples.jsonl

A line holds prompt and completion, and the same two as Axolotl's segments. No chat template is applied to
them later: the prompt is already in the model's chat form, without the system prompt that its default adds.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import plan

from ragvsft.tuning.lora.prompts import END, Example


def line(example: Example) -> str:
    """One example as a line of JSON."""
    prompt, completion = example.prompt, example.completion + END
    segments = [{"label": False, "text": prompt}, {"label": True, "text": completion}]
    return json.dumps({"prompt": prompt, "completion": completion, "segments": segments})


if __name__ == "__main__":
    seed = plan.SEEDS[0]
    print("\n".join(map(line, plan.RECIPES["format"].examples(plan.the_world(seed)))))
