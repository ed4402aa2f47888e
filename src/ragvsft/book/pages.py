"""What a page says about itself: its description, its part, its scripts, and where else it can be read."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import subprocess
import tomllib
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from sphinx.application import Sphinx

from ragvsft.book import search_index, social
from ragvsft.book.cells import SCROLLER
from ragvsft.book.links import to_pages
from ragvsft.book.mime import CHAPTER

DESCRIPTION_CHARACTERS = 160
WORDS_PER_MINUTE = 238
"""Silent reading of English non-fiction by adults: Brysbaert (2019), doi:10.1016/j.jml.2019.104047."""
ASSETS = {
    "book.css": "",
    "charts.css": '<figure class="chart',
    "calculator.css": '<section class="calculator',
    "matrix.css": '<section class="calculator matrix',
    "decisions.css": '<form class="decision-form',
    "passage_search.css": '<section class="calculator passages',
    "answers.css": '<details class="answers',
    "book.js": "",
    "charts.js": '<figure class="chart',
    "calculator.js": '<section class="calculator',
    "evaluation.js": '<section class="calculator matrix',
    "matrix.js": '<section class="calculator matrix',
    "decisions.js": '<form class="decision-form',
    "passage_search.js": '<section class="calculator passages',
    "answers.js": '<details class="answers',
    "crossings.js": "calculator-crossings",
}
"""Each style and script with the markup that asks for it."""

ACCESSIBLE = {
    '<div class="pst-scrollable-table-container">': SCROLLER,
    '<div class="highlight"><pre>': '<div class="highlight"><pre tabindex="0">',
    '<th class="head"><p></p></th>': "<td></td>",
}
"""Markup of the writer, with what a keyboard or a screen reader needs: boxes that scroll, no empty heads."""

THEME_SCRIPT = 'try{document.documentElement.dataset.theme=localStorage.getItem("theme")||""}catch(e){}'
"""Runs before the page shows, so that it does not flash."""
LEDGER_ROW = re.compile(
    r'(?P<row><span id="claim-(?P<id>[a-z0-9-]+)".*?)(?P<end>(?:</p>)?\s*</td>\s*</tr>)', re.DOTALL
)
CLAIM_LINK = re.compile(r'href="[^"]*#claim-([a-z0-9-]+)"')
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def setup(app: Sphinx) -> None:
    for name in ASSETS:
        if name.endswith(".css"):
            app.add_css_file(name)
        else:
            app.add_js_file(name, loading_method="defer")
    app.connect("doctree-read", _note_description)
    app.connect("html-page-context", _extend_context, priority=900)


def first_paragraph(doctree: nodes.document) -> str:
    """The first paragraph of prose, which states the chapter's claim."""
    prose = (
        paragraph.astext().replace("\n", " ")
        for paragraph in doctree.findall(nodes.paragraph)
        if isinstance(paragraph.parent, nodes.section | nodes.container)
    )
    return next(prose, "")


