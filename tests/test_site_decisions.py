"""The decision tool in the built site: the browser decides as Python does, and no address can break it."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ragvsft import decisions
from ragvsft.decisions import QuestionRow, tables

PAGE = "chapters/decide/decision-matrix.html"

# With one answer to the first criterion, every combination of the others: plan and fired rules as bit sets.
EVERY_PLAN = """(first) => {
  const { tables } = ragvsftDecisions.tool;
  const sizes = tables.criteria.map((criterion) => criterion.answers.length).slice(1);
  const total = sizes.reduce((product, size) => product * size, 1);
  const plans = new Uint16Array(total);
  const fired = new BigUint64Array(total);
  const bits = new Map(tables.rules.map((rule, k) => [rule, 1n << BigInt(k)]));
  const codes = [first, ...sizes.map(() => 0)];
  for (let k = 0; k < total; k += 1) {
    const found = ragvsftDecisions.evaluate(tables, codes);
    for (const step of found.plan) plans[k] |= 1 << tables.steps.indexOf(step);
    fired[k] = found.fired.reduce((mask, rule) => mask | bits.get(rule), 0n);
    for (let q = codes.length - 1; q > 0 && (codes[q] = (codes[q] + 1) % sizes[q - 1]) === 0; q -= 1);
  }
  const text = (numbers) => {
    const bytes = new Uint8Array(numbers.buffer);
    let found = "";
    const step = 32768;
    for (let k = 0; k < bytes.length; k += step) found += String.fromCharCode(...bytes.subarray(k, k + step));
    return btoa(found);
  };
  return [text(plans), text(fired)];
}"""

RECOMMEND = """(answers) => {
  const { tables } = ragvsftDecisions.tool;
  const found = ragvsftDecisions.recommend(tables, answers);
  const ids = (rows) => rows.map((row) => row.id);
  const step = (row) => ({ step: row.id, reasons: ids(found.about(row)) });
  const flip = ({ criterion, answers, step, open }) =>
    ({ criterion: criterion.id, answers: ids(answers), first_step: step.id, open });
  const change = ({ question, criterion, answers, adds, drops }) =>
    [question.id, criterion.id, ids(answers), ids(adds), ids(drops)];
  return {
    first_step: found.steps[0].id,
    then: ids(found.steps.slice(1, -1)),
    steps: found.steps.map(step),
    not_recommended: found.refused.map(step),
    notes: ids(found.notes),
    decided_by: ids(found.decidedBy),
    flips: found.flips.map(flip),
    assumed: Object.fromEntries(found.assumed.map((question) => [question.id, question.unknown])),
    finding_out: found.findingOut.map(change),
    classes: Object.fromEntries([...found.classes].map(([criterion, answer]) => [criterion.id, answer.id])),
    source_matrix: Object.fromEntries(found.sourceMatrix.map(([column, rows]) => [column, ids(rows)])),
    scenario: found.scenario,
  };
}"""


@pytest.fixture
def tool(site_url: str, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """`tool("documents=20000")` opens the chapter with these answers in its address."""

    def open_page(state: str = "", **options: object) -> Page:
        page = new_page(**options)
        page.goto(f"{site_url}/{PAGE}" + (f"#calc:decide?{state}" if state else ""))
        return page

    return open_page


def headline(page: Page) -> str:
    return page.locator(".decision-headline").inner_text()


def advice(page: Page) -> str:
    """The headline without what it rests on."""
    return headline(page).partition("\n")[0].strip()


def state(page: Page) -> dict[str, str | float]:
    return page.evaluate("ragvsftDecisions.tool.answers")


def some_answer(row: QuestionRow, random: Random) -> str | float:
    if row.kind == "choice":
        return random.choice(list(decisions.answers()[row.question]))
    low, high = decisions.bounds(row)
    near = [value for value in tables.thresholds().values() if low <= value <= high]
    return random.choice([low, high, *near, min(high, max(low, 0.001) * 10 ** random.uniform(0, 5))])


def some_answers(random: Random) -> dict[str, str | float]:
    """Answers to about half of the questions, numbers on and off the thresholds."""
    return {row.question: some_answer(row, random) for row in decisions.questions() if random.random() < 0.6}


# --------------------------------------------------------------------------- the same rules, the same answer


def test_every_combination_of_answers_has_the_same_plan_as_in_python(tool: Callable[..., Page]) -> None:
    page = tool()
    codes = decisions.every_combination()
    for first in np.unique(codes[:, 0]):
        fired, plans = decisions.evaluate(codes[codes[:, 0] == first])
        found_plans, found_fired = map(base64.b64decode, page.evaluate(EVERY_PLAN, int(first)))
        steps = 2 ** np.arange(plans.shape[1], dtype=np.uint16)
        rules = 2 ** np.arange(fired.shape[1], dtype=np.uint64)
        assert np.array_equal(np.frombuffer(found_plans, np.uint16), plans @ steps)
        assert np.array_equal(np.frombuffer(found_fired, np.uint64), fired @ rules)


def test_the_whole_recommendation_is_the_same_as_in_python(tool: Callable[..., Page]) -> None:
    page, random = tool(), Random(7)
    for _ in range(300):
        answers = some_answers(random)
        expected = decisions.recommend(answers).model_dump(mode="json")
        for steps in (expected["steps"], expected["not_recommended"]):
            steps[:] = [{"step": s["step"], "reasons": [r["rule"] for r in s["reasons"]]} for s in steps]
        expected["notes"] = [reason["rule"] for reason in expected["notes"]]
        expected["finding_out"] = [list(change.values()) for change in expected["finding_out"]]
        del expected["answers"], expected["translated"]
        assert page.evaluate(RECOMMEND, answers) == expected, answers


def test_rules_fit_in_the_bit_sets_of_these_tests() -> None:
    assert len(decisions.rules()) <= 64 and len(decisions.steps()) <= 16


# ------------------------------------------------------------------------------------------------ the form


def test_answering_changes_the_recommendation_and_the_address(tool: Callable[..., Page]) -> None:
    page = tool()
    assert advice(page).startswith("Start with: Prompting.")
    page.get_by_label("How many documents?").fill("20,000")
    page.get_by_label("What have you tried and measured?").select_option("prompting")
    assert advice(page) == "Start with: RAG. If that falls short: Better retrieval."
    page.get_by_role("group", name="Must answers fit a strict schema").get_by_label("Yes").check()
    assert advice(page).startswith("Start with: Constrained decoding. If that falls short: RAG, then")
    page.wait_for_url("**#calc:decide?documents=20000&format=yes&tried=prompting")


def test_a_number_counts_as_it_is_typed_and_a_bad_one_is_said_when_left(tool: Callable[..., Page]) -> None:
    page = tool("tried=prompting")
    field = page.get_by_label("How many documents?")
    field.press_sequentially("50")
    assert state(page) == {"tried": "prompting", "documents": 50}
    assert advice(page) == "Start with: The whole corpus in the prompt."
    message = page.locator("#calc-decide .calculator-message")
    field.fill("fifty")
    assert state(page)["documents"] == 50 and message.inner_text() == ""
    field.blur()
    expect(message).to_have_text("Documents: “fifty” is not a number from 1 to 1,000,000,000; kept 50.")
    assert field.input_value() == "50"
    field.fill("0")
    field.blur()
    expect(message).to_have_text("Documents: the range is 1 to 1,000,000,000; set to 1.")
    field.fill("")
    assert state(page) == {"tried": "prompting"}
    assert advice(page) == "Start with: RAG. If that falls short: Better retrieval."


def test_what_dont_know_was_taken_for_stands_in_the_headline_and_in_the_form(
    tool: Callable[..., Page],
) -> None:
    page = tool("tried=prompting")
    found = decisions.recommend({"tried": "prompting"})
    matter = list(dict.fromkeys(change.question for change in found.finding_out))
    short = {row.question: row for row in decisions.questions()}
    said = [f"{short[name].short}: {decisions.said(short[name], found.assumed[name])}" for name in matter]
    small = page.locator(".decision-headline small").inner_text()
    assert small == f"Taken for “don’t know”: {'; '.join(said[:3])}; and {len(said) - 3} more."
    below = page.locator(".decision-taken li").all_inner_texts()
    assert [line.startswith(start) for line, start in zip(below, said, strict=False)] == [True] * len(said)
    assert below[-1].startswith("No say in this plan: ") and len(below) == len(said) + 1
    assert "“It fits in one prompt” adds The whole corpus in the prompt and drops RAG" in below[1]
    field = page.get_by_label("How many documents?")
    assert field.get_attribute("placeholder") == "10,000?"
    page.get_by_role("group", name="Must answers follow").get_by_label("No", exact=True).check()
    assert field.get_attribute("placeholder") == ""
    assert "Documents: 10,000" not in page.locator(".decision-taken").inner_text()


def test_one_announcement_follows_a_change(tool: Callable[..., Page]) -> None:
    page = tool("documents=20000")
    assert page.locator("#calc-decide :is([aria-live], [role=status])").count() == 2
    page.get_by_label("What have you tried and measured?").select_option("prompting")
    said = page.locator("#calc-decide .calculator-said")
    expect(said).to_contain_text("Start with: RAG. If that falls short: Better retrieval. Taken for")
    assert page.locator("#calc-decide .calculator-message").inner_text() == ""


def test_every_question_can_be_answered_every_way(tool: Callable[..., Page]) -> None:
    page = tool()
    for row in decisions.questions():
        for answer in [*decisions.candidates(row), decisions.UNKNOWN]:
            place = page.locator(f'[data-question="{row.question}"]')
            if row.kind == "number":
                place.locator("input").fill("" if answer == decisions.UNKNOWN else f"{answer:.4f}")
            elif place.locator("select").count():
                place.locator("select").select_option(answer)
            else:
                place.locator(f'[value="{answer}"]').check()
            expected = {} if answer == decisions.UNKNOWN else {row.question: answer}
            assert state(page) == expected
            first = decisions.recommend(expected).steps[0].title
            assert page.locator(".decision-plan .decision-step").first.inner_text() == first


@pytest.mark.parametrize("workload", decisions.workloads())
def test_an_example_fills_the_form(tool: Callable[..., Page], workload: str) -> None:
    label, answers = decisions.workloads()[workload]
    page = tool("style=yes&budget=yes")
    button = page.get_by_role("button", name=label)
    button.click()
    assert state(page) == answers
    assert button.get_attribute("aria-pressed") == "true"
    shown = page.locator(".decision-plan .decision-step").all_inner_texts()
    assert shown == [step.title for step in decisions.recommend(answers).steps]
    page.get_by_role("button", name="Reset").click()
    assert state(page) == {} and button.get_attribute("aria-pressed") == "false"


def test_the_result_gives_reasons_flips_and_the_source_verdict(tool: Callable[..., Page]) -> None:
    page = tool("documents=20000&corpus_churn_per_month=0.01&tried=prompting&citations=yes")
    page.evaluate(
        "document.querySelectorAll('.decision-result details').forEach((part) => (part.open = true))"
    )
    result = page.locator(".decision-result")
    assert "[object" not in result.inner_text()
    expect(result).to_contain_text("Every answer: 4 given, 14 assumed for “Don’t know”")
    expect(result).to_contain_text("How many documents? “20,000”")
    expect(result).to_contain_text("Weights cannot say where they learnt something.")
    expect(result).to_contain_text("What does not fit in the prompt has to be searched for.")
    expect(result).to_contain_text(
        "“It fits in one prompt”: The whole corpus in the prompt. Worth finding out."
    )
    expect(result).to_contain_text("“Yes”: Constrained decoding. Worth finding out.")
    expect(result).to_contain_text("The source’s matrix says: RAG (ticks: RAG 1).")
    assert page.locator(".decision-matrix .ticked").count() == 1
    for rule in page.locator(".decision-reasons li").all():
        addresses = [link.get_attribute("href") for link in rule.locator("a").all()]
        assert len(addresses) == 2 and "evidence/claims.html#claim-" in addresses[1]


def test_the_keyboard_alone_is_enough(tool: Callable[..., Page]) -> None:
    page = tool()
    page.get_by_role("button", name="Support bot").focus()
    reached: dict[str, str] = {}
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.closest('[data-question]')?.dataset.question")
        if name and name not in reached:
            if page.evaluate("document.activeElement.className") == "number":
                page.keyboard.type("1")
            else:
                page.keyboard.press("ArrowDown")
            reached[name] = state(page).get(name, "")
    assert list(reached) == [row.question for row in decisions.questions()]
    assert all(reached[row.question] in decisions.candidates(row) for row in decisions.questions())


def test_a_focused_answer_is_never_under_the_headline(tool: Callable[..., Page]) -> None:
    page = tool(width=360, height=640, reduced_motion="reduce")
    controls = page.locator(".decision-form :is(input:checked, select)")
    for k in range(controls.count()):
        controls.nth(k).focus()
        box, bar = controls.nth(k).bounding_box(), page.locator(".decision-headline").bounding_box()
        assert box and bar
        assert box["y"] + box["height"] <= bar["y"] or box["y"] >= bar["y"] + bar["height"]


def test_without_scripts_the_default_answer_and_the_matrix_are_there(
    site_url: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site_url}/{PAGE}")
    tables = page.locator("#calc-decide table")
    steps = tables.nth(0).locator("tbody th").all_inner_texts()
    assert steps == [step.title for step in decisions.recommend({}).steps]
    assert tables.nth(1).locator("tbody tr").count() == 10
    assert page.locator(".decision-form").is_hidden()


def test_the_landing_page_has_the_same_tool(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/index.html#calc:decide?documents=20000&tried=prompting")
    assert advice(page) == "Start with: RAG. If that falls short: Better retrieval."
    address = page.locator(".decision-plan a").first.get_attribute("href")
    assert address and address.startswith("chapters/")


# ----------------------------------------------------------------------------------- links, files, hand-over


def test_a_link_opens_what_it_was_copied_from(tool: Callable[..., Page]) -> None:
    page, random = tool(), Random(11)
    for _ in range(8):
        answers = some_answers(random)
        page.evaluate("answers => { Object.assign(ragvsftDecisions.tool, { answers }).show(); }", answers)
        copied = page.evaluate("ragvsftDecisions.tool.address()").partition("#calc:decide?")[2]
        other = tool(copied)
        assert state(other) == answers and headline(other) == headline(page)
        other.close()


def test_other_calculators_and_headings_keep_their_place_in_the_address(tool: Callable[..., Page]) -> None:
    page = tool("documents=20000;calc:other?volume=3")
    assert state(page) == {"documents": 20_000}
    page.get_by_label("What have you tried and measured?").select_option("rag")
    page.wait_for_url("**#calc:decide?documents=20000&tried=rag")
    page.evaluate("location.hash = '#where-this-fails'")
    assert state(page) == {"documents": 20_000, "tried": "rag"}


def test_what_a_link_asks_in_vain_is_said(tool: Callable[..., Page]) -> None:
    page = tool("text_may_go=mars&colour=red&tried=rag")
    message = page.locator(".calculator-message")
    expect(message).to_contain_text("“mars” is not an answer and was left out.")
    expect(message).to_contain_text("“colour” is not a question of this page and was left out.")
    assert state(page) == {"tried": "rag"}


def test_a_link_of_the_first_edition_opens_and_says_what_was_translated(tool: Callable[..., Page]) -> None:
    page = tool("corpus=large&hosting=yes&volume=high&queries_per_month=300000&tried=rag&changes=unknown")
    text = 'corpus = "large"\nhosting = "yes"\nvolume = "high"\nqueries_per_month = 300000\ntried = "rag"'
    assert (
        page.evaluate(RECOMMEND, state(page))["scenario"]
        == decisions.recommend(decisions.read(text)).scenario
    )
    assert state(page) == {
        "needs_documents": "yes",
        "documents": 20_000,
        "text_may_go": "own_machines",
        "queries_per_month": 300_000,
        "tried": "rag",
    }
    expect(page.locator(".calculator-message")).to_have_text(
        "Old answers were translated. corpus large: read as Documents needed yes, Documents 20,000; "
        "hosting yes: read as Text may go own machines; volume high: dropped for the newer answer."
    )


@pytest.mark.parametrize("question", tables.old_answers())
def test_every_old_answer_is_read_as_in_python(tool: Callable[..., Page], question: str) -> None:
    page = tool()
    for answer, now in tables.old_answers()[question].items():
        page.evaluate("text => { location.hash = '#calc:decide?' + text; }", f"{question}={answer}")
        page.wait_for_function("text => location.hash.endsWith(text)", arg=f"{question}={answer}")
        page.wait_for_function(f"ragvsftDecisions.tool.answers[{now[-1][0]!r}] === {now[-1][1]!r}")
        assert state(page) == dict(now)


def nonsense() -> Iterator[str]:
    yield from (
        "<img src=x onerror=window.hurt=1>=<img src=x onerror=window.hurt=1>",
        "corpus=%3Cimg%20src%3Dx%20onerror%3Dwindow.hurt%3D1%3E",
        "__proto__=yes&constructor=yes&toString=yes&hasOwnProperty=yes",
        "corpus=__proto__&tried=constructor&changes=toString&documents=__proto__",
        "documents=1e999&tokens_per_document=-1&queries_per_month=NaN&corpus_churn_per_month=1,5",
        "corpus=large&corpus=small&corpus=",
        "%E0%A4%A&%zz=%",
        "=&=&&&;;;calc:;calc:decide;calc:decide?;calc:decide?corpus",
        "x" * 20_000 + "=" + "y" * 20_000,
        "\u202ecorpus=large&cörpus=lärge&\u0000=\u0000",
        "javascript:window.hurt=1",
    )
    random, alphabet = Random(13), "corpustried=&;?#%<>\"'`{}()/\\ \u00e9\u202e0123abcdef:+"
    for _ in range(120):
        yield "".join(random.choices(alphabet, k=random.randrange(80)))


def test_nonsense_in_the_address_neither_breaks_the_page_nor_runs(tool: Callable[..., Page]) -> None:
    page = tool()
    elements = page.locator("#calc-decide .decision-form *").count()
    for text in nonsense():
        page.evaluate("text => { location.hash = '#calc:decide?' + text; }", text)
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert page.evaluate("window.hurt") is None, text
        assert page.locator("#calc-decide .decision-form *").count() == elements, text
        decisions.recommend(state(page))
        assert page.locator(".decision-plan .decision-step").count() >= 1, text


def test_the_downloaded_file_is_what_the_terminal_reads(tool: Callable[..., Page], tmp_path: Path) -> None:
    page = tool("documents=20000&tried=prompting&style=yes&corpus_churn_per_month=0.0123")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download answers.toml").click()
    assert started.value.suggested_filename == "answers.toml"
    started.value.save_as(tmp_path / "answers.toml")
    answers = decisions.read((tmp_path / "answers.toml").read_text(encoding="utf-8"))
    assert decisions.recommend(answers) == decisions.recommend(state(page))
    assert decisions.recommend(answers).first_step == "rag"


HANDED = {
    "documents": "40000",
    "tokens_per_document": "1234.5",
    "queries_per_month": "300000",
    "corpus_churn_per_month": "0.0123",
    "training_examples": "640",
    "needs_documents": "yes",
    "text_may_go": "eu",
}


def test_exactly_the_readers_numbers_are_handed_to_the_cost_calculator(tool: Callable[..., Page]) -> None:
    page = tool(urlencode(HANDED | {"style": "yes", "tried": "rag"}))
    page.get_by_role("link", name="Price this workload").click()
    page.wait_for_url("**/cost/cost-comparison.html#calc:cost-comparison?*")
    assert dict(parse_qsl(page.url.split("?", 1)[1])) == HANDED


def test_the_cost_calculator_takes_what_it_is_handed(site_url: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site_url}/chapters/cost/cost-comparison.html#calc:cost-comparison?{urlencode(HANDED)}")
    taken = page.evaluate("ragvsftCalculators.calculators.get('cost-comparison').state")
    numbers = {name: float(value) for name, value in HANDED.items() if value[0].isdigit()}
    assert {name: taken[name] for name in numbers} == numbers
    assert page.locator("#calc-cost-comparison .calculator-message").inner_text() == ""
    assert (taken["needs_documents"], taken["text_may_go"]) == ("yes", "eu")


def test_nothing_that_the_reader_did_not_answer_is_handed_on(tool: Callable[..., Page]) -> None:
    link = tool("style=yes&training_examples=0").get_by_role("link", name="Price this workload")
    assert (link.get_attribute("href") or "").endswith("cost/cost-comparison.html")


def test_exactly_the_pages_with_the_tool_load_its_script(site_dir: Path) -> None:
    pages = {path: path.read_text("utf-8") for path in site_dir.rglob("*.html")}
    loading = {path for path, html in pages.items() if "_static/decisions.js" in html}
    assert loading == {path for path, html in pages.items() if '<form class="decision-form"' in html} != set()
