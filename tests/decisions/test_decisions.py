"""What the decision rules recommend, and that they say why, what would flip it and when to stop."""

import json
import re
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragvsft import data, decisions
from ragvsft.costs import scenario
from ragvsft.decisions import AnswersError, classes, recommend, tables
from ragvsft.evidence import connections

PLANS = decisions.evaluate(decisions.every_combination())[1]
NO_TEXT = {"needs_documents": "no"}
SMALL = {"documents": 100, "tokens_per_document": 1500}
LARGE = {"documents": 20_000, "tokens_per_document": 1500}
STILL = {"corpus_churn_per_month": 0.01}
WEEKLY = {"corpus_churn_per_month": 0.3}


def plan(*parts, **answers):
    """The steps for these answers, where the text does not change unless the answers say so."""
    merged = dict(STILL)
    for part in (*parts, answers):
        merged |= part
    advice = recommend(merged)
    return [advice.first_step, *advice.then]


@pytest.mark.parametrize(
    ("parts", "answers", "expected"),
    [
        ((), {}, ["prompting", "rag", "better_retrieval"]),
        ((NO_TEXT,), {}, ["prompting"]),
        ((SMALL,), {"tried": "prompting"}, ["long_context"]),
        ((SMALL,), {"tried": "prompting", "latency": "yes"}, ["rag", "better_retrieval"]),
        ((LARGE,), {"tried": "prompting"}, ["rag", "better_retrieval"]),
        ((LARGE,), {"tried": "rag"}, ["better_retrieval"]),
        ((NO_TEXT,), {"tried": "prompting"}, []),
        ((NO_TEXT,), {"tried": "prompting", "format": "yes"}, ["constrained_decoding"]),
        ((NO_TEXT,), {"tried": "prompting", "prompt_length": "yes"}, ["prompt_caching"]),
        ((NO_TEXT, WEEKLY), {"tried": "prompting"}, ["rag", "better_retrieval"]),
        ((NO_TEXT,), {"tried": "prompting", "citations": "yes"}, ["rag", "better_retrieval"]),
        (
            (NO_TEXT,),
            {"tried": "prompting", "behaviour": "yes", "training_examples": 30},
            ["collect_examples", "retrieved_examples"],
        ),
        (
            (NO_TEXT,),
            {"tried": "prompting", "behaviour": "yes", "training_examples": 5000},
            ["retrieved_examples", "fine_tuning"],
        ),
        ((LARGE,), {"tried": "all", "behaviour": "yes", "training_examples": 5000}, ["both"]),
        ((LARGE,), {"tried": "all", "behaviour": "yes", "training_examples": 5000, "closed": "yes"}, []),
        (
            (LARGE, WEEKLY),
            {"tried": "prompting", "queries_per_month": 2000},
            ["agentic_search", "rag", "better_retrieval"],
        ),
        ((LARGE, WEEKLY), {"tried": "prompting", "queries_per_month": 50_000}, ["rag", "better_retrieval"]),
        (
            (LARGE, WEEKLY),
            {"tried": "prompting", "queries_per_month": 2000, "latency": "yes"},
            ["rag", "better_retrieval"],
        ),
        ((LARGE, WEEKLY), {"tried": "agents", "queries_per_month": 2000}, ["rag", "better_retrieval"]),
        ((LARGE, WEEKLY), {"tried": "rag", "queries_per_month": 2000}, ["better_retrieval"]),
        (
            (LARGE,),
            {"tried": "prompting", "behaviour": "yes", "training_examples": 0},
            ["rag", "better_retrieval", "collect_examples", "retrieved_examples"],
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else None,
)
def test_the_plan(parts, answers, expected):
    assert plan(*parts, **answers) == (expected or ["stop"])


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        ("support-bot", ["rag", "better_retrieval", "retrieved_examples", "both"]),
        ("internal-search", ["prompting", "rag", "better_retrieval"]),
        ("classification", ["fine_tuning"]),
        ("long-documents", ["long_context"]),
    ],
)
def test_the_plan_of_each_example_workload(workload, expected):
    _, answers = decisions.workloads()[workload]
    assert plan(answers) == expected


