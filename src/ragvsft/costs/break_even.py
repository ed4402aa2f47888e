"""Where one option overtakes another: closed forms, and every crossing of two cost curves.

"B" is the challenger, "A" the option it is compared with. Arguments may be numbers, NumPy arrays, traced
symbols or SymPy symbols, except in `crossings`, which is an algorithm; its twin for the browser is
`widgets/calculator/crossings.js`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, isfinite
from types import SimpleNamespace
from typing import NamedTuple

from ragvsft.costs import formulas as f
from ragvsft.costs.options import OPTIONS, Inputs
from ragvsft.formula import Quantity, minimum, where
from ragvsft.units import SECONDS_PER_MONTH

ABOVE, BELOW, ALWAYS, NEVER = range(4)
"""When B is cheaper: above the break-even, below it, at every volume, at none. A tie counts for A."""

JUST_BESIDE = 1e-9
ROUNDING = 1e-13
MOST_STEPS = 2000


# Two straight lines


class BreakEven(NamedTuple):
    """`case` is ABOVE, BELOW, ALWAYS or NEVER; `at` is the break-even, and 0 where the lines do not cross."""

    case: Quantity
    at: Quantity


def break_even_case(extra_usd: Quantity, saved_usd_per_unit: Quantity) -> Quantity:
    """When B is cheaper, if it costs `extra_usd` more at zero and saves `saved_usd_per_unit` with each unit.

    Both may be negative. Returns ABOVE, BELOW, ALWAYS or NEVER.
    """
    return where(
        (extra_usd > 0) & (saved_usd_per_unit > 0),
        ABOVE,
        where(
            (extra_usd < 0) & (saved_usd_per_unit < 0),
            BELOW,
            where((extra_usd < 0) | (saved_usd_per_unit > 0), ALWAYS, NEVER),
        ),
    )


def _break_even(extra_usd: Quantity, saved_usd_per_unit: Quantity) -> BreakEven:
    case = break_even_case(extra_usd, saved_usd_per_unit)
    cross = case <= BELOW
    return BreakEven(case, where(cross, extra_usd / where(cross, saved_usd_per_unit, 1), 0))


def extra_horizon_usd(
    one_off_a_usd: Quantity,
    monthly_a_usd: Quantity,
    one_off_b_usd: Quantity,
    monthly_b_usd: Quantity,
    horizon_months: Quantity,
) -> Quantity:
    """USD that B costs more than A over the horizon before the first query."""
    return (one_off_b_usd - one_off_a_usd) + horizon_months * (monthly_b_usd - monthly_a_usd)


def break_even_queries_per_month(
    one_off_a_usd: Quantity,
    monthly_a_usd: Quantity,
    per_query_a_usd: Quantity,
    one_off_b_usd: Quantity,
    monthly_b_usd: Quantity,
    per_query_b_usd: Quantity,
    horizon_months: Quantity,
) -> Quantity:
    """Queries a month at which two straight bills cost the same. The two prices per query must differ."""
    return extra_horizon_usd(one_off_a_usd, monthly_a_usd, one_off_b_usd, monthly_b_usd, horizon_months) / (
        horizon_months * (per_query_a_usd - per_query_b_usd)
    )


def break_even_volume(
    one_off_a_usd: Quantity,
    monthly_a_usd: Quantity,
    per_query_a_usd: Quantity,
    one_off_b_usd: Quantity,
    monthly_b_usd: Quantity,
    per_query_b_usd: Quantity,
    horizon_months: Quantity,
) -> BreakEven:
    """`break_even_queries_per_month` with its case, safe for any signs. Exact for straight bills only."""
    return _break_even(
        extra_horizon_usd(one_off_a_usd, monthly_a_usd, one_off_b_usd, monthly_b_usd, horizon_months),
        horizon_months * (per_query_a_usd - per_query_b_usd),
    )


def payback_months(extra_one_off_usd: Quantity, saved_usd_per_month: Quantity) -> BreakEven:
    """Months until B has earned back what it cost more at the start; no horizon is assumed.

    ABOVE: B is ahead after `at` months. BELOW: B is ahead only until then.
    """
    return _break_even(extra_one_off_usd, saved_usd_per_month)


# Thresholds


def prompt_cut_to_break_even(
    prompt_tokens: Quantity,
    output_tokens: Quantity,
    input_usd_per_mtok: Quantity,
    output_usd_per_mtok: Quantity,
    tuned_input_usd_per_mtok: Quantity,
    tuned_output_usd_per_mtok: Quantity,
) -> Quantity:
    """Share of the prompt that a fine-tune must make needless before a call costs less.

    Above 1 no cut is enough; at or below 0 none is needed. Cost per call only, without the fine-tune itself.
    """
    affordable_usd = prompt_tokens * input_usd_per_mtok + output_tokens * (
        output_usd_per_mtok - tuned_output_usd_per_mtok
    )
    return 1 - affordable_usd / (prompt_tokens * tuned_input_usd_per_mtok)


def premium_to_break_even(
    prompt_tokens: Quantity,
    output_tokens: Quantity,
    prompt_cut_fraction: Quantity,
    input_usd_per_mtok: Quantity,
    output_usd_per_mtok: Quantity,
) -> Quantity:
    """How many times the base model's prices a fine-tune may charge before its shorter calls cost more."""
    whole = f.call_usd(prompt_tokens, 0, output_tokens, input_usd_per_mtok, 0, output_usd_per_mtok)
    cut = f.tuned_prefix_tokens(prompt_tokens, prompt_cut_fraction)
    return whole / f.call_usd(cut, 0, output_tokens, input_usd_per_mtok, 0, output_usd_per_mtok)


