"""Several hypotheses at once."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "holm"]

_Floats = NDArray[np.float64]


def holm(p: _Floats) -> _Floats:
    """Return p adjusted so that the chance of any false alarm among them stays below alpha.

    Args:
        p: Shape (r,); [0.01, 0.04, 0.03, 0.005] gives [0.03, 0.06, 0.06, 0.02].

    Source: Holm 1979.

    Raises:
        ValueError: A p outside of [0, 1].
    """
    _check(p)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: _Floats) -> _Floats:
    """Return p adjusted so that the expected share of false alarms among the alarms stays below alpha.

    Args:
        p: Shape (r,); [0.01, 0.04, 0.03, 0.005] gives [0.02, 0.04, 0.04, 0.02].

    Source: Benjamini & Hochberg 1995.

    Raises:
        ValueError: A p outside of [0, 1].
    """
    _check(p)
    count = len(p)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * count / np.arange(1, count + 1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return adjusted


def _check(p: _Floats) -> None:
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("every p lies in [0, 1]")
