"""The charts of the chapters have rows to draw, and say what they show."""

import pytest

from drawn_rows import drawn
from ragvsft.chapters.decide import core_distinction, security_and_privacy
from ragvsft.chapters.fine_tuning import decision_framework, lora_qlora
from ragvsft.chapters.rag import reranking

CHARTS = {
    "memory": lambda: lora_qlora.memory_chart("Qwen3-8B", 16, 2048),
    "lora-quality": lora_qlora.lora_quality_chart,
    "icelandic": decision_framework.icelandic_chart,
    "recall": reranking.recall_chart,
    "depth": reranking.depth_chart,
    "empty-result": security_and_privacy.empty_result_chart,
    "update-paths": core_distinction.update_paths_chart,
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_every_chart_has_rows_and_a_description(chart):
    assert drawn(chart()) and chart().to_dict()["description"]
