"""The release gate: it opens for a gain without a loss, and says what the questions could have shown."""

import json
from pathlib import Path

import pytest

from ragvsft.cli import main
from ragvsft.evaluation.gate import Graded, read_graded, release_gate


def graded(kind: str, marks: str) -> list[Graded]:
    """One answer for each character: + is right."""
    return [Graded(id=f"{kind}-{k}", kind=kind, correct=mark == "+") for k, mark in enumerate(marks)]


def both(ordinary: tuple[str, str], counterfactual: tuple[str, str], unanswerable: tuple[str, str]):
    return [
        [
            *graded("ordinary", ordinary[k]),
            *graded("counterfactual", counterfactual[k]),
            *graded("unanswerable", unanswerable[k]),
        ]
        for k in (0, 1)
    ]


GAIN = ("+" * 20 + "-" * 20, "+" * 38 + "-" * 2)
SAME = ("+" * 60, "+" * 60)


def test_a_gain_without_a_loss_opens() -> None:
    found = release_gate(*both(GAIN, SAME, SAME))
    assert found.opens and found.reasons == ()
    assert [k.kind for k in found.kinds] == ["ordinary", "counterfactual", "unanswerable"]
    assert found.kinds[0].difference == pytest.approx(18 / 40)


def test_a_gain_that_forgets_the_passage_stays_shut() -> None:
    found = release_gate(*both(GAIN, ("+" * 60, "+" * 20 + "-" * 40), SAME))
    assert found.reasons == ("counterfactual: the second is worse by 66.7%",)


def test_few_guards_rule_nothing_out() -> None:
    found = release_gate(*both(GAIN, ("+++++", "+++++"), SAME))
    assert (
        len(found.reasons) == 1
        and "is not ruled out" in found.reasons[0]
        and "5 questions" in found.reasons[0]
    )


def test_without_a_difference_it_says_what_could_have_been_seen() -> None:
    found = release_gate(*both(("+" * 20 + "-" * 20, "+" * 21 + "-" * 19), SAME, SAME))
    (reason,) = found.reasons
    assert "no difference is resolved" in reason and "40 questions could have shown" in reason


def test_five_questions_can_show_nothing() -> None:
    found = release_gate(*both(("-----", "+++++"), SAME, SAME))
    assert found.kinds[0].p_value == pytest.approx(2 * 0.5**5)
    assert "5 questions could have shown none" in found.reasons[0]


def test_agreement_does_not_make_small_differences_detectable() -> None:
    # the exact test needs six disagreements, all one way
    assert release_gate(*both(GAIN, SAME, SAME)).kinds[1].detectable == pytest.approx(6 / 60)


def test_a_guard_that_the_first_fails_shows_no_loss() -> None:
    never = ("-" * 60, "-" * 60)
    assert release_gate(*both(GAIN, SAME, never)).reasons == (
        "unanswerable: the first is right in 0 of 60, so a loss of 10% could not have shown",
    )


def test_a_missing_guard_keeps_it_shut() -> None:
    first, second = both(GAIN, SAME, ("", ""))
    assert release_gate(first, second).reasons == (
        "no question of kind 'unanswerable': its loss is not ruled out",
    )


def test_the_order_of_lines_does_not_matter() -> None:
    first, second = both(GAIN, SAME, SAME)
    assert release_gate(first, second[::-1]) == release_gate(first, second)


def test_different_questions_are_refused() -> None:
    first, second = both(GAIN, SAME, SAME)
    with pytest.raises(ValueError, match="only in the first file"):
        release_gate(first, second[1:])
    with pytest.raises(ValueError, match="kind is 'ordinary' in the first file"):
        release_gate(first, [second[0].model_copy(update={"kind": "other"}), *second[1:]])
    with pytest.raises(ValueError, match="margin = 1"):
        release_gate(first, second, margin=1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "a"}\n', ":1: correct: Field required"),
        ('{"id": "a", "correct": "yes"}\n', ":1: correct: Input should be a valid boolean"),
        ('{"id": "a", "correct": true}\n\n{"id": "a", "correct": true}\n', ":3: id = 'a': already there"),
        ("not json\n", ":1: line: Invalid JSON"),
        ("", "no graded answers"),
    ],
)
def test_a_bad_file_says_where(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "graded.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError) as error:
        read_graded(path)
    assert message in str(error.value)


def test_the_command_tells_by_its_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "rag.jsonl", tmp_path / "tuned.jsonl"]
    for path, answers in zip(paths, both(GAIN, SAME, SAME), strict=True):
        path.write_text("".join(json.dumps(a.model_dump()) + "\n" for a in answers))
    assert main(["gate", *map(str, paths)]) == 0
    assert "The gate opens." in capsys.readouterr().out
    assert main(["gate", *map(str, paths[::-1])]) == 1
    assert "the second is worse" in capsys.readouterr().out
    assert main(["gate", str(paths[0]), str(tmp_path / "missing.jsonl")]) == 2
