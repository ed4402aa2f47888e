"""The charts of the chapter that compares quality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.data import load
from ragvsft.evidence.combining import ALONE, TRAINED, paper
from ragvsft.evidence.published import (
    Record,
    by_paper,
    comparisons,
    paired_results,
    record,
    results,
    static_cells,
)
from ragvsft.prose import count, number, percent, table
from ragvsft.retrieval.pipeline.embed import DIMENSIONS as DIMENSIONS
from ragvsft.tuning import results as tuning
from ragvsft.tuning.formulas import accuracy_when_found
from ragvsft.tuning.results import (
    CONDITIONS,
    FIRST_STAGE,
    LEVEL_NAMES,
    LEVELS,
    Crossing,
    Level,
    Schedule,
)
from ragvsft.widgets.answer_browser import AnswerBrowser, tuning_answers
from ragvsft.widgets.calculator import Calculator, Cell, Choice, Finding, Number, Row, Select, Sweep
from ragvsft.widgets.chart import COLON_LINES, METHOD_COLOURS, QUIET, SERIES, Layers, with_now
from ragvsft.widgets.tuning_dots import COLOURS, SHARE_TOOLTIPS, dots

OUTCOMES = ("both is better", "equal", "RAG alone is better")
AGAINST = ("RAG ahead", "equal", "fine-tune ahead")
RAG, TUNED, BOTH = (METHOD_COLOURS[name] for name in ("rag", "fine_tuned", "rag_fine_tuned"))


def facts_by_paper(resolved_only: bool = False) -> dict[str, Record]:
    """Settings in which RAG beat, equalled or lost to the fine-tune alone, in each paper that tried both."""
    return by_paper(comparisons("RAG", "fine-tuned"), resolved_only)


def ahead(records: Iterable[Record]) -> int:
    """In how many papers RAG leads in more settings than it trails."""
    return sum(found.wins > found.losses for found in records)


def papers_chart() -> Layers:
    """A bar for each paper: the share of its settings in which RAG or the fine-tune alone is ahead."""
    found, resolved = facts_by_paper(), facts_by_paper(resolved_only=True)
    order = sorted(found, key=lambda key: (-found[key].wins / found[key].cells, -found[key].cells, key))
    rows = [
        (
            f"{paper(key)} ({count(found[key].cells)})",
            outcome,
            times,
            times / found[key].cells,
            place,
            resolved[key].wins + resolved[key].losses,
        )
        for key in order
        for place, (outcome, times) in enumerate(zip(AGAINST, found[key], strict=True))
        if times
    ]
    frame = pd.DataFrame(rows, columns=["paper", "outcome", "settings", "share", "place", "resolved"])
    told = "; ".join(f"{paper(key)}: RAG {found[key].wins}, fine-tune {found[key].losses}" for key in order)
    colour = alt.Scale(domain=list(AGAINST), range=[RAG, QUIET, TUNED])
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.Y("paper:N", sort=None, title=None),
            alt.X("share:Q", title="Share of the paper's settings", axis=alt.Axis(format="%")),
            alt.Color("outcome:N", title=None, scale=colour),
            alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("paper:N", title="Paper (settings)"),
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("settings:Q", title="Settings"),
                alt.Tooltip("resolved:Q", title="Of all its settings, resolved"),
            ],
        )
        .properties(
            title=f"Retrieval leads in {count(ahead(found.values()))} of {count(len(found))} papers",
            description=f"Settings in which each method is ahead, by paper. {told}.",
        )
    )


def rewrites() -> pd.DataFrame:
    """Fine-tunes on rewritten news against BM25 with the same questions: points ahead, paired intervals.

    Columns trained, points, low, high, resolved; most rewrites last. Source: the files of Abonizio et al.
    """
    baseline = next(row.condition for row in results("abonizio2025") if row.arm == "RAG")
    rows = [
        (
            row.second.removeprefix("full fine-tuning on "),
            *(100 * end for end in (row.difference.value, row.difference.low, row.difference.high)),
            row.difference.resolved,
        )
        for row in paired_results("abonizio2025")
        if row.first == baseline and row.second.startswith("full fine-tuning")
    ]
    frame = pd.DataFrame(rows, columns=["trained", "points", "low", "high", "resolved"])
    return frame.sort_values("points", ignore_index=True)


def rewrite_questions() -> int:
    """Questions behind `rewrites`: all of the authors' on news after the cut-off."""
    row = paired_results("abonizio2025")[0]
    return row.both_right + row.only_first + row.only_second + row.neither


