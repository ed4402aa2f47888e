"""Bring your own: compare the methods on a reader's documents and questions, and say what n cannot tell.

The questions are a CSV file with the columns `question` and `document` (path below the folder), and, if you
like, `answer` (words that stand in the answering passage) and `part`: `tune` or `report`. Only `report` is
scored; the reranker is trained on `tune` and never sees the others. Answers that were judged come in a second
file: `question`, `method` (whose passages the model read), `model`, `judge` and `correct` (yes or no).
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np
from pydantic import BaseModel, ConfigDict

from ragvsft.data import cut
from ragvsft.evaluation import formulas as f
from ragvsft.evaluation.paired import paired_p_value
from ragvsft.retrieval.evaluated import (
    LONGEST_NAME,
    NOT_PAID,
    Comparison,
    Evaluation,
    JudgedAnswers,
    MethodResult,
    RetrievalMethod,
)
from ragvsft.retrieval.pipeline import PipelineError, load, rerank
from ragvsft.retrieval.pipeline.embed import Embedder
from ragvsft.retrieval.pipeline.index import sync
from ragvsft.retrieval.pipeline.metrics import measure
from ragvsft.retrieval.pipeline.search import Searcher, searcher
from ragvsft.retrieval.pipeline.store import Hit, qdrant

DEPTH = 50
FEWEST_TO_TRAIN = 30
COLUMNS = ("question", "document", "answer", "part")
JUDGED_COLUMNS = ("question", "method", "model", "judge", "correct")


class Question(BaseModel):
    """A reader's question and where its answer is."""

    model_config = ConfigDict(frozen=True)

    question: str
    document: str
    answer: str
    part: Literal["tune", "report"]


def questions(text: str) -> list[Question]:
    """The questions of a CSV file's text. Raises PipelineError with line, field and what it must be."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = reader.fieldnames or []
    if missing := [name for name in COLUMNS[:2] if name not in header]:
        raise PipelineError(f"questions:1: column {missing[0]} is missing; must have question and document")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise PipelineError(f"questions:1: column = {unknown[0]}: must be one of {', '.join(COLUMNS)}")
    rows = []
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        where = f"questions:{reader.line_num}"
        if blank := [name for name in COLUMNS[:2] if not cells[name]]:
            raise PipelineError(f"{where}: {blank[0]} is blank; must not be")
        part = cells["part"] or "report"
        if part not in ("tune", "report"):
            raise PipelineError(f"{where}: part = {part}: must be tune or report")
        rows.append(Question.model_validate(cells | {"part": part}))
    if not any(row.part == "report" for row in rows):
        raise PipelineError("questions: none has part report; must be at least one")
    return rows


def judged(text: str, asked: Sequence[Question]) -> tuple[JudgedAnswers, ...]:
    """The judged answers of a CSV file's text, counted by model, method and judge.

    Raises PipelineError for a line whose question is not reported, that is judged twice, or lacks a cell.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = reader.fieldnames or []
    if missing := [name for name in JUDGED_COLUMNS if name not in header]:
        raise PipelineError(
            f"judged:1: column {missing[0]} is missing; must have {', '.join(JUDGED_COLUMNS)}"
        )
    reported = {q.question for q in asked if q.part == "report"}
    marks: dict[tuple[str, str, str], dict[str, bool]] = {}
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in JUDGED_COLUMNS}
        where = f"judged:{reader.line_num}"
        for name in ("model", "judge"):
            if not 0 < len(cells[name]) <= LONGEST_NAME:
                raise PipelineError(
                    f"{where}: {name} = {cut(cells[name])!r}: must be 1 to {LONGEST_NAME} characters"
                )
        for name, choices in (("method", tuple(NOT_PAID)), ("correct", ("yes", "no"))):
            if cells[name] not in choices:
                raise PipelineError(
                    f"{where}: {name} = {cut(cells[name])!r}: must be one of {', '.join(choices)}"
                )
        question = cells["question"]
        if question not in reported:
            raise PipelineError(f"{where}: question = {cut(question)!r}: must be a question with part report")
        group = marks.setdefault((cells["model"], cells["method"], cells["judge"]), {})
        if question in group:
            raise PipelineError(f"{where}: question = {cut(question)!r}: is judged twice; must be once")
        group[question] = cells["correct"] == "yes"
    return tuple(_judged(*key, list(group.values())) for key, group in marks.items())


