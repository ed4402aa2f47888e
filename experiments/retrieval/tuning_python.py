"""The Python of the fine-tuning experiment's environment, which alone has torch and llama.cpp."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def command() -> list[str]:
    """What starts it: TUNING_PYTHON, else the one that `make experiments` makes. Stops if there is none."""
    python = Path(os.environ.get("TUNING_PYTHON", ROOT / "_build" / "tuning" / "bin" / "python"))
    if not python.exists():
        raise SystemExit(f"TUNING_PYTHON = {python}: not there; must be made: make _build/tuning/installed")
    return [str(python)]


def versions(*libraries: str) -> dict[str, str]:
    code = "import json, sys; from importlib.metadata import version as v; "
    code += "print(json.dumps({name: v(name) for name in sys.argv[1:]}))"
    done = subprocess.run([*command(), "-c", code, *libraries], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
