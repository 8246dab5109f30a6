"""Rules on the candidate alone: `at_least` and `at_most`."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from regrade.arms import taken
from regrade.errors import Problem, RegradeError
from regrade.gate.requests import REQUEST_METRICS, request_estimate
from regrade.gate.resolving import Target
from regrade.gate.weighing import Ends, Weighed, blank
from regrade.protocols import PerSample
from regrade.stats import answered, samples_for_upper_bound
from regrade.types import Estimate, MetricInput

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
    sign = 1.0 if rule.rule == "at_least" else -1.0
    ends = Ends(*_oriented(sign, found), sign * found.value, sign * rule.value)
    missing = _without_value(target, data)
    shown = replace(
        blank(target),
        n=found.n,
        value_b=found.value,
        low=found.low,
        high=found.high,
        share=data.bounds == (0.0, 1.0) or "bootstrap" in found.method,
        missing=missing,
        method=found.method,
        notes=(found.note,) if found.note else (),
    )
    weighed = Weighed(
        shown,
        form="interval" if rule.confident else "value",
        units=found.n,
        ends=ends,
        worst_low=_worst(target, data, ends, missing=missing, confident=rule.confident),
    )
    if not rule.confident:
        return weighed
    weighed = replace(weighed, least=_least(target))
    if math.isinf(ends.high):  # nothing could fail it
        return weighed
    return replace(weighed, p=_smallest_alpha(lambda level: _oriented(sign, estimate(level))[1], ends))


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


def _without_value(target: Target, data: MetricInput) -> int:
    """Return how many samples have a failed request or score and no value at all."""
    if not target.measure.scorer:
        return 0
    return int((~answered(data).any(axis=1)).sum())


def _worst(target: Target, data: MetricInput, ends: Ends, *, missing: int, confident: bool) -> float | None:
    """Return the value (confident: its lower end), were every missing one at the worse end of the range."""
    source, bounds = target.measure.source, data.bounds
    if not missing or bounds is None or not isinstance(source, PerSample):
        return None
    found = source.per_sample(data)
    if found.bounds is None or not np.isfinite(found.bounds).all():
        return None
    sign = 1.0 if target.rule.rule == "at_least" else -1.0
    worst = found.bounds[0] if sign > 0 else found.bounds[1]
    known = np.isfinite(found.values)
    filled = np.where(known, found.values, worst)
    value = sign * float(filled.mean())
    if not confident:
        return value
    from regrade.stats import mean_estimate

    again = mean_estimate(filled, found.bounds, data.clusters, 1 - 2 * target.policy.alpha)
    return min(_oriented(sign, again)[0], ends.low)
