"""No number is typed into prose: which sentences the lint stops, and which it lets pass."""

import json
import re
from pathlib import Path

import pytest

from ragvsft.data import DATA
from ragvsft.evidence.ledger import Claim, ledger
from ragvsft.prose import chapter_path, root
from ragvsft.tools import lint

TYPED = [
    "A query costs $0.03.",
    r"A query costs \$0.03.",
    "It is about USD 12,345 a year.",
    "The bill is 12 dollars a month.",
    "Labels cost $500-5,000.",
    "Some spend €40 on it.",
    "57% of teams do not fine-tune.",
    "Between 50 and 80% of the prompt goes.",
    "Fifty-seven per cent said no.",
    "It gained 5.7 percentage points.",
    "It runs 10× faster.",
    "The tuned model costs two times the base price.",
    "Prices fell by thirty percent.",
    "Retrieval adds 200 ms.",
    "Retrieval adds 100–200 ms to a call.",
    "The prompt has 10,000 tokens.",
    "The prompt has 10K tokens.",
    "Ten thousand tokens fit.",
    "A 4,000-token prefix is cached.",
    "Training takes three hours.",
    "It needs 48 GB of memory.",
    "Rebuild it after six months.",
    "It serves a million queries.",
    "It serves 5 queries a second.",
    "The corpus has 10 million documents.",
    "A dozen dollars will do.",
    "It took 12 million dollars.",
    "You rent four GPUs.",
    "Label a thousand examples.",
    "The answer comes after two seconds.",
    "It read fifty passages.",
    "A tenth of the cells differ.",
    "Prices fall twice a year.",
    "It is rebuilt within the hour.",
    "It gained two points.",
    "On 7 May 2026 the first door closed.",
    "See the 2024 survey.",
    "Step 3 of 5.",
]

FREE = [
    "RAG manages knowledge; fine-tuning shapes behaviour.",
    "There are three questions to ask first.",
    "Use Claude Sonnet 4.6 or Qwen3-8B.",
    "The code is `usd(0.03)` and prints a price.",
    "```python\nprice = 0.03  # $0.03 per query, 10 tokens\n```",
    "The sum is $x + 0.03$ in the model's terms.",
    "$$C = 12\\,\\text{months} \\times v$$",
    "## What 10,000 tokens cost",
    "Python 3.11 is enough.",
    "Chapter 2 has the details.",
    "Ask it of two colleagues.",
    "Tokens are the unit of the bill.",
    "A query costs more than it seems.",
    "The price of a token differs by model.",
    "One document can be deleted.",
    "The second month is cheaper.",
    "See [the price](../cost/cost-comparison.ipynb#10-tokens).",
    "Percentages are of all cells.",
    "BM25 was the best retriever.",
    "Two options cross more than once.",
    "Half of what you read about this is wrong.",
    "Days later the model was retired.",
    "Prices are per million tokens.",
    "Shares with 95% intervals over seeds.",
    "1. First, write questions.",
]


@pytest.mark.parametrize("sentence", TYPED)
def test_a_typed_number_is_stopped(sentence: str) -> None:
    assert lint.typed_numbers(sentence)


@pytest.mark.parametrize("sentence", FREE)
def test_other_text_passes(sentence: str) -> None:
    assert lint.typed_numbers(sentence) == []


def notebook(path: Path, *cells: tuple[str, str]) -> Path:
    content = [{"cell_type": kind, "id": f"c{i}", "source": source} for i, (kind, source) in enumerate(cells)]
    path.write_text(json.dumps({"cells": content}))
    return path


def test_the_literal_text_of_say_is_prose_and_its_values_are_not(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "a.ipynb",
        ("markdown", "It costs $3.00."),
        ("code", 'price = "$4.00"\nsay(f"It costs {usd(cost)}, or $6.00 with {claim(\'x\')}% more.")'),
        ("code", 'say(table(("Price", "Use"), [("$7.00", "now")]))'),
    )
    assert [(finding.cell, finding.text) for finding in lint.check(path)] == [
        ("c0", "$3.00"),
        ("c1", "$6.00"),
        ("c2", "$7.00"),
    ]


def test_charts_and_modules_are_read_too(tmp_path: Path) -> None:
    chart = 'alt.Chart(x).properties(title="It won 28 cells")'
    module = tmp_path / "charts.py"
    module.write_text(
        f'"""Not 15 but 1,000."""\n{chart}\nNAMES = {{"at 50": "both, then 50 more of them"}}\n'
        'if name == "the 3 best of all":\n    raise ValueError("take 4 or more of them")\nfoot = count(248)\n'
    )
    assert [finding.text for finding in lint.check(module)] == ["50", "28", "count(248)"]
    assert [finding.text for finding in lint.check(notebook(tmp_path / "b.ipynb", ("code", chart)))] == ["28"]


@pytest.mark.parametrize("path", [*lint.notebooks(root()), *lint.modules(root())], ids=lambda path: path.stem)
def test_no_chapter_and_no_module_types_a_number(path: Path) -> None:
    assert [str(finding) for finding in lint.check(path)] == []


def other_tables() -> str:
    """Every table but the ledger itself: a rule or a matrix row may name the claim that it rests on."""
    return "\n".join(path.read_text("utf-8") for path in DATA.glob("*.csv") if path.stem != "claims")


@pytest.mark.parametrize("row", ledger(), ids=lambda row: row.id)
def test_every_claim_is_used(row: Claim) -> None:
    cells = json.loads(chapter_path(row.chapter).read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    in_chapter = re.search(rf"""["']{row.id}["']""", code)
    in_table = re.search(rf"(^|[,;]){row.id}([,;]|$)", other_tables(), re.MULTILINE)
    assert in_chapter or in_table, f"{row.chapter} never prints claim {row.id}"
