"""The calculator and charts of the chapter on LoRA: an adapter's size, memory, time and price."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
from IPython.display import HTML

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import inputs
from ragvsft.data import load
from ragvsft.evaluation.gate import Graded, as_text, release_gate
from ragvsft.evaluation.seeds import Estimate
from ragvsft.evidence.bibliography import cite
from ragvsft.evidence.published import results
from ragvsft.formula import Quantity
from ragvsft.prose import count, number, percent, table
from ragvsft.tuning import formulas as f
from ragvsft.tuning import measured, quantise
from ragvsft.tuning import results as tuning
from ragvsft.tuning.catalogue import Architecture, architecture, architectures, peak_tflops
from ragvsft.tuning.lora import demo
from ragvsft.tuning.memory import METHODS, memory, memory_rows
from ragvsft.tuning.results import CONDITIONS, LEAST_SEEDS, REMEDIES, Level, Mark, Questions
from ragvsft.widgets.calculator import Calculator, Cell, Choice, Finding, Number, Preset, Row, Select, Sweep
from ragvsft.widgets.chart import METHOD_COLOURS, Layers, with_now
from ragvsft.widgets.cost_inputs import assumption_input, claimed, role_select
from ragvsft.widgets.templates import render
from ragvsft.widgets.tuning_dots import dots

GPU_SIZES_GB = (24, 40, 80)
"""The GPU sizes that a table of `data/gpus.csv` is read by: small, medium, large."""

ADAPTER_BITS = 16
"""Bits in which an adapter's weight is stored."""

RANKS_COMPARED = (16, 256)
"""The ranks of Biderman et al. 2024 that the text sets side by side."""

CLASSES = (*(f"one of {gb} GB" for gb in GPU_SIZES_GB), f"several of {GPU_SIZES_GB[-1]} GB")


def architecture_select(default: str = "Llama-3.1-8B") -> Select:
    """The named architectures; a choice sets its layer shapes."""
    return Select(
        "model",
        "Model",
        default.lower(),
        tuple(Choice(row.model.lower(), row.model, _shapes(row)) for row in architectures()),
    )


def _shapes(row: Architecture) -> Mapping[str, float]:
    columns = (
        "layers",
        "hidden_size",
        "query_size",
        "key_value_size",
        "intermediate_size",
        "vocabulary_size",
        "embedding_matrices",
        "head_norm_size",
    )
    return {column: getattr(row, column) for column in columns}


def published_utilisation() -> float:
    """Share of an H100's peak in NVIDIA's published LoRA run, 0 to 1."""
    return float(f.model_flops_utilisation(claimed("lora-training-speed"), peak_tflops("H100 SXM")))


def lora_cost(calculator_id: str = "lora-cost") -> Calculator:
    """Parameters, memory, hours and dollars of one fine-tune: full training, LoRA and QLoRA side by side."""
    return Calculator(
        calculator_id,
        "What does one fine-tune take?",
        (
            architecture_select(),
            Number("rank", "Rank of the adapters", "", 16, 1, 512, scale="log", whole=True),
            assumption_input("training_examples"),
            assumption_input("tokens_per_example"),
            assumption_input("epochs"),
            assumption_input("trials_per_release"),
            Number(
                "tokens_in_batch", "Tokens processed at once", "tokens", 2048, 128, 65536, "log", whole=True
            ),
            Number("utilisation", "Share of the GPU's peak reached", "fraction", 0.18, 0.05, 0.6),
            replace(role_select("gpu"), label="H100 from"),
        ),
        _fine_tune,
        (
            Row("Full fine-tuning", *_cells("full")),
            Row("LoRA, 16-bit base", *_cells("lora")),
            Row("QLoRA, 4-bit base", *_cells("qlora")),
        ),
        ("Method", "Memory", "All runs", "Hours a run", "GPUs that hold it", "Parameters trained"),
        chart=_memory_chart,
        finding=Finding("Full fine-tuning takes {full_gb:gb}, LoRA {lora_gb:gb}, QLoRA {qlora_gb:gb}"),
        sweep=Sweep(
            "tokens_in_batch",
            (512, 1024, 2048, 4096, 8192, 16384, 32768),
            {"full_gb": "full", "lora_gb": "LoRA", "qlora_gb": "QLoRA"},
        ),
        presets=(
            Preset("Small classifier", {"model": "qwen3-0.6b", "tokens_per_example": 300}),
            Preset("Long documents", {"tokens_per_example": 8000, "tokens_in_batch": 8192}),
            Preset("Largest model here", {"model": "llama-3.1-70b"}),
        ),
        fixed={"peak_tflops": peak_tflops("H100 SXM")},
        note=(
            "Adapters on every linear matrix, activations recomputed. Hours are those of one H100, however "
            "many it takes to hold the model; QLoRA's unpacking of weights is not counted."
        ),
    )


