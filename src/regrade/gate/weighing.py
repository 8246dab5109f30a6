"""From the figures of one rule to its verdict."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from regrade.gate.resolving import Target
from regrade.stats import Differences, detectable_drop
from regrade.verdicts import Cause, Outcome, Verdict

__all__ = ["Ends", "Weighed", "blank", "decide"]

_MOST_NEEDED = 10_000_000


@dataclass(frozen=True, slots=True)
class Ends:
    """An interval and the limit that it is held against, oriented so that above is good.

    Attributes:
        low: Lower end.
        high: Upper end.
        value: The estimate.
        limit: What it must not lie below.
    """

    low: float
    high: float
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """The figures of one rule on one arm; `decide` makes the verdict of them.

    Attributes:
        verdict: Everything but how it comes out.
        form: By a test (`no_regression`), by an interval (`non_inferior`, confident limits) or by the value.
        p: One-sided p of the FAIL; None where the rule cannot fail by a test.
        worst_p: The same, were every missing sample a loss; None where none is missing.
        floor: The least p that so many samples could have given.
        units: Independent samples, or clusters.
        ends: For an interval or a value.
        worst_low: Lower end (by value: the value), were every missing sample a loss.
        rare: The share of samples that would break the limit if each of them broke wholly; None where that
            does not apply.
        too_few: Whether there are fewer samples than the method needs.
        least: How many it needs.
        uneven: Whether failures are not spread alike.
        differences: What a test of means rests on; the drop that it would have shown depends on the family.
    """

    verdict: Verdict
    form: Literal["test", "interval", "value"] = "test"
    p: float | None = None
    worst_p: float | None = None
    floor: float = 0.0
    units: int = 0
    ends: Ends | None = None
    worst_low: float | None = None
    rare: float | None = None
    too_few: bool = False
    least: int = 0
    uneven: bool = False
    differences: Differences | None = None


def blank(target: Target) -> Verdict:
    """Return a verdict that names what is judged and holds no figure yet."""
    arm = target.arm
    return Verdict(
        rule=target.rule,
        policy=target.policy,
        eval=arm.eval,
        prompt=arm.prompt,
        model=arm.model,
        scorer=target.measure.scorer,
        metric=target.metric,
        better=target.measure.better,
        run_b=arm.run,
    )


def decide(weighed: Weighed, p_adjusted: float | None, worst_adjusted: float | None, family: int) -> Verdict:
    """Return the verdict.

    Args:
        weighed: The figures.
        p_adjusted: By Holm over all rules of the gate that can fail by a test.
        worst_adjusted: The same with this rule's p for the worst case of its missing samples.
        family: How many such rules there are.
    """
    if weighed.form == "test":
        outcome, cause, needed = _by_test(weighed, p_adjusted, worst_adjusted, family)
    elif weighed.form == "interval":
        outcome, cause, needed = _by_interval(weighed, p_adjusted)
    else:
        outcome, cause, needed = _by_value(weighed)
    return replace(
        weighed.verdict,
        outcome=outcome,
        cause=cause,
        needed=needed if needed is None or needed <= _MOST_NEEDED else None,
        p=weighed.p,
        p_adjusted=p_adjusted,
        family=family if weighed.p is not None else 0,
        detectable=_detectable(weighed, family),
    )


def _detectable(weighed: Weighed, family: int) -> float | None:
    """Return the drop that is shown whatever the other rules of the family do: by Holm's strictest step."""
    if weighed.differences is None:
        return None
    return detectable_drop(weighed.differences, weighed.verdict.policy.alpha / max(family, 1))


_Decision = tuple[Outcome, Cause, int | None]


def _by_test(weighed: Weighed, p: float | None, worst: float | None, family: int) -> _Decision:
    policy = weighed.verdict.policy
    if weighed.too_few:
        return "INCONCLUSIVE", "too_few", weighed.least
    if p is not None and p <= policy.alpha:
        return "FAIL", "worse", None
    if weighed.floor * family > policy.alpha:  # not even losses alone could have failed it
        return "INCONCLUSIVE", "too_few", _least_units(weighed, policy.alpha / family)
    guarded = policy.missing == "worst_case"
    if guarded and worst is not None and worst <= policy.alpha:
        return "INCONCLUSIVE", "missing", None
    if guarded and weighed.uneven:
        return "INCONCLUSIVE", "uneven", None
    return "PASS", "not_shown", None


