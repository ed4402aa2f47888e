"""The calculators, charts and tables of the chapter that compares the costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import columns as cols
from ragvsft.costs import compare, scenario, worked_example
from ragvsft.costs.inputs import Inputs, changed, chosen_roles, inputs
from ragvsft.costs.methods import METHODS, bill, figures
from ragvsft.costs.stages import STAGES
from ragvsft.formula import Quantity
from ragvsft.prices import label, library, offers
from ragvsft.prose import number, percent, table, usd
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Row, Select, Sweep
from ragvsft.widgets.chart import INK, METHOD_COLOURS, QUIET, SERIES, method_colour, usd_axis, with_now
from ragvsft.widgets.cost_inputs import FIRST, VOLUMES, assumption_input, model_select, rest
from ragvsft.widgets.matrix import Matrix, matrix

UNTUNED = tuple(name for name, method in METHODS.items() if not method.tuned)


def cost_matrix(calculator_id: str = "cost-comparison") -> Matrix:
    """Methods by models on the reader's own numbers."""
    return matrix(
        calculator_id,
        note=(
            "Costs only: nothing here says that a cheaper model answers as well. Prompting, or a fine-tune "
            "alone, knows none of your documents. A model on your own GPU costs nothing per query; its share "
            "of the GPU bill is in the month."
        ),
    )


def default_cells(**keys: Any) -> dict[tuple[str, str], compare.Cell]:
    """The cells of the default matrix with some scenario keys set, by method and column."""
    return {cell.key: cell for cell in compare.matrix(scenario.from_keys(keys))}


def default_steps() -> tuple[compare.Step, ...]:
    """The four steps of the default matrix: RAG to agentic search on two models, and the models with each."""
    return compare.steps(tuple(default_cells().values()))


def coming_prices() -> list[str]:
    """Offers whose input price genai-prices expects to change within a year of its release, in words."""
    found = []
    for row in offers().values():
        coming = library.coming_values(row.id, row.kind, row.library) if row.library else {}
        if (name := "input_usd_per_mtok") in coming:
            now = library.values(row.id, row.kind, row.library)[name]
            found.append(f"{label(row)}, input from {usd(now)} to {usd(coming[name])} per million tokens")
    return found


TUNED_COLUMNS = ("gpt-oss-20b", "qwen3-8b", "gpt-oss-20b-self-hosted")


def tuning_table() -> str:
    """A table: what tuning adds on the same model, and whether the host changes with it."""
    found = scenario.from_keys({"columns": list(TUNED_COLUMNS)})
    rows = []
    for name in TUNED_COLUMNS:
        label = cols.column(name).label
        for untuned, tuned in (("rag", "rag_fine_tuned"), ("prompting", "fine_tuned")):
            for step in compare.tuning_step(found, name, untuned, tuned):
                host = step.reason or "host and tuning told apart"
                rows.append([label, METHODS[tuned].label, step.label, usd(step.usd), host])
    return table(["model", "method", "step", "USD over the horizon", "host"], rows)


def _volume_model(s: Any) -> Mapping[str, Quantity]:
    return figures(inputs(vars(s)), "per_token", only=UNTUNED)


def total_by_volume() -> Calculator:
    """Every untuned method on one model, against volume."""
    entries: tuple[Number | Select, ...] = (
        model_select(default="gpt-oss-20b"),
        *(assumption_input(name) for name in FIRST),
    )
    return Calculator(
        "total-by-volume",
        "How does each method grow with volume, on one model?",
        entries,
        _volume_model,
        tuple(
            Row(
                METHODS[name].label,
                *(Cell(f"{name}_{figure}", "usd") for figure in ("horizon_usd", "per_query_usd")),
                available=f"{name}_fits",
                reason="one call is longer than the model takes",
            )
            for name in UNTUNED
        ),
        ("Method", "Total", "One more query"),
        chart=_volume_chart,
        finding=Finding("RAG costs {rag_horizon_usd:usd} at {queries_per_month:count} queries a month"),
        sweep=Sweep(
            "queries_per_month", VOLUMES, {f"{name}_horizon_usd": METHODS[name].label for name in UNTUNED}
        ),
        fixed=rest(*entries, roles=chosen_roles()),
    )


def _volume_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Queries a month", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="USD over the horizon", scale=log, axis=usd_axis()),
            method_colour(UNTUNED, "series"),
        )
    )
    return with_now(
        lines,
        log,
        "Total cost over the horizon against queries a month, one line for each method whose prompt fits "
        "the model, both axes logarithmic. A dashed line marks the volume set above.",
    ).properties(height=320)


LABEL_PX = 62
"""Room right of the longest bar for its value."""

