"""Looking before the end: bounds of planned looks, and evidence that holds at any time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "McNemarLooks",
    "betting_log_wealth",
    "empirical_bernstein",
    "sequential_mcnemar",
    "spending_bounds",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_NODES = 400
_FAR = 9.0  # standard deviations: beyond lies nothing
_LEAST_SPREAD = 0.001
_CAP = 0.75  # of the largest bet that cannot lose everything
_WHOLE = 1e-12


def spending_bounds(information: _Floats, spent: _Floats) -> _Floats:
    """Return the z bound of each look: what crosses first there has the probability left to spend.

    The density of paths that have crossed no bound yet is carried from look to look. Sources: Armitage,
    McPherson & Rowe 1969; Lan & DeMets 1983. Looks at .2, .4, ..., 1 that spend .05 t have the bounds 2.3263,
    2.2193, 2.1201, 2.0332 and 1.9560.

    Args:
        information: Shape (j,): share of all samples at each look, rising, above 0 and up to 1.
        spent: Shape (j,): alpha spent up to each look, not falling.

    Returns:
        Shape (j,); infinite for a look that spends nothing.

    Raises:
        ValueError: Shares that do not rise, or spending that falls or leaves (0, .5].
    """
    _check_looks(information, spent)
    from scipy.optimize import brentq

    bounds = np.empty(information.size)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    places, mass, past, used = np.zeros(1), np.ones(1), 0.0, 0.0  # every path starts at 0
    for look, share in enumerate(information):
        root, step = math.sqrt(share), math.sqrt(share - past)
        paths, left = (places / step, mass, root / step), float(spent[look]) - used
        if _crossing(_FAR, *paths, left) >= 0:
            bounds[look], end = math.inf, _FAR
        else:
            bounds[look] = end = float(brentq(_crossing, -_FAR, _FAR, args=(*paths, left)))
        used += _crossing(end, *paths, 0.0)
        half = (end + _FAR) * root / 2
        there = half * (nodes + 1) - _FAR * root
        away = (there[:, None] - places[None, :]) / step
        mass = half * weights * (np.exp(-(away**2) / 2) @ mass) / (step * math.sqrt(2 * math.pi))
        places, past = there, float(share)
    return bounds


def _crossing(bound: float, places: _Floats, mass: _Floats, scale: float, goal: float) -> float:
    """Return by how much the share of paths that step over a bound exceeds a goal; places in steps."""
    from scipy.special import ndtr

    return float(mass @ ndtr(places - bound * scale)) - goal


@dataclass(frozen=True, slots=True)
class McNemarLooks:
    """When the looks of a sequential McNemar test reject.

    Attributes:
        losses: Shape (j,): rejected with so many losses or more; one more than there are discordant samples
            where a look cannot reject.
        spent: Probability of any rejection when B is as good as A.
    """

    losses: _Ints
    spent: float


def sequential_mcnemar(discordant: _Ints, spent: _Floats, *, mid: bool = False) -> McNemarLooks:
    """Return how many losses each look needs to reject "B is no worse", given the discordant samples so far.

    A look takes the smallest count whose first crossing, under fair coins, fits what is left to spend. Exact,
    by the distribution of losses over all paths that crossed nothing. 3, 6, 10 and 13 discordant with .05 t
    spent at t = .25, .5, .75, 1 need 4 (never), 6, 9 and 11; by mid-p the last needs 10.

    Args:
        discordant: Shape (j,): discordant samples up to each look, not falling.
        spent: Shape (j,): alpha spent up to each look, not falling.
        mid: Whether the last of the looks counts paths that end on its own count half.

    Raises:
        ValueError: Counts that fall, or spending that falls or leaves [0, .5].
    """
    if discordant.shape != spent.shape or (np.diff(discordant, prepend=0) < 0).any():
        raise ValueError("discordant samples are counted up to each look")
    _check_spent(spent)
    losses = np.empty(discordant.size, dtype=np.int64)
    alive, seen, used = np.ones(1), 0, 0.0
    last = discordant.size - 1
    for look, count in enumerate(discordant.tolist()):
        alive = np.convolve(alive, _coins(count - seen))
        tail = np.append(np.cumsum(alive[::-1])[::-1], 0.0)  # [k]: first crossings were k enough
        cost = (tail + np.append(tail[1:], 0.0)) / 2 if mid and look == last else tail
        needed = int(np.argmax(cost <= spent[look] - used + _WHOLE))
        losses[look] = needed
        used += float(tail[needed])
        alive, seen = np.where(np.arange(count + 1) < needed, alive, 0.0), count
    return McNemarLooks(losses, used)


def _coins(count: int) -> _Floats:
    """Return how likely each number of heads is among so many fair coins."""
    from scipy.special import gammaln

    heads = np.arange(count + 1)
    ways = gammaln(count + 1) - gammaln(heads + 1) - gammaln(count - heads + 1)
    found: _Floats = np.exp(ways - count * math.log(2))
    return found


def betting_log_wealth(d: _Floats, theta: float, side: int, horizon: int, alpha: float) -> _Floats:
    """Return the logarithm of what bets against "the mean is theta" have grown to after each difference.

    Each bets l = min(sqrt(2 ln(1/alpha)/(v H)), .75/(1 + s theta)) on x = s (d - theta), with v the variance
    of the past k, (.5 + sum x^2)/(k + 2) - (sum x/(k + 2))^2, at least .001. Beyond ln(1/alpha) theta is
    refuted, whenever that happens. Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686).

    Args:
        d: Shape (n,): differences in [-1, 1], in the order they came.
        theta: The mean that is bet against, strictly between -1 and 1.
        side: 1 bets that the mean is higher, -1 that it is lower.
        horizon: How many differences are hoped for.
        alpha: Chance of ever refuting what is true.

    Raises:
        ValueError: A number outside of its range.
    """
    if side not in {-1, 1} or not -1 < theta < 1 or horizon < 1 or not 0 < alpha < 1:
        raise ValueError(f"side 1 or -1, theta in (-1, 1), alpha in (0, 1): not {side}, {theta}, {alpha}")
    if not (np.abs(d) <= 1).all():
        raise ValueError("differences from -1 to 1 are needed")
    x = side * (d - theta)
    past = np.arange(d.size) + 2.0
    sums, squares = np.cumsum(x) - x, np.cumsum(x**2) - x**2
    spread = np.maximum((0.5 + squares) / past - (sums / past) ** 2, _LEAST_SPREAD)
    bets = np.minimum(np.sqrt(2 * math.log(1 / alpha) / (spread * horizon)), _CAP / (1 + side * theta))
    return np.asarray(np.cumsum(np.log1p(bets * x)), dtype=np.float64)


def empirical_bernstein(x: _Floats, alpha: float, truncation: float = 0.5) -> tuple[_Floats, _Floats]:
    """Return an interval of the mean after each value, all of them true together with 1 - alpha.

    (sum l x -+ (ln(2/alpha) + sum (x - past mean)^2 (-ln(1 - l) - l)))/sum l, with weights l that the past
    alone decides. Source: Waudby-Smith & Ramdas 2024 (arXiv 2010.09686), theorem 2.

    Args:
        x: Shape (n,): values in [0, 1], in the order they came.
        alpha: Chance that any of the intervals misses.
        truncation: The largest weight, below 1.

    Returns:
        Lower and upper ends, shape (n,) each, within [0, 1].

    Raises:
        ValueError: A number outside of its range.
    """
    if not ((x >= 0) & (x <= 1)).all() or not 0 < alpha < 1 or not 0 < truncation < 1:
        raise ValueError("values from 0 to 1, alpha and truncation between them are needed")
    return _bernstein_lower(x, alpha, truncation), 1 - _bernstein_lower(1 - x, alpha, truncation)


def _bernstein_lower(x: _Floats, alpha: float, truncation: float) -> _Floats:
    count = np.arange(1.0, x.size + 1)
    sums = np.cumsum(x)
    past_mean = (sums - x) / np.maximum(count - 1, 1)  # 0 before the first
    shrunk = (0.5 + sums) / (count + 1)
    spread = (0.25 + np.cumsum((x - shrunk) ** 2)) / (count + 1)
    past_spread = np.concatenate([[0.25], spread[:-1]])
    price = math.log(2 / alpha)
    weights = np.minimum(np.sqrt(2 * price / (past_spread * count * np.log1p(count))), truncation)
    lost = np.cumsum((-np.log1p(-weights) - weights) * (x - past_mean) ** 2)
    ends = (np.cumsum(weights * x) - price - lost) / np.cumsum(weights)
    return np.asarray(np.maximum(ends, 0.0), dtype=np.float64)


def _check_looks(information: _Floats, spent: _Floats) -> None:
    rising = bool((np.diff(information, prepend=0.0) > 0).all())
    if information.shape != spent.shape or not information.size or not rising or information[-1] > 1 + _WHOLE:
        raise ValueError("looks at rising shares of all samples, from above 0 to 1, are needed")
    _check_spent(spent)


def _check_spent(spent: _Floats) -> None:
    if not spent.size or not (np.diff(spent, prepend=0.0) >= 0).all() or spent[-1] > 0.5:  # noqa: PLR2004
        raise ValueError("alpha is spent without falling, up to .5 in all")
