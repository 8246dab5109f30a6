"""The smallest drop that given differences would have shown."""

import math
from statistics import NormalDist

import numpy as np

from regrade.stats.paired import Differences
from regrade.stats.planning import mcnemar_drop, mean_drop

__all__ = ["detectable_drop"]

_POWER = 0.8
_EXACT_UP_TO = 2_000  # samples; beyond, with thirty discordant, the normal approximation is 3 % off at most
_FEW_DISCORDANT = 30
_DUST = 1e-12


def detectable_drop(differences: Differences, alpha: float, power: float = _POWER) -> float | None:
    """Return the smallest drop of the mean that would have been shown with the given power.

    One-sided. Right or wrong: exact power of McNemar's test at the discordance seen, which without any is
    about 5.5/n at 5 %, as four losses are needed. Several sizes: `mean_drop` at the root mean square of
    d, the spread that flipped signs have; where fewer than thirty samples differ not less than McNemar's at
    their mean size. Clusters: (z_alpha + z_power) se by CR2.

    Args:
        differences: n >= 1, oriented.
        alpha: One-sided.
        power: Such as 0.8.

    Returns:
        In the metric's unit; None where no drop could be shown, or no spread is known.
    """
    d, reach = differences.d, differences.reach
    if differences.clustered:
        return _of_clusters(differences, alpha, power)
    sizes = np.abs(d[np.abs(d) > _DUST])
    if not sizes.size:
        return None if reach is None else _of_discordant(d.size, 0, reach, alpha, power)
    counted: float | None
    counted = 0.0
    alike = float(sizes.max() - sizes.min()) <= _DUST
    if sizes.size < _FEW_DISCORDANT or (alike and d.size <= _EXACT_UP_TO):
        counted = _of_discordant(d.size, sizes.size, math.sqrt(float(np.mean(sizes**2))), alpha, power)
        if counted is None or alike:
            return counted
    return max(counted, mean_drop(math.sqrt(float(np.mean(d**2))), d.size, alpha, power))


def _of_clusters(differences: Differences, alpha: float, power: float) -> float | None:
    """Return the drop by CR2; None where clusters agree or are too few for their signs to show anything."""
    se, normal = differences.error()[0], NormalDist()
    if se is None or not differences.by_clusters() or 0.5**differences.units > alpha:
        return None
    return (normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)) * se


def _of_discordant(n: int, discordant: int, size: float, alpha: float, power: float) -> float | None:
    """Return the drop by the number of samples that differ, each by a size."""
    drop = mcnemar_drop(n, discordant / n, alpha, power)
    return None if drop is None else size * drop
