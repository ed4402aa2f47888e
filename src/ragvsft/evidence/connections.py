"""How the chapters hang together: connections with reasons, backlinks, the map, and each chapter's ending."""

import functools
import json
import re
from typing import Any, cast

from pydantic import Field, create_model

from ragvsft.data import Row, Text, load
from ragvsft.evidence import bibliography
from ragvsft.prose import chapter_path, link, say, table


class Term(Row, table="glossary", key=("term",)):
    """A term of the field as this book uses it."""

    term: Text = Field(description="The term.")
    definition: Text = Field(description="What it means here.")
    see: Text = Field(description="The chapter that uses it most.")


_COLUMNS: dict[str, Any] = {
    "from": (Text, Field(description="The chapter that leads on.")),
    "to": (Text, Field(description="The chapter it leads to.")),
    "why": (Text, Field(description="Why go there.")),
}
"""`from` is a Python keyword, so the row model cannot be written as a class."""

Connection = create_model(
    "Connection",
    __base__=Row,
    __cls_kwargs__={"table": "connections", "key": ("from", "to")},
    __doc__="One chapter leads to another, for a reason. The file follows the reading order.",
    **_COLUMNS,
)


def connections() -> tuple[tuple[str, str, str], ...]:
    """(from, to, why) of every connection, in reading order."""
    return tuple((row["from"], row["to"], row["why"]) for row in map(dict, load("connections")))


def chapters() -> tuple[str, ...]:
    """Every chapter id, in reading order."""
    return tuple(dict.fromkeys(start for start, _, _ in connections()))


@functools.cache
def title(chapter_id: str) -> str:
    """A chapter's title: the first heading of its notebook."""
    notebook = json.loads(chapter_path(chapter_id).read_text(encoding="utf-8"))
    lines = (line for cell in notebook["cells"] for line in "".join(cell["source"]).splitlines())
    return next(line.removeprefix("# ").strip() for line in lines if line.startswith("# "))


def chapter_end(chapter_id: str) -> None:
    """Show a chapter's connections with reasons, its backlinks, and the sources that this run has used."""
    if chapter_id not in chapters():
        raise ValueError(f"chapter_id = {chapter_id!r}: must be a chapter of data/connections.csv")
    onward = [f"- {_to(target)}: {why}." for start, target, why in connections() if start == chapter_id]
    back = ", ".join(_to(start) for start, target, _ in connections() if target == chapter_id)
    sections = ["## Connections", *onward, "", "## Linked from", f"{back}."]
    if bibliography.used:
        sources = sorted(map(bibliography.reference, bibliography.used), key=str.casefold)
        sections += ["", "## Sources", *(f"- {line}" for line in sources)]
    say("\n".join(sections))


def _to(chapter_id: str) -> str:
    return link(chapter_id, title(chapter_id))


def connections_markdown() -> str:
    """Every connection as a Markdown table: from, to and why, in reading order."""
    return table(
        ("From", "To", "Why"), [(_to(start), _to(target), why) for start, target, why in connections()]
    )


def anchor(term: str) -> str:
    """The id of a term's entry on the glossary page."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def glossary_markdown() -> str:
    """Every term with its definition and the chapter that uses it most, as Markdown with an anchor each."""
    terms = sorted(cast(tuple[Term, ...], load("glossary")), key=lambda row: row.term.casefold())
    return "\n\n".join(
        f'<span id="{anchor(row.term)}"></span>**{row.term}**: {row.definition} See {_to(row.see)}.'
        for row in terms
    )
