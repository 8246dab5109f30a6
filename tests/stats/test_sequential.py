import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from regrade.stats import (
    betting_log_wealth,
    empirical_bernstein,
    mcnemar,
    sequential_mcnemar,
    spending_bounds,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def test_published_bounds() -> None:
    """Five looks that spend like O'Brien and Fleming: 4.877, 3.357, 2.680, 2.290, 2.031 (gsDesign)."""
    share = np.array([0.2, 0.4, 0.6, 0.8, 1.0])
    normal = NormalDist()
    z = normal.inv_cdf(1 - 0.0125)
    spent = np.array([2 * (1 - normal.cdf(z / math.sqrt(one))) for one in share])
    assert spending_bounds(share, spent) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=6e-4)


def test_one_look_is_no_sequence() -> None:
    """A single look at the end is the plain test; a look that spends nothing never stops."""
    assert spending_bounds(np.array([1.0]), np.array([0.05])) == pytest.approx([1.6448536], abs=1e-6)
    bounds = spending_bounds(np.array([0.5, 1.0]), np.array([0.0, 0.05]))
    assert bounds[0] == math.inf
    assert bounds[1] == pytest.approx(1.6448536, abs=1e-5)


def test_simulated_paths_cross_with_alpha() -> None:
    """Of 200,000 random walks through 20 looks 5 % cross, within the error of so many."""
    share = np.arange(1, 21) / 20
    bounds = spending_bounds(share, 0.05 * share)
    steps = np.random.default_rng(8).normal(0, math.sqrt(1 / 20), (200_000, 20))
    z = np.cumsum(steps, axis=1) / np.sqrt(share)
    assert (z >= bounds).any(axis=1).mean() == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 200_000))


def crossed(discordant: Ints, losses: Ints) -> float:
    """Return how many of all sequences of wins and losses ever cross."""
    total = int(discordant[-1])
    hits = 0
    for sequence in itertools.product((0, 1), repeat=total):
        counts = np.concatenate([[0], np.cumsum(sequence)])
        hits += bool((counts[discordant] >= losses).any())
    return float(hits / 2**total)


@pytest.mark.parametrize("discordant", [[3, 6, 10, 13], [0, 2, 2, 9], [5, 10, 14], [12]])
def test_every_sequence_is_counted(discordant: list[int]) -> None:
    """The probability spent is that of all sequences that ever cross, and keeps within alpha."""
    counts = np.array(discordant)
    spent = 0.05 * np.arange(1, counts.size + 1) / counts.size
    found = sequential_mcnemar(counts, spent)
    assert found.spent == pytest.approx(crossed(counts, found.losses), abs=1e-12)
    assert found.spent <= 0.05
    for look in range(counts.size):  # one loss fewer anywhere would have spent too much by then
        fewer = found.losses[: look + 1].copy()
        fewer[look] -= 1
        assert crossed(counts[: look + 1], fewer) > spent[look]


def test_one_look_is_mcnemars_test() -> None:
    """A single look rejects where the plain test does, exact or by mid-p."""
    for m in (4, 5, 20, 57):
        spent = np.array([0.05])
        exact = int(sequential_mcnemar(np.array([m]), spent).losses[0])
        midp = int(sequential_mcnemar(np.array([m]), spent, mid=True).losses[0])
        assert exact == next((k for k in range(m + 1) if mcnemar(k, m - k).exact_less <= 0.05), m + 1)
        assert midp == next((k for k in range(m + 1) if mcnemar(k, m - k).less <= 0.05), m + 1)


@pytest.mark.parametrize("side", [1, -1])
def test_wealth_grows_on_the_side_of_the_truth(side: int) -> None:
    """Bets on the side where the mean lies refute theta, bets on the other do not."""
    d = side * np.tile([1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 60)
    right = betting_log_wealth(d, 0.0, side, 360, 0.05)
    wrong = betting_log_wealth(d, 0.0, -side, 360, 0.05)
    assert right.max() > math.log(20)
    assert wrong.max() < math.log(20)


def test_a_true_mean_is_hardly_ever_refuted() -> None:
    """At the true mean wealth passes 1/alpha at any time in at most 5 % of the sequences."""
    random = np.random.default_rng(9)
    hits = 0
    for _ in range(1000):
        d = random.choice([-1.0, 0.0, 1.0], 300, p=[0.15, 0.75, 0.1])
        hits += betting_log_wealth(d, -0.05, -1, 300, 0.05).max() >= math.log(20)
    assert hits / 1000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)


def test_intervals_at_any_time_cover_together() -> None:
    """At least 95 % of the sequences have the mean inside of every one of their intervals."""
    random = np.random.default_rng(10)
    misses = 0
    for _ in range(500):
        x = random.beta(2, 3, 400)
        low, high = empirical_bernstein(x, 0.05)
        assert (low <= high).all()
        misses += bool((low > 0.4).any() or (high < 0.4).any())
    assert misses / 500 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)
    low, high = empirical_bernstein(random.beta(2, 3, 400), 0.05)
    assert high[-1] - low[-1] < 0.2


def test_mirrored_values_mirror_the_intervals() -> None:
    """Errors counted in place of successes say the same."""
    x = np.array([0.0, 1.0, 0.5, 0.25, 1.0] * 20)
    low, high = empirical_bernstein(x, 0.05)
    mirrored = empirical_bernstein(1 - x, 0.05)
    assert mirrored[0] == pytest.approx(1 - high)
    assert mirrored[1] == pytest.approx(1 - low)


@pytest.mark.parametrize(
    ("information", "spent"),
    [
        ([0.5, 0.5], [0.01, 0.02]),
        ([0.5, 1.1], [0.01, 0.02]),
        ([0.5, 1.0], [0.02, 0.01]),
        ([], []),
        ([1.0], [0.6]),
    ],
)
def test_looks_without_a_plan_are_refused(information: list[float], spent: list[float]) -> None:
    """Looks go forward and spending never comes back."""
    with pytest.raises(ValueError, match=r"looks|spent"):
        spending_bounds(np.array(information), np.array(spent))


def test_falling_counts_are_refused() -> None:
    """What was discordant stays so."""
    with pytest.raises(ValueError, match="discordant"):
        sequential_mcnemar(np.array([5, 3]), np.array([0.01, 0.02]))


@pytest.mark.parametrize("bad", [math.nan, 1.5])
def test_values_outside_of_the_range_are_refused(bad: float) -> None:
    """NaN and values that the range rules out are errors, never evidence."""
    with pytest.raises(ValueError, match="needed"):
        betting_log_wealth(np.array([0.0, bad]), 0.0, 1, 10, 0.05)
    with pytest.raises(ValueError, match="needed"):
        empirical_bernstein(np.array([0.0, bad]), 0.05)
    with pytest.raises(ValueError, match="side"):
        betting_log_wealth(np.zeros(2), 0.0, 0, 10, 0.05)