def _cells(method: str) -> tuple[Cell, ...]:
    return (
        Cell(f"{method}_gb", "gb"),
        Cell(f"{method}_usd", "usd"),
        Cell(f"{method}_hours", "number"),
        Cell(f"{method}_class", cases=CLASSES),
        Cell(f"{method}_trained", "count"),
    )


def _fine_tune(i: Any) -> Mapping[str, Quantity]:
    linear = f.linear_parameters(i.layers, i.hidden_size, i.query_size, i.key_value_size, i.intermediate_size)
    other = f.other_parameters(
        i.layers, i.hidden_size, i.vocabulary_size, i.embedding_matrices, i.head_norm_size
    )
    adapters = f.lora_parameters(
        i.rank, i.layers, i.hidden_size, i.query_size, i.key_value_size, i.intermediate_size
    )
    base = linear + other
    working = f.activation_gb(i.tokens_in_batch, i.hidden_size, i.layers, i.vocabulary_size)
    held = {
        "full": f.full_tuning_gb(base),
        "lora": f.lora_gb(base, adapters),
        "qlora": f.qlora_gb(linear, other, adapters),
    }
    found: dict[str, Quantity] = {}
    for method in METHODS:
        trained = base if method == "full" else adapters
        total = base if method == "full" else base + adapters
        needed = held[method] + working
        run_tokens = costs.training_tokens(i.training_examples, i.tokens_per_example, i.epochs, 1)
        flops_per_token = f.training_flops(total, trained, 1, 1)
        speed = f.training_tokens_per_second(flops_per_token, i.peak_tflops, i.utilisation, 1)
        found |= {
            f"{method}_trained": trained,
            f"{method}_gb": needed,
            f"{method}_class": f.memory_class(needed, *GPU_SIZES_GB),
            f"{method}_hours": f.training_hours(run_tokens, speed),
            f"{method}_usd": costs.gpu_training_usd(
                run_tokens * i.trials_per_release, speed, inputs(vars(i)).gpu.usd_per_hour
            ),
        }
    return found


def _memory_chart(rows: Any) -> Any:
    log = alt.Scale(type="log")
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Tokens processed at once", scale=log, axis=alt.Axis(format="~s")),
            alt.Y("value:Q", title="Memory (GB)", scale=log),
            alt.Color("series:N", title=None, sort=None),
        )
    )
    return with_now(
        lines,
        log,
        "Memory for full fine-tuning, LoRA and QLoRA against the tokens processed at once, both axes "
        "logarithmic. A dashed line marks the number set above.",
    )


TRAINED_ON = {
    "code CPT 20B tok": "code, raw text",
    "code IFT": "code, instructions",
    "math CPT": "mathematics, raw text",
    "math IFT": "mathematics, instructions",
    "code CPT forgetting avg": "general ability, after code",
}
"""The data sets of Biderman et al. 2024 in plain words."""

METHODS_TRIED = {
    row.condition: row.condition.removesuffix(" (peak)").replace("LoRA r=", "LoRA, rank ")
    for row in results("biderman2024")
}
"""Its conditions in plain words."""

FULL, HIGHEST_RANK = METHODS_TRIED["full fine-tuning"], f"LoRA, rank {RANKS_COMPARED[1]}"


def memory_chart(model: str, rank: int, tokens_in_batch: int) -> alt.Chart:
    """Memory of the three methods as stacked bars."""
    rows = memory_rows(architecture(model), rank, tokens_in_batch)
    parts = list(dict.fromkeys(row["part"] for row in rows))
    rows = [row | {"order": parts.index(row["part"])} for row in rows]
    total = {name: sum(row["gb"] for row in rows if row["method"] == name) for name in METHODS.values()}
    full, lora, qlora = total.values()
    told = "; ".join(f"{name} {number(gb)} GB" for name, gb in total.items())
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_bar()
        .encode(
            alt.X("gb:Q", title="Memory (GB)"),
            alt.Y("method:N", title=None, sort=list(METHODS.values())),
            alt.Color("part:N", title=None, sort=None),
            alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("method:N", title="Method"),
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("gb:Q", title="GB", format=".1f"),
            ],
        )
        .properties(
            title=(
                f"LoRA trains {model} in {percent(round(lora / full, 2))} of the memory of full training, "
                f"QLoRA in {percent(round(qlora / full, 2))}"
            ),
            description=f"Memory to train {model} on {count(tokens_in_batch)} tokens at once. {told}.",
        )
    )


