"""Rules that hold a candidate against a baseline: `no_regression` and `non_inferior`."""

import math
from dataclasses import replace

from regrade.arms import Pairing
from regrade.compare import pair_up
from regrade.errors import Problem
from regrade.gate.resolving import Target
from regrade.gate.weighing import Ends, Weighed, blank
from regrade.stats import (
    Differences,
    LabelComparison,
    compare_labels,
    label_limit_p,
    limit_p,
    paired_bounds,
    paired_test,
)
from regrade.verdicts import Verdict

__all__ = ["weigh_paired"]

_FEW_UNBOUNDED = 30
_FEW_LABELLED = 100
_FEW_CLUSTERS = 10
_UNEVEN = 0.05
_OTHER_DATASET = (
    "the dataset changed: make a new baseline with `regrade baseline set NAME RUN --replace`, or name a run "
    "over the same samples"
)


def weigh_paired(target: Target, seed: int) -> Weighed | Problem:
    """Return the figures of a rule, and what decides it once p is adjusted for the whole gate.

    Args:
        target: Of `no_regression` or `non_inferior`.
        seed: Of every draw.
    """
    rule, joined, other = target.rule, target.joined, target.other
    if joined is None or other is None:
        raise ValueError(f"{rule.rule} needs a baseline")
    pairing = pair_up(joined, other, target.measure, seed)
    where = f"{rule.text}: {target.arm.eval}, {target.arm.model}"
    if pairing.problem:
        hint = None if joined.rows_a.size else _OTHER_DATASET
        return Problem(f"{where}: {pairing.problem}", rule.where, hint=hint)
    reach = None if pairing.bounds is None else pairing.bounds[1] - pairing.bounds[0]
    if rule.margin is not None and reach is not None and rule.margin >= reach:
        return Problem(f"{where}: the margin is as large as the range of {target.metric}", rule.where)
    start = _start(target, pairing)
    if pairing.labels is not None:
        return _labelled(target, pairing, start, seed)
    if pairing.mean is None:
        return Problem(f"{where}: nothing to compare", rule.where)
    return _mean(target, pairing, pairing.mean, start, seed)


def _start(target: Target, pairing: Pairing) -> Verdict:
    arms, missing = pairing.joined, pairing.missing
    notes = []
    if missing.p <= _UNEVEN and target.measure.scorer:
        notes.append(f"failures are not spread alike over both (p = {missing.p:.2g})")
    if target.measure.judged:
        notes.append("a judge's own error is not in p")
    epochs_a, epochs_b = arms.a.epochs, arms.b.epochs
    if epochs_a != epochs_b:
        notes.append(f"{epochs_a} repeats against {epochs_b}")
    if arms.changed:
        notes.append(f"{arms.changed:,} samples changed their input or target and were left out")
    return replace(
        blank(target),
        run_a=arms.a.run,
        prompt_a=arms.a.prompt,
        model_a=arms.a.model,
        n=pairing.n,
        value_a=pairing.value_a,
        value_b=pairing.value_b,
        share=pairing.share,
        missing=missing.either + missing.partly,
        notes=tuple(notes),
    )


def _mean(target: Target, pairing: Pairing, mean: Differences, start: Verdict, seed: int) -> Weighed:
    policy = target.policy
    level = 1 - 2 * policy.alpha
    test, bounds = paired_test(mean, seed), paired_bounds(mean, level)
    typical = policy.clusters == "typical"
    low, high = (bounds.typical_low, bounds.typical_high) if typical else (bounds.low, bounds.high)
    notes = list(start.notes)
    if mean.clustered and mean.units < _FEW_CLUSTERS:
        notes.append(f"rough: {mean.units} clusters")
    if mean.clustered and typical:
        notes.append("clusters that were not drawn are taken to be like those that were")
    if mean.reach is None:
        notes.append("nothing bounds this metric: what was not seen could outweigh what was")
    shown = replace(
        start,
        difference=pairing.sign * test.mean,
        low=_finite(low if pairing.sign > 0 else -high),
        high=_finite(high if pairing.sign > 0 else -low),
        wins=test.wins,
        losses=test.losses,
        method=f"{test.method}; {bounds.method}",
    )
    least = _FEW_UNBOUNDED if mean.reach is None else 0
    common = Weighed(
        shown,
        too_few=test.n < least,
        least=least,
        uneven=pairing.missing.p <= _UNEVEN,
        differences=mean,
    )
    if target.rule.margin is None:
        if test.less <= policy.alpha and high > 0 and test.method == "sign-flip":
            notes.append("many small losses; a few unseen gains could balance them")
        worst = None if pairing.worst is None else paired_test(pairing.worst, seed).less
        return replace(
            common,
            verdict=replace(shown, notes=tuple(notes)),
            p=test.less,
            worst_p=worst,
            floor=test.floor,
            units=test.n if not mean.clustered else mean.units,
        )
    worst_low = None
    if pairing.worst is not None:
        ends = paired_bounds(pairing.worst, level)
        worst_low = ends.typical_low if typical else ends.low
    limit = -target.rule.margin
    exempt = mean.reach is None or (mean.clustered and typical)
    return replace(
        common,
        verdict=replace(shown, notes=tuple(notes)),
        form="interval",
        p=limit_p(mean, limit),
        units=mean.units,
        ends=Ends(low, high, test.mean, limit),
        worst_low=worst_low,
        rare=None if exempt or mean.reach is None else target.rule.margin / mean.reach,
    )


def _labelled(target: Target, pairing: Pairing, start: Verdict, seed: int) -> Weighed:
    """Weigh a metric that is no mean; all of them are better high, so that nothing need be turned."""
    labels, policy = pairing.labels, target.policy
    if labels is None:
        raise ValueError("a metric of labels has labels")
    name, level = pairing.label_statistic, 1 - 2 * policy.alpha
    found = compare_labels(name, labels, level, seed)
    shown = replace(
        start,
        difference=found.b - found.a,
        low=found.low,
        high=found.high,
        method="exchange within samples; paired bootstrap",
    )
    common = Weighed(
        shown, too_few=labels.n < _FEW_LABELLED, least=_FEW_LABELLED, uneven=pairing.missing.p <= _UNEVEN
    )
    worst: LabelComparison | None = None
    if pairing.worst_labels is not None:
        worst = compare_labels(name, pairing.worst_labels, level, seed)
    if target.rule.margin is None:
        return replace(common, p=found.less, worst_p=None if worst is None else worst.less, units=labels.n)
    return replace(
        common,
        form="interval",
        p=label_limit_p(name, labels, -target.rule.margin, seed),
        units=labels.n,
        ends=Ends(found.low, found.high, found.b - found.a, -target.rule.margin),
        worst_low=None if worst is None else worst.low,
        rare=None,
    )


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None
