"""The command line: `ragvsft` with `compare`, `decide`, `prices`, `gate`, `evaluate`, `diff` and others."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ragvsft import __version__

if TYPE_CHECKING:
    from ragvsft.costs.compare import Cell
    from ragvsft.costs.scenario import Scenario
    from ragvsft.retrieval.evaluated import UsdPerSuccess

INTERRUPTED = 130
LARGEST_FILE_BYTES, LONGEST_LINE = 100_000, 2_000
"""More is no scenario and no answers: it is refused before it is read to its end, or parsed."""
LONGEST_MESSAGE = 600


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 a check found something, 2 bad input, 130 interrupted by Ctrl-C."""
    try:
        return _run(_parser().parse_args(argv))
    except KeyboardInterrupt:
        print("ragvsft: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    try:
        status = int(arguments.run(arguments))
        print(end="", flush=True)
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        named = getattr(arguments, "file", None) and not isinstance(error, OSError)
        said = f"{arguments.file}: {error}" if named else str(error)
        print(f"ragvsft: {_one_line(said)}", file=sys.stderr)
        return 2


def _one_line(text: str) -> str:
    """Printable, and cut in its middle if it is long."""
    half = LONGEST_MESSAGE // 2
    shown = text if len(text) <= LONGEST_MESSAGE else f"{text[:half]} … {text[-half:]}"
    return "".join(c if c.isprintable() else " " for c in shown)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ragvsft", description="RAG or fine-tuning? Your costs and your decision, in the terminal."
    )
    parser.add_argument("--version", action="version", version=f"ragvsft {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

    priced = commands.add_parser("compare", help="price every method on every model for a scenario")
    priced.add_argument("file", nargs="?", help="scenario file (TOML); - for standard input; none: defaults")
    priced.add_argument("--json", action="store_true", help="print JSON")
    priced.add_argument("--evaluation", help="evaluation.json of ragvsft evaluate: USD per question answered")
    priced.add_argument("--example", action="store_true", help="print a commented scenario file")
    priced.set_defaults(run=_compare)

    decide = commands.add_parser("decide", help="what to try first, what next and when to stop")
    decide.add_argument("file", nargs="?", help="answers (TOML); - for standard input; none: don't know")
    decide.add_argument("--json", action="store_true", help="print JSON")
    decide.add_argument("--example", action="store_true", help="print a commented answers file")
    decide.set_defaults(run=_decide)

    gate = commands.add_parser(
        "gate",
        help="may RAG with a fine-tuned model replace RAG alone?",
        description="May RAG with a fine-tuned model replace RAG alone? A line of each file is one answer: "
        '{"id": "q1", "kind": "ordinary", "correct": true}. Kinds: ordinary (a gain must show), '
        "counterfactual (the passage contradicts what the model learnt; to follow it is right) and "
        "unanswerable (the passages lack the answer; to abstain is right): on these a loss must be ruled "
        "out. Exit status: 0 if the gate opens, 1 if it stays shut, 2 for bad files.",
    )
    gate.add_argument("first", help="graded answers of RAG alone (JSON Lines: id, kind, correct)")
    gate.add_argument("second", help="graded answers of the candidate, to the same questions")
    gate.add_argument("--margin", type=float, default=0.1, help="loss on a guard to rule out (0.1)")
    gate.set_defaults(run=_gate)

    price = commands.add_parser("prices", help="check the prices, or look for newer ones")
    price.add_argument(
        "action",
        choices=("check", "refresh"),
        help="check: ages, sources and a second library; refresh: what differs today (uses the network)",
    )
    price.add_argument("--today", action="store_true", help="check against the real date, not the commit's")
    price.set_defaults(run=_prices)

    row = commands.add_parser("row", help="turn an answered issue form into a row of data/")
    row.add_argument("kind", choices=("price", "claim", "case", "workload"), help="what the form reports")
    row.add_argument(
        "--from-issue",
        dest="file",
        metavar="FILE",
        required=True,
        help="the issue's text; - for standard input",
    )
    row.set_defaults(run=_row)

    two = commands.add_parser(
        "diff", help="what moved between two revisions: conclusions first, then numbers"
    )
    two.add_argument("before", help="the older revision, as git names it")
    two.add_argument("after", nargs="?", default="", help="the newer one; none: the working tree")
    two.add_argument("--json", action="store_true", help="print JSON: all of it")
    two.add_argument("--out", help="also write diff.md and diff.json into this folder")
    two.set_defaults(run=_diff)

    own = commands.add_parser("evaluate", help="compare retrieval methods on your documents and questions")
    own.add_argument("folder", nargs="?", help="folder of text, Markdown, reStructuredText or HTML files")
    own.add_argument(
        "questions",
        nargs="?",
        help="CSV: question, document, and if you like answer and part (tune, report)",
    )
    own.add_argument("--example", action="store_true", help="NumPy's docstrings instead of your files")
    own.add_argument("--k", type=int, default=5, help="passages that are read (default 5)")
    own.add_argument("--tune-on", default="tune", help="the part that the reranker may see (default tune)")
    own.add_argument(
        "--judged", help="CSV of judged answers: question, method, model, judge, correct (yes, no)"
    )
    own.add_argument("--out", default="evaluation", help="folder for evaluation.json and evaluation.html")
    own.set_defaults(run=_evaluate)

    audit = commands.add_parser("audit-deletion", help="look for a deleted text in every file of a store")
    audit.add_argument("path", help="the store's folder or file; stop the store or copy it first")
    audit.add_argument(
        "--canary", required=True, help="the deleted text, or a part of it that nothing else has"
    )
    audit.add_argument("--vector", help="its vector as a .npy file")
    audit.set_defaults(run=_audit_deletion)
    return parser


def _read(name: str, largest: int = LARGEST_FILE_BYTES, longest: int = LONGEST_LINE) -> str:
    """A file's text, or standard input's. Raises ValueError if it is too large or no text."""
    from_stdin = name == "-"
    with open(0 if from_stdin else name, "rb", closefd=not from_stdin) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"size: over {largest:,} bytes; must be at most that")
    text = content.decode("utf-8-sig")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > longest:
            raise ValueError(f"line {number}: {len(line):,} characters; must be at most {longest:,}")
    return text


