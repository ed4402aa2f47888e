"""How many questions an evaluation needs, what it proves, and what it costs.

Shares and differences are fractions (0.05 is five points). `z` values are standard normal quantiles, by
default those of a two-sided 5% and of a power of 80%.
"""

from ragvsft.costs.formulas import evaluation_usd
from ragvsft.formula import Quantity, ceil, exp, expm1, log, maximum, minimum, where
from ragvsft.units import Z_80_ONE_SIDED, Z_95_TWO_SIDED

DISCORDANT_SHARE = 0.15
"""Share of questions that exactly one of two systems gets right, until counted: our assumption."""


def square_root(x: Quantity) -> Quantity:
    """The square root of a positive number, from the two functions that a trace can hold."""
    return exp(0.5 * log(x))


def wilson_interval(
    successes: Quantity, n: Quantity, z: Quantity = Z_95_TWO_SIDED
) -> tuple[Quantity, Quantity]:
    """Score interval (low, high) for a share of `successes` in `n` independent trials, n at least 1.

    Source: Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    share = successes / n
    spread = z * square_root(share * (1 - share) / n + z * z / (4 * n * n))
    centre = share + z * z / (2 * n)
    scale = 1 + z * z / n
    low = where(successes > 0, maximum(0.0, (centre - spread) / scale), 0.0)
    high = where(successes < n, minimum(1.0, (centre + spread) / scale), 1.0)
    return low, high


def usd_per_success(
    figure_usd: Quantity, questions: Quantity, unused_usd: Quantity, share: Quantity
) -> Quantity:
    """USD for each question that went well, when so many questions cost `figure_usd` and a share above 0 did.

    `unused_usd` is what the figure holds for one question and this way of answering does not pay.
    """
    return (figure_usd / questions - unused_usd) / share


def questions_for_share(expected_share: Quantity, margin: Quantity, z: Quantity = Z_95_TWO_SIDED) -> Quantity:
    """Questions needed to know one share to within plus or minus `margin`, normal approximation.

    Source: n = z² p (1 − p) / margin², the half-width of the normal interval solved for n.
    """
    return ceil(z * z * expected_share * (1 - expected_share) / (margin * margin))


def questions_for_paired_difference(
    smallest_difference: Quantity,
    discordant_share: Quantity,
    z: Quantity = Z_95_TWO_SIDED,
    z_power: Quantity = Z_80_ONE_SIDED,
) -> Quantity:
    """Questions that two systems must both answer for McNemar's test to find a true difference in accuracy.

    `discordant_share` is the share of questions that exactly one of the two gets right; it cannot be below
    the difference. It bounds the variance of the difference, so the answer is on the safe side.
    Source: Connor, Biometrics 43 (1987), 207-211, with that bound.
    """
    discordant = maximum(discordant_share, smallest_difference)
    return ceil((z + z_power) * (z + z_power) * discordant / (smallest_difference * smallest_difference))


def questions_for_unpaired_difference(
    smallest_difference: Quantity,
    base_share: Quantity,
    z: Quantity = Z_95_TWO_SIDED,
    z_power: Quantity = Z_80_ONE_SIDED,
) -> Quantity:
    """Questions for each of two systems that answer different questions.

    The better one's accuracy is `base_share` plus the difference.
    Source: two-sample normal approximation with unpooled variances.
    """
    better = minimum(1.0, base_share + smallest_difference)
    variance = base_share * (1 - base_share) + better * (1 - better)
    return ceil((z + z_power) * (z + z_power) * variance / (smallest_difference * smallest_difference))


def paired_difference_interval(
    only_first_right: Quantity, only_second_right: Quantity, n: Quantity, z: Quantity = Z_95_TWO_SIDED
) -> tuple[Quantity, Quantity]:
    """Interval (low, high) for accuracy of the second minus accuracy of the first, on the same `n` questions.

    Source: Agresti and Min, Statistics in Medicine 24 (2005), 729-740: Wald's interval after adding half a
    question to each of the four cells.
    """
    gained, lost, total = only_second_right + 0.5, only_first_right + 0.5, n + 2
    difference = (gained - lost) / total
    spread = z * square_root(gained + lost - (gained - lost) * (gained - lost) / total) / total
    return maximum(-1.0, difference - spread), minimum(1.0, difference + spread)


def smallest_detectable_difference(
    questions: Quantity,
    discordant_share: Quantity,
    z: Quantity = Z_95_TWO_SIDED,
    z_power: Quantity = Z_80_ONE_SIDED,
) -> Quantity:
    """The true difference that a paired test on this many questions finds with the given power.

    Inverse of `questions_for_paired_difference` without its rounding; never below zero, never above the
    discordant share.
    """
    return minimum(discordant_share, (z + z_power) * square_root(discordant_share / questions))


def observed_difference(difference: Quantity, share_of_grades_right: Quantity) -> Quantity:
    """The difference in accuracy that a judge reports who grades this share of answers rightly.

    Right and wrong answers are misgraded alike, and each grade independently of the others.
    """
    return difference * (2 * share_of_grades_right - 1)


def observed_discordant_share(discordant_share: Quantity, share_of_grades_right: Quantity) -> Quantity:
    """The share of questions on which such a judge grades the two systems differently."""
    one_wrong = 2 * share_of_grades_right * (1 - share_of_grades_right)
    return discordant_share * (1 - one_wrong) + (1 - discordant_share) * one_wrong


def verdict(
    only_first_right: Quantity, only_second_right: Quantity, z: Quantity = Z_95_TWO_SIDED
) -> Quantity:
    """0 if the first system is better, 1 if that is not decided, 2 if the second is: McNemar's test.

    Without continuity correction, two-sided. Source: McNemar, Psychometrika 12 (1947), 153-157.
    """
    lead = only_second_right - only_first_right
    decided = lead * lead > z * z * (only_first_right + only_second_right)
    return where(decided, where(lead > 0, 2.0, 0.0), 1.0)


def evaluation_run_usd(
    questions: Quantity,
    repeats: Quantity,
    systems: Quantity,
    answer_usd: Quantity,
    judge_usd: Quantity,
    checked_fraction: Quantity,
    usd_per_checked_answer: Quantity,
) -> Quantity:
    """USD for one round of evaluation.

    Every system answers every question `repeats` times, a judge model grades each answer, people check a
    fraction of the grades.
    """
    grading_usd = judge_usd + checked_fraction * usd_per_checked_answer
    return evaluation_usd(questions * repeats * systems, answer_usd, grading_usd)


def question_set_usd(questions: Quantity, minutes_per_question: Quantity, usd_per_hour: Quantity) -> Quantity:
    """USD to write the questions and their reference answers once."""
    return questions * minutes_per_question / 60 * usd_per_hour


def chance_of_at_least_one(rate: Quantity, trials: Quantity) -> Quantity:
    """Chance, 0 to 1, that an event of this rate (below 1) happens at least once in independent trials."""
    return -expm1(trials * log(1 - rate))