def shortened(text: str) -> str:
    """A text cut at a word to what a search engine shows."""
    if len(text) <= DESCRIPTION_CHARACTERS:
        return text
    return text[: DESCRIPTION_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def parts(app: Sphinx) -> list[dict[str, Any]]:
    """The book's parts in reading order: caption, and the names and titles of their chapters."""
    site_map = app.config.external_site_map
    return [
        {
            "caption": part.caption or "",
            "names": part.files(),
            "chapters": [(name, app.env.titles[name].astext()) for name in part.files()],
        }
        for part in site_map[site_map.root.docname].subtrees
    ]


def chapter_prefix(app: Sphinx, name: str) -> str:
    """What stands before the number of a page's figures: "3." in chapter 3, "" on the title page."""
    chapters = [chapter for part in parts(app) for chapter in part["names"]]
    return f"{chapters.index(name) + 1}." if name in chapters else ""


def reading_minutes(body: str) -> int:
    """Minutes that the prose of a page takes, at least one."""
    words = sum(len(entry.text.split()) for entry in search_index.entries(f"<main>{body}</main>"))
    return max(1, round(words / WORDS_PER_MINUTE))


@functools.cache
def last_changes(folder: Path) -> dict[str, str]:
    """Path → ISO date of the last commit that changed it; empty where the history is not whole or absent."""

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return run.stdout if run.returncode == 0 else ""

    if git("rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    found: dict[str, str] = {}
    for change in git("log", "--format=%x00%cs", "--name-only", "--relative", "--", "*.ipynb").split("\0")[
        1:
    ]:
        day, *paths = change.split("\n")
        for path in filter(None, paths):
            found.setdefault(path, day)
    return found


def repository_url(srcdir: Path) -> str:
    """The address of the public repository, from pyproject.toml."""
    project = tomllib.loads((srcdir / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Repository"])


def error_url(repository: str, title: str, claim: str) -> str:
    """The form for a disputed claim, with its title and the claim filled in."""
    filled = {"template": "claim.yml", "title": f"{title}: ", "claim": claim}
    return f"{repository}/issues/new?{urlencode(filled)}"


def with_reports(body: str, repository: str) -> str:
    """The ledger's rows, each with a link that reports an error in its claim."""

    def row(match: re.Match[str]) -> str:
        claim_id = match["id"]
        url = escape(error_url(repository, "Claim", claim_id))
        link = f'<a class="report" href="{url}">Report an error<span class="hidden"> in {claim_id}</span></a>'
        return f"{match['row']}{link}{match['end']}"

    return LEDGER_ROW.sub(row, body)


def printed_claims(body: str) -> list[str]:
    """The ids of the ledger's claims that a page prints, in its order."""
    return list(dict.fromkeys(CLAIM_LINK.findall(body)))


def security_policy(html: str) -> str:
    """What a page may load and run: its own site's files and the scripts that stand in it, by their hashes.

    No foreign host, no `eval`. `file:` is for a page opened from a folder, where browsers differ on 'self'.
    """
    scripts = dict.fromkeys([THEME_SCRIPT, *INLINE_SCRIPT.findall(html)])
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    own = "'self' file:"
    return (
        f"default-src 'none'; script-src {own} {hashes}; style-src {own} 'unsafe-inline'; "
        f"img-src {own} data:; font-src {own}; connect-src {own}; form-action {own}; base-uri 'none'"
    )


def _note_description(app: Sphinx, doctree: nodes.document) -> None:
    app.env.metadata[app.env.docname]["claim"] = first_paragraph(doctree)


def _extend_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    body = to_pages(context.get("body", "")).replace(CHAPTER, chapter_prefix(app, pagename))
    for found, replacement in ACCESSIBLE.items():
        body = body.replace(found, replacement)
    wanted = {name for name, mark in ASSETS.items() if mark in body}
    repository = repository_url(Path(app.srcdir))
    owner_and_name = repository.removeprefix("https://github.com/")
    name = Path(pagename).name
    title = re.sub("<[^>]*>", "", context.get("title", ""))
    claims = ", ".join(printed_claims(body))
    body = with_reports(body, repository)
    sections = context.get("toc", "").partition("</a>")[2].rpartition("</li>")[0]
    context |= {
        "body": body,
        "theme_script": THEME_SCRIPT,
        "social_image": app.config.html_baseurl
        + social.picture(pagename if doctree is not None else app.config.root_doc),
        "social_size": (social.WIDTH, social.HEIGHT),
        "security_policy": security_policy(body),
        "is_page": doctree is not None,
        "description": shortened(app.env.metadata.get(pagename, {}).get("claim", "")),
        "parts": parts(app),
        "page_scripts": [js for js in context["script_files"] if Path(js.filename or "").name in wanted],
        "page_styles": [css for css in context["css_files"] if Path(css.filename).name in wanted],
        "section_links": sections,
        "display_toc": "<li>" in sections,
        "notebook": f"{name}.ipynb",
        "markdown": f"{name}.md",
        "clean_notebook": f"_sources/{pagename}.ipynb",
        "minutes": reading_minutes(body),
        "changed": last_changes(Path(app.srcdir)).get(f"{pagename}.ipynb", ""),
        "edit": f"{repository}/edit/main/{pagename}.ipynb",
        "report": error_url(repository, title, f"{pagename}: {claims}"),
        "repository": repository,
        "binder": f"https://mybinder.org/v2/gh/{owner_and_name}/main?urlpath=lab/tree/{pagename}.ipynb",
    }
