"""The calculator, charts and tables of the chapter that compares the costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import options, worked_example
from ragvsft.costs.options import KNOWS_THE_CORPUS, LABELS, Inputs, availability, outputs
from ragvsft.formula import Quantity
from ragvsft.prose import usd
from ragvsft.widgets.calculator import Calculator, Cell, Row, Sweep
from ragvsft.widgets.chart import INK, OPTION_COLOURS, QUIET, SERIES, now_rule, option_colour, usd_axis
from ragvsft.widgets.cost_inputs import UNAVAILABLE, cost_inputs, presets


def model(s: Any) -> Mapping[str, Quantity]:
    """Every option's figures, whether it is available, and whether it does the job."""
    does_the_job = {
        f"{option}_does_the_job": 1 if knows else 1 - s.needs_documents
        for option, knows in KNOWS_THE_CORPUS.items()
    }
    return outputs(s) | availability(s) | does_the_job


def cost_comparison(
    calculator_id: str = "cost-comparison", options: Sequence[str] = tuple(LABELS)
) -> Calculator:
    """What each option costs, on the reader's own numbers, with a chart of the total against volume."""
    figures = ("horizon_usd", "vendor_horizon_usd", "one_off_usd", "monthly_usd", "per_query_usd")
    return Calculator(
        calculator_id,
        "What would it cost you?",
        cost_inputs(),
        model,
        tuple(
            Row(
                LABELS[option],
                *(Cell(f"{option}_{figure}", "usd") for figure in figures),
                available=f"{option}_available",
                reason=UNAVAILABLE,
                candidate=f"{option}_does_the_job",
            )
            for option in options
        ),
        ("Option", "Total", "Of it vendors", "One-off", "A month", "Per query"),
        chart=_total_by_volume,
        sweep=Sweep(
            "queries_per_month",
            tuple(round(10 ** (3 + k / 10)) for k in range(41)),
            {f"{option}_horizon_usd": LABELS[option] for option in options},
        ),
        presets=presets(),
        lowest=1,
        scenario=True,
        note=(
            "Total is over the whole horizon. Prompting, or a fine-tune alone, knows none of your documents; "
            "it is marked lowest only if you say that the model knows enough."
        ),
    )


def _total_by_volume(rows: Any) -> Any:
    import altair as alt

    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Queries a month", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s")),
            alt.Y(
                "value:Q",
                title="USD over the horizon",
                scale=alt.Scale(type="log"),
                axis=usd_axis(),
            ),
            option_colour(LABELS, "series"),
        )
    )
    return alt.layer(lines, now_rule(rows, scale=alt.Scale(type="log"))).properties(
        height=320,
        description=(
            "Total cost over the horizon against queries a month, one line for each available option, "
            "both axes logarithmic. A dashed line marks the volume set above."
        ),
    )


LABEL_PX = 62
"""Room right of the longest bar for its value."""

STAGES = ("Embed", "Search", "Rerank", "Model input", "Model output")


def x_with_labels(field: str, longest_usd: float) -> alt.X:
    """An axis of USD per query that leaves room for a value after its longest bar."""
    end = alt.ExprRef(f"{longest_usd} * width / (width - {LABEL_PX})")
    return alt.X(
        field, title="USD per query", axis=usd_axis(), scale=alt.Scale(domainMin=0, domainMax=end, nice=False)
    )


def bill_table(parts: tuple[worked_example.Part, ...]) -> str:
    """A bill as a Markdown table with its total."""
    lines = ["| Line | USD per query |", "| --- | ---: |"]
    lines += [f"| {part.label} | {usd(part.usd_per_query)} |" for part in parts]
    return "\n".join([*lines, f"| **Total** | **{usd(worked_example.total_usd(parts))}** |"])


def left_out_chart(s: Inputs) -> alt.LayerChart | alt.FacetChart:
    """The source's total, each line that it leaves out on top of those before, and the full total."""
    rows, level = [], worked_example.total_usd(worked_example.listing(s))
    rows.append(("The source's total", 0.0, level, "total"))
    for part in worked_example.left_out(s):
        step = level + part.usd_per_query
        rows.append((part.label, level, step, "saving" if step < level else "addition"))
        level = step
    rows.append(("The full bill", 0.0, level, "total"))
    frame = pd.DataFrame(rows, columns=["line", "from_usd", "to_usd", "kind"])
    frame["label"] = [
        usd(to - start if kind != "total" else to).replace("\\", "")
        for start, to, kind in zip(frame.from_usd, frame.to_usd, frame.kind, strict=True)
    ]
    frame["edge_usd"] = frame[["from_usd", "to_usd"]].max(axis=1)
    base = alt.Chart(frame).encode(alt.Y("line:N", sort=None, title=None))
    bars = base.mark_bar(cornerRadiusEnd=0).encode(
        x_with_labels("from_usd:Q", frame.edge_usd.max()),
        alt.X2("to_usd:Q"),
        alt.Color(
            "kind:N",
            scale=alt.Scale(
                domain=["total", "addition", "saving"], range=[QUIET, SERIES[3], OPTION_COLOURS["rag"]]
            ),
            legend=None,
        ),
    )
    labels = base.mark_text(align="left", dx=6, color=INK).encode(alt.X("edge_usd:Q"), alt.Text("label:N"))
    return alt.layer(bars, labels).properties(
        description=(
            "Waterfall from the source's total per query to the full bill: output tokens, search, caching "
            "(a saving), index storage, evaluation and people, each added to the lines before it."
        )
    )


