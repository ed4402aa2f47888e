"""Search: what is indexed, and for 25 queries the page that must come first, ranked as a browser ranks."""

import json
from pathlib import Path

import pytest

from javascript import node
from ragvsft.book import search_index

STATIC = Path(search_index.__file__).parent / "static"

QUERIES = {
    "57": "evidence/the-57-percent",
    "57%": "evidence/the-57-percent",
    "$0.032": "evidence/claims",
    "fine tuning": "fine-tuning/decision-framework",
    "fine-tuning": "fine-tuning/decision-framework",
    "finetunning": "fine-tuning/decision-framework",
    "when is fine-tuning right": "decide/when-fine-tuning",
    "when should I use RAG": "decide/when-rag",
    "retrieval augmented generation pipeline": "rag/pipeline",
    "should i use both": "decide/when-both",
    "cost": "cost/cost-comparison",
    "pricing": "cost/cost-comparison",
    "break even": "cost/break-even",
    "breakeven": "cost/break-even",
    "latency": "cost/latency",
    "lora": "fine-tuning/lora-qlora",
    "qlora memory": "fine-tuning/lora-qlora",
    "reranker": "rag/reranking",
    "prompt engineering": "prompting/techniques",
    "gdpr": "decide/security-and-privacy",
    "securty": "decide/security-and-privacy",
    "how many questions": "decide/evaluate-your-case",
    "hallucinations": "evidence/quality-comparison",
    "who sells fine tuning": "fine-tuning/who-sells-it",
    "distillation": "fine-tuning/distillation",
}

PAGE = """<body><nav>Chapters</nav><main id="main">
<section id="a-page"><h1>A page<a class="headerlink" href="#a">#</a></h1>
<p>Claim with <b>$0.032</b> and 57 %.</p>
<details class="code"><summary><span>Show the code</span></summary><pre>import hidden</pre></details>
<figure class="chart"><figcaption><span class="chart-title">A finding</span></figcaption>
<div class="chart-view"><svg><text>axis tick</text></svg></div></figure>
<section class="calculator" id="calc-x">
<p class="calculator-title">Your bill</p><form><label>Queries</label></form></section>
<section id="terms"><h2>Terms</h2>
<p><span id="term-chunk"></span><strong>chunk</strong>: A passage<br>cut out.</p>
<table><tr><td><span id="claim-one"></span>It holds. Always</td><td>found</td></tr></table></section>
<section id="sources"><h2>Sources</h2><p>A paper</p></section></section></main></body>"""


def test_prose_headings_terms_and_claims_are_indexed_and_nothing_else() -> None:
    found = [(entry.anchor, entry.kind, entry.heading, entry.text) for entry in search_index.entries(PAGE)]
    assert found == [
        ("a-page", "page", "A page", "Claim with $0.032 and 57 %. A finding Your bill"),
        ("terms", "section", "Terms", ""),
        ("term-chunk", "term", "chunk", "A passage cut out."),
        ("claim-one", "claim", "It holds", "It holds. Always found"),
    ]


def test_a_page_without_a_title_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mute.html").write_text("<main><p>words</p></main>", "utf-8")
    with pytest.raises(ValueError, match=r"mute\.html: the page has no title"):
        search_index.index(tmp_path, ["mute"])


def ranked(index: str, queries: list[str]) -> list[list[dict[str, str]]]:
    """What `search.js` finds for each query, best first, run as a page runs it: scripts in one scope."""
    scripts = [
        (STATIC / "vendor" / "minisearch.min.js").read_text("utf-8"),
        index,
        (STATIC / "search.js").read_text("utf-8"),
    ]
    program = f"""
      const scope = require("vm").createContext({{}});
      scope.window = scope;
      for (const script of {json.dumps(scripts)}) require("vm").runInContext(script, scope);
      const {{find, build, excerpt}} = scope.ragvsftSearch;
      const built = build(scope.ragvsftSearchIndex);
      const shown = (hit) => {{
        const {{from, end, spots}} = excerpt(hit.text, hit.terms);
        const marked = spots.map(([a, b]) => hit.text.slice(a, b));
        return {{...hit, excerpt: hit.text.slice(from, end), marked}};
      }};
      console.log(JSON.stringify({json.dumps(queries)}.map((query) =>
        find(query, scope.ragvsftSearchIndex, built).map(shown))));
    """
    found: list[list[dict[str, str]]] = node(program)
    return found


def test_each_query_finds_first_the_page_that_answers_it(site_dir: Path) -> None:
    index = (site_dir / search_index.NAME).read_text("utf-8")
    found = dict(zip(QUERIES, ranked(index, list(QUERIES)), strict=True))
    first = {query: hits[0]["address"].partition("#")[0] if hits else "" for query, hits in found.items()}
    assert first == {query: f"chapters/{page}.html" for query, page in QUERIES.items()}


def test_synonyms_numbers_spelling_and_excerpts(tmp_path: Path) -> None:
    (tmp_path / "bill.html").write_text(
        '<main><section id="bill"><h1>What it costs</h1><p>'
        + "Words before it. " * 20
        + "You pay $1,300 a month, "
        "or 0.032 each, for fine-tuned weights.</p></section></main>",
        "utf-8",
    )
    (tmp_path / "other.html").write_text(
        '<main><section id="other"><h1>Quality</h1><p>Nothing about money at 57%.</p></section></main>',
        "utf-8",
    )
    index = f"window.ragvsftSearchIndex={json.dumps(search_index.index(tmp_path, ['bill', 'other']))}"
    asked = ["price", "1300", "$0.032", "finetuned", "qualty", "57 percent", "the of"]
    price, thousand, small, tuned, misspelt, share, nothing = ranked(index, asked)
    assert [hits[0]["title"] for hits in (price, thousand, small, tuned)] == ["What it costs"] * 4
    assert [hits[0]["title"] for hits in (misspelt, share)] == ["Quality"] * 2
    assert nothing == []
    assert tuned[0]["marked"] == ["fine-tuned"] and "fine-tuned weights" in tuned[0]["excerpt"]
    assert len(tuned[0]["excerpt"]) < 300
