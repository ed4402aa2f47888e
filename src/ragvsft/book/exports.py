"""Each page again as Markdown and as an executed notebook, the data as JSON, and `llms.txt` to find them."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import nbformat
import vl_convert
from sphinx.application import Sphinx

from ragvsft import data
from ragvsft.book.execution import executed
from ragvsft.book.pages import parts
from ragvsft.chapters import METADATA
from ragvsft.costs.compare import json_schema
from ragvsft.evidence import changes
from ragvsft.prices.offers import Price, dates, offers, rates
from ragvsft.prose import day, without_markup
from ragvsft.widgets import answer_browser
from ragvsft.widgets.calculator import MIME as CALCULATOR_MIME
from ragvsft.widgets.chart import LAB_MIME, SITE_MIME

DATA_LICENCE = "CC-BY-4.0"
MOVED = {"embeddings": "prices", "models": "prices"}
"""Tables of the first edition, and where their rows went: their addresses say so."""
FEED = "changes.xml"
ATOM = "http://www.w3.org/2005/Atom"
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
VENDOR = Path(__file__).parent / "static" / "vendor"
DOLLAR = r"<span>\$</span>"
NOTEBOOK_LINK = re.compile(r"(\]\((?![a-z]+:)[^)#\s]+)\.ipynb(?=[#)])")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _export, priority=400)


def _export(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for name in sorted(app.env.found_docs):
        page, markdown = site / f"{name}.html", site / f"{name}.md"
        if not markdown.exists() or markdown.stat().st_mtime_ns < page.stat().st_mtime_ns:
            try:
                notebook = executed(app, name)
            except KeyError:  # it failed: there are no results to export, and the build has said so
                continue
            markdown.write_text(page_markdown(notebook), "utf-8")
            nbformat.write(portable(notebook), site / f"{name}.ipynb")
    (site / "llms.txt").write_text(llms_txt(app), "utf-8")
    (site / "LICENCES.txt").write_text(licences(), "utf-8")
    (site / FEED).write_text(feed(app.config.html_baseurl), "utf-8")
    export_data(site / "data")
    answer_browser.write(site / "data" / "answers")


def feed(address: str) -> str:
    """What changed, by date, as an Atom feed of the book at this address (RFC 4287)."""
    days = changes.days()

    def child(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
        made = SubElement(parent, name, attributes)
        made.text = text or None
        return made

    root = Element("feed", xmlns=ATOM)
    child(root, "title", "RAG or fine-tuning? What changed")
    child(root, "id", f"{address}{FEED}")
    child(root, "link", rel="self", href=f"{address}{FEED}")
    child(root, "link", href=f"{address}{changes.PAGE}")
    child(root, "updated", f"{days[0].as_of}T00:00:00Z")
    child(child(root, "author"), "name", "The authors of RAG or fine-tuning?")
    for each in days:
        entry = child(root, "entry")
        child(entry, "title", f"{day(each.as_of)}: {each.summary}")
        child(entry, "id", f"{address}{changes.PAGE}#{each.as_of}")
        child(entry, "link", href=f"{address}{changes.PAGE}")
        child(entry, "updated", f"{each.as_of}T00:00:00Z")
        child(entry, "content", "\n".join(change.text for change in each.changes) or each.summary)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def portable(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The executed notebook as a reader downloads it: whole in any viewer, the same from every run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        for bundle in (output["data"] for output in cell.get("outputs", []) if "data" in output):
            if calculator := bundle.pop(CALCULATOR_MIME, None):
                bundle["text/html"] = SCRIPT.sub("", calculator["html"])
            if bundle.pop(SITE_MIME, None):
                bundle["image/svg+xml"] = vl_convert.vegalite_to_svg(bundle[LAB_MIME])
    return notebook


def page_markdown(notebook: nbformat.NotebookNode) -> str:
    """The page as plain Markdown: prose and results; the code only of cells not tagged to hide it."""
    blocks: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            blocks.append(cell.source)
            continue
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not {"hide-input", "remove-input"} & {*tags}:
            blocks.append(f"```python\n{cell.source}\n```")
        if "remove-output" not in tags:
            blocks += [_output_markdown(output) for output in cell.get("outputs", [])]
    text = "\n\n".join(block.strip() for block in blocks if block.strip())
    return NOTEBOOK_LINK.sub(r"\1.md", text).replace(DOLLAR, "$") + "\n"


def _output_markdown(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return f"```text\n{output.text.rstrip()}\n```" if output.name == "stdout" else ""
    bundle = output.get("data", {})
    if "text/markdown" in bundle:
        return str(bundle["text/markdown"])
    if LAB_MIME in bundle:
        return f"> Chart: {without_markup(bundle['text/plain'])}"
    if CALCULATOR_MIME not in bundle and "<table" in bundle.get("text/html", ""):
        return tables_markdown(bundle["text/html"])
    return f"```text\n{bundle['text/plain']}\n```" if "text/plain" in bundle else ""


class _TableReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self.cell is not None:
            self.tables[-1][-1].append(_cell_markdown("".join(self.cell)))
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)


def _cell_markdown(text: str) -> str:
    return without_markup(" ".join(text.split())).replace("|", "\\|")


def tables_markdown(html: str) -> str:
    """Every table of an HTML output as a Markdown table; the first row is its head."""
    reader = _TableReader()
    reader.feed(html)
    return "\n\n".join(
        "\n".join(f"| {' | '.join(row)} |" for row in [table[0], ["---"] * len(table[0]), *table[1:]])
        for table in reader.tables
        if table
    )


def llms_txt(app: Sphinx) -> str:
    """The index for language models: every page with its description, and the data."""
    base, metadata = app.config.html_baseurl, app.env.metadata
    root = app.config.root_doc
    lines = [f"# {app.config.html_title}", "", f"> {metadata[root]['claim']}", ""]
    lines += [f"- [{app.env.titles[root].astext()}]({base}{root}.md)", ""]
    for part in parts(app):
        lines += [f"## {part['caption']}", ""]
        lines += [
            f"- [{title}]({base}{name}.md): {metadata[name]['claim']}" for name, title in part["chapters"]
        ]
        lines.append("")
    lines += ["## Data", "", f"- [All tables, with their schemas and licence]({base}data/index.json)"]
    return without_markup("\n".join(lines)) + "\n"


def licences() -> str:
    """The licence of every script and font that the site carries and that is not its own."""
    return (VENDOR / "LICENCES.txt").read_text("utf-8")


def export_data(folder: Path) -> None:
    """Every table of `data/` as CSV, as JSON rows and with the JSON schema of a row, and an index of them.

    The recorded answers, which are no table, go beside them as they are; so do the prices as they stood on
    each date on which one of them changed.
    """
    names = list(data.tables())
    for name in names:
        rows = [row.model_dump(mode="json") for row in data.load(name)]
        _write_json(folder / f"{name}.schema.json", data.schema(name))
        _write_json(folder / f"{name}.json", {"table": name, "licence": DATA_LICENCE, "rows": rows})
        shutil.copyfile(data.DATA / f"{name}.csv", folder / f"{name}.csv")
    for browser in answer_browser.browsers():
        shutil.copyfile(data.DATA / "measured" / browser.file, folder / "measured" / browser.file)
    tables = [
        {"table": name, "json": f"{name}.json", "csv": f"{name}.csv", "schema": f"{name}.schema.json"}
        for name in names
    ]
    for old, new in MOVED.items():
        _write_json(folder / f"{old}.json", {"table": old, "moved_to": f"{new}.json"})
    _write_json(folder / "compare.schema.json", json_schema())
    _write_json(folder / "prices-as-of" / "price.schema.json", Price.model_json_schema())
    for on in dates():
        _write_json(folder / "prices-as-of" / f"{on}.json", prices_as_of(on))
    described = {
        "ragvsft compare --json": "compare.schema.json",
        "a row of prices-as-of": "prices-as-of/price.schema.json",
    }
    archives = [f"prices-as-of/{on}.json" for on in dates()]
    index = {"licence": DATA_LICENCE, "tables": tables, "archives": archives, "schemas": described}
    _write_json(folder / "index.json", index)


def prices_as_of(on: date) -> dict[str, Any]:
    """Every price, limit and speed as it stood on a date, in USD, with its own date and source."""
    found = [price for offer_id in offers(on) for price in rates(offer_id, on).values()]
    rows = [price.model_dump(mode="json") for price in found]
    return {"as_of": str(on), "licence": DATA_LICENCE, "prices": rows}


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
