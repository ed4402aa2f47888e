"""Colours: told apart with three kinds of colour blindness and in grey print, legible in light and dark."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from ragvsft import book
from ragvsft.widgets import chart as charts
from ragvsft.widgets import verdict_chart


def colours_of(path: Path, prefix: str, dark: bool) -> dict[str, np.ndarray]:
    """Linear RGB of each colour variable of a style sheet, by its name without the prefix."""
    pairs = re.findall(rf"--{prefix}-([\w-]+): .*?light-dark\((#\w+), (#\w+)\)", path.read_text("utf-8"))
    return {name: linear((light, night)[dark]) for name, light, night in pairs}


def palette(dark: bool) -> dict[str, np.ndarray]:
    """Linear RGB of each colour variable of charts.css."""
    return colours_of(charts.HERE / "charts.css", "chart", dark)


def linear(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    dim, bright = sorted(float(colour @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
    to_lab = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return np.array(to_lab) @ np.cbrt(np.array(cones) @ np.clip(rgb, 0, 1))


# Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


@pytest.mark.parametrize("dark", [False, True])
def test_every_series_stands_out_from_the_page(dark):
    colours = palette(dark)
    assert {name for name in "1234567" if contrast(colours[name], colours["paper"]) < 3} == set()
    assert contrast(colours["quiet"], colours["paper"]) >= 4.5


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("dark", [False, True])
def test_every_two_series_differ_for_colour_blind_readers(dark, sight):
    seen = [
        oklab(np.array(SIGHT[sight]) @ colour) for name, colour in palette(dark).items() if name in "1234567"
    ]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.09


def lightness(rgb: np.ndarray) -> float:
    """CIE L* of a linear RGB colour: what grey print leaves of it, 0 black to 100 white."""
    luminance = float(rgb @ [0.2126, 0.7152, 0.0722])
    return 116 * np.cbrt(luminance) - 16


@pytest.mark.parametrize("styles", [charts.DASHES, charts.SHAPES])
def test_every_two_series_differ_in_grey_print_by_lightness_or_by_dash_and_shape(styles):
    light = palette(dark=False)
    for one, other in itertools.combinations(charts.SERIES, 2):
        apart = abs(lightness(light[one[12:-1]]) - lightness(light[other[12:-1]]))
        assert apart > 10 or styles.get(one) != styles.get(other), (one, other, apart)


TEXT = ("fg", "muted", "accent", "warn", "code-keyword", "code-string", "code-number", "code-comment")
PAPER = ("bg", "soft", "accent-soft", "warn-soft")
CODE_PAPER = ("bg", "soft")


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_a_contrast_of_four_and_a_half(dark):
    page = colours_of(book.STATIC / "book.css", "bk", dark)
    pairs = [(ink, paper) for ink in TEXT for paper in (CODE_PAPER if "code" in ink else PAPER)]
    faint = {(ink, paper): round(contrast(page[ink], page[paper]), 2) for ink, paper in pairs}
    assert {pair: found for pair, found in faint.items() if found < 4.5} == {}


@pytest.mark.parametrize("dark", [False, True])
def test_charts_and_page_have_one_ink_one_paper_and_one_colour_of_a_verdict(dark):
    chart, page = palette(dark), colours_of(book.STATIC / "book.css", "bk", dark)
    same = {"ink": "fg", "quiet": "muted", "line": "line", "paper": "bg", "stands": "accent", "falls": "warn"}
    assert [one for one, other in same.items() if (chart[one] != page[other]).any()] == []


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("dark", [False, True])
def test_verdicts_differ_from_each_other_and_have_the_names_beside_them(dark, sight):
    colours = palette(dark)
    stands, falls = (oklab(np.array(SIGHT[sight]) @ colours[name]) for name in ("stands", "falls"))
    assert np.linalg.norm(stands - falls) > 0.09
    assert set(verdict_chart.VERDICT_COLOURS.to_dict()["range"]) == {charts.STANDS, charts.FALLS}
