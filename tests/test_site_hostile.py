"""The built site under hostile links and markup: nothing throws, one case is shown, no script slips in."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

FRAGMENTS = 400
KEYS = (
    "queries_per_month",
    "output_tokens",
    "horizon_months",
    "llm",
    "nonsense",
    "__proto__",
    "constructor",
    "",
    "a b",
)
VALUES = (
    *(
        "1e-100",
        "5e-324",
        "1e-61",
        "1e-60",
        "0",
        "-0",
        "-1",
        "1e999",
        "NaN",
        "Infinity",
        "1e21",
        "9" * 400,
        "1_000",
    ),
    *(
        "0x10",
        "1,5",
        "１２",
        "%",
        "%zz",
        "%00",
        "<img src=x onerror=alert(1)>",
        "</script>",
        "javascript:alert(1)",
    ),
    *(
        "claude-haiku-5-5",
        "toString",
        "__proto__",
        "",
        "null",
        "\ud800",
        "💥" * 50,
        "a;calc:decide?b=1",
        "𝟏",
        "1e5 ",
    ),
)
STATE = """() => ({
  ids: [...ragvsftCalculators.calculators.keys()],
  wrong: [...ragvsftCalculators.calculators.values()].filter((calculator) => {
    const shown = JSON.stringify(calculator.outputs);
    return (!calculator.data.matrix && shown !== JSON.stringify(calculator.compute(calculator.values())))
      || [...calculator.inputs.values()].some((input) => !input.choices
        && calculator.element(input.name, ".number").value !== calculator.parts(input).text);
  }).map((calculator) => calculator.data.id),
})"""


def calculator_pages(site_dir: Path) -> list[str]:
    return [
        path.relative_to(site_dir).as_posix()
        for path in sorted(site_dir.rglob("*.html"))
        if 'class="calculator-data"' in path.read_text("utf-8")
    ]


def hostile_fragments(ids: list[str], seed: int) -> list[str]:
    """Fragments of the reader's grammar and near it, from the parts above."""
    draw = random.Random(seed)
    made = [
        "calc:",
        "calc:;;;",
        "calc:?a=1",
        "%",
        "calc:" + "a" * 100_000,
        "calc:x?" + "&".join(["a=1"] * 3000),
    ]
    while len(made) < FRAGMENTS:
        parts = []
        for _ in range(draw.randint(1, 3)):
            pairs = "&".join(f"{draw.choice(KEYS)}={draw.choice(VALUES)}" for _ in range(draw.randint(0, 5)))
            parts.append(f"calc:{draw.choice([*ids, 'gone', 'decide', '__proto__'])}?{pairs}")
        made.append(draw.choice([";", "&", "#", ";;"]).join(parts))
    return made


