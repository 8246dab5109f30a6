"""Two arms by a metric of labels that is no mean over samples, such as macro-F1."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrade.stats.confusion import LABEL_STATISTICS, LabelCodes, label_codes, label_sums
from regrade.stats.flips import swapped_totals
from regrade.stats.resampling import bootstrap_totals, percentile_interval

__all__ = [
    "LabelComparison",
    "LabelDraws",
    "PairedLabels",
    "compare_labels",
    "draw_labels",
    "label_limit_p",
    "paired_labels",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Objects = NDArray[np.object_]

_NONE = -2  # of an epoch without an answer, as in `LabelCodes.found`
_DUST = 1e-12


@dataclass(frozen=True, slots=True)
class PairedLabels:
    """What the distinct units add to the sums of both arms.

    Attributes:
        a: Shape (u, 3 c + 2): the baseline's, in the columns of `label_units`.
        b: Shape (u, 3 c + 2): the candidate's.
        weights: Shape (u,): how many units are alike.
        n: Samples with a right label and an answer of each arm.
        clustered: Whether any two samples share a unit.
    """

    a: _Floats
    b: _Floats
    weights: _Ints
    n: int
    clustered: bool = False


def paired_labels(
    expected: _Objects,
    a: _Objects,
    b: _Objects,
    clusters: _Ints | None,
    answered: NDArray[np.bool_] | None = None,
) -> PairedLabels:
    """Lay out the labels of both arms for `compare_labels`.

    Args:
        expected: Shape (n,): the right label, None where it is not known; those samples are left out.
        a: Shape (n, K_a): labels that the baseline gave, None where an answer holds none.
        b: Shape (n, K_b): those of the candidate.
        clusters: Shape (n,): whole clusters are the units; None makes each sample one.
        answered: Shape (n, K_a + K_b): whether there is a scored answer at all; None when all are.
    """
    both = np.concatenate([a, b], axis=1)
    codes = label_codes(expected, both, np.ones(both.shape, dtype=np.bool_) if answered is None else answered)
    split = a.shape[1]
    arms = [
        LabelCodes(codes.names, codes.expected, found, codes.kept)
        for found in (codes.found[:, :split], codes.found[:, split:])
    ]
    everyone = np.arange(codes.expected.size)
    if clusters is not None:
        _, owner = np.unique(clusters[codes.kept], return_inverse=True)
        units = int(owner.max(initial=-1)) + 1
        samples, weights = everyone, np.ones(units, dtype=np.int64)
    else:
        samples, weights = _alike(codes, arms)
        owner, units = np.arange(samples.size), samples.size
    sums = [label_sums(arm, samples, owner.astype(np.int64), units) for arm in arms]
    n = codes.expected.size
    return PairedLabels(sums[0], sums[1], weights, n, clusters is not None and units < n)


def _alike(codes: LabelCodes, arms: list[LabelCodes]) -> tuple[_Ints, _Ints]:
    """Return one sample of each kind, by right label and answers of both arms, and how many there are."""
    base = len(codes.names) + 2
    sorted_answers = [np.sort(arm.found, axis=1) - _NONE for arm in arms]
    columns = np.concatenate([codes.expected[:, None], *sorted_answers], axis=1)
    if base ** columns.shape[1] < 2**62:
        cells = columns @ base ** np.arange(columns.shape[1], dtype=np.int64)
        _, first, weights = np.unique(cells, return_index=True, return_counts=True)
    else:
        _, first, weights = np.unique(columns, axis=0, return_index=True, return_counts=True)
    return first.astype(np.int64), weights.astype(np.int64)


@dataclass(frozen=True, slots=True)
class LabelComparison:
    """Two values of a label metric over the same samples.

    Attributes:
        a: The baseline's.
        b: The candidate's.
        se: Standard error of b - a; None when no resample differs.
        low: Lower end of the interval of b - a.
        high: Upper end.
        less: One-sided p for "B is lower".
        greater: One-sided p for "B is higher".
    """

    a: float
    b: float
    se: float | None
    low: float
    high: float
    less: float
    greater: float


@dataclass(frozen=True, slots=True)
class LabelDraws:
    """The draws that all metrics of the same labels share: they cost more than any metric.

    Attributes:
        resampled: Shape (draws, 2 (3 c + 2)): sums of A, then of B, over resampled units.
        swapped: The same for A and for B, exchanged within units.
    """

    resampled: _Floats
    swapped: tuple[_Floats, _Floats]


def draw_labels(pairs: PairedLabels, seed: int) -> LabelDraws:
    """Return the draws for `compare_labels`.

    Args:
        pairs: At least one sample.
        seed: Of both kinds of draws.
    """
    both = np.concatenate([pairs.a, pairs.b], axis=1)
    with ThreadPoolExecutor(1) as other:  # NumPy draws without holding the interpreter
        swapped = other.submit(swapped_totals, pairs.a, pairs.b, pairs.weights, seed)
        resampled = bootstrap_totals(both, pairs.weights, seed)
        return LabelDraws(resampled, swapped.result())


def compare_labels(
    metric: str, pairs: PairedLabels, level: float, seed: int, draws: LabelDraws | None = None
) -> LabelComparison:
    """Compare two arms: p by exchanging them within samples, interval by the paired percentile bootstrap.

    The p count ties with what was observed half (mid-p); whole where clusters are exchanged, as in
    `paired_test`.

    Args:
        metric: A key of `LABEL_STATISTICS`.
        pairs: At least one sample.
        level: Such as 0.95.
        seed: Of both kinds of draws.
        draws: Those of this seed, where another metric of the same labels made them already.

    Raises:
        ValueError: No samples, or a level outside of (0, 1).
    """
    if not pairs.n or not 0 < level < 1:
        raise ValueError(f"samples and a level between 0 and 1 are needed, not {pairs.n} and {level}")
    statistic = LABEL_STATISTICS[metric]
    a, b = (float(_defined(statistic, (pairs.weights @ arm)[None, :])[0]) for arm in (pairs.a, pairs.b))
    width = pairs.a.shape[1]
    draws = draws or draw_labels(pairs, seed)

    def difference(sums: _Floats) -> _Floats:
        return _defined(statistic, sums[:, width:]) - _defined(statistic, sums[:, :width])

    interval = percentile_interval(draws.resampled, difference, level)
    se, low, high = interval or (None, b - a, b - a)
    if not (pairs.a != pairs.b).any():
        return LabelComparison(a, b, se, low, high, 1.0, 1.0)
    chance = _defined(statistic, draws.swapped[1]) - _defined(statistic, draws.swapped[0])
    equal = float((np.abs(chance - (b - a)) <= _DUST).sum()) + 1
    below, above = float((chance < b - a - _DUST).sum()), float((chance > b - a + _DUST).sum())
    total, ties = chance.size + 1, equal if pairs.clustered else equal / 2
    return LabelComparison(a, b, se, low, high, (below + ties) / total, (above + ties) / total)


def label_limit_p(metric: str, pairs: PairedLabels, limit: float, seed: int) -> float:
    """Return the smallest one-sided alpha at which the bootstrap shows b - a to lie below a limit.

    Args:
        metric: A key of `LABEL_STATISTICS`.
        pairs: At least one sample.
        limit: Such as -margin.
        seed: Of the draws, those of `compare_labels`.
    """
    statistic = LABEL_STATISTICS[metric]
    width = pairs.a.shape[1]
    totals = bootstrap_totals(np.concatenate([pairs.a, pairs.b], axis=1), pairs.weights, seed)
    differences = _defined(statistic, totals[:, width:]) - _defined(statistic, totals[:, :width])
    return float((differences >= limit - _DUST).mean())


def _defined(statistic: Callable[[_Floats], _Floats], sums: _Floats) -> _Floats:
    """Return the statistic, 0 where a resample holds nothing to compute it from."""
    return np.nan_to_num(statistic(sums))
