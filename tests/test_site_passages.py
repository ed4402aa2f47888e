"""The search box in Chromium: keywords on focus, vectors on a click, and what it says when it cannot."""

import gzip
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ragvsft.book import passages
from ragvsft.retrieval.pipeline import embed, int8, lexical, search
from ragvsft.tools import demo
from serving import QuietHandler

ROOT = Path(__file__).parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGE = "chapters/rag/pipeline.html"
QUESTION = "Can employees see what they may not?"
SAID = ".passages-said"


def serve(site: Path) -> tuple[ThreadingHTTPServer, str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/{PAGE}"


@pytest.fixture(scope="module")
def with_model(site_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A copy of the site to which `make demo`'s program has added the model, and its page's address."""
    copy = tmp_path_factory.mktemp("site") / "html"
    shutil.copytree(site_dir, copy)
    demo.add(copy, ROOT / demo.CACHE)
    server, address = serve(copy)
    yield copy, address
    server.shutdown()


@pytest.fixture(scope="module")
def without_model(site_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A copy of the site as `make site` leaves it, and its page's address."""
    copy = tmp_path_factory.mktemp("site") / "html"
    shutil.copytree(site_dir, copy, ignore=shutil.ignore_patterns(demo.FOLDER))
    passages.write(copy, passages.read(copy).model_copy(update={"dense": None}))
    server, address = serve(copy)
    yield copy, address
    server.shutdown()


def ask(page: Page, question: str) -> None:
    page.fill("#passages-query", question)
    page.press("#passages-query", "Enter")


def test_the_book_is_cut_into_passages_of_its_chapters(site_dir: Path) -> None:
    index = passages.read(site_dir)
    assert len(index.passages) > 300 and len(index.chapters) > 15
    assert max(len(one.text.split()) for one in index.passages) <= passages.WORDS
    for one in index.passages:
        html = (site_dir / index.chapters[one.chapter][0]).read_text("utf-8")
        assert f'id="{one.anchor}"' in html
    assert not [address for address, _ in index.chapters if address.startswith(passages.LEFT_OUT)]


def test_passages_load_on_focus_and_the_model_on_a_click(
    with_model: tuple[Path, str], new_tab: Callable[..., Any]
) -> None:
    tab = new_tab()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))

    def loaded(part: str) -> int:
        return sum(part in url for url in asked)

    tab.page.goto(with_model[1])
    tab.page.wait_for_load_state("networkidle")
    assert not loaded("passages.js") and not loaded("lexical.js") and not loaded("/demo/")
    tab.page.focus("#passages-query")
    offer = tab.page.get_by_role("button", name="Search by vectors too")
    expect(offer).to_contain_text("(loads 21 MB)")
    assert loaded("passages.js") == loaded("lexical.js") == 1 and not loaded("/demo/")
    ask(tab.page, QUESTION)
    expect(tab.page.locator(SAID)).to_contain_text("passages share a word with the question")
    expect(tab.page.locator(".passages-table thead th")).to_have_count(2)
    offer.click()
    expect(tab.page.locator(SAID)).to_contain_text("Keywords and vectors", timeout=60_000)
    assert loaded("/demo/minilm.") == loaded("/demo/vectors.") == 1


def test_the_browser_ranks_as_python_does(
    with_model: tuple[Path, str], new_page: Callable[..., Page]
) -> None:
    site, address = with_model
    index = passages.read(site)
    texts = [index.whole(one) for one in index.passages]
    page = new_page()
    page.goto(address)
    page.focus("#passages-query")
    page.get_by_role("button", name="Search by vectors too").click()
    expect(page.locator(SAID)).to_have_text("The model is here: ask a question.", timeout=60_000)
    questions = [QUESTION, "Does deleting a document delete its vector?", "MMLU", "Which model is cheapest?"]
    found = page.evaluate(
        """async (questions) => {
          const ranked = [];
          for (const question of questions) {
            const { keywords, vectors, fused } = await window.ragvsftPassageSearch.rank(question);
            ranked.push([keywords, vectors, fused].map((ranking) => ranking.slice(0, 10)));
          }
          return ranked;
        }""",
        questions,
    )
    assert index.dense
    packed = embed.safetensors(gzip.decompress((site / index.dense.vectors).read_bytes()))
    vectors, bm25 = int8.unpack(packed)["vectors"], lexical.bm25(texts)
    for question, vector, ranked in zip(
        questions, int8.minilm_int8(embed.model_folder()).embed(questions), found, strict=True
    ):
        scores = bm25.scores(question)
        sides = [
            [int(k) for k in search.best(scores, search.DEPTH) if scores[k] > 0],
            [int(k) for k in search.best(vectors @ vector, search.DEPTH)],
        ]
        fused = search.fuse([[f"{k:04}" for k in side] for side in sides])
        order = [int(name) for name in sorted(fused, key=lambda name: (-fused[name], name))]
        assert ranked == [side[:10] for side in (*sides, order)], question
        if sides[0]:
            ask(page, question)
            common = len({*sides[0][:10]} & {*sides[1][:10]})
            expect(page.locator(SAID)).to_contain_text(f"their first 10 have {common} in common.")


