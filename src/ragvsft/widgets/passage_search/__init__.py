"""A search box over the book's own passages, run on the reader's machine: keywords, vectors, and both fused.

The page carries the box alone. On focus `passage_search.js` loads `lexical.js` and the passages
(`passages.js`, which the site's build wrote); on a click, if `make demo` made them, the model and the vectors
for a worker, `minilm.js`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ragvsft.widgets.calculator import MIME
from ragvsft.widgets.templates import json_island, render

PASSAGES_IN_PROMPT = 5
LONGEST_QUERY = 4_000
"""Characters, as in the pipeline."""


@dataclass(frozen=True)
class PassageSearch:
    """The box, with questions to start from. `price` is the id of the calculator that prices the prompt.

    That calculator has inputs prompt_tokens and output_tokens, a select model and an output query (USD).
    """

    examples: tuple[str, ...]
    price: str
    title: str = "Ask this book"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {
            MIME: {"html": self.html()},
            "text/plain": f"{self.title}: a search box, which runs in the built book's own page",
        }

    def html(self) -> str:
        """The box for a page that carries calculator.js and passage_search.js."""
        settings = {"price": self.price, "inPrompt": PASSAGES_IN_PROMPT, "longest": LONGEST_QUERY}
        return render("passage_search/passage_search.html", search=self, settings=json_island(settings))
