"""Glossary terms, linked where a page first uses them; the definition comes with the link."""

from __future__ import annotations

import re
from posixpath import dirname, relpath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from ragvsft.data import load
from ragvsft.evidence.connections import anchor

PAGE = "chapters/reference/glossary"
NOT_PROSE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
    nodes.math,
    nodes.thead,
)


def setup(app: Sphinx) -> None:
    app.add_transform(LinkTerms)


def pattern(terms: list[str]) -> re.Pattern[str]:
    """Matches any term as a whole word, the longest first, with a plural s. Acronyms keep their capitals."""
    longest_first = sorted(terms, key=lambda term: (-len(term), term))
    words = "|".join(
        re.escape(term) if any(map(str.isupper, term[1:])) else f"(?i:{re.escape(term)})"
        for term in longest_first
    )
    return re.compile(rf"(?<![\w-])({words})s?(?![\w-])")


class LinkTerms(SphinxTransform):
    """Link each term of the glossary once a page, in prose only."""

    default_priority = 110

    def apply(self, **kwargs: Any) -> None:
        if self.env.docname == PAGE or PAGE not in self.env.found_docs:
            return
        rows = {row.term.lower(): row for row in load("glossary")}
        terms = {key: row.term for key, row in rows.items()}
        unused = set(terms)
        matcher = pattern([*terms.values()])
        page = relpath(PAGE, dirname(self.env.docname) or ".") + ".ipynb"
        for text in list(self.document.findall(nodes.Text)):
            if not _is_prose(text):
                continue
            parts: list[nodes.Node] = []
            end = 0
            for match in matcher.finditer(text):
                key = match[1].lower()
                if key not in unused:
                    continue
                unused.remove(key)
                parts += [
                    nodes.Text(text[end : match.start()]),
                    nodes.reference(
                        "",
                        match[0],
                        refuri=f"{page}#{anchor(terms[key])}",
                        classes=["term"],
                        reftitle=rows[key].definition,
                    ),
                ]
                end = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def _is_prose(text: nodes.Text) -> bool:
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, NOT_PROSE) or "label" in node["classes"]:
            return False
        in_paragraph = in_paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph
