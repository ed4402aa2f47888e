"""What our own retrieval runs measured, with intervals. Light: it reads `data/measured/` alone."""

from __future__ import annotations

import gzip
import json
from typing import Any, Literal, cast

from pydantic import Field

from ragvsft.data import DATA, DataError, Row, Slug, Text, Words, load

Part = Literal["development", "report"]
RUN_STAGES = (
    *("ranking", "keyword_tools", "deletion", "learning", "citations"),
    *("chunking", "growth", "encoder", "generated"),
)
ANSWERS = "retrieval_answers.json.gz"
"""The file with what each main method ranked for every question of the report part."""

SEARCH_STAGES = ("embed the question", "bm25", "exact cosine", "fusion")
"""Stages of one fused search that were timed, in order; a second stage comes after them."""


class QuestionRow(Row, table="measured/retrieval_questions", key=("id",)):
    """A question that people wrote, by its hash, with the passages that answer it."""

    id: Text = Field(description="Debian package and hash of the question.")
    part: Part = Field(description="Trained and chosen on, or reported once.")
    project: Text = Field(description="Debian package.")
    question_sha256: Text = Field(description="SHA-256 of the question's text.")
    gold: Words = Field(description="Ids of the passages under the question's heading.")
    gold_sha256: Text = Field(description="SHA-256 of their texts.")


class MethodRow(Row, table="measured/retrieval_methods", key=("part", "method", "measure")):
    """What a method finds: a mean over questions with its interval, resampled by project and question."""

    part: Part = Field(description="Which questions.")
    method: Text = Field(description="First stage, then what reorders how many of its candidates.")
    measure: Literal["nDCG@10", "R@5", "R@10", "R@50", "RR@10"] = Field(description="What was measured.")
    value: float = Field(ge=0, le=1, description="Mean over questions.")
    low: float = Field(ge=0, le=1, description="Low end of the 95% interval.")
    high: float = Field(ge=0, le=1, description="High end of the 95% interval.")
    n: int = Field(gt=0, description="Questions.")
    projects: int = Field(gt=0, description="Projects that they come from.")


class ComparisonRow(Row, table="measured/retrieval_comparisons", key=("part", "id")):
    """A paired difference between two methods on the same questions."""

    id: Slug = Field(description="Its name.")
    kind: Literal["primary", "exploratory", "development"] = Field(
        description="Named beforehand and corrected by Holm, looked at besides, or on questions trained on."
    )
    part: Part = Field(description="Which questions.")
    first: Text = Field(description="The method that is compared with.")
    second: Text = Field(description="The method whose lead is given.")
    measure: Literal["nDCG@10"] = Field(description="What was measured.")
    difference: float = Field(ge=-1, le=1, description="Mean of second minus first.")
    low: float = Field(ge=-1, le=1, description="Low end of the 95% interval.")
    high: float = Field(ge=-1, le=1, description="High end of the 95% interval.")
    p_value: float = Field(gt=0, le=1, description="Two-sided, by flipping projects' signs.")
    p_holm: float | None = Field(
        gt=0, le=1, description="The same after Holm's correction over the primary three."
    )
    wins: int = Field(ge=0, description="Questions on which second is better.")
    losses: int = Field(ge=0, description="Questions on which first is better.")
    n: int = Field(gt=0, description="Questions.")
    projects: int = Field(gt=0, description="Projects that they come from.")

    @property
    def resolved(self) -> bool:
        """Whether its interval lies on one side of 0 and, for a primary one, Holm's p is at most 5%."""
        beyond = self.low > 0 or self.high < 0
        return beyond and (self.p_holm is None or self.p_holm <= 0.05)


class ProjectRow(Row, table="measured/retrieval_projects", key=("part", "project", "method")):
    """What a method finds in one project: a point estimate, without interval."""

    part: Part = Field(description="Which questions.")
    project: Text = Field(description="Debian package.")
    method: Text = Field(description="As in retrieval_methods.csv.")
    n: int = Field(gt=0, description="Questions.")
    ndcg_at_10: float = Field(ge=0, le=1, description="Mean nDCG at 10.")
    recall_at_10: float = Field(ge=0, le=1, description="Mean recall at 10.")


class LatencyRow(Row, table="measured/retrieval_latency", key=("stage",)):
    """Time of one stage for one question, on one thread of a shared machine: see the run record."""

    stage: Text = Field(description="What was timed.")
    n: int = Field(gt=0, description="Times it ran.")
    cpu_ms_p50: float = Field(ge=0, description="Median of CPU milliseconds.")
    cpu_ms_p95: float = Field(ge=0, description="95th percentile of CPU milliseconds.")
    wall_ms_p50: float = Field(ge=0, description="Median wall milliseconds; other programs were running.")
    wall_ms_p95: float = Field(ge=0, description="95th percentile of wall milliseconds.")


