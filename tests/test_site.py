"""The built site in a real browser: weight, silence, access, width, links; and builds that must fail."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Page, Response

from ragvsft import data
from ragvsft.book import links, maths, pages
from ragvsft.book.cells import tidy_table
from ragvsft.book.exports import tables_markdown
from ragvsft.book.glossary import pattern
from ragvsft.costs import compare

ROOT = Path(__file__).parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PROSE_KB, CHART_KB = 110, 320
COMPRESSED = (".woff2", ".png")
SCROLL_THROUGH = """async () => {
  document.documentElement.style.scrollBehavior = "auto";
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
  }
}"""


@pytest.fixture
def names(site_dir: Path) -> list[str]:
    return sorted(path.relative_to(site_dir).with_suffix("").as_posix() for path in site_dir.rglob("*.html"))


@pytest.fixture
def chapters(names: list[str]) -> list[str]:
    return [name for name in names if name != "search"]


def wire_bytes(response: Response) -> int:
    body = response.body()
    return len(body) if response.url.endswith(COMPRESSED) else len(gzip.compress(body))


def read_to_the_end(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate(SCROLL_THROUGH)
    page.wait_for_load_state("networkidle")


# ----------------------------------------------------------------------------------- the page, in the browser


def test_pages_keep_within_their_weight(names: list[str], site_url: str, new_tab: Callable[..., Any]) -> None:
    too_heavy = {}
    for name in names:
        tab = new_tab()
        read_to_the_end(tab.page, f"{site_url}/{name}.html")
        budget = CHART_KB if tab.page.query_selector(".chart, .calculator") else PROSE_KB
        kilobytes = sum(map(wire_bytes, tab.responses)) / 1000
        if kilobytes > budget:
            too_heavy[name] = f"{kilobytes:.0f} KB of {budget}"
    assert too_heavy == {}


def test_pages_open_from_the_file_system(
    names: list[str], site_dir: Path, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    for name in names:
        read_to_the_end(page, (site_dir / f"{name}.html").as_uri())
        assert page.locator("h1").count() == 1, name


def test_pages_read_without_scripts(chapters: list[str], site_url: str, new_tab: Callable[..., Any]) -> None:
    page = new_tab(java_script_enabled=False).page
    for name in chapters:
        page.goto(f"{site_url}/{name}.html")
        assert page.locator("main").inner_text().strip(), name
        assert page.locator("#theme").is_hidden(), name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(
    names: list[str], site_url: str, new_page: Callable[..., Page], width: int, dark: bool
) -> None:
    page = new_page(width=width, dark=dark)
    faults: dict[str, list[str]] = {}
    for name in names:
        read_to_the_end(page, f"{site_url}/{name}.html")
        page.evaluate(AXE.read_text("utf-8"))
        options = {"runOnly": AXE_TAGS, "resultTypes": ["violations", "incomplete"]}
        result = page.evaluate("options => axe.run(document, options)", options)
        for rule in result["incomplete"]:
            print(f"{name}: incomplete: {rule['id']}, {len(rule['nodes'])} elements")
        if result["violations"]:
            faults[name] = [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in result["violations"]]
    assert faults == {}


@pytest.mark.parametrize("width", [320, 360, 390])
def test_no_page_is_wider_than_the_phone(
    names: list[str], site_url: str, new_page: Callable[..., Page], width: int
) -> None:
    page = new_page(width=width)
    widths = {}
    for name in names:
        page.goto(f"{site_url}/{name}.html")
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_theme_button_goes_round_and_is_remembered(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) == light
    page.click("#theme")
    dark = page.evaluate(paper)
    assert dark != light
    page.goto(f"{site_url}/search.html")
    assert page.evaluate(paper) == dark
    page.click("#theme")
    assert page.inner_text("#theme-name") == "auto"


def test_contents_open_on_a_phone_and_stand_on_a_desk(site_url: str, new_page: Callable[..., Page]) -> None:
    phone, desk = new_page(width=360), new_page(width=1280)
    phone.goto(f"{site_url}/index.html")
    assert phone.locator("#contents").is_hidden()
    phone.click("[popovertarget=contents]")
    assert phone.locator("#contents").is_visible()
    phone.keyboard.press("Escape")
    assert phone.locator("#contents").is_hidden()
    desk.goto(f"{site_url}/index.html")
    assert desk.locator("#contents").is_visible()


CHAPTER = "chapters/cost/cost-comparison.html"


def test_one_switch_shows_all_code_and_is_remembered(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/{CHAPTER}")
    opened = "[...document.querySelectorAll('details.code')].map((fold) => fold.open)"
    assert page.evaluate(opened) and not any(page.evaluate(opened))
    page.click("#code")
    assert all(page.evaluate(opened))
    page.reload()
    assert all(page.evaluate(opened)) and page.get_attribute("#code", "aria-pressed") == "true"
    page.click("#code")
    assert not any(page.evaluate(opened))


def test_a_term_defines_itself_by_mouse_keyboard_and_touch(
    site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{site_url}/{CHAPTER}")
    term, shown = page.locator("a.term").first, page.locator("#definition")
    term.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    term.hover()
    assert shown.is_visible() and len(shown.inner_text()) > len(term.inner_text()) + 10
    page.mouse.move(0, 0)
    assert shown.is_hidden()
    term.focus()
    assert shown.is_visible()
    page.keyboard.press("Escape")
    assert shown.is_hidden()
    phone = new_page(width=360, has_touch=True)
    phone.goto(f"{site_url}/{CHAPTER}")
    phone.locator("a.term").first.scroll_into_view_if_needed()
    phone.wait_for_timeout(300)
    phone.locator("a.term").first.tap()
    assert phone.locator("#definition").is_visible() and CHAPTER in phone.url
    phone.locator("a.term").first.tap()
    phone.wait_for_url("**/chapters/reference/glossary.html#*")


def test_the_way_through_a_page_is_there_at_every_width(site_url: str, new_page: Callable[..., Page]) -> None:
    for width in (360, 700, 1100, 1300, 1600):
        page = new_page(width=width)
        page.goto(f"{site_url}/{CHAPTER}")
        shown = page.locator(".on-this-page").evaluate_all(
            "all => all.filter(x => x.checkVisibility()).length"
        )
        assert shown == 1, width
        assert page.locator("#to-top").is_hidden()
        page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
        page.locator("#to-top").wait_for(state="visible")


def test_every_figure_has_a_number_and_offers_its_data(site_dir: Path, chapters: list[str]) -> None:
    for name in chapters:
        html = (site_dir / f"{name}.html").read_text("utf-8")
        numbers = re.findall(r'<span class="chart-number">Figure (?:\d+\.)?(\d+)</span>', html)
        assert numbers == [str(k) for k in range(1, html.count('<figure class="chart"') + 1)], name
        assert html.count("chart-download") == len(numbers), name


def test_a_figures_data_downloads_in_full(
    site_url: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page()
    page.goto(f"{site_url}/{CHAPTER}")
    figure = page.locator("figure.chart:not(.calculator figure)").first
    figure.locator("summary").click()
    with page.expect_download() as download:
        figure.locator(".chart-download").click()
    assert re.fullmatch(r"figure-\d+-\d+\.csv", download.value.suggested_filename)
    download.value.save_as(tmp_path / "rows.csv")
    head, *rows = (tmp_path / "rows.csv").read_text("utf-8").strip().split("\n")
    assert "," in head and rows


def test_a_page_says_how_to_mend_it(site_dir: Path, chapters: list[str]) -> None:
    for name in chapters:
        html = (site_dir / f"{name}.html").read_text("utf-8")
        assert f"/edit/main/{name}.ipynb" in html
        assert re.search(r"/issues/new\?template=claim\.yml&amp;title=[^\"]+&amp;claim=", html), name
        assert re.search(r'class="signals">\d+ minutes?', html), name


def test_each_claim_of_the_ledger_is_reported_with_its_id(site_dir: Path) -> None:
    html = (site_dir / "chapters" / "evidence" / "claims.html").read_text("utf-8")
    rows = re.findall(r'<span id="claim-([a-z0-9-]+)"', html)
    reported = re.findall(r'class="report" href="[^"]+template=claim\.yml[^"]*&amp;claim=([a-z0-9-]+)"', html)
    assert rows and reported == rows
    chapter = (site_dir / CHAPTER).read_text("utf-8")
    printed = dict.fromkeys(re.findall(r"#claim-([a-z0-9-]+)", chapter))
    (filled,) = re.findall(r'&amp;claim=([^"]+)">Report an error', chapter)
    assert printed and unquote_plus(filled) == f"{CHAPTER.removesuffix('.html')}: {', '.join(printed)}"


def test_search_finds_a_word(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/index.html")
    page.fill("#q", "57")
    page.press("#q", "Enter")
    page.wait_for_selector("#search-results li a")
    assert page.url.startswith(f"{site_url}/search.html?q=57")
    page.locator("#search-results a").first.click()
    assert page.url == f"{site_url}/chapters/evidence/the-57-percent.html"


def test_search_works_from_a_folder_and_as_one_types(site_dir: Path, new_page: Callable[..., Page]) -> None:
    page = new_page(width=360)
    page.goto((site_dir / "search.html").as_uri())
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("laten")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results a").first.inner_text() == "Latency"
    page.fill("#query", "zzzzqq")
    page.wait_for_selector("#search-progress:has-text('Nothing holds')")


# --------------------------------------------------------------------------------------------- the files


def test_every_link_inside_the_site_leads_somewhere(site_dir: Path, names: list[str]) -> None:
    assert links.broken_links(site_dir, names) == []


def test_every_chapter_says_what_it_is_about(site_dir: Path, chapters: list[str]) -> None:
    texts = {name: (site_dir / f"{name}.html").read_text("utf-8") for name in chapters}
    found = {
        name: re.search(r'<meta name="description" content="([^"]{40,200})">', texts[name]) for name in texts
    }
    assert [name for name, match in found.items() if not match] == []
    assert len({match[1] for match in found.values() if match}) == len(chapters)


def test_every_chapter_is_also_markdown_and_a_notebook_that_reads_whole(
    site_dir: Path, chapters: list[str]
) -> None:
    index = (site_dir / "llms.txt").read_text("utf-8")
    for name in chapters:
        markdown = (site_dir / f"{name}.md").read_text("utf-8")
        notebook = nbformat.read(site_dir / f"{name}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert markdown.startswith("# ")
        assert f"{name}.md" in index
        unrun = [
            cell.id
            for cell in notebook.cells
            if cell.cell_type == "code"
            and cell.execution_count is None
            and "skip-execution" not in cell.metadata.get("tags", [])
        ]
        assert unrun == []


def test_all_code_is_folded_and_one_click_away(site_dir: Path, chapters: list[str]) -> None:
    for name in chapters:
        notebook = nbformat.read(site_dir / f"{name}.ipynb", as_version=4)
        hidden = sum(
            cell.cell_type == "code" and "remove-input" not in cell.metadata.get("tags", [])
            for cell in notebook.cells
        )
        shown = (site_dir / f"{name}.html").read_text("utf-8").count('<details class="code">')
        assert shown == hidden, name


def test_every_table_is_json_with_schema_and_licence(site_dir: Path) -> None:
    tables = json.loads((site_dir / "data" / "index.json").read_text("utf-8"))["tables"]
    assert [table["table"] for table in tables] == [*data.tables()]
    for table in tables:
        published = json.loads((site_dir / "data" / table["json"]).read_text("utf-8"))
        assert published["licence"] == "CC-BY-4.0"
        model = data.tables()[table["table"]]
        columns = json.loads((site_dir / "data" / table["schema"]).read_text("utf-8"))["properties"]
        assert [*columns] == [*model.model_fields]
        assert len(published["rows"]) == len(data.load(table["table"]))


def test_the_json_of_the_command_line_is_described_on_the_site(site_dir: Path) -> None:
    index = json.loads((site_dir / "data" / "index.json").read_text("utf-8"))
    published = json.loads(
        (site_dir / "data" / index["schemas"]["ragvsft compare --json"]).read_text("utf-8")
    )
    assert published == compare.json_schema()


def test_the_site_holds_only_what_pages_ask_for(site_dir: Path) -> None:
    assert not [*site_dir.rglob("fontawesome*"), *site_dir.rglob("*mathjax*"), *site_dir.rglob("thebe*")]
    static = sum(path.stat().st_size for path in (site_dir / "_static").rglob("*") if path.is_file())
    assert static < 1_000_000


# ------------------------------------------------------------------------------------------- tiny books


class TinyBook:
    """A book of a few cells under the book's own configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("_config.yml", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        self.write("index", new_markdown_cell("# A tiny book\n\nIt has one page at first."))
        self.contents("index")

    def write(self, name: str, *cells: Any) -> None:
        for number, cell in enumerate(cells):
            cell.id = f"cell-{number}"
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        notebook = new_notebook(cells=list(cells), metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.folder / f"{name}.ipynb")

    def contents(self, root: str, *chapters: str) -> None:
        items = "".join(f"  - file: {name}\n" for name in chapters)
        part = f"parts:\n- caption: Part\n  chapters:\n{items}" if chapters else ""
        (self.folder / "_toc.yml").write_text(f"format: jb-book\nroot: {root}\n{part}", "utf-8")

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [
            Path(sys.executable).with_name("jupyter-book"),
            "build",
            self.folder,
            "-W",
            "-n",
            "--keep-going",
        ]
        environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "NO_COLOR": "1"}
        return subprocess.run(
            [*command, *options], text=True, env=environment, capture_output=True, check=False
        )

    def html(self, name: str) -> str:
        return (self.folder / "_build" / "html" / f"{name}.html").read_text("utf-8")


