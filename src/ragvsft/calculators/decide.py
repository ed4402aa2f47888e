"""Calculators of the chapters on where knowledge and behaviour should live, and on prompting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import altair as alt

from ragvsft.calculators import Bars, Calculator, Cell, Choice, Number, Preset, Row, Select, Sweep
from ragvsft.calculators.cost import UNAVAILABLE, number, rest, select
from ragvsft.charts import USD_LABELS, now_rule, option_colour, usd_axis
from ragvsft.costs import formulas as costs
from ragvsft.costs import options, scenario
from ragvsft.costs.options import LABELS
from ragvsft.evaluation import formulas as evaluation
from ragvsft.evidence.ledger import get
from ragvsft.formula import Quantity, maximum, where
from ragvsft.prices import DEFAULT_SELECTION, Kind, Price, days_left, rates
from ragvsft.retrieval import formulas as retrieval
from ragvsft.tuning import formulas as tuning

VOLUMES = tuple(float(round(10 ** (3 + k / 8))) for k in range(33))
BITS = (("floats", "Floats, 32 bits", 32), ("scalar", "8 bits", 8), ("binary", "1 bit", 1))
BIG_BUDGET_USD = 100_000
"""The least that "hundreds of thousands of dollars" can mean."""


def claimed(claim_id: str) -> float:
    """The value of a claim, as an input's default. Raises `DataError` if there is no such claim."""
    value = get(claim_id).value
    assert value is not None
    return value


def default_prices(*kinds: Kind) -> tuple[Price, ...]:
    """The prices of the offers that a scenario uses unless it names others."""
    return tuple(price for kind in kinds for price in rates(kind, DEFAULT_SELECTION[kind]).values())


def _queries_scale(**axis: Any) -> alt.X:
    return alt.X(
        "x:Q", title="Queries a month", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s", **axis)
    )


def _with_now(lines: alt.Chart, scale: alt.Scale, description: str) -> Any:
    return alt.layer(lines, now_rule(lines.data, scale=scale)).properties(description=description)


# ------------------------------------------------------------------------------------------- freshness


PLACES = {"prompt": "The prompt", "index": "An index", "weights": "The weights"}


def release_usd(s: Any) -> Quantity:
    """USD of one later release of a hosted fine-tune, without its hours: new labels and training."""
    tokens = costs.training_tokens(s.training_examples, s.tokens_per_example, s.epochs, s.trials_per_release)
    labels = s.relabelled_fraction * costs.dataset_usd(s.training_examples, s.usd_per_example)
    return labels + costs.tokens_usd(tokens, s.tuned_training_usd_per_mtok)


def freshness() -> Calculator:
    """How stale answers are, and what each update costs, by the place in which a fact is kept."""
    s = scenario.inputs(scenario.default())
    return Calculator(
        "freshness",
        "How stale may an answer be?",
        (
            Number("days_between_changes", "A fact changes every", "days", 90, 0.1, 3650, scale="log"),
            Number("stale_percent", "Answers that may be out of date", "%", 2, 0.01, 50, scale="log"),
            Number("prompt_days", "The prompt is edited every", "days", 7, 0.04, 365, scale="log"),
            Number("index_hours", "The index is updated every", "hours", 24, 0.02, 720, scale="log"),
            number("months_between_releases"),
            Number("prompt_publish_hours", "From edit to live prompt", "hours", 4, 0, 240, group="delays"),
            Number("index_publish_hours", "From new document to index", "hours", 1, 0, 240, group="delays"),
            Number("weights_publish_days", "From data to released model", "days", 5, 0, 90, group="delays"),
            Number("prompt_edit_hours", "Work for an edit of the prompt", "hours", 2, 0, 40, group="work"),
            replace(number("release_hours"), group="work"),
            replace(number("usd_per_hour"), group="work"),
        ),
        _freshness,
        tuple(
            Row(
                label,
                Cell(f"{place}_stale", "percent"),
                Cell(f"{place}_verdict", cases=("cannot: the delay is too long", "not often enough", "yes")),
                Cell(f"{place}_longest", "number"),
                Cell(f"{place}_delay", "number"),
                Cell(f"{place}_usd", "usd"),
            )
            for place, label in PLACES.items()
        ),
        (
            "Where the fact is kept",
            "Answers out of date",
            "Meets your target?",
            "Update at least every, days",
            "Longest delay, days",
            "USD a month",
        ),
        chart=_freshness_chart,
        sweep=Sweep(
            "days_between_changes",
            tuple(round(10 ** (k / 8), 2) for k in range(29)),
            {f"{place}_stale": label for place, label in PLACES.items()},
        ),
        presets=(
            Preset(
                "Prices, changed daily", {"days_between_changes": 1, "stale_percent": 5, "index_hours": 1}
            ),
            Preset("Product documentation", {"days_between_changes": 60}),
            Preset("Tone of voice", {"days_between_changes": 1500, "stale_percent": 10}),
        ),
        fixed={"index_usd": float(options.index_usd(s)), "release_usd": float(release_usd(s))},
        prices=default_prices("embedding", "vector_store", "tuned_model"),
        note=(
            "Changes come at random moments. USD a month: the work of an edit; embedding the whole index "
            "again at each update, which is more than needed; labels, training and work of a release. "
            "Corpus and training set are the cost model's base case."
        ),
    )


