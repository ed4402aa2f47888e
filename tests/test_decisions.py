"""What the decision rules recommend, and that they say why, what would flip it and when to stop."""

import json
import re
import tomllib

import numpy as np
import pytest

from ragvsft import data, decisions
from ragvsft.costs import scenario
from ragvsft.decisions import AnswersError, recommend
from ragvsft.evidence import connections

PLANS = decisions.evaluate(decisions.every_combination())[1]


def plan(**answers):
    advice = recommend(answers)
    return [advice.first_step, *advice.then]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, ["prompting", "long_context"]),
        ({"corpus": "none"}, ["prompting"]),
        ({"corpus": "small", "tried": "prompting"}, ["long_context"]),
        ({"corpus": "small", "tried": "prompting", "latency": "yes"}, ["rag"]),
        ({"corpus": "large", "tried": "prompting"}, ["rag"]),
        ({"corpus": "large", "tried": "rag"}, ["better_retrieval"]),
        ({"corpus": "none", "tried": "prompting"}, []),
        ({"corpus": "none", "tried": "prompting", "format": "yes"}, ["constrained_decoding"]),
        ({"corpus": "none", "tried": "prompting", "prompt_length": "yes"}, ["prompt_caching"]),
        ({"corpus": "none", "tried": "prompting", "changes": "weekly"}, ["rag"]),
        ({"corpus": "none", "tried": "prompting", "citations": "yes"}, ["rag"]),
        (
            {"corpus": "none", "tried": "prompting", "behaviour": "yes", "examples": "few"},
            ["collect_examples", "retrieved_examples"],
        ),
        (
            {"corpus": "none", "tried": "prompting", "behaviour": "yes", "examples": "many"},
            ["retrieved_examples", "fine_tuning"],
        ),
        ({"corpus": "large", "tried": "all", "behaviour": "yes", "examples": "many"}, ["both"]),
        (
            {"corpus": "large", "tried": "all", "behaviour": "yes", "examples": "many", "closed": "yes"},
            [],
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else None,
)
def test_the_plan(answers, expected):
    assert plan(**answers) == (expected or ["stop"])


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        ("support-bot", ["rag", "retrieved_examples", "both"]),
        ("internal-search", ["prompting", "rag"]),
        ("classification", ["fine_tuning"]),
        ("long-documents", ["long_context"]),
    ],
)
def test_the_plan_of_each_example_workload(workload, expected):
    _, answers = decisions.workloads()[workload]
    assert plan(**answers) == expected


def test_every_step_is_somebodys_first_and_every_rule_fires():
    fired, plans = decisions.evaluate(decisions.every_combination())
    assert set(plans.argmax(axis=1)) == set(range(len(decisions.steps())))
    assert fired.any(axis=0).all()


def combinations_where(**answers):
    codes = decisions.every_combination()
    chosen = np.ones(len(codes), dtype=bool)
    for column, row in enumerate(decisions.questions()):
        if row.question in answers:
            known = list(decisions.options()[row.question])
            chosen &= codes[:, column] == known.index(answers[row.question])
    return chosen


def in_plan(step):
    return PLANS[:, [row.step for row in decisions.steps()].index(step)]


def test_every_plan_ends_with_stopping():
    assert decisions.steps()[-1].step == "stop"
    assert PLANS[:, -1].all()


def test_prompting_comes_first_until_it_has_been_tried():
    untried = combinations_where(tried="nothing")
    assert (PLANS.argmax(axis=1)[untried] == 0).all()
    assert not in_plan("prompting")[~untried].any()


@pytest.mark.parametrize("step", ["fine_tuning", "both"])
def test_nothing_is_trained_on_too_few_examples(step):
    assert not in_plan(step)[combinations_where(examples="few")].any()


@pytest.mark.parametrize("answers", [{"corpus": "large"}, {"changes": "weekly"}, {"citations": "yes"}])
def test_where_text_must_be_read_the_tune_is_trained_to_read_it(answers):
    assert not in_plan("fine_tuning")[combinations_where(**answers)].any()


