"""The functions that recompute the ledger's values, one for each claim that can be recomputed.

Each takes nothing and returns the value in the claim's unit, or (value, low, high). The prices are the newest
committed ones, so a new price that contradicts a claim fails the ledger's test.
"""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ragvsft.costs.formulas import (
    corpus_tokens,
    rerank_usd_per_query,
    tokens_usd,
)
from ragvsft.costs.formulas import (
    dataset_usd as dataset_cost_usd,
)
from ragvsft.data import load
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evaluation.growth import power_law
from ragvsft.evidence.ledger import Claim, ledger
from ragvsft.evidence.published import record, results, static_cells
from ragvsft.prices import rates
from ragvsft.retrieval import formulas as capacity
from ragvsft.retrieval import results as retrieval
from ragvsft.tuning import results as tuning

SOURCE_MODEL, SMALL_MODEL = "claude-sonnet-4-6", "claude-haiku-5-5"
QUERY_TOKENS, PROMPT_TOKENS, ANSWER_TOKENS = 150, 10_000, 500
CANDIDATES, TOKENS_PER_CHUNK = 50, 500
TEN_MILLION, TOKENS_PER_DOCUMENT = 10_000_000, 1_000

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Check:
    """What a claim's check returned, beside the ledger's row."""

    claim: Claim
    recomputed: tuple[float, ...]

    @property
    def agrees(self) -> bool:
        """Whether value (and low and high, where the check returns them) agree to a relative 1e-9."""
        stated = (self.claim.value, self.claim.low, self.claim.high)
        return all(
            expected is not None and math.isclose(found, expected, rel_tol=1e-9)
            for found, expected in zip(self.recomputed, stated, strict=False)
        )


def run_checks() -> tuple[Check, ...]:
    """Recompute every claim that names a check."""
    return tuple(Check(row, _recompute(row.check)) for row in ledger() if row.check)


def _recompute(dotted: str) -> tuple[float, ...]:
    module, _, name = dotted.partition(":")
    function = cast(Callable[[], float | tuple[float, ...]], getattr(importlib.import_module(module), name))
    result = function()
    return result if isinstance(result, tuple) else (result,)


def embedding_usd_per_mtok() -> float:
    """The list price of text-embedding-3-large."""
    return rates("text-embedding-3-large")["usd_per_mtok"].value


def sonnet_input_usd_per_mtok() -> float:
    """The input price of the source document's model."""
    return _llm(SOURCE_MODEL, "input")


def rerank_usd_per_search() -> float:
    """The price of one search with the reranker that the source document's price fits."""
    return rates("cohere-rerank-v3.5")["usd_per_search"].value


def embed_query_usd() -> float:
    """Embedding the source document's query."""
    return float(tokens_usd(QUERY_TOKENS, embedding_usd_per_mtok()))


def rerank_query_usd() -> float:
    """Reranking the source document's 50 candidates."""
    return float(rerank_usd_per_query(CANDIDATES, TOKENS_PER_CHUNK, QUERY_TOKENS, rerank_usd_per_search(), 0))


def llm_query_usd() -> float:
    """Reading the source document's prompt."""
    return float(tokens_usd(PROMPT_TOKENS, sonnet_input_usd_per_mtok()))


def rag_query_usd() -> float:
    """The source document's whole query, as it counts: no answer tokens."""
    return embed_query_usd() + rerank_query_usd() + llm_query_usd()


def omitted_output_usd() -> float:
    """The answer that the source document leaves out."""
    return float(tokens_usd(ANSWER_TOKENS, _llm(SOURCE_MODEL, "output")))


def rerank_share_on_small_model(answer_tokens: float = ANSWER_TOKENS) -> float:
    """Reranking as a share of the same query when a small model writes this many answer tokens."""
    model_usd = tokens_usd(PROMPT_TOKENS, _llm(SMALL_MODEL, "input"))
    model_usd += tokens_usd(answer_tokens, _llm(SMALL_MODEL, "output"))
    return rerank_query_usd() / float(embed_query_usd() + rerank_query_usd() + model_usd)


