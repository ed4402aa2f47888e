"""An answer with citations: sentences of the passages, or any OpenAI-compatible model if you have one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.chunk import sentences
from ragvsft.retrieval.pipeline.embed import Embedder, post_json
from ragvsft.retrieval.pipeline.store import Hit


@dataclass(frozen=True)
class Answer:
    """`text` with [1], [2] … for `citations`, the ids of passages. An abstention has neither."""

    text: str
    citations: tuple[str, ...]
    confidence: float
    abstained: bool


def extract(
    query: str, hits: Sequence[Hit], embedder: Embedder, sentence_count: int = 2, threshold: float = 0.0
) -> Answer:
    """The sentences of the passages nearest to the query, nearest first, each with its source.

    `confidence` is the cosine of the first one; below `threshold`, or without a passage, it abstains.
    Raises PipelineError for a sentence_count below 1 or a threshold outside -1 to 1.
    """
    if sentence_count < 1:
        raise PipelineError(f"sentence_count = {sentence_count}: must be at least 1")
    if not -1 <= threshold <= 1:
        raise PipelineError(f"threshold = {threshold}: must be from -1 to 1")
    said = [(s, hit.passage.id) for hit in hits for s in sentences(hit.passage.text) if len(s.split()) > 3]
    if not said:
        return Answer("", (), 0.0, True)
    vectors = embedder.embed([query, *(sentence for sentence, _ in said)])
    nearness = vectors[1:] @ vectors[0]
    order = np.argsort(-nearness, kind="stable")[:sentence_count]
    confidence = float(nearness[order[0]])
    if confidence < threshold:
        return Answer("", (), confidence, True)
    cited = list(dict.fromkeys(said[k][1] for k in order))
    text = " ".join(f"{said[k][0]} [{cited.index(said[k][1]) + 1}]" for k in order)
    return Answer(text, tuple(cited), confidence, False)


def prompt(query: str, hits: Sequence[Hit]) -> list[dict[str, str]]:
    """The messages that ask a model for an answer from these passages alone."""
    passages = "\n\n".join(f"[{k}] {hit.passage.text}" for k, hit in enumerate(hits, 1))
    rules = (
        "Answer from the numbered passages only, and end each sentence with the number of its passage, "
        "as in [1]. If they do not hold the answer, say: I do not know."
    )
    return [
        {"role": "system", "content": rules},
        {"role": "user", "content": f"{passages}\n\nQuestion: {query}"},
    ]


def ask_llm(messages: Sequence[dict[str, str]], max_tokens: int = 300, timeout_seconds: float = 120.0) -> str:
    """One answer of the OpenAI-compatible server of LLM_URL, by its model LLM_MODEL, at temperature 0.

    Nothing is sent unless you set LLM_URL. Raises PipelineError if it is not set, the server does not answer
    in time, or it answers without a text.
    """
    url = os.environ.get("LLM_URL", "").rstrip("/")
    if not url:
        raise PipelineError("LLM_URL: must name an OpenAI-compatible server, as http://127.0.0.1:8080/v1")
    body = {
        "model": os.environ.get("LLM_MODEL", "default"),
        "messages": list(messages),
        "max_tokens": max_tokens,
        "temperature": 0,
    }
    answer = post_json(f"{url}/chat/completions", body, timeout_seconds)
    try:
        return str(answer["choices"][0]["message"]["content"] or "")
    except (KeyError, IndexError, TypeError):
        raise PipelineError(f"LLM_URL = {url}: answered without choices[0].message.content") from None
