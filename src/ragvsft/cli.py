"""The command line: `ragvsft compare`, `ragvsft decide` and `ragvsft prices`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ragvsft import __version__

if TYPE_CHECKING:
    from ragvsft.costs.scenario import Scenario

INTERRUPTED = 130
LARGEST_FILE_BYTES, LONGEST_LINE = 100_000, 2_000
"""More is no scenario and no answers: it is refused before it is read to its end, or parsed."""
LONGEST_MESSAGE = 600
TIME_ZONE_FURTHEST_AHEAD = timezone(timedelta(hours=14))


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

    row = commands.add_parser("row", help="turn an answered issue form into a row of data/")
    row.add_argument("table", choices=("price",), help="what the form reports")
    row.add_argument(
        "--from-issue",
        dest="file",
        metavar="FILE",
        required=True,
        help="the issue's text; - for standard input",
    )
    row.set_defaults(run=_row)
    return parser


def _read(name: str) -> str:
    """A file's text, or standard input's. Raises ValueError if it is too large or no text."""
    from_stdin = name == "-"
    with open(0 if from_stdin else name, "rb", closefd=not from_stdin) as file:
        content = file.read(LARGEST_FILE_BYTES + 1)
    if len(content) > LARGEST_FILE_BYTES:
        raise ValueError(f"size: over {LARGEST_FILE_BYTES:,} bytes; must be at most that")
    text = content.decode("utf-8-sig")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number}: {len(line):,} characters; must be at most {LONGEST_LINE:,}")
    return text


def _compare(arguments: argparse.Namespace) -> int:
    from ragvsft.costs import scenario as scenarios

    if arguments.example:
        print(scenarios.example(), end="")
        return 0
    scenario = scenarios.read(_read(arguments.file)) if arguments.file else scenarios.default()
    _refuse_future_prices(scenario)
    if arguments.json:
        print(json.dumps(scenarios.as_json(scenario), indent=2))
    else:
        print(_comparison(scenario))
    for change in scenario.price_changes():
        print(f"price differs: {change}", file=sys.stderr)
    return 0


def _refuse_future_prices(scenario: Scenario) -> None:
    today = _today()
    for price in scenario.carried_prices:
        if price.as_of > today:
            raise ValueError(
                f"prices.{price.name}.as_of = {price.as_of}: lies in the future; must be at most {today}"
            )


def _comparison(scenario: Scenario) -> str:
    from ragvsft.costs import scenario as scenarios
    from ragvsft.costs.options import KNOWS_THE_CORPUS, LABELS

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
    from ragvsft import decisions

    if arguments.example:
        print(decisions.example(), end="")
        return 0
    advice = decisions.recommend(decisions.read(_read(arguments.file)) if arguments.file else {})
    print(advice.model_dump_json(indent=2) if arguments.json else decisions.as_text(advice))
    return 0


def _prices(arguments: argparse.Namespace) -> int:
    from ragvsft import prices

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


def _row(arguments: argparse.Namespace) -> int:
    from ragvsft.tools import issue

    print(issue.price_row(_read(arguments.file), _today()), end="")
    print("append this line to data/prices.csv, then run `make data`", file=sys.stderr)
    return 0


def _today() -> date:
    """The latest date on Earth now: a price of today is no price of the future wherever it was read."""
    return datetime.now(TIME_ZONE_FURTHEST_AHEAD).date()


if __name__ == "__main__":
    sys.exit(main())
