"""How many samples are needed, and what a given number of them can show.

One-sided unless said: the test of a gate asks whether B is worse, and a power is the chance that it says so
when B is worse by a given drop. For a two-sided test of McNemar halve alpha.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "design_effect",
    "intraclass",
    "mcnemar_drop",
    "mcnemar_power",
    "mcnemar_samples",
    "mean_drop",
    "mean_samples",
    "planned_sd",
    "t_samples",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_FEW = 50  # samples: below, the normal's z promises more than the t test keeps
_FEWEST = 2
_PLACES = 100
_DUST = 1e-12  # a p that equals alpha but for rounding


def mcnemar_power(n: int, discordance: float, drop: float, alpha: float, *, mid: bool = True) -> float:
    """Return the exact power of McNemar's one-sided test to show a drop.

    The sum over m ~ Bin(n, discordance) discordant samples of the chance that losses ~ Bin(m, (discordance +
    drop)/(2 discordance)) reach the critical number. Source: Suissa & Shuster 1991. n = 200, discordance .1,
    drop .05 at alpha .05: mid-p 0.7414, exact test 0.6739.

    Args:
        n: Samples.
        discordance: Share of samples that one arm alone has right.
        drop: By how much B is worse, from 0 to the discordance.
        alpha: One-sided.
        mid: The mid-p test, else the exact one.

    Raises:
        ValueError: A drop above the discordance, or a number outside of its range.
    """
    _check_level(alpha)
    if n < 1 or not 0 <= drop <= discordance <= 1:
        raise ValueError(f"n >= 1, 0 <= drop <= discordance <= 1, not {n}, {drop} and {discordance}")
    if discordance == 0:
        return 0.0
    from scipy.special import betainc

    discordant = _likely(n, discordance)
    needed = _critical(discordant, alpha, mid=mid)
    able = needed <= discordant
    discordant, needed = discordant[able], needed[able]
    shown = betainc(needed, discordant - needed + 1, (discordance + drop) / (2 * discordance))
    return min(1.0, float(_shares(discordant, n, discordance) @ shown))


def mcnemar_drop(n: int, discordance: float, alpha: float, power: float) -> float | None:
    """Return the smallest drop that McNemar's one-sided mid-p test shows with the given power.

    A drop beyond the discordance raises the discordance to itself: then every discordant sample is a loss.
    Without any discordance this is about 5.5/n at alpha .05 and power .8, as four losses are needed.

    Args:
        n: Samples.
        discordance: As observed, or as expected; may be 0.
        alpha: One-sided.
        power: Such as 0.8.

    Returns:
        None where even n losses of n are too few to show anything.

    Raises:
        ValueError: A number outside of its range.
    """
    _check_level(alpha, power)
    from scipy.optimize import brentq

    def excess(drop: float) -> float:
        return mcnemar_power(n, max(discordance, drop), drop, alpha) - power

    if excess(1.0) < 0:
        return None
    if excess(0.0) >= 0:
        return 0.0
    return float(brentq(excess, 0.0, 1.0, xtol=1e-9))


def mcnemar_samples(discordance: float, drop: float, alpha: float, power: float) -> int:
    """Return how many samples McNemar's one-sided mid-p test needs to show a drop with the given power.

    Exact power rises in a ripple about 3/drop samples long, as the critical number is whole. What is returned
    is an n that holds the power where n - 1 misses it, and from which on it holds wherever it was checked: at
    about a hundred places over the next 8/drop + 20 samples. Discordance .1, drop .05 at alpha .05 and power
    .8 need 235.

    Args:
        discordance: Share of samples that one arm alone has right.
        drop: By how much B is worse, above 0 and up to the discordance.
        alpha: One-sided.
        power: Such as 0.8.

    Raises:
        ValueError: A drop of 0 or above the discordance, or a number outside of its range.
    """
    _check_level(alpha, power)
    if not 0 < drop <= discordance <= 1:
        raise ValueError(f"0 < drop <= discordance <= 1, not {drop} and {discordance}")

    def misses(n: int) -> bool:
        return mcnemar_power(n, discordance, drop, alpha) < power

    few, enough = 0, max(1, round(_samples(math.sqrt(discordance - drop**2), drop, alpha, power)))
    while misses(enough):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (middle, enough) if misses(middle) else (few, middle)
    look = math.ceil(8 / drop) + 20
    step = look // _PLACES | 1  # odd: even and odd n differ most
    later = enough
    while later < enough + look:
        later += step
        if misses(later):
            while misses(later + 1):
                later += 1
            enough = later = later + 1
    return enough


def mean_samples(sd: float, delta: float, alpha: float, power: float, sides: int = 1) -> int:
    """Return how many samples show a change of the mean with the given power.

    ((z_alpha + z_power) sd/delta)^2, rounded up; below 50 by the exact power of the t test. sd .5, delta .05,
    alpha .05, power .8: 619.

    Args:
        sd: Of one difference (a sample's epochs averaged).
        delta: The change of the mean, in the same unit.
        alpha: Of the test.
        power: Such as 0.8.
        sides: 1, or 2 for a two-sided test.

    Raises:
        ValueError: An sd or a delta that is not above 0, or a number outside of its range.
    """
    alpha = _one_sided(alpha, power, sides)
    if not (0 < sd < math.inf and 0 < delta < math.inf):
        raise ValueError(f"a spread and a change above 0 are needed, not {sd} and {delta}")
    needed = _samples(sd, delta, alpha, power)
    return math.ceil(needed if needed >= _FEW else t_samples(sd, delta, alpha, power))


def t_samples(sd: float, delta: float, alpha: float, power: float) -> float:
    """Return from how many samples on the one-sided t test has the given power, not rounded; at least 2.

    Args:
        sd: Of one difference.
        delta: The change of the mean, in the same unit: sd .5, delta .05, alpha .05, power .8 need 619.611.
        alpha: One-sided.
        power: Such as 0.8.
    """
    from scipy.optimize import brentq

    def excess(n: float) -> float:
        return _t_power(n, math.sqrt(n) * delta / sd, alpha) - power

    if excess(_FEWEST) >= 0:
        return float(_FEWEST)
    enough = 2.0 * _FEWEST
    while excess(enough) < 0:
        enough *= 2
    return float(brentq(excess, enough / 2, enough, xtol=1e-9, rtol=1e-12))


def mean_drop(sd: float, n: int, alpha: float, power: float, sides: int = 1) -> float:
    """Return the smallest change of the mean that n samples show with the given power.

    (z_alpha + z_power) sd/sqrt(n); below 50 samples by the exact power of the t test. In the unit of `sd`.

    Args:
        sd: Of one difference (a sample's epochs averaged).
        n: Samples, at least 2.
        alpha: Of the test.
        power: Such as 0.8.
        sides: 1, or 2 for a two-sided test: n = 198 with sd 2/3 gives 0.1327 at alpha .05.

    Raises:
        ValueError: An sd that is not above 0, fewer than two samples, or a number outside of its range.
    """
    alpha = _one_sided(alpha, power, sides)
    if not 0 < sd < math.inf or n < _FEWEST:
        raise ValueError(f"a spread above 0 and two samples are needed, not {sd} and {n}")
    if n >= _FEW:
        return _factor(alpha, power) * sd / math.sqrt(n)
    from scipy.optimize import brentq

    enough = _factor(alpha, power)
    while _t_power(n, enough, alpha) < power:
        enough *= 2
    moved = brentq(lambda far: _t_power(n, far, alpha) - power, 0.0, enough)
    return float(moved) * sd / math.sqrt(n)


def planned_sd(between: float, within_a: float, within_b: float, epochs: float) -> float:
    """Return the standard deviation of one difference: sqrt(between + (within_a + within_b)/epochs).

    More epochs never beat the part between samples. Source: Miller 2024 (arXiv 2411.00640), section 5.

    Args:
        between: Variance between samples of the difference that endless epochs would give.
        within_a: Variance between the baseline's answers to one sample, as `epoch_spread` gives it.
        within_b: Likewise the candidate's.
        epochs: Answers to each sample, `math.inf` allowed; 1/9, 1/6, 1/6 and 1 epoch give 2/3.

    Raises:
        ValueError: A negative variance, or fewer than one epoch.
    """
    if min(between, within_a, within_b) < 0 or not epochs >= 1:
        raise ValueError("variances are not negative, and a sample has one epoch at least")
    return math.sqrt(between + (within_a + within_b) / epochs)


def design_effect(mean_cluster_size: float, icc: float) -> float:
    """Return by how much clusters multiply the samples needed: 1 + (n_c - 1) ICC.

    Args:
        mean_cluster_size: Samples that share a source, at least 1; five of them at ICC .25 give 2. Where
            clusters differ in size that of a sample's own, sum n_c^2/n: the plain mean plans too few.
        icc: Intraclass correlation, 0 to 1.

    Raises:
        ValueError: A number outside of its range.
    """
    if not mean_cluster_size >= 1 or not 0 <= icc <= 1:
        raise ValueError(f"a size of 1 or more and an ICC in [0, 1], not {mean_cluster_size} and {icc}")
    return 1 + (mean_cluster_size - 1) * icc


def intraclass(x: _Floats, clusters: _Ints) -> float:
    """Return how much alike values of one cluster are: 0 like strangers, 1 all equal.

    (MSB - MSW)/(MSB + (n_0 - 1) MSW) from the one-way analysis of variance, n_0 = (n - sum n_c^2/n)/(c - 1);
    0 when negative, or without any spread. Source: Donner & Koval 1980. [1, 1, 0, 0] in two pairs gives 1.

    Args:
        x: Shape (n,), finite.
        clusters: Shape (n,): which cluster each value belongs to.

    Raises:
        ValueError: Fewer than two clusters, or none with two values.
    """
    if not np.isfinite(x).all():
        raise ValueError("finite values are needed")
    _, codes, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    sizes, n = counts.astype(np.float64), float(x.size)
    if sizes.size < _FEWEST or sizes.size == x.size:
        raise ValueError("two clusters are needed, and one with two values")
    means = np.bincount(codes, weights=x) / sizes
    among = float(sizes @ (means - x.mean()) ** 2) / (sizes.size - 1)
    within = float(np.sum((x - means[codes]) ** 2)) / (n - sizes.size)
    typical = (n - float(sizes @ sizes) / n) / (sizes.size - 1)
    if among <= within:
        return 0.0
    return (among - within) / (among + (typical - 1) * within)


def _check_level(alpha: float, power: float = 0.75) -> None:
    if not 0 < alpha <= 0.5 or not alpha < power < 1:  # noqa: PLR2004 - beyond, a test is a coin
        raise ValueError(f"0 < alpha <= .5 and alpha < power < 1, not {alpha} and {power}")


def _one_sided(alpha: float, power: float, sides: int) -> float:
    if sides not in {1, 2}:
        raise ValueError(f"a test has one side or two, not {sides}")
    _check_level(alpha, power)
    return alpha / sides


def _factor(alpha: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)


def _samples(sd: float, delta: float, alpha: float, power: float) -> float:
    return (_factor(alpha, power) * sd / delta) ** 2


def _t_power(n: float, moved: float, alpha: float) -> float:
    """Return the power of the one-sided t test against a mean `moved` standard errors away."""
    from scipy.special import nctdtr, stdtrit

    return 1 - float(nctdtr(n - 1, moved, stdtrit(n - 1, 1 - alpha)))


def _likely(n: int, share: float) -> _Ints:
    """Return the counts that n samples give but for a chance of 1e-15."""
    reach = 9 * math.sqrt(n * share * (1 - share)) + 30
    first, last = max(0, math.floor(n * share - reach)), min(n, math.ceil(n * share + reach))
    return np.arange(first, last + 1)


def _shares(counts: _Ints, n: int, share: float) -> _Floats:
    """Return the binomial probability of each count."""
    from scipy.special import gammaln, xlog1py, xlogy

    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    found: _Floats = np.exp(ways + xlogy(counts, share) + xlog1py(n - counts, -share))
    return found


def _critical(discordant: _Ints, alpha: float, *, mid: bool) -> _Ints:
    """Return how many losses among so many discordant samples are needed; one too many where all fail."""
    start = discordant / 2 + NormalDist().inv_cdf(1 - alpha) * np.sqrt(discordant) / 2
    needed = np.clip(np.rint(start).astype(np.int64), 0, discordant + 1)

    def fits(losses: _Ints) -> NDArray[np.bool_]:
        p = _at_least(losses, discordant)
        if mid:
            p = (p + _at_least(losses + 1, discordant)) / 2
        return p <= alpha * (1 + _DUST)

    while not (fit := fits(needed)).all():
        needed += ~fit
    while (fit := (needed > 0) & fits(needed - 1)).any():
        needed -= fit
    return needed


def _at_least(losses: _Ints, discordant: _Ints) -> _Floats:
    """Return P(X >= losses), X ~ Bin(discordant, 1/2)."""
    from scipy.special import betainc

    inside = np.clip(losses, 1, np.maximum(discordant, 1))
    tail = betainc(inside, np.maximum(discordant, 1) - inside + 1, 0.5)
    return np.where(losses <= 0, 1.0, np.where(losses > discordant, 0.0, tail))
