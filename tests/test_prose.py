"""A number in a sentence says neither more nor less than the value behind it."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragvsft import prose


@pytest.mark.parametrize(
    "amount, text",
    [
        (0, r"\$0"),
        (0.0000195, r"\$0.0000195"),
        (0.002, r"\$0.002"),
        (0.0320195, r"\$0.0320"),
        (0.13, r"\$0.13"),
        (0.1, r"\$0.10"),
        (0.9999, r"\$1.00"),
        (3, r"\$3.00"),
        (3.69, r"\$3.69"),
        (-5, r"−\$5.00"),
        (90.72, r"\$90.72"),
        (1115.4, r"\$1,115"),
        (12345, r"\$12,345"),
        (1_750_000, r"\$1,750,000"),
    ],
)
def test_dollars(amount: float, text: str) -> None:
    assert prose.usd(amount) == text


@pytest.mark.parametrize(
    "fraction, text",
    [
        (0, "0%"),
        (0.57, "57%"),
        (17 / 30, "56.7%"),
        (0.998, "99.8%"),
        (0.99996, "99.996%"),
        (0.0004, "0.04%"),
        (1, "100%"),
        (2.5, "250%"),
        (-0.89, "−89%"),
    ],
)
def test_percentages(fraction: float, text: str) -> None:
    assert prose.percent(fraction) == text


def test_other_units() -> None:
    assert prose.count(1340) == "1,340"
    assert prose.number(2.5) == "2.5"
    assert prose.number(2146.7) == "2,147"
    assert prose.months(1) == "1 month"
    assert prose.months(3.04) == "3.04 months"
    assert prose.ms(359) == "359 ms"
    assert prose.day(date(2026, 5, 7)) == "7 May 2026"


def test_half_a_thing_is_not_a_count() -> None:
    with pytest.raises(ValueError, match=r"items: 2.5 is not a whole number"):
        prose.count(2.5)


def test_what_is_not_finite_is_not_printed() -> None:
    with pytest.raises(ValueError, match=r"value: inf cannot be printed"):
        prose.usd(math.inf)


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_rounding_moves_a_value_by_less_than_half_a_percent_and_never_to_zero(value: float) -> None:
    shown = float(prose.usd(value).replace(r"\$", "").replace(",", ""))
    assert shown > 0
    assert shown == pytest.approx(value, rel=0.0051)


@given(st.floats(min_value=0, max_value=1))
def test_only_none_and_all_print_as_none_and_all(fraction: float) -> None:
    assert (prose.percent(fraction) == "0%") == (fraction == 0)
    assert (prose.percent(fraction) == "100%") == (fraction == 1)


def test_links_are_relative_to_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(prose.root() / "data")
    assert prose.link("cost/break-even", "break-even") == "[break-even](../chapters/cost/break-even.ipynb)"
    assert prose.link("index", "home", "top") == "[home](../index.ipynb#top)"


def test_two_prices_in_a_sentence_are_not_a_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda markdown: shown.append(markdown.data))
    prose.say(f"From {prose.usd(3)} to {prose.usd(4)}, with $x^2$ still maths.")
    assert shown == [r"From <span>\$</span>3.00 to <span>\$</span>4.00, with $x^2$ still maths."]


def test_a_table_has_a_head_and_escapes_bars():
    assert prose.table(["a", "b"], [["1|2", "3"]]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"