def lora_quality_chart() -> alt.Chart:
    """Scores of full fine-tuning and LoRA in Biderman et al. 2024."""
    best: dict[str, dict[str, float]] = {}
    for row in results("biderman2024"):
        best.setdefault(TRAINED_ON[row.dataset], {})[METHODS_TRIED[row.condition]] = row.value
    rows = [
        {"trained on": name, "method": method, "score": score}
        for name, found in best.items()
        for method, score in found.items()
    ]
    both = [found for found in best.values() if {FULL, HIGHEST_RANK} <= set(found)]
    behind = sum(found[HIGHEST_RANK] < found[FULL] for found in both)
    told = "; ".join(
        f"{name}: {', '.join(f'{method} {percent(score)}' for method, score in found.items())}"
        for name, found in best.items()
    )
    return (
        alt.Chart(alt.InlineData(rows))
        .mark_point(filled=True, size=70)
        .encode(
            alt.X("score:Q", title="Score", axis=alt.Axis(format="%")),
            alt.Y("trained on:N", title=None, sort=list(TRAINED_ON.values()), axis=alt.Axis(grid=True)),
            alt.Color("method:N", title=None, sort=list(dict.fromkeys(METHODS_TRIED.values()))),
            tooltip=[
                alt.Tooltip("trained on:N", title="Trained on"),
                alt.Tooltip("method:N", title="Method"),
                alt.Tooltip("score:Q", title="Score", format=".1%"),
            ],
        )
        .properties(
            title=f"{HIGHEST_RANK} scores below {FULL} on {behind} of {len(both)} measures",
            description=f"Llama-2-7B after full fine-tuning and after LoRA. {told}.",
        )
    )


def two_matrices(model: str, rank: int) -> HTML:
    """A drawing of LoRA on one square matrix of a model: the frozen one and the two thin ones beside it."""
    size = architecture(model).hidden_size
    frozen, trained = size * size, 2 * size * rank
    return HTML(
        render(
            "drawings/lora_matrices.html",
            model=model,
            size=count(size),
            rank=count(rank),
            frozen=count(frozen),
            trained=count(trained),
            share=percent(trained / frozen),
        )
    )


BEHAVIOURS: dict[str, tuple[Questions, Level, Mark]] = {
    "changed fact: follows the passage": ("changed", "gold", "correct"),
    "changed fact: gives the old value": ("changed", "gold", "stale"),
    "passage contradicts a capital: follows it": ("counterfactual", "gold", "correct"),
    "known capital, no passage: right": ("known", "none", "correct"),
    "answer nowhere, near misses: abstains": ("unseen", "five-near-misses", "abstained"),
    "answers in the agreed JSON": ("new", "gold", "valid_json"),
}
"""What our experiment measured besides new facts: the cell and the mark."""


def behaviours_chart() -> Layers:
    """What each adapter did to behaviour, with t intervals over seeds: our experiment."""
    cells = {
        (label, condition): tuning.estimate(condition, *cell)
        for label, cell in BEHAVIOURS.items()
        for condition in tuning.conditions()
    }
    before, after = (cells["known capital, no passage: right", name].mean for name in ("base", "facts"))
    valid = cells["answers in the agreed JSON", "format"].mean
    return dots(
        cells,
        {label: (questions, level) for label, (questions, level, _) in BEHAVIOURS.items()},
        "Share of answers",
        f"Trained on facts, {after:.0%} of known capitals are right, {before:.0%} before; trained on "
        f"format, {valid:.0%} of answers are valid JSON",
        "Share of answers of one small model with each behaviour, by condition, with 95% intervals over "
        "seeds.",
    )


FULL_BITS, HALF_BITS = 32, 16
"""Bits of a weight in single and in half precision."""

ASKED: dict[str, tuple[Questions, Level, Mark]] = {
    "New facts, no passage": ("new", "none", "correct"),
    "New facts, right passage alone": ("new", "gold", "correct"),
    "New facts, third of five": ("new", "third-of-five", "correct"),
    "Changed facts, new passage": ("changed", "gold", "correct"),
    "Old facts (capitals)": ("known", "none", "correct"),
    "Abstains where nothing is written": ("unseen", "five-near-misses", "abstained"),
}
"""What is asked of each adapter when remedies are compared: the cell and the mark."""


