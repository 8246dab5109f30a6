"""The sign-flip test: were A and B exchanged within each sample, how often would the mean be as extreme?"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrade.stats.resampling import DRAWS

__all__ = ["sign_flip", "swapped_totals"]

_Floats = NDArray[np.float64]

_MOST_EXACT = 2**14
_MOST_SIZES = 15  # of so many sizes even one each makes more than 2^14 outcomes
_MANY = 5_000  # values that mostly differ: coins for all of them cost seconds, the expansion nothing
_SHARE = 0.005  # of the variance: where one value has more, the sum is not close to normal
_DIGITS = 12
_DUST = 1e-9  # of the greatest possible sum: a smaller difference is rounding
_WORTH_GROUPING = 80  # values a size: a binomial number costs about as much as 80 coins
_BITS = 8
_FEWEST_DRAWS = 999
_WORK = 20_000_000  # coins in all
_CHUNK = 2_000_000  # coins at once


def sign_flip(d: _Floats, seed: int, *, mid: bool = True) -> tuple[float, float]:
    """Return the one-sided p for a mean below 0, and that for one above 0.

    Exact while at most 2^14 outcomes differ, counting equal sizes once, else from 9,999 draws; from 5,000
    values on that mostly differ by the normal distribution with Edgeworth's correction for the fourth
    cumulant, whose error is below that of 9,999 draws. For d in {-1, 0, 1} it is McNemar's test. Without a
    difference both are 1. Nine differences in thirds give 0.1523 (mid-p) where all 2^7 patterns are counted.

    Args:
        d: Shape (n,): differences of samples, or sums of whole clusters.
        seed: Of the draws.
        mid: Count ties with what was observed half (mid-p), else whole.

    Raises:
        ValueError: Differences that are not finite.
    """
    if not np.isfinite(d).all():
        raise ValueError("finite differences are needed")
    sizes, counts = np.unique(np.round(np.abs(d[d != 0]), _DIGITS), return_counts=True)
    if not sizes.size or not sizes[-1]:
        return 1.0, 1.0
    observed = float(d.sum())
    dust = _DUST * float(sizes @ counts)
    share = 0.5 if mid else 1.0
    if sizes.size < _MOST_SIZES and math.prod(int(count) + 1 for count in counts) <= _MOST_EXACT:
        sums, weights = _all_sums(sizes, counts)
        total, equal = 1.0, float(weights[np.abs(sums - observed) <= dust].sum())
    elif _near_normal(sizes, counts):
        return _expanded(observed, sizes, counts)
    else:
        # Sorted, and turned with what was observed: neither the order of the samples nor which arm is which
        # changes a draw.
        sums = _drawn_sums(np.sort(np.abs(d[d != 0])), sizes, counts, np.random.default_rng(seed))
        sums *= -math.copysign(1.0, observed)
        weights = np.ones(DRAWS)
        total = DRAWS + 1.0  # what was observed is one of the possible outcomes
        equal = float((np.abs(sums - observed) <= dust).sum()) + 1
    below, above = weights[sums < observed - dust].sum(), weights[sums > observed + dust].sum()
    less, greater = (below + share * equal) / total, (above + share * equal) / total
    return min(1.0, float(less)), min(1.0, float(greater))


def _near_normal(sizes: _Floats, counts: NDArray[np.int64]) -> bool:
    """Return whether many values that mostly differ make a sum that the expansion describes."""
    many = sizes.size * _WORTH_GROUPING > counts.sum() >= _MANY
    return bool(many and sizes[-1] ** 2 <= _SHARE * float((sizes * sizes) @ counts))


def _expanded(observed: float, sizes: _Floats, counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return both p from the cumulants of a sum of fair coins: variance sum d^2, fourth -2 sum d^4.

    P(S <= s) = Phi(x) - phi(x) (k4/24) (x^3 - 3 x), k4 the fourth cumulant over the variance's square; the
    odd cumulants of a symmetric sum are 0. Source: Edgeworth's expansion, as in Kolassa 2006.
    """
    from scipy.special import ndtr

    squares = sizes * sizes
    variance = float(squares @ counts)
    excess = -2 * float((squares * squares) @ counts) / variance**2
    x = observed / math.sqrt(variance)
    density = math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    correction = density * excess / 24 * (x**3 - 3 * x)
    below, above = float(ndtr(x)) - correction, float(ndtr(-x)) + correction
    return min(1.0, max(below, 0.0)), min(1.0, max(above, 0.0))


def _all_sums(sizes: _Floats, counts: NDArray[np.int64]) -> tuple[_Floats, _Floats]:
    """Return every sum that signs can give, and its probability under fair coins."""
    from scipy.special import gammaln

    sums, logs = np.zeros(1), np.zeros(1)
    for size, count in zip(sizes, counts, strict=True):
        up = np.arange(count + 1)
        log = gammaln(count + 1) - gammaln(up + 1) - gammaln(count - up + 1) - count * math.log(2)
        sums = (sums[:, None] + size * (2 * up - count)).ravel()
        logs = (logs[:, None] + log).ravel()
    return sums, np.exp(logs)


def _drawn_sums(
    values: _Floats, sizes: _Floats, counts: NDArray[np.int64], random: np.random.Generator
) -> _Floats:
    """Return 9,999 sums under fair coins."""
    if len(sizes) * _WORTH_GROUPING <= len(values):
        total = np.zeros(DRAWS)
        for size, count in zip(sizes, counts, strict=True):
            total += size * (2.0 * random.binomial(count, 0.5, DRAWS) - count)
        return total
    return sum(_block_sums(values, random), np.zeros(DRAWS))


def _block_sums(values: _Floats, random: np.random.Generator) -> Iterator[_Floats]:
    """Yield the part that eight values add to each draw: a byte of coins looks its sum up in a table."""
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=_BITS)))
    padded = np.concatenate([values, np.zeros(-len(values) % _BITS)]).reshape(-1, _BITS)
    for block in padded:
        coins = np.frombuffer(random.bytes(DRAWS), dtype=np.uint8)
        yield (signs @ block)[coins]


def swapped_totals(a: _Floats, b: _Floats, weights: NDArray[np.int64], seed: int) -> tuple[_Floats, _Floats]:
    """Return totals of both arms, A and B exchanged within each unit by a fair coin.

    9,999 times; fewer, at least 999, above 2,000 units that all differ.

    Args:
        a: Shape (u, f): what each distinct unit adds to the sums of A.
        b: Shape (u, f): likewise for B.
        weights: Shape (u,): how many units are like it.
        seed: Of the draws.

    Returns:
        Two arrays of shape (draws, f).
    """
    random = np.random.default_rng(seed)
    draws = int(np.clip(_WORK // len(weights), _FEWEST_DRAWS, DRAWS))
    everything = weights @ (a + b)
    swapped = np.empty((draws, a.shape[1]))
    base, change = weights @ a, b - a
    step = max(1, _CHUNK // len(weights))
    for begin in range(0, draws, step):
        size = min(step, draws - begin)
        swapped[begin : begin + size] = base + random.binomial(weights, 0.5, (size, len(weights))) @ change
    return swapped, everything - swapped