def _judged(model: str, method: str, judge: str, marks: Sequence[bool]) -> JudgedAnswers:
    low, high = f.wilson_interval(sum(marks), len(marks))
    return JudgedAnswers(
        model=model,
        method=cast(RetrievalMethod, method),
        judge=judge,
        answers=len(marks),
        correct=sum(marks),
        correct_share=sum(marks) / len(marks),
        low=float(low),
        high=float(high),
    )


def evaluate(
    folder: Path,
    asked: Sequence[Question],
    embedder: Embedder,
    k: int = 5,
    tune_on: str = "tune",
    progress: Callable[[int, int, str], None] = lambda done, of, name: None,
) -> Evaluation:
    """Index the folder and score every method on the reported questions.

    Raises PipelineError for tuning on the reported part, a question that is in both parts, a document that is
    not in the folder, and an answer that stands in no passage of its document.
    """
    if tune_on != "tune":
        raise PipelineError(
            f"tune_on = {tune_on}: must be tune; tuning on the reported part measures nothing"
        )
    parts = {part: [q for q in asked if q.part == part] for part in ("tune", "report")}
    known = {" ".join(q.question.lower().split()) for q in parts["tune"]}
    if both := [q for q in parts["report"] if " ".join(q.question.lower().split()) in known]:
        raise PipelineError(f"question = {both[0].question[:60]!r}: is in both parts; must be in one")
    documents = list(load.folder(folder))
    with tempfile.TemporaryDirectory() as kept:
        store = qdrant(Path(kept), embedder.dimensions)
        try:
            sync(store, embedder, documents, progress)
            return _compared(searcher(store, embedder), parts["tune"], parts["report"], len(documents), k)
        finally:
            store.close()


Method = Callable[[str, int], list[Hit]]


def _compared(
    searched: Searcher, tuned: Sequence[Question], reported: Sequence[Question], documents: int, k: int
) -> Evaluation:
    methods: dict[RetrievalMethod, Method] = {
        "BM25": searched.lexical,
        "dense": searched.dense,
        "fusion": searched.fused,
    }
    warnings = []
    if len(tuned) >= FEWEST_TO_TRAIN:
        ranker = _trained(searched, tuned)
        methods["LambdaMART"] = lambda query, n: rerank.reranked(
            searched, ranker, query, n, DEPTH, (load.EVERYONE,)
        )
    else:
        warnings.append(
            f"{len(tuned)} questions to tune on: a reranker needs {FEWEST_TO_TRAIN}, so none was trained."
        )
    gold = {str(n): sorted(_gold(searched, question)) for n, question in enumerate(reported)}
    found: dict[str, list[bool]] = {}
    results = []
    for name, method in methods.items():
        rankings, milliseconds = {}, []
        for n, question in enumerate(reported):
            started = time.process_time()
            rankings[str(n)] = method(question.question, max(k, 10))
            milliseconds.append(1_000 * (time.process_time() - started))
        ids = {n: [hit.passage.id for hit in hits] for n, hits in rankings.items()}
        found[name] = [bool({*ids[n][:k]} & {*gold[n]}) for n in gold]
        low, high = f.wilson_interval(sum(found[name]), len(reported))
        words = [sum(len(hit.passage.text.split()) for hit in hits[:k]) for hits in rankings.values()]
        results.append(
            MethodResult(
                method=name,
                found=sum(found[name]),
                found_share=sum(found[name]) / len(reported),
                low=float(low),
                high=float(high),
                ndcg_at_10=float(np.mean([*measure(gold, ids, ["nDCG@10"])["nDCG@10"].values()])),
                words_read=float(np.mean(words)),
                cpu_ms=float(np.median(milliseconds)),
            )
        )
    comparisons = [_comparison(a, b, found[a], found[b]) for a, b in itertools.combinations(found, 2)]
    return Evaluation(
        embedder=searched.embedder.name,
        documents=documents,
        passages=len(searched.passages),
        questions=len(reported),
        tuned_on=len(tuned) if "LambdaMART" in methods else 0,
        k=k,
        methods=tuple(results),
        comparisons=tuple(comparisons),
        warnings=(*warnings, *(_unresolved(c, len(reported)) for c in comparisons if not c.resolved)),
    )


def _gold(searched: Searcher, question: Question) -> set[str]:
    own = [passage for passage in searched.passages if passage.document == question.document]
    if not own:
        raise PipelineError(f"document = {question.document}: is not in the folder; must be a path below it")
    wanted = " ".join(question.answer.lower().split())
    found = {p.id for p in own if wanted in " ".join(p.text.lower().split())}
    if not found:
        raise PipelineError(
            f"answer = {question.answer[:60]!r}: stands in no passage of {question.document}; must"
        )
    return found


