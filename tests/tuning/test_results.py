"""What the experiment measured is read as registered; the analysis is worked by hand on small tables."""

import hashlib
import math
from pathlib import Path

import pytest

from ragvsft.tuning import results
from ragvsft.tuning.results import MeasuredRow

ROOT = Path(__file__).parents[2]


def row(
    seed: int, condition: str, retrieval: str, correct: int, questions: str = "new", n: int = 10, **other
):
    given = {"abstained": 0, "stale": 0, "distracted": 0, "valid_json": 0, "cited": 0, "prompt_tokens": 400}
    given |= {
        "read_tokens": 300,
        "answer_tokens": 100,
        "answer_characters_sd": 1.0,
        "cpu_seconds": 2.0,
        **other,
    }
    return MeasuredRow(
        seed=seed,
        condition=condition,
        questions=questions,
        retrieval=retrieval,
        n=n,
        correct=correct,
        **given,
    )


HAND = (
    *(row(s, "facts", "none", k) for s, k in ((1, 5), (2, 6), (3, 4))),
    *(row(s, "base", "third-of-five", k) for s, k in ((1, 8), (2, 9), (3, 7))),
    *(row(s, "base", "five-near-misses", 0) for s in (1, 2, 3)),
)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "rows", lambda: HAND)


@pytest.mark.usefixtures("by_hand")
def test_a_mean_over_seeds_has_a_t_interval() -> None:
    found = results.estimate("facts", "new", "none")
    assert found.mean == pytest.approx(0.5)
    assert found.high - found.mean == pytest.approx(4.302652729911275 * 0.1 / math.sqrt(3))


@pytest.mark.usefixtures("by_hand")
def test_a_cell_at_nought_everywhere_has_wilsons_interval() -> None:
    found = results.estimate("base", "new", "five-near-misses")
    # z² / (n + z²) with n = 30
    assert (found.mean, found.low) == (0, 0)
    assert found.high == pytest.approx(3.841458820694124 / 33.841458820694124)


@pytest.mark.usefixtures("by_hand")
def test_accuracy_at_a_recall_is_the_mixture() -> None:
    assert results.accuracy_at_recall("base", 0.25).mean == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"recall = 1\.5"):
        results.accuracy_at_recall("base", 1.5)


@pytest.mark.usefixtures("by_hand")
def test_the_crossing_is_where_the_lines_meet() -> None:
    found = results.crossing("base")
    assert found.recall == pytest.approx(0.5 / 0.8)
    assert found.low is not None and found.high is not None
    assert found.low < found.recall < found.high


def test_lines_that_do_not_meet_have_no_crossing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [r for r in HAND if r.condition == "base"]
    table += [row(s, "facts", "none", 10) for s in (1, 2, 3)]
    monkeypatch.setattr(results, "rows", lambda: tuple(table))
    assert results.crossing("base").recall is None


@pytest.mark.usefixtures("by_hand")
def test_comparisons_are_paired_by_seed() -> None:
    found = results.compare(("facts", "new", "none"), ("base", "new", "third-of-five"))
    assert found.difference.mean == pytest.approx(0.3)
    assert found.p_value < 1e-9


@pytest.mark.usefixtures("by_hand")
def test_a_cell_that_was_not_run_is_named() -> None:
    with pytest.raises(ValueError, match="'raft' at new, gold: not measured; conditions are base, facts"):
        results.estimate("raft", "new", "gold")


def test_reading_and_writing_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0.01 s a token read, 0.02 s a token written
    table = (
        row(1, "base", "gold", 4, read_tokens=100, answer_tokens=50, cpu_seconds=2.0),
        row(1, "base", "none", 0, read_tokens=300, answer_tokens=50, cpu_seconds=4.0),
    )
    monkeypatch.setattr(results, "rows", lambda: table)
    assert results.seconds_per_token() == (pytest.approx(0.01), pytest.approx(0.02))
    assert results.cost_per_correct("base", "new", "gold") == (
        pytest.approx(100),
        pytest.approx((400 * 0.01 + 50 * 0.02) / 4),
    )
    assert results.cost_per_correct("base", "new", "none") == (math.inf, math.inf)


def registered(seeds: tuple[int, ...]):
    """A record that registers these seeds, and a table in which every primary cell has the first three."""
    cells = {cell for _, *pair, _ in results.PRIMARY for cell in pair}
    table = tuple(
        row(s, condition, retrieval, 4 + s * (condition == "base"), questions, abstained=s)
        for condition, questions, retrieval in sorted(cells)
        for s in (1, 2, 3)
    )
    return {"seeds": list(seeds)}, table


def test_a_hypothesis_is_undecided_while_a_registered_seed_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    record, table = registered((1, 2, 3, 4))
    monkeypatch.setattr(results, "rows", lambda: table)
    monkeypatch.setattr(results, "run_record", lambda: record)
    monkeypatch.setattr(results, "seeds_of", lambda condition: [1, 2, 3])
    assert {one.verdict for one in results.hypotheses()} == {"not yet decided"}
    assert {one.test for one in results.hypotheses()} == {None}


def test_an_undecided_hypothesis_counts_against_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    record, table = registered((1, 2, 3))
    monkeypatch.setattr(results, "rows", lambda: table)
    monkeypatch.setattr(results, "run_record", lambda: record)
    monkeypatch.setattr(results, "seeds_of", lambda c: [1, 2] if c == "instructions" else [1, 2, 3])
    first, second, third = results.hypotheses()
    assert third.verdict == "not yet decided" and third.adjusted_p is None
    assert first.test is not None and second.test is not None
    # base is ahead by 0.1, 0.2 and 0.3: t = 0.2 / (0.1 / √3), two degrees of freedom
    assert first.test.p_value == pytest.approx(0.0741799, rel=1e-5)
    assert first.adjusted_p == second.adjusted_p == pytest.approx(3 * first.test.p_value)
    assert first.verdict == "not supported"