@pytest.fixture
def book(tmp_path: Path) -> TinyBook:
    return TinyBook(tmp_path / "book")


FAULTS = {
    "failing-cell": (new_code_cell("1 / 0"), "ZeroDivisionError"),
    "broken-page": (new_markdown_cell("[away](nowhere.ipynb)"), "broken link nowhere.html"),
    "broken-anchor": (new_markdown_cell("[up](index.ipynb#no-such-heading)"), "no id 'no-such-heading'"),
    "broken-output": (
        new_code_cell("from IPython.display import HTML\nHTML('<a href=\"index.ipynb#gone\">x</a>')"),
        "no id 'gone'",
    ),
    "mute-chart": (
        new_code_cell(
            "import altair as alt, pandas as pd\nfrom ragvsft.widgets import chart\n"
            "alt.Chart(pd.DataFrame({'x': [1]})).mark_point().encode(x='x')"
        ),
        "description",
    ),
    "unknown-formula": (new_markdown_cell(r"$\nosuchcommand{x}$"), "nosuchcommand"),
}


def test_a_faulty_page_fails_the_build_and_fails_it_again_until_mended(book: TinyBook) -> None:
    for name, (cell, _) in FAULTS.items():
        book.write(name, new_markdown_cell(f"# A page with a {name}"), cell)
    book.contents("index", *FAULTS)
    for attempt in (book.build(), book.build()):
        assert attempt.returncode != 0
        for name, (_, message) in FAULTS.items():
            assert message in attempt.stderr + attempt.stdout, name
    for name in FAULTS:
        book.write(name, new_markdown_cell(f"# A page with a {name}, mended"))
    mended = book.build()
    assert mended.returncode == 0, mended.stderr