def _least_units(weighed: Weighed, alpha: float) -> int:
    """Return from how many units on the least p that they can give is small enough."""
    smaller = math.log(weighed.floor / alpha) / math.log(2)
    return weighed.units + math.ceil(smaller - 1e-9)


def _by_interval(weighed: Weighed, p: float | None) -> _Decision:
    policy, ends = weighed.verdict.policy, weighed.ends
    if weighed.too_few or ends is None:
        return "INCONCLUSIVE", "too_few", weighed.least
    if p is not None and p <= policy.alpha:
        return "FAIL", "below_margin" if weighed.verdict.rule.margin is not None else "beyond", None
    if math.isinf(ends.low):  # there is no interval on that side
        return "INCONCLUSIVE", "too_few", weighed.least if weighed.verdict.n < weighed.least else None
    if ends.low <= ends.limit and not _keeps(weighed, ends):
        return "INCONCLUSIVE", "undecided", _needed(weighed, ends)
    if _breaks_unseen(weighed, ends):
        return "INCONCLUSIVE", "unseen_breaks", _unseen_needed(weighed)
    if (
        policy.missing == "worst_case"
        and weighed.worst_low is not None
        and _falls(weighed, weighed.worst_low)
    ):
        return "INCONCLUSIVE", "missing", None
    return "PASS", "above_margin" if weighed.verdict.rule.margin is not None else "within", None


def _keeps(weighed: Weighed, ends: Ends) -> bool:
    """Return whether a lower end at its limit is enough: for a limit on the value it is."""
    return weighed.verdict.rule.margin is None and ends.low == ends.limit


def _falls(weighed: Weighed, low: float) -> bool:
    if weighed.ends is None:
        return False
    limit = weighed.ends.limit
    return low <= limit if weighed.verdict.rule.margin is not None else low < limit


def _breaks_unseen(weighed: Weighed, ends: Ends) -> bool:
    """Return whether breaks so rare that none was drawn could still break the margin."""
    if weighed.rare is None or ends.low > 0:
        return False
    return (1 - weighed.rare) ** weighed.units > weighed.verdict.policy.alpha


def _unseen_needed(weighed: Weighed) -> int:
    if weighed.rare is None:
        return weighed.units
    return math.ceil(math.log(weighed.verdict.policy.alpha) / math.log(1 - weighed.rare))


def _by_value(weighed: Weighed) -> _Decision:
    ends = weighed.ends
    if ends is None:
        return "INCONCLUSIVE", "too_few", None
    if ends.value < ends.limit:
        return "FAIL", "beyond", None
    guarded = weighed.verdict.policy.missing == "worst_case"
    if guarded and weighed.worst_low is not None and weighed.worst_low < ends.limit:
        return "INCONCLUSIVE", "missing", None
    return "PASS", "within", None


def _needed(weighed: Weighed, ends: Ends) -> int | None:
    """Return about how many units would decide, were the value to stay: intervals shrink with the root."""
    away = ends.value - ends.limit
    half = ends.value - ends.low if away > 0 else ends.high - ends.value
    if away == 0 or not math.isfinite(half) or half <= 0:
        return None
    needed = math.ceil(weighed.units * (half / away) ** 2)
    if weighed.rare is not None and away > 0:
        if weighed.verdict.wins == weighed.verdict.losses == 0:
            needed = _needed_of_equals(weighed.units, half * weighed.rare / away, weighed.rare)
        needed = max(needed, _unseen_needed(weighed))
    return max(needed, weighed.units + 1)


def _needed_of_equals(units: int, half: float, margin: float) -> int:
    """Return how many units without any difference keep a margin; both as shares of the range.

    Without a difference half the interval is z^2/(n + z^2), which shrinks with n and not with its root.
    """
    z_squared = units * half / (1 - half)
    return math.floor(z_squared * (1 - margin) / margin) + 1
