"""mypy follows a price from the offer to the formula."""

import subprocess
import sys
from pathlib import Path

import ragvsft

SNIPPET = """
from ragvsft.costs.inputs import Inputs

def known(s: Inputs) -> object:
    return s.answer_llm.input_usd_per_mtok, s.store.usd_per_gb_month, s.agent_rounds

def unknown_price(s: Inputs) -> object:
    return s.answer_llm.input_usd_per_token

def price_of_another_role(s: Inputs) -> object:
    return s.answer_llm.training_usd_per_mtok

def unknown_assumption(s: Inputs) -> object:
    return s.querys_per_month
"""


def test_an_unknown_price_role_or_assumption_is_a_type_error(tmp_path):
    file = tmp_path / "formula.py"
    file.write_text(SNIPPET, encoding="utf-8")
    package = Path(ragvsft.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--follow-imports=silent", str(file)],
        cwd=tmp_path,
        env={"MYPYPATH": str(package), "PATH": "", "MYPY_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line.partition("error: ")[2] for line in run.stdout.splitlines() if "error: " in line]
    assert [line.partition(";")[0] for line in said] == [
        '"Llm" has no attribute "input_usd_per_token"',
        '"Llm" has no attribute "training_usd_per_mtok"',
        '"Inputs" has no attribute "querys_per_month"',
    ], run.stdout + run.stderr