def test_a_changed_number_in_data_reaches_the_page(book: TinyBook) -> None:
    table = book.folder / "data" / "prices.csv"
    table.parent.mkdir()
    book.write(
        "index",
        new_markdown_cell("# A price\n\nIt is read from a table."),
        new_code_cell("print(open('data/prices.csv').read())"),
    )
    for price in ("1.2345", "9.8765"):
        table.write_text(f"usd\n{price}\n", "utf-8")
        built = book.build()
        assert built.returncode == 0, built.stderr
        assert price in book.html("index")


def test_prose_from_a_cell_is_like_prose_from_a_text_cell(book: TinyBook) -> None:
    words = "Retrieval adds **tokens**; see [the end](#the-end) and $a_i$.\n\n## The end\n\nIt is near."
    code = f"from IPython.display import Markdown, display\ndisplay(Markdown({words!r}))"
    book.write("text", new_markdown_cell(f"# Page\n\n{words}"))
    book.write("cell", new_markdown_cell("# Page"), new_code_cell(code, metadata={"tags": ["hide-input"]}))
    book.contents("index", "text", "cell")
    built = book.build()
    assert built.returncode == 0, built.stderr
    typed, computed = book.html("text"), book.html("cell")
    assert '<section id="the-end">' in typed and '<section id="the-end">' in computed
    paragraphs = re.compile(r"<p>Retrieval.*?</p>|<p>It is near.</p>|<h2>.*?</h2>", re.S)
    assert paragraphs.findall(typed) == paragraphs.findall(computed)
    assert computed.count('<details class="code">') == 1