@pytest.mark.parametrize("workload", scenario.workloads())
def test_an_example_workload_has_the_numbers_of_the_cost_model(workload):
    label, answers = decisions.workloads()[workload]
    priced = scenario.from_keys(scenario.workloads()[workload][1]).assumptions
    assert label == scenario.workloads()[workload][0]
    handed = recommend(answers).scenario
    numbers = {name: value for name, value in handed.items() if isinstance(value, float)}
    assert numbers.keys() >= {
        "documents",
        "tokens_per_document",
        "queries_per_month",
        "corpus_churn_per_month",
    }
    assert numbers == {name: priced[name] for name in numbers}


# ----------------------------------------------------------------------------------------- every combination


def test_every_combination_has_a_step_and_none_changes_it_by_where_the_text_may_go():
    counted = decisions.count()
    assert counted.combinations == np.prod([len(rows) for rows in decisions.options().values()])
    assert counted.planned == sum(counted.first.values()) == counted.combinations
    assert counted.moved_by_hosts == 0


def test_every_step_is_somebodys_first_and_every_rule_fires():
    fired, plans = decisions.evaluate(decisions.every_combination())
    assert set(plans.argmax(axis=1)) == set(range(len(decisions.steps())))
    assert fired.any(axis=0).all()
    assert all(decisions.count().first.values())


def test_the_machine_count_notices_a_rule_that_makes_hosts_a_method(monkeypatch):
    biased = decisions.rules()[0].model_copy(
        update={"steps": ("both",), "points": 1, "when": (("text_may_go", ("own_machines",)),)}
    )
    monkeypatch.setattr(decisions.engine, "rules", lambda: (*decisions.rules(), biased))
    assert decisions.count().moved_by_hosts > 0


def combinations_where(**answers):
    codes = decisions.every_combination()
    chosen = np.ones(len(codes), dtype=bool)
    for column, row in enumerate(decisions.criteria()):
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


TRAINING = ("collect_examples", "retrieved_examples", "fine_tuning", "both")


@pytest.mark.parametrize("later", TRAINING)
def test_the_search_is_made_better_before_examples_are_collected_or_anything_is_trained(later):
    searching = in_plan("rag") | combinations_where(tried="rag")
    assert in_plan("better_retrieval")[searching & in_plan(later)].all()
    order = [row.step for row in decisions.steps()]
    assert order.index("rag") < order.index("better_retrieval") < order.index(later)


def test_better_retrieval_is_for_those_who_search():
    searching = in_plan("rag") | combinations_where(tried="rag")
    assert np.array_equal(in_plan("better_retrieval"), searching)


def test_agentic_search_is_for_text_that_moves_and_few_questions():
    agents = in_plan("agentic_search")
    for answers in ({"volume": "high"}, {"volume": "middle"}, {"latency": "yes"}, {"changes": "hardly"}):
        assert not agents[combinations_where(**answers)].any()
    assert not agents[combinations_where(tried="agents")].any()


@pytest.mark.parametrize("step", ["fine_tuning", "both"])
def test_nothing_is_trained_on_too_few_examples(step):
    assert not in_plan(step)[combinations_where(examples="few")].any()


@pytest.mark.parametrize("answers", [{"corpus": "large"}, {"changes": "weekly"}, {"citations": "yes"}])
def test_where_text_must_be_read_the_tune_is_trained_to_read_it(answers):
    assert not in_plan("fine_tuning")[combinations_where(**answers)].any()


def test_a_tuned_reader_carries_its_release_gate():
    advice = recommend(
        {**LARGE, "tried": "all", "behaviour": "yes", "training_examples": 5000, "quality": "yes"}
    )
    cautions = {reason.rule for reason in advice.steps[0].reasons if reason.points == 0}
    assert advice.first_step == "both"
    assert {"train-with-passages", "release-gate", "both-is-not-best", "choose-open-weights"} <= cautions