def test_a_tuned_reader_carries_its_release_gate():
    advice = recommend(
        {"corpus": "large", "tried": "all", "behaviour": "yes", "examples": "many", "quality": "yes"}
    )
    cautions = {reason.rule for reason in advice.steps[0].reasons if reason.points == 0}
    assert advice.first_step == "both"
    assert {"train-with-passages", "release-gate", "both-is-not-best", "choose-open-weights"} <= cautions


def test_wanting_the_best_is_no_reason_to_combine():
    plain, best = combinations_where(quality="no"), combinations_where(quality="yes")
    assert np.array_equal(in_plan("both")[plain], in_plan("both")[best])


def test_a_closed_model_is_warned_of_withdrawal():
    advice = recommend({"corpus": "none", "behaviour": "yes", "examples": "many", "closed": "yes"})
    refused = {step.step: [reason.rule for reason in step.reasons] for step in advice.not_recommended}
    assert "closed-models-withdrawn" in refused["fine_tuning"]


def test_answers_that_exclude_each_other_are_noted():
    assert [note.rule for note in recommend({"closed": "yes", "hosting": "yes"}).notes] == [
        "closed-cannot-move"
    ]
    assert recommend({"closed": "yes"}).notes == ()


def test_not_knowing_counts_as_the_assumed_answer():
    assumed = {row.question: row.if_unknown for row in decisions.questions()}
    unknown, known = recommend({"corpus": "unknown"}), recommend(assumed)
    assert unknown.assumed == assumed and known.assumed == {}
    same = {"first_step", "then", "steps", "not_recommended", "decided_by", "flips", "source_matrix"}
    assert unknown.model_dump(include=same) == known.model_dump(include=same)


def test_flips_are_all_and_only_the_single_answers_that_change_the_first_step():
    _, answers = decisions.workloads()["support-bot"]
    advice = recommend(answers)
    claimed = {(flip.question, answer): flip.first_step for flip in advice.flips for answer in flip.answers}
    for question, known in decisions.options().items():
        for answer in known:
            first = recommend({**answers, question: answer}).first_step
            assert claimed.get((question, answer), advice.first_step) == first


def test_the_deciding_answers_are_those_of_its_rules_and_its_flips():
    advice = recommend({"corpus": "large", "changes": "weekly", "tried": "prompting"})
    assert advice.first_step == "rag"
    assert advice.decided_by == ("changes", "corpus", "format", "tried", "prompt_length")


def test_every_reason_names_the_ledger_and_a_chapter():
    known = set(connections.chapters())
    for rule in decisions.rules():
        assert rule.chapter in known, rule.rule
    for step in decisions.steps():
        assert step.chapter in known, step.step
    assert all(reason.verdict for step in recommend({}).steps for reason in step.reasons)


def test_reasons_carry_no_figures():
    texts = [rule.reason for rule in decisions.rules()]
    texts += [text for step in decisions.steps() for text in (step.action, step.stop_when)]
    assert [text for text in texts if re.search(r"\d", text)] == []


# ------------------------------------------------------------------------------------ the source's matrix


def test_the_source_matrix_ticks_one_column_a_row():
    ticks = {
        column: [row.row for row in decisions.matrix() if row.tick == column] for column in decisions.COLUMNS
    }
    assert ticks == {
        "rag": ["changing-knowledge", "citations", "large-corpus", "budget"],
        "fine_tuning": ["style", "fluency", "behaviour", "prompt-length"],
        "both": ["best-quality", "fresh-and-trained"],
    }


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({}, "nothing"),
        ({"corpus": "huge"}, "rag"),
        ({"corpus": "large"}, "nothing"),
        ({"style": "yes"}, "fine_tuning"),
        ({"citations": "yes", "style": "yes"}, "both"),
        ({"quality": "yes"}, "both"),
    ],
)
def test_the_source_verdict_stands_beside_ours(answers, verdict):
    assert decisions.source_verdict(recommend(answers).source_matrix) == verdict


def test_the_tenth_row_follows_from_two_others():
    ticks = recommend({"changes": "weekly", "behaviour": "yes"}).source_matrix
    assert ticks == {
        "rag": ("changing-knowledge",),
        "fine_tuning": ("behaviour",),
        "both": ("fresh-and-trained",),
    }


