"""One routine for every bounded mean: how far it is from a value, and the interval that follows.

Among all distributions on the data points and the two ends of the range, the likeliest whose mean is theta
gives the variance. Scaled to a range of [0, 1] and with theta below the mean m (the other side by reflection)
it has the weights

    w_i = 1 / (n (1 + l (x_i - theta))),    0 <= l <= 1/theta,

where l is the root of sum (x_i - theta) / (1 + l (x_i - theta)), or 1/theta when there is none; what the
weights leave lies on the range's lower end. Multiplying the weights out shows that the variance is
v = (m - theta)/l in both cases, hence

    z^2 = n (m - theta)^2 / v = n (m - theta) l,

which needs neither v nor a division by a variance of zero.

Sources: Owen, Empirical Likelihood (2001), for the weights; the interval equals Wilson's (1927) for scores of
0 and 1 and Tango's (1998) for differences in {-1, 0, 1}.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from regrade.types import Bounds

__all__ = ["bounded_mean_interval", "bounded_mean_z", "cluster_bounded_interval", "cluster_bounded_z"]

_Floats = NDArray[np.float64]

_DUST = 1e-12  # nearer than this to an end of the range is on it: rounding, not information


def bounded_mean_z(x: _Floats, low: float, high: float, theta: float) -> float:
    """Return how many standard errors the mean of `x` lies above `theta`.

    Args:
        x: Shape (n,), n >= 1: values within the range, in any order.
        low: The least possible value.
        high: The greatest possible value.
        theta: A mean strictly between them.

    Ten zeros in [-1, 1] against -0.05 give 0.72548: a range of losses that ten samples would not show.

    Raises:
        ValueError: No values, values outside of the range or not finite, theta not inside of it.
    """
    values, counts = _scaled(x, low, high)
    if not low < theta < high:
        raise ValueError(f"theta lies strictly between {low} and {high}, not at {theta}")
    at = (theta - low) / (high - low)
    n = int(counts.sum())
    mean = float(counts @ values) / n
    if math.isclose(mean, at, rel_tol=0, abs_tol=_DUST):
        return 0.0
    if mean < at:
        values, at, sign = 1 - values, 1 - at, -1.0
        mean = 1 - mean
    else:
        sign = 1.0
    if _balance(values, counts, at, 1 / at) >= 0:
        multiplier = 1 / at
    else:
        share = _root(lambda t: _balance(values, counts, at, t / at), 0.0, 1.0)
        multiplier = share / at
    return sign * math.sqrt(n * (mean - at) * multiplier)


def bounded_mean_interval(x: _Floats, low: float, high: float, level: float) -> tuple[float, float]:
    """Return the two-sided interval of a bounded mean: every theta with |z| <= z_crit.

    Args:
        x: Shape (n,), n >= 1: values within the range.
        low: The least possible value.
        high: The greatest possible value.
        level: Such as 0.95.

    Ten of ten right give [0.7225, 1] at 95 %; sixty differences of 0 in [-1, 1] give +-0.0431 at 90 %.

    Raises:
        ValueError: No values, values outside of the range or not finite, a level outside of (0, 1).
    """
    values, counts = _scaled(x, low, high)
    critical = _critical(level)
    lower = _lower_end(values, counts, critical)
    upper = 1 - _lower_end(1 - values, counts, critical)
    return low + lower * (high - low), low + upper * (high - low)


def cluster_bounded_z(x: _Floats, clusters: NDArray[np.int64], bounds: Bounds, theta: float) -> float:
    """Return how many standard errors the mean lies above `theta`, whole clusters as observations.

    Of the clusters' sums n_c (mean_c - theta), whose range the largest cluster gives, against 0.

    Args:
        x: Shape (n,): values within the bounds.
        clusters: Shape (n,): which cluster each belongs to; clusters of one value give `bounded_mean_z`.
        bounds: The least and the greatest possible value.
        theta: A mean strictly between them.

    Raises:
        ValueError: As `bounded_mean_z`.
    """
    return _cluster_z(*_cluster_sums(x, clusters), bounds, theta)


def cluster_bounded_interval(
    x: _Floats, clusters: NDArray[np.int64], bounds: Bounds, level: float
) -> tuple[float, float]:
    """Return the interval by the same routine with whole clusters as observations.

    Every theta with |`cluster_bounded_z`| <= z_crit. It knows what CR2 does not: that a cluster unlike all
    others may exist that was not drawn.

    Args:
        x: Shape (n,): values within the bounds.
        clusters: Shape (n,): which cluster each belongs to.
        bounds: The least and the greatest possible value.
        level: Such as 0.95.

    Raises:
        ValueError: As `bounded_mean_interval`.
    """
    critical = _critical(level)
    low, high = bounds
    sums, sizes = _cluster_sums(x, clusters)
    mean = float(sums.sum() / sizes.sum())
    step = (high - low) * _DUST

    def excess(theta: float) -> float:
        if theta == mean:
            return -critical
        return abs(_cluster_z(sums, sizes, bounds, theta)) - critical

    lower, upper = low, high
    if mean - low > step:
        lower = _root(excess, low + step, mean, rough=True)
    if high - mean > step:
        upper = _root(excess, mean, high - step, rough=True)
    return lower, upper


def _cluster_sums(x: _Floats, clusters: NDArray[np.int64]) -> tuple[_Floats, _Floats]:
    _, codes = np.unique(clusters, return_inverse=True)
    return np.bincount(codes, weights=x).astype(np.float64), np.bincount(codes).astype(np.float64)


def _cluster_z(sums: _Floats, sizes: _Floats, bounds: Bounds, theta: float) -> float:
    low, high = bounds
    if not low < theta < high:
        raise ValueError(f"theta lies strictly between {low} and {high}, not at {theta}")
    largest = float(sizes.max(initial=0.0))
    return bounded_mean_z(sums - sizes * theta, largest * (low - theta), largest * (high - theta), 0.0)


def _critical(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    return NormalDist().inv_cdf(0.5 + level / 2)


def _root(function: Callable[[float], float], low: float, high: float, *, rough: bool = False) -> float:
    """Return where a function crosses zero, to full relative precision or to that of the routine."""
    from scipy.optimize import brentq  # half a second to import, and most runs need no root

    precision = {} if rough else {"xtol": 1e-300, "rtol": 1e-15}
    return float(brentq(function, low, high, **precision))


def _scaled(x: _Floats, low: float, high: float) -> tuple[_Floats, _Floats]:
    """Return the distinct values, scaled to [0, 1], and how often each occurs."""
    if not low < high:
        raise ValueError(f"a range goes up, not from {low} to {high}")
    if x.ndim != 1 or not x.size:
        raise ValueError(f"values of shape (n,) with n >= 1 are needed, not {x.shape}")
    values, counts = np.unique(x, return_counts=True)
    scaled = (values - low) / (high - low)
    if not np.isfinite(scaled).all() or scaled[0] < -_DUST or scaled[-1] > 1 + _DUST:
        raise ValueError(f"values outside of {low} to {high}")
    scaled[scaled < _DUST] = 0.0
    scaled[scaled > 1 - _DUST] = 1.0
    return scaled, counts.astype(np.float64)


def _balance(values: _Floats, counts: _Floats, theta: float, multiplier: float) -> float:
    """Return sum c (x - theta)/(1 + l (x - theta)), whose sign tells on which side of the root l lies.

    Where zeros are among the values it is multiplied by 1 - l theta, which keeps it finite up to l = 1/theta.
    """
    inner = values > 0
    away = values[inner] - theta
    total = float(np.sum(counts[inner] * away / (1 + multiplier * away)))
    zeros = float(np.sum(counts[~inner]))
    if not zeros:
        return total
    return total * (1 - multiplier * theta) - zeros * theta


def _lower_end(values: _Floats, counts: _Floats, critical: float) -> float:
    """Return the theta below the mean at which z equals the critical value, for a range of [0, 1].

    At the end sought, l = critical^2/(n (m - theta)): put into the balance this leaves one root in theta.
    Where the likeliest distribution has mass on the range's end, l = 1/theta gives the end in closed form.
    """
    n = float(counts.sum())
    mean = float(counts @ values) / n
    if mean <= 0:
        return 0.0

    def balance(theta: float) -> float:
        return _balance(values, counts, theta, critical**2 / (n * (mean - theta)))

    if values[0] in {0.0, 1.0} and values[-1] in {0.0, 1.0} and len(values) <= 2:  # noqa: PLR2004 - right or wrong
        return _wilson_lower(mean, n, critical)
    farthest = n * mean / (n + critical**2)
    if balance(farthest) >= 0:
        return farthest
    return _root(balance, 0.0, farthest)


def _wilson_lower(share: float, n: float, critical: float) -> float:
    """Return Wilson's lower end, which the routine comes to for scores of 0 and 1."""
    added = critical**2 / n
    half = critical * math.sqrt(share * (1 - share) / n + added / (4 * n))
    return (share + added / 2 - half) / (1 + added)