def test_wanting_the_best_is_no_reason_to_combine():
    plain, best = combinations_where(quality="no"), combinations_where(quality="yes")
    assert np.array_equal(in_plan("both")[plain], in_plan("both")[best])


def test_a_closed_model_is_warned_of_withdrawal():
    advice = recommend({**NO_TEXT, "behaviour": "yes", "training_examples": 5000, "closed": "yes"})
    refused = {step.step: [reason.rule for reason in step.reasons] for step in advice.not_recommended}
    assert "closed-models-withdrawn" in refused["fine_tuning"]


@pytest.mark.parametrize(
    ("where", "notes"),
    [
        ("anywhere", []),
        ("eu", ["closed-in-its-regions"]),
        ("own_account", ["closed-in-its-regions"]),
        ("own_machines", ["closed-cannot-move"]),
    ],
)
def test_a_closed_model_and_a_bound_text_are_noted(where, notes):
    found = recommend({"closed": "yes", "text_may_go": where})
    assert [note.rule for note in found.notes] == notes
    assert recommend({"closed": "yes"}).notes == recommend({"text_may_go": where}).notes == ()


def test_retrieved_text_that_may_not_travel_is_a_caution_beside_rag():
    advice = recommend({**LARGE, "tried": "prompting", "text_may_go": "eu"})
    assert "retrieved-text-travels" in {reason.rule for reason in advice.steps[0].reasons}


# ---------------------------------------------------------------------------------------- numbers to classes


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"documents": 100, "tokens_per_document": 9900}, "small"),
        ({"documents": 100, "tokens_per_document": 9901}, "large"),
        ({"documents": 100_000, "tokens_per_document": 500}, "large"),
        ({"documents": 100_001, "tokens_per_document": 500}, "huge"),
        ({"documents": 100_001, "tokens_per_document": 1}, "small"),
        ({"documents": 100_001, "needs_documents": "no"}, "none"),
        ({}, "large"),
        ({"documents": 20}, "small"),
    ],
)
def test_the_corpus_fits_if_all_of_it_leaves_room_in_the_context_window(answers, expected):
    assert recommend(answers).classes["corpus"] == expected


@pytest.mark.parametrize(
    ("question", "criterion", "bounds"),
    [
        ("corpus_churn_per_month", "changes", ("changes_monthly", "changes_weekly")),
        ("training_examples", "examples", ("examples_some", "examples_many")),
        ("queries_per_month", "volume", ("volume_middle", "volume_high")),
    ],
)
def test_a_number_on_a_threshold_belongs_to_the_class_above(question, criterion, bounds):
    known = list(decisions.options()[criterion])
    for k, name in enumerate(bounds):
        at = tables.thresholds()[name]
        assert recommend({question: at}).classes[criterion] == known[k + 1]
        assert recommend({question: np.nextafter(at, 0)}).classes[criterion] == known[k]


def test_the_window_is_that_of_the_cost_models_default_model():
    window = scenario.default().inputs("claude-sonnet-5.5").answer_llm.context_window_tokens
    assert tables.thresholds()["context_window_tokens"] == window


def test_a_tenth_of_the_text_is_stale_at_the_next_release_from_the_monthly_threshold_on():
    months = scenario.assumption("months_between_releases").base
    assert 0.1 <= 1 - (1 - tables.thresholds()["changes_monthly"]) ** months < 0.12


