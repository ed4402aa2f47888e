"""The book's look for Altair charts, switched on by importing this module.

Colours are the CSS variables of `charts.css`, so a page turns from light to dark without
drawing again. A chart must have a `description`: it is what a reader hears who cannot see the chart.
The site draws charts through `ragvsft.book.mime`; JupyterLab draws them itself, in light colours.
"""

from __future__ import annotations

import functools
import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import altair as alt

from ragvsft.costs.methods import METHODS

SITE_MIME = "application/vnd.vegalite.v6+json"
LAB_MIME = "application/vnd.vegalite.v5+json"
HERE = Path(__file__).parent

INK, QUIET, LINE, PAPER = (f"var(--chart-{name})" for name in ("ink", "quiet", "line", "paper"))
STANDS, FALLS = "var(--chart-stands)", "var(--chart-falls)"
"""Colours of a verdict, as the page's own words have them."""
SERIES = [f"var(--chart-{k})" for k in range(1, 8)]
SHADES = [f"var(--chart-shade-{k})" for k in range(1, 6)]

DASHES: dict[str, list[int]] = {SERIES[0]: [7, 4], SERIES[5]: [10, 3, 2, 3], SERIES[6]: [2, 3]}
SHAPES = {SERIES[0]: "square", SERIES[5]: "triangle-up", SERIES[6]: "diamond"}
"""Tells lines and points apart in grey print where colours are equally light; others are solid, and dots."""

METHOD_COLOURS = dict(zip(METHODS, SERIES, strict=False))
"""One colour for each method, the same in every chart of the book."""

USD = "$,~r"
"""Number format for dollars of any size: six significant digits, never an exponent."""

USD_LABELS = (
    f"abs(datum.value) >= 1e6 ? format(datum.value / 1e6, '{USD}') + 'M' : "
    f"abs(datum.value) >= 1e3 ? format(datum.value / 1e3, '{USD}') + 'k' : format(datum.value, '{USD}')"
)
TOOLTIP_FORMATS = {"": ",.4~r", "~g": ",.4~r", USD: "$,.4~r", "~s": ",.4~r", "$~s": "$,.4~r"}
"""Formats of an axis that are too coarse or too fine for a tooltip, with the tooltip's own: four digits."""
UNTOLD_MARKS = {"rule", "text"}
TOLD_CHANNELS = (
    *("x", "y", "x2", "y2", "theta", "color", "fill", "stroke", "shape", "size", "row", "column", "facet"),
    "detail",
)
UNTOLD_WITHOUT_TITLE = {"x2", "y2", "detail"}
LAB_WIDTH = 640
Layers = alt.Chart | alt.LayerChart | alt.FacetChart
LONGEST_TITLE = 42

GUIDE_TEXT = {"labelColor": INK, "labelFontSize": 12, "titleColor": QUIET, "titleFontSize": 12}
NARROW = "width < 340"
FIRST_LINE = f"regexp({NARROW} ? '^(.{{6,27}}) ' : '^(.{{14,28}}) ')"
TWO_LINES = f"length(datum.label) > ({NARROW} ? 27 : 34) && test({FIRST_LINE}, datum.label)"
NAMES_AXIS: dict[str, Any] = {
    "labelExpr": f"{TWO_LINES} ? split(replace(datum.label, {FIRST_LINE}, '$1|'), '|') : datum.label",
    "labelLimit": {"expr": f"{NARROW} ? 178 : 320"},
    "labelOffset": {"condition": {"test": TWO_LINES, "value": -7}, "value": 0},
    "grid": False,
    "domain": True,
}

NAME_LINES = "split(datum.label, ': ')"
COLON_LINES = alt.Axis(
    labelExpr=NAME_LINES,
    labelOffset={
        "condition": [
            {"test": f"length({NAME_LINES}) === {lines}", "value": 7 - 7 * lines} for lines in (2, 3)
        ],
        "value": 0,
    },
    labelLimit=210,
    grid=True,
)
"""An axis of names that breaks at every colon."""

UPRIGHT_NAMES = {"labelAngle": 0, "labelOverlap": True, "grid": False}

