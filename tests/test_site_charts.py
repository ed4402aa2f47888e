"""Charts of the built site in a real browser: drawn without scripts, then live, on any screen."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route

from ragvsft.book.mime import TRANSFORMS

DATA_MARKS = """figures => figures.map(figure => {
  const drawing = figure.querySelector(".chart-wide, .chart-fixed, .chart-live svg");
  return drawing.querySelectorAll(".role-mark :is(path, line, rect, text)").length;
})"""
TEXTS = """figures => figures.flatMap(figure => {
  const svg = [...figure.querySelectorAll(".chart-view svg")].find(svg => svg.checkVisibility());
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text")].filter(text => text.getAttribute("opacity") !== "0");
  return texts.filter(text => text.textContent.trim()).map(text => {
    const {left, top, right, bottom} = text.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(text).fontSize) * scale;
    return {chart: figure.id, text: text.textContent, size, left, top, right, bottom};
  });
})"""
COLOURS = """svg => [...svg.querySelectorAll("text, .role-mark path")]
  .map(node => getComputedStyle(node).fill).filter(fill => fill !== "none")"""


@pytest.fixture(scope="module")
def chart_pages(site_dir: Path) -> list[str]:
    """Addresses, within the site, of the pages with a chart."""
    pages = [path for path in site_dir.rglob("*.html") if '<figure class="chart"' in path.read_text("utf-8")]
    assert pages, "no page has a chart"
    return sorted(path.relative_to(site_dir).as_posix() for path in pages)


def bring_to_life(page: Page) -> None:
    """Scroll to every chart and wait until each is live."""
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    for figure in page.locator("figure.chart").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".chart-live").wait_for(state="attached")


def overlaps(texts: list[dict[str, Any]], slack_px: float = 2) -> list[str]:
    """Pairs of texts of one chart whose boxes share more than `slack_px` across and down."""

    def shared(one: dict[str, Any], other: dict[str, Any]) -> bool:
        across = min(one["right"], other["right"]) - max(one["left"], other["left"])
        down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
        return one["chart"] == other["chart"] and min(across, down) > slack_px

    return [
        f"{one['chart']}: {one['text']!r} over {other['text']!r}"
        for k, one in enumerate(texts)
        for other in texts[:k]
        if shared(one, other)
    ]


def test_live_a_chart_has_the_marks_of_its_drawing(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    still, live = new_page(java_script_enabled=False), new_page()
    for name in chart_pages:
        still.goto(f"{site_url}/{name}")
        live.goto(f"{site_url}/{name}")
        bring_to_life(live)
        drawn, living = (page.locator("figure.chart").evaluate_all(DATA_MARKS) for page in (still, live))
        assert living == drawn, name
        assert 0 not in drawn, name


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scripts", [False, True])
def test_the_text_of_a_chart_can_be_read(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page], width: int, scripts: bool
) -> None:
    page = new_page(width, java_script_enabled=scripts)
    faults = []
    for name in chart_pages:
        page.goto(f"{site_url}/{name}")
        if scripts:
            bring_to_life(page)
        texts = page.locator("figure.chart").evaluate_all(TEXTS)
        hard = [t for t in texts if t["size"] < 11 or t["left"] < 0 or t["right"] > width]
        faults += [f"{name} {t['chart']}: {t['text']!r} is small or cut off" for t in hard]
        faults += [f"{name} {fault}" for fault in overlaps(texts)]
    assert not faults, "\n".join(faults)


def test_dark_is_the_same_drawing_in_other_colours(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/{chart_pages[0]}")
    bring_to_life(page)
    chart = page.locator(".chart-live svg").first
    drawing, colours = chart.evaluate("svg => svg.outerHTML"), chart.evaluate(COLOURS)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert chart.evaluate("svg => svg.outerHTML") == drawing
    assert not set(chart.evaluate(COLOURS)) & set(colours)


def test_charts_live_without_eval(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    def forbid_eval(route: Route) -> None:
        policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

    page = new_page()
    page.route("**/*.html", forbid_eval)
    for name in chart_pages:
        response = page.goto(f"{site_url}/{name}")
        assert (
            response and "script-src 'self' 'unsafe-inline';" in response.headers["content-security-policy"]
        )
        bring_to_life(page)


def test_charts_live_from_a_file(
    chart_pages: list[str], site_dir: Path, new_page: Callable[..., Page]
) -> None:
    page = new_page(360)
    page.goto((site_dir / chart_pages[0]).as_uri())
    bring_to_life(page)


def test_vega_comes_only_with_a_chart_near_the_screen(
    chart_pages: list[str], site_dir: Path, site_url: str, new_tab: Callable[..., Any]
) -> None:
    plain = next(
        page for page in site_dir.rglob("*.html") if page.relative_to(site_dir).as_posix() not in chart_pages
    )
    tab = new_tab()
    tab.page.goto(f"{site_url}/{plain.relative_to(site_dir).as_posix()}", wait_until="networkidle")
    assert [
        response.url for response in tab.responses if "charts.js" in response.url or "vega" in response.url
    ] == []
    tab.page.goto(f"{site_url}/{chart_pages[0]}")
    bring_to_life(tab.page)
    assert len([response for response in tab.responses if "vega.min.js" in response.url]) == 1
    assert tab.page.evaluate("ragvsftVega.transformNames") == json.loads(TRANSFORMS.read_text("utf-8"))


def test_a_chart_fits_its_column_again_when_the_screen_turns(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(360, 800)
    page.goto(f"{site_url}/{chart_pages[0]}")
    bring_to_life(page)
    page.set_viewport_size({"width": 800, "height": 360})
    page.wait_for_function("""() => {
      const place = document.querySelector(".chart-fluid");
      return Math.abs(place.querySelector("svg").getBoundingClientRect().width - place.clientWidth) < 2;
    }""")


def test_a_script_of_the_page_can_give_a_chart_other_data(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/{chart_pages[0]}")
    figure = page.locator("figure.chart").first
    figure.scroll_into_view_if_needed()
    emptied = figure.evaluate("""async figure => {
      const view = await ragvsftCharts.view(figure);
      const {data} = view.getState({data: name => !name.startsWith("_"), signals: () => false});
      for (const name of Object.keys(data)) if (view.data(name).length) await view.data(name, []).runAsync();
      return figure.querySelectorAll(".role-mark.mark-rect path, .role-mark.mark-symbol path").length;
    }""")
    assert emptied == 0


NEAR = """figure => {
  const box = figure.querySelector(".chart-live svg").getBoundingClientRect();
  return [box.left + box.width * 0.6, box.top + box.height * 0.5];
}"""


def in_view(figure: Locator) -> list[float]:
    """Brings a live chart to the middle of the screen; a spot in it, seldom on a mark."""
    figure.evaluate("""figure => {
      figure.querySelector(".chart-live").scrollIntoView({block: "center", behavior: "instant"});
      return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""")
    return list(figure.evaluate(NEAR))


def test_a_tooltip_tells_of_the_nearest_mark_in_named_formatted_fields(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    faults = []
    for name in chart_pages:
        page.goto(f"{site_url}/{name}")
        bring_to_life(page)
        for figure in page.locator("figure.chart").all():
            x, y = in_view(figure)
            page.mouse.move(x, y)
            told = page.locator(".chart-tooltip :is(dt, dd)").all_inner_texts()
            shown = page.locator(".chart-tooltip").is_visible() and page.locator(".chart-ring").is_visible()
            unnamed = [text for text in told[::2] if not text.strip() or "_" in text]
            long = [text for text in told[1::2] if re.search(r"\.\d{7,}", text)]
            if not shown or not told or unnamed or long:
                faults.append((name, figure.get_attribute("id"), told))
            page.mouse.move(1, 1)
            assert page.locator(".chart-tooltip").is_hidden()
    assert faults == []


def test_a_tooltip_of_a_line_follows_the_pointer_and_leaves_on_escape(
    site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/chapters/cost/cost-comparison.html")
    bring_to_life(page)
    figure = page.locator(".calculator figure.chart:has(.mark-line)").first
    x, y = in_view(figure)
    told = set()
    for step in (-150, 0, 150):
        page.mouse.move(x + step, y)
        told.add(page.locator(".chart-tooltip").inner_text())
    assert len(told) == 3
    page.keyboard.press("Escape")
    assert page.locator(".chart-tooltip").is_hidden() and page.locator(".chart-ring").is_hidden()


def test_a_tap_tells_and_a_tap_elsewhere_ends_it(
    chart_pages: list[str], site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(width=390, has_touch=True)
    page.goto(f"{site_url}/{chart_pages[0]}")
    bring_to_life(page)
    figure = page.locator("figure.chart").first
    page.touchscreen.tap(*in_view(figure))
    assert page.locator(".chart-tooltip dd").first.is_visible()
    page.locator("figcaption").first.tap()
    assert page.locator(".chart-tooltip").is_hidden()


def test_the_title_of_a_calculators_chart_follows_its_inputs(
    site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/chapters/rag/pipeline.html")
    title = page.locator("#calc-index-memory .chart-title")
    before = title.inner_text()
    page.fill("#calc-index-memory-documents", "3000")
    page.press("#calc-index-memory-documents", "Enter")
    page.wait_for_function(
        """before => {
      const now = document.querySelector("#calc-index-memory .chart-title").textContent;
      return now !== before && now.startsWith("3,000 documents");
    }""",
        arg=before,
    )
