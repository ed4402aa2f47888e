"""evaluation.json: what `ragvsft evaluate` found on a reader's own questions, and what an answer costs by it.

Light: it runs no retrieval. A file from elsewhere is read with `read`, which says what is wrong with it; the
matrix of the site reads it by the same rules, and both compute with the same formula.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragvsft.costs.compare import Cell
from ragvsft.data import allowed, cut
from ragvsft.evaluation.formulas import usd_per_success

SCHEMA: Literal["ragvsft-evaluation-1"] = "ragvsft-evaluation-1"
LARGEST_BYTES = 1_000_000
LONGEST_NAME, LONGEST_WARNING = 100, 1_000
MOST_METHODS, MOST_JUDGED, MOST_WARNINGS = 20, 200, 100
"""More is no evaluation: it is refused."""

RetrievalMethod = Literal["BM25", "dense", "fusion", "LambdaMART"]

NOT_PAID: Mapping[str, tuple[str, ...]] = {
    "BM25": ("embed", "rerank"),
    "dense": ("rerank",),
    "fusion": ("rerank",),
    "LambdaMART": ("rerank",),
}
"""The stages of a RAG query that nobody is paid for when it retrieves in this way."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class MethodResult(_Part):
    """What a method finds among its first k passages, on the reported questions."""

    method: RetrievalMethod
    found: int = Field(ge=0, description="Questions with an answering passage among the first k.")
    found_share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1, description="Wilson's 95% interval.")
    high: float = Field(ge=0, le=1)
    ndcg_at_10: float = Field(ge=0, le=1)
    words_read: float = Field(ge=0, description="Mean words in the k passages.")
    cpu_ms: float = Field(ge=0, description="Median CPU milliseconds a question.")


class Comparison(_Part):
    """Second minus first, in the share of questions whose passage was found."""

    first: str
    second: str
    only_first: int = Field(ge=0)
    only_second: int = Field(ge=0)
    difference: float = Field(ge=-1, le=1)
    low: float = Field(ge=-1, le=1, description="Agresti and Min's 95% interval.")
    high: float = Field(ge=-1, le=1)
    p_value: float = Field(gt=0, le=1, description="Exact McNemar, not corrected for several comparisons.")
    resolved: bool
    smallest_detectable: float = Field(
        ge=0, description="True difference that this n finds four times in five."
    )


class JudgedAnswers(_Part):
    """Answers that one model gave from one method's passages, as somebody judged them."""

    model: str = Field(min_length=1, max_length=LONGEST_NAME, description="The model that answered.")
    method: RetrievalMethod
    judge: str = Field(min_length=1, max_length=LONGEST_NAME, description="Who or what judged.")
    answers: int = Field(gt=0)
    correct: int = Field(ge=0)
    correct_share: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1, description="Wilson's 95% interval.")
    high: float = Field(ge=0, le=1)


class Evaluation(_Part):
    """The whole comparison, as evaluation.json holds it."""

    schema_name: Literal["ragvsft-evaluation-1"] = Field(
        default=SCHEMA, serialization_alias="schema", validation_alias="schema"
    )
    embedder: str = Field(max_length=LONGEST_WARNING)
    documents: int = Field(gt=0)
    passages: int = Field(gt=0)
    questions: int = Field(gt=0, description="Reported questions: all shares are of these.")
    tuned_on: int = Field(ge=0, description="Questions that the reranker was trained on.")
    k: int = Field(gt=0)
    methods: tuple[MethodResult, ...] = Field(min_length=1, max_length=MOST_METHODS)
    comparisons: tuple[Comparison, ...]
    warnings: tuple[Annotated[str, Field(max_length=LONGEST_WARNING)], ...] = Field(max_length=MOST_WARNINGS)
    judged_answers: tuple[JudgedAnswers, ...] | None = Field(
        default=None, max_length=MOST_JUDGED, description="USD per correct answer needs these."
    )


LISTS = {
    "methods": f"a list of 1 to {MOST_METHODS} methods",
    "comparisons": "a list of comparisons",
    "warnings": f"a list of at most {MOST_WARNINGS} texts of at most {LONGEST_WARNING} characters",
    "judged_answers": f"null or a list of at most {MOST_JUDGED} results",
}
"""What the lists of an evaluation may hold, in words."""

PARTS: Mapping[str, type[BaseModel]] = {
    "methods": MethodResult,
    "comparisons": Comparison,
    "judged_answers": JudgedAnswers,
}


class UsdPerSuccess(NamedTuple):
    """USD for each question that went well; `low` and `high` are the ends of its 95% interval."""

    usd: float
    low: float
    high: float


