"""Charts and tables over the published evidence, the offers and the map of the book."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.calculators import Calculator, Cell, Number, Row
from ragvsft.charts import INK, QUIET, SERIES
from ragvsft.data import OfferRow, load, tables
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evidence import connections
from ragvsft.evidence.bibliography import authors, bibliography, cite, source
from ragvsft.evidence.ledger import Claim, get
from ragvsft.evidence.published import record, results, static_cells
from ragvsft.evidence.surveys import Survey, joint_share
from ragvsft.formula import Quantity
from ragvsft.prose import count, percent, table

ALONE = ("rag", "fine_tuned")
TRAINED = {
    "both": "trained without context",
    "both, trained with context": "trained with context",
}
OUTCOMES = ("both is better", "equal", "RAG alone is better")
KEY_FACTS = {
    "Knowledge sits in an index": ("rag-model-unchanged", "knowledge-in-vector-store", "update-time"),
    "Tuned knowledge has no source": ("fine-tuning-no-provenance",),
    "Most use RAG and do not fine-tune": ("rag-without-fine-tuning",),
    "Prompts at least halve": ("prompt-cut",),
    "Training a small model is cheap": ("training-compute-cost",),
    "A query costs a few cents": ("rag-cost-per-query",),
    "RAG hallucinates less": ("quality-hallucination",),
    "Deletion is immediate": ("delete-is-immediate",),
    "Both together are best": ("both-most-powerful", "rag-manages-knowledge"),
}
"""The nine facts the source document tells its readers to keep, with the claims that each makes."""
VERDICTS = ["holds", "definition", "holds with conditions", "outdated", "unsupported", "contradicted"]
ADVERSE = ("outdated", "unsupported", "contradicted")
NAME_LINES = "split(datum.label, ': ')"
LINES = alt.Axis(
    labelExpr=NAME_LINES,
    labelOffset={
        "condition": [
            {"test": f"length({NAME_LINES}) === {lines}", "value": 7 - 7 * lines} for lines in (2, 3)
        ],
        "value": 0,
    },
    labelLimit=210,
    grid=True,
)
"""An axis of names that breaks at every colon."""
SHORT_OFFERS = {
    "cohere-fine-tuning": "Cohere, all of it",
    "openai-fine-tuning-new-customers": "OpenAI, new customers",
    "openai-fine-tuning-inactive-customers": "OpenAI, inactive customers",
    "openai-fine-tuning-jobs": "OpenAI, new jobs",
    "openai-ft-gpt-4.1": "OpenAI, tuned GPT-4.1",
    "openai-ft-gpt-4.1-mini": "OpenAI, tuned GPT-4.1 mini",
    "vertex-gemini-2.5-flash": "Vertex AI, tuned Gemini 2.5 Flash",
    "bedrock-claude-3-haiku": "Bedrock, tuned Claude 3 Haiku",
    "prime-intellect-qwen3.5-9b": "Prime Intellect, Qwen3.5-9B",
}
"""Names of ended offers that fit a phone, by id."""
VERDICT_COLOURS = alt.Scale(
    domain=VERDICTS, range=[SERIES[3] if verdict in ADVERSE else SERIES[2] for verdict in VERDICTS]
)
Layers = alt.Chart | alt.LayerChart | alt.FacetChart


def survey_table(rows: Iterable[Survey]) -> str:
    """Surveys as a Markdown table: share, what it measured, of whom, when, and where it was read."""
    return table(
        ("Share", "What it measured", "Of whom", "How many", "Published", "Source"),
        [
            (
                percent(row.share) if row.share is not None else "not given",
                row.measured,
                row.population,
                count(row.n) if row.n else "not known",
                row.published,
                cite(row.citation) + (", secondary" if row.evidence == "secondary" else ""),
            )
            for row in rows
        ],
    )


def survey_chart(rows: Sequence[Survey]) -> Layers:
    """One dot for each share, with its 95% interval where the number counted is known."""
    frame = pd.DataFrame(
        [(row.measured, _name(row), row.share, *_interval(row)) for row in rows if row.share is not None],
        columns=["measured", "source", "share", "low", "high"],
    )
    frame["label"] = frame.source + ": " + frame.measured
    base = alt.Chart(frame).encode(
        alt.Y("label:N", sort=None, title=None, axis=LINES),
    )
    x = alt.X("share:Q", title="Share", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    bars = base.mark_rule(strokeWidth=4, opacity=0.4).encode(alt.X("low:Q"), alt.X2("high:Q"))
    dots = base.mark_point().encode(
        x,
        tooltip=[
            "source",
            "measured",
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("share", "low", "high")),
        ],
    )
    told = "; ".join(f"{percent(r.share)} {r.measured} ({_name(r)})" for r in rows if r.share is not None)
    return alt.layer(bars, dots).properties(
        description=f"Shares as dots, with a 95% interval where the number counted is known. {told}."
    )


def _name(row: Survey) -> str:
    return f"{authors(source(row.citation))} {row.published[:4]}"


def _interval(row: Survey) -> tuple[float | None, float | None]:
    if row.share is None or row.n is None:
        return None, None
    low, high = wilson_interval(round(row.share * row.n), row.n)
    return float(low), float(high)


def overlap_calculator() -> Calculator:
    """The least and the most that can use RAG and not fine-tune, given the share that does each."""

    def overlap(i: Any) -> dict[str, Quantity]:
        low, high = joint_share(i.not_tuned_percent / 100, i.rag_percent / 100)
        return {"low": low, "high": high}

    share = {row.id: round(100 * row.share, 6) for row in load("surveys") if row.share is not None}
    return Calculator(
        "rag-only-bounds",
        "RAG without fine-tuning: what two shares allow",
        (
            Number("not_tuned_percent", "Not fine-tuned", "%", share["langchain-not-fine-tuned"], 0, 100),
            Number("rag_percent", "Use RAG", "%", share["menlo-rag-2024"], 0, 100),
        ),
        overlap,
        (Row("At least", Cell("low", "percent")), Row("At most", Cell("high", "percent"))),
        ("RAG and no fine-tuning", "Share"),
        note="Defaults: LangChain 2025, Menlo Ventures 2024: different people, different questions.",
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
    told = "; ".join(
        f"{name}: better in {r.wins}, equal in {r.ties}, worse in {r.losses}" for name, r in found.items()
    )
    colour = alt.Scale(domain=list(OUTCOMES), range=[SERIES[2], QUIET, SERIES[3]])
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.Y("model:N", sort=list(found), title=None),
            alt.X("share:Q", title="Share of cells", axis=alt.Axis(format="%")),
            alt.Color("outcome:N", scale=colour, title=None),
            order="order:Q",
            tooltip=["model", "outcome", "cells"],
        )
        .properties(description=f"Stacked bars: retrieval with a fine-tune against retrieval alone. {told}.")
    )


def combining() -> pd.DataFrame:
    """Every published setting with retrieval plus a fine-tune, against the better one alone, in points.

    Columns paper, model, size, dataset, metric, trained, rag, fine_tuned, both, gain, evidence. A paper that
    tried two ways to combine has two lines; an arm that it did not publish is NaN. BLEU stays as it is.
    """
    settings = [*_published_settings(), *_ovadia_settings()]
    frame = pd.DataFrame(
        settings, columns=["paper", "model", "dataset", "metric", "trained", *ALONE, "both", "evidence"]
    )
    frame["gain"] = frame.both - frame[list(ALONE)].max(axis=1)
    billions = frame.model.str.extract(r"([\d.]+)B", expand=False).astype(float)
    frame["size"] = billions.map(lambda b: "up to 3B" if b <= 3 else "7B or 8B").where(
        billions.notna(), "not stated"
    )
    frame = frame.sort_values("gain", ignore_index=True)
    papers = frame.groupby("paper").paper
    frame["lane"] = (papers.cumcount() % 5 - papers.transform("size").clip(upper=5) // 2).astype(int)
    return frame


def _published_settings() -> Iterator[tuple[object, ...]]:
    frame = pd.DataFrame([row.model_dump() for row in results()])
    frame["points"] = frame.value * frame.unit.map({"fraction": 100}).fillna(1)
    for (citation, model, dataset, metric), group in frame.groupby(
        ["citation", "model", "dataset", "metric"]
    ):
        alone = [group[group.arm == arm].points.max() for arm in ("RAG", "fine-tuned")]
        for row in group[group.arm.str.startswith("both")].itertuples():
            yield _paper(citation), model, dataset, metric, TRAINED[row.arm], *alone, row.points, row.evidence


def _ovadia_settings() -> Iterator[tuple[object, ...]]:
    for cell in static_cells():
        arms = (100 * cell.rag, 100 * cell.fine_tuned, 100 * cell.both)
        dataset = f"{cell.task}, {cell.shots} examples"
        yield _paper("ovadia2024"), cell.model, dataset, "accuracy", TRAINED["both"], *arms, "primary"
    for row in load("ovadia_table2"):
        arms = (100 * row.rag, 100 * row.fine_tuned, 100 * row.both)
        yield _paper("ovadia2024"), row.model, "current events", "accuracy", TRAINED["both"], *arms, "primary"


def _paper(citation: str) -> str:
    return f"{authors(source(citation))} {source(citation).fields['year']}"


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
                title="Points gained by both",
                scale=alt.Scale(type="symlog", constant=1),
                axis=alt.Axis(values=[-50, -20, -10, -5, -2, 0, 2, 5, 10, 20]),
            ),
            alt.Y("paper:N", title=None, sort=sorted(frame.paper.unique()), axis=alt.Axis(grid=True)),
            alt.YOffset("lane:O", scale=alt.Scale(domain=[-2, -1, 0, 1, 2], paddingOuter=0.8)),
            alt.Color(
                "trained:N",
                title=None,
                scale=alt.Scale(domain=list(TRAINED.values()), range=[SERIES[3], SERIES[2]]),
            ),
            tooltip=[
                "paper",
                "model",
                "dataset",
                "metric",
                *(alt.Tooltip(f"{arm}:Q", format=".1f") for arm in (*ALONE, "both", "gain")),
            ],
        )
    )
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    better = int((frame.gain > 0).sum())
    return (
        alt.layer(zero, points)
        .add_params(*picks)
        .properties(
            height=380,
            description=(
                f"A dot for each of {len(frame)} published settings, by paper: points gained by combining "
                f"over the better of retrieval and fine-tuning alone. {better} lie above zero, "
                f"{len(frame) - better} at or below it. Training with retrieved context never lies below."
            ),
        )
    )


def offers_table(offers: Iterable[OfferRow]) -> str:
    """What can be bought, as a Markdown table with the date of each source."""
    return table(
        ("Provider", "Offer", "Open to a new customer", "Ends", "As of", "Note"),
        [
            (
                row.provider,
                row.offer,
                row.availability,
                row.ends_on.isoformat() if row.ends_on else "",
                f"[{row.as_of.isoformat()}]({row.source})",
                row.note.replace("$", r"\$"),
            )
            for row in offers
        ],
    )


def offers_timeline(offers: Iterable[OfferRow], today: date) -> Layers:
    """From announcement to end of every offer that ends or has ended, with a rule at `today`."""
    rows = [
        (
            SHORT_OFFERS.get(row.id, f"{row.provider}, {row.offer}"),
            row.announced_on or row.ends_on,
            row.ends_on,
            row.availability,
        )
        for row in offers
        if row.ends_on
    ]
    frame = pd.DataFrame(rows, columns=["offer", "announced", "ends", "status"])
    frame[["announced", "ends"]] = frame[["announced", "ends"]].astype("datetime64[ns]")
    frame = frame.sort_values("ends")
    base = alt.Chart(frame).encode(alt.Y("offer:N", sort=None, title=None, axis=alt.Axis(grid=True)))
    margin = timedelta(days=45)
    x = alt.Scale(
        domain=[(min(frame.announced) - margin).isoformat(), (max(frame.ends) + margin).isoformat()]
    )
    bars = base.mark_rule(strokeWidth=3).encode(alt.X("announced:T", title=None, scale=x), alt.X2("ends:T"))
    ends = base.mark_point(size=90).encode(
        alt.X("ends:T", scale=x),
        alt.Color("status:N", title="To a new customer:", scale=alt.Scale(range=[SERIES[3], SERIES[1]])),
        tooltip=["offer", alt.Tooltip("announced:T"), alt.Tooltip("ends:T"), "status"],
    )
    dated = alt.Chart(pd.DataFrame({"now": [pd.Timestamp(today)], "label": ["date of the data"]})).encode(
        alt.X("now:T", scale=x)
    )
    now = dated.mark_rule(strokeDash=[4, 4], color=INK)
    named = dated.mark_text(align="right", dy=-8, dx=4, y=0).encode(alt.Text("label:N"))
    return alt.layer(bars, ends, now, named).properties(
        description=(
            "Timeline of fine-tuning offers that have ended or will: a line from the announcement, where its "
            "date is known, to a dot at the end. The dates are in the table. A dashed line marks the date of "
            "the data."
        )
    )


def verdict_chart(rows: Iterable[Claim], what: str) -> Layers:
    """How many claims got each verdict; `what` says in the plural what they are."""
    frame = pd.DataFrame(
        [(row.verdict.replace("-", " "), row.statement) for row in rows], columns=["verdict", "claim"]
    )
    counts = frame.verdict.value_counts()
    told = ", ".join(f"{name} {counts.get(name, 0)}" for name in VERDICTS)
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X("count():Q", title=what, axis=alt.Axis(tickMinStep=1)),
            alt.Y("verdict:N", sort=VERDICTS, scale=alt.Scale(domain=VERDICTS), title=None),
            alt.Color("verdict:N", scale=VERDICT_COLOURS, legend=None),
        )
        .properties(description=f"{what} by verdict: {told}.")
    )


def facts_chart() -> Layers:
    """The verdict on each of the nine key facts, those that hold first."""
    rows = [(name, get(claims[0]).verdict.replace("-", " ")) for name, claims in KEY_FACTS.items()]
    rows.sort(key=lambda row: VERDICTS.index(row[1]))
    base = alt.Chart(pd.DataFrame(rows, columns=["fact", "verdict"])).encode(
        alt.Y("fact:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False)),
        alt.Color("verdict:N", scale=VERDICT_COLOURS, legend=None),
    )
    told = "; ".join(f"{name}: {verdict}" for name, verdict in rows)
    return alt.layer(
        base.mark_point(size=110).encode(x=alt.value(8)),
        base.mark_text(align="left", dx=12).encode(alt.Text("verdict:N"), x=alt.value(8)),
    ).properties(description=f"The verdict on each key fact. {told}.")


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
                title="Accuracy on current events",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            alt.Y("model:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color("arm:N", sort=list(arms.values()), title=None),
            tooltip=["model", "arm", alt.Tooltip("accuracy:Q", format=".1%")],
        )
        .properties(description=f"Accuracy on current events by model and condition. {told}.")
    )


def context_training_chart() -> Layers:
    """Three ways to tune the same small model, on the five sets of Zhang et al.'s RAFT paper."""
    labels = {
        "fine-tuned": "fine-tuned, no retrieval",
        "both": "fine-tuned, then retrieval added",
        "both, trained with context": "fine-tuned with retrieved passages",
    }
    rows = [row for row in results("zhang2024raft") if row.arm in labels]
    frame = pd.DataFrame(
        [(row.dataset, labels[row.arm], row.value) for row in rows], columns=["set", "training", "score"]
    )
    told = "; ".join(f"{row.set}, {row.training}: {percent(row.score)}" for row in frame.itertuples())
    return (
        alt.Chart(frame)
        .mark_point(size=110)
        .encode(
            alt.X("score:Q", title="The paper's own score", axis=alt.Axis(format="%")),
            alt.Y("set:N", title=None, axis=alt.Axis(grid=True)),
            alt.Color("training:N", sort=list(labels.values()), title=None),
            tooltip=["set", "training", alt.Tooltip("score:Q", format=".1%")],
        )
        .properties(description=f"Scores of one small model after three kinds of training. {told}.")
    )


