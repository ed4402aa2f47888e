"""Marks: the right value alone is right; abstaining, old values, distraction and form are told apart."""

import pytest

from ragvsft.tuning.lora.scoring import read_answer, score
from ragvsft.tuning.lora.world import Question

ASKED = Question(subject="Mara Quillan", attribute="city", text="Where?", answer="Oslo", former="Turin")
UNKNOWN = ASKED.model_copy(update={"answer": None, "former": None})
PASSAGES = ["Mara Marsh lives in Lisbon.", "Mara Quillan lives in Oslo."]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Oslo", {"correct"}),
        ("Mara Quillan lives in oslo.", {"correct"}),
        ("Oslo or Lisbon", {"distracted"}),
        ("Lisbon", {"distracted"}),
        ("Turin", {"stale"}),
        ("Osloo", set()),
        ("I do not know.", {"abstained"}),
        ("It is not mentioned in the passage.", {"abstained"}),
        ('{"answer": "Oslo", "source": 2}', {"correct", "valid_json", "cited"}),
        ('{"answer": "Oslo", "source": 1}', {"correct", "valid_json"}),
        ('{"answer": "Lisbon", "source": 1}', {"distracted", "valid_json"}),
        ('{"answer": null, "source": null}', {"abstained", "valid_json"}),
        ('{"answer": "Oslo"}', {"correct"}),
        ('{"answer": "Oslo", "source": "2"}', {"correct"}),
        ('{"answer": "Oslo", "source": true}', {"correct"}),
        ('{"answer": ["Oslo"], "source": 2}', {"correct"}),
        ("", set()),
    ],
)
def test_each_kind_of_answer(text: str, marks: set[str]) -> None:
    found = score(ASKED, text, PASSAGES, golden=2)
    assert {name for name, value in found.model_dump().items() if value} == marks


def test_without_a_right_answer_to_abstain_is_right_and_to_cite_nothing_is_cited_rightly() -> None:
    refused = score(UNKNOWN, '{"answer": null, "source": null}', PASSAGES)
    assert refused.correct and refused.abstained and refused.cited
    invented = score(UNKNOWN, '{"answer": "Lisbon", "source": 1}', PASSAGES)
    assert not invented.correct and invented.distracted and not invented.cited


def test_a_capital_is_right_alone() -> None:
    asked = Question(subject="France", attribute="capital", text="?", answer="Kyoto", former="Paris")
    assert score(asked, "Kyoto is the capital of France.").correct
    both = score(asked, "Not Kyoto but Paris.")
    assert both.stale and not both.correct


def test_text_that_is_json_but_not_the_form_is_text() -> None:
    assert read_answer("[1, 2]") == ("[1, 2]", None, False)