def _freshness(i: Any) -> Mapping[str, Quantity]:
    places = {
        "prompt": (i.prompt_days, i.prompt_publish_hours / 24, i.prompt_edit_hours * i.usd_per_hour),
        "index": (i.index_hours / 24, i.index_publish_hours / 24, i.index_usd),
        "weights": (
            i.months_between_releases * retrieval.DAYS_PER_MONTH,
            i.weights_publish_days,
            i.release_usd + i.release_hours * i.usd_per_hour,
        ),
    }
    figures: dict[str, Quantity] = {}
    for place, (every_days, publish_days, update_usd) in places.items():
        longest = retrieval.longest_interval_days(i.stale_percent / 100, i.days_between_changes, publish_days)
        figures |= {
            f"{place}_delay": retrieval.longest_delay_days(every_days, publish_days),
            f"{place}_stale": retrieval.stale_share(i.days_between_changes, every_days, publish_days),
            f"{place}_longest": maximum(0, longest),
            f"{place}_verdict": where(longest <= 0, 0, where(every_days <= longest, 2, 1)),
            f"{place}_usd": update_usd * retrieval.DAYS_PER_MONTH / every_days,
        }
    return figures


def _freshness_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Days between changes of a fact", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="Answers out of date", axis=alt.Axis(format="%")),
            alt.Color("series:N", title=None, sort=list(PLACES.values())),
        )
    )
    return _with_now(
        lines,
        log,
        "Share of answers that rest on an outdated fact, against the days between changes of a fact, one "
        "line for each place. All lines fall as facts get steadier; the index lies lowest and the weights "
        "highest at the defaults. A dashed line marks the fact set above.",
    )


# ----------------------------------------------------------------------------------- index or train on it


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
        replace(number("documents"), default=1e7, slider=(1e3, 1e8)),
        replace(number("tokens_per_document"), default=1000),
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
        replace(select("llm", "claude-haiku-5-5"), label="Model that writes the retellings"),
        select("embedding", group="index"),
        select("vector_store", group="index"),
        Select(
            "precision",
            "Precision of the vectors in memory",
            "floats",
            tuple(Choice(name, label, {"bits": bits}) for name, label, bits in BITS),
            group="index",
        ),
        replace(number("tokens_per_chunk"), group="index"),
        replace(number("embedding_dimensions"), group="index"),
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
        "store": 12 * gb * i.vector_usd_per_gb_month,
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


# ------------------------------------------------------------------------------------ a shorter prompt


def shorter_prompt() -> Calculator:
    """One call with the whole prompt, with a cached prefix, and with a prompt that tuning cut."""
    inputs = (
        select("llm"),
        number("queries_per_month"),
        number("system_tokens"),
        number("example_tokens"),
        number("query_tokens"),
        number("output_tokens"),
        Number("cut_percent", "Share of instructions and examples that tuning removes", "%", 65, 0, 100),
        Number("premium", "Tuned price, as a multiple of the model's", "×", 2, 0.5, 10, scale="log"),
    )
    lines = {
        "uncached": "whole prompt, not cached",
        "cached": "whole prompt, prefix cached",
        "tuned": "tuned, prompt cut, premium paid",
    }
    return Calculator(
        "shorter-prompt",
        "Cut the prompt, or cache it?",
        inputs,
        _shorter_prompt,
        (
            *(
                Row(label.capitalize(), Cell(f"{line}_usd", "usd"), Cell(f"{line}_month_usd", "usd"))
                for line, label in lines.items()
            ),
        ),
        ("", "A call", "A month"),
        chart=_shorter_prompt_chart,
        sweep=Sweep(
            "cut_percent",
            tuple(float(k) for k in range(0, 101, 5)),
            {f"{line}_usd": label for line, label in lines.items()},
        ),
        presets=(
            Preset("No premium", {"premium": 1}),
            Preset("Few calls", {"queries_per_month": 1000}),
            Preset("Long examples, short answers", {"example_tokens": 6000, "output_tokens": 30}),
        ),
        lowest=1,
        fixed={"batch_fraction": 0.0},
        note=(
            "The same model on every line, so that the smaller model that a fine-tune usually brings is not "
            "counted as a saving of tuning. The tuned line pays for its calls only, not for its training, "
            "and is not cached."
        ),
    )


