"""The differences of two arms over the samples that both answered: test, interval, p of a limit.

Everywhere d = B - A with the sign of "better": above 0 is a gain, below 0 a loss of the candidate.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrade.stats.bounded import (
    bounded_mean_interval,
    bounded_mean_z,
    cluster_bounded_interval,
    cluster_bounded_z,
)
from regrade.stats.flips import sign_flip
from regrade.stats.mcnemar import mcnemar
from regrade.stats.means import cluster_error, standard_error, t_interval

__all__ = ["Differences", "PairedBounds", "PairedTest", "limit_p", "paired_bounds", "paired_test"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_SAME = 1e-12  # sizes of differences that are equal but for rounding


@dataclass(frozen=True, slots=True)
class Differences:
    """One difference a sample.

    Attributes:
        d: Shape (n,), finite: oriented, candidate minus baseline.
        reach: The greatest possible size of a difference; None when nothing bounds it.
        clusters: Shape (n,): the source that each sample shares with others; None without clusters.

    Raises:
        ValueError: No differences, NaN or infinity among them, or a number of clusters that does not fit.
    """

    d: _Floats
    reach: float | None = None
    clusters: _Ints | None = None

    def __post_init__(self) -> None:
        """Refuse what would come out as NaN."""
        if self.d.ndim != 1 or not self.d.size or not np.isfinite(self.d).all():
            raise ValueError("finite differences of shape (n,) with n >= 1 are needed")
        if self.clusters is not None and self.clusters.shape != self.d.shape:
            raise ValueError(f"{self.d.size} differences have a cluster each, not {self.clusters.shape}")

    @property
    def clustered(self) -> bool:
        """Return whether any two samples share a source."""
        return self.clusters is not None and np.unique(self.clusters).size < self.d.size

    @property
    def units(self) -> int:
        """Return how many independent units there are: clusters, else samples."""
        return int(np.unique(self.clusters).size) if self.clusters is not None else self.d.size

    def error(self) -> tuple[float | None, float]:
        """Return the mean's standard error and its degrees of freedom; None where one unit has no spread."""
        if self.units <= 1 or self.d.size <= 1:
            return None, 1.0
        if self.clustered and self.clusters is not None:
            return cluster_error(self.d, self.clusters)
        return standard_error(self.d), float(self.d.size - 1)

    def by_clusters(self) -> bool:
        """Return whether CR2 tells how far clusters differ; those that all agree prove nothing of others."""
        se, _ = self.error()
        agreement = np.finfo(np.float64).eps * float(np.abs(self.d).max()) * self.units
        return self.clustered and se is not None and bool(se > agreement)


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What the differences say about "B is worse" and "B is better".

    Attributes:
        n: Samples.
        mean: Of d.
        se: Its standard error, CR2 with clusters; None where one unit alone has none.
        wins: Samples with d above 0.
        losses: Samples with d below 0.
        less: One-sided p for "B is worse".
        greater: One-sided p for "B is better".
        method: "McNemar mid-p", "sign-flip" or "sign-flip of clusters".
        floor: The least p that this many units could have given, were all of them losses.
    """

    n: int
    mean: float
    se: float | None
    wins: int
    losses: int
    less: float
    greater: float
    method: str
    floor: float

    @property
    def ties(self) -> int:
        """Return the samples without a difference."""
        return self.n - self.wins - self.losses

    @property
    def two_sided(self) -> float:
        """Return min(1, 2 min(p_less, p_greater)), which `compare` shows."""
        return min(1.0, 2 * min(self.less, self.greater))


def paired_test(differences: Differences, seed: int) -> PairedTest:
    """Test the differences; what is observed chooses the test.

    Differences of one size (right or wrong, one epoch): McNemar's mid-p. Several sizes: sign-flips, mid-p.
    Clusters: sign-flips of whole clusters' sums, plain p. Without any difference both p are 1.

    Args:
        differences: n >= 1.
        seed: Of the draws of a sign-flip test that cannot be counted out.
    """
    d = differences.d
    wins, losses = int((d > _SAME).sum()), int((d < -_SAME).sum())
    sizes = np.unique(np.round(np.abs(d[np.abs(d) > _SAME]), 12))
    units = differences.units
    if differences.clusters is not None and differences.clustered:
        _, codes = np.unique(differences.clusters, return_inverse=True)
        sums = np.bincount(codes, weights=d).astype(np.float64)
        less, greater = sign_flip(sums, seed, mid=False)
        method, floor = "sign-flip of clusters", 0.5**units
    elif sizes.size <= 1:
        found = mcnemar(losses, wins)
        less, greater, method, floor = found.less, found.greater, "McNemar mid-p", 0.5**units / 2
    else:
        less, greater = sign_flip(d, seed)
        method, floor = "sign-flip", 0.5**units / 2
    se, _ = differences.error()
    return PairedTest(d.size, float(d.mean()), se, wins, losses, less, greater, method, floor)


@dataclass(frozen=True, slots=True)
class PairedBounds:
    """The interval of the mean difference.

    Attributes:
        low: Lower end, the lower of all methods that apply: what a PASS rests on.
        high: Upper end, the higher of them.
        typical_low: Lower end by CR2 alone with clusters that differ, else `low`.
        typical_high: Upper end by CR2 alone with clusters that differ, else `high`: what a FAIL rests on.
        method: How they were made.
    """

    low: float
    high: float
    typical_low: float
    typical_high: float
    method: str


def paired_bounds(differences: Differences, level: float) -> PairedBounds:
    """Return the two-sided interval of the mean difference.

    Bounded: at each end the wider of the score interval (Tango's for -1, 0, 1) and t. Clusters: CR2 with
    t(df), and beside it the score interval of the clusters' sums, which knows of clusters not drawn.
    Unbounded: t(n - 1) or CR2. Where a single unit has no spread and nothing bounds it the ends are infinite.
    Sixty differences of 0 in [-1, 1] give +-0.0431 at 90 %.

    Args:
        differences: n >= 1.
        level: Such as 0.90 beside a one-sided rule at 5 %.
    """
    d, reach = differences.d, differences.reach
    mean = float(d.mean())
    se, df = differences.error()
    spread = t_interval(mean, se, df, level) if se is not None else (-math.inf, math.inf)
    if reach is None:
        return PairedBounds(*spread, *spread, "CR2" if differences.clustered else "t")
    if se is None:
        spread = (mean, mean)
    spread = max(spread[0], -reach), min(spread[1], reach)
    if differences.clustered and differences.clusters is not None:
        score = cluster_bounded_interval(d, differences.clusters, (-reach, reach), level)
        low, high = min(score[0], spread[0]), max(score[1], spread[1])
        typical = spread if differences.by_clusters() else (low, high)
        return PairedBounds(low, high, *typical, "CR2 and score of clusters")
    score = bounded_mean_interval(d, -reach, reach, level)
    low, high = min(score[0], spread[0]), max(score[1], spread[1])
    return PairedBounds(low, high, low, high, "score and t")


def limit_p(differences: Differences, limit: float) -> float:
    """Return the smallest one-sided alpha at which the mean difference is shown to lie below a limit.

    The larger of the p of the score routine and that of t; with clusters that of CR2 alone, as for the upper
    bound that a FAIL rests on. A limit that the reach rules out needs no test: 1 below it, 0 above.

    Args:
        differences: n >= 1; ten losses of 1 in [-1, 1] lie below -0.5 with p = 0.0339.
        limit: Such as -margin.
    """
    d, reach, clusters = differences.d, differences.reach, differences.clusters
    if reach is None:
        return _t_p(differences, limit, unknown=1.0)
    if not -reach < limit < reach:
        return float(limit <= -reach or float(d.mean()) >= limit)
    if differences.by_clusters():
        return _t_p(differences, limit, unknown=1.0)
    if differences.clustered and clusters is not None:
        return _normal_p(cluster_bounded_z(d, clusters, (-reach, reach), limit))
    return max(_t_p(differences, limit, unknown=0.0), _normal_p(bounded_mean_z(d, -reach, reach, limit)))


def _normal_p(z: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(z))


def _t_p(differences: Differences, limit: float, *, unknown: float) -> float:
    """Return t's p that the mean lies below the limit; what is given where one unit has no spread."""
    from scipy.special import stdtr

    se, df = differences.error()
    away = float(differences.d.mean()) - limit
    if se is None:
        return unknown
    return float(stdtr(df, away / se)) if se > 0 else float(away >= 0)
