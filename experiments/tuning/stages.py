"""Where the smaller measurements go: their tables in data/measured/, and a record of each run."""

import importlib.metadata
import json
import platform
import resource
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import run


def write(
    stage: str, models: Sequence[Any], tables: Sequence[Sequence[Any]], extra_packages: Sequence[str] = ()
) -> None:
    """Write each table and `tuning-run-<stage>.json`. Raises ValueError for uncommitted code."""
    for model, rows in zip(models, tables, strict=True):
        run.write_table(run.MEASURED / f"{model.TABLE.removeprefix('measured/')}.csv", model, rows)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    record = {
        "stage": stage,
        "commit": run.state_of_code()["commit"],
        "model_sha256": run.MODEL_SHA256,
        "machine": run.machine(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in (*run.PACKAGES, *extra_packages)},
        "threads": 1,
        "date": datetime.now(UTC).date().isoformat(),
        "cpu_seconds": round(sum(each.ru_utime + each.ru_stime for each in used), 1),
    }
    run.write_whole(run.MEASURED / f"tuning-run-{stage}.json", json.dumps(record, indent=1) + "\n")
