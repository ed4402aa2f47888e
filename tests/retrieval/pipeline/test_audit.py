"""The audit finds a planted canary in every form it names, and nothing where there is nothing."""

from __future__ import annotations

import gzip
import pickle
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ragvsft.retrieval.pipeline import PipelineError, audit
from ragvsft.retrieval.pipeline.audit import Finding

CANARY = "Staff file kq7zebra91 of Zebulon Quarrywright: Größe 44."
VECTOR = np.random.default_rng(0).normal(size=384).astype(np.float32)
VECTOR /= np.linalg.norm(VECTOR)
NOISE = np.random.default_rng(1).bytes(50_000)


def audited(folder: Path) -> list[Finding]:
    return audit.audit(folder, CANARY, VECTOR)


@pytest.mark.parametrize(
    ("raw", "kind", "form"),
    [
        (CANARY.encode(), "text", "UTF-8"),
        (CANARY.lower().encode(), "text", "UTF-8"),
        (CANARY.encode("utf-16-le"), "text", "UTF-16"),
        (CANARY.encode("unicode_escape"), "text", "escaped"),
        (b"\x00kq7zebra91\x00", "word", "UTF-8"),
        (VECTOR.tobytes(), "vector", "32-bit floats"),
        ((VECTOR * (1 + 1e-7)).astype(np.float32).tobytes(), "vector", "32-bit floats"),
        (VECTOR.astype("<f8").tobytes(), "vector", "64-bit floats"),
        (VECTOR.astype("<f2").tobytes(), "vector", "16-bit floats"),
        (pickle.dumps(VECTOR.tolist()), "vector", "pickled floats"),
    ],
)
@pytest.mark.parametrize("shift", [0, 1, 4_194_300])
def test_each_form_is_found_anywhere_in_a_file(
    tmp_path: Path, raw: bytes, kind: str, form: str, shift: int
) -> None:
    padding = b"\0" * shift if shift > 10 else NOISE[:shift]
    (tmp_path / "data.bin").write_bytes(NOISE + padding[: max(0, shift - len(NOISE))] + raw + NOISE)
    assert (kind, form) in {(f.kind, f.form.removesuffix(" at unit length")) for f in audited(tmp_path)}


def test_a_clean_folder_has_no_finding(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(NOISE * 20)
    (tmp_path / "empty").touch()
    assert audited(tmp_path) == []
    assert "Conclusive only if" in audit.report([])


def test_the_word_of_a_whole_text_is_not_reported_twice(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(CANARY.lower(), encoding="utf-8")
    assert [f.kind for f in audited(tmp_path)] == ["text"]


def test_packed_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(CANARY.encode()))
    with zipfile.ZipFile(tmp_path / "backup.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", CANARY)
    assert {f.file for f in audited(tmp_path)} == {"log.gz!", "backup.zip!inner.txt"}


def test_files_are_named_by_their_role(tmp_path: Path) -> None:
    for name in ("wal/open-1", "snapshots/monday", "fts/postings", "vectors.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CANARY, encoding="utf-8")
    roles = {finding.file: finding.role for finding in audited(tmp_path)}
    assert roles == {
        "wal/open-1": "log",
        "snapshots/monday": "snapshot",
        "fts/postings": "keyword index",
        "vectors.bin": "data",
    }


def test_sqlite_keeps_a_deleted_row_until_vacuum(tmp_path: Path) -> None:
    """A real store: the audit sees the row before the delete, after it, and no longer after VACUUM."""
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    connection.execute("pragma secure_delete = off")
    connection.execute("create table t (id integer primary key, text text, vector blob)")
    rows = [(k, f"other text {k}", NOISE[k : k + 1536]) for k in range(50)]
    connection.executemany("insert into t values (?, ?, ?)", [*rows, (99, CANARY, VECTOR.tobytes())])
    assert {f.kind for f in audited(tmp_path)} == {"text", "vector"}
    connection.execute("delete from t where id = 99")
    assert {f.kind for f in audited(tmp_path)} >= {"vector"}
    connection.execute("vacuum")
    assert audited(tmp_path) == []
    connection.close()


def test_one_file_can_be_audited(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(CANARY, encoding="utf-8")
    assert [f.file for f in audited(tmp_path / "a")] == ["a"]
    assert "found in 1 files" in audit.report(audited(tmp_path / "a"))


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="does not exist"):
        audit.audit(tmp_path / "none", CANARY)
    with pytest.raises(PipelineError, match="must have at least 6 characters"):
        audit.audit(tmp_path, "abc")