def test_labels_of_classes_carry_their_thresholds():
    labels = {name: row.label for name, row in decisions.options()["volume"].items()}
    assert labels == {
        "low": "Fewer than 10,000",
        "middle": "10,000 to 1,000,000",
        "high": "1,000,000 or more",
    }
    for rows in tables.answers().values():
        assert not [row.label for row in rows.values() if "{" in row.label]


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.floats(0.0, 1e9), min_size=5, max_size=5))
def test_the_classes_of_arrays_are_the_classes_of_each_reader(values):
    names = ("documents", "tokens_per_document", "corpus_churn_per_month", "training_examples")
    numbers = dict(zip((*names, "queries_per_month"), values, strict=True))
    one = classes.positions(SimpleNamespace(needs_documents=1.0, **numbers))
    many = classes.positions(
        SimpleNamespace(needs_documents=np.ones(2), **{k: np.full(2, v) for k, v in numbers.items()})
    )
    assert {name: float(found[0]) for name, found in many.items()} == one


# ---------------------------------------------------------------------------------------------- "don't know"


def test_not_knowing_counts_as_the_assumed_answer_and_says_so():
    unknown = recommend({"documents": "unknown"})
    known = recommend(unknown.assumed)
    assert unknown.assumed == {row.question: tables.if_unknown(row) for row in decisions.questions()}
    assert known.assumed == {} and known.finding_out == ()
    same = {"first_step", "then", "steps", "not_recommended", "decided_by", "source_matrix", "classes"}
    assert unknown.model_dump(include=same) == known.model_dump(include=same)


def test_an_unknown_number_is_the_one_that_the_cost_model_would_price():
    advice = recommend({})
    for name in ("documents", "tokens_per_document", "corpus_churn_per_month", "queries_per_month"):
        assert advice.assumed[name] == scenario.assumption(name).base


def test_an_unknown_corpus_is_not_assumed_to_fit():
    assert recommend({}).classes["corpus"] == "large"
    assert "long_context" not in plan()


def test_what_is_asked_of_documents_does_not_apply_where_none_is_needed():
    advice = recommend(NO_TEXT)
    assert not {"documents", "tokens_per_document", "corpus_churn_per_month"} & advice.assumed.keys()
    assert advice.classes["changes"] == "hardly"
    assert recommend({**NO_TEXT, **WEEKLY}).classes["changes"] == "weekly"


def test_finding_out_names_all_and_only_the_open_answers_that_change_the_plan():
    known = {**LARGE, "tried": "prompting", "queries_per_month": 2000}
    here = plan_of(known)
    claimed = {
        (change.question, answer): (set(here) | set(change.adds)) - set(change.drops)
        for change in recommend(known).finding_out
        for answer in change.answers
    }
    found = {}
    for row in decisions.questions():
        for answer in classes.candidates(row) if row.question not in known else ():
            other = recommend({**known, row.question: answer})
            if (steps := plan_of({**known, row.question: answer})) != here:
                found[row.question, other.classes[row.derives or row.question]] = set(steps)
    assert claimed == found
    assert ("corpus_churn_per_month", "weekly") in claimed


def plan_of(answers):
    return [step.step for step in recommend(answers).steps]


def test_flips_are_all_and_only_the_single_answers_that_change_the_first_step():
    _, answers = decisions.workloads()["support-bot"]
    advice = recommend(answers)
    claimed = {(flip.criterion, answer): flip.first_step for flip in advice.flips for answer in flip.answers}
    for criterion, known in decisions.options().items():
        for answer in known:
            codes = decisions.engine.codes_of([advice.classes | {criterion: answer}])
            first = decisions.steps()[decisions.evaluate(codes)[1].argmax()].step
            assert claimed.get((criterion, answer), advice.first_step) == first


def test_a_flip_is_worth_finding_out_only_if_an_open_question_can_bring_it():
    known = {**LARGE, "needs_documents": "yes", "tried": "prompting", "corpus_churn_per_month": 0.01}
    flips = {(flip.criterion, flip.first_step): flip.open for flip in recommend(known).flips}
    assert flips["format", "constrained_decoding"] and not flips["tried", "prompting"]
    assert not flips["corpus", "long_context"]
    documents_open = {name: answer for name, answer in known.items() if name != "documents"}
    flips = {(flip.criterion, flip.first_step): flip.open for flip in recommend(documents_open).flips}
    assert flips["corpus", "long_context"] and not flips["corpus", "stop"]


