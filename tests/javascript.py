"""JavaScript run by node, as the browser would run it."""

import json
import shutil
import subprocess
from typing import Any

import pytest


def node(program: str) -> Any:
    """What a program prints, read as JSON. Without node the test is skipped."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    run = subprocess.run(["node", "-"], input=program, capture_output=True, check=True, text=True)
    return json.loads(run.stdout)


def mapped(function: str, cases: list[dict[str, float]]) -> Any:
    """What the JavaScript function `model` gives for each case."""
    return node(f"{function};console.log(JSON.stringify({json.dumps(cases)}.map(model)))")