CONFIG: Any = {
    "aria": False,
    "background": "transparent",
    "padding": 2,
    "numberFormat": ",~r",
    "view": {"stroke": None, "continuousHeight": 280, "discreteHeight": {"step": 34}},
    "axis": {
        **GUIDE_TEXT,
        "domainColor": QUIET,
        "gridColor": LINE,
        "tickColor": QUIET,
        "tickSize": 4,
        "labelPadding": 4,
        "labelLimit": 200,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisX": {
        "labelFlush": False,
        "labelSeparation": 8,
        "titleAlign": "right",
        "titleAnchor": "end",
        "tickCount": {"expr": "max(2, ceil(width / 90))"},
    },
    "axisY": {
        "labelPadding": 9,
        "domain": False,
        "ticks": False,
        "tickCount": 6,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleAngle": 0,
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -8,
    },
    "axisXBand": UPRIGHT_NAMES,
    "axisXPoint": UPRIGHT_NAMES,
    "axisYBand": NAMES_AXIS,
    "axisYPoint": NAMES_AXIS,
    "legend": {
        **GUIDE_TEXT,
        "orient": "top",
        "columns": {"expr": "width < 480 ? 1 : 3"},
        "labelLimit": 280,
        "offset": 26,
        "rowPadding": 4,
        "symbolSize": 90,
        "symbolStrokeWidth": 2.5,
        "titleFontWeight": "normal",
    },
    "header": {**GUIDE_TEXT, "titleFontWeight": "normal"},
    "title": {"anchor": "start", "color": INK, "subtitleColor": QUIET, "fontSize": 15},
    "range": {"category": SERIES, "ordinal": SHADES},
    "mark": {"color": SERIES[2], "tooltip": True},
    "scale": {"barBandPaddingInner": 0.3},
    "bar": {"cornerRadiusEnd": 2},
    "rect": {"stroke": PAPER},
    "line": {"strokeWidth": 2.5, "strokeCap": "round", "strokeJoin": "round"},
    "point": {"filled": True, "size": 70, "opacity": 1},
    "circle": {"opacity": 1},
    "rule": {"color": QUIET, "tooltip": None},
    "text": {"color": INK, "fontSize": 12, "tooltip": None},
    "tick": {"thickness": 2.5},
}


def method_colour(methods: Iterable[str], field: str = "method", **channel: Any) -> alt.Color:
    """The colour channel for a nominal `field` that holds the labels of these methods, in this order.

    Raises KeyError for a name that is not one of `ragvsft.costs.methods.METHODS`.
    """
    names = list(methods)
    labels = [METHODS[name].label for name in names]
    scale = alt.Scale(domain=labels, range=[METHOD_COLOURS[name] for name in names])
    return alt.Color(
        field, type="nominal", scale=scale, **{"legend": alt.Legend(title=None), "title": "Method", **channel}
    )


def usd_axis(**axis: Any) -> alt.Axis:
    """An axis in dollars: "$0.0005", "$250", "$4k", "$1.5M" as labels, full figures in tooltips."""
    return alt.Axis(**{"format": USD, "labelExpr": USD_LABELS, **axis})


def now_rule(rows: Any, **x: Any) -> alt.Chart:
    """A dashed upright line where a calculator stands: the mean of its chart rows' column `now`."""
    return alt.Chart(rows).mark_rule(strokeDash=[4, 4]).encode(alt.X("mean(now):Q", **x))


def with_now(lines: alt.Chart, scale: alt.Scale, description: str) -> Layers:
    """A calculator's lines and the rule where it stands, with what a reader hears who cannot see them."""
    return alt.layer(lines, now_rule(lines.data, scale=scale)).properties(description=description)


def queries_x(**axis: Any) -> alt.X:
    """A logarithmic axis of queries a month for the column `x` of chart rows."""
    return alt.X(
        "x:Q", title="Queries a month", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s", **axis)
    )