def _shorter_prompt(i: Any) -> Mapping[str, Quantity]:
    prefix = i.system_tokens + i.example_tokens
    kept = costs.tuned_prefix_tokens(prefix, i.cut_percent / 100)
    calls = {
        "uncached": options.llm_usd(i, prefix, i.query_tokens, hit_rate=0),
        "cached": options.llm_usd(i, prefix, i.query_tokens),
        "tuned": i.premium * options.llm_usd(i, kept, i.query_tokens, hit_rate=0),
    }
    monthly = {f"{line}_month_usd": i.queries_per_month * usd for line, usd in calls.items()}
    return {f"{line}_usd": usd for line, usd in calls.items()} | monthly


def _shorter_prompt_chart(rows: Any) -> Any:
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Share of instructions and examples removed (%)"),
            alt.Y("value:Q", title="USD a call", axis=usd_axis()),
            alt.Color("series:N", title=None, sort=None),
        )
    )
    return _with_now(
        lines,
        alt.Scale(),
        "Price of a call against the share of the prompt that tuning removes: two level lines for the "
        "whole prompt, without and with caching, and a falling one for the tuned model. At the defaults it "
        "stays above the cached line. A dashed line marks the share set above.",
    )


# -------------------------------------------------------------------------------------------- combining


COMBINED = ("rag", "rag_fine_tuned_hosted", "rag_fine_tuned_self_hosted")


def both_pays() -> Calculator:
    """What adding a fine-tune to retrieval costs, and the accuracy it must gain to be worth that."""
    label, workload = scenario.workloads()["support-bot"]
    inputs: tuple[Number | Select, ...] = (
        *(
            replace(number(name), default=workload.get(name, number(name).default))
            for name in ("queries_per_month", "horizon_months", "output_tokens", "chunks_in_prompt")
        ),
        Number("usd_per_failure", "What a wrong answer costs you", "USD", 5, 0.01, 10_000, scale="log"),
        select("llm"),
        select("tuned_model"),
        select("gpu"),
        *(
            replace(number(name), group="fine-tuning")
            for name in (
                "training_examples",
                "usd_per_example",
                "months_between_releases",
                "fine_tuning_build_hours",
                "release_hours",
                "usd_per_hour",
            )
        ),
    )
    shared: tuple[Kind, ...] = ("embedding", "reranker", "vector_store")
    prices = default_prices(*shared)
    return Calculator(
        "both-pays",
        f"What must the fine-tune gain? {label}",
        inputs,
        _both_pays,
        tuple(
            Row(
                LABELS[option],
                Cell(f"{option}_horizon_usd", "usd"),
                Cell(f"{option}_full_usd", "usd"),
                Cell(f"{option}_points", "number"),
                available=f"{option}_available",
                reason=UNAVAILABLE,
            )
            for option in COMBINED
        ),
        ("Option", "Total over the horizon", "Per query, all in", "Points of accuracy to gain"),
        chart=_both_pays_chart,
        sweep=Sweep(
            "queries_per_month", VOLUMES, {f"{option}_full_usd": LABELS[option] for option in COMBINED}
        ),
        presets=(
            Preset("A wrong answer is cheap", {"usd_per_failure": 0.5}),
            Preset("Twenty times the volume", {"queries_per_month": 1e6}),
            Preset("RAG on a cheap model", {"llm": "claude-haiku-5-5"}),
        ),
        fixed=rest(*inputs, priced=prices)
        | {name: value for name, value in workload.items() if name not in {i.name for i in inputs}}
        | {f"{kind}_days_left": days_left(DEFAULT_SELECTION[kind]) for kind in shared},
        prices=prices,
        note=(
            "Points below zero: the pair costs less than RAG alone and may lose that much. Everything that "
            "is not set here is the example's, or the cost model's base value. Hosted and self-hosted "
            "fine-tunes are of a smaller model than the one that RAG alone uses."
        ),
    )