class KeywordToolsRow(Row, table="measured/retrieval_keyword_tools", key=("scope", "method", "steps")):
    """Tokens read and answers found by a scripted grep, round by round, and by reading down a ranking."""

    scope: Literal["all projects", "own project"] = Field(description="What was searched.")
    method: Literal["keyword tools", "BM25", "dense"] = Field(description="How.")
    steps: int = Field(gt=0, description="Rounds of the tools, or passages read from the top.")
    found_share: float = Field(ge=0, le=1, description="Questions of which an answering passage was read.")
    low: float = Field(ge=0, le=1, description="Low end of its 95% interval.")
    high: float = Field(ge=0, le=1, description="High end of its 95% interval.")
    tokens_read: float = Field(ge=0, description="Mean word pieces of the passages read, a question.")
    tokens_low: float = Field(ge=0, description="Low end of its 95% interval.")
    tokens_high: float = Field(ge=0, description="High end of its 95% interval.")
    tokens_per_found: float = Field(
        ge=0, description="Tokens read for each question whose passage was found."
    )
    n: int = Field(gt=0, description="Questions.")
    projects: int = Field(gt=0, description="Projects that they come from.")


class DeletionRow(Row, table="measured/deletion", key=("store", "step")):
    """What a store holds of a deleted item after a step and a reopening, and whether search finds it."""

    store: Slug = Field(description="Its name.")
    version: Text = Field(description="Version of the library.")
    keeps: Text = Field(description="What it was given to keep.")
    step: int = Field(ge=0, description="0 loaded, 1 deleted, then one purge after another.")
    action: Text = Field(description="The step.")
    command: str = Field(description="The purge's command.")
    worked: bool = Field(description="Whether the step ended without an error.")
    search_finds_it: bool | None = Field(description="Whether its own vector or words still find it.")
    old_version_has_it: bool | None = Field(
        description="Whether an earlier version that the store keeps has it."
    )
    text_on_disk: bool = Field(description="Whether a file holds the text.")
    word_on_disk: bool = Field(description="Whether a file holds its rare word beside the text.")
    vector_on_disk: bool = Field(description="Whether a file holds the vector.")
    on_disk_before_reopening: bool = Field(
        description="Whether any of them was there before it was opened again."
    )
    text_was_visible: bool = Field(description="Whether the same search saw the text before the deletion.")
    vector_was_visible: bool = Field(
        description="Whether the same search saw the vector before the deletion."
    )
    note: str = Field(description="The error, if there was one.")


class DeletionPlaceRow(Row, table="measured/deletion_places", key=("store", "step", "file", "kind", "form")):
    """A file in which the deleted item was found, and in which form."""

    store: Slug = Field(description="As in deletion.csv.")
    step: int = Field(ge=0, description="As in deletion.csv.")
    action: Text = Field(description="The step.")
    file: Text = Field(description="Path in the store's folder; generated names differ from run to run.")
    role: Literal["data", "log", "snapshot", "keyword index"] = Field(description="What the name says it is.")
    kind: Literal["text", "word", "vector"] = Field(description="What was found.")
    form: Text = Field(description="How it was written.")
    count: int = Field(gt=0, description="How often.")


class RecoveryRow(Row, table="measured/deletion_recovery", key=("vector", "attacker_guesses", "within")):
    """How often the name in a text is recovered from its vector alone by trying every name of a list."""

    vector: Literal["32-bit floats", "8-bit integers", "1 bit a dimension"] = Field(
        description="Form of the vector."
    )
    attacker_guesses: Literal["same wording", "other wording", "name alone"] = Field(
        description="What the attacker puts each name into."
    )
    names: int = Field(gt=0, description="Names on the list.")
    within: int = Field(gt=0, description="Counted when the right name is among this many nearest.")
    share: float = Field(ge=0, le=1, description="Share of texts.")
    low: float = Field(ge=0, le=1, description="Low end of Wilson's 95% interval.")
    high: float = Field(ge=0, le=1, description="High end of it.")
    n: int = Field(gt=0, description="Texts.")


