"""The bootstrap of statistics that depend on the samples through sums alone, such as counts of a table."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["DRAWS", "bootstrap_totals", "percentile_interval"]

_Floats = NDArray[np.float64]

DRAWS = 9_999
_FEWEST_DRAWS = 999
_WORK = 50_000_000  # numbers drawn in all: about a second
_CHUNK = 2_000_000  # numbers drawn at once: 16 MB
_MULTINOMIAL_COST = 4  # a binomial number against a place drawn with replacement


def bootstrap_totals(units: _Floats, weights: NDArray[np.int64], seed: int) -> _Floats:
    """Return the totals over resamples: units drawn with replacement, as many as there are.

    Many equal units are drawn together by a multinomial, which is the same distribution at a cost that does
    not grow with n. 9,999 draws; fewer, at least 999, above 5,000 units that mostly differ.

    Args:
        units: Shape (u, f): what each distinct unit (a sample, or a cluster of them) adds to the f sums.
        weights: Shape (u,): how many units are like it.
        seed: The same seed gives the same draws.

    Returns:
        Shape (draws, f).
    """
    n = int(weights.sum())
    together = len(weights) * _MULTINOMIAL_COST < n
    numbers = len(weights) * _MULTINOMIAL_COST if together else n
    draws = int(np.clip(_WORK // numbers, _FEWEST_DRAWS, DRAWS))
    random = np.random.default_rng(seed)
    size = max(1, _CHUNK // max(numbers, len(weights)))
    sizes = [min(size, draws - begin) for begin in range(0, draws, size)]
    if together:
        return np.concatenate([random.multinomial(n, weights / n, size=count) @ units for count in sizes])
    owner = np.repeat(np.arange(len(weights), dtype=np.int32), weights)
    return np.concatenate([_drawn(random, owner, len(weights), count) @ units for count in sizes])


def _drawn(random: np.random.Generator, owner: NDArray[np.int32], units: int, draws: int) -> _Floats:
    """Return how often each distinct unit is in each resample; `owner` names the one behind every unit."""
    counts = np.empty((draws, units))
    for resample in counts:  # one at a time, which stays in the processor's cache
        chosen = owner[random.integers(0, owner.size, size=owner.size, dtype=np.int32)]
        resample[:] = np.bincount(chosen, minlength=units)
    return counts


def percentile_interval(
    totals: _Floats, statistic: Callable[[_Floats], _Floats], level: float
) -> tuple[float, float, float] | None:
    """Return standard error, lower and upper end of a statistic by the percentile bootstrap.

    Args:
        totals: Shape (draws, f), from `bootstrap_totals`.
        statistic: Takes totals of shape (draws, f) and returns shape (draws,); NaN where it is undefined.
        level: Two-sided, such as 0.95.

    Returns:
        None when every resample gives the same value, or none gives any: the samples then say nothing about
        the statistic's spread.
    """
    values = statistic(totals)
    values = values[np.isfinite(values)]
    if values.size < 2 or values.min() == values.max():  # noqa: PLR2004 - one value has no spread
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(np.std(values, ddof=1)), float(low), float(high)
