"""Charts and calculators of executed cells as HTML: a drawing that needs no script, and its live form."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

import vl_convert
from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx.errors import ExtensionError

from ragvsft import prose
from ragvsft.book.cells import tidy_table
from ragvsft.widgets.calculator import MIME as CALCULATOR_MIME
from ragvsft.widgets.chart import LAB_MIME, SITE_MIME, complete
from ragvsft.widgets.templates import json_island

TRANSFORMS = Path(__file__).parent / "static" / "vendor" / "vega.transforms.json"
WIDE, NARROW, SLACK = 720, 300, 18
MOST_TABLE_ROWS = 200
CHAPTER = "<!--chapter-->"
SWATCHES = {
    "circle": '<circle cx="6" cy="6" r="5" fill="{}"/>',
    "square": '<path d="M1 1h10v10H1z" fill="{}"/>',
    "triangle-up": '<path d="M6 1l5.5 10h-11z" fill="{}"/>',
    "diamond": '<path d="M6 0l5 6-5 6-5-6z" fill="{}"/>',
    "stroke": '<path d="M0 6h26" stroke="{}" stroke-width="2.5" stroke-dasharray="{}"/>',
}
COLOUR, SIZES = {"fill", "stroke"}, {"size", "opacity", "strokeWidth"}


class BookMime:
    """The myst-nb plugin: of what a cell emits, the site takes our MIME types and drops JupyterLab's."""

    mime_priority_overrides = (("*", SITE_MIME, 1), ("*", CALCULATOR_MIME, 1), ("*", LAB_MIME, None))

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        env = renderer.renderer.sphinx_env
        try:
            html = to_html(data, lambda: env.new_serialno("chart") + 1)
        except ValueError as error:
            raise ExtensionError(f"{env.docname}, cell {data.cell_index}: {error}") from error
        if html is None:
            return None
        return [nodes.raw("", html, format="html", classes=["output", "text_html"])] if html else []


def to_html(data: MimeData, next_number: Callable[[], int]) -> str | None:
    """What the page shows of one MIME type of an output: "" for nothing, None to leave it to myst-nb."""
    if data.mime_type == SITE_MIME:
        return figure(data.content, next_number(), with_table=True)
    if data.mime_type == CALCULATOR_MIME:
        html, spec = data.content["html"], data.content.get("vegalite")
        return html.replace("<!--chart-->", figure(spec, next_number(), with_table=False)) if spec else html
    if data.mime_type == LAB_MIME or (data.mime_type == "text/html" and 'class="calculator' in data.string):
        return ""
    if data.mime_type == "text/html" and "vegaEmbed" in data.string:
        raise ValueError("a chart is drawn without the book's renderer: import ragvsft.widgets.chart")
    return None


def figure(spec: dict[str, Any], number: int, with_table: bool) -> str:
    """A Vega-Lite chart as `<figure>`: number and title, static SVG, compiled Vega as JSON, source and data.

    A chart that fills its column carries two drawings, for wide and for narrow columns, with some slack at
    the left for readers whose font is wider than the one that drew them. `number` counts the figures of a
    page; `CHAPTER` stands before it for the chapter's number, which is known when the page is written.
    A spec's `usermeta` may hold `source`, the line beneath, and `answers`: for each label the links, text and
    address, to the recorded answers behind its points. Raises ValueError for a chart without description, or
    that the site's Vega cannot draw.
    """
    html = _figure(json.dumps(complete(spec), sort_keys=True), with_table)
    return html.replace("{chart}", f"chart-{number}").replace("{number}", str(number))


@functools.cache
def _figure(spec_json: str, with_table: bool) -> str:
    spec = json.loads(spec_json)
    title, more = spec.pop("title", None), spec.pop("usermeta", {})
    source = more.get("source", "")
    fluid = spec.get("width") == "container"
    if fluid:
        spec |= {"width": WIDE, "autosize": {"type": "fit-x", "contains": "padding"}}
    vega = vl_convert.vegalite_to_vega(spec)
    check(vega, spec["description"])
    description = escape(vega.pop("description"))
    legends = take_legends(vega)
    if fluid:
        sizes = {"chart-wide": WIDE, "chart-narrow": NARROW}
        wide_fonts = {"padding": {"left": SLACK, "top": 2, "right": 2, "bottom": 2}}
        drawings = [
            static_svg(vega | wide_fonts | {"width": width}, name, description)
            for name, width in sizes.items()
        ]
    else:
        drawings = [static_svg(vega, "chart-fixed", description)]
        check_width(drawings[0], spec["description"])
    return "".join(
        [
            '<figure class="chart" id="{chart}">',
            caption(title),
            legends,
            f'<div class="chart-view{" chart-fluid" if fluid else ""}">',
            *drawings,
            '</div><script type="application/json" class="chart-spec">',
            json_island(vega),
            "</script>",
            f'<p class="chart-source">Source: {escape(source)}</p>' if source else "",
            answer_links(more.get("answers", {})),
            data_table(spec, with_table),
            "</figure>",
        ]
    )