def most_rewrites() -> int:
    """Rewrites of each article behind the best fine-tune of `rewrites`."""
    passes, _, prompts, *_ = rewrites().trained.iloc[-1].split()
    return int(passes) * int(prompts)


def rewrites_chart() -> Layers:
    """Points by which each fine-tune on rewritten articles is ahead of retrieval, with paired intervals."""
    frame = rewrites()
    frame["result"] = frame.resolved.map({True: "behind retrieval, resolved", False: "not resolved"})
    frame["label"] = frame.trained.str.replace(" by ", ": by ")
    y = alt.Y("label:N", sort=None, title=None, axis=COLON_LINES)
    base = alt.Chart(frame).encode(y)
    states = ["behind retrieval, resolved", "not resolved"]
    bars = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        alt.X("low:Q", title="Points ahead of retrieval"), alt.X2("high:Q")
    )
    dots = base.mark_point(size=100).encode(
        alt.X("points:Q"),
        alt.Color("result:N", title=None, scale=alt.Scale(domain=states, range=[TUNED, QUIET])),
        tooltip=[
            alt.Tooltip("trained:N", title="Trained on"),
            *(
                alt.Tooltip(f"{name}:Q", title=title, format="+.1f")
                for name, title in (("points", "Points ahead"), ("low", "From"), ("high", "To"))
            ),
        ],
    )
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    behind = int((frame.resolved & (frame.points < 0)).sum())
    told = "; ".join(
        f"{row.trained}: {number(row.points)} ({number(row.low)} to {number(row.high)})"
        for row in frame.itertuples()
    )
    return alt.layer(zero, bars, dots).properties(
        title=f"Trained on rewritten news, {count(behind)} of {count(len(frame))} fine-tunes trail retrieval",
        description=f"Points by which a fine-tune is ahead of retrieval, with paired intervals. {told}.",
    )


def recount_chart() -> Layers:
    """Wins, ties and losses of both against RAG alone in Ovadia et al., by model and in all."""
    cells = static_cells()
    models = sorted({cell.model for cell in cells})
    groups = {"All cells": cells} | {name: [cell for cell in cells if cell.model == name] for name in models}
    found = {name: record(group, "both", against="rag") for name, group in groups.items()}
    frame = pd.DataFrame(
        [
            (name, outcome, times, times / record_.cells, order)
            for name, record_ in found.items()
            for order, (outcome, times) in enumerate(zip(OUTCOMES, record_, strict=True))
        ],
        columns=["model", "outcome", "cells", "share", "order"],
    )
    whole = found["All cells"]
    told = "; ".join(
        f"{name}: better in {r.wins}, equal in {r.ties}, worse in {r.losses}" for name, r in found.items()
    )
    colour = alt.Scale(domain=list(OUTCOMES), range=[BOTH, QUIET, RAG])
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.Y("model:N", sort=list(found), title=None),
            alt.X("share:Q", title="Share of cells", axis=alt.Axis(format="%")),
            alt.Color("outcome:N", scale=colour, title=None),
            order="order:Q",
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("cells:Q", title="Cells"),
            ],
        )
        .properties(
            title=f"A fine-tune made retrieval worse in {count(whole.losses)} of {count(whole.cells)} cells",
            description=f"Stacked bars: retrieval with a fine-tune against retrieval alone. {told}.",
        )
    )


ARMS = ("RAG alone", "Fine-tune alone", "Both", "Points gained")


