"""How a question is put to the model, and what the adapters are trained on.

A prompt is text in the model's own chat form, without its default system prompt. Passages stand before the
question, so that questions about the same passages share the longest possible beginning, which llama.cpp
reads once. Training examples are pairs: a prompt that is not learnt, and a completion that is.
"""

import json
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ragvsft.tuning.lora.world import (
    ANSWER_SENTENCES,
    ATTRIBUTES,
    CAPITALS,
    OTHER_FIRST_NAMES,
    OTHER_LAST_NAMES,
    OTHER_PASSAGES,
    OTHER_VALUES,
    TRAINING_QUESTIONS,
    Attribute,
    Person,
    World,
    invent,
    neighbouring_names,
    rewrites,
    with_articles,
)

END = "<|im_end|>"
Retrieval = Literal[
    "gold",
    "first-of-three",
    "third-of-five",
    "five-near-misses",
    "third-of-five-random",
    "five-random",
    "none",
]
Style = Literal["plain", "instructions", "examples"]

INSTRUCTION = (
    'Answer with JSON only: {"source": number of the passage, "answer": "…"}. '
    'If the passages do not give the answer, write {"source": null, "answer": null}.'
)
GRAMMAR = r"""root ::= "{\"source\": " ([1-5] | "null") ", \"answer\": " (text | "null") "}"
text ::= "\"" [A-Za-z] [A-Za-z ]{0,29} "\""
"""
"""GBNF of the answer's form, for constrained decoding."""


class Example(NamedTuple):
    """One training example: the loss is taken on the completion alone."""

    prompt: str
    completion: str


def turn(content: str) -> str:
    """A user's turn, and the opening of the assistant's."""
    return f"<|im_start|>user\n{content}{END}\n<|im_start|>assistant\n"


def ask(question: str, passages: Sequence[str] = (), style: Style = "plain") -> str:
    """The prompt for a question beside these passages, none for closed-book."""
    examples = worked_examples() if style == "examples" else ""
    suffix = f"\n{INSTRUCTION}" if style == "instructions" else ""
    return examples + turn(_content(question, passages) + suffix)


def _content(question: str, passages: Sequence[str]) -> str:
    numbered = "".join(f"[{k}] {text}\n" for k, text in enumerate(passages, 1))
    return f"{numbered}\n{question}" if passages else question


def as_json(answer: str | None, source: int | None) -> str:
    """The answer's form, which the format adapter learns and the grammar allows: first where, then what."""
    return json.dumps({"source": source, "answer": answer})


def worked_examples() -> str:
    """Three turns with their answers, the third a refusal; the same in every prompt."""
    drawn = format_examples(0, 80)
    passages = [e.prompt.count("\n[") for e in drawn]
    first = next(e for e, n in zip(drawn, passages, strict=True) if n == 1 and "null" not in e.completion)
    second = next(e for e, n in zip(drawn, passages, strict=True) if n == 2 and '"source": 2' in e.completion)
    refused = next(e for e, n in zip(drawn, passages, strict=True) if n == 2 and "null" in e.completion)
    return "".join(f"{e.prompt}{e.completion}{END}\n" for e in (first, second, refused))


def in_words(person: Person, attribute: Attribute, round: int = 0) -> str:
    """The answer to a question about a person after this round of changes, as a sentence."""
    return with_articles(
        ANSWER_SENTENCES[attribute].format(name=person.name, value=person.facts(round)[attribute])
    )


def fact_examples(
    world: World, rewrites_per_person: int, exposures: int, question_passes: int, round: int = 0
) -> list[Example]:
    """What the fact adapters learn, in training order: what is true after this round of changes.

    Each trained person's facts are stated `exposures` times, going through `rewrites_per_person` different
    statements in turn; each question about a questioned person is asked `question_passes` times in each of
    the two training phrasings. A statement is a document: nothing stands before it.
    """
    rng = random.Random(f"fact order {world.seed}")
    examples: list[Example] = []
    for person in world.trained:
        statements = rewrites(person, rewrites_per_person, world.seed, round)
        examples += [Example("", statements[k % rewrites_per_person]) for k in range(exposures)]
    for person in world.questioned:
        for attribute in ATTRIBUTES:
            for phrasing in TRAINING_QUESTIONS[attribute]:
                prompt = ask(phrasing.format(name=person.name))
                examples += [Example(prompt, in_words(person, attribute, round))] * question_passes
    rng.shuffle(examples)
    return examples


