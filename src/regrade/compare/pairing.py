"""One metric over the samples that two arms have in common."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regrade.arms import Arm, Joined, Measure, Missing, Pairing, taken
from regrade.errors import RegradeError
from regrade.protocols import OfLabels, PerSample
from regrade.stats import (
    LABEL_STATISTICS,
    Differences,
    PairedLabels,
    answered,
    epoch_means,
    paired_labels,
    sign_flip,
)
from regrade.types import Bounds, MetricInput, SampleValues

__all__ = ["chosen_samples", "other_mode", "pair_up"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.object_]


def chosen_samples(joined: Joined, slice_of: Mapping[str, str]) -> Joined:
    """Return the common samples whose metadata, in the candidate or else the baseline, has these values."""
    kept = np.ones(joined.rows_a.size, dtype=np.bool_)
    for name, text in slice_of.items():
        member = np.zeros(joined.rows_a.size, dtype=np.bool_)
        for arm, rows in ((joined.a, joined.rows_a), (joined.b, joined.rows_b)):
            field = arm.slices.get(name)
            if field is not None and text in field.texts:
                member |= field.codes[rows] == field.texts.index(text)
        kept &= member
    return joined.among(kept)


def pair_up(joined: Joined, a: Measure, b: Measure, seed: int = 0) -> Pairing:
    """Measure both arms by one metric, sample by sample.

    Args:
        joined: The common samples.
        a: The metric over the baseline's arm.
        b: The same metric over the candidate's.
        seed: Of the test that failures are spread alike.
    """
    data_a, data_b = taken(a.data, joined.rows_a), taken(b.data, joined.rows_b)
    clusters = data_a.clusters if data_a.clusters is not None else data_b.clusters
    empty = Pairing(
        joined=joined,
        scorer=b.scorer,
        metric=b.metric,
        better=b.better,
        bounds=None,
        value_a=None,
        value_b=None,
        mean=None,
        labels=None,
        worst=None,
        kept=np.zeros(joined.rows_a.size, dtype=np.bool_),
        missing=Missing(0, 0, 0, 0, 1.0),
    )
    problem = _problem(a, b, joined)
    if problem:
        return replace(empty, problem=problem)
    try:
        if isinstance(b.source, OfLabels):
            return _by_labels(empty, b.source.label_statistic, data_a, data_b, seed)
        if b.source is None or isinstance(b.source, PerSample):
            return _by_means(empty, (a, data_a), (b, data_b), clusters, seed)
    except RegradeError as error:
        return replace(empty, problem=error.message)
    return replace(empty, problem=f"{b.metric} says nothing of single samples: it cannot be compared")


def _problem(a: Measure, b: Measure, joined: Joined) -> str:
    if not joined.rows_a.size:
        return _none_in_both(joined)
    modes = other_mode(joined) if b.scorer else ""
    if modes:
        return modes
    if a.versions and b.versions and a.versions != b.versions:
        return (
            f"{b.scorer} is of version {', '.join(a.versions)} in one and {', '.join(b.versions)} in the "
            "other; score one again with: regrade score RUN"
        )
    if a.recipe and b.recipe and a.recipe != b.recipe:
        return (
            f"{b.scorer} was set up otherwise in {joined.a.run} (arguments, `extract` or `normalize`): its "
            "scores do not compare; score that run again with today's spec: regrade score RUN --spec SPEC"
        )
    if a.better != b.better:
        return f"{b.metric} is better {a.better} in one and {b.better} in the other"
    if a.data.bounds != b.data.bounds:
        return f"{b.scorer} declares the range {a.data.bounds} in one and {b.data.bounds} in the other"
    return ""


def other_mode(joined: Joined) -> str:
    """Return why scores of multiple choice that was asked in two modes do not compare; empty in one mode."""
    a, b = joined.a, joined.b
    modes = [arm.choice_mode or "text" for arm in (a, b)]
    if modes[0] == modes[1]:
        return ""
    told = [f"{arm.model} in {arm.run} was asked as {mode}" for arm, mode in zip((a, b), modes, strict=True)]
    return (
        f"{' and '.join(told)}: another mode is another measurement, and the two do not compare; set the "
        "same `mode:` under `choices:` for both"
    )


def _none_in_both(joined: Joined) -> str:
    counts = (
        (joined.changed, "have another input or target"),
        (joined.only_a, "are in A alone"),
        (joined.only_b, "are in B alone"),
    )
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    return f"no sample is in both: {told}" if told else "no sample is in both"


def _by_means(
    empty: Pairing,
    a: tuple[Measure, MetricInput],
    b: tuple[Measure, MetricInput],
    clusters: NDArray[np.int64] | None,
    seed: int,
) -> Pairing:
    joined, sign = empty.joined, empty.sign
    found_a, found_b = _values(*a), _values(*b)
    known_a, known_b = np.isfinite(found_a.values), np.isfinite(found_b.values)
    kept = known_a & known_b
    missing = _missing(joined, (a[1], known_a), (b[1], known_b), seed)
    bounds = _bounds(found_a, found_b, kept)
    empty = replace(empty, bounds=bounds, kept=kept, missing=missing)
    if not kept.any():
        return replace(empty, problem="no common sample has a value on both sides")
    reach = None if bounds is None else bounds[1] - bounds[0]
    own = None if clusters is None else clusters[kept]
    d = sign * (found_b.values[kept] - found_a.values[kept])
    worst = None
    if missing.either or missing.partly:
        worst = _worst(empty, a, b, clusters, d)
    return replace(
        empty,
        value_a=float(found_a.values[kept].mean()),
        value_b=float(found_b.values[kept].mean()),
        mean=Differences(d, reach, own),
        worst=worst,
    )


def _values(measure: Measure, data: MetricInput) -> SampleValues:
    if isinstance(measure.source, PerSample):
        return measure.source.per_sample(data)
    return SampleValues(epoch_means(data.values), data.bounds)


def _bounds(a: SampleValues, b: SampleValues, kept: Flags) -> Bounds | None:
    """Return the range; None when nothing bounds the values, or they lie outside of what is declared."""
    if b.bounds is None or not np.isfinite(b.bounds).all() or b.bounds[0] >= b.bounds[1]:
        return None
    low, high = b.bounds
    for values in (a.values[kept], b.values[kept]):
        if values.size and (values.min() < low or values.max() > high):
            return None
    return low, high


def _missing(
    joined: Joined, a: tuple[MetricInput, Flags], b: tuple[MetricInput, Flags], seed: int
) -> Missing:
    """Count samples without a value, and test whether both arms have them alike.

    A request that failed and an answer that could not be scored are both a gap. What is known of every
    request, as whether it failed, has none.
    """
    known_a, known_b = a[1], b[1]
    gaps_a = np.where(known_a, _share_of_gaps(joined.a, joined.rows_a, a[0]), 1.0)
    gaps_b = np.where(known_b, _share_of_gaps(joined.b, joined.rows_b, b[0]), 1.0)
    both = known_a & known_b
    partly = both & ((gaps_a > 0) | (gaps_b > 0))
    p = 1.0
    if not np.array_equal(gaps_a, gaps_b):
        p = min(1.0, 2 * min(sign_flip(gaps_b - gaps_a, seed)))
    return Missing(int((~known_a).sum()), int((~known_b).sum()), int((~both).sum()), int(partly.sum()), p)


def _gaps(arm: Arm, rows: NDArray[np.int64], data: MetricInput) -> Flags:
    """Return shape (m, K): which repeats were asked and have no value."""
    gaps: Flags = arm.present[rows] & ~answered(data)
    return gaps


def _share_of_gaps(arm: Arm, rows: NDArray[np.int64], data: MetricInput) -> Floats:
    share: Floats = _gaps(arm, rows, data).sum(axis=1) / np.maximum(arm.present[rows].sum(axis=1), 1)
    return share


def _worst(
    empty: Pairing,
    a: tuple[Measure, MetricInput],
    b: tuple[Measure, MetricInput],
    clusters: NDArray[np.int64] | None,
    d: Floats,
) -> Differences:
    """Return the differences of all common samples, every missing value a loss for the candidate.

    Repeats that failed among others that did not take the best end of the scores for the baseline and the
    worst for the candidate. What nothing bounds takes a loss as large as the largest difference seen.
    """
    joined, bounds = empty.joined, empty.bounds
    if bounds is None:
        filled = np.full(joined.rows_a.size, -float(np.abs(d).max()))
        filled[empty.kept] = d
        return Differences(filled, None, clusters)
    full_a = _values(a[0], _filled(a[1], joined.a, joined.rows_a, best=empty.better == "higher"))
    full_b = _values(b[0], _filled(b[1], joined.b, joined.rows_b, best=empty.better == "lower"))
    reach = bounds[1] - bounds[0]
    differences = empty.sign * (full_b.values - full_a.values)
    return Differences(np.where(empty.kept, differences, -reach), reach, clusters)


def _filled(data: MetricInput, arm: Arm, rows: NDArray[np.int64], *, best: bool) -> MetricInput:
    """Return the data with failed repeats at one end of the range of the scores."""
    low, high = data.bounds or (-np.inf, np.inf)  # open where a threshold on the scores is what is bounded
    end = high if best else low
    gaps = _gaps(arm, rows, data)
    parsed = None if data.parsed is None else np.where(gaps, best, data.parsed)
    return replace(data, values=np.where(gaps, end, data.values), parsed=parsed)


def _by_labels(empty: Pairing, statistic: str, a: MetricInput, b: MetricInput, seed: int) -> Pairing:
    if a.labels is None or b.labels is None:
        return replace(empty, problem=f"{empty.metric} needs labels on both sides")
    there_a, there_b = answered(a), answered(b)
    known_a: Flags = np.any(there_a, axis=1)
    known_b: Flags = np.any(there_b, axis=1)
    expected = _expected(a, b)
    right: Flags = expected != None  # noqa: E711 - elementwise
    kept: Flags = known_a & known_b & right
    missing = _missing(empty.joined, (a, known_a), (b, known_b), seed)
    empty = replace(empty, kept=kept, missing=missing, label_statistic=statistic)
    if not kept.any():
        return replace(empty, problem="no common sample has a right label and an answer on both sides")
    clusters = a.clusters if a.clusters is not None else b.clusters
    there = np.concatenate([there_a, there_b], axis=1)

    def laid(chosen: Flags, labels_a: Labels, labels_b: Labels, scored: Flags) -> PairedLabels:
        own = None if clusters is None else clusters[chosen]
        return paired_labels(expected[chosen], labels_a[chosen], labels_b[chosen], own, scored[chosen])

    pairs = laid(kept, a.labels, b.labels, there)
    worst = None
    if missing.either or missing.partly:  # what is missing was right with the baseline and not with B
        lost = (right & ~kept)[:, None]
        gaps_a = _gaps(empty.joined.a, empty.joined.rows_a, a) | lost
        gaps_b = _gaps(empty.joined.b, empty.joined.rows_b, b) | lost
        always_right = np.where(gaps_a, expected[:, None], a.labels)
        never_right = b.labels.copy()
        never_right[gaps_b] = None
        worst = laid(right, always_right, never_right, there | np.concatenate([gaps_a, gaps_b], axis=1))
    value_a, value_b = (
        float(np.nan_to_num(LABEL_STATISTICS[statistic]((pairs.weights @ one)[None, :]))[0])
        for one in (pairs.a, pairs.b)
    )
    return replace(empty, value_a=value_a, value_b=value_b, labels=pairs, worst_labels=worst)


def _expected(a: MetricInput, b: MetricInput) -> Labels:
    """Return the right label of each sample, from whichever arm knows it."""
    none = np.full(len(a.values), None, dtype=np.object_)
    of_a = none if a.expected is None else a.expected
    of_b = none if b.expected is None else b.expected
    unknown: Flags = of_a == None  # noqa: E711 - elementwise
    found: Labels = np.where(unknown, of_b, of_a)
    return found
