"""Means of samples: standard errors, t intervals, epochs and clusters."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["cluster_error", "epoch_means", "epoch_spread", "standard_error", "t_interval"]

_Floats = NDArray[np.float64]


def epoch_means(scores: _Floats) -> _Floats:
    """Return each sample's mean over the epochs that have a score.

    Args:
        scores: Shape (n, K); NaN where there is none.

    Returns:
        Shape (n,); NaN for a sample without any score. [[1, 0], [1, nan]] gives [0.5, 1].
    """
    if scores.shape[1] == 1:
        return scores[:, 0].astype(np.float64)
    known = ~np.isnan(scores)
    counts = known.sum(axis=1)
    sums = np.where(known, scores, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def standard_error(x: _Floats) -> float:
    """Return sd(x, ddof=1)/sqrt(n), in the unit of `x`.

    Source: Miller 2024, "Adding Error Bars to Evals" (arXiv 2411.00640); [0, 1, 1, 1] gives 0.25.

    Args:
        x: Shape (n,), n >= 2, finite.

    Raises:
        ValueError: Fewer than two values.
    """
    if x.size < 2:  # noqa: PLR2004 - one value has no spread
        raise ValueError("a standard error needs two values")
    return float(np.std(x, ddof=1) / math.sqrt(x.size))


def t_interval(mean: float, se: float, df: float, level: float) -> tuple[float, float]:
    """Return mean +- t(df) se, two-sided.

    Args:
        mean: Its centre.
        se: Standard error, in the same unit.
        df: Degrees of freedom, n - 1 for a plain mean; need not be whole.
        level: Such as 0.95; 0.75 with se 0.25 and df 3 gives [-0.0456, 1.5456].

    Raises:
        ValueError: A level outside of (0, 1), or df not above 0.
    """
    if not 0 < level < 1 or not df > 0:
        raise ValueError(f"a level between 0 and 1 and df above 0 are needed, not {level} and {df}")
    from scipy.special import stdtrit

    reach = float(stdtrit(df, 0.5 + level / 2)) * se
    return mean - reach, mean + reach


def epoch_spread(scores: _Floats) -> tuple[float, float]:
    """Return the variance between repeats of one sample and between samples: (within, between).

    within = mean of var(s[i, :], ddof=1); between = var(m, ddof=1) - within/K, 0 when negative. Where epochs
    are missing, samples with two or more give `within`, and 1/K is the mean of 1/K_i. Source: Miller 2024.

    Args:
        scores: Shape (n, K); NaN where there is none.

    Raises:
        ValueError: Fewer than two samples with a score, or none with two.
    """
    known = ~np.isnan(scores)
    counts = known.sum(axis=1)
    scores, known, counts = scores[counts > 0], known[counts > 0], counts[counts > 0]
    repeated = counts > 1
    if scores.shape[0] < 2 or not repeated.any():  # noqa: PLR2004 - one sample has no spread
        raise ValueError("the spread needs two samples, and two scores of one of them")
    means = epoch_means(scores)
    squares = np.where(known, (scores - means[:, None]) ** 2, 0.0).sum(axis=1)
    within = float(np.mean(squares[repeated] / (counts[repeated] - 1)))
    between = float(np.var(means, ddof=1)) - within * float(np.mean(1 / counts))
    return within, max(between, 0.0)


def cluster_error(x: _Floats, clusters: NDArray[np.int64]) -> tuple[float, float]:
    """Return the standard error of the mean of clustered values and its degrees of freedom (CR2).

    se = sqrt(sum over c of S_c^2/(1 - n_c/n))/n with S_c = sum of (x - mean) in c; df = n^2/(sum over c, c'
    of M^2), M[c, c] = n_c, M[c, c'] = -n_c n_c'/(n sqrt((1 - n_c/n)(1 - n_c'/n))), its double sum taken
    apart so that it costs no more than the clusters. Source: Bell & McCaffrey 2002, as in R's clubSandwich.
    With every sample a cluster of its own it is the plain standard error with n - 1.

    Args:
        x: Shape (n,), finite.
        clusters: Shape (n,): which cluster each value belongs to.

    Raises:
        ValueError: Fewer than two clusters.
    """
    _, codes = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)
    if sizes.size < 2:  # noqa: PLR2004 - one cluster has no spread
        raise ValueError("a clustered standard error needs two clusters")
    n = float(x.size)
    rest = 1 - sizes / n
    sums = np.bincount(codes, weights=x - x.mean())
    se = math.sqrt(float(np.sum(sums**2 / rest))) / n
    weighed = sizes**2 / rest
    off_diagonal = (float(weighed.sum()) ** 2 - float(np.sum(weighed**2))) / n**2
    df = n**2 / (float(np.sum(sizes**2)) + off_diagonal)
    return se, df
