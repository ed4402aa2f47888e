"""How long a deleted document lives on."""

import pytest

from ragvsft.chapters.decide import security_and_privacy as chapter
from ragvsft.prices import PLACES
from ragvsft.retrieval.deletion import assumed_lifetimes


def test_the_deletion_of_a_document_by_hand() -> None:
    # a fifth of the index at 1% a month: 20 mean months, after 1 day until the index notices
    shown = chapter.deletion().compute()
    assert shown["compaction"] == pytest.approx(1 + 20 * 365.25 / 12)
    assert shown["answers"] == 31
    assert shown["bytes"] == pytest.approx(shown["compaction"] + 35)


def test_the_calculator_starts_where_the_other_chapters_quote_it() -> None:
    assert chapter.deletion().compute() == assumed_lifetimes()


def test_a_table_of_a_place_has_no_offer_that_may_not_have_the_text():
    for place in PLACES:
        for kind in chapter.PARTS:
            assert all(row.may_process(place) for row in chapter.offered(kind, place))


def test_the_eu_has_every_part_and_its_offers_to_confirm_are_marked():
    assert all(chapter.offered(kind, "eu") for kind in chapter.PARTS)
    lines = chapter.offers_table("eu").splitlines()
    unsure = [row for kind in chapter.PARTS for row in chapter.offered(kind, "eu") if row.confirm_first]
    assert sum(line.endswith("| confirm first |") for line in lines) == len(unsure) > 0


def test_a_part_with_only_unconfirmed_sellers_is_a_weak_rung():
    for place in ("eu", "own_account"):
        weak = chapter.weak_parts(place)
        for kind, part in chapter.PARTS.items():
            sold = [row for row in chapter.offered(kind, place) if row.source_kind != "assumption"]
            assert (part in weak) == all(row.confirm_first for row in sold)
    assert chapter.PARTS["gpu"] in chapter.weak_parts("eu")


def test_every_store_of_the_audit_has_a_line_and_a_purge_that_left_nothing():
    lines = chapter.audit_table().splitlines()[2:]
    assert len(lines) == len(chapter.audited()) == 12
    for store, line in zip(chapter.audited(), lines, strict=True):
        purge = chapter.measured.purged_by(store)
        assert purge is not None and chapter.measured.left(purge) == ()
        assert line.startswith(f"| {store} ") and "nothing found" in line.split(" | ")[-1]


def test_what_a_vacuum_leaves_is_in_the_table():
    chroma = next(line for line in chapter.audit_table().splitlines() if line.startswith("| chromadb"))
    assert "chroma vacuum --path FOLDER --force (leaves its vector)" in chroma
    postgres = next(line for line in chapter.audit_table().splitlines() if line.startswith("| postgresql"))
    assert "VACUUM FULL c; CHECKPOINT (leaves the text, a rare word of it, its vector)" in postgres


def test_a_text_that_the_audit_could_not_see_is_said_in_both_columns():
    assert [store for store in chapter.audited() if chapter.unseen(store)] == ["lancedb", "milvus-lite"]
    lance = next(line for line in chapter.audit_table().splitlines() if line.startswith("| lancedb"))
    assert lance.count("(text not visible to the audit)") == 2


def test_the_audits_chart_counts_the_stores_that_keep_something():
    assert chapter.audit_chart().to_dict()["title"].startswith(f"{len(chapter.keeping())} of 12 stores")
    assert "numpy" not in chapter.keeping() and "bm25s" in chapter.keeping()
