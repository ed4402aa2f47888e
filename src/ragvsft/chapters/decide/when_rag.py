"""The calculator and charts of the chapter on when to use RAG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.evidence import results
from ragvsft.formula import Quantity
from ragvsft.prices import DEFAULT_SELECTION, choices, rates
from ragvsft.prices import Choice as Offer
from ragvsft.prose import percent, usd
from ragvsft.retrieval import formulas as retrieval
from ragvsft.tuning import formulas as tuning
from ragvsft.tuning.catalogue import architecture, peak_tflops
from ragvsft.units import MONTHS_PER_YEAR
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Choice, Number, Preset, Row, Select
from ragvsft.widgets.chart import INK, OPTION_COLOURS, QUIET, SERIES, Layers, usd_axis
from ragvsft.widgets.cost_inputs import assumption_input, claimed, offer_select, rest

BITS = (("floats", "Floats, 32 bits", 32), ("scalar", "8 bits", 8), ("binary", "1 bit", 1))

BIG_BUDGET_USD = 100_000
"""The least that "hundreds of thousands of dollars" can mean."""

CORPUS_BILLS = {
    "embed": "Embed it once",
    "store": "Store the vectors for a year",
    "search": "Search it a million times",
    "train": "Train on it once",
    "retell": "Write the retellings",
    "train_retold": "Train on the retellings",
}


def index_or_train() -> Calculator:
    """A large corpus: what indexing it costs, what one pass of training costs, and what makes it stick."""
    inputs = (
        replace(assumption_input("documents"), default=1e7, slider=(1e3, 1e8)),
        replace(assumption_input("tokens_per_document"), default=1000),
        Number(
            "training_usd_per_mtok",
            "Price of training",
            "USD/million tokens",
            rates("tuned_model", DEFAULT_SELECTION["tuned_model"])["tuned_training_usd_per_mtok"].value,
            0.05,
            100,
            scale="log",
        ),
        Number(
            "expansion",
            "Tokens of retelling for each token of text",
            "",
            claimed("entigraph-expansion"),
            1,
            1000,
            scale="log",
        ),
        replace(offer_select("llm", "claude-haiku-5-5"), label="Model that writes the retellings"),
        offer_select("embedding", group="index"),
        offer_select("vector_store", group="index"),
        Select(
            "precision",
            "Precision of the vectors in memory",
            "floats",
            tuple(Choice(name, label, {"bits": bits}) for name, label, bits in BITS),
            group="index",
        ),
        replace(assumption_input("tokens_per_chunk"), group="index"),
        replace(assumption_input("embedding_dimensions"), group="index"),
    )
    return Calculator(
        "index-or-train",
        "Index the corpus, or train on it?",
        inputs,
        _index_or_train,
        (
            *(Row(label, Cell(bill, "usd")) for bill, label in CORPUS_BILLS.items()),
            Row("Memory for the vectors", Cell("memory", "gb")),
            Row("One pass costs a hundred thousand dollars at, per million tokens", Cell("price", "usd")),
        ),
        ("", "Result"),
        chart=_index_or_train_chart,
        sweep=Bars(CORPUS_BILLS),
        presets=(
            Preset("A wiki", {"documents": 3000}),
            Preset("Facts need not stick", {"expansion": 1}),
            Preset("Vectors of one bit", {"precision": "binary"}),
        ),
        fixed={"payload_bytes_per_chunk": rest()["payload_bytes_per_chunk"]},
        note=(
            "Chunks do not overlap here. Memory is for the vectors alone; a self-run index needs it, a "
            "service that charges for storage and reads has it in its price."
        ),
    )


def _index_or_train(i: Any) -> Mapping[str, Quantity]:
    tokens = costs.corpus_tokens(i.documents, i.tokens_per_document)
    chunks = costs.index_chunks(tokens, i.tokens_per_chunk)
    gb = costs.index_gb(chunks, i.embedding_dimensions, i.payload_bytes_per_chunk)
    return {
        "embed": costs.tokens_usd(tokens, i.embedding_usd_per_mtok),
        "store": MONTHS_PER_YEAR * gb * i.vector_usd_per_gb_month,
        "search": 1e6 * costs.search_usd_per_query(gb, i.vector_usd_per_million_reads),
        "train": costs.tokens_usd(tokens, i.training_usd_per_mtok),
        "retell": costs.tokens_usd(tokens * i.expansion, i.llm_output_usd_per_mtok),
        "train_retold": costs.tokens_usd(tokens * i.expansion, i.training_usd_per_mtok),
        "memory": retrieval.vector_memory_gb(chunks, i.embedding_dimensions, i.bits),
        "price": tuning.usd_per_mtok_at_budget(BIG_BUDGET_USD, tokens),
    }


def _index_or_train_chart(rows: Any) -> Any:
    return (
        alt.Chart(rows)
        .mark_point(size=130)
        .encode(
            alt.X("value:Q", title="USD", scale=alt.Scale(type="log"), axis=usd_axis()),
            alt.Y("series:N", title=None, sort=list(CORPUS_BILLS.values()), axis=alt.Axis(grid=True)),
        )
        .properties(
            description=(
                "Six bills for the corpus as dots on a logarithmic axis: embedding, storing, searching, one "
                "pass of training, writing synthetic retellings and training on them. One pass of training "
                "costs about as much as the index; the retellings cost hundreds of times more."
            )
        )
    )


EMBED, ADAPTERS, ALL_WEIGHTS = "embed", "train adapters", "train all weights"


def corpus_prices(tokens: float, models: Sequence[str] = ("Llama-3.1-8B", "Llama-3.1-70B")) -> pd.DataFrame:
    """What it costs to embed this many tokens once, or to train on them once, at the prices on record.

    Columns label, way, usd, open (whether a new customer can buy it). GPUs are the cheapest and the dearest
    H100 listed; hours follow from 6 operations a parameter and token at the utilisation of a published run.
    """
    rows = []
    for offer in choices("embedding"):
        price = rates("embedding", offer.id)["embedding_usd_per_mtok"].value
        rows.append((offer.label, EMBED, costs.tokens_usd(tokens, price), offer.available))
    for offer in choices("tuned_model", horizon_months=0):
        found = rates("tuned_model", offer.id)
        if "tuned_training_usd_per_mtok" in found:
            price = found["tuned_training_usd_per_mtok"].value
            rows.append((offer.label, ADAPTERS, costs.tokens_usd(tokens, price), offer.available))
    peak = peak_tflops("H100 SXM")
    utilisation = tuning.model_flops_utilisation(claimed("lora-training-speed"), peak)
    for model in models:
        parameters = architecture(model).parameters
        flops_per_token = tuning.training_flops(parameters, parameters, 1, 0)
        speed = tuning.training_tokens_per_second(flops_per_token, peak, utilisation, 1)
        rented = sorted(choices("gpu"), key=_gpu_usd_per_hour)
        for offer in (rented[0], rented[-1]):
            label = f"{model}, {offer.provider}"
            run_usd = costs.gpu_training_usd(tokens, speed, _gpu_usd_per_hour(offer))
            rows.append((label, ALL_WEIGHTS, run_usd, True))
    frame = pd.DataFrame(rows, columns=["label", "way", "usd", "open"])
    return frame.sort_values("usd", ignore_index=True)


def _gpu_usd_per_hour(offer: Offer) -> float:
    return rates("gpu", offer.id)["gpu_usd_per_hour"].value


def corpus_prices_chart(frame: pd.DataFrame, claimed_usd: float) -> Layers:
    """A dot for each price of `corpus_prices`, and a line where the source document's claim begins."""
    frame = frame.assign(
        label=frame.label.where(frame.open, frame.label + " (closed)"),
        shown=[usd(value).replace("\\", "") for value in frame.usd],
    )
    x = alt.X(
        "usd:Q",
        title="USD for one pass",
        scale=alt.Scale(type="log", domain=[frame.usd.min() / 2, 10 * claimed_usd], nice=False),
        axis=usd_axis(),
    )
    base = alt.Chart(frame).encode(
        alt.Y("label:N", sort=frame.label.tolist(), title=None, axis=alt.Axis(grid=True))
    )
    ways = alt.Scale(domain=[EMBED, ADAPTERS, ALL_WEIGHTS], range=[OPTION_COLOURS["rag"], SERIES[3], QUIET])
    dots = base.mark_point().encode(x, alt.Color("way:N", scale=ways, title=None), tooltip=["label", "shown"])
    line = alt.Chart(pd.DataFrame({"usd": [claimed_usd]})).mark_rule(strokeDash=[4, 4]).encode(x)
    low, high = (usd(value).replace("\\", "") for value in (frame.usd.min(), frame.usd.max()))
    return alt.layer(line, dots).properties(
        description=(
            f"One pass over the corpus at each price on record, on a logarithmic axis, from {low} to {high}: "
            "embedding, hosted training of adapters, and training all weights on rented GPUs. A dashed "
            "line marks where hundreds of thousands of dollars begin."
        )
    )


def retelling_chart() -> Layers:
    """What a model recalls of new facts by the kind of text it was trained on: Active Reading."""
    frame = pd.DataFrame(
        [
            (row.condition.removeprefix("fine-tuned ").replace("base", "not trained on them"), row.value)
            for row in results("lin2025activereading")
            if "headline" not in row.condition
        ],
        columns=["text", "accuracy"],
    )
    frame["text"] = frame.text.replace(
        {
            "repeat": "the same text, repeated",
            "paraphrase": "paraphrases",
            "synthetic QA": "synthetic questions and answers",
            "Active Reading (task-agnostic)": "many kinds of retelling",
        }
    )
    frame["label"] = [percent(value) for value in frame.accuracy]
    base = alt.Chart(frame).encode(
        alt.Y("text:N", sort=None, title=None),
        alt.X(
            "accuracy:Q",
            title="Questions answered without documents",
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domain=[0, 1]),
        ),
    )
    told = ", ".join(f"{row.text} {row.label}" for row in frame.itertuples())
    return alt.layer(
        base.mark_bar(), base.mark_text(align="left", dx=6, color=INK).encode(alt.Text("label:N"))
    ).properties(description=f"Questions answered from memory, by what the model was trained on: {told}.")
