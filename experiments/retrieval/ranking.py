"""What each first and second stage finds, on both parts: the rerank lift and the primary comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from part import Part, Results

from ragvsft.retrieval.pipeline import rerank
from ragvsft.retrieval.pipeline.embed import minilm
from ragvsft.retrieval.pipeline.metrics import MEASURES, Difference, difference, holm, measure

DEPTHS = (10, 20, 50, 100)
TRAINED_AT = 50
PIECE_DIMENSIONS = 64
PRIMARY = {
    "fusion-over-dense": ("dense", "fusion"),
    "late-interaction-over-fusion": ("fusion", "fusion > late interaction @50"),
    "lambdamart-over-dense": ("dense", "fusion > LambdaMART @50"),
}
EXPLORATORY = (
    ("BM25", "dense"),
    ("BM25", "fusion"),
    ("dense", "dense > late interaction @50"),
    ("BM25", "BM25 > late interaction @50"),
    ("dense", "fusion > late interaction @50"),
    ("fusion", "fusion > LambdaMART @50"),
    ("fusion > late interaction @50", "fusion > LambdaMART @50"),
    ("fusion > LambdaMART without late interaction @50", "fusion > LambdaMART @50"),
    ("fusion > late interaction of 64 bytes @50", "fusion > late interaction @50"),
    ("fusion > late interaction @10", "fusion > late interaction @100"),
    ("fusion > LambdaMART @10", "fusion > LambdaMART @100"),
)

Ranker = Callable[[int], list[int]]


def small_pieces(part: Part, reference: Part) -> Callable[[int, int], float]:
    """Late interaction over word pieces of 64 8-bit numbers; the projection is the reference's PCA."""
    rng = np.random.default_rng(0)
    sample = reference.passages.pieces[rng.choice(len(reference.passages.pieces), 50_000, replace=False)]
    centred = sample.astype(np.float32)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    projection = vectors[:, ::-1][:, :PIECE_DIMENSIONS].astype(np.float32)

    def small(pieces: Any) -> Any:
        flat = pieces.astype(np.float32) @ projection
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
        return np.round(flat * 127).astype(np.int8)

    queries = [small(part.queries.of(q)).astype(np.float32) / 127 for q in range(len(part.questions))]
    passages: dict[int, Any] = {}

    def score(q: int, k: int) -> float:
        if k not in passages:
            passages[k] = small(part.passages.of(k))
        with part.clock.time("late interaction of 64 bytes, one passage"):
            return float((queries[q] @ (passages[k].astype(np.float32) / 127).T).max(axis=1).mean())

    return score


def train(part: Part, questions: Sequence[int], with_late: bool = True) -> rerank.LambdaMart:
    candidates = {q: part.fused(q, TRAINED_AT) for q in questions}
    tables = [part.features(q, candidates[q], with_late) for q in questions]
    return rerank.train(tables, [part.labels(q, candidates[q]) for q in questions])


def methods(part: Part, reference: Part) -> dict[str, Ranker]:
    """Every method by name. On the development part, trained without the question's project."""
    if part is reference:
        everything = range(len(part.questions))
        models = {
            project: [
                train(part, [q for q in everything if part.projects[q] != project], late)
                for late in (True, False)
            ]
            for project in dict.fromkeys(part.projects)
        }
    else:
        trained = [train(reference, range(len(reference.questions)), late) for late in (True, False)]
        models = dict.fromkeys(part.projects, trained)
    small = small_pieces(part, reference)
    found: dict[str, Ranker] = {
        "BM25": lambda q: part.lexical(q, 100),
        "dense": lambda q: part.dense(q, 100),
        "fusion": lambda q: part.fused(q, 100),
    }
    first: dict[str, Callable[[int, int], list[int]]] = {
        "BM25": part.lexical,
        "dense": part.dense,
        "fusion": part.fused,
    }

    def late(name: str, depth: int) -> Ranker:
        return lambda q: part.by_late_interaction(q, first[name](q, depth))

    def trained_order(depth: int, with_late: bool) -> Ranker:
        def ranked(q: int) -> list[int]:
            candidates = part.fused(q, depth)
            part.features(q, candidates)
            with part.clock.time(f"LambdaMART's prediction, {depth} passages"):
                return part.by(models[part.projects[q]][0 if with_late else 1], q, candidates, with_late)

        return ranked

    for depth in DEPTHS:
        for name in first:
            found[f"{name} > late interaction @{depth}"] = late(name, depth)
        found[f"fusion > LambdaMART @{depth}"] = trained_order(depth, True)
    found["fusion > LambdaMART without late interaction @50"] = trained_order(50, False)
    found["fusion > late interaction of 64 bytes @50"] = lambda q: sorted(
        part.fused(q, 50), key=lambda k: -small(q, k)
    )
    return found


def score(part: Part, rankings: dict[str, list[list[int]]]) -> dict[str, dict[str, list[float]]]:
    """Method → measure → one value a question, in the questions' order."""
    gold = {str(q): [str(k) for k in part.gold[q]] for q in range(len(part.questions))}
    scored = {}
    for name, ranking in rankings.items():
        values = measure(gold, {str(q): [str(k) for k in order] for q, order in enumerate(ranking)})
        scored[name] = {m: [values[m][str(q)] for q in range(len(part.questions))] for m in MEASURES}
    return scored