def combining_chart(frame: pd.DataFrame) -> Layers:
    """Gain of both over the better one alone, a dot for each setting; the reader picks what to see."""
    picks = [
        alt.param(
            column,
            bind=alt.binding_select(options=["all", *sorted(frame[column].unique())], name=label),
            value="all",
        )
        for column, label in (("paper", "Paper "), ("size", "Model size "), ("metric", "Metric "))
    ]
    shown = " && ".join(f"({pick.name} == 'all' || datum.{pick.name} == {pick.name})" for pick in picks)
    points = (
        alt.Chart(frame)
        .transform_filter(shown)
        .mark_point(opacity=0.75)
        .encode(
            alt.X(
                "gain:Q",
                title="Points gained over the better one alone",
                scale=alt.Scale(type="symlog", constant=1),
                axis=alt.Axis(values=[-50, -20, -10, -5, -2, 0, 2, 5, 10, 20]),
            ),
            alt.Y("paper:N", title=None, sort=sorted(frame.paper.unique()), axis=alt.Axis(grid=True)),
            alt.YOffset("lane:O", scale=alt.Scale(domain=[-2, -1, 0, 1, 2], paddingOuter=0.8)),
            alt.Color(
                "trained:N",
                title=None,
                scale=alt.Scale(domain=list(TRAINED.values()), range=[TUNED, BOTH]),
            ),
            tooltip=[
                alt.Tooltip("paper:N", title="Paper"),
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("dataset:N", title="Questions"),
                alt.Tooltip("metric:N", title="Score"),
                *(
                    alt.Tooltip(f"{arm}:Q", title=title, format=".1f")
                    for arm, title in zip((*ALONE, "both", "gain"), ARMS, strict=True)
                ),
            ],
        )
    )
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    better = int((frame.gain > 0).sum())
    read = frame[frame.trained == TRAINED["both, trained with context"]]
    better_read = int((read.gain > 0).sum())
    return (
        alt.layer(zero, points)
        .add_params(*picks)
        .properties(
            height=380,
            title=f"Both are best in {count(better)} of {count(len(frame))} settings; "
            f"trained with context, in {count(better_read)} of {count(len(read))}",
            description=(
                f"A dot for each of {len(frame)} published settings, by paper: points gained by combining "
                f"over the better of retrieval and fine-tuning alone. {better} lie above zero, "
                f"{len(frame) - better} at or below it."
            ),
        )
    )


def new_facts_chart() -> Layers:
    """Accuracy on events after the training data, by model and arm: table 2 of Ovadia et al."""
    arms = {
        "base": "as released",
        "fine_tuned": "fine-tuned",
        "fine_tuned_paraphrases": "fine-tuned on paraphrases",
        "rag": "RAG",
        "both": "both",
    }
    frame = pd.DataFrame(
        [
            (row.model, label, getattr(row, arm))
            for row in load("ovadia_table2")
            for arm, label in arms.items()
        ],
        columns=["model", "arm", "accuracy"],
    )
    cells = load("ovadia_table2")
    best = sum(row.rag > max(row.fine_tuned, row.fine_tuned_paraphrases, row.both) for row in cells)
    told = "; ".join(
        f"{row.model}: RAG {percent(row.rag)}, fine-tuned {percent(row.fine_tuned)}"
        for row in load("ovadia_table2")
    )
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X(
                "accuracy:Q",
                title="Accuracy on events after training, %",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            alt.Y("model:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color(
                "arm:N",
                title=None,
                scale=alt.Scale(domain=list(arms.values()), range=[QUIET, TUNED, SERIES[6], RAG, BOTH]),
            ),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("arm:N", title="Condition"),
                alt.Tooltip("accuracy:Q", title="Accuracy", format=".1%"),
            ],
        )
        .properties(
            title=f"On news, retrieval is best for {count(best)} of {count(len(cells))} models",
            description=f"Accuracy on current events by model and condition. {told}.",
        )
    )


