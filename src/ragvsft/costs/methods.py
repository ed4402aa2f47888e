"""The methods, each a list of stages, and what a method costs on one column of the matrix.

A column is a model with a host. `Serving` says how its model is paid for: by the token, or by the hour of
one's own GPU. Functions work on numbers, arrays and traced symbols alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ragvsft.costs import formulas as f
from ragvsft.costs.inputs import Inputs
from ragvsft.costs.stages import (
    STAGES,
    Answering,
    Reads,
    Stage,
    Use,
    indexed_tokens,
    longest_prompt_tokens,
    stored_gb,
)
from ragvsft.formula import Quantity, where
from ragvsft.units import HOURS_PER_MONTH

Serving = Literal["per_token", "self_hosted"]


@dataclass(frozen=True)
class Method:
    """A way to answer: its stages in order, and what follows from them for the bill.

    `reads` says what stands in the prompt beside the instructions. A method that reads nothing but the
    question knows none of the documents.
    """

    name: str
    label: str
    stages: tuple[str, ...]
    reads: Reads = "question"
    tuned: bool = False

    @property
    def knows_documents(self) -> bool:
        return self.reads != "question"

    @property
    def indexed(self) -> bool:
        """Whether it needs an index of vectors."""
        return "search" in self.stages


RETRIEVAL = ("embed", "search", "rerank")

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("prompting", "Prompting only", ("read", "write")),
        Method("long_context", "Long context", ("read", "write"), reads="corpus"),
        Method("rag", "RAG", (*RETRIEVAL, "read", "write"), reads="passages"),
        Method("agentic_search", "Agentic search", ("rounds", "tools", "read", "write"), reads="tools"),
        Method("fine_tuned", "Fine-tuned", ("read", "write"), tuned=True),
        Method(
            "rag_fine_tuned",
            "RAG + fine-tuned",
            (*RETRIEVAL, "read", "write"),
            reads="passages",
            tuned=True,
        ),
    )
}
"""Every method, in the order of the matrix's rows."""


class Bill(NamedTuple):
    """USD of one method on one column; `people` is labour, labelling and evaluation, `vendor` is invoiced."""

    vendor_one_off_usd: Quantity
    people_one_off_usd: Quantity
    vendor_monthly_usd: Quantity
    people_monthly_usd: Quantity
    stages: dict[str, Use]

    @property
    def one_off_usd(self) -> Quantity:
        return self.vendor_one_off_usd + self.people_one_off_usd

    @property
    def monthly_usd(self) -> Quantity:
        return self.vendor_monthly_usd + self.people_monthly_usd

    @property
    def per_query_usd(self) -> Quantity:
        """What one more query costs: the sum of its stages."""
        return sum(use.usd for use in self.stages.values())

    def horizon_usd(self, s: Inputs) -> Quantity:
        return f.horizon_usd(
            self.one_off_usd, self.monthly_usd, self.per_query_usd, s.queries_per_month, s.horizon_months
        )

    def vendor_horizon_usd(self, s: Inputs) -> Quantity:
        return f.horizon_usd(
            self.vendor_one_off_usd,
            self.vendor_monthly_usd,
            self.per_query_usd,
            s.queries_per_month,
            s.horizon_months,
        )


def answering(s: Inputs, method: Method, serving: Serving, hit_rate: Quantity | None = None) -> Answering:
    """How a method answers on a column that is served in this way."""
    if serving == "self_hosted":
        return Answering(s, method.reads, method.tuned, None, hit_rate)
    return Answering(s, method.reads, method.tuned, s.tuned_llm if method.tuned else s.answer_llm, hit_rate)


def stages(method: Method) -> Iterator[Stage]:
    """The stages of a method, in order."""
    return (STAGES[name] for name in method.stages)


def query(s: Inputs, method: Method, serving: Serving, hit_rate: Quantity | None = None) -> dict[str, Use]:
    """What one query uses of each stage."""
    context = answering(s, method, serving, hit_rate)
    return {stage.name: stage.use(context) for stage in stages(method)}


def roles(method: Method, serving: Serving) -> tuple[str, ...]:
    """Who is paid for a method on a column: the names of the roles whose prices it uses."""
    named = {stage.role for stage in stages(method)} - {"answering", "tools"}
    model = (
        ("weights", "gpu") if serving == "self_hosted" else ("tuned_llm" if method.tuned else "answer_llm",)
    )
    return (*model, *sorted(named))


def gpu_seconds_per_query(s: Inputs, method: Method) -> Quantity:
    """Seconds of one's own GPU that a query takes up."""
    return sum(use.gpu_seconds for use in query(s, method, "self_hosted").values())


def gpus(s: Inputs, method: Method) -> Quantity:
    """GPUs that a method needs on one's own machines."""
    return f.gpus_needed(
        s.queries_per_month,
        s.peak_to_mean_ratio,
        gpu_seconds_per_query(s, method),
        s.gpu_utilisation_cap,
        s.replicas,
    )


def index_usd(s: Inputs) -> Quantity:
    """USD to build the scenario's index once."""
    return f.index_build_usd(
        indexed_tokens(s), stored_gb(s), s.embedder.usd_per_mtok, s.store.usd_per_million_writes
    )


def index_monthly_usd(s: Inputs) -> Quantity:
    """USD a month to store the scenario's index and keep it up to date."""
    return f.index_monthly_usd(
        stored_gb(s),
        index_usd(s),
        s.corpus_churn_per_month,
        s.store.usd_per_gb_month,
        s.store.minimum_usd_per_month,
        s.replicas,
        s.store.usd_per_replica_month,
    )


