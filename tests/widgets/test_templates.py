"""Templates escape what they are given, and JSON inside a page cannot end its element."""

import json
import math

import pytest
from jinja2 import UndefinedError

from ragvsft.widgets.calculator import Calculator, Cell, Number, Row
from ragvsft.widgets.decision_tool import DecisionTool
from ragvsft.widgets.templates import for_lab, json_island, render

HOSTILE = "</script><!--<script>&'\"\u2028"


def test_no_text_can_end_an_island_and_all_of_it_comes_back():
    island = json_island({HOSTILE: [HOSTILE, 1.5, None]})
    assert "<" not in island
    assert json.loads(island) == {HOSTILE: [HOSTILE, 1.5, None]}


def test_an_island_holds_only_what_json_can():
    with pytest.raises(ValueError, match="JSON compliant"):
        json_island({"usd": math.nan})


def test_what_a_template_is_given_is_text():
    shown = Calculator(
        "rent",
        HOSTILE,
        (Number("hours", HOSTILE, HOSTILE, 1, 0, 2, help=HOSTILE, group=HOSTILE),),
        lambda i: {"usd": i.hours},
        (Row(HOSTILE, Cell("usd"), reason=HOSTILE),),
        ("", HOSTILE),
        note=HOSTILE,
    ).html()
    assert shown.count("<script") == shown.count("</script>") == 2
    assert "<!--" not in shown
    assert DecisionTool(HOSTILE).html(".html").count("</script>") == 1


def test_a_name_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError, match="title"):
        render("decision_tool/decision_tool.html")


def test_indentation_is_for_people():
    html = DecisionTool().html(".html")
    assert "\n" not in html
    assert "> <" not in html.partition("<script")[0].replace("</option> <", "")


def test_in_jupyterlab_styles_and_scripts_come_with_the_widget():
    assert for_lab("<p></p>", ["a{}", "b{}"], ["f()"]) == ("<style>a{}b{}</style><p></p><script>f()</script>")
