"""The calculator and charts of the chapter on when to use RAG."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import inputs
from ragvsft.evaluation.differences import Difference
from ragvsft.evidence.published import comparisons, paired_results, results
from ragvsft.formula import Quantity
from ragvsft.prices import OfferRow, of_kind, rates, status
from ragvsft.prose import count, percent, usd
from ragvsft.retrieval import formulas as retrieval
from ragvsft.tuning import formulas as tuning
from ragvsft.tuning.catalogue import architecture, peak_tflops
from ragvsft.units import MONTHS_PER_YEAR
from ragvsft.widgets.calculator import Bars, Calculator, Cell, Choice, Finding, Number, Preset, Row, Select
from ragvsft.widgets.chart import INK, METHOD_COLOURS, QUIET, SERIES, Layers, usd_axis
from ragvsft.widgets.cost_inputs import assumption_input, claimed, model_select, rest, role_select

BITS = (("floats", "Floats, 32 bits", 32), ("scalar", "8 bits", 8), ("binary", "1 bit", 1))

TRAINED_BY = "tinker-qwen3-8b"
"""The offer whose rate of training is the default."""

BIG_BUDGET_USD = 100_000
"""The least of the sum that is often quoted for training on a large corpus, USD."""

DOCUMENTS, TOKENS_PER_DOCUMENT = 10_000_000, 1000
"""The large corpus of the chapter."""

SEARCHES = 1_000_000

CORPUS_BILLS = {
    "embed": "Embed it once",
    "store": "Store the vectors for a year",
    "search": f"Search it {count(SEARCHES)} times",
    "train": "Train on it once",
    "retell": "Write the retellings",
    "train_retold": "Train on the retellings",
}


def _plain_usd(amount: float) -> str:
    return usd(amount).replace("\\", "")


def new_facts_gap() -> Difference:
    """Retrieval against the best light fine-tune of the same Mistral 7B on facts newer than the model."""
    (found,) = (
        one.difference
        for one in comparisons("RAG", "fine-tuned")
        if one.citation == "ovadia2024" and one.dataset == "current events" and one.model == "Mistral 7B"
    )
    assert found is not None
    return found


ABONIZIO_QUESTIONS = sum(
    getattr(paired_results("abonizio2025")[0], cell)
    for cell in ("both_right", "only_first", "only_second", "neither")
)
"""Questions that both sides of each paired comparison answered."""


def rewriting_against_rag() -> dict[int, Difference]:
    """Training on rewrites against retrieval of whole articles in Abonizio et al.: rewrites → difference.

    Rewrites are those of one article by GPT-4o with all prompts: passes times prompts.
    """
    pattern = re.compile(r"full fine-tuning on (\d+) x (\d+) rewrites an article by GPT-4o")
    return {
        int(found[1]) * int(found[2]): row.difference
        for row in paired_results("abonizio2025")
        if (found := pattern.fullmatch(row.second)) and row.first == "RAG: BM25, one whole article"
    }


def training_ahead(citation: str) -> tuple[int, int]:
    """In how many settings of a source a fine-tune alone beat retrieval alone, of how many."""
    found = [one for one in comparisons("fine-tuned", "RAG") if one.citation == citation]
    return sum(one.value > one.against for one in found), len(found)


def index_or_train() -> Calculator:
    """A large corpus: what indexing it costs, what one pass of training costs, and what makes it stick."""
    entries = (
        replace(assumption_input("documents"), default=DOCUMENTS, slider=(1e3, 1e8)),
        replace(assumption_input("tokens_per_document"), default=TOKENS_PER_DOCUMENT),
        Number(
            "training_usd_per_mtok",
            "Price of training",
            rates(TRAINED_BY)["training_usd_per_mtok"].unit,
            rates(TRAINED_BY)["training_usd_per_mtok"].value,
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
        model_select(label="Model that writes the retellings", default="claude-haiku-5.5"),
        role_select("embedder", group="index"),
        role_select("store", group="index"),
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
        entries,
        _index_or_train,
        (
            *(Row(label, Cell(bill, "usd")) for bill, label in CORPUS_BILLS.items()),
            Row("Memory for the vectors", Cell("memory", "gb")),
            Row(f"One pass costs {_plain_usd(BIG_BUDGET_USD)} at, per million tokens", Cell("price", "usd")),
        ),
        ("", "Result"),
        chart=_index_or_train_chart,
        finding=Finding("To embed the corpus once costs {embed:usd}, to train on it once {train:usd}"),
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
    s = inputs(vars(i))
    tokens = costs.corpus_tokens(i.documents, i.tokens_per_document)
    chunks = costs.index_chunks(tokens, i.tokens_per_chunk)
    gb = costs.index_gb(chunks, i.embedding_dimensions, i.payload_bytes_per_chunk)
    return {
        "embed": costs.tokens_usd(tokens, s.embedder.usd_per_mtok),
        "store": MONTHS_PER_YEAR * gb * s.store.usd_per_gb_month,
        "search": SEARCHES * costs.search_usd_per_query(gb, s.store.usd_per_million_reads),
        "train": costs.tokens_usd(tokens, i.training_usd_per_mtok),
        "retell": costs.tokens_usd(tokens * i.expansion, s.answer_llm.output_usd_per_mtok),
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
                "pass of training, writing synthetic retellings and training on them."
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
    for offer in of_kind("embedder"):
        price = rates(offer.id)["usd_per_mtok"].value
        rows.append((offer.offer, EMBED, costs.tokens_usd(tokens, price), status(offer.id).available))
    for offer in of_kind("tuned_llm"):
        found = rates(offer.id)
        if "training_usd_per_mtok" in found:
            price = found["training_usd_per_mtok"].value
            bought = status(offer.id, horizon_months=0).available
            rows.append((offer.offer, ADAPTERS, costs.tokens_usd(tokens, price), bought))
    peak = peak_tflops("H100 SXM")
    utilisation = tuning.model_flops_utilisation(claimed("lora-training-speed"), peak)
    for model in models:
        parameters = architecture(model).parameters
        flops_per_token = tuning.training_flops(parameters, parameters, 1, 0)
        speed = tuning.training_tokens_per_second(flops_per_token, peak, utilisation, 1)
        rented = sorted(of_kind("gpu"), key=_gpu_usd_per_hour)
        for offer in (rented[0], rented[-1]):
            label = f"{model}, {offer.provider}"
            run_usd = costs.gpu_training_usd(tokens, speed, _gpu_usd_per_hour(offer))
            rows.append((label, ALL_WEIGHTS, run_usd, True))
    frame = pd.DataFrame(rows, columns=["label", "way", "usd", "open"])
    return frame.sort_values("usd", ignore_index=True)


def _gpu_usd_per_hour(offer: OfferRow) -> float:
    return rates(offer.id)["usd_per_hour"].value


def corpus_prices_chart(frame: pd.DataFrame, claimed_usd: float) -> Layers:
    """A dot for each price of `corpus_prices`, and a line at the sum that is often quoted."""
    frame = frame.assign(
        label=frame.label.where(frame.open, frame.label + " (closed)"),
        shown=[_plain_usd(value) for value in frame.usd],
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
    ways = alt.Scale(domain=[EMBED, ADAPTERS, ALL_WEIGHTS], range=[METHOD_COLOURS["rag"], SERIES[3], QUIET])
    dots = base.mark_point().encode(
        x,
        alt.Color("way:N", scale=ways, title=None),
        tooltip=[alt.Tooltip("label:N", title="Offer"), alt.Tooltip("shown:N", title="One pass")],
    )
    line = alt.Chart(pd.DataFrame({"usd": [claimed_usd]})).mark_rule(strokeDash=[4, 4]).encode(x)
    low, high, limit = map(_plain_usd, (frame.usd.min(), frame.usd.max(), claimed_usd))
    reached = (
        "some prices reach"
        if frame[frame.open].usd.max() >= claimed_usd
        else "none that can be bought reaches"
    )
    return alt.layer(line, dots).properties(
        title=f"One pass costs {low} to {high}: {reached} {limit}",
        description=(
            f"One pass over the corpus at each price on record, on a logarithmic axis, from {low} to {high}: "
            "embedding, hosted training of adapters, and training all weights on rented GPUs. A dashed "
            f"line marks {limit}."
        ),
    )


def retelling_chart() -> Layers:
    """What a model recalls of new facts by the kind of text it was trained on: Active Reading."""
    frame = pd.DataFrame(
        [
            (row.condition.removeprefix("fine-tuned ").replace("base", "not trained on them"), row.value)
            for row in results("lin2025activereading")
            if row.dataset == "SimpleWikiQA closed-book" and "headline" not in row.condition
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
    repeated = frame[frame.text.str.contains("repeated")].iloc[0]
    best = frame.loc[frame.accuracy.idxmax()]
    return alt.layer(
        base.mark_bar(color=METHOD_COLOURS["fine_tuned"]),
        base.mark_text(align="left", dx=6, color=INK).encode(alt.Text("label:N")),
    ).properties(
        title=f"Trained on {repeated.text}: {repeated.label} recalled; on {best.text}: {best.label}",
        description=f"Questions answered from memory, by what the model was trained on: {told}.",
    )