def test_a_chapter_that_is_deleted_is_found_no_more_until_it_is_put_back(
    without_model: tuple[Path, str], new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(without_model[1])
    ask(page, QUESTION)
    first = page.locator(".passages-table tbody tr").first
    expect(first).to_be_visible()
    before = page.locator(".passages-table").inner_text()
    chapters = page.locator(".passages-table .passages-where").all_inner_texts()
    page.select_option("#passages-chapter", label=chapters[0])
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(SAID)).to_contain_text("passages are in the index.")
    assert chapters[0] not in page.locator(".passages-table .passages-where").all_inner_texts()
    page.get_by_role("button", name=f"Put back: {chapters[0]}").click()
    expect(page.locator(".passages-table")).to_have_text(before, use_inner_text=True)


def test_the_prompt_is_shown_with_its_tokens_and_the_calculators_price(
    without_model: tuple[Path, str], new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(without_model[1])
    ask(page, QUESTION)
    summary = page.locator(".passages-prompt summary")
    expect(summary).to_contain_text("about ")
    summary.click()
    shown = page.inner_text(".passages-prompt pre")
    assert shown.endswith(f"Question: {QUESTION}") and "[5] " in shown and "[6] " not in shown
    price = page.locator("#calc-prompt-price tbody tr").last.locator("td").first
    expect(summary).to_contain_text(price.inner_text())
    before = summary.inner_text()
    page.select_option("#calc-prompt-price-model", index=1)
    assert summary.inner_text() != before
    expect(summary).to_contain_text(price.inner_text())
    counted = embed.load_tokenizer(embed.model_folder()).encode(shown, add_special_tokens=False).ids
    said = int(summary.inner_text().partition("about ")[2].partition(" ")[0].replace(",", ""))
    assert abs(said - len(counted)) <= 5


@pytest.mark.parametrize(
    "question", ["", "   ", "x" * 100_000, "<img src=x onerror=alert(1)> vector", "zzzqq"]
)
def test_a_hostile_question_is_answered_in_words(
    without_model: tuple[Path, str], new_page: Callable[..., Page], question: str
) -> None:
    page = new_page()
    page.goto(without_model[1])
    ask(page, question)
    said = {
        "": "Type a question first.",
        "   ": "Type a question first.",
        "x" * 100_000: "A question may have 4,000 characters; this one has 100,000.",
        "zzzqq": "No passage shares a word with the question: keywords find nothing.",
    }
    expect(page.locator(SAID)).to_contain_text(said.get(question, "share a word with the question"))
    assert page.locator("section.passages img").count() == 0


def test_without_the_model_or_from_a_folder_the_page_says_why(
    without_model: tuple[Path, str], with_model: tuple[Path, str], new_page: Callable[..., Page]
) -> None:
    for address, reason in (
        (without_model[1], "make demo adds it"),
        ((with_model[0] / PAGE).as_uri(), "opened from a folder"),
    ):
        page = new_page()
        page.goto(address)
        ask(page, QUESTION)
        expect(page.locator(SAID)).to_contain_text("passages share a word with the question")
        expect(page.locator(".passages-offer")).to_contain_text(reason)
        expect(page.locator('[data-action="load"]')).to_be_hidden()


def test_a_model_that_does_not_come_is_said_and_keywords_go_on(
    with_model: tuple[Path, str], new_tab: Callable[..., Any]
) -> None:
    tab = new_tab()
    tab.page.context.route("**/demo/vectors.*", lambda route: route.abort())
    tab.page.goto(with_model[1])
    tab.page.focus("#passages-query")
    tab.page.get_by_role("button", name="Search by vectors too").click()
    expect(tab.page.locator(SAID)).to_contain_text("The model could not be loaded", timeout=60_000)
    ask(tab.page, QUESTION)
    expect(tab.page.locator(SAID)).to_contain_text("share a word")
    expect(tab.page.get_by_role("button", name="Search by vectors too")).to_be_enabled()
    tab.errors.clear()


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_results_fit_and_axe_finds_nothing(
    with_model: tuple[Path, str], new_page: Callable[..., Page], width: int, dark: bool
) -> None:
    page = new_page(width=width, dark=dark)
    page.goto(with_model[1])
    page.focus("#passages-query")
    page.get_by_role("button", name="Search by vectors too").click()
    expect(page.locator(SAID)).to_contain_text("The model is here", timeout=60_000)
    ask(page, QUESTION)
    expect(page.locator(".passages-table thead th")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "axe.run(document.querySelector('section.passages'), {resultTypes: ['violations']})"
    )
    assert [json.dumps(rule["nodes"][0]["html"]) for rule in found["violations"]] == []


def test_a_screen_reader_hears_each_result_once(
    without_model: tuple[Path, str], new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(without_model[1])
    page.evaluate(
        """() => {
          window.heard = [];
          for (const region of document.querySelectorAll("[role=status], [aria-live]")) {
            new MutationObserver(() => region.textContent && window.heard.push(region.textContent))
              .observe(region, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )
    ask(page, QUESTION)
    expect(page.locator(SAID)).to_contain_text("share a word")
    page.wait_for_timeout(1200)
    assert page.evaluate("window.heard") == [page.inner_text(SAID)]


def test_the_models_licence_and_hashes_are_among_the_licences(with_model: tuple[Path, str]) -> None:
    text = (with_model[0] / "LICENCES.txt").read_text("utf-8")
    assert (
        text.count(embed.WEIGHTS_SHA256) == 1 and "Apache License" in text.partition(embed.WEIGHTS_SHA256)[2]
    )
    again = demo.add(with_model[0], ROOT / demo.CACHE)
    assert (with_model[0] / "LICENCES.txt").read_text("utf-8") == text
    assert sorted(os.listdir(with_model[0] / demo.FOLDER)) == sorted(
        Path(name).name for name in (again.model, again.vectors)
    )