def _trained(searched: Searcher, tuned: Sequence[Question]) -> rerank.LambdaMart:
    tables, labels = [], []
    for question in tuned:
        gold = _gold(searched, question)
        names, table = rerank.candidates(searched, question.question, DEPTH, (load.EVERYONE,))
        tables.append(table)
        labels.append([int(hit.passage.id in gold) for hit in names])
    return rerank.train(tables, labels)


def _comparison(first: str, second: str, a: Sequence[bool], b: Sequence[bool]) -> Comparison:
    only_first = sum(x and not y for x, y in zip(a, b, strict=True))
    only_second = sum(y and not x for x, y in zip(a, b, strict=True))
    low, high = f.paired_difference_interval(only_first, only_second, len(a))
    discordant = (only_first + only_second) / len(a)
    return Comparison(
        first=first,
        second=second,
        only_first=only_first,
        only_second=only_second,
        difference=(only_second - only_first) / len(a),
        low=float(low),
        high=float(high),
        p_value=paired_p_value(only_first, only_second),
        resolved=bool(low > 0 or high < 0) and paired_p_value(only_first, only_second) <= 0.05,
        smallest_detectable=float(f.smallest_detectable_difference(len(a), discordant))
        if discordant
        else 0.0,
    )


def _unresolved(c: Comparison, n: int) -> str:
    interval = f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]"
    said = f"{n} questions cannot tell {c.second} from {c.first}: difference {interval}"
    if not c.difference:
        return said + "."
    discordant = (c.only_first + c.only_second) / n
    needed = f.questions_for_paired_difference(abs(c.difference), discordant)
    return f"{said}; about {math.ceil(needed):,} questions would, if the difference is as large as it looks."


def as_text(result: Evaluation) -> str:
    """The tables for a terminal."""
    head = (
        f"{result.questions} questions, {result.documents} documents, {result.passages} passages, "
        f"{result.embedder}; found = among the first {result.k}"
    )
    lines = [head, "", f"{'method':12} found   share  95% interval    nDCG@10  words read  CPU ms"]
    for m in result.methods:
        lines.append(
            f"{m.method:12} {m.found:5}  {m.found_share:6.3f}  [{m.low:.3f}, {m.high:.3f}]"
            f"  {m.ndcg_at_10:7.3f}  {m.words_read:10,.0f}  {m.cpu_ms:6.1f}"
        )
    lines += ["", f"{'second − first':26} difference  95% interval        p"]
    for c in result.comparisons:
        named = f"{c.second} − {c.first}"
        lines.append(f"{named:26} {c.difference:+10.3f}  [{c.low:+.3f}, {c.high:+.3f}]  {c.p_value:.3f}")
    return "\n".join([*lines, "", *(f"warning: {warning}" for warning in result.warnings)])


def as_html(result: Evaluation) -> str:
    """One page without scripts or requests: shares with their intervals as a picture, tables, warnings."""
    bars, height = [], 34
    for row, m in enumerate(result.methods):
        y = 20 + row * height
        x, low, high = (140 + 400 * share for share in (m.found_share, m.low, m.high))
        bars.append(
            f'<text x="130" y="{y + 5}" text-anchor="end">{html.escape(m.method)}</text>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="2"/>'
            f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="currentColor"/>'
            f'<text x="560" y="{y + 5}">{m.found_share:.3f}</text>'
        )
    size = 40 + height * len(result.methods)
    title = f"Share of {result.questions} questions whose passage is among the first {result.k}"
    warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in result.warnings)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Retrieval on your documents</title>'
        "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;"
        "padding:0 1rem}pre{overflow-x:auto}text{fill:currentColor}</style>"
        f'<h1>Retrieval on your documents</h1><h2>{title}</h2><svg role="img" aria-label="{title}" '
        f'viewBox="0 0 620 {size}" width="100%">{"".join(bars)}</svg>'
        f"<pre>{html.escape(as_text(result).partition('warning:')[0].rstrip())}</pre><h2>Warnings</h2><ul>{warnings}</ul></html>\n"
    )


def write(result: Evaluation, folder: Path) -> None:
    """evaluation.json and evaluation.html in a folder, which is made; each is whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "evaluation.json": result.model_dump_json(by_alias=True, indent=1) + "\n",
        "evaluation.html": as_html(result),
    }
    for name, content in contents.items():
        unfinished = folder / f"{name}.part"
        unfinished.write_text(content, encoding="utf-8")
        unfinished.replace(folder / name)