def answer_links(answers: dict[str, list[tuple[str, str]]]) -> str:
    """A list that opens the recorded answers behind each point of a chart; "" if it has none."""
    items = [
        f"<li>{escape(label)}: "
        + ", ".join(f'<a href="{escape(address)}">{escape(text)}</a>' for text, address in links)
        + "</li>"
        for label, links in answers.items()
    ]
    if not items:
        return ""
    said = "Read the prompts and answers behind each point"
    return f'<details class="chart-answers"><summary>{said}</summary><ul>{"".join(items)}</ul></details>'


def caption(title: str | list[str] | dict[str, Any] | None) -> str:
    """The figure's number, title and subtitle as text of the page, where they wrap on a narrow screen."""
    parts = title if isinstance(title, dict) else {"text": title}
    spans = "".join(
        f'<span class="chart-{name}">{escape(text if isinstance(text, str) else " ".join(text))}</span>'
        for name, text in (("title", parts.get("text")), ("subtitle", parts.get("subtitle")))
        if text
    )
    return f'<figcaption><span class="chart-number">Figure {CHAPTER}{{number}}</span> {spans}</figcaption>'


def take_legends(vega: dict[str, Any]) -> str:
    """Remove the legends that name colours; return them as lists, which wrap on a narrow screen."""
    legends = vega.get("legends", [])
    drawn = list(_marks(vl_convert.vega_to_scenegraph(vega)["scenegraph"], "legend")) if legends else []
    if len(drawn) != len(legends):
        return ""
    lists = [
        "" if SIZES & legend.keys() or not COLOUR & legend.keys() else _legend(mark, "strokeDash" in legend)
        for legend, mark in zip(legends, drawn, strict=True)
    ]
    vega["legends"] = [legend for legend, html in zip(legends, lists, strict=True) if not html]
    return "".join(lists)


def _legend(legend: dict[str, Any], dashed: bool) -> str:
    symbols = [mark["items"][0] for mark in _marks(legend, "legend-symbol") if not mark["interactive"]]
    if not symbols or not {symbol["shape"] for symbol in symbols} <= SWATCHES.keys():
        return ""
    titles, labels = (
        [escape(str(mark["items"][0]["text"])) for mark in _marks(legend, f"legend-{part}")]
        for part in ("title", "label")
    )
    entries = [f'<li class="chart-legend-title">{title}</li>' for title in titles]
    for symbol, label in zip(symbols, labels, strict=True):
        shape = "stroke" if dashed else symbol["shape"]
        colour = symbol["stroke" if shape == "stroke" else "fill"]
        dashes = " ".join(map(str, symbol.get("strokeDash") or [1, 0]))
        swatch, width = SWATCHES[shape].format(escape(colour), dashes), 26 if shape == "stroke" else 12
        entries.append(
            f'<li><svg viewBox="0 0 {width} 12" width="{width}" height="12">{swatch}</svg>{label}</li>'
        )
    return f'<ul class="chart-legend">{"".join(entries)}</ul>'


def _marks(mark: dict[str, Any], role: str) -> Iterator[dict[str, Any]]:
    """The marks of a Vega scene graph that play a role."""
    if mark.get("role") == role:
        yield mark
    for item in mark.get("items", []):
        yield from _marks(item, role)


def check(vega: dict[str, Any], description: str) -> None:
    """Raise ValueError unless the site's Vega bundle holds all that a Vega specification needs."""
    if not TRANSFORMS.exists():
        raise ValueError(f"{TRANSFORMS}: missing; run `npm ci` and `npm run bundle`")
    chart = f"the chart “{description[:70]}”"
    if missing := sorted(set(transform_types(vega)) - set(json.loads(TRANSFORMS.read_text("utf-8")))):
        raise ValueError(
            f"{chart} needs the Vega transform {', '.join(missing)}, which the site's bundle does not hold: "
            "compute it in Python, or add it to src/ragvsft/book/bundle/vega.js and run `npm run bundle`"
        )
    if urls := [data["url"] for data in vega.get("data", []) if "url" in data]:
        raise ValueError(f"{chart} loads data from {urls[0]}: a chart's data must be in the chart")


def check_width(svg: str, description: str) -> None:
    """Raise ValueError if a drawing that cannot adapt is too wide for a phone to show at full size."""
    width = int(svg.partition(' width="')[2].partition('"')[0])
    if width > NARROW:
        raise ValueError(
            f"the chart “{description[:70]}” is {width} pixels wide, and a phone shows {NARROW}: give it no "
            "width, or if it has facets or parts, fewer columns or narrower ones"
        )


def transform_types(vega: Any) -> Iterator[str]:
    """The names of all data and mark transforms in a Vega specification, groups inside groups included."""
    if isinstance(vega, list):
        for item in vega:
            yield from transform_types(item)
    elif isinstance(vega, dict):
        yield from (step["type"].lower() for step in vega.get("transform", []))
        for key in ("data", "marks"):
            yield from transform_types(vega.get(key))


