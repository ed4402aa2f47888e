"""How often the sentence that the extractive answerer cites stands in the answer, and what abstaining buys.

The judge is a rule, not a person: a citation is right when its passage stands under the question's heading. A
sentence elsewhere may answer too, so this is a lower bound. Quotations are verbatim by construction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from part import Part, Results
from ranking import train

from ragvsft.retrieval.pipeline.answer import extract
from ragvsft.retrieval.pipeline.chunk import Passage
from ragvsft.retrieval.pipeline.embed import minilm
from ragvsft.retrieval.pipeline.store import Hit

SAMPLE = 240
READ = 3
JUDGE = "rule: the cited passage is under the question's heading"


def run(cache: Path) -> Results:
    development, part = Part("development", cache), Part("report", cache)
    rows = [answered(part, q, read, condition) for q, condition, read in cases(development, part)]
    return Results(
        {"retrieval_citations": rows}, kept_cpu_seconds=development.kept_cpu_seconds + part.kept_cpu_seconds
    )


def cases(development: Part, part: Part) -> Iterator[tuple[int, str, list[int]]]:
    """Each question of the sample twice, with the passages to read: with and without those that answer it."""
    ranker = train(development, range(len(development.questions)))
    chosen = sorted(np.random.default_rng(0).choice(len(part.questions), SAMPLE, replace=False))
    for q in map(int, chosen):
        ranked = part.by(ranker, q, part.fused(q, 50))
        yield q, "as indexed", ranked[:READ]
        yield q, "answer removed", [k for k in ranked if k not in part.gold[q]][:READ]


def answered(part: Part, q: int, candidates: list[int], condition: str) -> dict[str, Any]:
    passages = [part.corpus.passages[k] for k in candidates]
    hits = [
        Hit(Passage(document=p.id, position=0, title="", text=p.text, groups=("everyone",)), 0.0)
        for p in passages
    ]
    answer = extract(part.questions[q].text, hits, minilm(), sentence_count=1)
    cited = answer.citations[0].removesuffix("#0") if answer.citations else ""
    gold = {part.corpus.passages[k].id for k in part.gold[q]}
    return {
        "question": part.questions[q].id,
        "condition": condition,
        "cited": cited,
        "sentence_sha256": hashlib.sha256(answer.text.encode()).hexdigest(),
        "confidence": answer.confidence,
        "supports": cited in gold,
        "gold_was_read": bool(gold & {p.id for p in passages}),
        "judge": JUDGE,
    }