def _both_pays(s: Any) -> Mapping[str, Quantity]:
    totals = {option: options.OPTIONS[option](s).horizon_usd(s) for option in COMBINED}
    queries = s.queries_per_month * s.horizon_months
    available = options.availability(s)
    figures = {f"{option}_available": available[f"{option}_available"] for option in COMBINED}
    for option, usd in totals.items():
        extra = (usd - totals["rag"]) / queries
        figures |= {
            f"{option}_horizon_usd": usd,
            f"{option}_full_usd": usd / queries,
            f"{option}_points": 100 * costs.accuracy_loss_to_break_even(extra, s.usd_per_failure),
        }
    return figures


def _both_pays_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            _queries_scale(),
            alt.Y("value:Q", title="USD per query, all in", scale=log, axis=usd_axis()),
            option_colour(COMBINED, "series"),
        )
    )
    return _with_now(
        lines,
        log,
        "Full cost per query of RAG alone and of RAG with a fine-tune, hosted and self-hosted, against "
        "queries a month, both axes logarithmic. At low volume the pairs cost more; at high volume the "
        "price of the model decides. A dashed line marks the volume set above.",
    )


# -------------------------------------------------------------------------------------------- prompting


TECHNIQUES = {
    "instructions": "Instructions",
    "examples": "+ fixed examples, cached",
    "examples_uncached": "+ fixed examples, not cached",
    "retrieved": "+ examples retrieved for each question",
    "schema": "+ a schema in the prompt",
    "reasoning": "+ reasoning before the answer",
    "corpus": "+ the whole corpus, cached",
}


def techniques() -> Calculator:
    """What each prompting technique adds to a call, in tokens and dollars."""
    search = tuple(
        price
        for price in default_prices("embedding", "vector_store")
        if price.name in ("embedding_usd_per_mtok", "vector_usd_per_million_reads")
    )
    inputs = (
        select("llm"),
        number("queries_per_month"),
        number("system_tokens"),
        number("example_tokens"),
        Number("retrieved_tokens", "Examples retrieved for a question", "tokens", 500, 0, 50_000),
        Number("schema_tokens", "Schema", "tokens", 300, 0, 20_000),
        Number("reasoning_tokens", "Reasoning before the answer", "tokens", 500, 0, 50_000),
        Number(
            "corpus_tokens",
            "A small corpus",
            "tokens",
            50_000,
            1000,
            claimed("small-corpus-tokens"),
            scale="log",
        ),
        number("query_tokens"),
        number("output_tokens"),
    )
    return Calculator(
        "prompt-techniques",
        "What does each technique cost?",
        inputs,
        _techniques,
        tuple(
            Row(
                label,
                Cell(f"{name}_usd", "usd"),
                Cell(f"{name}_added", "percent"),
                Cell(f"{name}_tokens", "count"),
                Cell(f"{name}_month_usd", "usd"),
            )
            for name, label in TECHNIQUES.items()
        ),
        ("Technique", "USD a call", "More than instructions", "Tokens a call", "USD a month"),
        chart=_techniques_chart,
        sweep=Sweep(
            "queries_per_month",
            VOLUMES,
            {
                f"{name}_usd": TECHNIQUES[name]
                for name in ("instructions", "examples", "retrieved", "reasoning", "corpus")
            },
        ),
        presets=(
            Preset("Cheap model", {"llm": "claude-haiku-5-5"}),
            Preset("Many long examples", {"example_tokens": 12_000}),
            Preset("Few calls", {"queries_per_month": 1000}),
        ),
        fixed={"batch_fraction": 0.0} | {price.name: price.value for price in search},
        prices=search,
        note=(
            "Each line adds one technique to the instructions. Retrieved examples change with every "
            "question and so are never cached; their search is in the price. Reasoning is billed as output."
        ),
    )


