"""Rules on the candidate alone: `at_least` and `at_most`."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrade.arms import taken
from regrade.errors import Problem, RegradeError
from regrade.gate.requests import REQUEST_METRICS, request_estimate
from regrade.gate.resolving import Target
from regrade.gate.weighing import Ends, Weighed, blank
from regrade.protocols import Metric, OfLabels, PerSample
from regrade.stats import LABEL_SHARES, answered, samples_for_upper_bound
from regrade.types import Bounds, Estimate, MetricInput

__all__ = ["weigh_limit"]

_STEPS = 40


def weigh_limit(target: Target, seed: int) -> Weighed | Problem:
    """Return the figures of a limit on the value, or on its interval where the rule is confident.

    Args:
        target: Of `at_least` or `at_most`.
        seed: Of resampling.
    """
    rule, alpha = target.rule, target.policy.alpha
    if rule.value is None:
        raise ValueError(f"{rule.rule} needs a value")
    data = replace(taken(target.measure.data, target.rows), seed=seed)
    estimate = _estimator(target, data)
    try:
        found = estimate(1 - 2 * alpha)
    except RegradeError as error:
        return Problem(f"{rule.text}: {target.arm.eval}, {target.arm.model}: {error.message}", rule.where)
    if found.value is None:
        reason = found.note or "no sample has a value"
        return Problem(f"{rule.text}: {target.arm.eval}, {target.arm.model}: {reason}", rule.where)
    problem = _beyond_reach(target, data, rule.value)
    if problem is not None:
        return problem
    sign = 1.0 if rule.rule == "at_least" else -1.0
    ends = Ends(*_oriented(sign, found), sign * found.value, sign * rule.value)
    gaps = _gaps(target, data)
    shown = replace(
        blank(target),
        n=found.n,
        value_b=found.value,
        low=found.low,
        high=found.high,
        share=_range(target, data) == (0.0, 1.0),
        missing=int(gaps.any(axis=1).sum()),
        method=found.method,
        notes=(found.note,) if found.note else (),
    )
    weighed = Weighed(
        shown,
        form="interval" if rule.confident else "value",
        units=found.n,
        ends=ends,
        worst_low=_worst(target, data, ends, gaps),
    )
    if not rule.confident:
        return weighed
    weighed = replace(weighed, least=_least(target))
    if math.isinf(ends.high):  # nothing could fail it
        return weighed
    return replace(weighed, p=_smallest_alpha(lambda level: _oriented(sign, estimate(level))[1], ends))


def _range(target: Target, data: MetricInput) -> Bounds | None:
    """Return the range of the metric; None when it is unknown."""
    source, named = target.measure.source, REQUEST_METRICS.get(target.rule.metric)
    if named is not None and named.form == "total":
        return None
    if isinstance(source, OfLabels):
        return (0.0, 1.0) if source.label_statistic in LABEL_SHARES else (-1.0, 1.0)  # Matthews' correlation
    if isinstance(source, PerSample):
        return source.per_sample(data).bounds
    return data.bounds if source is None else None


def _beyond_reach(target: Target, data: MetricInput, value: float) -> Problem | None:
    """Return that the limit lies where no value can, so that the rule says the same of every run."""
    found = _range(target, data)
    if found is None or found[0] <= value <= found[1]:
        return None
    low, high = found
    hint = "shares go from 0 to 1: 0.05, or 5 %" if found == (0.0, 1.0) else None
    return Problem(
        f"{target.rule.text}: {target.metric} goes from {low:g} to {high:g}, and no value lies beyond",
        target.rule.where,
        hint=hint,
    )


def _oriented(sign: float, found: Estimate) -> tuple[float, float]:
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    return (low, high) if sign > 0 else (-high, -low)


def _least(target: Target) -> int:
    """Return from how many samples on there can be an interval."""
    named = REQUEST_METRICS.get(target.rule.metric)
    if named is None or named.form != "quantile":
        return 2
    return samples_for_upper_bound(max(named.q, 1 - named.q), 1 - 2 * target.policy.alpha)


def _estimator(target: Target, data: MetricInput) -> Callable[[float], Estimate]:
    """Return what estimates the metric at a level."""
    named = REQUEST_METRICS.get(target.rule.metric)
    if named is not None:
        return lambda level: request_estimate(named, replace(data, level=level))
    source = target.measure.source
    if source is None:
        raise ValueError(f"{target.metric} is no metric of a scorer")
    return lambda level: source.estimate(replace(data, level=level))


def _smallest_alpha(upper: Callable[[float], float], ends: Ends) -> float:
    """Return the smallest one-sided alpha at which the upper end lies below the limit; 0.5 when none does.

    Bisection over the level, whose intervals are nested; the upper end of the bracket is returned.
    """
    if ends.value >= ends.limit:
        return 0.5
    low, high = 0.0, 0.5
    for _ in range(_STEPS):
        middle = (low + high) / 2 if high < 1e-3 else math.sqrt(max(low, 1e-12) * high)  # noqa: PLR2004 - in logs first
        if upper(1 - 2 * middle) < ends.limit:
            high = middle
        else:
            low = middle
        if high - low <= 1e-4 * high or high < 1e-9:  # noqa: PLR2004 - three digits of p are more than is shown
            break
    return high


def _gaps(target: Target, data: MetricInput) -> NDArray[np.bool_]:
    """Return shape (m, K): which answers of a scorer's metric failed or could not be scored."""
    if not target.measure.scorer:
        return np.zeros(data.values.shape, dtype=np.bool_)
    gaps: NDArray[np.bool_] = target.arm.present[target.rows] & ~answered(data)
    return gaps


def _worst(target: Target, data: MetricInput, ends: Ends, gaps: NDArray[np.bool_]) -> float | None:
    """Return the value (confident: its lower end), were every missing answer at the worse end."""
    source, confident = target.measure.source, target.rule.confident
    if source is None or not gaps.any():
        return None
    sign = 1.0 if target.rule.rule == "at_least" else -1.0
    filled = _filled(source, data, gaps, best=sign < 0)
    if filled is None:
        return None
    found = source.estimate(replace(filled, level=1 - 2 * target.policy.alpha))
    if found.value is None:
        return None
    return min(_oriented(sign, found)[0], ends.low) if confident else sign * found.value


def _filled(source: Metric, data: MetricInput, gaps: NDArray[np.bool_], *, best: bool) -> MetricInput | None:
    """Return the data with every gap at one end of the range; None where nothing bounds the metric."""
    parsed = None if data.parsed is None else np.where(gaps, best, data.parsed)
    if isinstance(source, PerSample):
        bounds = source.per_sample(data).bounds
        if bounds is None or not np.isfinite(bounds).all():
            return None
        low, high = data.bounds or (-math.inf, math.inf)  # open where a threshold is what is bounded
        return replace(data, values=np.where(gaps, high if best else low, data.values), parsed=parsed)
    if data.labels is None or data.expected is None:
        return None
    labels = data.labels.copy()
    labels[gaps] = None  # an answer without a label is a miss
    if best:
        labels[gaps] = np.broadcast_to(data.expected[:, None], gaps.shape)[gaps]
    return replace(data, values=np.where(gaps, float(best), data.values), labels=labels, parsed=parsed)