class LearningRow(Row, table="measured/retrieval_learning", key=("tuned", "pairs_from", "pairs")):
    """What labelled pairs of the development part gain on the report part, against the same without them."""

    tuned: Text = Field(description="What was trained; the gain is over its first stage, untrained.")
    pairs: int = Field(ge=0, description="Pairs of a question or title with its passage.")
    pairs_from: Literal["labelled", "titles", "both"] = Field(description="Where the pairs come from.")
    seeds: int = Field(gt=0, description="Random choices of the pairs whose results were averaged.")
    ndcg_at_10: float = Field(ge=0, le=1, description="Mean nDCG at 10 on the report part.")
    gain: float = Field(ge=-1, le=1, description="Difference in it.")
    low: float = Field(ge=-1, le=1, description="Low end of the 95% interval.")
    high: float = Field(ge=-1, le=1, description="High end of the 95% interval.")
    wins: int = Field(ge=0, description="Questions that gained.")
    losses: int = Field(ge=0, description="Questions that lost.")
    n: int = Field(gt=0, description="Questions.")
    projects: int = Field(gt=0, description="Projects that they come from.")


class EncoderRow(LearningRow, table="measured/retrieval_encoder", key=("tuned", "pairs_from", "pairs")):
    """The same for MiniLM itself: all layers of the side that reads the question, fine-tuned."""


class EncoderSettingRow(Row, table="measured/retrieval_encoder_settings", key=("rate",)):
    """What a learning rate found on development projects that the training did not see; 0 is no training."""

    rate: float = Field(ge=0, description="Learning rate.")
    epochs: int = Field(ge=0, description="Passes over the pairs.")
    pairs: int = Field(ge=0, description="Labelled pairs of the other development projects.")
    ndcg_at_10: float = Field(ge=0, le=1, description="Mean nDCG at 10.")
    n: int = Field(gt=0, description="Questions.")
    projects: int = Field(gt=0, description="Projects that they come from.")


class ChunkingRow(Row, table="measured/retrieval_chunking", key=("words", "overlap", "method", "bits", "k")):
    """What reading k passages finds on the report part, by passage size, method and bits of a vector."""

    words: int = Field(gt=0, description="Most words in a passage.")
    overlap: int = Field(ge=0, description="Words repeated from the passage before.")
    method: Text = Field(description="First stage, then what reorders how many of its candidates.")
    bits: int = Field(ge=0, description="Bits a dimension of the stored vectors; 0 without vectors.")
    k: int = Field(gt=0, description="Passages read.")
    found_share: float = Field(ge=0, le=1, description="Questions of which an answering passage was read.")
    low: float = Field(ge=0, le=1, description="Low end of its 95% interval.")
    high: float = Field(ge=0, le=1, description="High end of its 95% interval.")
    recall: float = Field(ge=0, le=1, description="Share of the answer's passages that were read.")
    recall_low: float = Field(ge=0, le=1, description="Low end of its 95% interval.")
    recall_high: float = Field(ge=0, le=1, description="High end of its 95% interval.")
    tokens_read: float = Field(ge=0, description="Mean word pieces of the passages read, a question.")
    passages: int = Field(gt=0, description="Passages in the index.")
    vector_bytes: int = Field(ge=0, description="Bytes of their vectors.")
    n: int = Field(gt=0, description="Questions; one with a very long answer is left out, so sizes differ.")
    projects: int = Field(gt=0, description="Projects that they come from.")


class GrowthRow(Row, table="measured/retrieval_growth", key=("store", "passages")):
    """What a store costs at a size, on one thread of a shared machine; CPU includes a server's."""

    store: Text = Field(description="Its name; MiniLM is the embedder.")
    passages: int = Field(gt=0, description="Passages in it.")
    version: str = Field(description="Version of the library.")
    load_cpu_seconds: float = Field(ge=0, description="CPU to load them all; for MiniLM to embed them.")
    load_wall_seconds: float | None = Field(ge=0, description="Wall time of it; other programs were running.")
    disk_mb: float | None = Field(ge=0, description="Its files, in MB of 10^6 bytes.")
    find_cpu_ms: float | None = Field(ge=0, description="CPU to find ten, mean over 50 questions.")
    find_wall_ms: float | None = Field(ge=0, description="Wall time of it.")
    add_cpu_ms: float = Field(ge=0, description="CPU to add one passage, or to embed it.")
    add_wall_ms: float | None = Field(ge=0, description="Wall time of it.")
    remove_cpu_ms: float | None = Field(ge=0, description="CPU to remove it.")
    changes: int | None = Field(gt=0, description="Passages added and removed; times are means over them.")
    added_are_found: bool | None = Field(description="Whether each was among the ten nearest to itself.")
    removed_are_gone: bool | None = Field(description="Whether none was after its removal.")
    memory_mb: float | None = Field(description="Memory of its processes with it open, less that without.")
    overlap_with_exact: float | None = Field(
        ge=0, le=1, description="Share of the ten nearest by exact search that it found; blank for keywords."
    )


