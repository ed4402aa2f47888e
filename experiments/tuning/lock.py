"""Split what uv resolved into what the experiment needs and what only torch's general Linux build needs.

    python experiments/tuning/lock.py resolved.txt [torch-…+cpu-….whl …]

The hashes of CPU builds of torch, which are not where the others are, come from the wheels that are named.
"""

import hashlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
GPU_LIBRARIES = re.compile(r"(nvidia-|cuda-|triton==)")
NOTE = "# pip takes a CPU build of torch where one is offered; requirements-cuda.txt is for elsewhere.\n"
CUDA_NOTE = """# What the general Linux build of torch needs to be imported at all: about 3 GB, not used here.
# The Makefile installs it only where no CPU build of torch was found, and says so.
"""


def split(resolved: str, cpu_hashes: list[str]) -> tuple[str, str]:
    """The two lock files' text: for everyone, and for those without a CPU build of torch."""
    resolved = re.sub(r"-r \S*requirements\.in", "-r requirements.in", resolved)
    head, *pins = re.split(r"(?m)^(?=[A-Za-z])", resolved)
    ours, gpu = [head + NOTE], [CUDA_NOTE]
    for pin in pins:
        if pin.startswith("torch=="):
            first = pin.index("    --hash=")
            extra = "".join(f"    --hash=sha256:{digest} \\\n" for digest in cpu_hashes)
            pin = pin[:first] + extra + pin[first:]
        (gpu if GPU_LIBRARIES.match(pin) else ours).append(pin)
    return "".join(ours), "".join(gpu)


if __name__ == "__main__":
    resolved, *wheels = map(Path, sys.argv[1:])
    hashes = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
    for name, text in zip(
        ("requirements.txt", "requirements-cuda.txt"), split(resolved.read_text(), hashes), strict=True
    ):
        (HERE / name).write_text(text, encoding="utf-8")