RAG_STAGES = tuple(STAGES[name].label for name in METHODS["rag"].stages)


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
    """A quoted total, each line that it leaves out on top of those before, and the full total."""
    rows, level = [], worked_example.total_usd(worked_example.listing(s))
    quoted = level
    rows.append(("The quoted total", 0.0, level, "total"))
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
                domain=["total", "addition", "saving"], range=[QUIET, SERIES[3], METHOD_COLOURS["rag"]]
            ),
            legend=None,
        ),
    )
    labels = base.mark_text(align="left", dx=6, color=INK).encode(alt.X("edge_usd:Q"), alt.Text("label:N"))
    return alt.layer(bars, labels).properties(
        title=f"Quoted {usd(quoted)}, billed {usd(level)}".replace("\\", ""),
        description=(
            "Waterfall from the quoted total per query to the full bill, each line added to those before it: "
            + "; ".join(f"{part.label}, {usd(part.usd_per_query)}" for part in worked_example.left_out(s))
        ).replace("\\", ""),
    )


def fixed_cost_chart(s: Inputs) -> alt.Chart:
    """USD per query of RAG against volume, split into what scales with queries and what does not."""
    rows = []
    for exponent in range(30, 71):
        volume = 10 ** (exponent / 10)
        paid = bill(changed(s, queries_per_month=volume), METHODS["rag"], "per_token")
        queries = volume * s.horizon_months
        vendors = paid.vendor_one_off_usd / queries + paid.vendor_monthly_usd / volume
        people = paid.people_one_off_usd / queries + paid.people_monthly_usd / volume
        rows += [
            (volume, "People, labels and evaluation", people),
            (volume, "Vendors, fixed", vendors),
            (volume, "Vendors, per query", paid.per_query_usd),
        ]
    frame = pd.DataFrame(rows, columns=["queries_per_month", "part", "usd_per_query"])
    wide = frame.pivot(index="queries_per_month", columns="part", values="usd_per_query")
    by_people = wide["People, labels and evaluation"] > wide.sum(axis=1) / 2
    fades = wide.index[by_people].max()
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
            tooltip=[
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("queries_per_month:Q", title="Queries a month", format=",.0f"),
                alt.Tooltip("usd_per_query:Q", title="USD per query", format="$,.3r"),
            ],
        )
        .properties(
            title=f"People are most of the bill up to {number(float(f'{fades:.2g}'))} queries a month",
            description=(
                "USD per query of RAG against queries a month, both axes logarithmic. "
                "People's and fixed vendor costs are divided by volume; the cost of each call is not."
            ),
        )
    )


def stages() -> pd.DataFrame:
    """One RAG query by stage on every model on sale. Columns model, stage, usd_per_query."""
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
    totals = frame.groupby("model").usd_per_query.sum().sort_values(ascending=False)
    order = totals.index.tolist()
    least = frame[(frame.model == order[-1])].set_index("stage").usd_per_query
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            alt.X("usd_per_query:Q", title="USD per query", axis=usd_axis()),
            alt.Y("model:N", sort=order, title=None),
            alt.Color("stage:N", scale=alt.Scale(domain=list(RAG_STAGES)), title=None),
            alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("stage:N", title="Stage"),
                alt.Tooltip("usd_per_query:Q", title="USD per query", format="$,.3r"),
            ],
        )
        .transform_calculate(rank=f"indexof({list(RAG_STAGES)}, datum.stage)")
        .properties(
            title=(
                f"From {usd(totals.iloc[0])} on {order[0]} to {usd(totals.iloc[-1])} on {order[-1]}, where "
                f"“{least.idxmax()}” is the largest part"
            ).replace("\\", ""),
            description=(
                "USD per query by model, one bar each, split into embedding, search, reranking, model input "
                f"and output. On {order[-1]}, “{least.idxmax()}” is {percent(least.max() / least.sum())}."
            ),
        )
    )


def gap_chart(gap: worked_example.Gap) -> alt.LayerChart | alt.FacetChart:
    """The three steps from RAG on a large model to a fine-tune of a small one."""
    frame = pd.DataFrame(
        [
            ("RAG on the large model", gap.rag_usd, "rag"),
            ("RAG on the small model", gap.rag_on_small_model_usd, "rag"),
            ("Fine-tuned small model, no retrieval", gap.fine_tuned_usd, "fine_tuned"),
        ],
        columns=["step", "usd_per_query", "method"],
    )
    frame["label"] = [usd(value).replace("\\", "") for value in frame.usd_per_query]
    base = alt.Chart(frame).encode(
        x_with_labels("usd_per_query:Q", frame.usd_per_query.max()),
        alt.Y("step:N", sort=None, title=None),
    )
    colour = alt.Color(
        "step:N",
        scale=alt.Scale(domain=frame.step.tolist(), range=[METHOD_COLOURS[name] for name in frame.method]),
        legend=None,
    )
    return alt.layer(
        base.mark_bar().encode(colour), base.mark_text(align="left", dx=6).encode(alt.Text("label:N"))
    ).properties(
        title=f"{percent(round(gap.share_of_model, 2))} of the saving is the smaller model",
        description=(
            "USD per query in three steps: RAG on the large model, the same retrieval on the small model, "
            f"and the fine-tuned small model without retrieval. The first step is {gap.share_of_model:.0%} "
            "of the way."
        ),
    )