def dataset_usd() -> float:
    """The base case's examples at the base case's price."""
    base = {row.name: row.base for row in load("assumptions")}
    return float(dataset_cost_usd(base["training_examples"], base["usd_per_example"]))


def three_hours_on_one_gpu_usd() -> float:
    """The source document's longest run on one of Lambda's H100s."""
    return 3 * rates("lambda-h100-sxm")["usd_per_hour"].value


def prompt_cut_to_break_even() -> float:
    """Share of the prompt to cut before a tuned model's dearer input tokens cost no more."""
    tuned = rates("openai-ft-gpt-4.1-mini")["input_usd_per_mtok"].value
    return 1 - _llm("gpt-4.1-mini", "input") / tuned


def index_ten_million_documents_usd() -> float:
    """Embedding ten million documents of a thousand tokens once."""
    return float(tokens_usd(corpus_tokens(TEN_MILLION, TOKENS_PER_DOCUMENT), embedding_usd_per_mtok()))


def train_ten_million_documents_usd() -> float:
    """One hosted pass over the same documents, with adapters on an open 8B model."""
    training = rates("tinker-qwen3-8b")["training_usd_per_mtok"].value
    return float(tokens_usd(corpus_tokens(TEN_MILLION, TOKENS_PER_DOCUMENT), training))


def both_beats_rag() -> Interval:
    """Share of cells in which retrieval with a fine-tune beat retrieval alone."""
    found = record(static_cells(), "both", against="rag")
    return found.share(found.wins)


def both_loses_to_rag() -> Interval:
    """Share of cells in which it did worse."""
    found = record(static_cells(), "both", against="rag")
    return found.share(found.losses)


def rag_beats_fine_tuning() -> Interval:
    """Share of cells in which retrieval beat fine-tuning."""
    found = record(static_cells(), "rag", against="fine_tuned")
    return found.share(found.wins)


def new_facts_rag() -> float:
    """Mistral 7B on current events with retrieval."""
    return _new_facts("rag")


def new_facts_fine_tuned() -> float:
    """Mistral 7B on current events after training on the raw text."""
    return _new_facts("fine_tuned")


def new_facts_paraphrased() -> float:
    """Mistral 7B on current events after training on paraphrases."""
    return _new_facts("fine_tuned_paraphrases")


def not_fine_tuned() -> Interval:
    """The survey's share with the interval that its sample size gives."""
    survey = next(row for row in load("surveys") if row.id == "langchain-not-fine-tuned")
    low, high = wilson_interval(round(survey.share * survey.n), survey.n)
    return survey.share, float(low), float(high)


def prefill_penalty_ms() -> float:
    """What 4,500 more prompt tokens added to the first token's wait."""
    waits = {row.id: row.value or 0 for row in ledger()}
    return waits["first-token-long-prompt"] - waits["first-token-short-prompt"]


def contextual_embedding_gain_points() -> float:
    """Points of recall at ten that contextual embeddings added to plain ones."""
    return 100 * (_recall_at_ten("contextual embeddings") - _recall_at_ten("plain embeddings"))


def reranking_gain_points() -> float:
    """Points of recall at ten that reranking added to contextual embeddings."""
    return 100 * (_recall_at_ten("contextual embeddings + rerank") - _recall_at_ten("contextual embeddings"))


def measured_fusion_lift_points() -> Interval:
    """Points of nDCG at ten that fusing keywords with vectors added to vectors alone, in our own run."""
    return _lift("fusion-over-dense")


def measured_late_interaction_lift_points() -> Interval:
    """The same for untrained late interaction over the 50 best of the fusion, against the fusion."""
    return _lift("late-interaction-over-fusion")


def measured_lambdamart_lift_points() -> Interval:
    """The same for LambdaMART over the 50 best of the fusion, against dense search."""
    return _lift("lambdamart-over-dense")


def measured_thirty_pairs_points() -> Interval:
    """The same for LambdaMART trained on the fewest labelled pairs tried, against the fusion."""
    return _learnt("LambdaMART over fusion", min)