def remedies_table() -> str:
    """What other training data do to knowledge, to reading and to old facts: our experiment."""
    ways = {**CONDITIONS, **REMEDIES}
    chosen = [
        name for name in ("base", "facts", *REMEDIES, "format") if len(tuning.seeds_of(name)) >= LEAST_SEEDS
    ]
    lines = [
        (asked, *(percent(tuning.estimate(name, *cell).mean) for name in chosen))
        for asked, cell in ASKED.items()
    ]
    return table(("Asked", *(ways[name] for name in chosen)), lines)


def recorded_table(questions: int) -> str:
    """What each way said to the first questions of the first seed, beside the right passage."""
    lines = [
        (question, way, line["output"].replace("\n", " "), "right" if line["correct"] else "wrong")
        for question in demo.recorded_questions()[:questions]
        for way, line in demo.recorded_side_by_side(question).items()
    ]
    return table(("Question", "Way", "Said", "Marked"), lines)


def answers_table(question: str, passages: Sequence[str]) -> str:
    """What each way says to a question beside these passages: as recorded, or now if they were edited."""
    answers, recorded = demo.said(question, passages)
    lines = [(way, answer.replace("\n", " ").replace("|", "\\|")) for way, answer in answers.items()]
    return table(("Way", "As recorded" if recorded else "Answered now"), lines)


# ------------------------------------------------------------------- what a step takes, and what is lost

SMALL = "SmolLM2-135M"
"""The model of our experiment among the architectures."""


def computed_mb(row: measured.FootprintRow) -> tuple[float, float, float]:
    """MB of weights, of training state and in all, by the sums of this chapter, for what was measured."""
    found = memory(architecture(SMALL), row.rank, row.tokens_in_batch)[row.way]
    held = found.base_gb + found.training_gb
    if row.way == "full":  # trained in fp32 without a 16-bit copy: as many bytes, counted apart
        base = 4 * architecture(SMALL).parameters / 1e9
        return 1000 * base, 1000 * (held - base), 1000 * found.total_gb
    return 1000 * found.base_gb, 1000 * found.training_gb, 1000 * found.total_gb


def footprint_table() -> str:
    """Memory and time of one training step of the small model, by the sums and as measured."""
    lines = []
    for row in measured.footprints():
        base, training, total = computed_mb(row)
        name = METHODS[row.way] + (f", rank {count(row.rank)}" if row.rank else "")
        lines.append(
            (
                name,
                *(
                    f"{count(round(mb))} / {count(round(seen))} MB"
                    for mb, seen in ((base, row.base_mb), (training, row.training_mb), (total, row.peak_mb))
                ),
                f"{number(row.cpu_seconds_per_step)} s",
            )
        )
    heads = ("weights", "gradients, optimiser, adapters", "peak")
    return table(("Way", *(f"{head}: sum / measured" for head in heads), "CPU time a step"), lines)


def footprint(way: measured.Way) -> measured.FootprintRow:
    """The measured step of this way, at its lowest rank."""
    return next(row for row in measured.footprints() if row.way == way)


def shown_source(function: Any) -> str:
    """A function's own lines as Markdown."""
    return f"```python\n{inspect.getsource(function)}```"


def normal_errors(draws: int = 2**20) -> dict[str, float]:
    """Relative error of two four-bit quantisers on weights drawn from a normal distribution."""
    weights = np.random.default_rng(0).standard_normal(draws)
    levels = {"NF4": quantise.nf4_levels(), "INT4": quantise.INT4}
    return {
        name: quantise.relative_error(weights, quantise.dequantise(*quantise.quantise(weights, known), known))
        for name, known in levels.items()
    }


QUANTISERS = {
    "nf4": "NF4",
    "nf4-double": "NF4, scales quantised too",
    "int4": "INT4, evenly spaced",
    "fp4": "FP4",
}
"""The quantisers in plain words."""