def _compare(arguments: argparse.Namespace) -> int:
    from ragvsft.costs import compare
    from ragvsft.costs import scenario as scenarios

    if arguments.example:
        print(scenarios.example(), end="")
        return 0
    scenario = scenarios.read(_read(arguments.file)) if arguments.file else scenarios.default()
    if arguments.evaluation:
        arguments.file = arguments.evaluation  # whose fault a fault is from here on
        print(_per_success(scenario, arguments.evaluation))
    elif arguments.json:
        print(json.dumps(compare.as_json(scenario), indent=2))
    else:
        print(_comparison(scenario))
    for line in (*scenario.notes, *scenario.price_changes()):
        print(f"note: {line}", file=sys.stderr)
    return 0


def _per_success(scenario: Scenario, name: str) -> str:
    from ragvsft.costs import compare
    from ragvsft.retrieval import evaluated

    longest = evaluated.LARGEST_BYTES
    evaluation = evaluated.read(_read(name, longest, longest))
    queries = scenario.assumptions["queries_per_month"] * scenario.assumptions["horizon_months"]
    cells = compare.matrix(scenario, number_of_draws=1)
    table = [["USD for each, all costs", *(scenario.hosted(name).column.label for name in scenario.columns)]]
    notes: dict[str, None] = {}
    for line in evaluated.lines(evaluation, cells, queries):
        notes |= dict.fromkeys(f"x  {cell}" for cell in line.cells if isinstance(cell, str))
        table.append([line.label, *("x" if isinstance(c, str) else _dollars(c.usd) for c in line.cells)])
        if not all(isinstance(cell, str) for cell in line.cells):
            table.append(["", *(_interval(cell) for cell in line.cells)])
    if not evaluation.judged_answers:
        notes["USD per correct answer is not known: the file holds no judged answers."] = None
    below = "Under each: by the 95% interval of the share. RAG, less the stages that the method does not pay."
    told = [*notes, *(f"warning: {warning}" for warning in evaluation.warnings)]
    return "\n".join([*_aligned(table), "", below, *map(_one_line, told)])


def _interval(cell: UsdPerSuccess | str) -> str:
    return "" if isinstance(cell, str) else f"{_dollars(cell.low)} to {_dollars(cell.high)}"


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    return [
        line[0].ljust(widths[0])
        + "".join(f"  {text:>{width}}" for text, width in zip(line[1:], widths[1:], strict=True))
        for line in table
    ]