def caching_queries_per_month_to_break_even(
    input_usd_per_mtok: Quantity,
    cache_read_usd_per_mtok: Quantity,
    cache_write_usd_per_mtok: Quantity,
    cache_ttl_seconds: Quantity,
) -> Quantity:
    """Queries a month above which caching a prefix costs less than sending it afresh; below 0 it always does.

    Where it never does, the result is the volume at which all but one call in 10^12 would hit.
    """
    spread = cache_write_usd_per_mtok - cache_read_usd_per_mtok
    hit_rate = f.cache_hit_rate_to_break_even(
        input_usd_per_mtok,
        where((spread > 0) | (spread < 0), cache_read_usd_per_mtok, cache_write_usd_per_mtok - 1),
        cache_write_usd_per_mtok,
    )
    return f.queries_per_month_at_hit_rate(minimum(hit_rate, 1 - 1e-12), cache_ttl_seconds)


def queries_per_month_per_gpu(
    peak_to_mean_ratio: Quantity, requests_per_second_per_gpu: Quantity, gpu_utilisation_cap: Quantity
) -> Quantity:
    """Queries a month that one GPU serves: the length of a step of `gpus_needed`."""
    return SECONDS_PER_MONTH * requests_per_second_per_gpu * gpu_utilisation_cap / peak_to_mean_ratio


# Curves with steps and bends


def bends(s: Inputs) -> tuple[Quantity, ...]:
    """The volumes at which a bill can bend: two where caching starts to pay, and where its hits saturate.

    With hit rate 1 - e^(-kQ) a cached prefix costs aQ + bQe^(-kQ) a month: one inflection, at Q = 2/k.
    """
    return (
        caching_queries_per_month_to_break_even(
            s.llm_input_usd_per_mtok,
            s.llm_cache_read_usd_per_mtok,
            s.llm_cache_write_usd_per_mtok,
            s.llm_cache_ttl_seconds,
        ),
        caching_queries_per_month_to_break_even(
            s.llm_tier_input_usd_per_mtok,
            s.llm_tier_cache_read_usd_per_mtok,
            s.llm_tier_cache_write_usd_per_mtok,
            s.llm_cache_ttl_seconds,
        ),
        2 * SECONDS_PER_MONTH / s.llm_cache_ttl_seconds,
    )


def stride(option: str, s: Inputs) -> Quantity:
    """Queries a month from one GPU to the next, or 0 for an option whose bill has no steps."""
    throughput = {
        "fine_tuned_self_hosted": s.requests_per_second_per_gpu_short,
        "rag_fine_tuned_self_hosted": s.requests_per_second_per_gpu_rag,
    }
    if option not in throughput:
        return 0
    return queries_per_month_per_gpu(s.peak_to_mean_ratio, throughput[option], s.gpu_utilisation_cap)


def option_crossings(option_a: str, option_b: str, s: Inputs, low: float, high: float) -> tuple[float, ...]:
    """Every volume, in queries a month, at which the cheaper of two options changes. `s` holds numbers.

    Raises ValueError for an option whose bill lacks a price.
    """
    costs = _horizon_costs(option_a, option_b, s)
    for name, usd in zip((option_a, option_b), costs(low), strict=True):
        if not isfinite(usd):
            raise ValueError(f"{name}: its bill is {usd}; an offer in the scenario has no price")
    strides = [step for name in (option_a, option_b) if (step := stride(name, s))]
    return crossings(costs, low, high, bends(s), strides)


