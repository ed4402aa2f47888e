"""Scenario files: plain keys, one clear error each, and files of the first edition that still open."""

import tomllib
from pathlib import Path

import pytest

from clock import CHECKED
from ragvsft.costs import compare, scenario
from ragvsft.costs.columns import DEFAULT_COLUMNS
from ragvsft.data import DataError, read
from ragvsft.prices import rates

FIRST_EDITION = Path(__file__).parent / "first_edition"


@pytest.fixture(autouse=True)
def _as_checked(on):
    on(CHECKED)


def cells(**keys):
    return {cell.key: cell for cell in compare.matrix(scenario.from_keys(keys), 8)}


def test_the_example_is_the_default_scenario():
    assert scenario.read(scenario.example()) == scenario.default()


def test_the_examples_comments_are_keys_that_can_be_uncommented():
    lines = scenario.example().splitlines()
    given = [line.removeprefix("# ") for line in lines if line.startswith("# ") and " = " in line]
    keys = tomllib.loads(
        "\n".join(
            line
            for line in given
            if not line.startswith(("input_", "value"))
            and line.split(" = ")[0] in scenario.default().assumptions
        )
    )
    assert keys == {name: value for name, value in scenario.default().assumptions.items()}


def test_a_value_that_the_reader_gave_is_remembered_as_known():
    assert scenario.from_keys({"usd_per_hour": 80}).typed == {"usd_per_hour"}
    assert scenario.default().typed == frozenset()


def test_a_closed_offer_is_listed_with_its_reason():
    found = cells(columns=["gpt-4.1-mini"], horizon_months=1)
    assert found["rag", "gpt-4.1-mini"].available
    host = {"gpt-4.1-mini": {"tuned_llm": "openai-ft-gpt-4.1-mini"}}
    tuned = cells(columns=["gpt-4.1-mini"], horizon_months=1, hosts=host)["rag_fine_tuned", "gpt-4.1-mini"]
    assert not tuned.available and "closed to new customers" in tuned.reason


def test_an_offer_that_ends_inside_the_horizon_is_unavailable_only_then():
    assert cells(columns=["gpt-4.1-mini"], horizon_months=1)["rag", "gpt-4.1-mini"].available
    assert not cells(columns=["gpt-4.1-mini"], horizon_months=12)["rag", "gpt-4.1-mini"].available


def test_an_offer_without_a_price_has_no_figures():
    rag = cells(store="qdrant-cloud")["rag", "claude-sonnet-5.5"]
    assert not rag.available and "no published price" in rag.reason
    assert rag.horizon_usd != rag.horizon_usd
    assert cells(store="qdrant-cloud")["agentic_search", "claude-sonnet-5.5"].available


def test_a_corpus_that_fits_the_prompt_makes_long_context_available():
    key = ("long_context", "claude-sonnet-5.5")
    assert cells(documents=100, tokens_per_document=1000)[key].available
    too_long = cells(documents=1_000_000)[key]
    assert not too_long.available and "1,500,002,900 tokens" in too_long.reason


# Carried prices and a column of one's own

CARRIED = """
[prices.claude-sonnet-5-5.input_usd_per_mtok]
value = 3.5
as_of = 2026-01-02
source = "an old bill"
"""


def test_carried_prices_are_used_and_compared_with_todays():
    carried = scenario.read(CARRIED)
    assert carried.inputs("claude-sonnet-5.5").answer_llm.input_usd_per_mtok == 3.5
    (line,) = carried.price_changes()
    published = rates("claude-sonnet-5-5")["input_usd_per_mtok"]
    assert line == (
        "claude-sonnet-5-5: input_usd_per_mtok: 3.5 in the scenario (2026-01-02), "
        f"{published.value:g} published ({published.as_of})"
    )


def test_a_scenario_may_carry_prices_that_nobody_publishes():
    quote = '[prices.qdrant-cloud.usd_per_gb_month]\nvalue = 2\nas_of = 2026-01-02\nsource = "a quote"\n'
    quoted = scenario.read(f'store = "qdrant-cloud"\n{quote}')
    rag = compare.matrix(quoted, 8)[2 * len(DEFAULT_COLUMNS)]
    assert rag.method.name == "rag" and rag.available and rag.horizon_usd > 0
    partly = scenario.read(
        f'store = "qdrant-cloud"\n{quote.replace("usd_per_gb_month", "usd_per_million_reads")}'
    )
    assert (
        "no published price (storage or machine of one replica)"
        in partly.hosted("gpt-oss-20b").status("store").reason
    )
    assert quoted.price_changes() == []