def fixed_cost_chart(s: Inputs) -> alt.Chart:
    """USD per query of RAG against volume, split into what scales with queries and what does not."""
    rows = []
    for exponent in range(30, 71):
        volume = 10 ** (exponent / 10)
        bill = options.rag(type(s)(**(vars(s) | {"queries_per_month": volume})))
        queries = volume * s.horizon_months
        vendors = bill.vendor_one_off_usd / queries + bill.vendor_monthly_usd / volume
        people = bill.people_one_off_usd / queries + bill.people_monthly_usd / volume
        rows += [
            (volume, "People, labels and evaluation", people),
            (volume, "Vendors, fixed", vendors),
            (volume, "Vendors, per query", bill.per_query_usd),
        ]
    frame = pd.DataFrame(rows, columns=["queries_per_month", "part", "usd_per_query"])
    return (
        alt.Chart(frame)
        .mark_line()
        .encode(
            alt.X(
                "queries_per_month:Q",
                title="Queries a month",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~s"),
            ),
            alt.Y("usd_per_query:Q", title="USD per query", scale=alt.Scale(type="log"), axis=usd_axis()),
            alt.Color("part:N", sort=None, title=None),
        )
        .properties(
            description=(
                "USD per query of RAG on the source's model against queries a month, both axes logarithmic. "
                "People's and fixed vendor costs fall as volume grows; the cost of each call stays."
            )
        )
    )


def stages() -> pd.DataFrame:
    """The source's query by stage on every model on sale. Columns model, stage, usd_per_query."""
    return pd.DataFrame(
        [
            (model, part.label, part.usd_per_query)
            for model, parts in worked_example.by_model().items()
            for part in parts
        ],
        columns=["model", "stage", "usd_per_query"],
    )


def stage_chart(frame: pd.DataFrame) -> alt.Chart:
    """One bar a model, split by stage; `frame` as `stages` gives it."""
    order = frame.groupby("model").usd_per_query.sum().sort_values(ascending=False).index.tolist()
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X("usd_per_query:Q", title="USD per query", axis=usd_axis()),
            alt.Y("model:N", sort=order, title=None),
            alt.Color("stage:N", scale=alt.Scale(domain=list(STAGES)), title=None),
            alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({list(STAGES)}, datum.stage)")
        .properties(
            description=(
                "USD per query by model, one bar each, split into embedding, search, reranking, model input "
                "and output. On the cheapest models reranking is the largest part."
            )
        )
    )


def gap_chart(s: Inputs) -> alt.LayerChart | alt.FacetChart:
    """The three steps from RAG on the large model to a fine-tune of the small one."""
    gap = worked_example.gap(s)
    frame = pd.DataFrame(
        [
            ("RAG on the large model", gap.rag_usd, "rag"),
            ("RAG on the small model", gap.rag_on_tuned_model_usd, "rag_fine_tuned_hosted"),
            ("Fine-tuned small model, no retrieval", gap.fine_tuned_usd, "fine_tuned_hosted"),
        ],
        columns=["step", "usd_per_query", "option"],
    )
    frame["label"] = [usd(value).replace("\\", "") for value in frame.usd_per_query]
    base = alt.Chart(frame).encode(
        x_with_labels("usd_per_query:Q", frame.usd_per_query.max()),
        alt.Y("step:N", sort=None, title=None),
    )
    colour = alt.Color(
        "option:N",
        scale=alt.Scale(
            domain=frame.option.tolist(), range=[OPTION_COLOURS[option] for option in frame.option]
        ),
        legend=None,
    )
    return alt.layer(
        base.mark_bar().encode(colour), base.mark_text(align="left", dx=6).encode(alt.Text("label:N"))
    ).properties(
        description=(
            "USD per query in three steps: RAG on the large model, the same retrieval on the small model, "
            "and the fine-tuned small model without retrieval. The first step is the largest."
        )
    )