def test_tables_of_sentences_carry_their_heads_into_each_row(book: TinyBook) -> None:
    rows = "| Claim | Verdict |\n| --- | --- |\n| {} | holds |"
    table = new_markdown_cell("# Page\n\n" + rows.format("A sentence of many words. " * 5))
    book.write("index", table, new_markdown_cell(rows.format("short")))
    built = book.build()
    assert built.returncode == 0, built.stderr
    assert book.html("index").count('<p class="label">Verdict</p>') == 1


def test_a_term_is_linked_once_and_only_in_prose(book: TinyBook) -> None:
    (book.folder / "chapters" / "reference").mkdir(parents=True)
    entries = (
        "from IPython.display import Markdown\nfrom ragvsft import data\n"
        "from ragvsft.evidence import connections\n"
        "Markdown(' '.join(f'<span id=\"{connections.anchor(row.term)}\"></span>'"
        " for row in data.load('glossary')))"
    )
    book.write("chapters/reference/glossary", new_markdown_cell("# Glossary"), new_code_cell(entries))
    prose = "See `reranker` and [a reranker](#more). A reranker sorts; each reranker costs."
    page = new_markdown_cell(f"# On the reranker\n\n{prose}\n\n## More")
    book.write("chapters/reference/page", page)
    book.contents("index", "chapters/reference/page", "chapters/reference/glossary")
    built = book.build()
    assert built.returncode == 0, built.stderr
    html = book.html("chapters/reference/page")
    linked = re.findall(r'<a class="term [^>]*href="([^"]*)"[^>]*>reranker</a>', html)
    assert linked == ["glossary.html#term-reranker"]
    assert 'A <a class="term' in html


