"""The theme and renderer of charts, and the HTML that the site makes of a chart."""

import json
import re
from html import unescape
from pathlib import Path

import altair as alt
import nbformat
import pytest
import vl_convert
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from ragvsft.book import mime
from ragvsft.costs.methods import METHODS
from ragvsft.widgets import chart as charts

ROOT = Path(__file__).parent.parent.parent
ROWS = [
    {"method": METHODS[method].label, "queries": queries, "usd": usd * queries}
    for method, usd in (("rag", 0.02), ("prompting", 0.01))
    for queries in (1000, 10_000)
]
BUNDLE = json.loads(mime.TRANSFORMS.read_text("utf-8")) if mime.TRANSFORMS.exists() else []


def cost_chart(rows=ROWS, **properties) -> alt.Chart:
    encoding = {
        "x": alt.X("queries:Q", title="Queries a month").scale(type="log"),
        "y": alt.Y("usd:Q", title="USD", axis=charts.usd_axis()),
        "color": charts.method_colour(["prompting", "rag"]),
    }
    properties = {"description": "Cost of two options by volume.", **properties}
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=True)
        .encode(**encoding)
        .properties(**properties)
    )


def figure(chart: alt.TopLevelMixin, number=1, with_table=True) -> str:
    return mime.figure(chart.to_dict(), number, with_table)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# Theme and renderer


def test_importing_the_module_turns_the_theme_and_the_renderer_on():
    assert alt.theme.active == alt.renderers.active == "book"


@pytest.mark.parametrize("given", [{}, {"description": ""}, {"description": "  "}])
def test_a_chart_needs_a_description(given):
    with pytest.raises(ValueError, match="description: missing or empty"):
        charts.renderer({"mark": "point", **given})


def test_a_cell_that_shows_a_chart_without_description_fails():
    code = "import altair, ragvsft.widgets.chart\naltair.Chart(altair.InlineData(values=[{}])).mark_point()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    with pytest.raises(CellExecutionError, match="description: missing"):
        NotebookClient(notebook).execute()


def test_a_chart_goes_to_the_site_to_jupyterlab_and_to_plain_text():
    bundle = charts.renderer(cost_chart().to_dict())
    assert list(bundle) == [charts.SITE_MIME, charts.LAB_MIME, "text/plain"]
    assert bundle["text/plain"] == "Cost of two options by volume."
    assert "var(--chart-3)" in json.dumps(bundle[charts.SITE_MIME])


def test_jupyterlab_which_lacks_the_style_sheet_gets_plain_colours_and_a_width():
    lab = charts.for_lab(charts.complete(cost_chart().to_dict()))
    assert "var(" not in json.dumps(lab)
    assert lab["width"] == 640
    assert lab["encoding"]["color"]["scale"]["range"] == ["#6c6c6d", "#2b6cc6"]


def test_a_chart_fills_its_column_unless_it_has_a_width():
    assert charts.complete(cost_chart().to_dict())["width"] == "container"
    assert charts.complete(cost_chart(width=250).to_dict())["width"] == 250


def test_a_log_axis_ticks_at_powers_of_ten_unless_told_otherwise():
    svg = vl_convert.vegalite_to_svg(charts.complete(cost_chart(width=600).to_dict()))
    assert re.findall(r">([\d,]+)</text>", svg) == ["1,000", "10,000"]
    told = cost_chart().encode(x=alt.X("queries:Q", axis=alt.Axis(tickCount=9)).scale(type="log"))
    assert charts.complete(told.to_dict())["encoding"]["x"]["axis"]["tickCount"] == 9


def test_a_long_title_of_the_x_axis_breaks():
    title = "Price of the fine-tuned model, as a multiple of the base model's"
    encoding = charts.complete(cost_chart().encode(x=alt.X("queries:Q", title=title)).to_dict())["encoding"]
    assert encoding["x"]["axis"]["title"] == [
        "Price of the fine-tuned model, as a",
        "multiple of the base model's",
    ]


def test_a_method_has_one_colour_in_every_chart():
    alone = charts.method_colour(["rag"]).to_dict()["scale"]
    among = charts.method_colour(METHODS).to_dict()["scale"]
    assert alone["range"] == [charts.METHOD_COLOURS["rag"]]
    assert dict(zip(among["domain"], among["range"], strict=True))["RAG"] == charts.METHOD_COLOURS["rag"]
    with pytest.raises(KeyError, match="agents"):
        charts.method_colour(["agents"])


@pytest.mark.parametrize(
    ("usd", "label"), [(0.0005, "$0.0005"), (250, "$250"), (4000, "$4k"), (1.5e6, "$1.5M"), (-2500, "−$2.5k")]
)
def test_a_dollar_axis_labels_any_size(usd, label):
    axis = charts.usd_axis(values=[usd])
    y = alt.Y("usd:Q", axis=axis).scale(domain=[min(usd, 0), max(usd, 0)], nice=False)
    svg = vl_convert.vegalite_to_svg(cost_chart().encode(y=y).to_dict())
    assert f">{label}<" in svg


