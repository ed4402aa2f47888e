"""The command line as a user meets it."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from ragvsft.cli import main


def test_compare_prices_the_default_scenario(capsys):
    assert main(["compare"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("100,000 queries a month for 12 months. Text may go: anywhere. Prices of 20")
    assert re.search(r"^RAG +[\d,]+ +[\d,]+ +[\d,]+", out, re.MULTILINE)
    assert re.search(r"^ +[\d,]+ to [\d,]+", out, re.MULTILINE)
    assert re.search(r"^x  one call needs .*Long context on Claude Sonnet 5.5", out, re.MULTILINE)
    assert "x  knows none of your documents: Prompting only on" in out
    assert re.search(r"costs least\. Its lead over .* percentile\); it wins \d+% of the draws\.", out)


def test_compare_marks_what_must_be_confirmed_first(tmp_path, capsys):
    file = tmp_path / "scenario.toml"
    file.write_text('text_may_go = "eu"\n')
    assert main(["compare", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Text may go: inside the eu" in out
    assert re.search(r"^RAG +[\d,]+   +[\d,]+   +[\d,]+ \?", out, re.MULTILINE)
    assert "?  confirm first: something about it could not be read at the seller's" in out


def test_compare_reads_a_file_and_prints_json(tmp_path, capsys):
    file = tmp_path / "scenario.toml"
    file.write_text('queries_per_month = 5000\nhorizon_months = 6\ncolumns = ["claude-haiku-5.5"]\n')
    assert main(["compare", str(file), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 2 and printed["queries_per_month"] == 5000 and len(printed["options"]) == 6


def test_the_example_can_be_fed_back(tmp_path, capsys):
    main(["compare", "--example"])
    file = tmp_path / "scenario.toml"
    file.write_text(capsys.readouterr().out)
    main(["compare", str(file)])
    fed_back = capsys.readouterr().out
    main(["compare"])
    assert fed_back == capsys.readouterr().out


def test_a_carried_price_that_differs_is_said(tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_text(
        '[prices.claude-sonnet-5-5.input_usd_per_mtok]\nvalue = 9\nas_of = 2026-01-02\nsource = "old"\n'
    )
    assert main(["compare", str(file), "--json"]) == 0
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert "note: claude-sonnet-5-5: input_usd_per_mtok: 9 in the scenario (2026-01-02)" in captured.err


def test_a_file_of_the_first_edition_opens_with_a_note_a_line(tmp_path, capsys):
    file = tmp_path / "old.toml"
    file.write_text('llm = "claude-haiku-5-5"\nmin_gpus = 2\n')
    assert main(["compare", str(file), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "note: llm: is now a column; claude-haiku-5.5 stands first",
        "note: min_gpus: is now called replicas",
    ]
    assert json.loads(captured.out)["notes"] == [
        line.removeprefix("note: ") for line in captured.err.splitlines()
    ]


@pytest.mark.parametrize("command", ["compare", "decide"])
def test_bad_input_is_one_line_and_status_2(command, tmp_path, capsys):
    file = tmp_path / "bad.toml"
    file.write_text("nonsense = 3\n")
    assert main([command, str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1
    assert "bad.toml: nonsense" in captured.err


def test_a_missing_file_is_named(capsys):
    assert main(["compare", "nowhere.toml"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err


def test_a_file_that_is_not_text_is_said(tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert main(["compare", str(file)]) == 2
    assert "s.toml" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "decide"])
@pytest.mark.parametrize("text", ['"a\\nb\\u001b[31m" = 1', f"a = {'[' * 5000}"], ids=["control", "nested"])
def test_a_hostile_file_is_one_printable_line(command, text, tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_text(text)
    assert main([command, str(file)]) == 2
    assert capsys.readouterr().err.removesuffix("\n").isprintable()


def run(*arguments, **options):
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "ragvsft.cli", *arguments], capture_output=True, **options)


def test_a_file_from_windows_is_read(tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xef\xbb\xbfqueries_per_month = 5000\r\n")
    assert main(["compare", str(file)]) == 0
    assert capsys.readouterr().out.startswith("5,000 queries a month")


def test_standard_input_is_utf_8_whatever_the_locale():
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    read = run("compare", "-", input="queries_per_month = 5000 # é".encode(), env=ascii_only)
    assert (read.returncode, read.stdout[:5], read.stderr) == (0, b"5,000", b"")


def test_standard_input_may_be_closed():
    closed = run("compare", "-", preexec_fn=lambda: os.close(0))
    assert closed.returncode == 2 and len(closed.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["compare", "decide"])
def test_a_reader_that_stops_listening_is_no_error(command):
    command_line = [sys.executable, "-m", "ragvsft.cli", command]
    process = subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)


HOSTILE = {
    "a dotted key of 200 kB": b"a" + b".a" * 100_000 + b" = 1",
    "a dotted key on a line": b"a" + b".a" * 40_000 + b" = 1",
    "an integer of 5,000 digits": b"queries_per_month = " + b"9" * 5_000,
    "an integer of 1,900 digits": b"queries_per_month = " + b"9" * 1_900,
    "a text of 1,900 words": b'llm = "' + b"a " * 900 + b'"',
    "a float beyond all floats": b"queries_per_month = 1e999",
    "zeros": bytes(50_000),
    "half a character": b"a = 'caf\xc3",
    "a table of tables": b"[[[[a]]]]",
    "an array in an array": b"\n".join([b"queries_per_month = ["] + [b"["] * 5_000),
}


@pytest.mark.parametrize("command", ["compare", "decide"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_short_line(command, name, tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_bytes(HOSTILE[name])
    assert main([command, str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err) < 700
    assert captured.err.startswith(f"ragvsft: {file}: ") and captured.err.removesuffix("\n").isprintable()


@pytest.mark.parametrize("command", ["compare", "decide"])
def test_a_file_without_end_is_refused(command, capsys):
    assert main([command, "/dev/zero"]) == 2
    assert capsys.readouterr().err == "ragvsft: /dev/zero: size: over 100,000 bytes; must be at most that\n"


def test_a_pipe_is_read_whatever_its_pieces():
    process = subprocess.Popen(
        [sys.executable, "-m", "ragvsft.cli", "compare", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for piece in (b"queries_per_", b"month = 5000\n", b"# " + b"x" * 1_000 + b"\n", b"horizon_months = 6\n"):
        process.stdin.write(piece)
        process.stdin.flush()
    assert process.communicate()[0].startswith(b"5,000 queries a month for 6 months")


def test_a_named_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "ragvsft.cli", "compare", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    pipe.write_bytes(b"queries_per_month = 5000\n")
    assert process.communicate()[0].startswith(b"5,000 queries a month")


def test_ctrl_c_is_one_line_and_status_130():
    process = subprocess.Popen(
        [sys.executable, "-m", "ragvsft.cli", "compare", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    process.stdin.write("# it waits for the rest\n" * 4000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    assert (*process.communicate(), process.returncode) == ("", "ragvsft: interrupted\n", 130)


PRICE = "prices.claude-sonnet-5-5.input_usd_per_mtok"


def test_a_carried_price_from_the_future_is_refused(tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_text(f'[{PRICE}]\nvalue = 9\nas_of = 2999-01-02\nsource = "x"\n')
    assert main(["compare", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"ragvsft: {file}: {PRICE}.as_of = 2999-01-02: lies in the future; ")


def test_a_price_of_today_is_taken_wherever_today_is(tmp_path, capsys):
    file = tmp_path / "s.toml"
    for today in {datetime.now(timezone(timedelta(hours=hours))).date() for hours in (-12, 0, 14)}:
        file.write_text(f'[{PRICE}]\nvalue = 9\nas_of = {today}\nsource = "x"\n')
        assert main(["compare", str(file)]) == 0


def test_decide_recommends_and_its_example_can_be_fed_back(tmp_path, capsys):
    assert main(["decide", "--example"]) == 0
    file = tmp_path / "answers.toml"
    file.write_text(capsys.readouterr().out)
    assert main(["decide", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["first_step"]
    assert main(["decide", str(file)]) == 0
    assert capsys.readouterr().out.startswith("First: ")


def test_the_committed_prices_pass_their_check(capsys):
    assert main(["prices", "check"]) == 0
    assert "0 findings" in capsys.readouterr().out


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(command in out for command in ("compare", "decide", "prices"))