def measured_retriever_map_points() -> Interval:
    """The same for a linear map of the question's vector, from all labelled pairs, against dense search."""
    return _learnt("linear map of the question", max)


def measured_encoder_points() -> Interval:
    """The same for MiniLM's question side, fine-tuned on all labelled pairs, against dense search."""
    return _learnt("MiniLM's question side", max)


def measured_five_read_recall() -> Interval:
    """Share of the answer's passages among five of dense search, vectors of 32 bits a dimension."""
    return _passages_read("dense", 32, 5)


def measured_one_bit_recall() -> Interval:
    """The same with one bit a dimension."""
    return _passages_read("dense", 1, 5)


def measured_most_recall() -> Interval:
    """The same among twenty of LambdaMART over the fusion: the most that any combination read."""
    return _passages_read("fusion > LambdaMART @50", 32, 20)


def measured_embedding_cpu_ms() -> float:
    """CPU to embed one passage, in milliseconds."""
    return retrieval.growth("MiniLM")[0].add_cpu_ms


def measured_keyword_index_again_seconds() -> Interval:
    """CPU-seconds to make the keyword index of a million passages anew, by the fit over five sizes."""
    rows = retrieval.growth("bm25s")
    at = power_law([row.passages for row in rows], [row.add_cpu_ms / 1_000 for row in rows]).at(1e6)
    return at.value, at.low, at.high


def measured_hnsw_memory_ratio() -> float:
    """Memory of hnswlib at its largest size over that of the capacity rule with a search graph."""
    row = retrieval.growth("hnswlib")[-1]
    links = next(link.value for link in load("claims") if link.id == "hnsw-links")
    ruled = capacity.vector_memory_gb(row.passages, 384, 32) + capacity.graph_memory_gb(row.passages, links)
    return float((row.memory_mb or 0) / (1_000 * ruled))


def measured_small_model_citations() -> Interval:
    """Share of the small model's answers whose cited passage answers the question."""
    rows = retrieval.generated("as indexed")
    return _of(sum(row.supports for row in rows), len(rows))


def measured_small_model_abstains() -> Interval:
    """Share of questions with their answer taken out of the index to which it says that it does not know."""
    rows = retrieval.generated("answer removed")
    return _of(sum(row.abstained for row in rows), len(rows))


def measured_bm25_recall() -> Interval:
    """Recall at ten of BM25 on the report part."""
    return _recall("BM25")


def measured_dense_recall() -> Interval:
    """Recall at ten of dense search on the report part."""
    return _recall("dense")


def measured_search_cpu_ms() -> float:
    """Medians of the stages of one fused search added up, in milliseconds of CPU."""
    found = {row.stage: row.cpu_ms_p50 for row in retrieval.latency()}
    return sum(found[stage] for stage in retrieval.SEARCH_STAGES)


def measured_keyword_tools_found() -> Interval:
    """Share of questions of which the scripted keyword tools read an answer within all their rounds."""
    return _found("keyword tools", 4)


def measured_keyword_tools_tokens() -> Interval:
    """Tokens that they read for a question."""
    row = retrieval.reading("keyword tools", 4)
    return row.tokens_read, row.tokens_low, row.tokens_high


def measured_bm25_five_found() -> Interval:
    """Share of questions of which BM25's five best passages hold an answer."""
    return _found("BM25", 5)


def measured_dense_five_found() -> Interval:
    """Share of questions of which the five best passages of dense search hold an answer."""
    return _found("dense", 5)


def measured_stores_that_keep() -> float:
    """Share of the stores tried that still hold something of an item after its deletion."""
    deleted = [row for row in retrieval.deletion() if row.step == 1]
    return sum(bool(retrieval.left(row)) for row in deleted) / len(deleted)


def measured_names_recovered() -> Interval:
    """Share of texts whose name a list of names gave back from one bit a dimension of the vector."""
    row = next(
        row
        for row in retrieval.recovery()
        if (row.vector, row.attacker_guesses, row.within) == ("1 bit a dimension", "name alone", 1)
    )
    return row.share, row.low, row.high


def _lift(comparison: str) -> Interval:
    row = retrieval.comparison(comparison)
    return 100 * row.difference, 100 * row.low, 100 * row.high


