"""The feed of what changed is Atom that a reader takes, in the order of its dates."""

from xml.etree import ElementTree

from ragvsft.book.exports import ATOM, feed
from ragvsft.evidence import changes

ADDRESS = "https://example.org/book/"


def texts(element: ElementTree.Element, name: str) -> list[str]:
    return [found.text or "" for found in element.iter(f"{{{ATOM}}}{name}")]


def test_every_entry_has_what_rfc_4287_asks_for() -> None:
    root = ElementTree.fromstring(feed(ADDRESS))
    entries = root.findall(f"{{{ATOM}}}entry")
    assert len(entries) == len(changes.days()) > 0
    for element in (root, *entries):
        children = [child.tag.removeprefix(f"{{{ATOM}}}") for child in element]
        assert {"id", "title", "updated"} <= {*children}
    ids = texts(root, "id")
    assert len({*ids}) == len(ids) and all(each.startswith(ADDRESS) for each in ids)


def test_the_newest_stands_first_and_says_what_flipped() -> None:
    root = ElementTree.fromstring(feed(ADDRESS))
    updated = texts(root, "updated")
    assert updated[0] == updated[1] and updated[1:] == sorted(updated[1:], reverse=True)
    flips = [change.text for each in changes.days() for change in each.changes if change.why]
    content = "\n".join(texts(root, "content"))
    assert flips and all(text in content for text in flips)
