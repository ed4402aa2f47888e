"""The command line: `ragvsft compare`, `decide`, `prices`, `evaluate` and `audit-deletion`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ragvsft import __version__, decisions, prices
from ragvsft.costs import scenario as scenarios
from ragvsft.costs.options import KNOWS_THE_CORPUS, LABELS


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a check found something, 2 bad input."""
    arguments = _parser().parse_args(argv)
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
        print(f"ragvsft: {''.join(c if c.isprintable() else ' ' for c in said)}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ragvsft", description="RAG or fine-tuning? Your costs and your decision, in the terminal."
    )
    parser.add_argument("--version", action="version", version=f"ragvsft {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")

    compare = commands.add_parser("compare", help="price every option for a scenario")
    compare.add_argument("file", nargs="?", help="scenario file (TOML); - for standard input; none: defaults")
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.add_argument("--example", action="store_true", help="print a commented scenario file")
    compare.set_defaults(run=_compare)

    decide = commands.add_parser("decide", help="what to try first, what next and when to stop")
    decide.add_argument("file", nargs="?", help="answers (TOML); - for standard input; none: don't know")
    decide.add_argument("--json", action="store_true", help="print JSON")
    decide.add_argument("--example", action="store_true", help="print a commented answers file")
    decide.set_defaults(run=_decide)

    price = commands.add_parser("prices", help="check the prices, or look for newer ones")
    price.add_argument(
        "action",
        choices=("check", "refresh"),
        help="check: ages, sources and a second library; refresh: what differs today (uses the network)",
    )
    price.set_defaults(run=_prices)

    own = commands.add_parser("evaluate", help="compare retrieval methods on your documents and questions")
    own.add_argument("folder", help="folder of text, Markdown, reStructuredText or HTML files")
    own.add_argument(
        "questions", help="CSV: question, document, and if you like answer and part (tune, report)"
    )
    own.add_argument("--k", type=int, default=5, help="passages that are read (default 5)")
    own.add_argument("--tune-on", default="tune", help="the part that the reranker may see (default tune)")
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


def _read(name: str) -> str:
    from_stdin = name == "-"
    with open(0 if from_stdin else name, encoding="utf-8-sig", closefd=not from_stdin) as file:
        return file.read()


def _compare(arguments: argparse.Namespace) -> int:
    if arguments.example:
        print(scenarios.example(), end="")
        return 0
    scenario = scenarios.read(_read(arguments.file)) if arguments.file else scenarios.default()
    if arguments.json:
        print(json.dumps(scenarios.as_json(scenario), indent=2))
    else:
        print(_comparison(scenario))
    for change in scenario.price_changes():
        print(f"price differs: {change}", file=sys.stderr)
    return 0


def _comparison(scenario: scenarios.Scenario) -> str:
    rows = scenarios.compare(scenario)
    names = ("one_off_usd", "monthly_usd", "per_query_usd", "horizon_usd", "vendor_horizon_usd")
    table = [["option", "one-off", "a month", "per query", "horizon", "of it vendors"]]
    for row in rows:
        mark = "" if row.available else " (x)"
        table.append([LABELS[row.option] + mark, *(_dollars(getattr(row, name)) for name in names)])
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    lines = [
        line[0].ljust(widths[0])
        + "".join(f"  {text:>{width}}" for text, width in zip(line[1:], widths[1:], strict=True))
        for line in table
    ]
    dates = [price.as_of for price in scenario.prices]
    head = (
        f"{scenario.assumptions['queries_per_month']:,.0f} queries a month for "
        f"{scenario.assumptions['horizon_months']:g} months, USD, prices of {min(dates)} to {max(dates)}"
    )
    notes = [f"(x) {LABELS[row.option]}: {row.reason}" for row in rows if not row.available]
    unaware = ", ".join(LABELS[name] for name, knows in KNOWS_THE_CORPUS.items() if not knows)
    notes.append(f"Not the same job: {unaware} know nothing of your documents.")
    return "\n".join([head, "", *lines, "", *notes])


def _dollars(value: float) -> str:
    if value != value:
        return "no price"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.4g}"


def _decide(arguments: argparse.Namespace) -> int:
    if arguments.example:
        print(decisions.example(), end="")
        return 0
    advice = decisions.recommend(decisions.read(_read(arguments.file)) if arguments.file else {})
    print(advice.model_dump_json(indent=2) if arguments.json else decisions.as_text(advice))
    return 0


def _prices(arguments: argparse.Namespace) -> int:
    if arguments.action == "refresh":
        rows = prices.refresh()
        if rows:
            print(prices.as_csv(rows), end="")
        print(f"{len(rows)} prices differ today; append the rows above to data/prices.csv", file=sys.stderr)
        return 0
    findings = prices.check()
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from ragvsft.retrieval.pipeline import embed, evaluate

    def progress(done: int, of: int, name: str) -> None:
        print(f"\rindexed {done} of {of}", end="" if done < of else "\n", file=sys.stderr, flush=True)

    asked = evaluate.questions(_read(arguments.questions))
    result = evaluate.evaluate(
        Path(arguments.folder), asked, embed.from_environment(), arguments.k, arguments.tune_on, progress
    )
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