def overtakes(option_a: str, option_b: str, s: Inputs, low: float, high: float) -> float:
    """The volume from which B first costs less than A: `low` if it does at once, `high` if it never does."""
    a, b = _horizon_costs(option_a, option_b, s)(low)
    return low if b < a else next(iter(option_crossings(option_a, option_b, s, low, high)), high)


def _horizon_costs(option_a: str, option_b: str, s: Inputs) -> Callable[[float], tuple[float, float]]:
    def costs(queries_per_month: float) -> tuple[float, float]:
        at = SimpleNamespace(**(vars(s) | {"queries_per_month": queries_per_month}))
        return float(OPTIONS[option_a](at).horizon_usd(at)), float(OPTIONS[option_b](at).horizon_usd(at))

    return costs


def crossings(
    costs: Callable[[float], tuple[float, float]],
    low: float,
    high: float,
    bends: Sequence[float] = (),
    strides: Sequence[float] = (),
) -> tuple[float, ...]:
    """Every volume between `low` and `high` at which the cheaper of two options changes, ascending.

    `costs(volume)` is the USD of A and of B. Between breaks their difference must be continuous and bend
    one way only; straight counts. The breaks are the volumes in `bends` (a cache that starts to pay, a
    point of inflection) and every multiple of each of `strides` (one GPU more). Each result is the first
    double at which the new order holds.

    Raises ValueError if a stride makes more than MOST_STEPS steps.
    """
    for stride in strides:
        if not stride * MOST_STEPS >= high:
            raise ValueError(f"stride: {stride:g} is too short; it must be at least {high / MOST_STEPS:g}")
    steps = [stride * n for stride in strides for n in range(1, ceil(high / stride))]
    sides = [at * side for at in (*bends, *steps) for side in (1 - JUST_BESIDE, 1 + JUST_BESIDE)]
    edges = sorted({low, high, *(edge for edge in sides if low < edge < high)})
    points = [(edge, *costs(edge)) for edge in edges]
    return tuple(
        crossing for left, right in pairwise(points) for crossing in _sign_changes(costs, left, right)
    )


Point = tuple[float, float, float]


def _lead(point: Point) -> float:
    return point[1] - point[2]


def _sign_changes(costs: Callable[[float], tuple[float, float]], left: Point, right: Point) -> list[float]:
    """Changes of order on a stretch that bends one way, halved for as long as a half could hide two."""
    if (_lead(left) > 0) != (_lead(right) > 0):
        return [_first_after(costs, left, right)]
    at = (left[0] + right[0]) / 2
    if not left[0] < at < right[0]:
        return []
    middle = (at, *costs(at))
    if (_lead(middle) > 0) != (_lead(left) > 0):
        return [_first_after(costs, left, middle), _first_after(costs, middle, right)]
    # A curve that bends one way stays beyond the chord of either half, prolonged into the other half.
    rounding = ROUNDING * max(abs(left[1]), abs(middle[1]), abs(right[1]))
    found = []
    if 2 * abs(_lead(middle)) - abs(_lead(right)) < -rounding:
        found += _sign_changes(costs, left, middle)
    if 2 * abs(_lead(middle)) - abs(_lead(left)) < -rounding:
        found += _sign_changes(costs, middle, right)
    return found


def _first_after(costs: Callable[[float], tuple[float, float]], left: Point, right: Point) -> float:
    """The first double at which A no longer leads or trails as it does at `left`; at `right` it does not.

    Bisection, after two guesses on both sides of where a straight line would cross: most stretches are one.
    """
    positive = _lead(left) > 0

    def narrow(at: float) -> None:
        nonlocal left, right
        if left[0] < at < right[0]:
            point = (at, *costs(at))
            left, right = (point, right) if (_lead(point) > 0) == positive else (left, point)

    for beside in (1e-6, 1e-12):
        guess = left[0] + (right[0] - left[0]) * (_lead(left) / (_lead(left) - _lead(right)))
        narrow(guess * (1 - beside))
        narrow(guess * (1 + beside))
    while left[0] < (middle := (left[0] + right[0]) / 2) < right[0]:
        narrow(middle)
    return right[0]
