"""Keep the record of what the book concludes: `data/conclusions.csv`, and `CHANGELOG.md` made from it.

`python -m ragvsft.tools.changelog --write` adds a row where what is computed has moved, and writes the page.
Without an argument it checks: a conclusion that is not recorded, or changed without a reason, or a page that
is not what the data make, is one line, and the exit status is 1.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from ragvsft import data
from ragvsft.data import DataError
from ragvsft.evidence import changes
from ragvsft.evidence.changes import ConclusionRow
from ragvsft.tools import snapshot

PAGE = "CHANGELOG.md"
HEAD = """# Changes

What the book concludes, and the prices and offers behind it, by the date from which it was so. `make data`
makes this page from the history that `data/` keeps; nobody edits it. Why a conclusion flipped is said in
`data/conclusions.csv`."""


def not_recorded(computed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Conclusions whose newest row says something else than what is computed; blank if no longer drawn."""
    recorded = changes.recorded()
    for name in [*computed, *(name for name in recorded if name not in computed)]:
        value = computed.get(name, "")
        if name not in recorded or recorded[name].value != value:
            yield name, value


def findings(computed: Mapping[str, str]) -> list[str]:
    """What is not as it must be, one line each."""
    recorded = changes.recorded()
    faults = [
        f"data/conclusions.csv: {name}: is now {value or changes.NONE!r}, recorded is "
        f"{recorded[name].value if name in recorded else changes.NONE!r}; run `make data`, then say why"
        for name, value in not_recorded(computed)
    ]
    faults += [
        f"data/conclusions.csv: conclusion = {row.conclusion}, as_of = {row.as_of}: why is blank; must say "
        "in a sentence what changed it"
        for row in changes.unexplained()
    ]
    page = data.DATA.parent / PAGE
    if not faults and (not page.is_file() or page.read_text("utf-8") != text()):
        faults.append(f"{PAGE}: is not what data/ makes; run `make data`")
    return faults


def text() -> str:
    """The page as the data make it."""
    return f"{HEAD}\n\n{changes.markdown(changes.days())}\n"


def write(computed: Mapping[str, str], on: date) -> None:
    """Add the rows that are missing, dated `on`, count the table again, and write the page.

    A row of the same date is replaced, and keeps its reason: nobody has seen it yet.
    """
    rows = {(row.conclusion, row.as_of): row for row in data.load("conclusions")}
    for name, value in not_recorded(computed):
        before = rows.get((name, on))
        why = before.why if before else ""
        rows[name, on] = ConclusionRow(conclusion=name, value=value, as_of=on, why=why)
    _write_rows(data.DATA / "conclusions.csv", sorted(rows.values(), key=lambda row: row.as_of))
    data.write_counts()
    (data.DATA.parent / PAGE).write_text(text(), encoding="utf-8")


def _write_rows(path: Path, rows: list[ConclusionRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ConclusionRow.model_fields)
        writer.writerows(row.model_dump(mode="json").values() for row in rows)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--write"]):
        sys.exit(f"arguments = {' '.join(arguments)}: must be none, or --write")
    try:
        computed = snapshot.conclusions()
        if arguments:
            write(computed, datetime.now(UTC).date())
        faults = findings(computed)
    except DataError as error:
        sys.exit(str(error))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