def quantiser_table() -> str:
    """Bits and error of each quantiser on real weights, ours and bitsandbytes'."""
    lines = [
        (
            QUANTISERS[row.quantiser],
            number(row.bits),
            *map(_share, (row.relative_error, row.bitsandbytes_relative_error)),
        )
        for row in measured.quantisers()
    ]
    return table(("Quantiser", "Bits a weight", "Error, NumPy", "Error, bitsandbytes"), lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def merging_table() -> str:
    """What merging loses, by the form that keeps the merged weights."""
    lines = [
        (
            f"LoRA on {row.adapter}",
            row.form,
            percent(row.change_error),
            number(row.largest_logit_difference),
            percent(row.same_token / row.positions),
        )
        for row in measured.mergings()
    ]
    heads = (
        "Adapter",
        "Merged weights kept as",
        "Rounding, of the adapter's change",
        "Largest logit difference",
        "Same next token",
    )
    return table(heads, lines)


def sweep_table() -> str:
    """Each setting of the sweep: parameters, new facts and capitals over the development worlds."""
    lines = []
    for setting in dict.fromkeys(row.setting for row in measured.sweep()):
        runs = [row for row in measured.sweep() if row.setting == setting]
        lines.append(
            (
                setting,
                count(runs[0].trainable_parameters),
                " + ".join(count(row.correct) for row in runs) + f" of {_of(row.n for row in runs)}",
                _of(row.known_correct for row in runs) + f" of {_of(row.known_n for row in runs)}",
                number(sum(row.last_loss for row in runs) / len(runs)),
            )
        )
    return table(("Setting", "Trained parameters", "New facts", "Capitals", "Last loss"), lines)


def _of(counts: Iterable[int]) -> str:
    return count(sum(counts))


def swept(setting: str) -> tuple[int, int]:
    """New facts right and asked with this setting, over the worlds."""
    runs = [row for row in measured.sweep() if row.setting == setting]
    if not runs:
        known = ", ".join(dict.fromkeys(row.setting for row in measured.sweep()))
        raise ValueError(f"setting = {setting!r}: must be one of {known}")
    return sum(row.correct for row in runs), sum(row.n for row in runs)


def recipes_table() -> str:
    """Which recipe was checked against which tool, and how."""
    lines = [
        (f"`{row.recipe}`", f"{row.tool} {row.version}", row.how, count(row.settings), row.as_of.isoformat())
        for row in measured.recipes()
    ]
    return table(("Recipe", "Tool", "Checked", "Settings", "On"), lines)


# ----------------------------------------------------------------------------- knowledge and behaviour

Asked = tuple[str, Questions, Level]
"""A cell of the experiment: condition, questions, retrieval."""

FACTS, FORM = "training on facts", "training on form"
SHIFTS: dict[str, dict[str, tuple[Asked, Asked, Mark]]] = {
    "new facts right": {
        "adding the passage": (("base", "new", "none"), ("base", "new", "gold"), "correct"),
        FACTS: (("base", "new", "none"), ("facts", "new", "none"), "correct"),
        FORM: (("base", "new", "gold"), ("format", "new", "gold"), "correct"),
    },
    "changed facts right, passage shown": {
        FACTS: (("base", "changed", "gold"), ("facts", "changed", "gold"), "correct"),
        FORM: (("base", "changed", "gold"), ("format", "changed", "gold"), "correct"),
    },
    "known capitals right, no passage": {
        FACTS: (("base", "known", "none"), ("facts", "known", "none"), "correct"),
        FORM: (("base", "known", "none"), ("format", "known", "none"), "correct"),
    },
    "answers in the agreed JSON": {
        "adding the passage": (("base", "new", "none"), ("base", "new", "gold"), "valid_json"),
        FACTS: (("base", "new", "gold"), ("facts", "new", "gold"), "valid_json"),
        FORM: (("base", "new", "gold"), ("format", "new", "gold"), "valid_json"),
    },
}
"""What is counted, what is changed, and the two cells that it separates: knowledge, then behaviour."""


def shifts() -> dict[str, dict[str, Estimate]]:
    """Share that each step adds to each measure, paired by seed."""
    return {
        label: {step: tuning.compare(*pair).difference for step, pair in steps.items()}
        for label, steps in SHIFTS.items()
    }


def shapes_chart() -> Layers:
    """Points that the passage, training on facts and training on form add to knowledge and to behaviour."""
    found = shifts()
    steps = list(SHIFTS["new facts right"])
    rows = [
        {
            "label": label,
            "step": step,
            "order": steps.index(step),
            "points": 100 * one.mean,
            "low": 100 * max(-1.0, one.low),
            "high": 100 * min(1.0, one.high),
        }
        for label, shown in found.items()
        for step, one in shown.items()
    ]
    colours = [METHOD_COLOURS[name] for name in ("rag", "fine_tuned", "rag_fine_tuned")]
    base = alt.Chart(alt.InlineData(rows)).encode(
        alt.Y("label:N", title=None, sort=list(SHIFTS), axis=alt.Axis(grid=True)),
        alt.YOffset("order:O", scale=alt.Scale(paddingOuter=0.6)),
        alt.Color("step:N", title=None, scale=alt.Scale(domain=steps, range=colours)),
    )
    lines = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        alt.X("low:Q", title="Points added", scale=alt.Scale(domain=[-100, 100])), alt.X2("high:Q")
    )
    points = base.mark_point(size=90).encode(
        alt.X("points:Q"),
        tooltip=[
            alt.Tooltip("step:N", title="Step"),
            alt.Tooltip("label:N", title="Measured"),
            *(
                alt.Tooltip(f"{name}:Q", title=title, format="+.0f")
                for name, title in (("points", "Points added"), ("low", "From"), ("high", "To"))
            ),
        ],
    )
    zero = alt.Chart(alt.InlineData([{"x": 0}])).mark_rule(strokeDash=[4, 4]).encode(alt.X("x:Q"))
    passage, facts, _ = (one.mean for one in found["new facts right"].values())
    form = found["answers in the agreed JSON"][FORM].mean
    told = "; ".join(f"{row['label']}, {row['step']}: {row['points']:+.0f}" for row in rows)
    return alt.layer(lines, points, zero).properties(
        height=62 * len(SHIFTS),
        title=f"The passage adds {100 * passage:.0f} points of new facts, training {100 * facts:.0f}; "
        f"training on form adds {100 * form:.0f} points of form",
        description=f"Points added by each step, with 95% intervals over seeds. {told}.",
    )


