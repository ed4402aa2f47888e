"""evaluation.json: read strictly, one clear error, and USD per success from the matrix's own figures."""

import dataclasses
import json
import math

import pytest

from ragvsft.cli import main
from ragvsft.costs import compare, scenario
from ragvsft.costs.methods import METHODS
from ragvsft.retrieval import evaluated
from retrieval.drawn_evaluations import HOSTILE, HUGE, MARKUP, evaluation


@pytest.fixture(scope="module")
def cells() -> tuple[compare.Cell, ...]:
    return compare.matrix(scenario.default(), number_of_draws=1)


def cell_of(cells: tuple[compare.Cell, ...], column: str) -> compare.Cell:
    return next(cell for cell in cells if cell.key == ("rag", column))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_faulty_file_is_one_error_that_names_the_field(name: str) -> None:
    text, field = HOSTILE[name]
    with pytest.raises(ValueError, match=r"must be|must lie") as error:
        evaluated.read(text)
    said = str(error.value)
    assert said.startswith(field) or (field == "not JSON" and "not JSON" in said), said
    assert "\n" not in said and len(said) < 400


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ValueError, match=r"size = [\d,]+ bytes: must be at most 1,000,000"):
        evaluated.read(HUGE)


def test_a_method_that_pays_no_embedding_is_charged_none(cells: tuple[compare.Cell, ...]) -> None:
    cell = cell_of(cells, "claude-sonnet-5.5")
    given = evaluated.read(json.dumps(evaluation()))
    bm25, dense, *_ = (
        evaluated.per_success(cell.per_query_usd, 1, cell.stages_usd, m) for m in given.methods
    )
    paid = {name: usd for name, usd in cell.stages_usd.items() if name not in ("embed", "rerank")}
    assert bm25 and math.isclose(bm25.usd, sum(paid.values()) / (21 / 40))
    assert dense and math.isclose(dense.usd, (sum(paid.values()) + cell.stages_usd["embed"]) / (30 / 40))
    assert bm25.low < bm25.usd < bm25.high


def test_every_stage_that_is_taken_off_is_one_of_rags() -> None:
    assert {stage for stages in evaluated.NOT_PAID.values() for stage in stages} <= {*METHODS["rag"].stages}


def test_where_nothing_was_found_there_is_no_price(cells: tuple[compare.Cell, ...]) -> None:
    given = evaluated.read(json.dumps(evaluation()))
    lines = {line.label: line.cells for line in evaluated.lines(given, cells, 1, "per_query_usd")}
    assert set(lines["LambdaMART: passage found in 0 of 40"]) == {"none"}


def test_a_correct_answer_is_priced_for_the_model_that_was_judged_alone(
    cells: tuple[compare.Cell, ...],
) -> None:
    given = evaluated.read(json.dumps(evaluation()))
    lines = {line.label: line.cells for line in evaluated.lines(given, cells, 1_200_000)}
    large, small, by_token, own = lines["fusion: answer correct"]
    assert large == small == "judged answers are of GPT-OSS-20B"
    assert isinstance(by_token, evaluated.UsdPerSuccess) and isinstance(own, evaluated.UsdPerSuccess)
    found = lines["fusion: passage found in 32 of 40"][2]
    assert isinstance(found, evaluated.UsdPerSuccess)
    assert math.isclose(by_token.usd * 0.76, found.usd * 0.8)
    assert not [label for label in lines if label.startswith(("BM25: answer", "dense: answer"))]


def test_a_cell_that_cannot_do_the_job_says_why(cells: tuple[compare.Cell, ...]) -> None:
    closed = [dataclasses.replace(cell, available=False, reason="closed") for cell in cells]
    given = evaluated.read(json.dumps(evaluation(judged=False)))
    for line in evaluated.lines(given, closed, 1):
        assert set(line.cells) == {"closed"}


def test_the_command_prices_it_and_leaves_markup_as_text(tmp_path, capsys) -> None:
    file = tmp_path / "evaluation.json"
    file.write_text(json.dumps(evaluation()), "utf-8")
    assert main(["compare", "--evaluation", str(file)]) == 0
    out = capsys.readouterr().out
    assert "BM25: passage found in 21 of 40" in out and MARKUP in out
    file.write_text(json.dumps(evaluation(judged=False)), "utf-8")
    assert main(["compare", "--evaluation", str(file)]) == 0
    assert "USD per correct answer is not known" in capsys.readouterr().out


def test_the_command_says_which_file_is_at_fault(tmp_path, capsys) -> None:
    file = tmp_path / "evaluation.json"
    for text, _ in (*HOSTILE.values(), (HUGE, "")):
        file.write_text(text, "utf-8")
        assert main(["compare", "--evaluation", str(file)]) == 2
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith(f"ragvsft: {file}: ") and told.err.count("\n") == 1
