"""The release gate: may RAG with a fine-tuned model replace RAG alone?

Both answered the same questions with the same passages; each answer is graded right or wrong. Beside ordinary
questions the set holds counterfactual ones (the passage contradicts what the model learnt: to follow it is
right) and unanswerable ones (the passages lack the answer: to abstain is right).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragvsft.evaluation.formulas import paired_difference_interval, smallest_detectable_difference
from ragvsft.evaluation.paired import paired_p_value

ORDINARY = "ordinary"
GUARDS = ("counterfactual", "unanswerable")
LEVEL = 0.05
MARGIN = 0.1
FEWEST_DISAGREEMENTS = 6
"""With fewer, all one way, the exact test cannot reach 5%: 2 × 0.5⁵ is above it, 2 × 0.5⁶ below."""


class Graded(BaseModel):
    """One line of a file of graded answers; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str = Field(min_length=1)
    correct: bool
    kind: str = Field(default=ORDINARY, min_length=1)


class KindResult(NamedTuple):
    """The paired comparison on one kind of question, or on all of them."""

    kind: str
    n: int
    first_right: int
    second_right: int
    only_first_right: int
    only_second_right: int
    low: float
    """Lower end of the 95% interval of the difference, second minus first."""
    high: float
    p_value: float
    detectable: float
    """The true difference that this many questions find with 80% power, at the share of disagreements seen.

    Never less than the fewest disagreements that the exact test can resolve; above 1 no difference can be
    found.
    """

    @property
    def difference(self) -> float:
        """Accuracy of the second minus accuracy of the first."""
        return (self.second_right - self.first_right) / self.n


class Gate(NamedTuple):
    """What the gate says: open only without a reason to stay shut."""

    opens: bool
    reasons: tuple[str, ...]
    kinds: tuple[KindResult, ...]
    """Ordinary questions first, then the guards, then any other kind."""


def read_graded(path: Path) -> list[Graded]:
    """The graded answers of a JSON Lines file.

    Raises ValueError that names file, line and field for a bad line or an id that occurs twice.
    """
    found: dict[str, Graded] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            graded = Graded.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "line"
            raise ValueError(f"{path}:{number}: {field}: {first['msg']}") from None
        if graded.id in found:
            raise ValueError(f"{path}:{number}: id = {graded.id!r}: already there; must be unique")
        found[graded.id] = graded
    if not found:
        raise ValueError(f"{path}: no graded answers; must hold at least one")
    return list(found.values())


def release_gate(first: Sequence[Graded], second: Sequence[Graded], margin: float = MARGIN) -> Gate:
    """Compare RAG alone (first) with RAG and a fine-tuned model (second) on the same questions.

    The gate opens if the second is better on ordinary questions (exact McNemar test, 5%), and if on each
    guard the first is right often enough for a loss of `margin` to show and the 95% interval of the
    difference excludes one. Raises ValueError if the two
    differ in questions or kinds, or if margin is outside 0 to 1.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin = {margin}: must be between 0 and 1")
    theirs = {graded.id: graded for graded in second}
    ours = {graded.id: graded for graded in first}
    for only in sorted(ours.keys() ^ theirs.keys()):
        where = "first" if only in ours else "second"
        raise ValueError(f"id = {only!r}: only in the {where} file; both must answer the same questions")
    for graded in first:
        if theirs[graded.id].kind != graded.kind:
            raise ValueError(
                f"id = {graded.id!r}: kind is {graded.kind!r} in the first file and "
                f"{theirs[graded.id].kind!r} in the second; must be the same"
            )
    others = sorted({g.kind for g in first} - {ORDINARY, *GUARDS})
    kinds = {
        kind: _compared(kind, pairs)
        for kind in (ORDINARY, *GUARDS, *others)
        if (pairs := [(g.correct, theirs[g.id].correct) for g in first if g.kind == kind])
    }
    reasons = [
        *_gain(kinds.get(ORDINARY)),
        *(r for guard in GUARDS for r in _loss(guard, kinds.get(guard), margin)),
    ]
    return Gate(not reasons, tuple(reasons), tuple(kinds.values()))


def _compared(kind: str, pairs: Sequence[tuple[bool, bool]]) -> KindResult:
    n = len(pairs)
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    low, high = paired_difference_interval(only_first, only_second, n)
    fewest = FEWEST_DISAGREEMENTS / n
    disagreeing = max((only_first + only_second) / n, fewest)
    return KindResult(
        kind=kind,
        n=n,
        first_right=sum(a for a, _ in pairs),
        second_right=sum(b for _, b in pairs),
        only_first_right=only_first,
        only_second_right=only_second,
        low=float(low),
        high=float(high),
        p_value=paired_p_value(only_first, only_second),
        detectable=max(fewest, float(smallest_detectable_difference(n, disagreeing))),
    )


def _gain(found: KindResult | None) -> list[str]:
    if found is None:
        return [f"no question of kind {ORDINARY!r}: nothing shows a gain"]
    if found.p_value <= LEVEL and found.difference > 0:
        return []
    if found.p_value <= LEVEL:
        return [f"{ORDINARY}: the second is worse by {-found.difference:.1%} (p = {found.p_value:.2g})"]
    shown = "none" if found.detectable > 1 else f"one of {found.detectable:.1%}"
    return [
        f"{ORDINARY}: no difference is resolved (p = {found.p_value:.2g}); {found.n} questions could "
        f"have shown {shown}"
    ]


def _loss(guard: str, found: KindResult | None, margin: float) -> list[str]:
    if found is None:
        return [f"no question of kind {guard!r}: its loss is not ruled out"]
    if found.first_right < margin * found.n:
        return [
            f"{guard}: the first is right in {found.first_right} of {found.n}, so a loss of {margin:.0%} "
            "could not have shown"
        ]
    if found.low > -margin:
        return []
    if found.high < 0:
        return [f"{guard}: the second is worse by {-found.difference:.1%}"]
    return [
        f"{guard}: a loss of {margin:.0%} is not ruled out: {-found.low:.1%} may be, in {found.n} questions"
    ]


def as_text(found: Gate) -> str:
    """The gate's verdict for a terminal."""
    lines = ["kind              n   first  second  difference (95% interval)           p  detectable"]
    lines += [
        f"{k.kind:<15} {k.n:>4}  {k.first_right / k.n:>6.1%}  {k.second_right / k.n:>6.1%}  "
        f"{k.difference:>+7.1%} {f'({k.low:+.1%} to {k.high:+.1%})':<18}  {k.p_value:>8.2g}  "
        f"{'none' if k.detectable > 1 else f'{k.detectable:.1%}':>10}"
        for k in found.kinds
    ]
    lines += ["detectable: the smallest true difference that so many questions find four times in five"]
    verdict = "The gate opens." if found.opens else "The gate stays shut:"
    return "\n".join([*lines, "", verdict, *(f"- {reason}" for reason in found.reasons)])


def run(first: Path, second: Path, margin: float = MARGIN) -> tuple[str, bool]:
    """Read two files and judge: the text to print, and whether the gate opens."""
    found = release_gate(read_graded(first), read_graded(second), margin)
    return as_text(found), found.opens