def test_no_link_makes_a_page_throw_or_show_two_cases(
    site_dir: Path, site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    for number, address in enumerate(calculator_pages(site_dir)):
        page.goto(f"{site_url}/{address}")
        ids = page.evaluate(STATE)["ids"]
        fragments = hostile_fragments(ids, number)[: FRAGMENTS // 10 if number else None]
        for fragment in fragments:
            page.evaluate(
                "(hash) => { location.hash = hash; dispatchEvent(new HashChangeEvent('hashchange')); }",
                fragment,
            )
            assert page.evaluate(STATE) == {"ids": ids, "wrong": []}, fragment
        for fragment in fragments[6:12]:
            page.goto("about:blank")
            page.goto(f"{site_url}/{address}#{fragment}")
            assert page.evaluate(STATE) == {"ids": ids, "wrong": []}, fragment


@pytest.mark.parametrize("value", ["1e-100", "5e-324", "1e-61", "1e-60", "1e-59"])
def test_a_tiny_input_is_shown_with_its_own_numbers(
    value: str, site_dir: Path, site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    address = next(each for each in calculator_pages(site_dir) if "cost-comparison" in each)
    page.goto(f"{site_url}/{address}#calc:cost-comparison?output_tokens={value}&queries_per_month=1000000")
    assert page.evaluate(STATE)["wrong"] == []
    state = page.evaluate("() => ragvsftCalculators.calculators.get('cost-comparison').state")
    assert state["queries_per_month"] == 1_000_000


def test_formats_print_any_finite_number_as_python_does(
    site_dir: Path, site_url: str, new_page: Callable[..., Page]
) -> None:
    from ragvsft import prose

    page = new_page()
    page.goto(f"{site_url}/{calculator_pages(site_dir)[0]}")
    draw = random.Random(1)
    values = [
        draw.choice([1, -1]) * draw.uniform(1, 10) * 10.0 ** draw.randint(-320, 17) for _ in range(2000)
    ]
    for name, python in (("number", prose.number), ("percent", prose.percent), ("usd", prose.usd)):
        shown = page.evaluate(f"(values) => values.map(ragvsftCalculators.format.{name})", values)
        expected = [python(value).replace("\\", "") for value in values]
        differing = [(value, a, b) for value, a, b in zip(values, shown, expected, strict=True) if a != b]
        assert differing == [], name


def test_a_link_copied_under_a_double_slash_leads_back(
    site_dir: Path, site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    address = next(each for each in calculator_pages(site_dir) if "cost-comparison" in each)
    page.goto(f"{site_url}//{address}")
    page.locator("#calc-cost-comparison-queries_per_month").fill("777")
    link = page.evaluate("() => ragvsftCalculators.calculators.get('cost-comparison').address()")
    assert link == f"{site_url}//{address}#calc:cost-comparison?queries_per_month=777"


def test_what_a_link_should_not_hold_is_not_copied_into_the_next(
    site_dir: Path, site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    address = next(each for each in calculator_pages(site_dir) if "cost-comparison" in each)
    page.goto(f"{site_url}/{address}#calc:gone?a=1;calc:cost-comparison?b=2&queries_per_month=777&llm=none")
    link = page.evaluate("() => ragvsftCalculators.calculators.get('cost-comparison').address()")
    assert link == f"{site_url}/{address}#calc:cost-comparison?queries_per_month=777"


# ------------------------------------------------------------------------------------- scripts and markup


def policies(site_dir: Path) -> dict[str, dict[str, str]]:
    found = {}
    for path in sorted(site_dir.rglob("*.html")):
        text = path.read_text("utf-8")
        meta = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert meta and text.index("<script") > meta.start(), path
        parts = meta[1].replace("&#39;", "'").split("; ")
        found[path.relative_to(site_dir).as_posix()] = dict(part.split(" ", 1) for part in parts)
    return found


def test_every_page_says_what_may_run_without_eval_or_foreign_hosts(site_dir: Path) -> None:
    for page, policy in policies(site_dir).items():
        assert policy["default-src"] == "'none'" and policy["base-uri"] == "'none'", page
        assert "unsafe" not in policy["script-src"], page
        for sources in policy.values():
            assert not re.search(r"https?:|\*|blob:", sources), page


def test_markup_that_gets_into_a_page_runs_nothing(
    site_dir: Path, site_url: str, new_tab: Callable[..., Any]
) -> None:
    tab = new_tab()
    tab.page.goto(f"{site_url}/index.html")
    tab.page.evaluate("""() => {
      document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='window.planted = 1'>");
      const script = document.createElement("script");
      script.textContent = "window.planted = 2";
      document.body.append(script);
      const link = document.createElement("a");
      link.href = "javascript:window.planted = 3";
      document.body.append(link);
      link.click();
    }""")
    tab.page.wait_for_timeout(200)
    assert tab.page.evaluate("() => window.planted") is None
    assert any("Content Security Policy" in error for error in tab.errors)
    tab.errors.clear()


def test_no_island_of_json_holds_a_tag(site_dir: Path) -> None:
    islands = 0
    for path in site_dir.rglob("*.html"):
        for island in re.findall(
            r'<script type="application/json"[^>]*>(.*?)</script>', path.read_text("utf-8"), re.S
        ):
            assert "<" not in island, path
            json.loads(island)
            islands += 1
    assert islands > 20


def test_every_page_has_a_picture_and_the_feed_and_stands_in_the_site_map(site_dir: Path) -> None:
    site_map = (site_dir / "sitemap.xml").read_text("utf-8")
    for path in site_dir.rglob("*.html"):
        text = path.read_text("utf-8")
        named = re.search(r'<meta property="og:image" content="https://\S+?/(social/\S+\.png)">', text)
        assert named, path
        picture = (site_dir / named[1]).read_bytes()
        size = picture[16:20], picture[20:24]
        feed = re.search(r'<link rel="alternate" type="application/atom\+xml"[^>]* href="([^"]+)">', text)
        assert feed and (path.parent / feed[1]).is_file(), path
        assert picture.startswith(b"\x89PNG") and [int.from_bytes(n, "big") for n in size] == [1200, 630]
        if path.name != "search.html":
            assert path.relative_to(site_dir).as_posix() in site_map
            assert named[1] == f"social/{path.relative_to(site_dir).with_suffix('.png').as_posix()}"
            assert '<meta name="description" content="' in text and '<link rel="canonical"' in text, path