def test_lines_and_points_that_a_chart_tells_apart_itself_keep_its_way():
    told = cost_chart().encode(strokeDash="method:N").to_dict()
    assert charts.complete(told)["encoding"]["strokeDash"] == told["encoding"]["strokeDash"]
    plain = charts.complete(cost_chart().mark_bar().to_dict())["encoding"]
    assert not {"strokeDash", "shape"} & plain.keys()


# The page


def test_a_chart_is_a_figure_that_needs_no_script():
    html = figure(cost_chart(title=alt.Title("Two options", subtitle=["By volume,", "fully loaded"])))
    assert html.count('role="img" aria-label="Cost of two options by volume."') == 2
    words, drawing = html.split('<div class="chart-view')
    assert text_of(words) == "Figure 1 Two options By volume, fully loaded Prompting only RAG"
    assert "Two options" not in drawing
    assert "Prompting only" not in drawing.partition("<script")[0]


def test_the_drawing_is_rounded_to_a_hundredth_of_a_pixel_and_its_text_is_not():
    html = figure(cost_chart().encode(y=alt.Y("usd:Q", axis=charts.usd_axis(values=[0.0005]))))
    drawing = html[html.index("<svg xmlns") : html.index("</div>")]
    assert ">$0.0005<" in drawing
    assert re.findall(r"\d\.\d{3,}", re.sub(r">[^<]*<", "><", drawing)) == []


def test_a_chart_with_a_width_of_its_own_is_drawn_once():
    assert figure(cost_chart(width=220)).count("<svg xmlns") == 1


def test_a_legend_that_says_more_than_colours_stays_in_the_drawing():
    html = figure(cost_chart().encode(color=alt.value("red"), strokeDash="method:N"))
    assert "chart-legend" not in html
    assert ">RAG</text>" in html


def test_a_legend_shows_the_dashes_of_lines_and_the_shapes_of_points():
    lines = figure(cost_chart().mark_line()).partition("chart-view")[0]
    assert re.findall(
        r'stroke="(var\(--chart-\d\))" stroke-width="2.5" stroke-dasharray="([\d ]+)"', lines
    ) == [
        ("var(--chart-1)", "7 4"),
        ("var(--chart-3)", "1 0"),
    ]
    points = figure(cost_chart().mark_point()).partition("chart-view")[0]
    assert '<path d="M1 1h10v10H1z" fill="var(--chart-1)"/>' in points
    assert '<circle cx="6" cy="6" r="5" fill="var(--chart-3)"/>' in points


def test_a_scale_of_colours_stays_in_the_drawing():
    html = figure(cost_chart().mark_rect().encode(color="usd:Q"))
    assert "chart-legend" not in html
    assert "linearGradient" in html


def test_a_description_is_text_not_markup():
    html = figure(cost_chart(description='RAG < prompting & "cheap"'))
    assert 'aria-label="RAG &lt; prompting &amp; &quot;cheap&quot;"' in html


def test_ids_are_unique_on_a_page_and_the_same_in_every_build():
    clipped = cost_chart().encode(y=alt.Y("usd:Q").scale(domain=[0, 100], clamp=False)).mark_line(clip=True)
    page = figure(clipped, 1) + figure(clipped, 2)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert (
        {"chart-1-chart-wide-1", "chart-2-chart-narrow-1"}
        <= set(re.findall(r"url\(#([^)]+)\)", page))
        <= set(ids)
    )
    mime._figure.cache_clear()
    assert figure(clipped, 1) + figure(clipped, 2) == page


def test_the_compiled_chart_cannot_end_its_script():
    rows = [{**row, "method": "</script><b>"} for row in ROWS]
    spec = re.search(r'class="chart-spec">(.*?)</script>', figure(cost_chart(rows)))[1]
    assert json.loads(spec)["data"][0]["values"][0]["method"] == "</script><b>"


def test_the_data_of_a_chart_can_be_read_as_a_table():
    table = text_of(figure(cost_chart()).partition("<details")[2].partition(">")[2])
    assert table.startswith("Data of the chart Method Queries a month USD RAG 1,000 $20 RAG 10,000 $200")


def test_a_figure_names_its_source_and_offers_its_rows_under_the_names_of_its_axes():
    html = figure(cost_chart(usermeta={"source": "prices & <measured>"}))
    assert '<p class="chart-source">Source: prices &amp; &lt;measured&gt;</p>' in html
    fields = json.loads(unescape(re.search(r'data-fields="([^"]*)"', html)[1]))
    assert fields == {"queries": "Queries a month", "usd": "USD", "method": "Method"}
    assert "usermeta" not in html and "chart-source" not in figure(cost_chart())


def test_a_tooltip_shows_named_formatted_fields_and_nothing_else():
    bars = (
        alt.Chart(alt.InlineData(values=[{"a": 1.23456, "b": 2, "name": "x", "_sort": 1}]))
        .mark_bar()
        .encode(
            x=alt.X("a:Q", title="Cost", axis=charts.usd_axis()),
            x2="b",
            y=alt.Y("name:N", title=None),
            detail="_sort:O",
            order="_sort:O",
        )
        .properties(description="A bar.")
    )
    told = charts.complete(bars.to_dict())["encoding"]["tooltip"]
    assert [(field["field"], field["title"], field.get("format")) for field in told] == [
        ("a", "Cost", "$,.4~r"),
        ("name", "Name", None),
    ]


