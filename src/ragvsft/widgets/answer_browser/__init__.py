"""Recorded answers, one by one: every question of an experiment with what was found or said to it.

A page carries the filters alone. The records lie beside the site's data in pieces, small scripts that work
from a folder too, and none is loaded before a reader opens the browser. In JupyterLab they come with the
cell.
"""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

from ragvsft.data import DATA
from ragvsft.prose import chapter_path, count
from ragvsft.retrieval import results as retrieval
from ragvsft.tuning import results as tuning
from ragvsft.widgets.calculator import MIME
from ragvsft.widgets.templates import for_lab, json_island, render

SetId = Literal["tuning", "retrieval"]

STATIC = Path(__file__).parent
STATE = "answers:"
"""What a link's fragment begins with: `#answers:tuning?condition=base&questions=new`."""

PAGES: dict[SetId, str] = {"tuning": "evidence/quality-comparison", "retrieval": "rag/reranking"}
"""The chapter in which each set of records is shown."""

QUESTIONS: dict[tuning.Questions, str] = {
    "new": "new facts",
    "changed": "facts that have changed",
    "counterfactual": "capitals that the passage contradicts",
    "known": "known capitals",
    "unseen": "nothing is written of it",
}

MARKS = {
    "correct": "right",
    "wrong": "wrong",
    "abstained": "says that the answer is not there",
    "stale": "gives the old value",
    "distracted": "gives another passage's value",
    "valid_json": "in the agreed JSON",
    "cited": "cites the right passage",
}
"""The marks of a recorded answer; `wrong` is the absence of the first."""

OUTCOMES = {
    "win": "the method is ahead",
    "loss": "the other is ahead",
    "tie": "both are equal",
    "found": "the method has a right passage",
    "missed": "the method has none",
}


@dataclass(frozen=True)
class Filter:
    """A list to choose records by. `any_label` names the choice of all; without it one must be chosen."""

    name: str
    label: str
    choices: Mapping[str, str]
    any_label: str = ""
    default: str = ""


