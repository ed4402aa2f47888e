"""What a scripted `grep` finds in one to four rounds, beside BM25 and dense search, by tokens read.

The script stands for an agent's simplest moves; a model that reads what it finds may do better, so this is a
floor. A round shows at most ten passages. The counts of matches, which `grep -c` gives, steer the next round.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from part import Part, Results

from ragvsft.retrieval.pipeline.embed import minilm
from ragvsft.retrieval.pipeline.lexical import STOP_WORDS, words

SHOWN = 10
ROUNDS = 4
READS = (1, 3, 5, 10, 20, 40)


class Grep:
    """Passages as an agent meets them: in order of their place, matched by whole or part words."""

    def __init__(self, part: Part) -> None:
        place = [(p.project, p.place, p.id) for p in part.corpus.passages]
        self.order = sorted(range(len(place)), key=lambda k: place[k])
        self.bodies = [" ".join(words(text)) for text in part.texts]
        self.words = [set(body.split()) for body in self.bodies]
        self.found: dict[str, frozenset[int]] = {}

    def matches(self, term: str) -> frozenset[int]:
        if term not in self.found:
            self.found[term] = frozenset(k for k, body in enumerate(self.bodies) if term in body)
        return self.found[term]

    def all_of(self, terms: Sequence[str], inside: frozenset[int]) -> list[int]:
        kept = inside
        for term in terms:
            kept = kept & self.matches(term)
        return [k for k in self.order if k in kept]


def rounds(grep: Grep, question: str, inside: frozenset[int]) -> list[list[int]]:
    """The passages that each of four rounds shows, at most ten, none twice."""
    terms = list(dict.fromkeys(word for word in words(question) if word not in STOP_WORDS and len(word) > 2))
    rare = sorted((t for t in terms if grep.matches(t) & inside), key=lambda t: len(grep.matches(t) & inside))
    seen: list[int] = []
    shown: list[list[int]] = []

    def show(found: Sequence[int]) -> None:
        fresh = [k for k in found if k not in seen][:SHOWN]
        seen.extend(fresh)
        shown.append(fresh)

    first = grep.all_of(rare, inside) if rare else []
    show(first)
    if len(first) > SHOWN:  # too many: narrow to those that hold two of the words side by side
        pairs = [f"{a} {b}" for a, b in itertools.pairwise(terms)]
        narrowed = [k for k in first if any(pair in grep.bodies[k] for pair in pairs)]
        show(narrowed or first)
    else:  # too few: broaden, leaving out the commonest words until there are enough
        kept = list(rare)
        found = first
        while len(kept) > 2 and len(found) < SHOWN:
            kept.pop()
            found = grep.all_of(kept, inside)
        show(found)
    show(grep.all_of(rare[:1], inside) if rare else [])
    if seen:  # words of the best hit so far that are rare elsewhere, beside the question's rarest
        best = max(seen, key=lambda k: (sum(t in grep.bodies[k] for t in rare), -k))
        others = [w for w in grep.words[best] if w not in rare and w not in STOP_WORDS and len(w) > 3]
        others.sort(key=lambda w: (len(grep.matches(w) & inside), w))
        telling = [w for w in others if 2 <= len(grep.matches(w) & inside) <= SHOWN][:3]
        show(list(dict.fromkeys(k for w in telling for k in grep.all_of([w], inside))))
    else:
        show([])
    return shown


def run(cache: Path) -> Results:
    part = Part("report", cache)
    grep = Grep(part)
    tokens = np.array([minilm().tokens(text) for text in part.texts])
    everything = frozenset(range(len(part.texts)))
    own = {
        p: frozenset(k for k in everything if part.corpus.passages[k].project == p)
        for p in set(part.projects)
    }
    rows: list[dict[str, Any]] = []
    for scope in ("all projects", "own project"):
        inside = [own[p] if scope == "own project" else everything for p in part.projects]
        shown = [rounds(grep, question.text, inside[q]) for q, question in enumerate(part.questions)]
        for n in range(1, ROUNDS + 1):
            read = [[k for round_ in shown[q][:n] for k in round_] for q in range(len(part.questions))]
            rows.append(row(part, scope, "keyword tools", n, read, tokens))
        for name, ranked in ranked_by(part, inside).items():
            for n in READS:
                rows.append(
                    row(part, scope, name, n, [ranked(q)[:n] for q in range(len(part.questions))], tokens)
                )
    return Results({"retrieval_keyword_tools": rows}, kept_cpu_seconds=part.kept_cpu_seconds)


def ranked_by(part: Part, inside: Sequence[frozenset[int]]) -> dict[str, Callable[[int], list[int]]]:
    most = max(READS)

    def within(order: Sequence[int], q: int) -> list[int]:
        return [k for k in order if k in inside[q]][:most]

    return {
        "BM25": lambda q: within(part.lexical(q, len(part.texts)), q),
        "dense": lambda q: within(part.dense(q, len(part.texts)), q),
    }


def row(
    part: Part, scope: str, method: str, steps: int, read: Sequence[Sequence[int]], tokens: Any
) -> dict[str, Any]:
    """`steps` are rounds of keyword tools, or passages read from the top of a ranking."""
    found = [float(bool(part.gold[q] & set(passages))) for q, passages in enumerate(read)]
    spent = np.array([tokens[list(passages)].sum() if passages else 0 for passages in read], dtype=float)
    mean = part.mean(found)
    cost = part.mean(list(spent))
    return {
        "scope": scope,
        "method": method,
        "steps": steps,
        "found_share": mean["value"],
        "low": mean["low"],
        "high": mean["high"],
        "tokens_read": cost["value"],
        "tokens_low": cost["low"],
        "tokens_high": cost["high"],
        "tokens_per_found": cost["value"] / mean["value"],
        "n": mean["n"],
        "projects": mean["projects"],
    }
