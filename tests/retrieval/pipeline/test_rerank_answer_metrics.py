"""A reranker that learns, an answer that cites or abstains, and measures that agree with hand calculation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragvsft.retrieval.pipeline import PipelineError, rerank
from ragvsft.retrieval.pipeline.answer import extract
from ragvsft.retrieval.pipeline.chunk import Passage
from ragvsft.retrieval.pipeline.metrics import difference, holm, interval, measure
from ragvsft.retrieval.pipeline.store import Hit

pytest.importorskip("lightgbm")
pytest.importorskip("ir_measures")


def hit(name: str, text: str) -> Hit:
    return Hit(Passage(document=name, position=0, title="t", text=text, groups=("everyone",)), 1.0)


def test_late_interaction_takes_the_best_match_of_each_word_piece() -> None:
    query = np.array([[1, 0], [0, 1]], dtype=np.float32)
    passage = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert rerank.late_interaction(query, passage) == pytest.approx((0.9, 0.8))


def test_a_feature_table_has_a_row_a_candidate_and_survives_no_common_word() -> None:
    table = rerank.features("refund deadline", ["refund deadline today", "nothing"], [2.0, 0.0], [0.9, 0.1])
    assert table.shape == (2, len(rerank.FEATURES))
    assert np.isfinite(table).all()
    share = rerank.FEATURES.index("share_of_query_terms")
    assert list(table[:, share]) == [1.0, 0.0]


def examples(n: int) -> tuple[list[rerank.Table], list[list[int]]]:
    """Queries whose relevant candidate is the one with the least cosine: fusion alone would be wrong."""
    rng = np.random.default_rng(0)
    tables, labels = [], []
    for _ in range(n):
        table = rng.random((8, len(rerank.FEATURES)))
        tables.append(table)
        labels.append([int(k == table[:, rerank.FEATURES.index("cosine")].argmin()) for k in range(8)])
    return tables, labels


def test_the_ranker_learns_what_the_labels_show_and_is_the_same_each_time(tmp_path: Path) -> None:
    tables, labels = examples(200)
    ranker = rerank.train(tables[:150], labels[:150])
    right = [
        int(np.argmax(ranker.scores(t)) == np.argmax(y))
        for t, y in zip(tables[150:], labels[150:], strict=True)
    ]
    assert np.mean(right) > 0.7
    again = rerank.train(tables[:150], labels[:150])
    np.testing.assert_array_equal(ranker.scores(tables[0]), again.scores(tables[0]))
    ranker.save(tmp_path / "ranker.txt")
    np.testing.assert_allclose(
        rerank.load(tmp_path / "ranker.txt").scores(tables[0]), ranker.scores(tables[0])
    )


def test_labels_without_a_relevant_candidate_are_refused() -> None:
    tables, labels = examples(3)
    with pytest.raises(PipelineError, match="no query has a relevant candidate"):
        rerank.train(tables, [[0] * len(given) for given in labels])


def test_a_file_that_is_no_ranker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ranker.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(PipelineError, match="is not a saved ranker"):
        rerank.load(tmp_path / "ranker.txt")


def test_the_answer_quotes_its_sources_word_for_word(embedder: Any) -> None:
    hits = [
        hit("a", "Our office is in Oslo by the sea. Refunds are paid within fourteen days."),
        hit("b", "Parcels leave on working days only."),
    ]
    answer = extract("When are refunds paid?", hits, embedder, sentence_count=1)
    assert answer.text == "Refunds are paid within fourteen days. [1]"
    assert answer.citations == ("a#0",)
    assert not answer.abstained


def test_it_abstains_below_the_threshold_and_without_passages(embedder: Any) -> None:
    hits = [hit("a", "Parcels leave on working days only.")]
    answer = extract("When are refunds paid?", hits, embedder, threshold=0.9)
    assert (answer.text, answer.citations, answer.abstained) == ("", (), True)
    assert extract("When?", [], embedder).abstained


@pytest.mark.parametrize(("count", "threshold"), [(0, 0.0), (1, 1.5)])
def test_settings_out_of_range_are_refused(embedder: Any, count: int, threshold: float) -> None:
    with pytest.raises(PipelineError, match="must be"):
        extract("When?", [], embedder, count, threshold)


def test_measures_agree_with_hand_calculation() -> None:
    gold = {"q1": ["a", "b"], "q2": ["z"]}
    values = measure(gold, {"q1": ["x", "a", "b"], "q2": []}, ["nDCG@10", "R@5", "RR@10"])
    ideal = 1 + 1 / math.log2(3)
    assert values["nDCG@10"]["q1"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(4)) / ideal)
    assert values["R@5"] == {"q1": 1.0, "q2": 0.0}
    assert values["RR@10"] == {"q1": 0.5, "q2": 0.0}


def test_a_question_without_gold_is_refused() -> None:
    with pytest.raises(PipelineError, match="question = q: has no relevant passage"):
        measure({"q": []}, {})


def test_clusters_widen_the_interval_of_what_they_share() -> None:
    rng = np.random.default_rng(1)
    clusters = [f"p{k // 50}" for k in range(500)]
    shared = np.repeat(rng.normal(0.1, 0.3, 10), 50)
    values = shared + rng.normal(0, 0.1, 500)
    low, high = interval(values, clusters)
    alone_low, alone_high = interval(values, ["one"] * 500)
    assert high - low > 3 * (alone_high - alone_low)
    assert low < values.mean() < high


def test_a_clear_difference_is_found_and_none_is_not() -> None:
    rng = np.random.default_rng(2)
    clusters = [f"p{k % 12}" for k in range(240)]
    first = rng.random(240)
    better = difference(first, first + 0.2, clusters)
    assert (better.value, better.wins, better.losses) == (pytest.approx(0.2), 240, 0)
    assert better.p_value < 0.01 < 0.15 < better.low
    same = difference(first, first, clusters)
    assert (same.value, same.p_value, same.wins) == (0, 1, 0)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """20 clusters of 15 questions, drawn 120 times: 95% intervals hold the true mean in most of them."""
    rng = np.random.default_rng(3)
    clusters = [f"p{k // 15}" for k in range(300)]
    held = 0
    for seed in range(120):
        values = np.repeat(rng.normal(0, 0.2, 20), 15) + rng.normal(0, 0.4, 300)
        low, high = interval(values, clusters, draws=400, seed=seed)
        held += low <= 0 <= high
    assert 105 <= held <= 120


def test_holm_multiplies_the_smallest_most_and_never_decreases() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
