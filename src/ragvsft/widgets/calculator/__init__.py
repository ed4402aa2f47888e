"""A calculator: labelled inputs, a live table, an optional chart, the prices in use, a link and a file.

The model is a traced formula, so the browser computes what Python computes. As the last expression of a cell
a `Calculator` shows itself: on the site through the Sphinx extension, in JupyterLab as HTML with its scripts.
Without JavaScript the reader sees the table that Python computed for the default inputs.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, Protocol

from markupsafe import Markup

from ragvsft import prose
from ragvsft.costs.break_even import crossings
from ragvsft.data import load
from ragvsft.formula import Quantity, javascript, trace
from ragvsft.widgets.templates import for_lab, json_island, render

MIME = "application/vnd.ragvsft.calculator.v1+json"
STATIC = Path(__file__).parent
WIDGETS = STATIC.parent
FORMATS = ("usd", "percent", "count", "number", "months", "ms", "gb")
NO_BAR = {"from": math.nan, "to": math.nan}


class Price(Protocol):
    """A price in use, as `ragvsft.prices` gives it."""

    @property
    def label(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def as_of(self) -> date: ...
    @property
    def source(self) -> str: ...
    @property
    def source_kind(self) -> str: ...


@dataclass(frozen=True)
class Number:
    """A number the reader sets, with a field and a slider. Values out of range are clamped, visibly.

    The slider covers `slider`, the field the whole range; `scale` spaces the slider.
    """

    name: str
    label: str
    unit: str = ""
    default: float = 0
    minimum: float = 0
    maximum: float = 1
    scale: Literal["linear", "log"] = "linear"
    whole: bool = False
    slider: tuple[float, float] | None = None
    help: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        if not self.minimum <= self.default <= self.maximum or self.minimum >= self.maximum:
            raise ValueError(
                f"{self.name}: default = {self.default:g} must lie in {self.minimum:g} to {self.maximum:g}"
            )
        low, high = self.span
        if not self.minimum <= low < high <= self.maximum:
            raise ValueError(f"{self.name}: slider = {low:g} to {high:g} must rise inside the range")
        if self.scale == "log" and low <= 0:
            raise ValueError(f"{self.name}: slider = {low:g} must be above 0 on a log scale")

    @property
    def span(self) -> tuple[float, float]:
        """Both ends of the slider."""
        return self.slider or (self.minimum, self.maximum)


@dataclass(frozen=True)
class Choice:
    """One entry of a `Select`: the model inputs that it sets together, and the prices behind them.

    `reason` says why it is unavailable or when it ends; a disabled choice is shown and cannot be chosen.
    `ends` is the ISO date on which its offer ends, "" for none: from that day on a reader sees it greyed.
    """

    id: str
    label: str
    sets: Mapping[str, float] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    reason: str = ""
    disabled: bool = False
    ends: str = ""


@dataclass(frozen=True)
class Select:
    """A list to choose one entry from. Inputs of a `group` are folded away together."""

    name: str
    label: str
    default: str
    choices: tuple[Choice, ...]
    help: str = ""
    group: str = ""
    in_scenario: bool = True

    def __post_init__(self) -> None:
        ids = [choice.id for choice in self.open]
        if self.default not in ids or len(set(ids)) != len(ids):
            raise ValueError(f"{self.name}: default = {self.default!r} must be one of the distinct {ids}")
        if len({frozenset(choice.sets) for choice in self.open}) > 1:
            raise ValueError(f"{self.name}: every choice must set the same inputs")

    @property
    def open(self) -> tuple[Choice, ...]:
        """The choices that can be chosen."""
        return tuple(choice for choice in self.choices if not choice.disabled)

    def choice(self, choice_id: str) -> Choice:
        for choice in self.open:
            if choice.id == choice_id:
                return choice
        raise ValueError(f"{self.name} = {choice_id!r}: must be one of {', '.join(c.id for c in self.open)}")


@dataclass(frozen=True)
class Cell:
    """One figure of the table: a model output in a format, or one of `cases` chosen by its whole value."""

    output: str
    format: str = "number"
    cases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"format = {self.format!r}: must be one of {', '.join(FORMATS)}")

    def text(self, outputs: Mapping[str, float]) -> str:
        value = outputs[self.output]
        if self.cases and math.isfinite(value):
            return self.cases[int(value)]
        return format_value(value, self.format)


@dataclass(frozen=True, init=False)
class Row:
    """A line of the table. Where the output named by `available` is 0 it is greyed and says `reason`.

    Where the output named by `candidate` is 0 the row is never marked as the lowest.
    """

    label: str
    cells: tuple[Cell, ...]
    available: str
    reason: str
    candidate: str

    def __init__(
        self, label: str, *cells: Cell, available: str = "", reason: str = "", candidate: str = ""
    ) -> None:
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "available", available)
        object.__setattr__(self, "reason", reason)
        object.__setattr__(self, "candidate", candidate)

    def competes(self, outputs: Mapping[str, float]) -> bool:
        """Whether the row may be marked as the lowest."""
        return all(outputs[name] for name in (self.available, self.candidate) if name)


@dataclass(frozen=True)
class Sweep:
    """Chart rows: every output at every value of one input. Columns x, series, value, now (the current x).

    `outputs` maps names to series labels; `{name}` in a label is what the select of that name shows.
    """

    input: str
    values: tuple[float, ...]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Bars:
    """Chart rows: one for each output. Columns series and value."""

    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Tornado:
    """Chart rows: one output with one input at a time at its low and at its high; the widest swings first.

    `ranges` maps inputs to label, low and high. Columns series, low, high, now (the output as it is).
    Inputs that change nothing are left out. With `ratio` a swing is high over low, as a log axis shows it;
    then the output must be above 0.
    """

    output: str
    ranges: Mapping[str, tuple[str, float, float]]
    ratio: bool = False
    most: int = 10


@dataclass(frozen=True)
class Crossings:
    """Adds to a model's outputs where two of them change order as one input runs from low to high.

    The outputs are named after `name`: `volume_crossings` (how many), `volume_crossing_1` and so on (where;
    NaN beyond the last), `volume_lower_0` and so on (which is lower before the first and after each; a tie
    counts for the first), `volume_lower_end`, `volume_low` and `volume_end` (the search's ends) and
    `volume_overtakes` (where the second is first lower: `low` if at once, `volume_end` if never).
    `first` and `second` are each an output and the output that stands for it in `lower`. `bends` and
    `strides` are outputs that say where the curves break, as `costs.break_even.crossings` wants them; a
    stride of 0 means none, and the search ends after `most_steps` of the shortest, to keep up with a slider.
    """

    name: str
    input: str
    first: tuple[str, str]
    second: tuple[str, str]
    low: float
    high: float
    bends: tuple[str, ...] = ()
    strides: tuple[str, ...] = ()
    most_steps: int = 300
    shown: int = 3

    def outputs(
        self, model: Callable[[Any], Mapping[str, Quantity]], values: Mapping[str, float]
    ) -> dict[str, float]:
        """The outputs that the search adds to the model's at these values."""
        outputs = {name: float(value) for name, value in model(SimpleNamespace(**values)).items()}
        strides = [outputs[name] for name in self.strides if outputs[name] > 0]
        end = min([self.high, *(self.most_steps * stride for stride in strides)])

        def costs(x: float) -> tuple[float, float]:
            at = model(SimpleNamespace(**{**values, self.input: x}))
            return float(at[self.first[0]]), float(at[self.second[0]])

        found = crossings(costs, self.low, end, [outputs[name] for name in self.bends], strides)
        a, b = costs(self.low)
        ahead = [(b < a) ^ bool(k % 2) for k in range(len(found) + 1)]
        lower = [outputs[(self.second if second else self.first)[1]] for second in ahead]
        missing = [math.nan] * self.shown
        places = {f"crossing_{k + 1}": at for k, at in enumerate([*found, *missing][: self.shown])}
        names = {f"lower_{k}": which for k, which in enumerate([*lower, *missing][: self.shown + 1])}
        overtakes = self.low if ahead[0] else found[0] if found else end
        added = {"crossings": len(found), "lower_end": lower[-1], "overtakes": overtakes}
        added |= {"low": self.low, "end": end}
        return {f"{self.name}_{key}": float(value) for key, value in (added | places | names).items()}


@dataclass(frozen=True, init=False)
class Finding:
    """The title of the chart: what it shows at the reader's inputs, computed in Python and in the browser.

    `{name:format}` is an output, an input or a figure of the chart in that format. Of a `Sweep`, where it
    stands, and of `Bars`: `lowest_value`, `highest_value`, `times` (highest over lowest), `share` (highest of
    the sum); of a `Tornado`: `from`, `to` (the widest bar). `{name}` is text: the series `lowest`, `highest`
    or `widest`, what a select shows, or a cell of the table that has cases. With `by`, an output, the text of
    that number is taken, or the last.
    """

    texts: tuple[str, ...]
    by: str

    def __init__(self, *texts: str, by: str = "") -> None:
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "by", by)

    def text(self, words: Mapping[str, str], figures: Mapping[str, float]) -> str:
        """The finding. Raises KeyError for a name that is neither a word nor a figure."""
        chosen = self.texts[min(int(figures[self.by]), len(self.texts) - 1) if self.by else 0]

        def told(match: re.Match[str]) -> str:
            name, kind = match.groups()
            return format_value(figures[name], kind) if kind else words[name]

        found = re.sub(r"\{(\w+)(?::(\w+))?\}", told, chosen)
        return found[:1].upper() + found[1:]


