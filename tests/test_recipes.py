"""Each recipe of CONTRIBUTING.md, followed to the letter in a copy of the book, without building the site.

A recipe touches the files of its row in the row's order; then the data is sound and the change shows where
the row says. A row without a recipe here fails, and so does a recipe without a row.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ragvsft import data
from ragvsft.costs import compare, scenario
from ragvsft.prices import clock

ROOT = Path(__file__).parent.parent
TODAY = clock.today().isoformat()
TABLE = re.compile(r"^\| (?!to change|---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NAMED = re.compile(r"`((?:make |ragvsft |experiments/|chapters/|data/|src/|_toc|references)[^`]*)`")
Edit = Callable[[str], str]


def rows() -> dict[str, tuple[str, str]]:
    """The recipes of CONTRIBUTING.md: what to change → the files in order, and where it shows."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("## A recipe for each kind of change")[2].partition("\n## ")[0]
    return {change: (files, place) for change, files, place in TABLE.findall(section)}


def plus(*lines: str) -> Edit:
    """Lines at a file's end, which may be new."""
    return lambda text: text + "".join(f"{line}\n" for line in lines)


def swap(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text, f"there is no {old!r}"
        return text.replace(old, new, 1)

    return edit


@dataclass(frozen=True)
class Recipe:
    """Steps: a file with its edit, a file that a step before has made, or a command."""

    steps: tuple[tuple[str, Edit | None], ...]
    says: str = ""
    """What the place of the row then says, and did not say before; blank: something else than before."""
    reads: str = ""
    """The FILE of the command that shows it."""
    names: tuple[tuple[str, str], ...] = ()
    """The row's placeholders, and what stands for them."""
    after: tuple[str, ...] = ("make data",)


def text_of(table: str, **is_: object) -> str:
    """The one line of a table whose columns are as given, as its file has it."""
    rows = data.load(table)
    (number,) = [k for k, row in enumerate(rows) if all(getattr(row, c) == v for c, v in is_.items())]
    lines = (data.DATA / f"{table}.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(rows) + 1, f"{table}.csv has cells with line ends: name another row"
    return lines[number + 1]


def line(table: str, **cells: object) -> str:
    """A line of a table."""
    return ",".join(str(cells.pop(column, "")) for column in data.table(table).model_fields) + str(
        cells or ""
    )


def new_price() -> str:
    """A line that changes a price in use."""
    known = {(row.offer, row.item, row.as_of.isoformat()) for row in data.load("prices")}
    price = next(
        price
        for price in compare.prices_in_use(scenario.default())
        if "usd" in price.name and (price.offer, price.name, TODAY) not in known
    )
    return line(
        "prices", offer=price.offer, item=price.name, value=3 * price.value, currency="USD", as_of=TODAY,
        source_kind="official", source="https://example.org/prices",
    )  # fmt: skip


OFFER = {
    "kind": "llm", "model": "Example 1", "provider": "Example", "offer": "Example 1", "availability": "open",
    "regions": "eu", "regions_as_of": TODAY, "regions_source": "https://example.org/places",
    "confirm_first": "false", "checked_on": TODAY, "as_of": TODAY, "source_kind": "official",
    "source": "https://example.org/prices",
}  # fmt: skip
LLM_PRICES = {"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 2, "context_window_tokens": 128000}
BIBTEX = """@misc{example2026,
  author = {{Example}},
  title = {What Teams Do},
  year = {2026},
  howpublished = {Report},
  url = {https://example.org/report},
  urldate = {2026-11-25},
  note = {read as: primary text},
}"""


def price_lines(offer: str) -> Iterator[str]:
    for item, value in LLM_PRICES.items():
        yield line(
            "prices", offer=offer, item=item, value=value, currency="USD" if "usd" in item else "",
            as_of=TODAY, source_kind="official", source="https://example.org/prices",
        )  # fmt: skip


def ended(identifier: str) -> str:
    """The offer's line once more, as ended today."""
    before = text_of("offers", id=identifier)
    assert ",open,,," in before
    row = next(row for row in data.load("offers") if row.id == identifier)
    return before.replace(",open,,,", f",closed,{TODAY},{TODAY},", 1).replace(
        f",{row.checked_on},{row.as_of},", f",{TODAY},{TODAY},", 1
    )


def without_verdict(claim: str, verdict: str) -> Edit:
    before = text_of("claims", id=claim)
    row = next(row for row in data.load("claims") if row.id == claim)
    after = before.replace(f",{row.verdict},", f",{verdict},", 1).replace(row.finding, "Nobody holds it now.")
    assert before != after
    return swap(before, after)


EXPERIMENT = '''"""Toss a coin that is known to be fair."""

import json
from pathlib import Path

MEASURED = Path(__file__).parents[2] / "data" / "measured"
(MEASURED / "coin.csv").write_text("side,times\\nheads,6\\ntails,4\\n", encoding="utf-8")
(MEASURED / "coin-run.json").write_text(json.dumps({"date": "%s", "seed": 1}) + "\\n", encoding="utf-8")
'''
MODULE = '''"""What the coin experiment measured."""

from pydantic import Field

from ragvsft.data import Row, Text, load


class SideRow(Row, table="measured/coin", key=("side",)):
    """How often each side of the coin lay on top."""

    side: Text = Field(description="Heads or tails.")
    times: int = Field(ge=0, description="Tosses that ended so.")


def heads() -> float:
    """The share of heads: a fraction."""
    times = {row.side: row.times for row in load("measured/coin")}
    return float(times["heads"] / sum(times.values()))
'''

RECIPES: dict[str, Recipe] = {
    "a price": Recipe((("data/prices.csv", plus(new_price())),)),
    "an offer or a model": Recipe(
        (
            ("data/offers.csv", plus(line("offers", id="example-1", **OFFER))),
            ("data/prices.csv", plus(*price_lines("example-1"))),
        ),
        reads='columns = ["example-1"]\n',
        says='"column": "example-1"',
    ),
    "the end of an offer": Recipe((("data/offers.csv", plus(ended("claude-haiku-5-5"))),)),
    "an exchange rate": Recipe(
        (
            (
                "data/exchange_rates.csv",
                plus(
                    line(
                        "exchange_rates",
                        currency="EUR",
                        usd=2,
                        as_of=TODAY,
                        source="https://example.org/rate",
                    )
                ),
            ),
        ),
        reads='text_may_go = "eu"\ngpu = "scaleway-h100-1-80g"\n',
    ),
    "an assumption": Recipe(
        (
            (
                "data/assumptions.csv",
                plus(
                    line(
                        "assumptions",
                        name="coffee_cups",
                        label="Cups of coffee",
                        group="people",
                        kind="workload",
                        unit="documents",
                        minimum=0,
                        low=1,
                        base=2,
                        high=3,
                        maximum=9,
                        log_scale="false",
                        source_kind="assumption",
                    )
                ),
            ),
            (
                "src/ragvsft/costs/inputs.py",
                swap(
                    "    judge_usd_per_answer: Quantity\n",
                    "    judge_usd_per_answer: Quantity\n    coffee_cups: Quantity\n",
                ),
            ),
        ),
        says="coffee_cups = 2",
    ),
    "an example workload": Recipe(
        (
            ("data/workloads.csv", plus("contract-search,Contract search,queries_per_month,1234")),
            ("data/decision_workloads.csv", plus("contract-search,citations,yes")),
        ),
        says="Contract search",
    ),
    "a question": Recipe(
        (
            (
                "data/decision_questions.csv",
                plus("weekend,choice,The limits,Must it answer at weekends?,Weekends,Nobody is there.,,no,"),
            ),
            ("data/decision_answers.csv", plus("weekend,no,No,", "weekend,yes,Yes,")),
        ),
        says="# Must it answer at weekends?",
    ),
    "a rule": Recipe(
        (
            (
                "data/decision_rules.csv",
                plus(
                    "by-hand,prompting,1,citations=yes,A person can check.,matrix-citations,decide/when-rag"
                ),
            ),
        ),
        reads='citations = "yes"\n',
        says="A person can check.",
    ),
    "a step": Recipe(
        (
            (
                "data/decision_steps.csv",
                plus("ask_around,Ask around,Ask the people who know.,1,Stop if they know.,decide/when-rag"),
            ),
            (
                "data/decision_rules.csv",
                plus("ask,ask_around,2,,Somebody may know.,prompting-first,decide/when-rag"),
            ),
        ),
        says='"step": "ask_around"',
    ),
    "a claim or its verdict": Recipe(
        (
            ("references.bib", plus("", BIBTEX)),
            ("data/claims.csv", without_verdict("rag-manages-knowledge", "outdated")),
            (
                "data/conclusions.csv",
                plus(f"verdict/rag-manages-knowledge,outdated,{TODAY},Nobody holds it now."),
            ),
        ),
        says="Nobody holds it now.",
    ),
    "a published figure": Recipe(
        (
            ("references.bib", plus("", BIBTEX)),
            (
                "data/published_results.csv",
                plus(
                    *(
                        line(
                            "published_results",
                            citation="example2026",
                            model="Example 1",
                            dataset="Example",
                            metric="accuracy",
                            condition=arm,
                            arm=arm,
                            n=100,
                            value=value,
                            unit="fraction",
                            locator="Table 1",
                            how_read="full text",
                        )
                        for arm, value in (("RAG", 0.9), ("fine-tuned", 0.1))
                    )
                ),
            ),
        ),
    ),
    "a survey": Recipe(
        (
            ("references.bib", plus("", BIBTEX)),
            (
                "data/surveys.csv",
                plus(
                    line(
                        "surveys",
                        id="example-tuned",
                        citation="example2026",
                        group="adoption",
                        published=2026,
                        n=100,
                        population="readers",
                        measured="had tuned a model",
                        share=0.123,
                        locator="page 1",
                        how_read="full text",
                    )
                ),
            ),
        ),
        says="12.3%",
    ),
    "a case": Recipe(
        (
            (
                "data/cases.csv",
                plus(
                    line(
                        "cases",
                        organisation="Example & Co",
                        task="contracts",
                        years=2026,
                        corpus="contracts",
                        tried="prompting;RAG",
                        kept="RAG",
                        effect="accuracy 0.5; 0.8",
                        unit="fraction",
                        claims="quality-drivers",
                        source="https://example.org/case",
                        locator="section 3",
                        how_read="full text",
                    )
                ),
            ),
        ),
        says="Example & Co",
    ),
    "a term": Recipe(
        (("data/glossary.csv", plus("zebra crossing,Where two bills meet.,cost/break-even")),),
        says="**zebra crossing**: Where two bills meet.",
    ),
    "a chapter": Recipe(
        (
            ("make chapter NAME=part/its-name", None),
            (
                "chapters/part/its-name.ipynb",
                lambda text: re.sub("(?i)write here", "Said", text),
            ),
            (
                "_toc.yml",
                swap(
                    "      - file: chapters/cost/break-even\n",
                    "      - file: chapters/cost/break-even\n      - file: chapters/cost/a-fair-coin\n",
                ),
            ),
            (
                "data/connections.csv",
                plus(
                    "cost/break-even,cost/a-fair-coin,toss before you sum",
                    "cost/a-fair-coin,cost/break-even,sum before you toss",
                ),
            ),
            ("make notebooks", None),
        ),
        names=(("part/its-name", "cost/a-fair-coin"),),
        says="[A fair coin](../cost/a-fair-coin.ipynb) | [Break-even](../cost/break-even.ipynb) | sum",
    ),
    "an experiment": Recipe(
        (
            ("experiments/<name>/PREREGISTRATION.md", plus("# Is the coin fair?", "", "Ten tosses.")),
            ("experiments/<name>/run.py", plus(EXPERIMENT % TODAY)),
            ("data/measured/<name>.csv", None),
            ("data/measured/<name>-run.json", None),
            ("src/ragvsft/evidence/<name>.py", plus(MODULE)),
            (
                "data/claims.csv",
                plus(
                    line(
                        "claims",
                        id="measured-heads",
                        statement="The share of heads.",
                        unit="fraction",
                        verdict="holds",
                        kind="measured",
                        value=0.6,
                        as_of=TODAY,
                        chapter="evidence/claims",
                        check="ragvsft.evidence.coin:heads",
                        finding="Ten tosses of a fair coin.",
                    )
                ),
            ),
        ),
        names=(("<name>", "coin"),),
        says="**60%** Ten tosses of a fair coin.",
    ),
}


def paths(text: str) -> list[str]:
    return NAMED.findall(text)


def test_every_recipe_has_its_row_and_every_row_its_recipe() -> None:
    assert [*rows()] == [*RECIPES]


@pytest.mark.parametrize("change", RECIPES)
def test_a_recipe_touches_the_files_of_its_row_in_their_order(change: str) -> None:
    files, _ = rows()[change]
    assert paths(files) == [name for name, _ in RECIPES[change].steps]


# ------------------------------------------------------------------------------------------- following them


class Copy:
    """A copy of the book with the commands of the environment that runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, str] = {}
        ignored = shutil.ignore_patterns(".*", "_build", "node_modules", "__pycache__", "tests", "vendor")
        shutil.copytree(ROOT, folder, ignore=ignored)
        command = f'PYTHONPATH="{folder}/src:{ROOT}/tests" exec "{sys.executable}"'
        for name, run in (("python", ""), ("ragvsft", "-m ragvsft.cli")):
            path = folder / ".venv" / "bin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#!/bin/sh\n{command} {run} "$@"\n', encoding="utf-8")
            path.chmod(0o755)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run `make …`, `ragvsft …`, a notebook or a program."""
        if command.startswith("make "):
            words = ["make", "-o", ".venv/package", *command.split()[1:]]
        elif command.startswith("ragvsft "):
            words = [".venv/bin/ragvsft", *command.split()[1:]]
        elif command.endswith(".ipynb"):
            words = [".venv/bin/python", str(ROOT / "tests" / "in_notebook.py"), command]
        else:
            words = [".venv/bin/python", command]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(words, cwd=self.folder, env=own, capture_output=True, text=True, check=False)

    def output(self, command: str) -> str:
        """What a command prints that must succeed."""
        run = self.run(command)
        assert run.returncode == 0, f"{command}: {run.stdout}{run.stderr}"
        return run.stdout

    def before(self, command: str) -> str:
        """What a command printed before any change."""
        if command not in self.known or "FILE" in command:
            self.known[command] = self.run(command).stdout
        return self.known[command]

    def files(self) -> dict[Path, bytes]:
        ours = ("data", "chapters", "experiments", "src")
        found = [
            *self.folder.glob("*.*"),
            *(path for name in ours for path in (self.folder / name).rglob("*")),
        ]
        return {path: path.read_bytes() for path in found if path.is_file() and path.suffix != ".pyc"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("recipes") / "book")


@pytest.fixture
def copy(book: Copy) -> Iterator[Copy]:
    """The copy, which is put back afterwards."""
    before = book.files()
    yield book
    for path in book.files().keys() - before.keys():
        path.unlink()
    for path, content in before.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


@pytest.mark.parametrize("change", RECIPES)
def test_a_recipe_followed_to_the_letter_leads_where_it_says(change: str, copy: Copy) -> None:
    recipe, (show,) = RECIPES[change], paths(rows()[change][1])
    (copy.folder / "FILE").write_text(recipe.reads, encoding="utf-8")
    before = copy.before(show)
    for name, edit in recipe.steps:
        for placeholder, own in recipe.names:
            name = name.replace(placeholder, own)
        path = copy.folder / name
        if name.startswith("make "):
            copy.output(name)
        elif edit is None:
            assert path.is_file(), f"{name} was to be made by a step before"
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(edit(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
            if path.name == "run.py":
                copy.output(name)
    for command in recipe.after:
        copy.output(command)
    after = copy.output(show)
    assert recipe.says in after
    assert recipe.says not in before if recipe.says else before != after
