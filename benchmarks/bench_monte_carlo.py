"""A million draws of the whole seven-option model on one core: seconds, against drawing alone, and memory."""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import platform
import resource
import time
from pathlib import Path

import numpy as np
from ragvsft.costs.options import outputs

from ragvsft.costs import scenario, uncertainty

DRAWS = 1_000_000
REPEATS = 5


def seconds(work) -> float:
    started = time.process_time()
    for drawn in uncertainty.draws(scenario.inputs(scenario.default()), DRAWS):
        work(drawn)
    return time.process_time() - started


def processor() -> str:
    """The processor's name where Linux tells it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"1 of {len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    drawing = min(seconds(lambda drawn: None) for _ in range(REPEATS))
    whole = min(seconds(outputs) for _ in range(REPEATS))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{processor()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{DRAWS:,} draws of {len(uncertainty.uncertain())} inputs: {drawing:.2f} s")
    print(f"the same with all seven options: {whole:.2f} s, {whole / drawing:.1f} times (budget 3)")
    print(f"peak memory: {peak_mb:.0f} MB (budget 500)")