class GeneratedRow(Row, table="measured/retrieval_generated", key=("question", "condition")):
    """What SmolLM2-135M answered from five numbered sentences, and what a rule made of its citation."""

    question: Text = Field(description="As in retrieval_questions.csv.")
    condition: Literal["as indexed", "answer removed"] = Field(
        description="Whether the passages that answer the question were in the index."
    )
    abstained: bool = Field(description="Whether it said that it does not know.")
    sentence: int | None = Field(ge=1, le=5, description="The number that it named; blank if it named none.")
    cited: str = Field(description="Id of that sentence's passage.")
    supports: bool = Field(description="Whether that passage is one that answers the question.")
    words_from_sentence: float = Field(
        ge=0, le=1, description="Share of its words, stems without stop words, that the sentence holds."
    )
    supports_by_chance: float = Field(
        ge=0,
        le=1,
        description="Share of the shown sentences whose passage answers: what a blind choice gets.",
    )
    prompt_tokens: int = Field(gt=0, description="Tokens of the prompt.")
    answer_tokens: int = Field(gt=0, description="Tokens that it wrote.")
    cpu_seconds: float = Field(ge=0, description="CPU of both, on one thread.")
    judge: Text = Field(description="Who or what judged.")


class CitationRow(Row, table="measured/retrieval_citations", key=("question", "condition")):
    """The passage that the extractive answerer cited for a report question, and what a rule made of it."""

    question: Text = Field(description="As in retrieval_questions.csv.")
    condition: Literal["as indexed", "answer removed"] = Field(
        description="Whether the passages that answer the question were in the index."
    )
    cited: str = Field(description="Id of the cited passage; blank if it abstained.")
    sentence_sha256: Text = Field(description="SHA-256 of the sentence that it quoted.")
    confidence: float = Field(ge=-1, le=1, description="Cosine of question and sentence.")
    supports: bool = Field(description="Whether the cited passage is one that answers the question.")
    gold_was_read: bool = Field(description="Whether such a passage was among those read.")
    judge: Text = Field(description="Who or what judged.")


def citations(condition: str) -> tuple[CitationRow, ...]:
    """What was cited with the answers in the index ("as indexed") or taken out ("answer removed")."""
    return tuple(row for row in load("measured/retrieval_citations") if row.condition == condition)


def generated(condition: str) -> tuple[GeneratedRow, ...]:
    """What the small model answered and cited, in one of the two conditions of `citations`."""
    return tuple(row for row in load("measured/retrieval_generated") if row.condition == condition)


def generated_answers() -> dict[tuple[str, str], str]:
    """What the small model wrote, by question and condition."""
    raw = (DATA / "measured" / "retrieval_generated.json.gz").read_bytes()
    lines = json.loads(gzip.decompress(raw))
    return {(line["question"], line["condition"]): line["answer"] for line in lines}


def learning(tuned: str | None = None) -> tuple[LearningRow, ...]:
    """The learning curves, or one of them."""
    rows = cast(
        tuple[LearningRow, ...], load("measured/retrieval_learning") + load("measured/retrieval_encoder")
    )
    return tuple(row for row in rows if tuned in (None, row.tuned))


def encoder_settings() -> tuple[EncoderSettingRow, ...]:
    """What each learning rate found on held-out development projects, no training first."""
    return cast(tuple[EncoderSettingRow, ...], load("measured/retrieval_encoder_settings"))


def chunking() -> tuple[ChunkingRow, ...]:
    """What was found, and how many tokens were read, by passage size, method, bits and passages read."""
    return cast(tuple[ChunkingRow, ...], load("measured/retrieval_chunking"))


def growth(store: str) -> tuple[GrowthRow, ...]:
    """What a store cost at each size, smallest first. Raises DataError for one that was not measured."""
    rows = cast(tuple[GrowthRow, ...], load("measured/retrieval_growth"))
    if not (found := [row for row in rows if row.store == store]):
        raise DataError(
            f"store = {store!r}: must be one of {', '.join(dict.fromkeys(r.store for r in rows))}"
        )
    return tuple(sorted(found, key=lambda row: row.passages))