def static_svg(vega: dict[str, Any], name: str, description: str) -> str:
    """A drawing of a Vega specification, without what an image does not need. `description` is escaped."""
    svg = vl_convert.vega_to_svg(vega)
    svg = re.sub(r"<[^>]+>", lambda tag: _slim(tag[0]), svg[svg.index("<svg") :])
    for number, svg_id in enumerate(re.findall(r' id="(\w+)"', svg), 1):
        svg = re.sub(rf'(?<= id="){svg_id}(?=")|(?<=url\(#){svg_id}(?=\))', f"{{chart}}-{name}-{number}", svg)
    return svg.replace('class="marks"', f'class="marks {name}" role="img" aria-label="{description}"', 1)


def _slim(tag: str) -> str:
    tag = re.sub(r' (?:xmlns:xlink|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"', "", tag)
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag)


def data_table(spec: dict[str, Any], with_table: bool) -> str:
    """The rows that a chart draws: to read, a table of each data set that is not too long; all as a file.

    The file is made in the browser from what the chart holds, in full precision; `data-fields` names its
    columns. The rows of a calculator change with its inputs, so they are only offered as a file.
    """
    sets = [(rows, columns) for rows, columns in data_sets(spec) if columns]
    tables = [table for rows, columns in sets if (table := _table(rows, columns))] if with_table else []
    fields = {name: _title(name, channel) for _, columns in sets for name, channel in columns.items()}
    if not fields:
        return ""
    save = (
        '<button type="button" class="chart-download needs-script" data-fields="'
        f'{escape(json.dumps(fields, ensure_ascii=False))}">Download as CSV</button>'
    )
    if not tables:
        return f'<p class="chart-data">{save}</p>'
    return (
        f'<details class="chart-data"><summary>Data of the chart</summary>{"".join(tables)}{save}</details>'
    )


def data_sets(spec: dict[str, Any]) -> list[tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]]:
    """Each data set of a Vega-Lite chart with its encoded fields: field to channel definition."""
    fields: dict[str, dict[str, dict[str, Any]]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    unnamed = count()

    def visit(view: dict[str, Any], name: str | None, outer: dict[str, Any]) -> None:
        if data := view.get("data"):
            name = data.get("name") or f"unnamed {next(unnamed)}"
            values = data.get("values", spec.get("datasets", {}).get(name, []))
            rows.setdefault(name, values if isinstance(values, list) else [])
        encoding = outer | view.get("encoding", {})
        if name is not None and "mark" in view:
            for channel in (encoding[key] for key in sorted(encoding, key=_rank) if key != "order"):
                for definition in channel if isinstance(channel, list) else [channel]:
                    if "field" in definition:
                        fields.setdefault(name, {}).setdefault(str(definition["field"]), definition)
        for key in ("layer", "hconcat", "vconcat", "concat"):
            for child in view.get(key, []):
                visit(child, name, encoding)
        if "spec" in view:
            facet = view.get("facet", {})
            visit(view["spec"], name, encoding | ({"facet": facet} if "field" in facet else facet))

    visit(spec, None, {})
    return [(rows[name], fields.get(name, {})) for name in rows]


def _rank(channel: str) -> tuple[bool, str]:
    """Columns come as one reads a chart, positions first: a cached chart has forgotten their order."""
    return channel[0] not in "xy", channel


def _table(rows: list[dict[str, Any]], columns: dict[str, dict[str, Any]]) -> str:
    columns = {name: channel for name, channel in columns.items() if rows and name in rows[0]}
    if not 1 < len(rows) <= MOST_TABLE_ROWS or not columns:
        return ""
    order = sorted(columns, key=lambda name: columns[name].get("type") == "quantitative")
    head = "".join(f"<th>{escape(_title(name, columns[name]))}</th>" for name in order)
    cells = [[_cell(row.get(name), columns[name]) for name in order] for row in rows]
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in cells)
    return tidy_table(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _title(name: str, channel: dict[str, Any]) -> str:
    guides = [channel, channel.get("axis") or {}, channel.get("legend") or {}, channel.get("header") or {}]
    title = next(
        (guide["title"] for guide in guides if guide.get("title")), name.replace("_", " ").capitalize()
    )
    return title if isinstance(title, str) else " ".join(title)


def _cell(value: Any, channel: dict[str, Any]) -> str:
    if value is None:
        return "–"
    if channel.get("type") != "quantitative" or isinstance(value, bool | str):
        return str(value).removesuffix("T00:00:00")
    number_format = channel.get("format") or (channel.get("axis") or {}).get("format") or ""
    if number_format.endswith("%"):
        return prose.percent(value)
    if number_format == "d":
        return f"{value:.0f}"
    sign = ("−" if value < 0 else "") + ("$" if "$" in number_format else "")
    return sign + (f"{abs(value):,}" if isinstance(value, int) else prose.number(abs(value)))
