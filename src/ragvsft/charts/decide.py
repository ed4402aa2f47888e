"""Charts and tables of the chapters on where knowledge and behaviour should live."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ragvsft.calculators.decide import PLACES, freshness
from ragvsft.calculators.tuning import published_utilisation
from ragvsft.charts import INK, OPTION_COLOURS, QUIET, SERIES, usd_axis
from ragvsft.charts.evidence import LINES, Layers, combining
from ragvsft.costs import formulas as costs
from ragvsft.data import load
from ragvsft.evidence.published import results
from ragvsft.prices import Choice, choices, rates
from ragvsft.prose import count, number, percent, table, usd
from ragvsft.tuning import formulas as tuning
from ragvsft.tuning.catalogue import architecture, gpus

EMBED, ADAPTERS, ALL_WEIGHTS = "embed", "train adapters", "train all weights"

UPDATE_PATHS = {
    "prompt": ("edit → test", "→ deploy"),
    "index": ("write → cut", "→ embed → search"),
    "weights": ("label → train", "→ evaluate → release"),
}
"""What a change passes through on its way into each place, in two short lines."""


def update_paths_chart() -> Layers:
    """From a change to an answer that knows it: path and time by place, at the calculator's start values."""
    calculator = freshness()
    given, shown = calculator.values(), calculator.compute()
    soonest = {
        "prompt": given["prompt_publish_hours"] / 24,
        "index": given["index_publish_hours"] / 24,
        "weights": given["weights_publish_days"],
    }
    frame = pd.DataFrame(
        [
            (": ".join((name, *UPDATE_PATHS[place])), soonest[place], shown[f"{place}_delay"])
            for place, name in PLACES.items()
        ],
        columns=["place", "soonest", "latest"],
    )
    frame["label"] = [f"{_span(row.soonest)} to {_span(row.latest)}" for row in frame.itertuples()]
    x = alt.X(
        "soonest:Q",
        title="From a change to an answer that knows it",
        scale=alt.Scale(type="log", domain=[1 / 48, 1000], nice=False),
        axis=alt.Axis(
            values=[1 / 24, 1, 10, 100],
            labelExpr="datum.value < 1 ? format(24 * datum.value, '.0f') + ' h' : datum.value + ' d'",
        ),
    )
    base = alt.Chart(frame).encode(x, alt.Y("place:N", sort=None, title=None, axis=LINES))
    bars = base.mark_bar(height=14).encode(alt.X2("latest:Q"), tooltip=["label"])
    labels = base.mark_text(align="right", dy=-18).encode(alt.Text("label:N"), x=alt.value("width"))
    told = "; ".join(
        f"{row.place.replace(': ', ', ', 1).replace(': ', ' ')}: {row.label}" for row in frame.itertuples()
    )
    return alt.layer(bars, labels).properties(
        height=alt.Step(66),
        description=f"How long a change needs to reach an answer, on a logarithmic axis. {told}.",
    )


def _span(days: float) -> str:
    return f"{number(24 * days)} h" if days < 1 else f"{number(days)} days"


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
    peak = next(row.peak_tflops for row in gpus() if row.gpu == "H100 SXM")
    for model in models:
        parameters = architecture(model).parameters
        flops = tuning.training_flops(parameters, parameters, tokens, 0)
        hours = tuning.training_hours(flops, peak, published_utilisation(), 1)
        rented = sorted(choices("gpu"), key=_gpu_usd_per_hour)
        for offer in (rented[0], rented[-1]):
            label = f"{model}, {offer.provider}"
            rows.append((label, ALL_WEIGHTS, tuning.rental_usd(hours, 1, _gpu_usd_per_hour(offer)), True))
    frame = pd.DataFrame(rows, columns=["label", "way", "usd", "open"])
    return frame.sort_values("usd", ignore_index=True)


def _gpu_usd_per_hour(offer: Choice) -> float:
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
            if row.dataset.startswith("SimpleWikiQA") and "headline" not in row.condition
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


def combining_counts() -> str:
    """How often the pair beat the better half of it, by how the model was trained and its size."""
    frame = combining()
    rows = []
    for trained in sorted(frame.trained.unique()):
        for size, group in frame[frame.trained == trained].groupby("size"):
            better, equal = int((group.gain > 0).sum()), int((group.gain == 0).sum())
            rows.append(
                [
                    trained,
                    size,
                    count(len(group)),
                    count(better),
                    count(equal),
                    count(len(group) - better - equal),
                    f"{number(group.gain.min())} to {number(group.gain.max())}",
                ]
            )
    return table(["fine-tune", "model size", "settings", "better", "equal", "worse", "points, range"], rows)


def caching_rules() -> str:
    """What each model on sale asks of a cached prefix, and what it charges for one."""
    rows = []
    labels = {row.id: row.offer for row in load("offers")}
    for row in load("models"):
        price = {name: found.value for name, found in rates("llm", row.id).items()}
        fresh = price["llm_input_usd_per_mtok"]
        rows.append(
            [
                labels[row.id],
                usd(fresh),
                count(row.min_cacheable_tokens),
                percent(price["llm_cache_read_usd_per_mtok"] / fresh),
                percent(price["llm_cache_write_usd_per_mtok"] / fresh),
                percent(price["llm_batch_multiplier"]),
            ]
        )
    return table(
        [
            "model",
            "input, a million tokens",
            "shortest prefix cached, tokens",
            "cached read",
            "cache write",
            "batch",
        ],
        rows,
    )