def test_the_deciding_criteria_are_those_of_its_rules_and_its_flips():
    advice = recommend({**LARGE, "corpus_churn_per_month": 0.3, "tried": "prompting"})
    assert advice.first_step == "rag"
    assert advice.decided_by == ("changes", "corpus", "format", "tried", "volume", "prompt_length")


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
        ({"documents": 1_000_000}, "rag"),
        ({"documents": 20_000}, "nothing"),
        ({"style": "yes"}, "fine_tuning"),
        ({"citations": "yes", "style": "yes"}, "both"),
        ({"quality": "yes"}, "both"),
    ],
)
def test_the_source_verdict_stands_beside_ours(answers, verdict):
    assert decisions.source_verdict(recommend(STILL | answers).source_matrix) == verdict


def test_the_tenth_row_follows_from_two_others():
    ticks = recommend({**WEEKLY, "behaviour": "yes"}).source_matrix
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
            for row, code in zip(decisions.criteria(), reader, strict=True)
        }
        rows = decisions.source_matrix(answers)
        assert [bool(rows[column]) for column in decisions.COLUMNS] == list(ticked)


# ---------------------------------------------------------------------------------- files, costs, terminal


def test_every_number_is_named_as_an_input_of_the_cost_model():
    for row in decisions.questions():
        if row.kind == "number":
            low, high = tables.bounds(row)
            assumption = scenario.assumption(row.question)
            assert (high, low) in {(assumption.maximum, assumption.minimum), (assumption.maximum, 0)}


@settings(max_examples=50, derandomize=True)
@given(
    st.floats(1, 1e9), st.floats(1, 1e6), st.floats(1, 1e9), st.floats(0, 10), st.sampled_from(["yes", "no"])
)
def test_exactly_the_readers_numbers_are_handed_on(documents, tokens, queries, churn, needs):
    answers = {
        "documents": documents,
        "tokens_per_document": tokens,
        "queries_per_month": queries,
        "corpus_churn_per_month": churn,
        "needs_documents": needs,
        "text_may_go": "eu",
    }
    assert recommend({**answers, "style": "yes"}).scenario == answers


def test_only_given_answers_are_handed_on():
    assert recommend({"style": "yes", "tried": "rag"}).scenario == {}
    assert recommend({"training_examples": 0}).scenario == {}
    assert recommend({"training_examples": 40}).scenario == {"training_examples": 40}


def test_the_example_file_reads_back_as_knowing_nothing():
    text = decisions.example()
    assert list(tomllib.loads(text)) == [row.question for row in decisions.questions()]
    assert recommend(decisions.read(text)) == recommend({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("document = 3", r"document: must be one of needs_documents, .*; did you mean 'documents'\?"),
        (
            "documents = 0",
            r'documents = 0: must be a number from 1 to 1,000,000,000 \(documents\) or "unknown"',
        ),
        ('documents = "many"', "documents = 'many': must be a number from 1"),
        ("documents = true", "documents = True: must be a number from 1"),
        ("documents = nan", "documents = nan: must be a number from 1"),
        ("training_examples = -1", "training_examples = -1: must be a number from 0 to 10,000,000"),
        ('text_may_go = "usa"', "text_may_go = 'usa': must be one of anywhere, eu, own_account"),
        ("style = 3", "style = 3: must be one of no, yes, unknown"),
        ('style = ["yes"]', r"style = \['yes'\]: must be one of no"),
        ('corpus = "larg"', r"corpus = 'larg': must be one of none, small, large, .*did you mean 'large'\?"),
        ("corpus = 3", "corpus = 3: must be one of none"),
        ("corpus =", "not a TOML file"),
    ],
)
def test_a_bad_file_gets_one_clear_error(text, message):
    with pytest.raises(AnswersError, match=message):
        decisions.read(text)


# ------------------------------------------------------------------------------------- first-edition answers

