"""The decision tool as part of a page: the rules of `decisions.py` as a form that answers as it is filled in.

On the site `decisions.js` evaluates the rules that the page carries. Without JavaScript the reader sees what
Python recommends to somebody who has answered nothing, and the source's matrix with its verdicts.
"""

import functools
import os
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from ragvsft import claims, decisions
from ragvsft.connections import title as chapter_title
from ragvsft.prose import chapter_path
from ragvsft.widgets.calculator import MIME
from ragvsft.widgets.calculator import STATIC as CALCULATOR
from ragvsft.widgets.templates import for_lab, json_island, render

Suffix = Literal[".html", ".ipynb"]

STATIC = Path(__file__).parent
COSTS = "cost/cost-comparison"
LEDGER = "evidence/claims"
UNKNOWN_LABEL = "Don’t know"
COLUMN_LABELS = {"rag": "RAG", "fine_tuning": "Fine-tune", "both": "Both"}


@dataclass(frozen=True)
class DecisionTool:
    """The questions, the recommendation, a link and a file. Shows itself as the last expression of a cell."""

    title: str = "What should you try first?"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {
            MIME: {"html": self.html(".html")},
            "text/html": self._lab_html(),
            "text/plain": decisions.as_text(decisions.recommend({})),
        }

    def html(self, suffix: Suffix) -> str:
        """The tool for a page that carries calculator.js and decisions.js; its links end in `suffix`."""
        return render(
            "decision_tool/decision_tool.html",
            title=self.title,
            unknown=decisions.UNKNOWN,
            workloads=[(name, label) for name, (label, _) in decisions.workloads().items()],
            groups=[
                (group, list(map(_question, rows)))
                for group, rows in groupby(decisions.questions(), key=lambda row: row.group)
            ],
            steps=[
                {
                    "title": step.title,
                    "href": _address(step.chapter, suffix),
                    "why": " ".join(reason.reason for reason in step.reasons),
                    "stop_when": step.stop_when,
                }
                for step in decisions.recommend({}).steps
            ],
            columns=list(COLUMN_LABELS.values()),
            matrix=[
                {
                    "row": row.row,
                    "question": row.question,
                    "ticks": [row.tick == column for column in COLUMN_LABELS],
                    "href": _ledger_address(row.claim, suffix),
                    "verdict": _words(claims.get(row.claim).verdict),
                }
                for row in decisions.matrix()
            ],
            tables=json_island(tables(suffix)),
        )

    def _lab_html(self) -> str:
        styles = [_static("calculator.css"), _static("decisions.css")]
        scripts = [_static("calculator.js"), _static("decisions.js"), "ragvsftDecisions.start(document,true)"]
        return for_lab(self.html(".ipynb"), styles, scripts)


def tables(suffix: Suffix) -> dict[str, Any]:
    """What decisions.js evaluates and shows. Sets of answers and of steps are bit masks."""
    names = [row.step for row in decisions.steps()]
    cited = {row.claim for row in decisions.rules()}
    linked = {row.chapter for row in decisions.rules()} | {row.chapter for row in decisions.steps()}
    return {
        "questions": [
            {
                "id": row.question,
                "title": row.title,
                "unknown": list(decisions.options()[row.question]).index(row.if_unknown),
                "answers": [
                    {
                        "id": answer.answer,
                        "label": answer.label,
                        "done": _mask(answer.steps_done, names),
                        "scenario": dict(answer.scenario),
                    }
                    for answer in decisions.options()[row.question].values()
                ],
            }
            for row in decisions.questions()
        ],
        "steps": [
            {
                "id": row.step,
                "title": row.title,
                "action": row.action,
                "needs": row.needs_points,
                "stop": row.stop_when,
                "chapter": row.chapter,
            }
            for row in decisions.steps()
        ],
        "rules": [
            {
                "id": row.rule,
                "steps": [names.index(step) for step in row.steps],
                "points": row.points,
                "when": _masks(row.when),
                "reason": row.reason,
                "claim": row.claim,
                "chapter": row.chapter,
            }
            for row in decisions.rules()
        ],
        "matrix": [{"id": row.row, "tick": row.tick, "when": _masks(row.when)} for row in decisions.matrix()],
        "columns": COLUMN_LABELS,
        "claims": {
            claim.id: {
                "statement": claim.statement,
                "verdict": _words(claim.verdict),
                "href": _ledger_address(claim.id, suffix),
            }
            for claim in map(claims.get, sorted(cited))
        },
        "chapters": {
            chapter: {"title": chapter_title(chapter), "href": _address(chapter, suffix)}
            for chapter in sorted(linked)
        },
        "workloads": {name: answers for name, (_, answers) in decisions.workloads().items()},
        "costs": _address(COSTS, suffix),
    }


def _mask(members: tuple[str, ...], universe: list[str]) -> int:
    return sum(1 << universe.index(member) for member in members)


def _masks(when: decisions.Conditions) -> list[list[int]]:
    names = list(decisions.options())
    return [
        [names.index(question), _mask(allowed, list(decisions.options()[question]))]
        for question, allowed in when
    ]


def _question(row: decisions.QuestionRow) -> dict[str, Any]:
    answers = decisions.options()[row.question]
    labels = {key: answer.label for key, answer in answers.items()}
    yes_or_no = set(answers) == {"no", "yes"}
    known = [(key, labels[key]) for key in (("yes", "no") if yes_or_no else answers)]
    unknown = [(decisions.UNKNOWN, UNKNOWN_LABEL)]
    return {
        "question": row.question,
        "title": row.title,
        "help": row.help,
        "yes_or_no": yes_or_no,
        "choices": known + unknown if yes_or_no else unknown + known,
    }


def _words(verdict: str) -> str:
    return verdict.replace("-", " ")


def _address(chapter: str, suffix: Suffix) -> str:
    path = Path(os.path.relpath(chapter_path(chapter), Path.cwd()))
    return path.with_suffix(suffix).as_posix()


def _ledger_address(claim_id: str, suffix: Suffix) -> str:
    return f"{_address(LEDGER, suffix)}#claim-{claim_id}"


@functools.cache
def _static(name: str) -> str:
    folder = CALCULATOR if name.startswith("calculator.") else STATIC
    return (folder / name).read_text(encoding="utf-8")