def read(text: str) -> Evaluation:
    """An evaluation from a file's text. Raises ValueError with the field, its value and what is allowed."""
    if (size := len(text.encode())) > LARGEST_BYTES:
        raise ValueError(f"size = {size:,} bytes: must be at most {LARGEST_BYTES:,}")
    try:
        given = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"the file is not JSON ({cut(str(error))}): must be what `ragvsft evaluate` wrote"
        ) from None
    if not isinstance(given, dict) or given.get("schema") != SCHEMA:
        found = given.get("schema") if isinstance(given, dict) else type(given).__name__
        raise ValueError(f"schema = {cut(repr(found))}: must be {SCHEMA!r}")
    try:
        evaluation = Evaluation.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(_complaint(error)) from None
    _check(evaluation)
    return evaluation


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])[1:]
    *outer, field = [part for part in first["loc"] if isinstance(part, str)] or ["the file"]
    model = PARTS.get(outer[0], Evaluation) if outer else Evaluation
    must = LISTS.get(field) or (allowed(model, field) if field in model.model_fields else first["msg"])
    if field not in LISTS and first["type"].startswith("string_too"):
        must += f" of at most {first['ctx'].get('max_length', LONGEST_NAME)} characters, and not blank"
    if first["type"] == "missing":
        return f"{path} is missing: must be {must}"
    return f"{path} = {cut(repr(first['input']))}: must be {must}"


def _check(evaluation: Evaluation) -> None:
    """What fields say of each other. Raises ValueError for the first that cannot be."""
    seen: set[str] = set()
    for k, row in enumerate(evaluation.methods):
        where = f"methods[{k}]"
        if row.method in seen:
            raise ValueError(f"{where}.method = {row.method!r}: is there twice; must be once")
        seen.add(row.method)
        _share(where, "found", "found_share", row, evaluation.questions)
    for k, judged in enumerate(evaluation.judged_answers or ()):
        _share(f"judged_answers[{k}]", "correct", "correct_share", judged, judged.answers)


def _share(where: str, count: str, share: str, row: BaseModel, n: int) -> None:
    times, part = getattr(row, count), getattr(row, share)
    if times > n:
        raise ValueError(f"{where}.{count} = {times}: must be from 0 to {n}")
    if abs(part - times / n) > 1e-6:
        raise ValueError(f"{where}.{share} = {part:g}: must be {count} / {n} = {times / n:g}")
    low, high = row.low, row.high  # type: ignore[attr-defined]
    if not low <= part <= high:
        raise ValueError(f"{where}.low, high = {low:g}, {high:g}: must lie around {share} = {part:g}")
    if times and not low:
        raise ValueError(f"{where}.low = 0: must be above 0, for {count} = {times}")


def per_success(
    figure_usd: float, questions: float, stages_usd: Mapping[str, float], row: MethodResult | JudgedAnswers
) -> UsdPerSuccess | None:
    """USD for each question whose passage was found, or whose answer was correct; None if none was.

    `figure_usd` is what RAG costs for so many questions, `stages_usd` what its stages cost for one: those
    that the method does not pay are taken off. The interval is that of the share alone.
    """
    share = row.found_share if isinstance(row, MethodResult) else row.correct_share
    if not share:
        return None
    unused = sum(stages_usd[stage] for stage in NOT_PAID[row.method])
    usd, low, high = (
        float(usd_per_success(figure_usd, questions, unused, part)) for part in (share, row.high, row.low)
    )
    return UsdPerSuccess(usd, low, high)


class Line(NamedTuple):
    """What a method costs for each success, column by column: USD with an interval, or why there is none."""

    label: str
    cells: tuple[UsdPerSuccess | str, ...]


def lines(
    evaluation: Evaluation, cells: Sequence[Cell], queries: float, figure: str = "horizon_usd"
) -> tuple[Line, ...]:
    """USD per question whose passage was found, method by method, then per correct answer where judged.

    `cells` are the matrix's; RAG's are used. `figure` is one of theirs, and `queries` how many questions it
    pays for: those of the horizon, or 1 for `per_query_usd`.
    """
    rag = [cell for cell in cells if cell.method.name == "rag"]

    def priced_judged(cell: Cell, method: str) -> UsdPerSuccess | str:
        row = judged_of(evaluation, method, (cell.hosted.column.model, cell.hosted.column.id))
        return row if isinstance(row, str) else _priced(cell, row, queries, figure)

    found = [
        Line(
            f"{row.method}: passage found in {row.found} of {evaluation.questions}",
            tuple(_priced(cell, row, queries, figure) for cell in rag),
        )
        for row in evaluation.methods
    ]
    judged = {row.method for row in evaluation.judged_answers or ()}
    correct = [
        Line(f"{row.method}: answer correct", tuple(priced_judged(cell, row.method) for cell in rag))
        for row in evaluation.methods
        if row.method in judged
    ]
    return (*found, *correct)


def _priced(
    cell: Cell, row: MethodResult | JudgedAnswers, queries: float, figure: str
) -> UsdPerSuccess | str:
    if not cell.available:
        return cell.reason
    return per_success(getattr(cell, figure), queries, cell.stages_usd, row) or "none"


def judged_of(evaluation: Evaluation, method: str, models: Sequence[str]) -> JudgedAnswers | str:
    """The judged answers that a model of one of these names gave from a method's passages, or why not."""
    rows = [row for row in evaluation.judged_answers or () if row.method == method]
    if not rows:
        return "no answers were judged"
    names = {name.casefold() for name in models}
    matching = [row for row in rows if row.model.casefold() in names]
    if not matching:
        return f"judged answers are of {rows[0].model}"
    return matching[0]
