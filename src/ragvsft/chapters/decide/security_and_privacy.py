"""The calculator and the chart of the chapter on security and privacy: deletion, and filtering by rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from ragvsft.prices import PLACES, OfferRow, Place, of_kind, status
from ragvsft.prices.offers import label
from ragvsft.prose import count, day, percent, table
from ragvsft.retrieval import results as measured
from ragvsft.retrieval.deletion import ASSUMED, lifetimes
from ragvsft.retrieval.formulas import chance_of_empty_result
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Finding, Number, Preset, Row
from ragvsft.widgets.chart import METHOD_COLOURS
from ragvsft.widgets.cost_inputs import assumption_input

PARTS = {
    "llm": "a model by the token",
    "tuned_llm": "a tuned model by the token",
    "weights": "an open model's weights",
    "gpu": "a GPU to run them",
    "embedder": "an embedding model",
    "reranker": "a reranker",
    "store": "a vector store",
}
"""What has to be bought, by kind of offer."""


def deletion() -> Calculator:
    """How long a deleted document lives on: in answers, in bytes, in a model that was trained on it."""
    return Calculator(
        "deletion",
        "How long does a deleted document live on?",
        (
            Number("sync_days", "Until the index notices", "days", ASSUMED["sync_days"], 0, 30),
            Number(
                "answer_cache_days", "Life of a cached answer", "days", ASSUMED["answer_cache_days"], 0, 90
            ),
            Number(
                "conversation_days",
                "Life of a conversation's summary",
                "days",
                ASSUMED["conversation_days"],
                0,
                365,
            ),
            Number("log_days", "Life of logs and traces", "days", ASSUMED["log_days"], 0, 1000),
            Number("backup_days", "Life of a backup", "days", ASSUMED["backup_days"], 0, 1000),
            Number(
                "deleted_percent",
                "Share of the index deleted each month",
                "%",
                ASSUMED["deleted_percent"],
                0.1,
                20,
                scale="log",
            ),
            Number(
                "threshold_percent",
                "Deleted share that starts a rebuild",
                "%",
                ASSUMED["threshold_percent"],
                1,
                100,
            ),
            assumption_input("months_between_releases"),
            assumption_input("queries_per_month"),
            Number(
                "used_percent",
                "Share of answers that draw on the document",
                "%",
                ASSUMED["used_percent"],
                0.001,
                10,
                scale="log",
            ),
        ),
        lifetimes,
        (
            Row("Out of the search results, days", Cell("sync", "number")),
            Row("Out of every answer, days", Cell("answers", "number")),
            Row("Out of the store's files, days", Cell("compaction", "number")),
            Row("Last byte gone, days", Cell("bytes", "number")),
            Row(
                "Out of a model trained on it, days, if the next release leaves it out",
                Cell("weights", "number"),
            ),
            Row("Answers that may still use it, at most", Cell("affected", "count")),
        ),
        ("", "Result"),
        chart=_deletion_chart,
        finding=Finding("What goes last: {highest}, after {highest_value:number} days"),
        sweep=Bars(
            {
                "sync": "search results",
                "answers": "answers",
                "compaction": "store's files",
                "bytes": "last byte",
                "weights": "model weights",
            }
        ),
        presets=(
            Preset("Compact every week", {"deleted_percent": 4, "threshold_percent": 1}),
            Preset("No caches", {"answer_cache_days": 0, "conversation_days": 0}),
        ),
        note=(
            "The defaults are assumptions, except the threshold, which is one store's default. "
            "Legal holds are not modelled."
        ),
    )


_INDEX_COPIES = ("search results", "answers", "store's files", "last byte")
_DELETION_COLOURS = alt.Scale(
    domain=[*_INDEX_COPIES, "model weights"],
    range=[METHOD_COLOURS["rag"]] * len(_INDEX_COPIES) + [METHOD_COLOURS["fine_tuned"]],
)


def _deletion_chart(rows: Any) -> Any:
    order = [*_INDEX_COPIES, "model weights"]
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            alt.X("value:Q", title="Days after the deletion"),
            alt.Y("series:N", title=None, sort=order),
            alt.Color("series:N", scale=_DELETION_COLOURS, legend=None),
        )
        .properties(
            description=(
                "Days until a deleted document is out of search results, out of answers, out of the store's "
                "files, out of every copy, and out of a model that was trained on it, as five bars."
            )
        )
    )


def empty_result_chart(candidates: Sequence[int] = (5, 20, 100), share: float = 0.05) -> Any:
    """How often filtering after the search leaves nothing; the title tells it for one share of the index."""
    rows = [
        {
            "share": percent_read / 100,
            "empty": chance_of_empty_result(k, percent_read / 100),
            "candidates": f"{k} candidates",
        }
        for k in candidates
        for percent_read in range(1, 51)
    ]
    fewest, most = min(candidates), max(candidates)
    left = [percent(float(chance_of_empty_result(k, share))) for k in (fewest, most)]
    base = alt.Chart(alt.InlineData(rows)).encode(
        alt.X("share:Q", title="Share of the index that the user may read", axis=alt.Axis(format="%")),
        alt.Y("empty:Q", title="Searches left with nothing", axis=alt.Axis(format="%")),
        alt.Color("candidates:N", title=None, sort=None),
        tooltip=[
            alt.Tooltip("candidates:N", title="Fetched"),
            alt.Tooltip("share:Q", title="May read", format=".0%"),
            alt.Tooltip("empty:Q", title="Left with nothing", format=".1%"),
        ],
    )
    return base.mark_line().properties(
        title=(
            f"With {percent(share)} readable, {fewest} candidates leave nothing in {left[0]} of searches, "
            f"{most} in {left[1]}"
        ),
        description=(
            "Chance that filtering after the search leaves nothing, against the share of the index that a "
            f"user may read, one line for each number of candidates: {', '.join(map(str, candidates))}."
        ),
    )


def offered(kind: str, place: Place) -> tuple[OfferRow, ...]:
    """Offers of a kind that can be bought, kept for the default horizon, and sent text bound to `place`."""
    return tuple(row for row in of_kind(kind) if status(row.id, place=place).available)


def places_table() -> str:
    """How many offers each part of a system has in each place, those to be confirmed first apart."""
    rows = [[part, *(_counted(offered(kind, place)) for place in PLACES)] for kind, part in PARTS.items()]
    return table(["What you need", *PLACES.values()], rows)


def _counted(rows: Sequence[OfferRow]) -> str:
    unsure = sum(row.confirm_first for row in rows)
    return f"{count(len(rows))}, {count(unsure)} to confirm first" if unsure else count(len(rows))


def weak_parts(place: Place) -> dict[str, str]:
    """The parts of a place that nobody sells there or only sellers to be confirmed first: part → why."""
    found = {}
    for kind, part in PARTS.items():
        rows = offered(kind, place)
        sold = [row for row in rows if row.source_kind != "assumption"]
        if not rows:
            found[part] = "not on record"
        elif sold and all(row.confirm_first for row in sold):
            found[part] = "from sellers to be confirmed first only"
        elif not sold and place != "own_machines":
            found[part] = "on a machine of your own only"
    return found


def weak_rungs() -> str:
    """A Markdown list: for each place, the parts that are missing or weak."""
    return "\n".join(
        f"- **{name}**: {_weak(weak_parts(place))}." for place, name in PLACES.items() if place != "anywhere"
    )


def _weak(parts: dict[str, str]) -> str:
    if not parts:
        return "every part is on record from a seller who states the place"
    return "weak rungs are " + "; ".join(f"{part} ({why})" for part, why in parts.items())


def offers_table(place: Place) -> str:
    """Every offer of a place by part, with the source and the date of the place that its seller states."""
    rows = [
        [part, label(row), _stated(row), "confirm first" if row.confirm_first else ""]
        for kind, part in PARTS.items()
        for row in offered(kind, place)
    ]
    return table(["What you need", "Offer", "Place stated by, on", "Mark"], rows)


def _stated(row: OfferRow) -> str:
    if row.regions_source is None or row.regions_as_of is None:
        return "your own machine"
    linked = row.regions_source.startswith("http")
    source = f"[its source]({row.regions_source})" if linked else row.regions_source
    return f"{source}, {day(row.regions_as_of)}"


# ------------------------------------------------------------------------------------- our own measurement


def audited() -> tuple[str, ...]:
    """The stores of the deletion audit, in its order."""
    return tuple(dict.fromkeys(row.store for row in measured.deletion()))


def after_delete(store: str) -> measured.DeletionRow:
    """The state of a store after the delete call and a reopening."""
    return next(row for row in measured.deletion(store) if row.step == 1)


def keeping() -> tuple[str, ...]:
    """The stores that still held something after the delete call."""
    return tuple(store for store in audited() if measured.left(after_delete(store)))


def unseen(store: str) -> tuple[str, ...]:
    """What the store was given to keep and the audit could not see even before the deletion."""
    row = after_delete(store)
    seen = {"text": row.text_was_visible, "vector": row.vector_was_visible}
    return tuple(part for part, visible in seen.items() if part in row.keeps and not visible)


def audit_table() -> str:
    """For each store: left after delete, purges that were not enough, the purge that was, left after it."""
    head = [
        "Store",
        "Left after the delete call",
        "Purges that were not enough",
        "Purge that was",
        "Left after it",
    ]
    return table(head, [_audit_line(store) for store in audited()])


def _audit_line(store: str) -> list[str]:
    deleted, purge = after_delete(store), measured.purged_by(store)
    hidden = f" ({' and '.join(unseen(store))} not visible to the audit)" if unseen(store) else ""
    last = purge.step if purge else len(measured.deletion(store))
    short = [
        f"{row.command or row.action} (leaves {', '.join(measured.left(row))})"
        for row in measured.deletion(store)
        if 1 < row.step < last
    ]
    enough = (purge.command or "none needed") if purge else "none that we tried"
    gone = "nothing found" if purge else ", ".join(measured.left(measured.deletion(store)[-1]))
    return [
        f"{store} {deleted.version}",
        (", ".join(measured.left(deleted)) or "nothing found") + hidden,
        "; ".join(short),
        enough,
        gone + hidden,
    ]


PARTS_LEFT = {"the text": "text", "a rare word of it": "keyword index", "its vector": "vector"}


def audit_chart() -> Any:
    """How many stores still hold text, keyword entry or vector after the delete call."""
    rows = [
        {"part": label, "stores": sum(words in measured.left(after_delete(store)) for store in audited())}
        for words, label in PARTS_LEFT.items()
    ]
    told = "; ".join(f"{row['part']} in {row['stores']}" for row in rows)
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_bar(color=METHOD_COLOURS["rag"])
        .encode(
            alt.X("stores:Q", title=f"Stores of {len(audited())}", axis=alt.Axis(tickMinStep=1)),
            alt.Y("part:N", title=None, sort=None),
            tooltip=[alt.Tooltip("part:N", title="Left"), alt.Tooltip("stores:Q", title="Stores")],
        )
        .properties(
            title=f"{len(keeping())} of {len(audited())} stores still hold something after the delete call",
            description=f"What stores hold of a deleted item after the delete call: {told}.",
        )
    )