GATE_KINDS = {
    ("new", "gold"): "ordinary",
    ("changed", "gold"): "counterfactual",
    ("counterfactual", "gold"): "counterfactual",
    ("unseen", "five-near-misses"): "unanswerable",
}
"""The experiment's cells as kinds of the release gate: a changed fact contradicts what was trained."""


def graded(condition: str) -> list[Graded]:
    """The recorded answers of a condition with retrieval, as the release gate reads them."""
    return [
        Graded(
            id=f"{line['seed']} {line['questions']}: {line['text']}",
            kind=GATE_KINDS[line["questions"], line["retrieval"]],
            correct=line["correct"],
        )
        for line in tuning.outputs(condition=condition)
        if (line["questions"], line["retrieval"]) in GATE_KINDS
    ]


def gate_text(condition: str) -> str:
    """What the release gate says of a condition against the untuned model with the same passages."""
    return f"```text\n{as_text(release_gate(graded('base'), graded(condition)))}\n```"


def _ours() -> tuple[str, ...]:
    cells: tuple[tuple[str, Level], ...] = (
        ("base", "none"),
        ("facts", "none"),
        ("base", "gold"),
        ("facts", "gold"),
    )
    return tuple(percent(tuning.estimate(name, "new", level).mean) for name, level in cells)


ARMS = (("base",), ("fine-tuned",), ("RAG",), ("both", "both, trained with context"))
"""The columns of the table of published results: arms of `data/published_results.csv`."""


def published_table() -> str:
    """New facts untuned, trained, with retrieval and with both: here, and as published, lowest to highest."""
    news = load("ovadia_table2")
    columns = ("base", "fine_tuned", "fine_tuned_paraphrases", "rag", "both", "both_paraphrases")
    base, tuned, more, rag, both, both_more = ([getattr(row, name) for row in news] for name in columns)
    lines = [
        ("measured here", *_ours()),
        (cite("ovadia2024"), *map(_range, (base, [*tuned, *more], rag, [*both, *both_more]))),
    ]
    for key, kept in (
        ("soudani2024", "PopQA"),
        ("abonizio2025", "468"),
        ("zhang2024raft", ""),
        ("han2026smt", ""),
    ):
        rows = [row for row in results(key) if kept in row.dataset]
        found = [[row.value for row in rows if row.arm in arms] for arms in ARMS]
        lines.append((cite(key), *map(_range, found)))
    return table(("Study", "Untuned", "Trained on the text", "Retrieval", "Both"), lines)


def _range(values: Iterable[float]) -> str:
    ordered = sorted(values)
    if not ordered:
        return ""
    low, high = percent(ordered[0]), percent(ordered[-1])
    return low if low == high else f"{low} to {high}"