def _techniques(i: Any) -> Mapping[str, Quantity]:
    def call(prefix: Quantity, fresh: Quantity = i.query_tokens, **hit: float) -> Quantity:
        return options.llm_usd(i, prefix, fresh, **hit)

    search = costs.tokens_usd(i.query_tokens, i.embedding_usd_per_mtok) + costs.search_usd_per_query(
        0, i.vector_usd_per_million_reads
    )
    thinking = SimpleNamespace(
        **{name: getattr(i, name) for name in _LLM_INPUTS},
        output_tokens=i.output_tokens + i.reasoning_tokens,
    )
    calls = {
        "instructions": call(i.system_tokens),
        "examples": call(i.system_tokens + i.example_tokens),
        "examples_uncached": call(i.system_tokens + i.example_tokens, hit_rate=0),
        "retrieved": call(i.system_tokens, i.query_tokens + i.retrieved_tokens) + search,
        "schema": call(i.system_tokens + i.schema_tokens),
        "reasoning": options.llm_usd(thinking, i.system_tokens, i.query_tokens),
        "corpus": call(i.system_tokens + i.corpus_tokens),
    }
    extra = {
        "instructions": 0,
        "examples": i.example_tokens,
        "examples_uncached": i.example_tokens,
        "retrieved": i.retrieved_tokens,
        "schema": i.schema_tokens,
        "reasoning": i.reasoning_tokens,
        "corpus": i.corpus_tokens,
    }
    figures: dict[str, Quantity] = {}
    for name, usd in calls.items():
        figures |= {
            f"{name}_tokens": i.system_tokens + i.query_tokens + i.output_tokens + extra[name],
            f"{name}_usd": usd,
            f"{name}_added": usd / calls["instructions"] - 1,
            f"{name}_month_usd": i.queries_per_month * usd,
        }
    return figures


_LLM_INPUTS = (
    "queries_per_month",
    "batch_fraction",
    *rates("llm", DEFAULT_SELECTION["llm"]),
)
"""What the price of a call depends on, besides its tokens."""


def _techniques_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    is_1_2_or_5 = "test(regexp('^[125]'), format(datum.value, '.0e'))"
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            _queries_scale(),
            alt.Y(
                "value:Q",
                title="USD a call",
                scale=alt.Scale(type="log", nice=False),
                axis=usd_axis(tickCount=6, labelExpr=f"{is_1_2_or_5} ? {USD_LABELS} : ''"),
            ),
            alt.Color("series:N", title=None, sort=list(TECHNIQUES.values())),
        )
    )
    return _with_now(
        lines,
        log,
        "Price of a call against queries a month, one line for each technique, both axes logarithmic. "
        "Cached techniques fall steeply as traffic keeps the cache warm; retrieved examples and reasoning "
        "hardly fall. A dashed line marks the volume set above.",
    )


# ------------------------------------------------------------------------------------- the whole tree


LIBRARY_GB, MACHINE_GB = 4, 64
"""Memory up to which an index can live in the application, and on one ordinary machine. Our lines."""

SMALL_SHARE = 0.01
"""Share of the model's bill under which a price need not decide. Our line."""

DISCORDANT = 0.15
"""Share of questions that only one of two systems gets right: the default of the sample-size calculator."""


def decision_numbers() -> Calculator:
    """For each branch of the wider tree the number that decides it, on the reader's own inputs."""
    inputs: tuple[Number | Select, ...] = (
        number("queries_per_month"),
        number("documents"),
        number("tokens_per_document"),
        Number("usd_per_failure", "What a wrong answer costs you", "USD", 5, 0.01, 10_000, scale="log"),
        replace(select("llm"), label="Model you would like"),
        replace(_second_model(), label="Cheaper model"),
        select("gpu"),
        select("embedding"),
        number("evaluation_questions"),
        *(
            replace(number(name), group="details")
            for name in (
                "output_tokens",
                "chunks_in_prompt",
                "tokens_per_chunk",
                "embedding_dimensions",
                "requests_per_second_per_gpu_rag",
                "peak_to_mean_ratio",
            )
        ),
    )
    return Calculator(
        "decision-numbers",
        "The numbers that decide your tree",
        inputs,
        _decision_numbers,
        (
            Row(
                "Search: tokens in the corpus",
                Cell("corpus", "count"),
                Cell("corpus_verdict", cases=("all of it in the prompt, cached", "search it")),
            ),
            Row(
                "Model: points the cheaper one may lose",
                Cell("may_lose", "number"),
                Cell(
                    "model_verdict",
                    cases=(
                        "too small for your test to see",
                        "your test can see it: let it decide",
                    ),
                ),
            ),
            Row(
                "Evaluation: questions to see that",
                Cell("questions", "count"),
                Cell("questions_verdict", cases=("more than you have", "you have enough")),
            ),
            Row(
                "Hosting: GPUs' rent over the cheaper model's calls",
                Cell("rent_ratio", "number"),
                Cell("rent_verdict", cases=("an API costs less", "your own GPUs cost less, before people")),
            ),
            Row(
                "Embedding: first indexing over a month of calls",
                Cell("embedding_share", "percent"),
                Cell("embedding_verdict", cases=("choose by measured recall", "price counts too")),
            ),
            Row(
                "Store: memory for floats",
                Cell("memory", "gb"),
                Cell(
                    "memory_verdict",
                    cases=("a library in your process", "one machine", "a service, or fewer bits"),
                ),
            ),
        ),
        ("Branch: what decides", "Your number", "What it says"),
        presets=(
            Preset("Support bot", {"queries_per_month": 50_000, "documents": 2000}),
            Preset("High volume", {"queries_per_month": 1e7, "documents": 300}),
            Preset("Large archive", {"documents": 1e7}),
            Preset("Wrong answers are expensive", {"usd_per_failure": 500}),
        ),
        fixed=rest(*inputs)
        | {"small_corpus_tokens": claimed("small-corpus-tokens"), "links": claimed("hnsw-links")},
        note=(
            "The lines between verdicts are ours, except the size up to which a corpus fits in the prompt. "
            "Calls find their prefix cached. GPUs serve a small open model; whether it answers as well is "
            "for the test to say."
        ),
    )


