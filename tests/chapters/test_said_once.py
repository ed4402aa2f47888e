"""Everything is said once: no sentence of prose stands in two places of the book."""

import json
import re
from collections import defaultdict

from ragvsft.prose import root
from ragvsft.tools import lint

WORDS = 8
"""A sentence shorter than this is a label or a link, and may return."""


def test_no_sentence_is_said_twice() -> None:
    said = defaultdict(list)
    for path in lint.notebooks(root()):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for sentence in re.split(r"(?<=[.!?])\s+|\n", "".join(cell["source"])):
                    if len(re.findall(r"[A-Za-z’']+", sentence)) >= WORDS:
                        said[sentence.strip("-*| ")].append(f"{path.stem}: {cell['id']}")
    assert {sentence: places for sentence, places in said.items() if len(places) > 1} == {}
