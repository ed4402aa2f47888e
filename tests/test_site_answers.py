"""The answer browser in the built site: it shows what was recorded, and loads nothing before it is opened."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ragvsft.tuning import results

ROOT = Path(__file__).parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGE = "chapters/evidence/quality-comparison.html"
CELL = "answers:tuning?condition=base&questions=new&retrieval=gold"
COUNT = "#answers-tuning .answers-count"


def recorded(**cell: object) -> tuple[int, int]:
    """How many answers a cell holds, and how many of them are right."""
    lines = list(results.outputs(**cell))
    return len(lines), sum(line["correct"] for line in lines)


def test_a_link_to_a_cell_shows_what_was_recorded_there(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/{PAGE}#{CELL}")
    answers, right = recorded(condition="base", questions="new", retrieval="gold")
    expect(page.locator(COUNT)).to_contain_text(f"{answers} answers, {right} right")
    page.locator("#answers-tuning select[name=condition]").select_option("facts")
    answers, right = recorded(condition="facts", questions="new", retrieval="gold")
    expect(page.locator(COUNT)).to_contain_text(f"{answers} answers, {right} right")
    assert "condition=facts" in page.url


def test_nothing_is_loaded_before_a_reader_opens_it(site_url: str, new_page: Callable[..., Page]) -> None:
    page, asked = new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site_url}/{PAGE}")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/data/answers/" in url]
    page.locator("#answers-tuning > summary").press("Enter")
    expect(page.locator(COUNT)).to_contain_text("answers,")
    assert [url for url in asked if "/data/answers/" in url]


def test_a_record_opens_by_keyboard_and_has_a_link_of_its_own(
    site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/{PAGE}#{CELL}")
    first = page.locator("#answers-tuning .answers-list > li").first
    first.locator("summary").press("Enter")
    line = next(iter(results.outputs(condition="base", questions="new", retrieval="gold")))
    expect(first.locator("pre").first).to_have_text(line["prompt"])
    expect(first.locator("pre").last).to_have_text(line["output"])
    page.goto(f"{site_url}/{PAGE}{first.get_by_role('link', name='Link to this one').get_attribute('href')}")
    expect(page.locator(COUNT)).to_have_text("One record.")


def test_a_link_that_names_what_is_not_offered_says_so(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/{PAGE}#answers:tuning?condition=<b>gpt</b>&colour=red")
    message = page.locator("#answers-tuning .answers-message")
    expect(message).to_contain_text("Not offered, and left out: condition “<b>gpt</b>”, “colour”.")
    assert message.locator("b").count() == 0


def test_it_works_from_a_folder(site_dir: Path, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{(site_dir / PAGE).as_uri()}#{CELL}")
    expect(page.locator(COUNT)).to_contain_text("answers,")


def test_without_scripts_the_file_is_offered(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site_url}/{PAGE}")
    page.locator("#answers-tuning > summary").click()
    expect(page.locator("#answers-tuning .answers-without")).to_be_visible()
    href = page.locator("#answers-tuning .answers-note a").get_attribute("href")
    assert page.request.get(f"{site_url}/{Path(PAGE).parent}/{href}").ok


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_it_fits_and_axe_finds_nothing(
    site_url: str, new_page: Callable[..., Page], width: int, dark: bool
) -> None:
    page = new_page(width, dark=dark, bypass_csp=True)
    page.goto(f"{site_url}/{PAGE}#{CELL}")
    page.locator("#answers-tuning .answers-list > li summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run('#answers-tuning', {preload: false}).then((run) => run.violations)")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