OLD = [(question, answer) for question, rows in tables.old_answers().items() for answer in rows]


@pytest.mark.parametrize(("question", "answer"), OLD)
def test_an_old_answer_means_what_it_meant(question, answer):
    advice = recommend({question: answer})
    if question != "hosting":
        assert advice.classes[question] == answer
    assert len(advice.translated) == 1 and f'{question} = "{answer}": read as ' in advice.translated[0]


def test_an_old_file_opens_and_says_line_by_line_what_became_of_it():
    lines = ['corpus = "large"', 'hosting = "yes"', 'volume = "high"', "queries_per_month = 300000"]
    advice = recommend(decisions.read("\n".join([*lines, 'changes = "unknown"'])))
    assert advice.scenario == {
        "needs_documents": "yes",
        "documents": 20_000,
        "queries_per_month": 300_000,
        "text_may_go": "own_machines",
    }
    assert advice.translated == (
        'corpus = "large": read as needs_documents = "yes" and documents = 20000 '
        "(asked as needs_documents, documents now)",
        'hosting = "yes": read as text_may_go = "own_machines" (asked as text_may_go now)',
        'volume = "high": dropped for your queries_per_month (asked as queries_per_month now)',
        'changes = "unknown": left open (asked as corpus_churn_per_month now)',
    )
    assert decisions.as_text(advice).startswith('Translated: corpus = "large"')


# -------------------------------------------------------------------------------------- terminal, bad tables


def test_an_assumed_answer_that_nobody_can_give_is_an_error(monkeypatch):
    rows = [
        row.model_copy(update={"if_unknown": "nope"}) if row.question == "style" else row
        for row in data.load("decision_questions")
    ]
    monkeypatch.setattr(tables, "_rows", lambda: tuple(rows))
    tables.answers.cache_clear()
    with pytest.raises(data.DataError, match=r"questions.csv: style: if_unknown = nope: must be one"):
        tables.answers()


def test_the_terminal_says_what_dont_know_was_taken_for_before_any_second_step():
    advice = recommend({"tried": "prompting"})
    first, _, rest = decisions.as_text(advice).partition("If that falls short: ")
    assert "Documents: 10,000" in first and "Questions a month: 100,000" in first
    assert rest.count("Documents: 10,000") == 0
    matters = first.partition("with no say in this plan")[0]
    assert "Documents: 10,000" in matters and "Questions a month" not in matters
    for row in decisions.questions():
        assert (f"{row.short}: " in first) == (row.question in advice.assumed)


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
        (
            "r,rag,1,corpus=large & text_may_go=eu,Why.,prompting-first,rag/pipeline",
            "points = 1: must be 0 in a rule that asks text_may_go",
        ),
        ("r,rag,1,documents=3,Why.,prompting-first,rag/pipeline", "documents must be a question"),
        ("r,rag,1,,Why.,prompting-last,rag/pipeline", "claim = prompting-last: must be .*'prompting-first'"),
    ],
)
def test_a_bad_rule_is_named_with_its_line(tmp_path, row, message):
    path = tmp_path / "decision_rules.csv"
    path.write_text(f"{','.join(tables.RuleRow.model_fields)}\n{row}\n")
    with pytest.raises(data.DataError, match=f"data/decision_rules.csv:2: .*{message}"):
        data.read(path, tables.RuleRow)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("corpus,vast,documents=many", "now = documents=many: could not convert"),
        ("corpus,vast,colour=red", "colour: must be one of needs_documents"),
        ("corpus,vast,text_may_go=usa", "usa must be an answer to text_may_go"),
    ],
)
def test_a_bad_translation_is_named_with_its_line(tmp_path, row, message):
    path = tmp_path / "decision_old_answers.csv"
    path.write_text(f"question,answer,now\n{row}\n")
    with pytest.raises(data.DataError, match=f"data/decision_old_answers.csv:2: .*{message}"):
        data.read(path, tables.OldAnswerRow)
