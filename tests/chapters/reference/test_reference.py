"""The figures of the reference part are titled by what they show."""

from drawn_rows import drawn
from ragvsft.chapters.reference import bibliography, connections, data
from ragvsft.evidence.bibliography import bibliography as sources
from ragvsft.evidence.connections import chapters
from ragvsft.evidence.connections import connections as links


def test_sources_read_only_in_quotation_are_counted() -> None:
    rows, title = drawn(bibliography.sources_chart()), bibliography.sources_chart().to_dict()["title"]
    quoted = sum(row["read"] == bibliography.QUOTED for row in rows)
    assert title == f"{quoted} of {len(sources().entries)} sources were read only in quotation"


def test_the_map_has_an_arc_for_each_connection() -> None:
    rows = drawn(connections.book_map())
    assert len({row["arc"] for row in rows}) == len(links())
    assert connections.book_map().to_dict()["title"] == (
        f"{len(links())} connections between {len(chapters())} pages, in reading order"
    )


def test_dates_run_from_the_oldest_row_to_the_newest() -> None:
    title = data.dates_chart().to_dict()["title"]
    assert title.startswith("The newest row is of ") and ", the oldest of " in title