def comparison(
    part: Part, name: str, kind: str, first: str, second: str, found: Difference, holm_p: float | None
) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "part": part.name,
        "first": first,
        "second": second,
        "measure": "nDCG@10",
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "p_holm": "" if holm_p is None else holm_p,
        "wins": found.wins,
        "losses": found.losses,
        "n": found.n,
        "projects": len(set(part.projects)),
    }


def slug(text: str) -> str:
    return text.lower().replace(" > ", ".").replace("@", "").replace(" ", "-")


def compare(part: Part, scored: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    def of(first: str, second: str) -> Difference:
        return difference(scored[first]["nDCG@10"], scored[second]["nDCG@10"], part.projects)

    primary = {name: of(*pair) for name, pair in PRIMARY.items()}
    adjusted = holm([found.p_value for found in primary.values()])
    kind = "primary" if part.name == "report" else "development"
    rows = [
        comparison(part, name, kind, *PRIMARY[name], found, p if kind == "primary" else None)
        for (name, found), p in zip(primary.items(), adjusted, strict=True)
    ]
    other = "exploratory" if part.name == "report" else "development"
    return rows + [
        comparison(part, f"{slug(second)}-over-{slug(first)}", other, first, second, of(first, second), None)
        for first, second in EXPLORATORY
    ]


def run(cache: Path) -> Results:
    development, report = Part("development", cache), Part("report", cache)
    results = Results(kept_cpu_seconds=development.kept_cpu_seconds + report.kept_cpu_seconds)
    tables: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            "retrieval_questions",
            "retrieval_methods",
            "retrieval_comparisons",
            "retrieval_projects",
        )
    }
    for part in (development, report):
        rankings = {
            name: [rank(q) for q in range(len(part.questions))]
            for name, rank in methods(part, development).items()
        }
        scored = score(part, rankings)
        for name, values in scored.items():
            for m in MEASURES:
                tables["retrieval_methods"].append(
                    {"part": part.name, "method": name, "measure": m} | part.mean(values[m])
                )
        tables["retrieval_comparisons"] += compare(part, scored)
        tables["retrieval_projects"] += projects(part, scored)
        tables["retrieval_questions"] += questions(part)
        if part is report:
            results.files["retrieval_answers.json.gz"] = browsable(part, rankings, scored)
    results.tables = tables
    embed(report)
    late_interaction(report)
    features(report)
    results.tables["retrieval_latency"] = report.clock.rows()
    return results


def embed(part: Part) -> None:
    model = minilm()
    for question in part.questions[:300]:
        with part.clock.time("embed the question"):
            model.embed([question.text])


def features(part: Part) -> None:
    for q in range(min(300, len(part.questions))):
        candidates = part.fused(q, 50)
        late = [part.late(q, k) for k in candidates]
        texts = [part.texts[k] for k in candidates]
        with part.clock.time("LambdaMART's features, 50 passages read before"):
            rerank.features(
                part.questions[q].text,
                texts,
                part.bm25[q, candidates],
                part.cosine[q, candidates],
                late,
                part.idf,
            )


def late_interaction(part: Part) -> None:
    for q in range(min(300, len(part.questions))):
        candidates = part.fused(q, 50)
        with part.clock.time("late interaction, 50 passages"):
            for k in candidates:
                rerank.late_interaction(part.queries.of(q), part.passages.of(k))


def projects(part: Part, scored: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    names = ["BM25", "dense", "fusion", "fusion > late interaction @50", "fusion > LambdaMART @50"]
    rows = []
    for project in dict.fromkeys(part.projects):
        chosen = [q for q, name in enumerate(part.projects) if name == project]
        for name in names:
            means = {m: float(np.mean([scored[name][m][q] for q in chosen])) for m in ("nDCG@10", "R@10")}
            row = {"part": part.name, "project": project, "method": name, "n": len(chosen)}
            rows.append(row | {"ndcg_at_10": means["nDCG@10"], "recall_at_10": means["R@10"]})
    return rows


def questions(part: Part) -> list[dict[str, Any]]:
    import corpus

    passages = part.corpus.passages
    return [
        {
            "id": question.id,
            "part": part.name,
            "project": question.project,
            "question_sha256": corpus.digest(question.text),
            "gold": ";".join(question.gold),
            "gold_sha256": corpus.digest(*(passages[k].text for k in sorted(part.gold[q]))),
        }
        for q, question in enumerate(part.questions)
    ]


def browsable(
    part: Part, rankings: dict[str, list[list[int]]], scored: dict[str, dict[str, list[float]]]
) -> Any:
    """For the answer browser: titles and places, no passage's text. Rankings hold places in `passages`."""
    shown = ["BM25", "dense", "fusion", "fusion > late interaction @50", "fusion > LambdaMART @50"]
    used = sorted(
        {k for name in shown for order in rankings[name] for k in order[:10]}
        | {k for gold in part.gold for k in gold}
    )
    number = {k: n for n, k in enumerate(used)}
    passages = [part.corpus.passages[k] for k in used]
    return {
        "methods": shown,
        "passages": [
            {"id": p.id, "project": p.project, "title": p.heading[:160], "place": p.place} for p in passages
        ],
        "questions": [
            {
                "id": question.id,
                "project": question.project,
                "title": question.text,
                "gold": sorted(number[k] for k in part.gold[q]),
                "ranked": [[number[k] for k in rankings[name][q][:10]] for name in shown],
                "ndcg_at_10": [round(scored[name]["nDCG@10"][q], 4) for name in shown],
            }
            for q, question in enumerate(part.questions)
        ],
    }