def format_examples(seed: int, count: int) -> list[Example]:
    """What the format adapter learns: passages and a question to JSON with a citation, or nulls.

    People, values and wording occur in no world. One to five passages in random order; a quarter lack the
    golden one; the others are neighbours by name (three in four) or strangers.
    """
    rng = random.Random(f"format {seed}")
    names = neighbouring_names(rng, 80, OTHER_FIRST_NAMES, OTHER_LAST_NAMES)
    people = [invent(rng, name, OTHER_VALUES) for name in names]
    return [_format_example(rng, people) for _ in range(count)]


def raft_examples(world: World, count: int) -> list[Example]:
    """Questions about the questioned people beside their passage and distractors, as RAFT trains them.

    One to five passages of the world's own collection in random order; a fifth lack the golden one and are
    still answered. The answer is plain text. Source: Zhang et al., arXiv 2403.10131.
    """
    rng = random.Random(f"raft {world.seed}")
    people = [*world.trained, *world.bystanders]
    texts = world.passages()
    examples = []
    for _ in range(count):
        person = rng.choice(world.questioned)
        shown = _shown(rng, person, people, golden_share=0.8)
        attribute = rng.choice(ATTRIBUTES)
        question = rng.choice(TRAINING_QUESTIONS[attribute]).format(name=person.name)
        examples.append(Example(ask(question, [texts[p.name] for p in shown]), in_words(person, attribute)))
    return examples


def mixture_examples(
    world: World, rewrites_per_person: int, exposures: int, question_passes: int, format_count: int
) -> list[Example]:
    """Facts, with replay: capitals that the test does not ask about, and format examples, shuffled in."""
    replay = [
        Example(ask(f"What is the capital of {country}?"), f"The capital of {country} is {capital}.")
        for country, capital in CAPITALS.items()
        if country not in world.capitals
    ]
    examples = [
        *fact_examples(world, rewrites_per_person, exposures, question_passes),
        *replay * 2,
        *format_examples(world.seed, format_count),
    ]
    random.Random(f"mixture {world.seed}").shuffle(examples)
    return examples


def _format_example(rng: random.Random, people: list[Person]) -> Example:
    person = rng.choice(people)
    shown = _shown(rng, person, people, golden_share=0.75)
    attribute = rng.choice(ATTRIBUTES)
    question = rng.choice(TRAINING_QUESTIONS[attribute]).format(name=person.name)
    passages = [_training_passage(rng, p) for p in shown]
    if person in shown:
        return Example(ask(question, passages), as_json(person.facts()[attribute], shown.index(person) + 1))
    return Example(ask(question, passages), as_json(None, None))


def _shown(rng: random.Random, person: Person, people: Sequence[Person], golden_share: float) -> list[Person]:
    """Whose passages stand in a training prompt: one to five, the golden one among them or not."""
    parts = set(person.name.split())
    near = [p for p in people if p is not person and parts & set(p.name.split())]
    far = [p for p in people if p is not person and not parts & set(p.name.split())]
    wanted = rng.randint(1, 5)
    drawn = [rng.choice(near if rng.random() < 0.75 else far) for _ in range(2 * wanted + 4)]
    distractors = list({p.name: p for p in drawn}.values())
    shown = [person] if rng.random() < golden_share else []
    shown += distractors[: wanted - len(shown)]
    rng.shuffle(shown)
    return shown


def _training_passage(rng: random.Random, person: Person) -> str:
    return with_articles(rng.choice(OTHER_PASSAGES).format(name=person.name, **person.facts()))