MINE = "[mine]\ninput_usd_per_mtok = 0.2\noutput_usd_per_mtok = 0.8\ncontext_window_tokens = 128000\n"


def test_a_column_of_ones_own_prices_stands_last_and_has_no_tuned_cell():
    own = scenario.read(MINE)
    assert own.columns == (*DEFAULT_COLUMNS, "mine")
    assert own.inputs("mine").answer_llm.cache_read_usd_per_mtok == 0.2
    by_key = {cell.key: cell for cell in compare.matrix(own, 8)}
    assert (
        by_key["rag", "mine"].available
        and by_key["rag", "mine"].hosted.host(by_key["rag", "mine"].method) == "You"
    )
    assert by_key["rag_fine_tuned", "mine"].reason == "your own prices name no fine-tuned model"


def test_a_host_of_one_column_is_chosen_for_it_alone():
    keys = {"hosts": {"gpt-oss-20b": {"answer_llm": "bedrock-us-gpt-oss-20b"}}}
    chosen = scenario.from_keys(keys)
    assert chosen.hosted("gpt-oss-20b").offers["answer_llm"] == "bedrock-us-gpt-oss-20b"
    assert chosen.hosted("claude-haiku-5.5").offers["answer_llm"] == "claude-haiku-5-5"


# Files of the first edition


def test_an_old_file_opens_and_says_line_by_line_what_became_of_it():
    old = scenario.read((FIRST_EDITION / "default.toml").read_text(encoding="utf-8"))
    assert old.assumptions["queries_per_month"] == 300_000
    assert old.assumptions["replicas"] == 2
    assert old.columns[0] == "claude-haiku-5.5" and set(old.columns) == set(DEFAULT_COLUMNS)
    assert old.offers == {
        "embedder": "text-embedding-3-small",
        "reranker": "voyage-rerank-3",
        "store": "pinecone-standard",
        "gpu": "lambda-h100-sxm",
    }
    throughput = "dropped; throughput follows from the model; see throughput_reached_fraction"
    assert old.notes == (
        "min_gpus: is now called replicas",
        f"requests_per_second_per_gpu_short: {throughput}",
        f"requests_per_second_per_gpu_rag: {throughput}",
        "llm: is now a column; claude-haiku-5.5 stands first",
        "embedding: is now called embedder",
        "vector_store: is now called store",
        "tuned_model: dropped; the tuned host follows from the column; choose it with "
        "[hosts.COLUMN] tuned_llm",
    )


def test_an_old_files_carried_price_is_dropped_with_a_line():
    old = scenario.read((FIRST_EDITION / "carried_price.toml").read_text(encoding="utf-8"))
    assert old.carried == {} and old.columns[0] == "gpt-6-luna"
    assert old.notes == (
        "llm: is now a column; gpt-6-luna stands first",
        "prices.llm_input_usd_per_mtok: dropped; a price now belongs to an offer: [prices.OFFER.ITEM]",
    )


def test_an_old_file_with_a_mistake_still_says_so():
    with pytest.raises(
        scenario.ScenarioError, match=r"llm = 'claude-sonet-5-5': must be one of .*mean 'claude-sonnet-5-5'"
    ):
        scenario.read('llm = "claude-sonet-5-5"')
    with pytest.raises(scenario.ScenarioError, match=r"vector_store = 'pinecone': must be one of"):
        scenario.read('vector_store = "pinecone"')


