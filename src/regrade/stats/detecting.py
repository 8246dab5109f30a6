"""The smallest drop that given differences would have shown."""

import math
from statistics import NormalDist

import numpy as np

from regrade.stats.paired import Differences
from regrade.stats.planning import mcnemar_drop

__all__ = ["detectable_drop"]

_POWER = 0.8
_EXACT_UP_TO = 2_000  # samples; beyond, the normal approximation differs in the fourth digit
_DUST = 1e-12


def detectable_drop(differences: Differences, alpha: float, power: float = _POWER) -> float | None:
    """Return the smallest drop of the mean that would have been shown with the given power.

    One-sided. Right or wrong: exact power of McNemar's test at the discordance seen, which without any is
    about 5.5/n at 5 %, as four losses are needed. Otherwise (z_alpha + z_power) se.

    Args:
        differences: n >= 1, oriented.
        alpha: One-sided.
        power: Such as 0.8.

    Returns:
        In the metric's unit; None where no drop could be shown, or no spread is known.
    """
    d, reach = differences.d, differences.reach
    normal = NormalDist()
    factor = normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)
    se = differences.error()[0]
    sizes = np.unique(np.round(np.abs(d[np.abs(d) > _DUST]), 12))
    if differences.clustered or sizes.size > 1 or (reach is None and sizes.size):
        return factor * se if se else None
    size = float(sizes[0]) if sizes.size else reach
    if size is None:
        return None
    share = float((np.abs(d) > _DUST).mean())
    if d.size > _EXACT_UP_TO and share * d.size > 30:  # noqa: PLR2004 - as many as the normal asks for
        return size * factor * math.sqrt(share / d.size)
    drop = mcnemar_drop(d.size, share, alpha, power)
    return None if drop is None else size * drop
