"""Keyword search: BM25 over stemmed words, and an exact search like grep's."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1, B = 1.5, 0.75
STOP_WORDS = frozenset(
    """
    a an and are as at be but by can do does for from had has have how i if in into is it its
    me my no not of on or our so such that the their then there these they this to was we were
    what when where which who why will with you your
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """Lower-case words of letters and digits, accents removed."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(bare.lower())


def terms(text: str) -> list[str]:
    """What BM25 counts: the words without stop words, cut to Porter's stems."""
    return [_stem(word) for word in words(text) if word not in STOP_WORDS]


@functools.cache
def _porter() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("porter")


@functools.lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_porter().stemWord(word))


@dataclass(frozen=True)
class Bm25:
    """An index of n texts. It has no delete: after a change it is made anew, which takes seconds at most."""

    index: Any
    size: int

    def scores(self, query: str, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """A score for each of the n texts; 0 for no common term and for a text that is not allowed."""
        known = [term for term in terms(query) if term in self.index.vocab_dict] if self.size else []
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        scores = np.asarray(self.index.get_scores(known), dtype=np.float32)
        return scores if allowed is None else np.where(allowed, scores, np.float32(0))


def bm25(texts: Sequence[str], k1: float = K1, b: float = B) -> Bm25:
    """BM25 as Lucene scores it. Texts without a term can never be found by it."""
    import bm25s

    index = bm25s.BM25(k1=k1, b=b, method="lucene")
    counted = [terms(text) for text in texts]
    if not any(counted):
        return Bm25(index, 0)
    index.index(counted, show_progress=False)
    return Bm25(index, len(texts))


def exact(pattern: str, texts: Sequence[str]) -> NDArray[np.int64]:
    """Positions of the texts that hold the words in this order, whatever their case and spacing."""
    wanted = re.compile(r"\s+".join(re.escape(part) for part in pattern.split()), re.IGNORECASE)
    return np.array([k for k, text in enumerate(texts) if wanted.search(text)], dtype=np.int64)