# ------------------------------------------------------------------------------------------- small parts


def test_links_to_notebooks_become_links_to_pages() -> None:
    assert links.to_pages('<a class="x" href="../a/b.ipynb#c">') == '<a class="x" href="../a/b.html#c">'
    untouched = '<a href="https://example.org/a.ipynb"><code>href="a.ipynb"</code>'
    assert links.to_pages(untouched) == untouched


def test_broken_links_are_named_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">1</a><a href="b.html">2</a><a href="#there">3</a><a href="../x">4</a>'
        '<a href="https://example.org">5</a><a href="#calc:cost?queries_per_month=1">6</a>'
    )
    assert links.broken_links(tmp_path, ["a"]) == [
        ("a.html", "b.html", "there is no such file"),
        ("a.html", "#there", "the page has no id 'there'"),
        ("a.html", "../x", "it leaves the site"),
    ]


def test_formulas_become_mathml_or_an_error() -> None:
    assert maths.mathml(r"\frac{a}{b}").startswith("<math")
    with pytest.raises(ValueError, match="nosuch"):
        maths.mathml(r"\nosuch{a}")
    with pytest.raises(ValueError, match="formula"):
        maths.mathml(r"\frac{a}{")


PANDAS = (
    '<table border="1" class="dataframe"><thead><tr style="text-align: right;">'
    "<th></th><th>a</th><th>b</th></tr></thead><tbody><tr><th>x</th><td>word</td><td>1.5</td></tr></tbody></table>"
)


def test_pandas_tables_lose_empty_heads_and_align_numbers() -> None:
    tidy = tidy_table(PANDAS)
    assert "<th></th>" not in tidy and "border" not in tidy and "style" not in tidy
    assert '<td class="number">1.5</td>' in tidy and "<td>word</td>" in tidy
    assert '<td></td><th>a</th><th class="number">b</th>' in tidy


def test_html_tables_become_markdown_tables() -> None:
    assert tables_markdown(PANDAS) == "|  | a | b |\n| --- | --- | --- |\n| x | word | 1.5 |"


def test_terms_match_whole_words_and_the_longest_wins() -> None:
    terms = pattern(["RAG", "chunk", "chunk overlap"])
    assert terms.findall("RAG, rag, drag, Chunks, chunk overlap, chunk-wise") == [
        "RAG",
        "Chunk",
        "chunk overlap",
    ]


def test_descriptions_are_cut_at_a_word() -> None:
    from docutils import nodes
    from docutils.utils import new_document

    document = new_document("page")
    document += nodes.section("", nodes.title("", "Title"), nodes.paragraph("", "word " * 60))
    cut = pages.shortened(pages.first_paragraph(document))
    assert len(cut) <= 160 and cut.endswith("word…")
