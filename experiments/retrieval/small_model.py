"""Answer prompts with SmolLM2-135M in llama.cpp. Run by `generated.py` with the Python of experiments/tuning.

`python small_model.py FOLDER` reads prompts.json, a list of [prompt, grammar], and adds to answers.jsonl one
by one, so that a killed run goes on after the last.
"""

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "src")]

from ragvsft.tuning.lora.answering import Model  # noqa: E402

MOST_TOKENS = 50


def main(folder: Path) -> None:
    prompts = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
    file = folder / "answers.jsonl"
    done = len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0
    model = Model()
    with file.open("a", encoding="utf-8") as out:
        for prompt, grammar in prompts[done:]:
            answer = model.answer(prompt, grammar=grammar, stop=("<|im_end|>",), most_tokens=MOST_TOKENS)
            out.write(json.dumps(answer._asdict()) + "\n")
            out.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