def test_a_seed_counts_once_all_its_cells_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    first_stage = [
        row(s, c, level, 1) for s in (1, 2) for c in results.FIRST_STAGE for level in ("gold", "none")
    ]
    monkeypatch.setattr(results, "rows", lambda: tuple(first_stage[:-1]))
    assert results.seeds_of("base") == [1, 2] and results.seeds_of("format") == [1]
    assert results.seeds_in() == [1]
    assert results.conditions(2) == ["base", "facts"] and results.conditions(3) == []


@pytest.mark.usefixtures("by_hand")
def test_a_difference_says_whether_it_is_resolved() -> None:
    same = results.compare(("facts", "new", "none"), ("base", "new", "third-of-five"))
    assert results.points(same) == "30 points in every seed"
    found = results.compare(("base", "new", "five-near-misses"), ("facts", "new", "none"))
    assert results.points(found) == "50 points (25 to 75), resolved"


# ------------------------------------------------------------------------------------- what is committed


def test_what_was_run_is_what_was_registered() -> None:
    digest = hashlib.sha256((ROOT / "experiments/tuning/PREREGISTRATION.md").read_bytes()).hexdigest()
    assert results.run_record()["preregistration_sha256"] == digest


def test_every_output_is_counted_once_in_the_table() -> None:
    counted: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for line in results.outputs():
        cell = (line["seed"], line["condition"], line["questions"], line["retrieval"])
        counted.setdefault(cell, []).append(line)
    table = {(r.seed, r.condition, r.questions, r.retrieval): r for r in results.rows()}
    assert counted.keys() == table.keys()
    for cell, lines in counted.items():
        assert table[cell].n == len(lines)
        for mark in ("correct", "abstained", "stale", "distracted", "valid_json", "cited"):
            assert getattr(table[cell], mark) == sum(bool(line[mark]) for line in lines)


def test_the_recorded_outputs_are_marked_as_the_code_marks_them() -> None:
    from ragvsft.tuning.lora.scoring import Score, score
    from ragvsft.tuning.lora.world import Question

    for line in results.outputs():
        question = Question.model_validate({field: line[field] for field in Question.model_fields})
        passages = results.passages_of(line)
        marks = score(question, line["output"], passages, line["golden"])
        assert marks == Score.model_validate({field: line[field] for field in Score.model_fields}), line


def test_recorded_questions_open_side_by_side() -> None:
    from ragvsft.tuning.lora import demo

    questions = demo.recorded_questions()
    assert questions
    found = demo.recorded_side_by_side(questions[0])
    assert list(found) == [way.label for way in demo.WAYS]
    assert all(line["text"] == questions[0] for line in found.values())
    assert not results.passages_of(found["LoRA on facts"]) and results.passages_of(
        found["LoRA on facts + RAG"]
    )
    with pytest.raises(ValueError, match="question = 'Who\\?'"):
        demo.recorded_side_by_side("Who?")


def round_row(seed: int, way: str, correct: int, outdated: int, seconds: float):
    return results.RoundRow(
        seed=seed,
        round=2,
        way=way,
        questions="changed",
        n=10,
        correct=correct,
        outdated=outdated,
        update_cpu_seconds=seconds,
        prompt_tokens=100,
        answer_tokens=50,
    )


def test_keeping_up_is_a_mean_over_seeds_and_names_what_was_not_measured(monkeypatch) -> None:
    table = (
        *(round_row(s, "index", k, 0, 0.5) for s, k in ((1, 8), (2, 6))),
        *(round_row(s, "left-alone", 0, k, 0.0) for s, k in ((1, 9), (2, 7))),
    )
    monkeypatch.setattr(results, "round_rows", lambda: table)
    assert results.after_round(2, "index").mean == pytest.approx(0.7)
    assert results.after_round(2, "left-alone", mark="outdated").mean == pytest.approx(0.8)
    assert results.update_seconds("index") == 0.5
    with pytest.raises(ValueError, match="round 3, way = 'index', changed: not measured"):
        results.after_round(3, "index")


def test_the_mixture_is_held_against_what_a_retriever_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recall 0.5, 0.8 answered where it is found and none where not: 0.4 foretold."""
    measured = [row(s, "base", "third-of-five", 8) for s in (1, 2)]
    measured += [row(s, "base", "five-near-misses", 0) for s in (1, 2)]
    given = {"abstained": 0, "distracted": 0, "prompt_tokens": 100, "answer_tokens": 50, "n": 10, "found": 5}
    retrieved = tuple(
        results.RetrieverRow(seed=s, condition="base", retriever="real", correct=correct, **given)
        for s, correct in ((1, 5), (2, 7))
    )
    monkeypatch.setattr(results, "rows", lambda: tuple(measured))
    monkeypatch.setattr(results, "retriever_rows", lambda: retrieved)
    found = results.foretold("base", "real")
    assert (found.recall, found.foretold) == (pytest.approx(0.5), pytest.approx(0.4))
    assert found.observed.mean == pytest.approx(0.6)
    assert found.gap.mean == pytest.approx(0.2)
    with pytest.raises(ValueError, match="retriever = 'other': not measured"):
        results.foretold("base", "other")


def test_the_training_curve_leaves_out_what_too_few_seeds_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [row(s, "facts", "none", 6) for s in (1, 2, 3)]
    table += [row(s, "facts-1-rewrite-same-steps", "none", 1) for s in (1, 2)]
    monkeypatch.setattr(results, "rows", lambda: tuple(table))
    assert [(schedule, wordings) for schedule, wordings, _ in results.rewrites_curve()] == [
        ("as many steps", 16),
        ("one pass", 16),
    ]
