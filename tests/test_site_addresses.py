"""Addresses that were published once still answer."""

import json
from pathlib import Path

import pytest

from ragvsft import data
from ragvsft.book.exports import MOVED

FIRST_EDITION = [
    "cost/break-even",
    "cost/cost-comparison",
    "cost/latency",
    "cost/what-drives-the-cost",
    "decide/core-distinction",
    "decide/decision-matrix",
    "decide/evaluate-your-case",
    "decide/security-and-privacy",
    "decide/when-both",
    "decide/when-fine-tuning",
    "decide/when-rag",
    "evidence/claims",
    "evidence/key-facts",
    "evidence/open-questions",
    "evidence/quality-comparison",
    "evidence/the-57-percent",
    "fine-tuning/decision-framework",
    "fine-tuning/lora-qlora",
    "prompting/techniques",
    "rag/pipeline",
    "rag/reranking",
    "reference/about",
    "reference/bibliography",
    "reference/connections",
    "reference/data",
    "reference/glossary",
    "synthesis/llm-decision-guide",
]
"""The chapters of the first edition."""


@pytest.mark.parametrize("name", FIRST_EDITION)
def test_a_chapter_of_the_first_edition_stands_where_it_stood(name: str, site_dir: Path) -> None:
    for kind in ("html", "md", "ipynb"):
        assert (site_dir / "chapters" / f"{name}.{kind}").is_file()


@pytest.mark.parametrize("old", MOVED)
def test_a_table_that_is_gone_says_where_its_rows_went(old: str, site_dir: Path) -> None:
    assert old not in data.tables()
    moved_to = json.loads((site_dir / "data" / f"{old}.json").read_text("utf-8"))["moved_to"]
    assert json.loads((site_dir / "data" / moved_to).read_text("utf-8"))["rows"]
