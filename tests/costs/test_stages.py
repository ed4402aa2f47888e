"""The stages of a query are all of its price, and each is what its own price list says."""

import pytest
from ragvsft.costs.options import STAGES, query_stages_usd

from ragvsft.costs import options, scenario


@pytest.mark.parametrize("llm", ["claude-sonnet-5-5", "claude-haiku-5-5", "gpt-6.1-sol"])
@pytest.mark.parametrize("reranker", ["cohere-rerank-v3.5", "voyage-rerank-3"])
def test_the_stages_add_up_to_the_query(llm, reranker):
    s = scenario.inputs(scenario.from_keys({"llm": llm, "reranker": reranker, "batch_fraction": 0.3}))
    stages = query_stages_usd(s)
    assert list(stages) == list(STAGES)
    assert sum(stages.values()) == pytest.approx(options.rag(s).per_query_usd)


def test_the_source_documents_stages():
    s = scenario.inputs(scenario.from_keys({"llm": "claude-sonnet-4-6"}))
    stages = query_stages_usd(s)
    assert stages["embed"] == pytest.approx(0.0000195)
    assert stages["rerank"] == pytest.approx(0.002)
    assert stages["write"] == pytest.approx(400 * 15e-6)
