"""The decision tool as part of a page: the rules of `decisions.py` as a form that answers as it is filled in.

On the site `decisions.js` evaluates the rules that the page carries. Without JavaScript the reader sees what
Python recommends to somebody who has answered nothing, and the source's matrix with its verdicts.
"""

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from ragvsft import decisions
from ragvsft.calculators import MIME, STATIC
from ragvsft.evidence import ledger
from ragvsft.evidence.connections import title as chapter_title
from ragvsft.prose import chapter_path

Suffix = Literal[".html", ".ipynb"]

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
        return "".join(self._parts(suffix))

    def _lab_html(self) -> str:
        styles = "".join(_static(name) for name in ("calculator.css", "decisions.css"))
        scripts = "".join(f"<script>{_static(name)}</script>" for name in ("calculator.js", "decisions.js"))
        start = "<script>ragvsftDecisions.start(document,true)</script>"
        return f"<style>{styles}</style>{self.html('.ipynb')}{scripts}{start}"

    def _parts(self, suffix: Suffix) -> Iterator[str]:
        yield '<section class="calculator" id="calc-decide" aria-labelledby="calc-decide-title">'
        yield f'<p class="calculator-title" id="calc-decide-title">{escape(self.title)}</p>'
        yield '<form class="decision-form" autocomplete="off" hidden>'
        yield '<div class="calculator-presets" role="group" aria-label="Examples to start from">'
        for name, (label, _) in decisions.workloads().items():
            yield f'<button type="button" data-workload="{name}" aria-pressed="false">'
            yield f"{escape(label)}</button>"
        yield "</div>"
        for group, rows in groupby(decisions.questions(), key=lambda row: row.group):
            yield f'<fieldset class="decision-group"><legend>{escape(group)}</legend>'
            for row in rows:
                yield from _question_parts(row)
            yield "</fieldset>"
        yield '<p class="calculator-message" role="status"></p></form>'
        yield '<p class="decision-headline" aria-live="polite"></p>'
        yield '<div class="decision-result">'
        yield from _fallback_parts(suffix)
        yield "</div>"
        yield from _matrix_parts(suffix)
        yield '<div class="calculator-actions" hidden>'
        yield '<button type="button" data-action="reset">Reset</button>'
        yield '<button type="button" data-action="link">Copy link</button>'
        yield '<button type="button" data-action="answers">Download answers.toml</button>'
        yield f'<input class="calculator-link" readonly hidden aria-label="Link to {escape(self.title)}">'
        yield "</div>"
        payload = json.dumps(tables(suffix), separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
        yield f'<script type="application/json" class="decision-data">{payload}</script></section>'


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
            for claim in map(ledger.get, sorted(cited))
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


def _question_parts(row: decisions.QuestionRow) -> Iterator[str]:
    answers = decisions.options()[row.question]
    name = f"decide-{row.question}"
    described = f' aria-describedby="{name}-help"' if row.help else ""
    help_text = f'<p class="calculator-help" id="{name}-help">{escape(row.help)}</p>' if row.help else ""
    labels = {decisions.UNKNOWN: UNKNOWN_LABEL} | {key: answer.label for key, answer in answers.items()}
    if set(answers) == {"no", "yes"}:
        yield f'<fieldset class="decision-question" data-question="{row.question}"{described}>'
        yield f'<legend>{escape(row.title)}</legend>{help_text}<div class="decision-choices">'
        for key in ("yes", "no", decisions.UNKNOWN):
            chosen = " checked" if key == decisions.UNKNOWN else ""
            yield f'<label><input type="radio" name="{name}" value="{key}"{chosen}> '
            yield f"{escape(labels[key])}</label>"
        yield "</div></fieldset>"
    else:
        yield f'<div class="decision-question" data-question="{row.question}">'
        yield f'<label for="{name}">{escape(row.title)}</label>{help_text}<select id="{name}"{described}>'
        for key, label in labels.items():
            yield f'<option value="{key}">{escape(label)}</option>'
        yield "</select></div>"


def _fallback_parts(suffix: Suffix) -> Iterator[str]:
    yield from _table_open("What the rules say when nothing is known yet", ("Step", "Why", "When to stop"))
    for step in decisions.recommend({}).steps:
        why = " ".join(reason.reason for reason in step.reasons)
        link = f'<a href="{_address(step.chapter, suffix)}">{escape(step.title)}</a>'
        yield f'<tr><th scope="row">{link}</th><td>{escape(why)}</td><td>{escape(step.stop_when)}</td></tr>'
    yield "</tbody></table></div>"


def _matrix_parts(suffix: Suffix) -> Iterator[str]:
    yield '<details class="decision-matrix"><summary>The source’s matrix, with our verdicts</summary>'
    yield from _table_open(
        "Rows that your answers tick are marked", ("Row", *COLUMN_LABELS.values(), "Verdict")
    )
    for row in decisions.matrix():
        verdict = ledger.get(row.claim).verdict
        yield f'<tr data-row="{row.row}"><th scope="row">{escape(row.question)}</th>'
        yield "".join(f"<td>{'✓' if row.tick == column else ''}</td>" for column in COLUMN_LABELS)
        yield f'<td><a href="{_ledger_address(row.claim, suffix)}">{_words(verdict)}</a></td></tr>'
    yield "</tbody></table></div></details>"


def _table_open(caption: str, columns: tuple[str, ...]) -> Iterator[str]:
    yield f'<div class="calculator-scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
    yield f"<table><caption>{escape(caption)}</caption><thead><tr>"
    yield "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    yield "</tr></thead><tbody>"


def _words(verdict: str) -> str:
    return verdict.replace("-", " ")


def _address(chapter: str, suffix: Suffix) -> str:
    path = Path(os.path.relpath(chapter_path(chapter), Path.cwd()))
    return path.with_suffix(suffix).as_posix()


def _ledger_address(claim_id: str, suffix: Suffix) -> str:
    return f"{_address(LEDGER, suffix)}#claim-{claim_id}"


@functools.cache
def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