def explorer_chart() -> Layers:
    """Every published figure that has an arm: the reader picks a source and reads its arms side by side."""
    arms = ["base", "fine-tuned", "RAG", "both", "both, trained with context", "long context", "retriever"]
    frame = pd.DataFrame([row.model_dump() for row in results() if row.arm in arms])
    frame["source"] = frame.citation.map(_paper)
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
            alt.Y("setting:N", title=None, axis=LINES),
            alt.Color("arm:N", title=None, scale=alt.Scale(domain=arms)),
            tooltip=["model", "metric", "condition", alt.Tooltip("shown:Q", format=".2~f"), "evidence"],
        )
        .add_params(picked)
        .properties(
            height=alt.Step(52),
            description=(
                "A dot for each published figure of one source, by setting and condition. "
                f"{len(options)} sources to pick from."
            ),
        )
    )


def book_map() -> Layers:
    """Every chapter in reading order down the page, and an arc for each connection between two of them."""
    links = connections.connections()
    places = {chapter: place for place, chapter in enumerate(connections.chapters())}
    titles = [connections.title(chapter) for chapter in places]
    nodes = pd.DataFrame(
        [
            (title, place, chapter.partition("/")[0])
            for title, (chapter, place) in zip(titles, places.items(), strict=True)
        ],
        columns=["chapter", "place", "part"],
    )
    bend = [(0, 0), (0.7, 0.15), (1, 0.5), (0.7, 0.85), (0, 1)]
    arcs = pd.DataFrame(
        [
            (number, step, across * abs(span), places[start] + down * span)
            for number, (start, end, _) in enumerate(links)
            for span in [places[end] - places[start]]
            for step, (across, down) in enumerate(bend)
        ],
        columns=["arc", "step", "reach", "place"],
    )
    names = alt.Axis(
        values=list(places.values()),
        labelExpr=f"{json.dumps(titles)}[datum.value]",
        labelLimit=210,
        tickCount=len(places),
        grid=False,
    )
    y = alt.Y(
        "place:Q",
        title=None,
        axis=names,
        scale=alt.Scale(reverse=True, nice=False, domain=[-0.5, len(places) - 0.5]),
    )
    across = alt.Scale(domain=[0, len(places)], nice=False)
    lines = (
        alt.Chart(arcs)
        .mark_line(interpolate="basis", strokeWidth=1, opacity=0.45, color=QUIET, tooltip=None)
        .encode(alt.X("reach:Q", axis=None, scale=across), y, detail="arc:N", order="step:Q")
    )
    dots = alt.Chart(nodes).mark_circle(size=60).encode(x=alt.value(0), y=y, tooltip=["chapter", "part"])
    return alt.layer(lines, dots).properties(
        height=22 * len(places),
        description=(
            f"Arc diagram: {len(places)} chapters in reading order and {len(links)} connections between "
            "them. The table below says where each one leads and why."
        ),
    )


