"""How long a deleted document lives on, by place, at assumed lives of its copies that a reader can change."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ragvsft.costs import scenario
from ragvsft.formula import Quantity
from ragvsft.retrieval import formulas as f
from ragvsft.units import DAYS_PER_MONTH

ASSUMED: Mapping[str, float] = {
    "sync_days": 1,
    "answer_cache_days": 7,
    "conversation_days": 30,
    "log_days": 90,
    "backup_days": 35,
    "deleted_percent": 1,
    "threshold_percent": 20,
    "used_percent": 0.1,
}
"""Our assumptions, except `threshold_percent`, which is one store's default. Percentages are 0 to 100."""


def lifetimes(i: Any) -> dict[str, Quantity]:
    """Days until the document has left each place, and `affected`, the answers that may still use it.

    `i` has the names of `ASSUMED`, `months_between_releases` and `queries_per_month`.
    """
    compaction = DAYS_PER_MONTH * f.months_until_compaction(
        i.threshold_percent / 100, i.deleted_percent / 100
    )
    answers = f.days_until_out_of_answers(i.sync_days, i.answer_cache_days, i.conversation_days)
    return {
        "sync": i.sync_days,
        "answers": answers,
        "compaction": i.sync_days + compaction,
        "bytes": f.days_until_last_copy(answers, i.sync_days, compaction, i.log_days, i.backup_days),
        "weights": i.months_between_releases * DAYS_PER_MONTH,
        "affected": f.answers_after_deletion(i.queries_per_month, i.used_percent / 100, answers),
    }


def assumed_lifetimes() -> dict[str, float]:
    """`lifetimes` at `ASSUMED` and the cost model's base case."""
    inputs = SimpleNamespace(**{**scenario.default().assumptions, **ASSUMED})
    return {place: float(days) for place, days in lifetimes(inputs).items()}