def training_tokens(s: Inputs) -> Quantity:
    """Tokens trained on for one release."""
    return f.training_tokens(s.training_examples, s.tokens_per_example, s.epochs, s.trials_per_release)


def training_usd(s: Inputs, serving: Serving) -> Quantity:
    """USD to train one release, by the token at the host or by the hour on one's own GPU."""
    if serving == "self_hosted":
        return f.gpu_training_usd(training_tokens(s), s.training_tokens_per_second, s.gpu.usd_per_hour)
    return f.tokens_usd(training_tokens(s), s.tuned_llm.training_usd_per_mtok)


def bill(s: Inputs, method: Method, serving: Serving) -> Bill:
    """What a method costs on a column: once, every month and per query."""
    used = query(s, method, serving)
    warm = query(s, method, serving, hit_rate=1)
    round_usd = f.evaluation_usd(
        s.evaluation_questions, sum(use.usd for use in warm.values()), s.judge_usd_per_answer
    )
    build_hours, ops_hours = _hours(s, method, serving)
    one_off, monthly = _serving_usd(s, method, serving)
    people_once = build_hours * s.usd_per_hour
    people_monthly = ops_hours * s.usd_per_hour + s.evaluation_rounds_per_month * round_usd
    if not method.tuned:
        return Bill(one_off, people_once + round_usd, monthly, people_monthly, used)
    trained = training_usd(s, serving)
    label_usd = f.dataset_usd(s.training_examples, s.usd_per_example)
    check_usd = s.trials_per_release * round_usd
    re_releases = (
        f.re_releases(s.horizon_months, s.months_between_releases, s.months_to_base_model_retirement)
        / s.horizon_months
    )
    release_usd = s.relabelled_fraction * label_usd + s.release_hours * s.usd_per_hour + check_usd
    return Bill(
        one_off + trained,
        people_once + label_usd + check_usd,
        monthly + re_releases * trained,
        people_monthly + re_releases * release_usd,
        used,
    )


def _hours(s: Inputs, method: Method, serving: Serving) -> tuple[Quantity, Quantity]:
    """Hours to build, and hours a month to run."""
    if method.indexed:
        build, ops = s.rag_build_hours, s.rag_ops_hours_per_month
    elif method.reads == "tools":
        build, ops = s.agentic_build_hours, s.agentic_ops_hours_per_month
    else:
        build, ops = s.prompting_build_hours, s.prompting_ops_hours_per_month
    if method.tuned:
        build = s.fine_tuning_build_hours + (
            (1 - s.shared_build_fraction) * s.rag_build_hours if method.indexed else 0
        )
        ops = s.rag_ops_hours_per_month if method.indexed else 0
        if serving == "per_token":
            ops = ops + s.fine_tuning_ops_hours_per_month
    if serving == "self_hosted":
        ops = ops + s.self_hosting_ops_hours_per_month
    return build, ops


def _serving_usd(s: Inputs, method: Method, serving: Serving) -> tuple[Quantity, Quantity]:
    """Invoices once and every month for index, GPUs and hosting, without training."""
    one_off: Quantity = index_usd(s) if method.indexed else 0
    monthly: Quantity = index_monthly_usd(s) if method.indexed else 0
    if serving == "self_hosted":
        monthly = monthly + gpus(s, method) * HOURS_PER_MONTH * s.gpu.usd_per_hour
    elif method.tuned:
        monthly = monthly + s.replicas * HOURS_PER_MONTH * s.tuned_llm.hosting_usd_per_hour
    return one_off, monthly


def longest_call_tokens(s: Inputs, method: Method, serving: Serving) -> Quantity:
    """Tokens of the longest call, prompt and answer."""
    return longest_prompt_tokens(answering(s, method, serving)) + s.output_tokens


def context_window_tokens(s: Inputs, method: Method, serving: Serving) -> Quantity:
    """The longest call that the answering model takes."""
    if serving == "self_hosted":
        return s.weights.context_window_tokens
    return (s.tuned_llm if method.tuned else s.answer_llm).context_window_tokens


def figures(s: Inputs, serving: Serving, only: Iterable[str] | None = None) -> dict[str, Quantity]:
    """Every method's figures on one column under flat names such as `rag_horizon_usd`: the browser's model.

    With each method: its stages (`rag_stage_search_usd`), the tokens of its longest call, and whether that
    fits the model (`rag_fits`, 1 or 0). `only` names the methods; by default every one.
    """
    found: dict[str, Quantity] = {}
    for name in METHODS if only is None else only:
        method = METHODS[name]
        paid = bill(s, method, serving)
        call_tokens = longest_call_tokens(s, method, serving)
        found |= {
            f"{name}_one_off_usd": paid.one_off_usd,
            f"{name}_monthly_usd": paid.monthly_usd,
            f"{name}_per_query_usd": paid.per_query_usd,
            f"{name}_horizon_usd": paid.horizon_usd(s),
            f"{name}_vendor_horizon_usd": paid.vendor_horizon_usd(s),
            f"{name}_call_tokens": call_tokens,
            f"{name}_fits": where(call_tokens <= context_window_tokens(s, method, serving), 1, 0),
        }
        found |= {f"{name}_stage_{stage}_usd": use.usd for stage, use in paid.stages.items()}
    return found
