"""The workflows and forms: valid, pinned, safe for forks; their commands run against stand-ins.

What only GitHub can run (the actions themselves, Pages, macOS) is checked by schema and no further.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ragvsft import data
from ragvsft.tools import dead_links, issue

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
PLAIN = {"pip install uv"}
"""Commands of one word's worth, of which nothing could be run offline."""

workflows = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in parsed(path)["jobs"].values() for step in job["steps"]]


def script(workflow: str, holds: str) -> str:
    """The one shell step of a workflow that holds a text."""
    (found,) = [
        step["run"]
        for step in steps(GITHUB / "workflows" / f"{workflow}.yml")
        if holds in step.get("run", "")
    ]
    return str(found)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
        ("vendor.citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_files_for_github_keep_to_their_schemas(schema: str, files: list[Path]) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    run = subprocess.run([checker, "--builtin-schema", schema, *files], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@workflows
def test_every_action_is_pinned_by_commit(path: Path) -> None:
    used = [
        line.strip().removeprefix("- ") for line in path.read_text("utf-8").splitlines() if "uses:" in line
    ]
    assert [line for line in used if not PINNED.search(line)] == []


def test_an_action_has_one_commit_throughout() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: (\S+)@(\w+)", text))
    assert len(pins) == len({action for action, _ in pins})


@workflows
def test_nothing_that_a_stranger_wrote_is_part_of_a_command(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@workflows
def test_the_untrusted_get_no_permission_and_the_permitted_run_nothing_untrusted(path: Path) -> None:
    workflow = parsed(path)
    triggers = workflow[True]  # YAML reads the key `on` as true
    writes = "write" in str(
        [workflow["permissions"], [job.get("permissions") for job in workflow["jobs"].values()]]
    )
    assert "pull_request_target" not in triggers
    assert not (writes and "pull_request" in triggers)
    if "workflow_run" in triggers:
        assert not [
            step for step in steps(path) if "checkout" in str(step) or "download" in step.get("uses", "")
        ]


@workflows
def test_workflows_call_targets_of_the_makefile(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = [
        step["run"].partition(" #")[0] for step in steps(path) if step.get("run", "").startswith("make ")
    ]
    for target in (word for line in called for word in line.split()[1:]):
        assert re.search(rf"^(\$\({target.split('/')[-1]}\)|{re.escape(target)}):", makefile, re.M), target


def test_every_other_command_is_run_by_a_test_below() -> None:
    others = {
        (path.stem, step["run"])
        for path in WORKFLOWS
        for step in steps(path)
        if "run" in step and not step["run"].startswith("make ") and step["run"] not in PLAIN
    }
    assert others == {(name, script(name, holds)) for name, holds in RUN_BELOW}


RUN_BELOW = [
    ("prices", "git push"),
    ("lock", "git push"),
    ("links", "gh issue"),
    ("preview-comment", "gh pr"),
    ("form", "printf"),
    ("form", "ragvsft row"),
    ("form", "gh issue"),
]


class Stage:
    """A clone of a small repository, with a `gh` that notes what it is told and answers what a test says."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.tools, self.notes = folder / "clone", folder / "tools", folder / "notes"
        self.tools.mkdir()
        self.answer("")
        origin = folder / "origin.git"
        self.sh(f"git init -q --bare -b main '{origin}' && git clone -q '{origin}' '{self.clone}'", folder)
        self.sh("git config user.name x && git config user.email x@example.org")
        (self.clone / "data.csv").write_text("a\n", encoding="utf-8")
        self.sh("git add . && git commit -qm one && git push -q origin HEAD:main")

    def answer(self, text: str) -> None:
        """What `gh` prints when it is asked for a list."""
        gh = self.tools / "gh"
        gh.write_text(
            f'#!/bin/sh\n{{ printf "%s " "$@"; echo; [ "$2" = list ] || cat; }} >> "{self.notes}"\n'
            f'[ "$2" = list ] && printf "%s" "{text}"\nexit 0\n',
            encoding="utf-8",
        )
        gh.chmod(0o755)

    def sh(self, command: str, folder: Path | None = None, **environment: str) -> str:
        run = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", command],
            cwd=folder or self.clone,
            env=os.environ | {"PATH": f"{self.tools}:{os.environ['PATH']}"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def told(self) -> str:
        return self.notes.read_text(encoding="utf-8") if self.notes.exists() else ""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize("workflow", ["prices", "lock"])
def test_a_refresh_is_proposed_once_and_only_if_something_changed(workflow: str, stage: Stage) -> None:
    propose = script(workflow, "git push")
    names = {"BRANCH": "new-rows", "TITLE": "New rows"}
    assert "nothing has changed" in stage.sh(propose, **names)
    (stage.clone / "data.csv").write_text("a\nb\n", encoding="utf-8")
    stage.sh(propose, **names)
    assert stage.sh("git log --format=%s origin/new-rows -1") == "New rows\n"
    assert "pr create --title New rows --head new-rows" in stage.told()
    assert ("+b" in stage.told()) == (workflow == "prices")
    assert stage.sh("git log --format=%s origin/main -1") == "one\n"


def test_dead_links_open_an_issue_and_then_add_to_it(stage: Stage) -> None:
    report = script("links", "gh issue")
    (stage.clone / "_build").mkdir()
    (stage.clone / "_build" / "links.txt").write_text("", encoding="utf-8")
    assert "every address answers" in stage.sh(report, TITLE="Dead")
    (stage.clone / "_build" / "links.txt").write_text("- https://example.org\n", encoding="utf-8")
    stage.sh(report, TITLE="Dead")
    assert "issue create --title Dead --body-file _build/links.txt" in stage.told()
    stage.answer("7")
    stage.sh(report, TITLE="Dead")
    assert "issue comment 7 --body-file" in stage.told()


def test_a_preview_is_announced_on_the_pull_request_of_its_commit(stage: Stage) -> None:
    comment = script("preview-comment", "gh pr")
    assert "no open pull request" in stage.sh(comment, COMMIT="abc", RUN="https://example.org/run")
    stage.answer("12")
    stage.sh(comment, COMMIT="abc", RUN="https://example.org/run")
    assert "pr comment 12 --edit-last --create-if-none" in stage.told()
    assert "https://example.org/run" in stage.told()


def test_a_form_is_answered_with_its_row_or_its_fault(stage: Stage) -> None:
    known, ledger = data.load("prices")[0], data.load("claims")[0]
    price = {
        "Offer": known.offer, "Item": known.item, "Value": "0.2", "As of": "2026-01-06",
        "Source kind": "official", "Source": "https://example.org/$(touch${IFS}broken)",
        "Note": "`touch broken`",
    }  # fmt: skip
    claim = {"Claim": ledger.id, "Verdict": "outdated", "Finding": "$(touch broken)", "As of": "2026-01-06"}
    answered = (
        ("price", price, f"    {known.offer},{known.item}"),
        ("price", price | {"Value": "cheap"}, "value = cheap: must be"),
        ("claim", claim, f"    {ledger.id},"),
        ("claim", claim | {"Claim": "cost/break-even: it is wrong"}, "must be an id of data/claims.csv"),
    )
    (stage.clone / ".venv").symlink_to(Path(sys.prefix))
    for kind, said, expected in answered:
        body = "\n\n".join(f"### {label}\n\n{answer}" for label, answer in said.items())
        stage.sh(script("form", "printf"), BODY=body)
        stage.sh(script("form", "ragvsft row"), KIND=kind)
        stage.sh(script("form", "gh issue"), NUMBER="3")
        assert "issue comment 3 --edit-last" in stage.told() and expected in stage.told()
    assert not (stage.clone / "broken").exists()


def test_every_form_that_becomes_a_row_is_answered() -> None:
    workflow = (GITHUB / "workflows" / "form.yml").read_text(encoding="utf-8")
    labels = {label for path in FORMS for label in parsed(path)["labels"]} - {"typo"}
    assert labels == issue.FORMS.keys() == set(re.findall(r"labels\.\*\.name, '(\w+)'", workflow))
    assert all(parsed(GITHUB / "ISSUE_TEMPLATE" / f"{label}.yml")["labels"] == [label] for label in labels)


def test_dead_addresses_are_named_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://dead.example/x#y">1</a><a href="b.html">2</a><a href="https://lame.example/">3</a>',
        encoding="utf-8",
    )
    asked: list[str] = []

    def ask(address: str) -> str | None:
        asked.append(address)
        once = address == "https://lame.example/" and asked.count(address) == 1
        return "HTTP 404" if "dead" in address or once else None

    assert dead_links.dead(tmp_path, ask) == ["- https://dead.example/x: HTTP 404 (a.html)"]
    assert data.load("prices")[0].source in asked
