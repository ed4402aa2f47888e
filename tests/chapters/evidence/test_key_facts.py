"""The key facts name claims of the ledger, and the figure counts those that stand."""

from ragvsft.chapters.evidence import key_facts as chapter
from ragvsft.evidence.ledger import get


def test_every_key_fact_names_claims_of_the_ledger() -> None:
    assert len(chapter.KEY_FACTS) == 9
    assert all(get(claim).statement for claims in chapter.KEY_FACTS.values() for claim in claims)


def test_the_title_counts_the_facts_that_stand() -> None:
    verdicts = [get(claims[0]).verdict for claims in chapter.KEY_FACTS.values()]
    stand = sum(verdict in ("holds", "definition") for verdict in verdicts)
    assert chapter.facts_chart().to_dict()["title"] == f"{stand} of 9 can be repeated as they stand"