def test_marks_that_only_point_have_no_tooltip_and_a_stated_one_stays():
    rule = alt.Chart(alt.InlineData(values=[{"x": 1}]), description="A rule.").mark_rule().encode(x="x:Q")
    assert "tooltip" not in charts.complete(rule.to_dict())["encoding"]
    stated = rule.mark_point().encode(tooltip="x:Q")
    assert charts.complete(stated.to_dict())["encoding"]["tooltip"] == stated.to_dict()["encoding"]["tooltip"]


def test_a_long_table_is_left_out():
    rows = [{"method": "RAG", "queries": k, "usd": 1.0} for k in range(1, 202)]
    assert "<table" in figure(cost_chart(rows[:200]))
    assert "<table" not in figure(cost_chart(rows))


@pytest.mark.parametrize(
    ("value", "channel", "cell"),
    [
        (0.0320195, {"type": "quantitative", "axis": {"format": "$,~r"}}, "$0.0320"),
        (1 / 3, {"type": "quantitative"}, "0.333"),
        (-1e7, {"type": "quantitative"}, "−10,000,000"),
        (0.125, {"type": "quantitative", "format": ".1%"}, "12.5%"),
        (2025, {"type": "ordinal"}, "2025"),
        ("2025-10-01T00:00:00", {"type": "temporal"}, "2025-10-01"),
        (None, {"type": "quantitative"}, "–"),
    ],
)
def test_cells_print_as_the_axis_does(value, channel, cell):
    assert mime._cell(value, channel) == cell


def test_layers_that_share_data_share_a_table():
    line = alt.Chart(alt.InlineData(values=ROWS, name="rows")).encode(x="queries:Q")
    both = line.mark_line().encode(y="usd:Q") + line.mark_text().encode(text="method:N")
    (table,) = [columns for _, columns in mime.data_sets(both.to_dict())]
    assert list(table) == ["queries", "usd", "method"]


# What the bundle cannot draw, and what must not be drawn


def test_a_chart_that_needs_another_transform_names_it():
    chart = cost_chart().transform_regression("queries", "usd")
    with pytest.raises(
        ValueError, match=r"“Cost of two options by volume\.” needs the Vega transform regression"
    ):
        figure(chart)


def test_a_chart_that_cannot_adapt_fits_a_phone():
    parts = cost_chart(width=60) & cost_chart(width=60)
    assert figure(parts.properties(description="Two parts.")).count("<svg xmlns") == 1
    parts = cost_chart(width=200) | cost_chart(width=200)
    with pytest.raises(ValueError, match=r"“Two parts\.” is 5\d\d pixels wide, and a phone shows 300"):
        figure(parts.properties(description="Two parts."))


def test_a_chart_holds_its_own_data():
    chart = alt.Chart(alt.UrlData("cars.json"), description="Cars.").mark_point().encode(x="mpg:Q")
    with pytest.raises(ValueError, match=r"loads data from cars\.json"):
        figure(chart)


def mime_html(mime_type: str, content) -> str | None:
    return mime.to_html(mime.MimeData(mime_type, content), lambda: 1)


def test_a_chart_drawn_without_the_books_renderer_is_refused():
    with pytest.raises(ValueError, match=r"import ragvsft\.widgets\.chart"):
        mime_html("text/html", "<div></div><script>vegaEmbed()</script>")


def test_jupyterlabs_copies_are_dropped_and_other_types_left_alone():
    assert mime_html(charts.LAB_MIME, {}) == ""
    assert mime_html("text/html", '<section class="calculator"><script>vegaEmbed()</script>') == ""
    assert mime_html("text/html", "<table></table>") is None


def test_the_chart_of_a_calculator_takes_its_place_without_a_table():
    content = {"html": "<div><!--chart--></div>", "vegalite": cost_chart().to_dict()}
    html = mime_html(mime.CALCULATOR_MIME, content)
    assert re.match(r'<div><figure class="chart" id="chart-1">.*</figure></div>$', html, re.DOTALL)
    assert "<table" not in html
    assert mime_html(mime.CALCULATOR_MIME, {"html": "<p></p>", "vegalite": None}) == "<p></p>"


# The packages from npm


def test_the_bundle_lists_what_it_holds():
    assert {"aggregate", "bin", "stack", "encode"} <= set(BUNDLE)
    assert not {"regression", "geojson", "force", "wordcloud"} & set(BUNDLE)


def test_browser_and_build_draw_with_one_version_of_vega():
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert packages["node_modules/vega"]["version"] == vl_convert.get_vega_version()


def test_the_lock_names_no_registry_and_checks_every_package():
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    installed = {path: package for path, package in packages.items() if path}
    assert [path for path, package in installed.items() if "resolved" in package] == []
    assert [path for path, package in installed.items() if "integrity" not in package] == []
