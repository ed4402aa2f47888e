"""The calculator of the chapter on when to fine-tune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from ragvsft.costs import formulas as costs
from ragvsft.costs.inputs import inputs as typed
from ragvsft.costs.stages import calling_usd
from ragvsft.formula import Quantity
from ragvsft.widgets.calculator import Calculator, Cell, Finding, Number, Preset, Row, Sweep
from ragvsft.widgets.chart import METHOD_COLOURS, QUIET, usd_axis, with_now
from ragvsft.widgets.cost_inputs import assumption_input, model_select

LINES = {
    "uncached": "whole prompt, not cached",
    "cached": "whole prompt, prefix cached",
    "tuned": "tuned, prompt cut, premium paid",
}
_COLOURS = alt.Scale(
    domain=list(LINES.values()), range=[QUIET, METHOD_COLOURS["prompting"], METHOD_COLOURS["fine_tuned"]]
)


def shorter_prompt() -> Calculator:
    """One call with the whole prompt, with a cached prefix, and with a prompt that tuning cut."""
    inputs = (
        model_select(),
        assumption_input("queries_per_month"),
        assumption_input("system_tokens"),
        assumption_input("example_tokens"),
        assumption_input("query_tokens"),
        assumption_input("output_tokens"),
        Number("cut_percent", "Share of instructions and examples that tuning removes", "%", 65, 0, 100),
        Number("premium", "Tuned price, as a multiple of the model's", "×", 2, 0.5, 10, scale="log"),
    )
    return Calculator(
        "shorter-prompt",
        "Cut the prompt, or cache it?",
        inputs,
        _shorter_prompt,
        (
            *(
                Row(label.capitalize(), Cell(f"{line}_usd", "usd"), Cell(f"{line}_month_usd", "usd"))
                for line, label in LINES.items()
            ),
        ),
        ("", "A call", "A month"),
        chart=_shorter_prompt_chart,
        finding=Finding(
            "With {cut_percent:number}% of the prompt cut, the cheapest call: {lowest}, {lowest_value:usd}"
        ),
        sweep=Sweep(
            "cut_percent",
            tuple(float(k) for k in range(0, 101, 5)),
            {f"{line}_usd": label for line, label in LINES.items()},
        ),
        presets=(
            Preset("No premium", {"premium": 1}),
            Preset("Few calls", {"queries_per_month": 1000}),
            Preset("Long examples, short answers", {"example_tokens": 6000, "output_tokens": 30}),
        ),
        lowest=1,
        fixed={"batch_fraction": 0.0},
        note=(
            "The same model on every line, so that the smaller model that a fine-tune usually brings is not "
            "counted as a saving of tuning. The tuned line pays for its calls only, not for its training, "
            "and is not cached."
        ),
    )


def _shorter_prompt(i: Any) -> Mapping[str, Quantity]:
    prefix = i.system_tokens + i.example_tokens
    kept = costs.tuned_prefix_tokens(prefix, i.cut_percent / 100)
    s = typed(vars(i))

    def call(prefix_tokens: Quantity, hit_rate: Quantity | None = None) -> Quantity:
        return calling_usd(s, s.answer_llm, prefix_tokens, s.query_tokens, s.output_tokens, hit_rate)

    calls = {
        "uncached": call(prefix, 0),
        "cached": call(prefix),
        "tuned": i.premium * call(kept, 0),
    }
    monthly = {f"{line}_month_usd": i.queries_per_month * usd for line, usd in calls.items()}
    return {f"{line}_usd": usd for line, usd in calls.items()} | monthly


def _shorter_prompt_chart(rows: Any) -> Any:
    lines = (
        alt.Chart(rows)
        .mark_line()
        .encode(
            alt.X("x:Q", title="Share of instructions and examples removed (%)"),
            alt.Y("value:Q", title="USD a call", axis=usd_axis()),
            alt.Color("series:N", title=None, scale=_COLOURS),
        )
    )
    return with_now(
        lines,
        alt.Scale(),
        "Price of a call against the share of the prompt that tuning removes: two level lines for the "
        "whole prompt, without and with caching, and a falling one for the tuned model. A dashed line marks "
        "the share set above.",
    )