def explorer_chart() -> Layers:
    """Every published figure that has an arm: the reader picks a source and reads its arms side by side."""
    arms = ["base", "fine-tuned", "RAG", "both", "both, trained with context", "long context", "retriever"]
    frame = pd.DataFrame([row.model_dump() for row in results() if row.arm in arms])
    frame["source"] = frame.citation.map(paper)
    frame["shown"] = frame.value * frame.unit.map({"fraction": 100}).fillna(1)
    varies = frame.groupby("source")[["model", "metric"]].transform("nunique") > 1
    frame["setting"] = frame.dataset
    for part in ("model", "metric"):
        frame["setting"] += (": " + frame[part]).where(varies[part], "")
    options = sorted(frame.source.unique())
    picked = alt.param("picked", bind=alt.binding_select(options=options, name="Source "), value=options[-1])
    return (
        alt.Chart(frame[["source", "setting", "model", "metric", "arm", "condition", "shown", "evidence"]])
        .transform_filter("datum.source == picked")
        .mark_point(size=90)
        .encode(
            alt.X("shown:Q", title="Per cent, or points"),
            alt.Y("setting:N", title=None, axis=COLON_LINES),
            alt.Color("arm:N", title=None, scale=alt.Scale(domain=arms)),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("metric:N", title="Score"),
                alt.Tooltip("condition:N", title="Condition"),
                alt.Tooltip("shown:Q", title="Per cent, or points", format=".2~f"),
                alt.Tooltip("evidence:N", title="Read as"),
            ],
        )
        .add_params(picked)
        .properties(
            height=alt.Step(52),
            title="One source at a time: every condition that it published",
            description=(
                "A dot for each published figure of one source, by setting and condition. "
                f"{len(options)} sources to pick from."
            ),
        )
    )


RETRIEVERS: dict[str, tuple[str, Level, Level]] = {
    "near": ("third of five, or five near misses", "third-of-five", "five-near-misses"),
    "clean": ("the right passage alone, or nothing", "gold", "none"),
}
"""What a retriever returns when it finds the passage and when it does not: label and the two levels."""


def levels_chart() -> Layers:
    """Accuracy on new facts by what retrieval returned, with t intervals over seeds: our experiment."""
    cells = {
        (LEVEL_NAMES[level], condition): tuning.estimate(condition, "new", level)
        for level in LEVELS
        for condition in tuning.conditions()
    }
    alone, closed = tuning.estimate("base", "new", "gold"), tuning.estimate("facts", "new", "none")
    return dots(
        cells,
        {LEVEL_NAMES[level]: ("new", level) for level in LEVELS},
        "New facts answered rightly",
        f"Trained on the facts: {closed.mean:.0%} with no passage; untuned with the right one: "
        f"{alone.mean:.0%}",
        "Share of new facts answered rightly by one small model, by retrieval level and condition, with "
        "95% intervals over seeds.",
    )


def recall_calculator() -> Calculator:
    """Accuracy on new facts at the reader's own recall, from the measured points of our experiment."""
    closed = tuning.estimate("facts", "new", "none").mean
    labels = {
        "base": "Untuned, with retrieval",
        "format": "LoRA on format, with retrieval",
        "facts": "LoRA on facts, with retrieval",
        "closed": "LoRA on facts, closed-book",
    }
    return Calculator(
        "measured-recall",
        "How good must retrieval be?",
        (
            Number("recall", "Recall: how often the right passage is found", "fraction", 0.8),
            Select(
                "retrieval",
                "What it returns",
                "near",
                tuple(
                    Choice(key, name, _points(found, missed))
                    for key, (name, found, missed) in RETRIEVERS.items()
                ),
            ),
        ),
        _at_recall,
        tuple(Row(label, Cell(name, "percent")) for name, label in labels.items()),
        ("New facts, SmolLM2-135M", "Right"),
        chart=_recall_chart,
        finding=Finding("At a recall of {recall:percent} most right: {highest}, {highest_value:percent}"),
        sweep=Sweep("recall", tuple(k / 10 for k in range(11)), labels),
        fixed={"closed_book": closed},
        note="Straight lines between two measured means; the table below has the intervals.",
    )


def _points(found: Level, missed: Level) -> Mapping[str, float]:
    return {
        f"{condition}_{name}": tuning.estimate(condition, "new", level).mean
        for condition in FIRST_STAGE
        for name, level in (("found", found), ("missed", missed))
    }


