"""Look for what should be gone: a deleted text or vector in every file of a store's folder.

Finding nothing is proof only if the same search found the canary before it was deleted: a store may compress,
encrypt or quantise what it keeps. Free blocks of the disk, memory, backups and replicas are not looked at.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ragvsft.retrieval.pipeline import PipelineError
from ragvsft.retrieval.pipeline.lexical import words

Kind = Literal["text", "word", "vector"]
WINDOW = 6
"""Consecutive numbers of a vector that must be found together: chance hits are out of the question."""
TOLERANCE = 1e-5
SHORTEST_WORD = 6
BLOCK, OVERLAP = 1 << 22, 1 << 14
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".z": zlib.decompress,
}
_ROLES = (
    ("log", ("wal", "journal", "log")),
    ("snapshot", ("snapshot", "backup", "dump", "version", "manifest")),
    ("keyword index", ("fts", "invert", "posting", "bm25", "tokens", "vocab")),
)


@dataclass(frozen=True)
class Finding:
    """A file that still holds the canary: its path below the folder, what, in which form, where first."""

    file: str
    kind: Kind
    form: str
    offset: int
    count: int

    @property
    def role(self) -> str:
        """What the file seems to be, by its name: log, snapshot, keyword index, or data."""
        name = self.file.lower()
        return next((role for role, marks in _ROLES if any(mark in name for mark in marks)), "data")


def audit(folder: Path, canary: str, vector: NDArray[np.float32] | None = None) -> list[Finding]:
    """Every place under a folder that holds the canary text, one of its rare words, or its vector.

    Text is looked for as UTF-8, UTF-16 and escaped, as written and in lower case. A word of at least six
    letters and digits, mixed, that stands where the text does not is reported as a word: keyword indexes
    keep those. A vector is looked for as numbers of 16, 32 and 64 bits and as Python pickles them; of 32 bits
    at unit length. Files packed by gzip, bzip2, xz and zip are opened. Raises PipelineError for a folder that
    is not there and a canary under six letters.
    """
    if not folder.exists():
        raise PipelineError(f"path = {folder}: does not exist; must be the folder or file of a store")
    if len(canary.strip()) < SHORTEST_WORD:
        raise PipelineError(f"canary = {canary!r}: must have at least {SHORTEST_WORD} characters")
    needles = [*_text_needles(canary), *(_vector_needles(vector) if vector is not None else [])]
    unit = None if vector is None else np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)
    files = (
        [folder]
        if folder.is_file()
        else sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    )
    found: list[Finding] = []
    for file in files:
        name = file.name if folder.is_file() else file.relative_to(folder).as_posix()
        for inner, content in _contents(file, name):
            found += _search(inner, content, needles, unit)
    return found


Needle = tuple[Kind, str, bytes]


def _text_needles(canary: str) -> list[Needle]:
    texts = dict.fromkeys([canary.strip(), canary.strip().lower()])
    needles: list[Needle] = []
    for text in texts:
        escaped = text.encode("unicode_escape")
        forms = {"UTF-8": text.encode(), "UTF-16": text.encode("utf-16-le"), "escaped": escaped}
        needles += [
            ("text", form, raw) for form, raw in forms.items() if form != "escaped" or raw != text.encode()
        ]
    rare = {w for w in words(canary) if len(w) >= SHORTEST_WORD and not w.isalpha() and not w.isdigit()}
    return needles + [("word", "UTF-8", word.encode()) for word in sorted(rare)]


def _vector_needles(vector: NDArray[np.float32]) -> list[Needle]:
    needles: list[Needle] = []
    length = float(np.linalg.norm(vector)) or 1.0
    for name, values in {"": vector, " at unit length": vector / length}.items():
        for start in (0, len(values) // 2, len(values) - WINDOW):
            part = np.asarray(values[start : start + WINDOW])
            for bits, kind in ((16, "<f2"), (64, "<f8")):
                needles.append(("vector", f"{bits}-bit floats{name}", part.astype(kind).tobytes()))
            pickled = b"".join(b"G" + struct.pack(">d", float(np.float32(x))) for x in part)
            needles.append(("vector", f"pickled floats{name}", pickled))
    return needles


def _contents(file: Path, name: str) -> Iterator[tuple[str, Iterator[tuple[int, bytes]]]]:
    try:
        yield name, _blocks(file)
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                for member in archive.namelist():
                    yield f"{name}!{member}", iter([(0, archive.read(member))])
        elif unpack := _PACKED.get(file.suffix.lower()):
            yield f"{name}!", iter([(0, unpack(file.read_bytes()))])
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile):
        return
    except OSError as error:
        raise PipelineError(f"file = {file}: cannot be read ({error.strerror}); must be readable") from None


def _blocks(file: Path) -> Iterator[tuple[int, bytes]]:
    """The file in overlapping blocks with their offsets, without those of zeros alone, as in a new log."""
    with file.open("rb") as opened:
        start = 0
        while block := opened.read(BLOCK + OVERLAP):
            if block.strip(b"\0"):
                yield start, block
            if len(block) <= BLOCK:
                return
            start += BLOCK
            opened.seek(start)


def _search(
    name: str,
    blocks: Iterator[tuple[int, bytes]],
    needles: Sequence[Needle],
    vector: NDArray[np.float32] | None,
) -> list[Finding]:
    places: dict[tuple[Kind, str], set[int]] = {}
    for start, block in blocks:
        covered: list[tuple[int, int]] = []
        for kind, form, raw in needles:
            for place in _places(block, raw):
                if kind == "word" and any(first <= place < last for first, last in covered):
                    continue
                if kind == "text":
                    covered.append((place, place + len(raw)))
                places.setdefault((kind, form), set()).add(start + place)
        if vector is not None and (at := _floats(block, vector)):
            places.setdefault(("vector", "32-bit floats"), set()).update(start + place for place in at)
    return [Finding(name, kind, form, min(at), len(at)) for (kind, form), at in places.items()]


def _places(content: bytes, raw: bytes) -> Iterator[int]:
    place = content.find(raw)
    while place >= 0:
        yield place
        place = content.find(raw, place + len(raw))


def _floats(content: bytes, vector: NDArray[np.float32]) -> list[int]:
    """Where the vector's first numbers stand as 32-bit floats, but for rounding, at any alignment."""
    found = []
    for shift in range(4):
        usable = (len(content) - shift) // 4
        if usable < WINDOW:
            continue
        numbers = np.frombuffer(content, "<f4", usable, shift)
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.flatnonzero(np.abs(numbers[: 1 - WINDOW] - vector[0]) < TOLERANCE)
            for k in range(1, WINDOW):
                near = near[np.abs(numbers[near + k] - vector[k]) < TOLERANCE]
        found += [shift + 4 * int(place) for place in near]
    return found


def report(findings: Sequence[Finding]) -> str:
    """The findings as lines of text, or one line that says what their absence means."""
    if not findings:
        return "not found. Conclusive only if this search found it before the deletion: try a copy made then."
    lines = [
        f"{f.kind:6}  {f.form:28}  {f.role:13}  {f.count:4}×  {f.file} at byte {f.offset}" for f in findings
    ]
    return "\n".join([f"found in {len({f.file for f in findings})} files:", *lines])
