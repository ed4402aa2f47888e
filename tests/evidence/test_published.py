"""What the book recomputes from published tables agrees with a count by hand."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft.data import DATA, DataError, load, read
from ragvsft.evidence.bibliography import source
from ragvsft.evidence.published import (
    Arm,
    PairedResult,
    PublishedResult,
    Record,
    by_paper,
    comparisons,
    difference,
    figure,
    paired_results,
    pooled_difference,
    record,
    resolved_record,
    results,
    static_cells,
)
from ragvsft.evidence.surveys import joint_share

SHARE = st.floats(min_value=0, max_value=1)


def test_the_thirty_cells_recounted() -> None:
    assert record(static_cells(), "both", against="rag") == Record(wins=8, ties=5, losses=17)
    assert record(static_cells(), "rag", against="fine_tuned") == Record(wins=28, ties=0, losses=2)
    assert record(static_cells(), "rag", against="base") == Record(wins=30, ties=0, losses=0)
    assert record(static_cells(), "fine_tuned", against="base") == Record(wins=22, ties=2, losses=6)


def test_the_weakest_model_gains_most_from_both() -> None:
    llama = [cell for cell in static_cells() if cell.model == "Llama2 7B"]
    assert record(llama, "both", against="rag") == Record(wins=5, ties=1, losses=4)


def test_the_sign_test_ignores_ties() -> None:
    assert Record(wins=8, ties=5, losses=17).p_value == pytest.approx(0.10775, abs=1e-5)
    assert Record(wins=8, ties=500, losses=17).p_value == Record(wins=8, ties=0, losses=17).p_value


def test_shares_come_with_their_interval() -> None:
    share, low, high = Record(wins=8, ties=5, losses=17).share(8)
    assert (share, low, high) == pytest.approx((8 / 30, 0.1418, 0.4445), abs=1e-4)


@given(SHARE, SHARE)
def test_the_overlap_of_two_shares_is_bounded(first: float, second: float) -> None:
    low, high = joint_share(first, second)
    assert 0 <= low <= high + 1e-12 <= 1 + 1e-12
    assert high <= min(first, second)


def test_the_survey_and_the_adoption_figure_leave_the_answer_open() -> None:
    assert joint_share(0.57, 0.51) == pytest.approx((0.08, 0.51))


def test_every_published_row_names_a_source() -> None:
    for row in [*results(), *load("surveys")]:
        source(row.citation)


def test_no_single_cell_of_the_thirty_is_resolved() -> None:
    """At one or two hundred questions a subject, none of them says by itself which method is better."""
    assert resolved_record(static_cells(), "both", against="rag") == Record(wins=0, ties=30, losses=0)
    assert resolved_record(static_cells(), "rag", against="fine_tuned") == Record(wins=0, ties=30, losses=0)
    assert resolved_record(static_cells(), "rag", against="base").wins == 2


def test_pooled_over_subjects_retrieval_beats_the_untrained_model() -> None:
    found = pooled_difference("Mistral 7B", 0, "rag", against="base")
    assert found.resolved and found.value == pytest.approx(
        sum(c.n * (c.rag - c.base) for c in static_cells() if (c.model, c.shots) == ("Mistral 7B", 0))
        / sum(c.n for c in static_cells() if (c.model, c.shots) == ("Mistral 7B", 0))
    )


RAG = "RAG: BM25, one whole article"
MANY = "full fine-tuning on 40 x 4 rewrites an article by GPT-4o"
FEW = "full fine-tuning on 10 x 4 rewrites an article by GPT-4o"


def taught(condition: str) -> PublishedResult:
    return figure("abonizio2025", condition, dataset="news after the cut-off, 468 questions")


def test_with_enough_rewrites_a_fine_tune_ties_with_retrieval() -> None:
    tie = difference(taught(RAG), taught(MANY))
    assert tie and tie.paired and not tie.resolved
    assert (tie.value, tie.low, tie.high) == pytest.approx((-0.0043, -0.0486, 0.0401), abs=1e-4)
    behind = difference(taught(RAG), taught(FEW))
    assert behind and behind.resolved and behind.value < 0


def test_a_difference_turned_round_changes_its_sign() -> None:
    one, other = difference(taught(RAG), taught(FEW)), difference(taught(FEW), taught(RAG))
    assert one and other and (other.value, other.low, other.high) == (-one.value, -one.high, -one.low)


@pytest.mark.parametrize("row", paired_results(), ids=lambda row: row.second)
def test_paired_counts_are_the_published_shares(row: PairedResult) -> None:
    n = row.both_right + row.only_first + row.only_second + row.neither
    first, second = taught(row.first), taught(row.second)
    assert n == first.n == second.n
    assert (row.both_right + row.only_first) / n == pytest.approx(first.value, abs=5e-5)
    assert (row.both_right + row.only_second) / n == pytest.approx(second.value, abs=5e-5)


def test_synthetic_training_passes_a_good_retriever_beyond_doubt_in_one_of_six() -> None:
    settings = {(row.model, row.dataset) for row in results("han2026smt")}
    found = {"fine-tuned": 0, "both": 0}
    for model, dataset in settings:
        arms = {r.arm: r for r in results("han2026smt") if (r.model, r.dataset) == (model, dataset)}
        for arm in found:
            gain = difference(arms["RAG"], arms[arm])
            found[arm] += bool(gain and gain.resolved and gain.value > 0)
    assert len(settings) == 6 and found == {"fine-tuned": 1, "both": 4}


def test_without_a_sample_size_nothing_is_resolved() -> None:
    rag = figure("zhang2024raft", "RAG", model="LLaMA2-7B", dataset="PubMedQA")
    assert difference(rag, figure("zhang2024raft", "fine-tuned (DSF)", dataset="PubMedQA")) is None


def test_unlike_figures_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"citation = .*: must be .*, as in the figure it is compared with"):
        difference(taught(RAG), figure("anthropic2024haiku", "base"))
    with pytest.raises(DataError, match=r"must fit one row .* fits 5"):
        figure("zhang2024raft", "fine-tuned (DSF)")


def test_a_figure_read_in_its_source_says_where_it_stands(tmp_path: Path) -> None:
    text = (DATA / "published_results.csv").read_text("utf-8").splitlines()
    path = tmp_path / "published_results.csv"
    path.write_text(f"{text[0]}\n{text[1].replace('Table 1', '')}\n", "utf-8")
    with pytest.raises(DataError, match="locator is blank: a figure read as full text must say where"):
        read(path, PublishedResult)


def test_every_paper_counts_and_some_go_the_other_way() -> None:
    """One table of one paper is not the literature: where fine-tuning alone wins is in the same data."""
    found = by_paper(comparisons("RAG", against="fine-tuned"))
    assert found["ovadia2024"] == Record(wins=31, ties=0, losses=2)
    assert found["zhang2024raft"] == Record(wins=0, ties=0, losses=5)
    assert found["han2026smt"] == Record(wins=1, ties=0, losses=5)
    assert len(found) >= 10


def test_few_of_them_are_resolved_at_their_sample_size() -> None:
    found = by_paper(comparisons("RAG", against="fine-tuned"), resolved_only=True)
    assert found["ovadia2024"] == Record(wins=3, ties=30, losses=0)
    assert found["han2026smt"] == Record(wins=0, ties=5, losses=1)
    assert found["zhang2024raft"] == Record(wins=0, ties=5, losses=0)


def test_both_against_retrieval_depends_on_the_paper() -> None:
    found = by_paper(comparisons("both", against="RAG"))
    assert found["han2026smt"] == Record(wins=6, ties=0, losses=0)
    assert found["ovadia2024"].losses > found["ovadia2024"].wins
    resolved = by_paper(comparisons("both", against="RAG"), resolved_only=True)
    assert resolved["han2026smt"].wins == 4 and resolved["ovadia2024"] == Record(0, 30, 3)


def test_a_retriever_that_was_given_the_wrong_articles_is_not_compared() -> None:
    """Pooling these questions with the taught ones would make fine-tuning look better than it is."""
    wrong = [row for row in results("abonizio2025") if "not in the index" in row.dataset]
    assert wrong and "RAG" not in {row.arm for row in wrong}


@pytest.mark.parametrize(("shots", "resolved"), [(0, True), (5, True)])
def test_pooled_over_subjects_one_model_learns_more_from_retrieval(shots: int, resolved: bool) -> None:
    assert pooled_difference("Mistral 7B", shots, "rag", against="fine_tuned").resolved is resolved
    assert not pooled_difference("Mistral 7B", shots, "both", against="rag").resolved


@pytest.mark.parametrize(("arm", "gain"), [("fine-tuned", 0.026), ("both", 0.091)])
def test_a_quoted_table_gives_the_gains_that_its_abstract_states(arm: Arm, gain: float) -> None:
    """Han et al. was read as an abstract; its table only in quotation. The two agree."""
    ratios = [c.value / c.against for c in comparisons(arm, against="RAG") if c.citation == "han2026smt"]
    assert sum(ratios) / len(ratios) - 1 == pytest.approx(gain, abs=0.001)
