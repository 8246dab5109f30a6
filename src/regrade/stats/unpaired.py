"""Two arms without common samples."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["Welch", "newcombe_independent", "welch"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Welch:
    """Welch's test of mean B - mean A.

    Attributes:
        difference: Of the means.
        se: Its standard error.
        df: Degrees of freedom by Welch & Satterthwaite.
        t: difference/se; NaN where the standard error is 0.
        less: One-sided p for "B is lower".
        greater: One-sided p for "B is higher".
        low: Lower end of the interval.
        high: Upper end.
    """

    difference: float
    se: float
    df: float
    t: float
    less: float
    greater: float
    low: float
    high: float

    @property
    def two_sided(self) -> float:
        """Return the two-sided p."""
        return min(1.0, 2 * min(self.less, self.greater))


def welch(a: _Floats, b: _Floats, level: float) -> Welch:
    """Compare two independent means without assuming equal variances.

    Args:
        a: Shape (n_a,), n_a >= 2.
        b: Shape (n_b,), n_b >= 2.
        level: Of the interval, such as 0.95.

    Two arms that do not vary give p = 1 when equal, else 0, and an interval of no width. Source: Welch 1947.

    Raises:
        ValueError: Fewer than two values on a side, or values that are not finite.
    """
    from scipy.special import stdtr, stdtrit

    if min(a.size, b.size) < 2:  # noqa: PLR2004 - one value has no spread
        raise ValueError("two values on each side are needed")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("finite values are needed")
    parts = np.array([np.var(a, ddof=1) / a.size, np.var(b, ddof=1) / b.size])
    difference = float(b.mean() - a.mean())
    se = math.sqrt(float(parts.sum()))
    if se == 0:
        less = 1.0 if difference >= 0 else 0.0
        greater = 1.0 if difference <= 0 else 0.0
        df = float(a.size + b.size - 2)
        return Welch(difference, 0.0, df, math.nan, less, greater, difference, difference)
    df = float(parts.sum() ** 2 / np.sum(parts**2 / np.array([a.size - 1, b.size - 1])))
    t = difference / se
    reach = float(stdtrit(df, 0.5 + level / 2)) * se
    less, greater = float(stdtr(df, t)), float(stdtr(df, -t))
    return Welch(difference, se, df, t, less, greater, difference - reach, difference + reach)


def newcombe_independent(right_a: int, n_a: int, right_b: int, n_b: int, level: float) -> tuple[float, float]:
    """Return the interval of the difference of two independent shares, B - A: Newcombe's hybrid score.

    Args:
        right_a: Right answers of A.
        n_a: Answers of A.
        right_b: Right answers of B.
        n_b: Answers of B.
        level: Such as 0.95; 56 of 70 less 48 of 80 gives [0.0524, 0.3339] (Newcombe 1998, method 10).

    Raises:
        ValueError: No answers on a side, or more right ones than answers.
    """
    if n_a < 1 or n_b < 1 or not 0 <= right_a <= n_a or not 0 <= right_b <= n_b:
        raise ValueError(f"counts of answers are needed, not {right_a} of {n_a} and {right_b} of {n_b}")
    a, (a_low, a_high) = right_a / n_a, _wilson(right_a / n_a, n_a, level)
    b, (b_low, b_high) = right_b / n_b, _wilson(right_b / n_b, n_b, level)
    difference = b - a
    return (
        difference - math.hypot(b - b_low, a_high - a),
        difference + math.hypot(b_high - b, a - a_low),
    )


def _wilson(share: float, n: int, level: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(0.5 + level / 2)
    added = z * z / n
    half = z * math.sqrt(share * (1 - share) / n + added / (4 * n))
    return (share + added / 2 - half) / (1 + added), (share + added / 2 + half) / (1 + added)
