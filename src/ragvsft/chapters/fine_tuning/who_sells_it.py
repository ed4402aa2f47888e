"""The tables, the chart and the sums of the chapter on who still sells fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import altair as alt
import pandas as pd

from ragvsft.costs.formulas import dataset_usd, evaluation_usd
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.methods import METHODS, bill, training_usd
from ragvsft.prices import OfferRow, Status, label, of_kind, offers, rates, status
from ragvsft.prose import count, day, table, usd
from ragvsft.units import DAYS_PER_MONTH
from ragvsft.widgets.chart import INK, SERIES, Layers

SHORT_OFFERS = {
    "cohere-fine-tuning": "Cohere, all of it",
    "openai-fine-tuning-new-customers": "OpenAI, new customers",
    "openai-fine-tuning-inactive-customers": "OpenAI, inactive customers",
    "openai-fine-tuning-jobs": "OpenAI, new jobs",
    "openai-ft-gpt-4.1": "OpenAI, tuned GPT-4.1",
    "openai-ft-gpt-4.1-mini": "OpenAI, tuned GPT-4.1 mini",
    "azure-gpt-4.1-mini": "Azure, tuned GPT-4.1 mini",
    "azure-sweden-tuned-gpt-4.1-mini": "Azure Sweden, tuned GPT-4.1 mini",
    "vertex-gemini-2.5-flash": "Vertex AI, tuned Gemini 2.5 Flash",
    "bedrock-claude-3-haiku": "Bedrock, tuned Claude 3 Haiku",
    "prime-intellect-qwen3.5-9b": "Prime Intellect, Qwen3.5-9B",
}
"""Names of ended offers that fit a phone, by id."""


def tuning_offers() -> tuple[OfferRow, ...]:
    """What is or was sold to people who fine-tune: hosted tuned models, and the services that train them."""
    return tuple(row for row in offers().values() if row.kind in ("tuned_llm", "service"))


def is_open_model(row: OfferRow) -> bool:
    """Whether the base model's weights can be carried away, by its name in the offers of open weights."""
    return row.model.startswith("open models") or row.model in {open_.model for open_ in of_kind("weights")}


def ending(rows: Iterable[OfferRow]) -> list[OfferRow]:
    """Those that have ended or will, in the order of the end."""
    return sorted((row for row in rows if row.ends_on), key=lambda row: (str(row.ends_on), row.id))


def notice_days(row: OfferRow) -> int | None:
    """Days from announcement to end; None where either is not known."""
    return (row.ends_on - row.announced_on).days if row.ends_on and row.announced_on else None


def months_longer(row: OfferRow, than: OfferRow) -> float:
    """Months by which one offer outlives another. Both must have an end."""
    assert row.ends_on and than.ends_on
    return (row.ends_on - than.ends_on).days / DAYS_PER_MONTH


def move_usd(s: Inputs) -> float:
    """USD of one forced move of a hosted fine-tune: part of the data made again, training, test, people."""
    data = s.relabelled_fraction * dataset_usd(s.training_examples, s.usd_per_example)
    answer = bill(s, METHODS["fine_tuned"], "per_token").per_query_usd
    test = evaluation_usd(s.evaluation_questions, answer, s.judge_usd_per_answer)
    return float(data + training_usd(s, "per_token") + test + s.release_hours * s.usd_per_hour)


def open_table(rows: Iterable[OfferRow]) -> str:
    """Tuned models that a new customer can buy, with prices; what stands against an offer is said."""
    lines = [
        (
            label(row),
            *(_price(row, f"{what}_usd_per_mtok") for what in ("training", "input", "output")),
            day(row.ends_on) if row.ends_on else "no date given",
            _sourced(row),
            _against(status(row.id), row),
        )
        for row in rows
    ]
    columns = ("Offer", "Training, USD per million tokens", "Input", "Output", "Ends", "As of", "Against it")
    return table(columns, lines)


def _price(row: OfferRow, item: str) -> str:
    found = rates(row.id).get(item)
    return usd(found.value) if found else ""


def _against(found: Status, row: OfferRow) -> str:
    if not found.available:
        return found.reason
    return "confirm with the seller first" if row.confirm_first else ""


def ended_table(rows: Iterable[OfferRow]) -> str:
    """Offers that have ended or will: when it was announced, when it ends, and the days of notice."""
    lines = []
    for row in rows:
        notice = notice_days(row)
        lines.append(
            (
                SHORT_OFFERS.get(row.id, f"{row.provider}, {row.offer}"),
                day(row.announced_on) if row.announced_on else "not known",
                day(row.ends_on) if row.ends_on else "",
                "" if notice is None else count(notice),
                _sourced(row),
                row.note.replace("$", r"\$"),
            )
        )
    return table(("Offer", "Announced", "Ends", "Days of notice", "As of", "Note"), lines)


def _sourced(row: OfferRow) -> str:
    is_page = bool(row.source) and str(row.source).startswith("http")
    return f"[{row.as_of.isoformat()}]({row.source})" if is_page else row.as_of.isoformat()


def offers_timeline(rows: Iterable[OfferRow], today: date) -> Layers:
    """From announcement to end of every offer that ends or has ended, with a rule at `today`."""
    found = [
        (
            SHORT_OFFERS.get(row.id, f"{row.provider}, {row.offer}"),
            row.announced_on or row.ends_on,
            row.ends_on,
            "ended" if row.ends_on and row.ends_on <= today else "ends later",
        )
        for row in ending(rows)
    ]
    frame = pd.DataFrame(found, columns=["offer", "announced", "ends", "status"])
    frame[["announced", "ends"]] = frame[["announced", "ends"]].astype("datetime64[ns]")
    base = alt.Chart(frame).encode(alt.Y("offer:N", sort=None, title=None, axis=alt.Axis(grid=True)))
    margin = timedelta(days=45)
    x = alt.Scale(
        domain=[(min(frame.announced) - margin).isoformat(), (max(frame.ends) + margin).isoformat()]
    )
    bars = base.mark_rule(strokeWidth=3).encode(
        alt.X("announced:T", title="From announcement to end", scale=x), alt.X2("ends:T")
    )
    states = alt.Scale(domain=["ended", "ends later"], range=[SERIES[3], SERIES[1]])
    ends = base.mark_point(size=90).encode(
        alt.X("ends:T", scale=x),
        alt.Color("status:N", title=None, scale=states),
        tooltip=[
            alt.Tooltip("offer:N", title="Offer"),
            alt.Tooltip("announced:T", title="Announced, or ended"),
            alt.Tooltip("ends:T", title="Ends"),
        ],
    )
    dated = alt.Chart(pd.DataFrame({"now": [pd.Timestamp(today)], "label": ["today"]})).encode(
        alt.X("now:T", scale=x)
    )
    now = dated.mark_rule(strokeDash=[4, 4], color=INK)
    named = dated.mark_text(align="right", dy=-8, dx=4, y=0).encode(alt.Text("label:N"))
    notices = [notice for row in rows if (notice := notice_days(row)) is not None]
    told = "; ".join(f"{row.offer} ends {row.ends:%d %B %Y}" for row in frame.itertuples())
    return alt.layer(bars, ends, now, named).properties(
        title=f"Notice before the end: from {count(min(notices))} to {count(max(notices))} days",
        description=(
            "A line from the announcement of an end, where its date is known, to a dot at the end, for each "
            f"offer that has ended or will. A dashed line marks today. {told}."
        ),
    )
