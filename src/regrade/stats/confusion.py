"""Expected labels against found ones: the table, and what is computed from its sums."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LABEL_SHARES",
    "LABEL_STATISTICS",
    "LabelCodes",
    "confusion",
    "label_codes",
    "label_sums",
    "label_units",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Objects = NDArray[np.object_]

_NO_LABEL = -1
_NO_ANSWER = -2


@dataclass(frozen=True, slots=True)
class LabelCodes:
    """Labels as numbers, samples without a known right label left out.

    Attributes:
        names: The labels, sorted; a code is a place in it.
        expected: Shape (m,): code of the right label.
        found: Shape (m, K): code of the label found, -1 where an answer holds none, -2 without an answer.
        kept: Shape (n,): which samples the m are.
    """

    names: tuple[str, ...]
    expected: _Ints
    found: _Ints
    kept: NDArray[np.bool_]

    def pairs(self) -> tuple[_Ints, _Ints]:
        """Return expected and found code of every answer, epochs one after the other."""
        expected = np.broadcast_to(self.expected[:, None], self.found.shape)
        answered = self.found != _NO_ANSWER
        return expected[answered], self.found[answered]


def label_codes(expected: _Objects, labels: _Objects, answered: NDArray[np.bool_]) -> LabelCodes:
    """Turn labels into numbers.

    Args:
        expected: Shape (n,): the right label, None where it is not known.
        labels: Shape (n, K): the label found, None where there is none.
        answered: Shape (n, K): whether there is a scored answer at all.
    """
    seen = {*expected.tolist(), *labels.ravel().tolist()} - {None}
    names = tuple(sorted(seen))
    code_of: dict[Any, int] = {name: place for place, name in enumerate(names)}
    code_of[None] = _NO_LABEL
    right = _coded(expected, code_of)
    found = np.where(answered, _coded(labels, code_of), _NO_ANSWER)
    kept = (right != _NO_LABEL) & answered.any(axis=1)
    return LabelCodes(names, right[kept], found[kept], kept)


def _coded(labels: _Objects, code_of: Mapping[Any, int]) -> _Ints:
    flat = labels.ravel().tolist()
    return np.fromiter(map(code_of.__getitem__, flat), np.int64, len(flat)).reshape(labels.shape)


def confusion(expected: _Objects, labels: _Objects) -> tuple[tuple[str, ...], _Ints]:
    """Count how often each label was found where each was right.

    Args:
        expected: Shape (n,): the right label; rows of None are left out.
        labels: Shape (n,): the label found, None where an answer holds none.

    Returns:
        The c names, sorted, and counts of shape (c, c + 1): a row for each expected label, a column for each
        found one, the last column for answers without a label.
    """
    codes = label_codes(expected, labels[:, None], np.ones((len(labels), 1), dtype=np.bool_))
    size = len(codes.names)
    right, found = codes.pairs()
    columns = np.where(found == _NO_LABEL, size, found)
    counts = np.bincount(right * (size + 1) + columns, minlength=size * (size + 1))
    return codes.names, counts.astype(np.int64).reshape(size, size + 1)


def label_units(codes: LabelCodes, clusters: _Ints | None) -> tuple[_Floats, _Ints]:
    """Return what the distinct units of a bootstrap add to the sums that the label statistics need.

    Args:
        codes: Of m samples.
        clusters: Shape (m,): whole clusters are the units; None makes each sample one.

    Returns:
        Units of shape (u, 3 c + 2): how often each label was right and found, expected, found, then answers
        without a label and answers in all; weights of shape (u,): how many units are alike.
    """
    if clusters is None:
        cells = np.sort(codes.expected[:, None] * (len(codes.names) + 2) + codes.found + 2, axis=1)
        single = cells.shape[1] == 1  # numbers sort faster than rows
        _, first, weights = np.unique(
            cells[:, 0] if single else cells,
            axis=None if single else 0,
            return_index=True,
            return_counts=True,
        )
        return label_sums(codes, first, np.arange(first.size), first.size), weights.astype(np.int64)
    _, owner = np.unique(clusters, return_inverse=True)
    count = int(owner.max()) + 1
    everyone = np.arange(codes.expected.size)
    return label_sums(codes, everyone, owner, count), np.ones(count, dtype=np.int64)


def label_sums(codes: LabelCodes, samples: _Ints, owner: _Ints, units: int) -> _Floats:
    """Add up what the samples of each unit give, in the columns of `label_units`.

    Args:
        codes: Of m samples.
        samples: Shape (s,): which of them.
        owner: Shape (s,): the unit that each belongs to, below `units`.
        units: How many units there are.
    """
    size = len(codes.names)
    width = 3 * size + 2
    found = codes.found[samples]
    right = np.broadcast_to(codes.expected[samples][:, None], found.shape)
    base = np.broadcast_to(owner[:, None] * width, found.shape)
    places = [
        (base + right)[found == right],
        (base + size + right)[found != _NO_ANSWER],
        (base + 2 * size + found)[found >= 0],
        (base + 3 * size)[found == _NO_LABEL],
        (base + 3 * size + 1)[found != _NO_ANSWER],
    ]
    counts = np.bincount(np.concatenate(places), minlength=units * width)
    return counts.reshape(units, width).astype(np.float64)


def _macro_f1(sums: _Floats) -> _Floats:
    right, expected, found = _thirds(sums)
    total = expected + found
    return _mean_of(_divided(2 * right, total), total > 0)


def _micro_f1(sums: _Floats) -> _Floats:
    right, expected, found = _thirds(sums)
    return _divided(2 * right.sum(axis=1), (expected + found).sum(axis=1))


def _balanced_accuracy(sums: _Floats) -> _Floats:
    right, expected, _ = _thirds(sums)
    return _mean_of(_divided(right, expected), expected > 0)


def _mcc(sums: _Floats) -> _Floats:
    right, expected, found = _thirds(sums)
    none, answers = sums[:, -2], sums[:, -1]
    shared = right.sum(axis=1) * answers - (expected * found).sum(axis=1)
    spread_found = answers**2 - (found**2).sum(axis=1) - none**2
    spread_expected = answers**2 - (expected**2).sum(axis=1)
    return _divided(shared, np.sqrt(spread_found * spread_expected))


LABEL_SHARES = frozenset({"macro_f1", "micro_f1", "balanced_accuracy"})
"""Statistics of labels that range from 0 to 1; Matthews' correlation reaches down to -1."""

LABEL_STATISTICS: Mapping[str, Callable[[_Floats], _Floats]] = MappingProxyType(
    {
        "macro_f1": _macro_f1,
        "micro_f1": _micro_f1,
        "balanced_accuracy": _balanced_accuracy,
        "mcc": _mcc,
    }
)
"""Sums of shape (draws, 3 c + 2), as `label_units` lays them out, to shape (draws,); NaN where undefined.

As scikit-learn defines them: F1 = 2 right/(expected + found), macro over labels that occur; balanced accuracy
the mean recall of expected labels; Matthews' correlation in Gorodkin's form for several labels (2004). An
answer without a label is wrong and has no F1 or recall of its own.
"""


def _thirds(sums: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    size = (sums.shape[1] - 2) // 3
    return sums[:, :size], sums[:, size : 2 * size], sums[:, 2 * size : 3 * size]


def _divided(top: _Floats, bottom: _Floats) -> _Floats:
    quotient = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=quotient, where=bottom > 0)
    return quotient


def _mean_of(values: _Floats, counted: NDArray[np.bool_]) -> _Floats:
    total: _Floats = np.where(counted, values, 0.0).sum(axis=1)
    return _divided(total, counted.sum(axis=1).astype(np.float64))