@alt.theme.register("book", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """The Vega-Lite configuration of every chart. Lengths in CSS pixels."""
    return {"config": CONFIG}


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """A Vega-Lite chart that fills its column, unless it has a width, ticks log axes at powers of ten and
    breaks a long title of its x axis.

    Raises ValueError if the chart has no description.
    """
    if not spec.get("description", "").strip():
        raise ValueError(
            "description: missing or empty; every chart needs a sentence or two that say what it shows, "
            'as in chart.properties(description="...")'
        )
    if "mark" in spec or "layer" in spec:
        spec = {"width": "container", **spec}
    return _in_grey(_with_tooltips(_with_axes(spec), {}), {})


def renderer(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """The MIME bundle of a Vega-Lite chart. Raises ValueError if it has no description."""
    spec = complete(spec)
    return {SITE_MIME: spec, LAB_MIME: for_lab(spec), "text/plain": spec["description"]}


def for_lab(spec: dict[str, Any]) -> dict[str, Any]:
    """The same chart where the site's style sheet is missing: fixed width, light colours on white."""
    lab: dict[str, Any] = json.loads(_light(json.dumps(spec)))
    lab["config"] = {**lab.get("config", {}), "background": "white"}
    return {**lab, "width": LAB_WIDTH} if lab.get("width") == "container" else lab


@functools.cache
def lab_vega_bundle() -> str:
    """JavaScript for a calculator in JupyterLab: `window.ragvsftCharts.view(place)`, as charts.js has it.

    `place` holds a `<script>` with a Vega specification; the chart is drawn after it. About 900 KB.
    """
    import vl_convert

    return vl_convert.javascript_bundle(LAB_SCRIPT)


LAB_SCRIPT = """
const views = new WeakMap();
async function draw(script) {
  const box = document.createElement("div");
  script.after(box);
  const options = {mode: "vega", renderer: "svg", actions: false};
  return (await vegaEmbed(box, JSON.parse(script.textContent), options)).view;
}
window.ragvsftCharts ??= {
  view(place) {
    const script = place.querySelector('script[type="application/json"]');
    if (!views.has(script)) views.set(script, draw(script));
    return views.get(script);
  }
};
"""


def _with_axes(view: dict[str, Any]) -> dict[str, Any]:
    encoding = dict(view.get("encoding", {}))
    for name in {"x", "y"} & encoding.keys():
        channel = encoding[name]
        axis = channel.get("axis", {})
        if axis is None:
            continue
        if (channel.get("scale") or {}).get("type") == "log":
            decades = f"floor(log(domain('{name}')[1] / domain('{name}')[0]) / LN10 + 1e-6)"
            axis = {"tickCount": {"expr": f"max(1, {decades})"}, **axis}
        title = axis.get("title", channel.get("title"))
        if name == "x" and isinstance(title, str) and len(title) > LONGEST_TITLE:
            axis = {**axis, "title": textwrap.wrap(title, LONGEST_TITLE)}
        encoding[name] = {**channel, "axis": axis} if axis else channel
    layers = {"layer": [_with_axes(layer) for layer in view["layer"]]} if "layer" in view else {}
    return view | ({"encoding": encoding} if encoding else {}) | layers


def _with_tooltips(view: dict[str, Any], outer: Mapping[str, Any]) -> dict[str, Any]:
    """Each mark with a tooltip of its named fields, formatted: no sort index, no unnamed end of a bar."""
    encoding = {**outer, **view.get("encoding", {})}
    found = dict(view)
    for key in {"layer", "hconcat", "vconcat", "concat"} & view.keys():
        found[key] = [_with_tooltips(child, encoding) for child in view[key]]
    if "spec" in view:
        facet = view.get("facet", {})
        cells = {"facet": facet} if "field" in facet else facet
        found["spec"] = _with_tooltips(view["spec"], {**encoding, **cells})
    mark = view.get("mark")
    if mark is None or "tooltip" in encoding:
        return found
    settings = mark if isinstance(mark, dict) else {"type": mark}
    if settings.get("tooltip", settings["type"] not in UNTOLD_MARKS) and (told := _told(encoding)):
        found["encoding"] = {**view.get("encoding", {}), "tooltip": told}
    return found


def _in_grey(view: dict[str, Any], outer: Mapping[str, Any]) -> dict[str, Any]:
    """Lines and points of series that have only their colours get the dashes and shapes of these colours."""
    encoding = {**outer, **view.get("encoding", {})}
    found = dict(view)
    for key in {"layer", "hconcat", "vconcat", "concat"} & view.keys():
        found[key] = [_in_grey(child, encoding) for child in view[key]]
    if "spec" in view:
        found["spec"] = _in_grey(view["spec"], encoding)
    mark = view.get("mark", {})
    colour = encoding.get("color") or {}
    styles: dict[str, tuple[str, list[Any]]] = {
        "line": ("strokeDash", [DASHES.get(name, [1, 0]) for name in _range(colour)]),
        "point": ("shape", [SHAPES.get(name, "circle") for name in _range(colour)]),
    }
    own = styles.get(mark.get("type", "") if isinstance(mark, dict) else mark)
    if own and colour.get("type") == "nominal" and "field" in colour and own[0] not in encoding:
        channel, values = own
        scale = {k: v for k, v in (colour.get("scale") or {}).items() if k == "domain"} | {"range": values}
        kept = {k: colour[k] for k in ("field", "type", "sort") if k in colour}
        found["encoding"] = {**view.get("encoding", {}), channel: {**kept, "scale": scale, "legend": None}}
    return found


def _range(colour: Mapping[str, Any]) -> list[str]:
    return (colour.get("scale") or {}).get("range") or SERIES


def _told(encoding: Mapping[str, Any]) -> list[dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for name in TOLD_CHANNELS:
        channel = encoding.get(name) or {}
        for definition in channel if isinstance(channel, list) else [channel]:
            field, title = definition.get("field"), _channel_title(definition)
            if not isinstance(field, str) or field.startswith("_"):
                continue
            if not title and name in UNTOLD_WITHOUT_TITLE:
                continue
            kept = {
                k: definition[k] for k in ("field", "type", "aggregate", "bin", "timeUnit") if k in definition
            }
            if definition.get("type") == "quantitative":
                kept["format"] = _tooltip_format(definition)
            told.setdefault(field, kept | {"title": title or field.replace("_", " ").capitalize()})
    return list(told.values())


def _channel_title(channel: Mapping[str, Any]) -> str:
    """The title that a channel or its guide states, on one line; "" without one."""
    guides = [channel, *(channel.get(guide) or {} for guide in ("axis", "legend", "header"))]
    title = next((guide["title"] for guide in guides if guide.get("title")), "")
    return title if isinstance(title, str) else " ".join(title)


def _tooltip_format(channel: Mapping[str, Any]) -> str:
    stated = str(channel.get("format") or (channel.get("axis") or {}).get("format") or "")
    return TOOLTIP_FORMATS.get(stated, stated)


@functools.cache
def _light_colours() -> dict[str, str]:
    return dict(re.findall(r"(--chart-[\w-]+): .*?(#\w+)", (HERE / "charts.css").read_text("utf-8")))


def _light(text: str) -> str:
    return re.sub(r"var\((--chart-[\w-]+)\)", lambda variable: _light_colours()[variable[1]], text)


alt.renderers.register("book", renderer)
alt.renderers.enable("book")
