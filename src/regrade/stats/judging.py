"""A judge's scores against human labels: agreement, and the mean corrected by it."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from regrade.stats.bounded import bounded_mean_interval
from regrade.types import Bounds

__all__ = ["Agreement", "Corrected", "cohen_kappa", "corrected_mean"]

_Floats = NDArray[np.float64]
_FEWEST_LABELS = 100
_FEWEST_DISAGREEMENTS = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two raters agree beyond chance.

    Attributes:
        kappa: 1 for full agreement, 0 for that of chance; NaN where both give one label only.
        se: Its standard error.
        names: The labels, sorted.
        table: Shape (c, c): rows the first rater's labels, columns the second's.
    """

    kappa: float
    se: float
    names: tuple[object, ...]
    table: NDArray[np.int64]


def cohen_kappa(human: NDArray[np.generic], judge: NDArray[np.generic]) -> Agreement:
    """Return Cohen's kappa with its standard error.

    Args:
        human: Shape (n,), n >= 1: labels.
        judge: Shape (n,): labels of the same samples.

    Source: Cohen 1960; standard error by Fleiss, Cohen & Everitt 1969.

    Raises:
        ValueError: No labels, or not as many of one rater as of the other.
    """
    if not len(human) or len(human) != len(judge):
        raise ValueError(
            f"two raters of the same samples are needed, not {len(human)} and {len(judge)} labels"
        )
    names, codes = np.unique(np.concatenate([human, judge]), return_inverse=True)
    size, n = len(names), len(human)
    places = codes[:n] * size + codes[n:]
    table = np.bincount(places, minlength=size * size).reshape(size, size)
    share = table / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    agreed, chance = float(np.trace(share)), float(rows @ columns)
    if math.isclose(chance, 1.0):
        return Agreement(math.nan, math.nan, tuple(names.tolist()), table)
    kappa = (agreed - chance) / (1 - chance)
    crossed = columns[:, None] + rows[None, :]  # [i, j]: how often the judge says i and the human j
    diagonal = float(np.sum(np.diag(share) * (1 - (rows + columns) * (1 - kappa)) ** 2))
    away = share * crossed**2
    rest = (1 - kappa) ** 2 * float(away.sum() - np.trace(away))
    variance = (diagonal + rest - (kappa - chance * (1 - kappa)) ** 2) / ((1 - chance) ** 2 * n)
    return Agreement(float(kappa), math.sqrt(max(variance, 0.0)), tuple(names.tolist()), table)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A judged mean corrected by human labels.

    Attributes:
        value: The corrected mean; that of the labels alone where these are too few.
        low: Lower end.
        high: Upper end.
        weight: Lambda: 0 ignores the judge, 1 trusts its changes fully.
        method: "PPI++" or "labels alone".
        note: Why the judge was not used, where it could have been.
    """

    value: float
    low: float
    high: float
    weight: float
    method: str
    note: str = ""


def corrected_mean(
    labels: _Floats,
    judged: _Floats,
    unlabelled: _Floats,
    level: float,
    *,
    bounds: Bounds = (0.0, 1.0),
    cautious: bool = True,
) -> Corrected:
    """Return the mean that humans would have given, by PPI++.

    lambda = cov(Y, f)/((1 + n_l/N_u) var f) clipped to [0, 1]; value = mean Y + lambda (mean f over the
    unlabelled - mean f over the labelled). Source: Angelopoulos, Duchi & Zrnic 2023 (arXiv 2311.01453); the
    variance of f is pooled with divisor n + N - 1, all others have divisor n.

    Args:
        labels: Shape (n_l,), n_l >= 1: human scores of a random part of the samples.
        judged: Shape (n_l,): the judge's scores of the same samples.
        unlabelled: Shape (N_u,): the judge's scores of all others.
        level: Such as 0.95.
        bounds: The range of the scores.
        cautious: Below 100 labels or 10 disagreements the interval covers too little (83 to 93 % at 20 to
            50 labels): give that of the labels alone.

    Raises:
        ValueError: No labels, not one judged score for each, or scores outside of the range.
    """
    low, high = bounds
    scores = np.concatenate([labels, judged, unlabelled])
    if not labels.size or labels.size != judged.size or not ((scores >= low) & (scores <= high)).all():
        raise ValueError(f"a judged score for each label, all from {low:g} to {high:g}, are needed")
    n, rest = labels.size, unlabelled.size
    z = NormalDist().inv_cdf(0.5 + level / 2)
    disagreements = int((labels != judged).sum())
    few = n < _FEWEST_LABELS or disagreements < _FEWEST_DISAGREEMENTS
    if not rest or (cautious and few):
        note = f"{n} labels with {disagreements} disagreements are too few to correct by" if rest else ""
        alone = bounded_mean_interval(labels, low, high, level)
        return Corrected(float(labels.mean()), *alone, 0.0, "labels alone", note)
    covariance = float(np.mean((labels - labels.mean()) * (judged - judged.mean())))
    spread = float(np.var(np.concatenate([judged, unlabelled]), ddof=1))
    weight = float(np.clip(covariance / ((1 + n / rest) * spread), 0.0, 1.0)) if spread else 0.0
    value = float(labels.mean() + weight * (unlabelled.mean() - judged.mean()))
    se = math.sqrt(weight**2 * float(np.var(unlabelled)) / rest + float(np.var(labels - weight * judged)) / n)
    return Corrected(value, max(low, value - z * se), min(high, value + z * se), weight, "PPI++")
