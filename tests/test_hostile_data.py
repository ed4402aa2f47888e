"""Markup in a row of `data/` is shown as text in every chapter, on the site, in JupyterLab and in Markdown.

`data.py` refuses such a row; here its rows are given the markup after that, as if the refusal were gone.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.formatters import format_display_data
from IPython.display import Markdown
from markdown_it import MarkdownIt

import in_notebook
from ragvsft import data, prose
from ragvsft.book import exports
from ragvsft.tools.notebooks import find
from tools.test_inputs import forget

ROOT = Path(__file__).parent.parent
PLANTED = "<img src=x onerror=planted()><!--<script>"
SHOWN = {
    *("action", "definition", "example_question", "expected_answer", "finding", "help", "how_to_write"),
    *("meaning", "note", "offer", "population", "provider", "reason", "source_value", "statement"),
    *("stop_when", "why"),
}
"""Columns of free text that pages may show."""
SPOKEN_OF = ("Claude Haiku 5.5",)
"""Values by which a chapter finds a row."""


def planted(row: data.Row) -> data.Row:
    texts = {
        column: f"{value} {PLANTED}"
        for column, value in row
        if column in SHOWN and isinstance(value, str) and value not in SPOKEN_OF and not _is_name(row, column)
    }
    return row.model_copy(update=texts)


def _is_name(row: data.Row, column: str) -> bool:
    return any(isinstance(mark, data.References) for mark in type(row).model_fields[column].metadata)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every free text of every table ends in markup that would run a script."""
    read = data.read
    monkeypatch.setattr(data, "read", lambda path, model: tuple(map(planted, read(path, model))))
    forget()
    yield
    forget()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.met: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img" or any(name.startswith("on") for name, _ in attrs):
            self.met.append(self.get_starttag_text() or tag)


def live(html: str) -> list[str]:
    """The tags of an HTML text that the planted markup became."""
    reader = Tags()
    reader.feed(html)
    return reader.met + re.findall("<!--<script", html)


def bundles(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What every cell of a notebook shows, as MIME bundles."""
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    shown += [value for value in in_notebook.shown(notebook) if value is not None]
    return [format_display_data(value)[0] for value in shown]


def as_html(bundle: dict[str, Any]) -> Iterator[str]:
    """The HTML that each form of an output becomes; Markdown with HTML let through, as Jupyter reads it."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", bundle)])
    cell.metadata["tags"] = ["hide-input"]
    yield markdown.render(exports.page_markdown(nbformat.v4.new_notebook(cells=[cell])))
    for mime, content in bundle.items():
        if mime == "text/markdown":
            yield markdown.render(content)
        elif mime == "text/html":
            yield content
        elif isinstance(content, dict) and "html" in content:
            yield content["html"]


@pytest.mark.parametrize(
    "notebook", [*find([ROOT / "index.ipynb", ROOT / "chapters"])], ids=lambda path: path.stem
)
def test_no_chapter_lets_markup_of_a_row_run(
    notebook: Path, hostile: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bundle in bundles(notebook, monkeypatch):
        for html in as_html(bundle):
            assert live(html) == []


def test_the_planted_markup_reaches_pages_as_text(hostile: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for chapter in ("reference/glossary", "evidence/claims"):
        shown = bundles(ROOT / "chapters" / f"{chapter}.ipynb", monkeypatch)
        text = "".join(bundle.get("text/markdown", "") for bundle in shown)
        assert "&lt;img" in text and "<img" not in text


def test_say_keeps_the_places_that_links_lead_to_and_no_other_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Markdown] = []
    monkeypatch.setattr("IPython.display.display", said.append)
    place = '<span id="claim-a.b" class="verdict holds">x</span>'
    prose.say(place)
    assert said.pop().data == place
    for tag in ("<img src=x>", "</p>", "<!-- -->", "<?x?>", '<span onclick="x">', "<span id=x>", "<SCRIPT>"):
        prose.say(f"a {tag} b < 3")
        assert said.pop().data.startswith("a &lt;"), tag


def test_titles_and_tables_are_text_in_markdown_too() -> None:
    html = "<table><tr><th>a</th></tr><tr><td>&lt;img src=x&gt;</td></tr></table>"
    assert "<img" not in exports.tables_markdown(html)
    assert re.search(r"&lt;img", exports.tables_markdown(html))
