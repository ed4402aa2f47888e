"""The stages of a query are all of its price, and a new one shows everywhere by being registered."""

from dataclasses import replace

import pytest

from clock import CHECKED
from javascript import mapped
from ragvsft.costs import compare, scenario
from ragvsft.costs import formulas as f
from ragvsft.costs.inputs import ROLES, Role, inputs, names
from ragvsft.costs.methods import METHODS, bill, figures, query, roles
from ragvsft.costs.stages import STAGES, Answering, Stage, Use
from ragvsft.data import load
from ragvsft.formula import javascript, trace
from ragvsft.prices.registry import Llm


@pytest.fixture(autouse=True)
def _as_checked(on):
    on(CHECKED)


@pytest.mark.parametrize(
    "column", ["claude-sonnet-5.5", "claude-haiku-5.5", "gpt-6.1-sol", "gpt-oss-20b-self-hosted"]
)
@pytest.mark.parametrize("reranker", ["cohere-rerank-v3.5", "voyage-rerank-3"])
@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_the_stages_add_up_to_the_query(column, reranker, method):
    chosen = scenario.from_keys({"columns": [column], "reranker": reranker, "batch_fraction": 0.3})
    s, serving = chosen.inputs(column), chosen.hosted(column).column.serving
    if method.tuned and not hasattr(s, "tuned_llm") and serving == "per_token":
        assert chosen.hosted(column).reason(method).startswith("nobody sells")
        return
    stages = query(s, method, serving)
    assert list(stages) == list(method.stages)
    assert sum(use.usd for use in stages.values()) == bill(s, method, serving).per_query_usd


def test_every_stage_belongs_to_a_role_that_is_known():
    for stage in STAGES.values():
        assert stage.role in {*ROLES, "answering", "tools"}
    for method in METHODS.values():
        assert set(method.stages) <= set(STAGES)


def test_the_source_documents_stages():
    s = scenario.from_keys({"columns": ["claude-sonnet-4.6"]}).inputs("claude-sonnet-4.6")
    stages = query(s, METHODS["rag"], "per_token")
    assert stages["embed"].usd == pytest.approx(0.0000195)
    assert stages["rerank"].usd == pytest.approx(0.002)
    assert stages["write"].usd == pytest.approx(400 * 15e-6)


def test_on_ones_own_gpu_a_model_costs_seconds_that_the_months_bill_covers():
    s = scenario.from_keys({"columns": ["gpt-oss-20b-self-hosted"]}).inputs("gpt-oss-20b-self-hosted")
    stages = query(s, METHODS["rag"], "self_hosted")
    assert stages["read"].usd == stages["write"].usd == 0
    assert stages["read"].gpu_seconds > stages["embed"].gpu_seconds == 0


# A guardrail that reads every question: a role, a stage, and its name in a method


def _check_question(a: Answering) -> Use:
    llm: Llm = a.s.guardrail_llm  # type: ignore[attr-defined]
    return Use(f.tokens_usd(a.s.query_tokens, llm.input_usd_per_mtok), fresh_tokens=a.s.query_tokens)


@pytest.fixture
def guardrail(monkeypatch) -> None:
    monkeypatch.setitem(ROLES, "guardrail_llm", Role("guardrail_llm", "llm", "Guardrail model"))
    monkeypatch.setitem(
        STAGES, "guard", Stage("guard", "Check the question", "guardrail_llm", _check_question)
    )
    rag = METHODS["rag"]
    monkeypatch.setitem(METHODS, "rag", replace(rag, stages=("guard", *rag.stages)))


KEYS = {"guardrail_llm": "gpt-6-luna"}


@pytest.mark.usefixtures("guardrail")
class TestAStageRegisteredInATest:
    def test_it_is_in_the_query_with_its_own_price(self):
        s = scenario.from_keys(KEYS).inputs("claude-sonnet-5.5")
        stages = query(s, METHODS["rag"], "per_token")
        assert next(iter(stages)) == "guard"
        assert stages["guard"].usd == pytest.approx(150 * 0.1e-6)
        assert bill(s, METHODS["rag"], "per_token").per_query_usd == sum(use.usd for use in stages.values())

    def test_it_is_in_the_json_and_in_every_total_of_its_method_alone(self, monkeypatch):
        after = compare.as_json(scenario.from_keys(KEYS))["options"]
        monkeypatch.undo()
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795608000")
        before = compare.as_json(scenario.default())["options"]
        for old, new in zip(before, after, strict=True):
            if new["method"] != "rag":
                assert old == new
                continue
            assert new["stages"]["guard"] == pytest.approx(150 * 0.1e-6)
            assert new["offers"]["guardrail_llm"] == "gpt-6-luna"
            more = new["per_query_usd"] - old["per_query_usd"]
            assert more == pytest.approx(150 * 0.1e-6)
            assert new["horizon_usd"] - old["horizon_usd"] > 12 * 100_000 * more * 0.999

    def test_it_is_in_the_price_list(self):
        listed = {price.offer for price in compare.prices_in_use(scenario.from_keys(KEYS))}
        assert "gpt-6-luna" in listed

    def test_without_a_choice_the_first_offer_of_its_type_fills_it(self):
        assert scenario.default().hosted("gpt-oss-20b").offers["guardrail_llm"] == "claude-sonnet-5-5"
        assert 'guardrail_llm = "claude-sonnet-5-5"' in scenario.example()

    def test_text_that_may_not_go_to_it_blocks_its_method_alone(self):
        found = {
            cell.key: cell for cell in compare.matrix(scenario.from_keys({"text_may_go": "own_machines"}), 8)
        }
        assert "not known to keep text" in found["rag", "gpt-oss-20b-self-hosted"].reason
        assert found["agentic_search", "gpt-oss-20b-self-hosted"].available

    @pytest.mark.parametrize("column", ["gpt-oss-20b", "gpt-oss-20b-self-hosted"])
    def test_it_is_in_the_browsers_model(self, column):
        chosen = scenario.from_keys(KEYS)
        s, serving = chosen.inputs(column), chosen.hosted(column).column.serving
        paid = {role for method in METHODS.values() for role in roles(method, serving)}
        listed = [*(row.name for row in load("assumptions")), *names(*paid)]
        code = javascript("model", listed, trace(lambda i: figures(inputs(vars(i)), serving), listed))
        values = {**chosen.assumptions, **chosen.hosted(column).values()}
        (browser,) = mapped(code, [{name: values[name] for name in listed}])
        assert browser["rag_stage_guard_usd"] == query(s, METHODS["rag"], serving)["guard"].usd
        assert browser["rag_horizon_usd"] == pytest.approx(figures(s, serving)["rag_horizon_usd"], rel=1e-12)