def _learnt(tuned: str, which: Callable[..., retrieval.LearningRow]) -> Interval:
    labelled = [row for row in retrieval.learning(tuned) if row.pairs_from == "labelled"]
    row = which(labelled, key=lambda row: row.pairs)
    return 100 * row.gain, 100 * row.low, 100 * row.high


def _passages_read(method: str, bits: int, k: int) -> Interval:
    wanted = (180, 0, method, bits, k)
    row = next(r for r in retrieval.chunking() if (r.words, r.overlap, r.method, r.bits, r.k) == wanted)
    return row.recall, row.recall_low, row.recall_high


def _of(right: int, n: int) -> Interval:
    low, high = wilson_interval(right, n)
    return right / n, float(low), float(high)


def _recall(method: str) -> Interval:
    row = retrieval.method(method, measure="R@10")
    return row.value, row.low, row.high


def _found(method: str, steps: int) -> Interval:
    row = retrieval.reading(method, steps)
    return row.found_share, row.low, row.high


def tuned_facts_closed_book() -> Interval:
    """New facts answered closed-book after training on them, in our experiment."""
    return _share("facts", "new", "none")


def untuned_facts_with_passage() -> Interval:
    """New facts answered by the same model, untuned, with the right passage alone."""
    return _share("base", "new", "gold")


def untuned_facts_among_five() -> Interval:
    """The same with four near misses beside the passage."""
    return _share("base", "new", "third-of-five")


def formatted_facts_with_passage() -> Interval:
    """The same with the right passage alone, after training on format with context."""
    return _share("format", "new", "gold")


def lost_following_points() -> Interval:
    """Points of following the passage on a changed fact that training on facts costs, paired by seed."""
    return _points(("facts", "changed", "gold"), ("base", "changed", "gold"))


def forgotten_points() -> Interval:
    """Points of known capitals, closed-book, that training on facts costs, paired by seed."""
    return _points(("facts", "known", "none"), ("base", "known", "none"))


def format_abstains() -> Interval:
    """Abstentions beside five near misses, of the adapter trained to abstain."""
    return _share("format", "unseen", "five-near-misses", "abstained")


def mixture_facts_closed_book() -> Interval:
    """New facts answered without documents after training on facts, format and old facts mixed."""
    return _share("mixture", "new", "none")


def mixture_known_facts() -> Interval:
    """Known capitals answered after the same training."""
    return _share("mixture", "known", "none")


def one_wording_closed_book() -> Interval:
    """New facts answered without documents after training on one wording of each, as many steps."""
    return _share("facts-1-rewrite-same-steps", "new", "none")


def outdated_after_three_rounds() -> Interval:
    """Answers with a value from the past, three rounds of changes after training."""
    found = tuning.after_round(3, "left-alone", mark="outdated")
    return found.mean, found.low, found.high


def training_again_over_index_update() -> float:
    """CPU-seconds to train again, over those to embed the changed passages, for one round of changes."""
    return tuning.update_seconds("trained-again") / tuning.update_seconds("index")


def _share(
    condition: str, questions: tuning.Questions, level: tuning.Level, mark: tuning.Mark = "correct"
) -> Interval:
    found = tuning.estimate(condition, questions, level, mark)
    return found.mean, found.low, found.high


def _points(
    first: tuple[str, tuning.Questions, tuning.Level], second: tuple[str, tuning.Questions, tuning.Level]
) -> Interval:
    found = tuning.compare(first, second).difference
    return 100 * found.mean, max(-100.0, 100 * found.low), min(100.0, 100 * found.high)


def _llm(model: str, direction: str) -> float:
    return rates(model)[f"{direction}_usd_per_mtok"].value


def _new_facts(arm: str) -> float:
    return float(next(getattr(row, arm) for row in load("ovadia_table2") if row.model == "Mistral 7B"))


def _recall_at_ten(condition: str) -> float:
    rows = results("anthropiccookbook")
    return next(row.value for row in rows if (row.metric, row.condition) == ("recall at 10", condition))
