"""What repeats of a sample say: passed at least once, passed every time, or both outcomes."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["both_outcomes", "pass_all_k", "pass_at_k"]

_Floats = NDArray[np.float64]


def pass_at_k(passed: _Floats, k: int) -> _Floats:
    """Return, for each sample, the probability that at least one of k repeats passes.

    The unbiased 1 - C(K - c, k)/C(K, k), for c passes of K repeats. Source: Chen et al. 2021 (arXiv
    2107.03374), equation 1. One pass of ten with k = 3 gives 0.3.

    Args:
        passed: Shape (n, K): 1 passed, 0 not, NaN where there is no score; K_i counts the scores alone.
        k: How many repeats one may take.

    Returns:
        Shape (n,); NaN for samples with fewer than k scores.

    Raises:
        ValueError: k below 1 or above K.
    """
    total, right = _counts(passed, k)
    return 1 - _none_of(total - right, total, k)


def pass_all_k(passed: _Floats, k: int) -> _Floats:
    """Return, for each sample, the probability that all of k repeats pass ("pass^k").

    The unbiased C(c, k)/C(K, k). Source: Yao et al. 2024 (tau-bench, arXiv 2406.12045). Five passes of ten
    with k = 3 give 0.0833.

    Args:
        passed: Shape (n, K): 1 passed, 0 not, NaN where there is no score.
        k: How many repeats have to pass.

    Returns:
        Shape (n,); NaN for samples with fewer than k scores.

    Raises:
        ValueError: k below 1 or above K.
    """
    total, right = _counts(passed, k)
    return _none_of(right, total, k)


def both_outcomes(passed: _Floats) -> _Floats:
    """Return, for each sample, whether its repeats both passed and failed: 1 or 0.

    Args:
        passed: Shape (n, K): 1 passed, 0 not, NaN where there is no score.

    Returns:
        Shape (n,); NaN for samples with fewer than two scores.
    """
    known = ~np.isnan(passed)
    total = known.sum(axis=1)
    right = np.where(known, passed, 0.0).sum(axis=1)
    mixed = (right > 0) & (right < total)
    return np.where(total > 1, mixed.astype(np.float64), np.nan)


def _counts(passed: _Floats, k: int) -> tuple[_Floats, _Floats]:
    if not 1 <= k <= passed.shape[1]:
        raise ValueError(f"k lies between 1 and the {passed.shape[1]} repeats, not at {k}")
    known = ~np.isnan(passed)
    total = known.sum(axis=1).astype(np.float64)
    right = np.where(known, passed, 0.0).sum(axis=1)
    return np.where(total >= k, total, np.nan), right


def _none_of(chosen: _Floats, total: _Floats, k: int) -> _Floats:
    """Return C(chosen, k)/C(total, k) as a product, which neither overflows nor cancels."""
    share = np.ones_like(total)
    for taken in range(k):
        share *= np.maximum(chosen - taken, 0.0) / (total - taken)
    return share