def test_columns_of_many_readers_agree_with_the_rows_of_one():
    codes = decisions.every_combination()[::9973]
    columns = decisions.source_columns(codes)
    for reader, ticked in zip(codes, columns, strict=True):
        answers = {
            row.question: list(decisions.options()[row.question])[code]
            for row, code in zip(decisions.questions(), reader, strict=True)
        }
        rows = decisions.source_matrix(answers)
        assert [bool(rows[column]) for column in decisions.COLUMNS] == list(ticked)


# ---------------------------------------------------------------------------------- files, costs, terminal


def test_answers_become_inputs_that_the_cost_model_accepts():
    for known in decisions.options().values():
        for row in known.values():
            for name, value in row.scenario:
                assumption = scenario.assumption(name)
                assert assumption.minimum <= value <= assumption.maximum, (row.question, row.answer)


def test_only_given_answers_set_the_scenario():
    assert recommend({}).scenario == {}
    assert recommend({"volume": "high", "corpus": "huge"}).scenario == {
        "documents": 1_000_000,
        "queries_per_month": 3_000_000,
    }


def test_the_example_file_reads_back_as_knowing_nothing():
    text = decisions.example()
    assert set(tomllib.loads(text)) == set(decisions.options())
    assert recommend(decisions.read(text)) == recommend({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('corpsu = "large"', r"corpsu: must be one of changes, .*; did you mean 'corpus'\?"),
        ('corpus = "larg"', r"corpus = 'larg': must be one of none, small, large, .*did you mean 'large'\?"),
        ("corpus = 3", "corpus = 3: must be one of none"),
        ('corpus = ["large"]', r"corpus = \['large'\]: must be one of none"),
        ("corpus =", "not a TOML file"),
    ],
)
def test_a_bad_file_gets_one_clear_error(text, message):
    with pytest.raises(AnswersError, match=message):
        decisions.read(text)


def test_an_answer_that_sets_a_bad_input_is_named_with_its_line(tmp_path):
    path = tmp_path / "decision_answers.csv"
    path.write_text("question,answer,label,steps_done,scenario\ncorpus,tiny,Tiny,,documents=-1\n")
    with pytest.raises(
        data.DataError, match=r"answers.csv:2: scenario = documents=-1: documents = -1.0: must"
    ):
        data.read(path, decisions.AnswerRow)


def test_an_assumed_answer_that_nobody_can_give_is_an_error(monkeypatch):
    first, *rest = decisions.questions()
    monkeypatch.setattr(
        decisions, "questions", lambda: (first.model_copy(update={"if_unknown": "nope"}), *rest)
    )
    decisions.options.cache_clear()
    with pytest.raises(
        data.DataError, match=r"decision_questions.csv: changes: if_unknown = nope: must be one"
    ):
        decisions.options()


def test_the_terminal_says_what_the_json_says():
    advice = recommend(decisions.workloads()["support-bot"][1])
    text = decisions.as_text(advice)
    assert text.startswith("First: RAG\n")
    for step in advice.steps:
        assert step.title in text and step.stop_when in text
    assert "The source's matrix says: both." in text
    assert json.loads(advice.model_dump_json())["first_step"] == "rag"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "r,rag,1,corpsu=large,Why.,prompting-first,rag/pipeline",
            "when = corpsu=large: corpsu must be a question",
        ),
        (
            "r,rag,1,corpus=larg,Why.,prompting-first,rag/pipeline",
            "larg must be an answer to corpus.*'large'",
        ),
        ("r,rga,1,,Why.,prompting-first,rag/pipeline", "steps = rga: rga must be a step .*'rag'"),
        ("r,rag,10,,Why.,prompting-first,rag/pipeline", "points = 10: must be"),
        ("r,rag,1,,Why.,prompting-last,rag/pipeline", "claim = prompting-last: must be .*'prompting-first'"),
    ],
)
def test_a_bad_rule_is_named_with_its_line(tmp_path, row, message):
    path = tmp_path / "decision_rules.csv"
    path.write_text(f"{','.join(decisions.RuleRow.model_fields)}\n{row}\n")
    with pytest.raises(data.DataError, match=f"data/decision_rules.csv:2: .*{message}"):
        data.read(path, decisions.RuleRow)