@dataclass(frozen=True)
class AnswerBrowser:
    """A set of records with its filters. `by` names the filters whose values make the name of a piece."""

    id: SetId
    title: str
    note: str
    file: str
    filters: tuple[Filter, ...]
    by: tuple[str, ...]
    pieces: Mapping[tuple[str, ...], Any]
    methods: tuple[str, ...] = ()

    def scripts(self) -> dict[str, str]:
        """The pieces: file name → a script that hands its records over."""
        return {
            name + ".js": f"ragvsftAnswers.add({json_island(name)},{json_island(piece)});\n"
            for key, piece in self.pieces.items()
            for name in [".".join((self.id, *key))]
        }

    def html(self) -> str:
        """The browser for a page that carries answers.js."""
        recorded = DATA / "measured" / self.file
        return render(
            "answer_browser/answer_browser.html",
            browser=self,
            recorded=os.path.relpath(recorded, Path.cwd()),
            kilobytes=count(round(recorded.stat().st_size / 1000)),
            data=json_island(
                {
                    "id": self.id,
                    "by": self.by,
                    "pieces": list(self.pieces),
                    "methods": self.methods,
                    "marks": MARKS,
                }
            ),
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        style, script = ((STATIC / f"answers.{kind}").read_text("utf-8") for kind in ("css", "js"))
        scripts = [script, *self.scripts().values(), "ragvsftAnswers.start(document,true)"]
        return {
            MIME: {"html": self.html()},
            "text/html": for_lab(self.html(), [style], scripts),
            "text/plain": f"{self.title}. {self.note} The records: data/measured/{self.file}",
        }


@functools.cache
def tuning_answers() -> AnswerBrowser:
    """Every prompt of the fine-tuning experiment and what was said to it."""
    pieces: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    lines = list(tuning.outputs())
    for line in lines:
        pieces[line["condition"], line["questions"]].append(_tuning_record(line))
    for key, records in pieces.items():
        if len({record["id"] for record in records}) < len(records):
            raise ValueError(f"{tuning.OUTPUTS}: {', '.join(key)}: two records have one id")

    def used(field: str, names: Mapping[Any, str] = MappingProxyType({})) -> dict[str, str]:
        found = {str(line[field]) for line in lines}
        known = {name: label for name, label in names.items() if name in found}
        return known | {name: name.replace("-", " ") for name in sorted(found - known.keys())}

    return AnswerBrowser(
        "tuning",
        "Read every prompt and answer",
        f"{count(len(lines))} prompts of our experiment, what the model said to each, and how it was marked.",
        tuning.OUTPUTS,
        (
            Filter("condition", "Condition", used("condition", tuning.CONDITIONS), "every condition", "base"),
            Filter("questions", "Questions", used("questions", QUESTIONS), "all questions", "new"),
            Filter("retrieval", "Beside it", used("retrieval", tuning.LEVEL_NAMES), "anything", "gold"),
            Filter("seed", "Seed", used("seed"), "every seed"),
            Filter("mark", "Marked", MARKS, "anything"),
        ),
        ("condition", "questions"),
        pieces,
    )


def _tuning_record(line: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("text", "answer", "former", "retrieval", "prompt", "output", "prompt_tokens", "answer_tokens")
    marks = [mark for mark in MARKS if line.get(mark)]
    name = "-".join(f"{line['subject']} {line['attribute']}".lower().split())
    return {
        "id": f"{line['seed']}.{line['retrieval']}.{name}",
        "seed": str(line["seed"]),
        "marks": marks if line["correct"] else ["wrong", *marks],
        **{field: line[field] for field in kept},
    }


@functools.cache
def retrieval_answers() -> AnswerBrowser:
    """Every question of the report part with what each method ranked: titles and places, no text."""
    found = retrieval.answers()
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in found["questions"]:
        asked[question["project"]].append(question)
    methods = {name: name.replace(">", "then") for name in found["methods"]}
    first, *_, best = methods
    projects = {name: f"{name} ({len(asked[name])})" for name in sorted(asked)}
    return AnswerBrowser(
        "retrieval",
        "Read every question and what each method ranked",
        f"{count(len(found['questions']))} questions of the report part with the first ten passages of each "
        "method. Titles and places only: the documentation's licences do not all allow its text here.",
        retrieval.ANSWERS,
        (
            Filter("project", "Project", projects, "every project", next(iter(projects))),
            Filter("method", "Method", methods, default=best),
            Filter("other", "Compared with", methods, default=first),
            Filter("outcome", "By nDCG at ten", OUTCOMES, "any outcome"),
        ),
        ("project",),
        {(project,): _ranked(asked[project], found["passages"]) for project in projects},
        tuple(methods.values()),
    )


def _ranked(questions: Iterable[Mapping[str, Any]], passages: list[dict[str, str]]) -> dict[str, Any]:
    """The questions with the passages that they mention, which they count from 0."""
    places: dict[int, int] = {}

    def numbered(indexes: Iterable[int]) -> list[int]:
        return [places.setdefault(index, len(places)) for index in indexes]

    asked = [
        {
            "id": question["id"],
            "title": question["title"],
            "gold": numbered(question["gold"]),
            "ranked": [numbered(ranking) for ranking in question["ranked"]],
            "ndcg": question["ndcg_at_10"],
        }
        for question in questions
    ]
    return {
        "passages": [[passages[k][field] for field in ("project", "title", "place")] for k in places],
        "questions": asked,
    }


def browsers() -> tuple[AnswerBrowser, ...]:
    """Every set of records."""
    return tuning_answers(), retrieval_answers()


def write(folder: Path) -> None:
    """The pieces of every set, as scripts in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for browser in browsers():
        for name, script in browser.scripts().items():
            (folder / name).write_text(script, encoding="utf-8")


def address(set_id: SetId, **chosen: str) -> str:
    """Where a choice of records opens, relative to the running notebook's folder.

    Raises ValueError for a filter or a value that the set does not have.
    """
    browser = tuning_answers() if set_id == "tuning" else retrieval_answers()
    filters = {one.name: one for one in browser.filters}
    for name, value in chosen.items():
        if name not in filters or value not in filters[name].choices:
            allowed = filters[name].choices if name in filters else filters
            raise ValueError(f"{name} = {value!r}: must be one of {', '.join(allowed)}")
    page = Path(os.path.relpath(chapter_path(PAGES[set_id]), Path.cwd())).with_suffix(".html")
    return f"{page.as_posix()}#{STATE}{set_id}?{urlencode(chosen)}"


def cell_address(condition: str, questions: str, retrieval: str) -> str:
    """Where the prompts and answers of one cell of the fine-tuning experiment open."""
    return address("tuning", condition=condition, questions=questions, retrieval=retrieval)