def _comparison(scenario: Scenario) -> str:
    from ragvsft.costs import compare
    from ragvsft.costs.methods import METHODS
    from ragvsft.prices import PLACES

    cells = compare.matrix(scenario)
    columns = [scenario.hosted(name).column for name in scenario.columns]
    table = [["USD over the horizon", *(column.label for column in columns)]]
    by_key = {cell.key: cell for cell in cells}
    for method in METHODS.values():
        table.append([method.label, *(_total(by_key[method.name, column.id]) for column in columns)])
        ranges = [_range(by_key[method.name, column.id]) for column in columns]
        if any(ranges):
            table.append(["", *ranges])
    dates = [price.as_of for price in compare.prices_in_use(scenario)]
    head = (
        f"{scenario.assumptions['queries_per_month']:,.0f} queries a month for "
        f"{scenario.assumptions['horizon_months']:g} months. "
        f"Text may go: {PLACES[scenario.text_may_go].lower()}. Prices of {min(dates)} to {max(dates)}."
    )
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if not cell.available:
            reasons.setdefault(cell.reason, []).append(cell.label)
    notes = [f"x  {reason}: {', '.join(labels)}" for reason, labels in reasons.items()]
    if any(cell.available and cell.confirm_first for cell in cells):
        notes.append("?  confirm first: something about it could not be read at the seller's")
    below = (
        "Under each total: 10th to 90th percentile over the ranges of the assumptions.\n"
        "These are costs: how well a method answers is not compared. Measure that on your own questions."
    )
    return "\n".join([head, "", *_aligned(table), "", compare.verdict(cells), below, "", *notes])


def _total(cell: Cell) -> str:
    mark = " x" if not cell.available else " ?" if cell.confirm_first else "  "
    return _dollars(cell.horizon_usd) + mark


def _range(cell: Cell) -> str:
    if not cell.available:
        return ""
    return f"{_dollars(cell.range_usd.low)} to {_dollars(cell.range_usd.high)}  "


def _dollars(value: float) -> str:
    if value != value:
        return "no price"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.4g}"


def _decide(arguments: argparse.Namespace) -> int:
    from ragvsft import decisions

    if arguments.example:
        print(decisions.example(), end="")
        return 0
    advice = decisions.recommend(decisions.read(_read(arguments.file)) if arguments.file else {})
    print(advice.model_dump_json(indent=2) if arguments.json else decisions.as_text(advice))
    return 0


def _gate(arguments: argparse.Namespace) -> int:
    from ragvsft.evaluation import gate

    text, opens = gate.run(Path(arguments.first), Path(arguments.second), arguments.margin)
    print(text)
    return 0 if opens else 1


def _prices(arguments: argparse.Namespace) -> int:
    from ragvsft.costs import compare
    from ragvsft.prices import PLACES
    from ragvsft.prices.check import as_csv, check, refresh

    if arguments.action == "refresh":
        rows = refresh()
        if rows:
            print(as_csv(rows), end="")
        print(f"{len(rows)} prices differ today; append the rows above to data/prices.csv", file=sys.stderr)
        return 0
    on = datetime.now(UTC).date() if arguments.today else None
    in_use = dict.fromkeys(name for place in PLACES for name in compare.offers_in_use(place))
    findings = check(tuple(in_use), on)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


def _row(arguments: argparse.Namespace) -> int:
    from ragvsft.prices.clock import latest_today
    from ragvsft.tools import issue

    print(issue.lines(arguments.kind, _read(arguments.file), latest_today()), end="")
    print(issue.FORMS[arguments.kind].then, file=sys.stderr)
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from ragvsft.data import DATA
    from ragvsft.tools import diff

    found = diff.diff(arguments.before, arguments.after, DATA.parent)
    if arguments.out:
        diff.write(found, Path(arguments.out))
    print(json.dumps(found.as_json(), indent=1) if arguments.json else diff.as_markdown(found).rstrip())
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    import tempfile

    from ragvsft.retrieval.pipeline import embed, evaluate, example

    def progress(done: int, of: int, name: str) -> None:
        print(f"\rindexed {done} of {of}", end="" if done < of else "\n", file=sys.stderr, flush=True)

    if arguments.example == bool(arguments.folder):
        raise ValueError("folder: must be a folder with questions, or else --example")
    if not arguments.example and not arguments.questions:
        raise ValueError("questions: is missing; must be a CSV file, after the folder")
    with tempfile.TemporaryDirectory() as made:
        if arguments.example:
            folder, text = example.write(Path(made))
        else:
            folder, text = Path(arguments.folder), _read(arguments.questions)
        asked = evaluate.questions(text)
        judged = evaluate.judged(_read(arguments.judged), asked) if arguments.judged else None
        result = evaluate.evaluate(
            folder, asked, embed.from_environment(), arguments.k, arguments.tune_on, progress
        ).model_copy(update={"judged_answers": judged})
    evaluate.write(result, Path(arguments.out))
    print(evaluate.as_text(result))
    print(f"written: {arguments.out}/evaluation.json, {arguments.out}/evaluation.html", file=sys.stderr)
    return 0


def _audit_deletion(arguments: argparse.Namespace) -> int:
    import numpy

    from ragvsft.retrieval.pipeline import audit

    vector = numpy.load(arguments.vector).ravel() if arguments.vector else None
    findings = audit.audit(Path(arguments.path), arguments.canary, vector)
    print(audit.report(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
