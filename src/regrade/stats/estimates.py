"""Which interval belongs to which mean: the one-run table as code."""

import numpy as np
from numpy.typing import NDArray

from regrade.stats.bounded import bounded_mean_interval, cluster_bounded_interval
from regrade.stats.means import cluster_error, epoch_means, standard_error, t_interval
from regrade.stats.quantiles import quantile_interval, samples_for_upper_bound
from regrade.types import Bounds, Estimate, MetricInput, SampleValues

__all__ = [
    "answered",
    "mean_estimate",
    "parsed_rate",
    "quantile_estimate",
    "reached",
    "sample_mean",
    "score_mean",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_FEW_SAMPLES = 30
_FEW_CLUSTERS = 10


def answered(data: MetricInput) -> NDArray[np.bool_]:
    """Return shape (n, K): where there is an answer that was scored, be it with a value or a label."""
    scored: NDArray[np.bool_] = np.isfinite(data.values)
    if data.labels is not None:
        scored |= data.labels != None  # noqa: E711 - elementwise
    return scored


def score_mean(data: MetricInput) -> Estimate:
    """Return the mean score, the epochs of a sample averaged first, with the interval that fits."""
    return mean_estimate(epoch_means(data.values), data.bounds, data.clusters, data.level)


def reached(values: _Floats, at_least: float) -> _Floats:
    """Return 1 where a score is at least the given one and 0 where it is not; NaN where there is none."""
    return np.where(np.isnan(values), np.nan, values >= at_least)


def sample_mean(per_sample: SampleValues, data: MetricInput) -> Estimate:
    """Return the mean of one value a sample with the interval that fits."""
    return mean_estimate(per_sample.values, per_sample.bounds, data.clusters, data.level)


def parsed_rate(data: MetricInput) -> Estimate:
    """Return the share of scored answers in which the scorer found an answer, with its interval."""
    if data.parsed is None:
        return Estimate(None, note="the scorer does not say what it parsed")
    found = np.where(answered(data), data.parsed, np.nan)
    return mean_estimate(epoch_means(found), (0.0, 1.0), data.clusters, data.level)


def mean_estimate(x: _Floats, bounds: Bounds | None, clusters: _Ints | None, level: float) -> Estimate:
    """Return the mean of one value a sample with the interval that fits.

    Bounded: the score interval. Unbounded: t with n - 1. Samples that share a source: CR2 and t(df), within
    the bounds.

    Args:
        x: Shape (n,): one value a sample, its epochs already averaged; NaN is left out.
        bounds: The range of the values; None when they have none.
        clusters: Shape (n,): which cluster each sample belongs to; None without clusters.
        level: Such as 0.95.
    """
    known = np.isfinite(x)
    clusters = None if clusters is None else clusters[known]
    x = x[known]
    if not x.size:
        return Estimate(None, note="no sample has a value")
    note = ""
    if bounds is not None and not np.isfinite(bounds).all():
        bounds = None  # a range open at one end bounds no mean
    if bounds is not None and (x.min() < bounds[0] or x.max() > bounds[1]):
        note = f"values outside of the declared range {bounds[0]:g} to {bounds[1]:g}, taken as unbounded"
        bounds = None
    if clusters is not None and np.unique(clusters).size < x.size:
        return _clustered(x, bounds, clusters, level)
    se = standard_error(x) if x.size > 1 else None
    mean = float(x.mean())
    if bounds is not None:
        low, high = bounded_mean_interval(x, *bounds, level)
        return Estimate(mean, se, min(low, mean), max(high, mean), x.size, "score")
    if se is None:
        return Estimate(mean, n=1, note=note or "one sample: no interval")
    low, high = t_interval(mean, se, x.size - 1, level)
    if x.size < _FEW_SAMPLES:
        note = note or f"rough: fewer than {_FEW_SAMPLES} samples"
    return Estimate(mean, se, low, high, x.size, "t", note)


def _clustered(x: _Floats, bounds: Bounds | None, clusters: _Ints, level: float) -> Estimate:
    mean = float(x.mean())
    count = np.unique(clusters).size
    if count == 1:
        return Estimate(mean, n=x.size, note="one cluster: no interval")
    few = f"rough: {count} clusters" if count < _FEW_CLUSTERS else ""
    se, df = cluster_error(x, clusters)
    if bounds is None:
        return Estimate(mean, se, *t_interval(mean, se, df, level), n=x.size, method="CR2", note=few)
    if se <= np.finfo(np.float64).eps * (bounds[1] - bounds[0]) * count:
        # Clusters that all agree give CR2 a spread of zero, though they cannot prove that others agree.
        low, high = cluster_bounded_interval(x, clusters, bounds, level)
        return Estimate(mean, 0.0, low, high, x.size, "score of clusters", few)
    low, high = t_interval(mean, se, df, level)
    return Estimate(mean, se, max(low, bounds[0]), min(high, bounds[1]), x.size, "CR2", few)


def quantile_estimate(x: _Floats, q: float, samples: int, level: float) -> Estimate:
    """Return a quantile with its interval by order statistics.

    Args:
        x: Shape (m,): all values, such as the seconds of every request; NaN is left out.
        q: Such as 0.95.
        samples: How many samples the values belong to: repeats of one count once for the interval.
        level: Such as 0.95.
    """
    x = x[np.isfinite(x)]
    if not x.size:
        return Estimate(None, note="no request has a value")
    value, low, high = quantile_interval(x, q, level, samples)
    note = ""
    if low is None or high is None:
        needed = samples_for_upper_bound(max(q, 1 - q), level)
        note = f"bounded on both sides from {needed} samples on"
    return Estimate(value, None, low, high, samples, "binomial order statistics", note)