def _at_recall(i: Any) -> Mapping[str, Any]:
    return {
        "base": accuracy_when_found(i.recall, i.base_found, i.base_missed),
        "format": accuracy_when_found(i.recall, i.format_found, i.format_missed),
        "facts": accuracy_when_found(i.recall, i.facts_found, i.facts_missed),
        "closed": i.closed_book,
    }


def _recall_chart(rows: Any) -> Any:
    whole = alt.Scale(domain=[0, 1])
    colours = alt.Scale(range=[COLOURS["base"], COLOURS["format"], SERIES[6], COLOURS["facts"]])
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Recall", scale=whole, axis=alt.Axis(format="%")),
            alt.Y("value:Q", title="New facts answered rightly", scale=whole, axis=alt.Axis(format="%")),
            alt.Color("series:N", title=None, sort=None, scale=colours),
            alt.StrokeDash("series:N", sort=None, legend=None),
        )
    )
    return with_now(
        lines,
        whole,
        "Accuracy on new facts against recall: three lines for conditions with retrieval, and a level one "
        "for the adapter on facts without it. A dashed line marks the recall set above.",
    )


def crossings_table() -> str:
    """Where retrieval overtakes the fact adapter closed-book, by reader and kind of retriever."""
    lines = [
        (CONDITIONS[reader], name, *_crossing(tuning.crossing(reader, present=found, absent=missed)))
        for reader in ("base", "format")
        for name, found, missed in RETRIEVERS.values()
    ]
    return table(("Reader", "Retrieval returns", "Overtakes at recall", "Not resolved"), lines)


def _crossing(found: Crossing) -> tuple[str, str]:
    at = "no crossing" if found.recall is None else number(found.recall)
    if found.low is None or found.high is None:
        return at, "nowhere"
    return at, f"from {number(found.low)} to {number(found.high)}"


def hypotheses_table() -> str:
    """The three registered hypotheses and what became of them."""
    lines = [
        (
            one.name,
            tuning.points(one.test) if one.test else "seeds missing",
            number(one.adjusted_p) if one.adjusted_p is not None else "",
            one.verdict,
        )
        for one in tuning.hypotheses()
    ]
    return table(("Registered hypothesis", "Difference", "p, Holm", "Verdict"), lines)


WORDINGS = max(tuning.REWRITES["as many steps"])
"""Wordings of a fact with which the registered adapter was trained."""

SCHEDULES: dict[Schedule, str] = {
    "as many steps": "as many training steps",
    "one pass": "each wording seen once or twice",
}
"""How long the adapter was trained for each number of wordings."""


def training_curve_chart() -> Layers:
    """Closed-book accuracy on new facts by how many wordings of each fact were trained on: our experiment."""
    curve = tuning.rewrites_curve()
    rows = [
        {"wordings": wordings, "schedule": SCHEDULES[schedule], **found._asdict()}
        for schedule, wordings, found in curve
    ]
    base = alt.Chart(alt.InlineData(rows)).encode(
        alt.X(
            "wordings:Q",
            title="Wordings of each person's facts in the training text",
            scale=alt.Scale(type="log", base=2, domain=[0.8, 80]),
            axis=alt.Axis(
                values=sorted({wordings for _, wordings, _ in curve}), format="d", labelOverlap=False
            ),
        ),
        alt.Color("schedule:N", title=None, scale=alt.Scale(range=[COLOURS["facts"], COLOURS["base"]])),
        alt.XOffset("schedule:N", scale=alt.Scale(range=[-4, 4])),
    )
    share = alt.Scale(domain=[0, 1])
    reach = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        alt.Y("low:Q", title="New facts answered rightly", scale=share, axis=alt.Axis(format="%")),
        alt.Y2("high:Q"),
    )
    line = base.mark_line(point={"size": 80}).encode(
        alt.Y("mean:Q"),
        alt.StrokeDash("schedule:N", legend=None),
        tooltip=[
            alt.Tooltip("schedule:N", title="Trained"),
            alt.Tooltip("wordings:Q", title="Wordings"),
            *SHARE_TOOLTIPS,
        ],
    )
    fewest, most = (
        next(found for schedule, n, found in curve if (schedule, n) == ("as many steps", wordings))
        for wordings in (1, WORDINGS)
    )
    told = "; ".join(f"{row['wordings']} wordings, {row['schedule']}: {row['mean']:.0%}" for row in rows)
    return alt.layer(reach, line).properties(
        height=260,
        title=f"One wording leaves {fewest.mean:.0%} of new facts answered without a passage, "
        f"{count(WORDINGS)} leave {most.mean:.0%}",
        description="Share of new facts answered rightly closed-book by wordings trained on and schedule, "
        f"with 95% intervals over seeds. {told}.",
    )