def _second_model() -> Select:
    """The language models again, under names of their own."""
    models = select("llm", "claude-haiku-5-5")
    return replace(
        models,
        name="second",
        in_scenario=False,
        choices=tuple(
            replace(choice, sets={f"second_{name}": value for name, value in choice.sets.items()})
            for choice in models.choices
        ),
    )


def _second(i: Any) -> Any:
    names = {name: getattr(i, f"second_{name}") for name in _LLM_INPUTS if name.startswith("llm_")}
    return SimpleNamespace(
        **names,
        queries_per_month=i.queries_per_month,
        batch_fraction=i.batch_fraction,
        output_tokens=i.output_tokens,
    )


def _decision_numbers(i: Any) -> Mapping[str, Quantity]:
    corpus = costs.corpus_tokens(i.documents, i.tokens_per_document)
    prefix, fresh = i.system_tokens + i.example_tokens, i.query_tokens + options.retrieved_tokens(i)
    wanted_usd = options.llm_usd(i, prefix, fresh, hit_rate=1)
    cheap_usd = options.llm_usd(_second(i), prefix, fresh, hit_rate=1)
    may_lose = costs.accuracy_loss_to_break_even(wanted_usd - cheap_usd, i.usd_per_failure)
    questions = evaluation.questions_for_paired_difference(maximum(may_lose, 1e-6), DISCORDANT)
    gpus = costs.gpus_needed(
        i.queries_per_month,
        i.peak_to_mean_ratio,
        i.requests_per_second_per_gpu_rag,
        i.gpu_utilisation_cap,
        i.min_gpus,
    )
    rent_ratio = (gpus * costs.HOURS_PER_MONTH * i.gpu_usd_per_hour) / (i.queries_per_month * cheap_usd)
    embed_usd = costs.tokens_usd(
        costs.indexed_tokens(corpus, i.chunk_overlap_fraction), i.embedding_usd_per_mtok
    )
    share = embed_usd / (i.queries_per_month * wanted_usd)
    chunks = costs.index_chunks(costs.indexed_tokens(corpus, i.chunk_overlap_fraction), i.tokens_per_chunk)
    memory = retrieval.vector_memory_gb(chunks, i.embedding_dimensions, 32) + retrieval.graph_memory_gb(
        chunks, i.links
    )
    enough = where(questions <= i.evaluation_questions, 1, 0)
    return {
        "corpus": corpus,
        "corpus_verdict": where(corpus <= i.small_corpus_tokens, 0, 1),
        "may_lose": 100 * may_lose,
        "model_verdict": enough,
        "questions": questions,
        "questions_verdict": enough,
        "rent_ratio": rent_ratio,
        "rent_verdict": where(rent_ratio < 1, 1, 0),
        "embedding_share": share,
        "embedding_verdict": where(share < SMALL_SHARE, 0, 1),
        "memory": memory,
        "memory_verdict": where(memory <= LIBRARY_GB, 0, where(memory <= MACHINE_GB, 1, 2)),
    }
