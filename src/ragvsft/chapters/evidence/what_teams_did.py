"""The table, the filter and the figure of the chapter on what teams did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import altair as alt
import pandas as pd
from IPython.display import HTML

from ragvsft.evidence.cases import Case, cases
from ragvsft.evidence.surveys import Survey, tag_shares
from ragvsft.prose import count, percent, table
from ragvsft.widgets.chart import METHOD_COLOURS, Layers

READ = {"full text": "read", "quotation": "read in a summary"}
"""How an account was read, in the words of the table, where they are not the data's."""

LEVEL = 0.95
"""Confidence of the intervals, as in `wilson_interval`."""

TRAINING = re.compile(r"fine-tun|LoRA|adapter|continued pretraining|domain-adapted|trained embeddings", re.I)
RETRIEVAL = re.compile(r"\bRAG\b|retriev|embedding|search", re.I)


def case(organisation: str) -> Case:
    """The one case of an organisation. Raises StopIteration if there is none."""
    return next(row for row in cases() if row.organisation == organisation)


def trained(row: Case) -> bool:
    """Whether they tried training of any kind, by the words of the account."""
    return any(TRAINING.search(step) for step in row.tried)


def retrieved(row: Case) -> bool:
    """Whether they tried retrieval of any kind, by the words of the account."""
    return any(RETRIEVAL.search(step) for step in row.tried)


def kept_table() -> str:
    """What was kept, by method, and how many of those accounts state a time or a cost."""
    kept = Counter(row.kept for row in cases())
    stated = Counter(row.kept for row in cases() if row.time_or_cost)
    lines = [(name, count(times), count(stated[name])) for name, times in kept.most_common()]
    return table(("What they kept", "Accounts", "State a time or a cost"), lines)


def cases_table(rows: Iterable[Case]) -> str:
    """Every account: what for, what was tried in which order, what was kept, effect, time or cost."""
    columns = ("Who, and for what", "Tried, in this order", "Kept", "Effect", "Time or cost", "Account")
    return table(columns, map(_line, rows))


def _line(row: Case) -> tuple[str, ...]:
    told = READ.get(row.how_read, f"{row.how_read} read")
    tried = " → ".join(row.tried)
    note = f" ({row.note})" if row.note else ""
    return (
        f'<span class="kept-{_slug(row.kept)}"></span>**{row.organisation}**: {row.task}',
        tried,
        row.kept,
        row.effect + note,
        row.time_or_cost or "not stated",
        f"[{row.years}]({row.source}), {told}",
    )


def _slug(kept: str) -> str:
    return re.sub(r"[^a-z]+", "-", kept.lower())


def kept_filter() -> HTML:
    """Radio buttons that leave only the accounts that kept one method. Needs no script."""
    kept = [name for name, _ in Counter(row.kept for row in cases()).most_common()]
    buttons = "".join(
        f'<label><input type="radio" name="kept" id="show-{_slug(name)}"{" checked" * (name == "all")}> '
        f"{name}</label> "
        for name in ("all", *kept)
    )
    rules = "".join(
        f"body:has(#show-{_slug(name)}:checked) "
        f'tr:has([class^="kept-"]):not(:has(.kept-{_slug(name)})) {{display: none}}\n'
        for name in kept
    )
    return HTML(f"<style>\n{rules}</style><fieldset><legend>Kept</legend>{buttons}</fieldset>")


TAGS: dict[Literal["rag", "fine-tuned"], tuple[str, str]] = {
    "rag": ("rag", "tagged RAG"),
    "fine-tuned": ("fine_tuned", "tagged fine-tuning"),
}


def year(row: Survey) -> str:
    """The year that a row of tag shares counts."""
    return row.id[-4:]


def tags_chart() -> Layers:
    """Share of published case studies with each tag, by year, with 95% intervals."""
    rows = [
        (year(row), label, row.share, *(row.interval or (None, None)), row.n)
        for tag, (_, label) in TAGS.items()
        for row in tag_shares(tag)
    ]
    frame = pd.DataFrame(rows, columns=["year", "tag", "share", "low", "high", "cases"])
    labels = [label for _, label in TAGS.values()]
    colour = alt.Color(
        "tag:N",
        title=None,
        legend=None,
        scale=alt.Scale(domain=labels, range=[METHOD_COLOURS[method] for method, _ in TAGS.values()]),
    )
    base = alt.Chart(frame).encode(alt.X("year:O", title="Year of the account"), colour)
    share = alt.Y("share:Q", title="Share of that year's cases", axis=alt.Axis(format="%"))
    bars = base.mark_rule(strokeWidth=3, opacity=0.5).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    lines = base.mark_line(point=True).encode(
        share,
        tooltip=[
            alt.Tooltip("year:O", title="Year"),
            alt.Tooltip("tag:N", title="Tag"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
            alt.Tooltip("cases:Q", title="Cases of that year"),
        ],
    )
    named = (
        alt.Chart(frame[frame.year == frame.year.max()])
        .mark_text(align="right", dy=-14)
        .encode(alt.X("year:O"), share, alt.Text("tag:N"), colour)
    )
    tuned = tag_shares("fine-tuned")
    first, last = tuned[0], tuned[-1]
    told = "; ".join(
        f"{row.year}, {row.tag}: {percent(row.share)} of {row.cases}" for row in frame.itertuples()
    )
    return alt.layer(bars, lines, named).properties(
        title=f"Share of cases that train: {percent(first.share or 0)} in {year(first)}, "
        f"{percent(last.share or 0)} in {year(last)}",
        description=f"Share of one vendor's collection of case studies with each tag, by year. {told}.",
    )
