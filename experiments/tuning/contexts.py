"""Which passages stand beside a question, for each quality of retrieval: by BM25 over the collection."""

import random
from collections.abc import Sequence

import bm25s

from ragvsft.tuning.lora.prompts import Retrieval

LEVELS: tuple[Retrieval, ...] = ("gold", "first-of-three", "third-of-five", "five-near-misses", "none")


class Collection:
    """The passages of a world, searchable: name to text."""

    def __init__(self, passages: dict[str, str]) -> None:
        self.passages = passages
        self.names = list(passages)
        self._index = bm25s.BM25()
        tokens = bm25s.tokenize(list(passages.values()), stopwords=None, show_progress=False)
        self._index.index(tokens, show_progress=False)

    def ranked(self, query: str) -> list[str]:
        """Every name, best passage first."""
        tokens = bm25s.tokenize([query], stopwords=None, show_progress=False)
        found, _ = self._index.retrieve(tokens, k=len(self.names), show_progress=False)
        return [self.names[int(k)] for k in found[0]]

    def beside(self, subject: str, retrieval: Retrieval) -> tuple[list[str], int | None]:
        """The passages in the prompt, and the number of the golden one from 1 (None if it is not there).

        Near misses are what BM25 ranks next for the name. All questions about a person get the same passages.
        """
        others = [name for name in self.ranked(subject) if name != subject]
        if retrieval.endswith("-random"):
            shared = set(subject.split())
            strangers = [n for n in sorted(self.names) if not shared & set(n.split())]
            others = random.Random(f"strangers {subject}").sample(strangers, 5)
        names: Sequence[str] = {
            "none": [],
            "gold": [subject],
            "first-of-three": [subject, *others[:2]],
            "third-of-five": [*others[:2], subject, *others[2:4]],
            "five-near-misses": others[:5],
            "third-of-five-random": [*others[:2], subject, *others[2:4]],
            "five-random": others[:5],
        }[retrieval]
        return [self.passages[n] for n in names], names.index(subject) + 1 if subject in names else None
