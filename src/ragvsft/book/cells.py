"""Executed cells as parts of a page: Markdown outputs are prose, hidden code is one click away."""

from __future__ import annotations

import re
from typing import Any, get_args

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from ragvsft.evidence.ledger import Verdict

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
TABLE_NOISE = re.compile(
    r"""<style\b.*?</style>| border="1"| style="text-align: \w+;"| class="dataframe\w*\"""", re.S
)
ROW_CELL = re.compile(r"<t[dh]\b[^>]*>")
NUMBER_CELL = re.compile(r"<td>(?=\s*[-+−]?[$£€]?[\d.,]+\s*[%×x]?\s*</td>)")
WORDY_CHARACTERS = 60
SCROLLER = '<div class="scroll" role="group" aria-label="Table, scrolls sideways" tabindex="0">'


def setup(app: Sphinx) -> None:
    app.add_node(HiddenCode, html=(_open_details, _close_details))
    app.add_transform(ArrangeCells)


class HiddenCode(nodes.General, nodes.Element):
    """The input of a cell: a `<details>`, closed until the reader opens it or turns all code on."""


class ArrangeCells(SphinxTransform):
    """Unwrap Markdown outputs, make their headings sections, fold inputs, mark verdicts."""

    default_priority = 100

    def apply(self, **kwargs: Any) -> None:
        for cell in list(self.document.findall(_is("cell_code"))):
            _unwrap_markdown(cell)
            _tidy_tables(cell)
            _fold_input(cell)
            _promote_headings(cell)
        for table in self.document.findall(nodes.table):
            _label_wordy_rows(table)
        for reference in self.document.findall(nodes.reference):
            _mark_verdict(reference)
        for section in self.document.findall(nodes.section):
            if "slug" in section:
                section["ids"] = [section["slug"]]


def _mark_verdict(reference: nodes.reference) -> None:
    """Class a link to a claim by its verdict; a verdict shown as a sign says its words to a screen reader."""
    said = reference.get("reftitle", reference.astext())
    verdict = said.replace(" ", "-")
    if "#claim-" not in reference.get("refuri", "") or verdict not in get_args(Verdict):
        return
    reference["classes"] += ["verdict", verdict]
    if said != (sign := reference.astext()):
        spoken = f'<span aria-hidden="true">{sign}</span><span class="verdict-words">{said}</span>'
        reference["classes"].append("verdict-sign")
        reference.children = []
        reference += nodes.raw("", spoken, format="html")


def tidy_table(html: str) -> str:
    """A pandas table in a box that scrolls: no empty header or inline style, numbers to the right."""
    if "<table" not in html:
        return html
    return TABLE.sub(lambda table: f"{SCROLLER}{_align_numbers(table[0])}</div>", TABLE_NOISE.sub("", html))


def _align_numbers(table: str) -> str:
    table = NUMBER_CELL.sub('<td class="number">', table.replace("<th></th>", "<td></td>"))
    head, split, body = table.partition("</thead>")
    rows = [ROW_CELL.findall(row) for row in body.split("</tr>") if "<td" in row]
    numeric = [all("number" in cell for cell in column) for column in zip(*rows, strict=False)]
    at = iter(numeric * head.count("<tr"))
    return (
        ROW_CELL.sub(lambda cell: '<th class="number">' if next(at, False) else cell[0], head) + split + body
    )


def _is(nb_element: str) -> Any:
    return lambda node: isinstance(node, nodes.container) and node.get("nb_element") == nb_element


def _has_mime(mime_type: str) -> Any:
    return lambda node: isinstance(node, nodes.container) and node.get("mime_type") == mime_type


def _unwrap_markdown(cell: nodes.Element) -> None:
    for bundle in list(cell.findall(_is("mime_bundle"))):
        markdown = next((mime for mime in bundle.children if mime["mime_type"] == "text/markdown"), None)
        if markdown:
            bundle.replace_self(markdown.children)
            cell["classes"].append("prose")


def _tidy_tables(cell: nodes.Element) -> None:
    for output in cell.findall(_has_mime("text/html")):
        for raw in list(output.findall(nodes.raw)):
            raw.replace_self(nodes.raw("", tidy_table(raw.astext()), format="html"))


def _fold_input(cell: nodes.Element) -> None:
    source = next(cell.findall(_is("cell_code_source")), None)
    if cell.attributes.pop("hide_mode", "input") != "input" or source is None:
        return
    if len(cell.children) == 1:
        cell["classes"].append("setup")
    cell.remove(source)
    cell.append(HiddenCode("", *source.children))


def _promote_headings(cell: nodes.Element) -> None:
    """Headings in Markdown outputs, which the parser left as rubrics, open sections like any other."""
    output = next(cell.findall(_is("cell_code_output")), None)
    if output is None:
        return
    first = next((at for at, node in enumerate(output.children) if isinstance(node, nodes.rubric)), None)
    if first is None:
        return
    rest, output.children = output.children[first:], output.children[:first]
    place: nodes.Element = cell
    for node in rest:
        if isinstance(node, nodes.rubric):
            section = nodes.section("", nodes.title("", "", *node.children), slug=node["slug"])
            section["ids"], section["names"] = node["ids"], node["names"]
            place = _insert_section(section, node["level"], after=place)
        else:
            place.append(node)
    if not output.children:
        cell.parent.remove(cell)
        place.append(cell)


def _insert_section(section: nodes.section, level: int, after: nodes.Element) -> nodes.section:
    """Put a section of a heading level behind the branch of the tree in which `after` stands."""
    ancestors = [after]
    while ancestors[-1].parent is not None:
        ancestors.append(ancestors[-1].parent)
    branch = [node for node in reversed(ancestors) if not isinstance(node, nodes.document)]
    parent_depth = min(level - 1, sum(isinstance(node, nodes.section) for node in branch))
    parent = branch[parent_depth - 1]
    if len(branch) > parent_depth:
        parent.insert(parent.index(branch[parent_depth]) + 1, section)
    else:
        parent.append(section)
    return section


def _label_wordy_rows(table: nodes.table) -> None:
    """Tables of sentences become cards on a phone: each cell carries its column's head, for then."""
    head = next(table.findall(nodes.thead), None)
    body = next(table.findall(nodes.tbody))
    cells = list(body.findall(nodes.entry))
    if head is None or not any(len(cell.astext()) > WORDY_CHARACTERS for cell in cells):
        return
    table["classes"].append("cards")
    labels = [entry.astext() for entry in head.findall(nodes.entry)]
    for row in body.findall(nodes.row):
        for label, cell in zip(labels[1:], row.children[1:], strict=True):
            cell.insert(0, nodes.paragraph("", label, classes=["label"]))


def _open_details(translator: HTML5Translator, node: HiddenCode) -> None:
    translator.body.append('<details class="code"><summary><span>Show the code</span></summary>')


def _close_details(translator: HTML5Translator, node: HiddenCode) -> None:
    translator.body.append("</details>")