# One clear error each


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queries_per_mont = 5", "queries_per_mont: unknown key; did you mean 'queries_per_month'?"),
        ("queries_per_day = 5", "queries_per_day: unknown key; did you mean 'queries_per_month'?"),
        ("horizon_years = 1", "horizon_years: unknown key; did you mean 'horizon_months'?"),
        ("queries_per_month = -1", "queries_per_month = -1: must be a number from 1 to"),
        ("queries_per_month = nan", "queries_per_month = nan: must be a number from 1 to"),
        ("queries_per_month = inf", "queries_per_month = inf: must be a number from 1 to"),
        pytest.param(f"queries_per_month = 1{'0' * 400}", "must be a number from 1 to", id="beyond a float"),
        ('queries_per_month = "5k"', "queries_per_month = '5k': must be a number from 1 to"),
        ("queries_per_month = true", "queries_per_month = True: must be a number from 1 to"),
        ('embedder = "text-embeding-3-small"', "did you mean 'text-embedding-3-small'?"),
        ("store = 3", "store = 3: must be one of pinecone-standard"),
        ('columns = ["claude-sonet-5.5"]', "did you mean 'claude-sonnet-5.5'?"),
        ("columns = []", 'columns = []: must be a list of ids such as ["gpt-oss-20b"]'),
        ('columns = ["mine"]', "columns: mine needs a table [mine] with its prices"),
        ('text_may_go = "europe"', "text_may_go = 'europe': must be one of anywhere, eu"),
        ('needs_documents = "maybe"', 'needs_documents = \'maybe\': must be "yes" or "no"'),
        ("[mine]\ninput_usd_per_mtok = 1", "mine: output_usd_per_mtok is missing"),
        ("[mine]\ninput_usd_per_mtoken = 1", "mine.input_usd_per_mtoken: unknown price; did you mean"),
        ("[hosts.nope]\nstore = 3", "hosts.nope: must be one of the columns"),
        ('[hosts.gpt-oss-20b]\nllm = "x"', "hosts.gpt-oss-20b.llm: unknown role"),
        ('[hosts.gpt-oss-20b]\nanswer_llm = "gpt-6-luna"', "must be an offer of gpt-oss-20b"),
        ("a = ", "not valid TOML"),
        pytest.param(f"a = {'[' * 5000}", "not valid TOML", id="nested too deep"),
        (
            "[prices.claude-sonet-5-5.input_usd_per_mtok]",
            "prices.claude-sonet-5-5: unknown offer; did you mean",
        ),
        ("[prices.claude-sonnet-5-5.input_usd]\nvalue = 1", ".input_usd: unknown price; did you mean"),
        ("[prices.claude-sonnet-5-5.input_usd_per_mtok]\nvalue = 1", "as_of is missing"),
        (CARRIED.replace("3.5", "-3.5"), "input_usd_per_mtok.value = -3.5: must be a number"),
        (CARRIED.replace("3.5", "1e308"), ".value = 1e+308: must be a number from 0 to 1e+12"),
        pytest.param(
            CARRIED.replace("3.5", f"1{'0' * 400}"), "must be a number from 0 to", id="a price beyond"
        ),
        (CARRIED.replace("2026-01-02", "2026-01-02T10:00:00"), "must be a date as YYYY-MM-DD"),
        (CARRIED.replace("2026-01-02", '"2026"'), "as_of = '2026': must be a date"),
        (
            CARRIED.replace("2026-01-02", "2999-11-26"),
            "as_of = 2999-11-26: lies in the future; must be at most 20",
        ),
        (CARRIED.replace('"an old bill"', '""'), "source = '': must be text"),
        (CARRIED.replace("as_of", "asof"), "input_usd_per_mtok.asof: unknown key"),
        ("prices = 3", "prices = 3: must be tables"),
    ],
)
def test_one_clear_error(text, message):
    with pytest.raises(scenario.ScenarioError) as error:
        scenario.read(text)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("queries_per_mont,5", "queries_per_mont: unknown key; did you mean 'queries_per_month'?"),
        (
            "queries_per_month,-5",
            "queries_per_month = -5.0: must be a number from 1 to 1e+09 (queries/month)",
        ),
    ],
)
def test_a_bad_workload_is_named_with_its_line(tmp_path, row, message):
    path = tmp_path / "workloads.csv"
    path.write_text(f"workload,label,name,value\nbot,Bot,{row}\n")
    with pytest.raises(DataError) as error:
        read(path, scenario.WorkloadRow)
    assert str(error.value) == f"data/workloads.csv:2: {message}"


@pytest.mark.parametrize("workload", scenario.workloads())
def test_every_example_workload_is_a_valid_scenario(workload):
    label, keys = scenario.workloads()[workload]
    assert label and compare.cheapest(compare.matrix(scenario.from_keys(keys), 8))
