"""The sources of the book: references.bib, cited inline and listed.

A notebook that prints a claim or cites a source leaves a trace here, so that its list of sources is complete
without being kept by hand.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

from ragvsft.data import DATA, DataError, nearest
from ragvsft.prose import link

if TYPE_CHECKING:
    from pybtex.database import BibliographyData, Entry

HowRead = Literal["full text", "opening", "abstract", "authors' data", "library", "quotation"]
"""How a figure was read: in the source, part of it, its data, a package's data, or where it is quoted."""
Evidence = Literal["primary", "secondary"]

_SAYS = {
    "full text": "primary text",
    "opening": "opening of the primary text",
    "abstract": "abstract",
    "authors' data": "authors'",
    "library": "library data",
    "quotation": "quot",
}
"""What the note of a source must say for its figures to have been read so."""

used: dict[str, None] = {}
"""Keys of the sources that this kernel has printed so far, in that order: `chapter_end` lists them."""


def cite(key: str) -> str:
    """A source inline, as Markdown: "Ovadia et al. 2024", linked to the bibliography. Recorded as used."""
    entry = source(key)
    used[key] = None
    return link("reference/bibliography", f"{authors(entry)} {entry.fields['year']}", f"ref-{key}")


def source(key: str) -> Entry:
    """An entry of references.bib. Raises `DataError` with the nearest key if there is none."""
    entries = bibliography().entries
    if key not in entries:
        raise DataError(f"citation = {key!r}: must be a key of references.bib{nearest(key, entries)}")
    return entries[key]


@functools.cache
def bibliography() -> BibliographyData:
    """references.bib, parsed."""
    from pybtex.database import parse_file

    return parse_file(str(DATA.parent / "references.bib"), bib_format="bibtex")


def evidence(how_read: HowRead) -> Evidence:
    """Whether the source itself was read (primary) or a text that quotes it (secondary)."""
    return "secondary" if how_read == "quotation" else "primary"


def require_locator(locator: str, how_read: HowRead) -> None:
    """Raises ValueError if a figure that was read in its source does not say where it stands."""
    if evidence(how_read) == "primary" and not locator:
        raise ValueError(f"locator is blank: a figure read as {how_read} must say where it stands")


def readings(key: str) -> frozenset[str]:
    """The ways in which a source was read, by its note: no figure of it may claim another."""
    note = source(key).fields["note"]
    return frozenset(how for how, words in _SAYS.items() if words in note)


def only_quoted(key: str) -> bool:
    """Whether nothing of a source was read but what other texts quote of it."""
    return readings(key) == {"quotation"}


def authors(entry: Entry) -> str:
    """`Lewis`, `Gao and Ma`, `Ovadia et al.`, or the name of a company."""
    names = [plain(" ".join(person.last_names)) for person in entry.persons["author"]]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def plain(text: str) -> str:
    """BibTeX text without its protecting braces."""
    return text.replace("{", "").replace("}", "")


def reference(key: str) -> str:
    """One source as Markdown: authors, year, title, venue, address, and how and when it was read."""
    entry = source(key)
    fields = {name: plain(value) for name, value in entry.fields.items()}
    venue = fields.get("journal") or fields.get("booktitle") or fields["howpublished"]
    return (
        f"{authors(entry)} ({fields['year']}). [{fields['title']}]({fields['url']}). {venue}. "
        f"{fields['note'].capitalize()}, {fields['urldate']}."
    )


def bibliography_markdown() -> str:
    """The whole bibliography as a Markdown list, by author, with the anchors that `cite` links to."""
    keys = sorted(bibliography().entries, key=lambda key: reference(key).casefold())
    return "\n".join(f'- <span id="ref-{key}"></span>{reference(key)}' for key in keys)
