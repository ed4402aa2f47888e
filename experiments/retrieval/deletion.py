"""The deletion audit: what a store keeps of a deleted item, after each way to purge it and after reopening.

Each step runs in a process of its own, so a store is closed and opened again between any two of them.
"""

from __future__ import annotations

import importlib.metadata
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import corpus as corpora
import deletion_stores
import numpy as np
from encode import encode
from part import Results

from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.retrieval.pipeline.audit import Finding, audit
from ragvsft.retrieval.pipeline.embed import minilm

ITEMS = 2_000
CANARY = 777
CANARY_TEXT = (
    "Staff file kq7zebra91 of Zebulon Quarrywright: treated for gallstones in March 2019, "
    "salary 48,200 a year, mobile 07700 900123."
)
STEP_SECONDS = 400


def run(cache: Path) -> Results:
    passages = corpora.corpus("development", cache).passages
    texts = [passage.text for passage in passages]
    vectors = encode(texts, cache).vectors[:ITEMS].copy()
    texts = texts[:ITEMS]
    texts[CANARY] = CANARY_TEXT
    vectors[CANARY] = minilm().embed([CANARY_TEXT])[0]
    folder = cache / "deletion"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows_file = folder / "rows.pickle"
    rows_file.write_bytes(pickle.dumps({"texts": texts, "vectors": vectors, "canary": CANARY}))
    steps: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    for name in deletion_stores.STORES:
        print(f"deletion: {name}", flush=True)
        examine(name, folder / name / "store", rows_file, vectors[CANARY], steps, places)
        shutil.rmtree(folder / name, ignore_errors=True)
    libraries = tuple(dict.fromkeys(store.library for store in deletion_stores.STORES.values()))
    tables = {"deletion": steps, "deletion_places": places, "deletion_recovery": recovery()}
    return Results(tables, libraries=libraries)


def examine(
    name: str, folder: Path, rows_file: Path, vector: Any, steps: list[Any], places: list[Any]
) -> None:
    store = deletion_stores.STORES[name]
    folder.mkdir(parents=True)
    plan = [("loaded", "load", ""), ("deleted", "delete", "")]
    plan += [(f"purged: {purge.name}", str(k), purge.command) for k, purge in enumerate(store.purges)]
    seen: dict[str, bool] = {}
    for number, (step, action, command) in enumerate(plan):
        failure = call(name, action, folder, rows_file)
        before = audit(folder, CANARY_TEXT, vector)
        reopened = call(name, "search", folder, rows_file)
        after = audit(folder, CANARY_TEXT, vector)
        answer = json.loads(reopened["output"].splitlines()[-1]) if not reopened["error"] else {}
        found = {kind: any(f.kind == kind for f in after) for kind in ("text", "word", "vector")}
        seen = seen or found
        steps.append(
            {
                "store": name,
                "version": importlib.metadata.version(store.library),
                "keeps": store.kept,
                "step": number,
                "action": step,
                "command": command,
                "worked": not failure["error"],
                "search_finds_it": answer.get("found", ""),
                "old_version_has_it": answer.get("old_version", ""),
                "text_on_disk": found["text"],
                "word_on_disk": found["word"],
                "vector_on_disk": found["vector"],
                "on_disk_before_reopening": bool(before),
                "text_was_visible": seen["text"],
                "vector_was_visible": seen["vector"],
                "note": failure["error"][:160],
            }
        )
        places += [place(name, number, step, finding) for finding in after]


def place(store: str, number: int, step: str, finding: Finding) -> dict[str, Any]:
    return {
        "store": store,
        "step": number,
        "action": step,
        "file": finding.file,
        "role": finding.role,
        "kind": finding.kind,
        "form": finding.form,
        "count": finding.count,
    }


def call(name: str, action: str, folder: Path, rows_file: Path) -> dict[str, str]:
    command = [sys.executable, deletion_stores.__file__, name, action, str(folder), str(rows_file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_SECONDS)
    except subprocess.TimeoutExpired:
        return {"error": f"no end after {STEP_SECONDS} seconds", "output": ""}
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return {
        "error": lines[-1] if done.returncode and lines else "failed" * bool(done.returncode),
        "output": done.stdout,
    }


# ----------------------------------------------------------------------- what a vector alone gives away

FIRST = """
    Ada Ben Cleo Dov Elif Femi Gita Hana Ivo Jun Kofi Lena Mara Nils Oona Paz Quinn Rafa Sana
    Tomas Uma Vera Wim Xena Yara
""".split()  # noqa: SIM905
LAST = """
    Abara Bellweather Castellan Dunmore Eastlake Fairbrother Galbraith Hollins Iredale Jarnagin
    Kettering Lockhart Marchetti Norquist Oakenfold Pemberton Quarrywright Rosenthal Stavros
    Thornbury Underhill Vandermeer Whitcombe Yarborough Zielinski Ashgrove Blackwood Cromwell
    Delacroix Ellsworth Fontaine Greystone Hargrove Ivanova Jablonski Kowalski Lindqvist
    Montague Novakova Okafor
""".split()  # noqa: SIM905
WRITTEN = "Patient record: {name} was treated for {illness} at the clinic in March and is recovering at home."
GUESSED = {"same wording": WRITTEN, "other wording": "{name} had {illness}.", "name alone": "{name}"}
ILLNESSES = ("gallstones", "migraine", "asthma", "diabetes", "anaemia")
TARGETS = 200


def recovery() -> list[dict[str, Any]]:
    """Nearest-neighbour attack: the attacker has the vector and 1,000 names, one of which is right."""
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(names), TARGETS, replace=False)
    illnesses = [ILLNESSES[k] for k in rng.integers(0, len(ILLNESSES), TARGETS)]
    written = [
        WRITTEN.format(name=names[k], illness=illness) for k, illness in zip(chosen, illnesses, strict=True)
    ]
    model = minilm()
    kept = model.embed(written)
    forms = {
        "32-bit floats": kept,
        "8-bit integers": np.round(kept / np.abs(kept).max() * 127) / 127,
        "1 bit a dimension": np.sign(kept) / np.sqrt(kept.shape[1]),
    }
    rows = []
    for guess, template in GUESSED.items():
        candidates = (
            {
                i: model.embed([template.format(name=name, illness=i) for name in names])
                for i in set(illnesses)
            }
            if "{illness}" in template
            else dict.fromkeys(set(illnesses), model.embed(names))
        )
        for form, vectors in forms.items():
            ranks = []
            for target, name, illness in zip(vectors, chosen, illnesses, strict=True):
                nearness = candidates[illness] @ target
                ranks.append(int((nearness > nearness[name]).sum()) + 1)
            for within in (1, 10):
                hits = sum(rank <= within for rank in ranks)
                low, high = wilson_interval(hits, TARGETS)
                rows.append(
                    {
                        "vector": form,
                        "attacker_guesses": guess,
                        "names": len(names),
                        "within": within,
                        "share": hits / TARGETS,
                        "low": float(low),
                        "high": float(high),
                        "n": TARGETS,
                    }
                )
    return rows