WAYS = {
    "left-alone": "adapter left alone, closed-book",
    "index": "index updated, untuned model",
    "trained-again": "trained again, closed-book",
}
"""How our experiment kept up with changes, in plain words."""


def rounds_chart() -> Layers:
    """Accuracy on changed facts after each round of changes, by way to keep up: our experiment."""
    rounds = sorted({row.round for row in tuning.round_rows()})
    cells = {(way, r): tuning.after_round(r, way) for way in WAYS for r in rounds}
    rows = [{"round": r, "way": WAYS[way], **found._asdict()} for (way, r), found in cells.items()]
    colours = alt.Scale(domain=list(WAYS.values()), range=[QUIET, COLOURS["base"], COLOURS["facts"]])
    base = alt.Chart(alt.InlineData(rows)).encode(
        alt.X("round:O", title="Rounds of changes so far", axis=alt.Axis(labelAngle=0)),
        alt.XOffset("way:N", scale=alt.Scale(paddingOuter=0.6), sort=list(WAYS.values())),
        alt.Color("way:N", title=None, scale=colours, legend=alt.Legend(labelLimit=260)),
    )
    share = alt.Scale(domain=[0, 1])
    reach = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        alt.Y("low:Q", title="Changed facts answered rightly", scale=share, axis=alt.Axis(format="%")),
        alt.Y2("high:Q"),
    )
    dot = base.mark_point(size=90).encode(
        alt.Y("mean:Q"),
        alt.Shape("way:N", legend=None, sort=list(WAYS.values())),
        tooltip=[
            alt.Tooltip("way:N", title="Way"),
            alt.Tooltip("round:O", title="Round"),
            *SHARE_TOOLTIPS,
        ],
    )
    last = {way: cells[way, rounds[-1]].mean for way in WAYS}
    told = "; ".join(f"round {row['round']}, {row['way']}: {row['mean']:.0%}" for row in rows)
    return alt.layer(reach, dot).properties(
        height=260,
        title=f"After {count(len(rounds))} rounds of changes: index updated {last['index']:.0%}, trained "
        f"again {last['trained-again']:.0%}, left alone {last['left-alone']:.0%}",
        description="Share of the facts that a round changed answered rightly after it, by way to keep up, "
        f"with 95% intervals over seeds. {told}.",
    )


SHORT = 16
"""Numbers of a vector that MiniLM cut short compares."""

FOUND_BY = {
    "minilm-one": "MiniLM, first",
    "minilm-five": "MiniLM, first five",
    f"minilm-{SHORT}-five": "MiniLM cut short, first five",
}
"""The retrievers on which the recall mixture was tried."""


def foretold_table() -> str:
    """What the recall mixture foretold for real retrievers, and what the readers of them answered."""
    lines = []
    for condition in ("base", "format"):
        for retriever, name in FOUND_BY.items():
            found = tuning.foretold(condition, retriever)
            gap = found.gap
            lines.append(
                (
                    CONDITIONS[condition],
                    name,
                    percent(found.recall),
                    percent(found.foretold),
                    percent(found.observed.mean),
                    f"{number(100 * gap.mean)} ({number(100 * gap.low)} to {number(100 * gap.high)})",
                )
            )
    head = ("Reader", "Retriever", "Recall", "Mixture says", "Answered rightly", "Points of difference")
    return table(head, lines)


def answers() -> AnswerBrowser:
    """Every prompt of our experiment and what was said to it, to choose from."""
    return tuning_answers()