@dataclass(frozen=True)
class Preset:
    """A named set of inputs; inputs that it does not name go back to their defaults."""

    label: str
    values: Mapping[str, float | str]


@dataclass(frozen=True)
class Calculator:
    """Inputs, a traced model and what to show of it. `id` is unique in the book: links carry it.

    `model` takes a namespace with every input's value, every value that a select sets and everything in
    `fixed`, and returns named numbers. `scenario=True` offers the state as a file for `ragvsft compare`.
    `finding` titles the chart. `lowest` is the column (1 is the first after the label) whose lowest available
    figure is marked.
    """

    id: str
    title: str
    inputs: tuple[Number | Select, ...]
    model: Callable[[Any], Mapping[str, Quantity]]
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ("", "Value")
    chart: Callable[[Any], Any] | None = None
    sweep: Sweep | Bars | Tornado | None = None
    finding: Finding | None = None
    crossings: tuple[Crossings, ...] = ()
    presets: tuple[Preset, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    lowest: int = 0
    scenario: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        names = {number.name for number in self.inputs}
        for preset in self.presets:
            if unknown := set(preset.values) - names:
                raise ValueError(f"{self.id}: preset {preset.label!r} sets the unknown {sorted(unknown)}")
            self.values(**preset.values)
        if missing := {cell.output for row in self.rows for cell in row.cells} - set(self.compute()):
            raise ValueError(f"{self.id}: the table shows {sorted(missing)}, which the model does not return")
        if any(len(row.cells) != len(self.columns) - 1 for row in self.rows):
            raise ValueError(f"{self.id}: every row needs {len(self.columns) - 1} cells")
        if self.chart is not None and self.finding is None:
            raise ValueError(f"{self.id}: its chart has no finding to be titled with")

    def values(self, **state: float | str) -> dict[str, float]:
        """What the model reads: the defaults overridden by `state`. Raises ValueError if invalid."""
        values = dict(self.fixed)
        for entry in self.inputs:
            given = state.pop(entry.name, entry.default)
            if isinstance(entry, Select):
                values |= entry.choice(str(given)).sets
                continue
            number = float(given)
            if not entry.minimum <= number <= entry.maximum:
                raise ValueError(
                    f"{entry.name} = {given}: must lie in {entry.minimum:g} to {entry.maximum:g}"
                )
            values[entry.name] = number
        if state:
            raise ValueError(f"{self.id}: no input is named {', '.join(map(repr, state))}")
        return values

    def compute(self, **state: float | str) -> dict[str, float]:
        """The model's outputs and the crossings in Python, for the defaults overridden by `state`."""
        return self._compute(self.values(**state))

    def _compute(self, values: Mapping[str, float]) -> dict[str, float]:
        outputs = {name: float(value) for name, value in self._run(values).items()}
        for search in self.crossings:
            outputs |= search.outputs(self.model, values)
        return outputs

    def _run(self, values: Mapping[str, float]) -> Mapping[str, Quantity]:
        return self.model(SimpleNamespace(**values))

    @functools.cached_property
    def javascript(self) -> str:
        """The model as a JavaScript function expression of an object of values."""
        names = list(self.values())
        return javascript("", names, trace(self.model, names))

    def chart_rows(self, **state: float | str) -> list[dict[str, Any]]:
        """What the chart draws, computed in Python."""
        values = self.values(**state)
        if isinstance(self.sweep, Sweep):
            shown = self._shown_series(self._run(values), state)
            rows = []
            for x in self.sweep.values:
                outputs = self._run(values | {self.sweep.input: x})
                rows += [
                    {
                        "x": x,
                        "series": label,
                        "value": float(outputs[name]),
                        "now": values[self.sweep.input],
                    }
                    for name, label in shown.items()
                ]
            return rows
        if isinstance(self.sweep, Bars):
            outputs = self._run(values)
            shown = self._shown_series(outputs, state)
            return [{"series": label, "value": float(outputs[name])} for name, label in shown.items()]
        if isinstance(self.sweep, Tornado):
            return self._tornado_rows(self.sweep, values)
        return []

    def _tornado_rows(self, tornado: Tornado, values: Mapping[str, float]) -> list[dict[str, Any]]:
        def result(changes: Mapping[str, float]) -> float:
            return self._compute({**values, **changes})[tornado.output]

        now = result({})
        ends = (
            (label, result({name: low}), result({name: high}))
            for name, (label, low, high) in tornado.ranges.items()
        )
        bars = [bar for bar in ends if bar[1] != bar[2]]
        bars.sort(key=lambda bar: -(max(bar[1:]) / min(bar[1:]) if tornado.ratio else abs(bar[2] - bar[1])))
        return [
            {"series": label, "low": low, "high": high, "now": now}
            for label, low, high in bars[: tornado.most]
        ]

    def finding_text(self, **state: float | str) -> str:
        """The chart's title in Python, for the defaults overridden by `state`; "" without a chart."""
        if self.finding is None:
            return ""
        values = self.values(**state)
        outputs = self._compute(values)
        cells = (cell for row in self.rows for cell in row.cells if cell.cases)
        words = self._chosen_labels(state) | {cell.output: cell.text(outputs) for cell in cells}
        figures = {**values, **outputs}
        if isinstance(self.sweep, Tornado):
            widest = next(iter(self._tornado_rows(self.sweep, values)), None)
            words["widest"] = widest["series"] if widest else "–"
            figures |= {"from": widest["low"], "to": widest["high"]} if widest else NO_BAR
        elif shown := self._shown_series(outputs, state):
            low, high = min(shown, key=outputs.__getitem__), max(shown, key=outputs.__getitem__)
            words |= {"lowest": shown[low], "highest": shown[high]}
            figures |= {
                "lowest_value": outputs[low],
                "highest_value": outputs[high],
                "times": outputs[high] / outputs[low] if outputs[low] else math.nan,
                "share": outputs[high] / (sum(outputs[name] for name in shown) or math.nan),
            }
        else:
            words |= dict.fromkeys(("lowest", "highest"), "–")
            figures |= dict.fromkeys(("lowest_value", "highest_value", "times", "share"), math.nan)
        return self.finding.text(words, figures)

    def _shown_series(self, outputs: Mapping[str, Any], state: Mapping[str, float | str]) -> dict[str, str]:
        """The outputs that the chart draws, with their labels."""
        if not isinstance(self.sweep, Sweep | Bars):
            return {}
        hidden, chosen = self._unavailable_outputs(outputs), self._chosen_labels(state)
        return {
            name: label.format_map(chosen) if isinstance(self.sweep, Sweep) else label
            for name, label in self.sweep.outputs.items()
            if name not in hidden
        }

    def _chosen_labels(self, state: Mapping[str, float | str]) -> dict[str, str]:
        return {
            entry.name: entry.choice(str(state.get(entry.name, entry.default))).label
            for entry in self.inputs
            if isinstance(entry, Select)
        }

    def _unavailable_outputs(self, outputs: Mapping[str, float]) -> set[str]:
        return {
            cell.output
            for row in self.rows
            if row.available and not outputs[row.available]
            for cell in row.cells
        }

    def vegalite(self) -> dict[str, Any] | None:
        """The chart's Vega-Lite specification over data named `rows`, or None without a chart."""
        if self.chart is None:
            return None
        import altair as alt

        import ragvsft.widgets.chart  # noqa: F401  (registers the theme)

        spec: dict[str, Any] = {"width": "container"}
        spec |= self.chart(alt.InlineData(values=self.chart_rows(), name="rows")).to_dict()
        if not spec.get("description"):
            raise ValueError(f"{self.id}: the chart has no description")
        return spec | {"title": self.finding_text()}

    def payload(self) -> dict[str, Any]:
        """What calculator.js needs besides the model: inputs, selects, rows, sweep, presets, scenario."""
        return {
            "id": self.id,
            "inputs": [_input_payload(entry) for entry in self.inputs],
            "fixed": dict(self.fixed),
            "rows": [
                {
                    "available": row.available,
                    "candidate": row.candidate,
                    "cells": [[cell.output, cell.format, list(cell.cases)] for cell in row.cells],
                }
                for row in self.rows
            ],
            "lowest": self.lowest,
            "sweep": _sweep_payload(self.sweep),
            "finding": None if self.finding is None else asdict(self.finding),
            "crossings": [asdict(search) for search in self.crossings],
            "presets": [dict(preset.values) for preset in self.presets],
            "scenario": self._scenario_prices() if self.scenario else None,
        }

    def _scenario_prices(self) -> list[dict[str, Any]]:
        return [_price_payload(price) for price in self.prices if getattr(price, "name", None)]

    def html(self) -> str:
        """The calculator for a page that carries calculator.js; `<!--chart-->` marks the chart's place."""
        outputs = self.compute()
        groups = dict.fromkeys(entry.group for entry in self.inputs)
        selects = [entry for entry in self.inputs if isinstance(entry, Select)]
        priced_choices = [(entry, choice) for entry in selects for choice in entry.open if choice.prices]
        return render(
            "calculator/calculator.html",
            calculator=self,
            groups=[(group, [entry for entry in self.inputs if entry.group == group]) for group in groups],
            outputs=outputs,
            lowest_row=self._lowest_row(outputs),
            priced=bool(self.prices or priced_choices),
            priced_choices=priced_choices,
            plain=_plain,
            id=json_island(self.id),
            payload=json_island(self.payload()),
            javascript=Markup(self.javascript),
        )

    def _lowest_row(self, outputs: Mapping[str, float]) -> int | None:
        if not self.lowest:
            return None
        rows = [k for k, row in enumerate(self.rows) if row.competes(outputs)]
        return min(rows, key=lambda k: outputs[self.rows[k].cells[self.lowest - 1].output], default=None)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {
            MIME: {"html": self.html(), "vegalite": self.vegalite()},
            "text/html": self._lab_html(),
            "text/plain": self._plain_text(),
        }

    def _lab_html(self) -> str:
        html = self.html()
        scripts = [(WIDGETS / name).read_text(encoding="utf-8") for name in self.scripts]
        if (spec := self.vegalite()) is not None:
            import vl_convert

            from ragvsft.widgets import chart

            title = f'<p><b class="chart-title">{escape(spec.pop("title"))}</b></p>'
            vega = json_island(vl_convert.vegalite_to_vega(chart.for_lab(spec)))
            html = html.replace("<!--chart-->", f'{title}<script type="application/json">{vega}</script>')
            scripts.insert(0, chart.lab_vega_bundle())
        styles = [(WIDGETS / name).read_text(encoding="utf-8") for name in self.styles]
        return for_lab(html, styles, [*scripts, "ragvsftCalculators.start(document,true)"])

    @property
    def scripts(self) -> tuple[str, ...]:
        """The scripts that it needs, in order, as paths below `widgets/`."""
        crossings = ("calculator/crossings.js",) if self.crossings else ()
        return (*crossings, "calculator/calculator.js")

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that it needs, as paths below `widgets/`."""
        return ("calculator/calculator.css",)

    def _plain_text(self) -> str:
        outputs = self.compute()
        lines = [self.title, " | ".join(self.columns)]
        lines += [" | ".join([row.label, *(cell.text(outputs) for cell in row.cells)]) for row in self.rows]
        return "\n".join(lines)


def format_value(value: float, kind: str) -> str:
    """A model output as the table prints it; calculator.js formats the same way."""
    if not math.isfinite(value):
        return "–"
    match kind:
        case "usd":
            return prose.usd(value).replace("\\", "")
        case "percent":
            return prose.percent(value)
        case "count":
            return prose.number(round(value))
        case "months":
            return prose.months(value)
        case "ms":
            return prose.ms(value)
        case "gb":
            return f"{prose.number(value)} GB"
        case _:
            return prose.number(value)


def _plain(value: float) -> str:
    """A number as a field shows it: no exponent, no trailing zeros."""
    return repr(int(value)) if value == int(value) else repr(float(value))


def _price_payload(price: Any) -> dict[str, Any]:
    return {
        "offer": price.offer,
        "name": price.name,
        "value": price.value,
        "as_of": price.as_of.isoformat(),
        "source": price.source,
    }


@functools.cache
def _assumptions() -> frozenset[str]:
    """Inputs that mean the same in every calculator, so that a reader's value goes from one to the next."""
    return frozenset(row.name for row in load("assumptions"))


def _input_payload(entry: Number | Select) -> dict[str, Any]:
    if isinstance(entry, Number):
        return {
            "name": entry.name,
            "label": entry.label,
            "default": entry.default,
            "min": entry.minimum,
            "max": entry.maximum,
            "span": list(entry.span),
            "log": entry.scale == "log",
            "whole": entry.whole,
            "shared": entry.name in _assumptions(),
        }
    return {
        "name": entry.name,
        "label": entry.label,
        "default": entry.default,
        "inScenario": entry.in_scenario,
        "choices": {
            choice.id: {
                "sets": dict(choice.sets),
                "prices": [_price_payload(p) for p in choice.prices if getattr(p, "name", None)],
            }
            for choice in entry.open
        },
    }


def _sweep_payload(sweep: Sweep | Bars | Tornado | None) -> dict[str, Any] | None:
    if sweep is None:
        return None
    if isinstance(sweep, Tornado):
        return asdict(sweep)
    if isinstance(sweep, Sweep):
        return {"input": sweep.input, "values": list(sweep.values), "outputs": dict(sweep.outputs)}
    return {"outputs": dict(sweep.outputs)}
