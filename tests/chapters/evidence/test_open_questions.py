"""What kind of training keeps a model faithful to its context, on five sets."""

from drawn_rows import drawn
from ragvsft.chapters.evidence import open_questions as chapter


def test_the_title_counts_the_sets_on_which_training_with_passages_is_best() -> None:
    rows = drawn(chapter.context_training_chart())
    best: dict[str, dict] = {}
    for row in rows:
        if row["score"] > best.get(row["set"], {"score": -1})["score"]:
            best[row["set"]] = row
    wins = sum(row["training"] == "fine-tuned with retrieved passages" for row in best.values())
    title = chapter.context_training_chart().to_dict()["title"]
    assert title == f"Trained on retrieved passages, it is best on {wins} of {len(best)} sets"