def dates_chart() -> Layers:
    """When each dated row of the data was read or published, by table."""
    rows = [
        (name, row.as_of) for name in tables() for row in load(name) if hasattr(row, "as_of") and row.as_of
    ]
    frame = pd.DataFrame(rows, columns=["table", "as_of"])
    frame["as_of"] = frame.as_of.astype("datetime64[ns]")
    counted = frame.value_counts().rename("rows").reset_index()
    newest = counted.groupby("table").as_of.max().dt.date
    told = "; ".join(f"{name}: {when}" for name, when in newest.items())
    return (
        alt.Chart(counted)
        .mark_circle(opacity=0.7)
        .encode(
            alt.X(
                "as_of:T", title="Date of the row", scale=alt.Scale(padding=12), axis=alt.Axis(format="%b %Y")
            ),
            alt.Y("table:N", title=None, axis=alt.Axis(grid=True)),
            alt.Size(
                "rows:Q",
                scale=alt.Scale(range=[30, 500]),
                legend=alt.Legend(title="Rows of one date", values=[1, 30, 100], columns=3, offset=14),
            ),
            tooltip=["table", alt.Tooltip("as_of:T"), "rows"],
        )
        .properties(description=f"Dates of the rows, by table. Newest row of each: {told}.")
    )


def _read_as(note: str) -> str:
    if "abstract" in note or "opening" in note:
        return "primary, abstract or opening"
    return next(
        kind for kind in ("primary text", "secondary quotation", "formula in general use") if kind in note
    )


def sources_chart() -> Layers:
    """Sources by year of publication and by how they were read."""
    entries = bibliography().entries.values()
    rows = [(entry.fields["year"], _read_as(entry.fields["note"])) for entry in entries]
    frame = pd.DataFrame(rows, columns=["year", "read"])
    ways = frame.read.value_counts().index.tolist()
    frame["rank"] = frame.read.map(ways.index)
    told = ", ".join(f"{times} as {read}" for read, times in frame.read.value_counts().items())
    return (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=0)
        .encode(
            alt.X("count():Q", title="Sources"),
            alt.Y("year:O", title=None, axis=alt.Axis(grid=False)),
            alt.Color("read:N", title=None, sort=ways),
            alt.Order("rank:Q"),
            tooltip=["year", "read", "count()"],
        )
        .properties(description=f"Sources by year and by how they were read: {told}.")
    )