def methods(part: Part = "report", measure: str = "nDCG@10") -> tuple[MethodRow, ...]:
    """Every method of a part by one measure, best first."""
    rows = cast(tuple[MethodRow, ...], load("measured/retrieval_methods"))
    chosen = [row for row in rows if row.part == part and row.measure == measure]
    return tuple(sorted(chosen, key=lambda row: -row.value))


def method(name: str, part: Part = "report", measure: str = "nDCG@10") -> MethodRow:
    """One method by one measure. Raises DataError for a name that was not measured."""
    found = [row for row in methods(part, measure) if row.method == name]
    if not found:
        raise DataError(
            f"method = {name!r}: must be one of {', '.join(row.method for row in methods(part, measure))}"
        )
    return found[0]


def comparisons(kind: str | None = None) -> tuple[ComparisonRow, ...]:
    """The paired differences, or those of one kind."""
    rows = cast(tuple[ComparisonRow, ...], load("measured/retrieval_comparisons"))
    return tuple(row for row in rows if kind in (None, row.kind))


def comparison(name: str, part: Part = "report") -> ComparisonRow:
    """One paired difference. Raises DataError for a name that is not there."""
    found = [row for row in comparisons() if row.id == name and row.part == part]
    if not found:
        raise DataError(f"comparison = {name!r}: must be one of {', '.join(row.id for row in comparisons())}")
    return found[0]


def by_depth(
    stage: Literal["late interaction", "LambdaMART"], first: str = "fusion"
) -> tuple[tuple[int, MethodRow], ...]:
    """nDCG at 10 on the report part by how many candidates were reordered: (depth, row), shallow first."""
    start = f"{first} > {stage} @"
    found = [(int(row.method.removeprefix(start)), row) for row in methods() if row.method.startswith(start)]
    return tuple(sorted(found, key=lambda pair: pair[0]))


def latency() -> tuple[LatencyRow, ...]:
    """Time of each stage."""
    return cast(tuple[LatencyRow, ...], load("measured/retrieval_latency"))


def keyword_tools(scope: str = "all projects") -> tuple[KeywordToolsRow, ...]:
    """Scripted grep beside BM25 and dense search, by tokens read."""
    return tuple(row for row in load("measured/retrieval_keyword_tools") if row.scope == scope)


def reading(method: str, steps: int, scope: str = "all projects") -> KeywordToolsRow:
    """What a way of reading found after so many rounds or passages. Raises DataError if it was not tried."""
    found = [row for row in keyword_tools(scope) if (row.method, row.steps) == (method, steps)]
    if not found:
        tried = ", ".join(f"{row.method} {row.steps}" for row in keyword_tools(scope))
        raise DataError(f"method, steps = {method!r}, {steps}: must be one of {tried}")
    return found[0]


def left(row: DeletionRow) -> tuple[str, ...]:
    """What a store still has of an item after a step, in words; empty if the audit found nothing."""
    held = {
        "the text": row.text_on_disk,
        "a rare word of it": row.word_on_disk,
        "its vector": row.vector_on_disk,
        "an earlier version with it": row.old_version_has_it,
        "search finds it": row.search_finds_it,
    }
    return tuple(words for words, has in held.items() if has)


def deletion(store: str | None = None) -> tuple[DeletionRow, ...]:
    """The deletion audit, or one store's steps."""
    return tuple(row for row in load("measured/deletion") if store in (None, row.store))


def purged_by(store: str) -> DeletionRow | None:
    """The first step after which neither a file nor search has anything of the item, if there is one."""
    for row in deletion(store):
        if row.step and row.worked and not left(row):
            return row
    return None


def deletion_places(store: str) -> tuple[DeletionPlaceRow, ...]:
    """The files in which a store kept the deleted item."""
    return tuple(row for row in load("measured/deletion_places") if row.store == store)


def recovery() -> tuple[RecoveryRow, ...]:
    """What a vector alone gives away."""
    return cast(tuple[RecoveryRow, ...], load("measured/deletion_recovery"))


def run_record(stage: str) -> dict[str, Any]:
    """Commit, date, machine, versions, hashes, seed and CPU-seconds of a stage's run.

    Raises DataError for a stage that has not run.
    """
    file = DATA / "measured" / f"retrieval_run_{stage}.json"
    if not file.exists():
        raise DataError(f"stage = {stage!r}: has no run record; must be one of {', '.join(RUN_STAGES)}")
    return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))


def answers() -> dict[str, Any]:
    """Every report question with what each main method ranked, for the answer browser: titles and places."""
    raw = (DATA / "measured" / ANSWERS).read_bytes()
    return cast(dict[str, Any], json.loads(gzip.decompress(raw)))
