import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, multinomial
from statsmodels.stats.power import TTestPower

from regrade.stats import (
    design_effect,
    intraclass,
    mcnemar,
    mcnemar_drop,
    mcnemar_power,
    mcnemar_samples,
    mean_drop,
    mean_samples,
    planned_sd,
    t_samples,
)

MILLER = (1 / 9, 1 / 6, 1 / 6)  # variances between and within samples, Miller 2024


def enumerated(n: int, q: float, drop: float, alpha: float, *, mid: bool) -> float:
    """Return the power from every table of losses, wins and ties."""
    total = 0.0
    for losses in range(n + 1):
        for wins in range(n + 1 - losses):
            found = mcnemar(losses, wins)
            if (found.less if mid else found.exact_less) <= alpha:
                shares = [(q + drop) / 2, (q - drop) / 2, 1 - q]
                total += multinomial.pmf([losses, wins, n - losses - wins], n, shares)
    return total


@pytest.mark.parametrize("mid", [True, False])
@pytest.mark.parametrize(("n", "q", "drop"), [(12, 0.5, 0.4), (25, 0.3, 0.1), (25, 0.2, 0.2), (9, 1.0, 0.5)])
def test_power_is_that_of_every_table(n: int, q: float, drop: float, *, mid: bool) -> None:
    """Summed over the discordant samples it is the power of enumerating all tables, to 1e-9."""
    assert mcnemar_power(n, q, drop, 0.05, mid=mid) == pytest.approx(
        enumerated(n, q, drop, 0.05, mid=mid), abs=1e-9
    )


@pytest.mark.parametrize(("n", "q"), [(100, 0.03), (2000, 0.2), (2000, 1.0), (50_000, 0.001)])
def test_rare_and_many_are_summed_fully(n: int, q: float) -> None:
    """Only what has no weight is left out: the sum over all discordant counts is the same."""
    drop, total = q / 2, 0.0
    for m in range(n + 1) if n <= 2000 else range(400):
        weight = float(binom.pmf(m, n, q))
        if weight > 1e-14:
            start = int(binom.ppf(0.9, m, 0.5))
            needed = next((k for k in range(start, m + 1) if mcnemar(k, m - k).less <= 0.05), m + 1)
            total += weight * float(binom.sf(needed - 1, m, (q + drop) / (2 * q)))
    assert mcnemar_power(n, q, drop, 0.05) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 0.2, 0.05, 0.01, 1e-5])
def test_the_critical_number_is_where_the_test_rejects(alpha: float) -> None:
    """With all samples discordant the power is that of reaching what the test itself needs, at any alpha."""
    for n in (*range(1, 40), 200, 407):
        needed = next((k for k in range(n + 1) if mcnemar(k, n - k).less <= alpha + 1e-12), n + 1)
        assert mcnemar_power(n, 1.0, 0.4, alpha) == pytest.approx(
            float(binom.sf(needed - 1, n, 0.7)), abs=1e-12
        )


def test_published_powers() -> None:
    """Two hundred samples, a tenth discordant, a drop of .05: mid-p 0.741, exact 0.674."""
    assert mcnemar_power(200, 0.1, 0.05, 0.05) == pytest.approx(0.741, abs=5e-4)
    assert mcnemar_power(200, 0.1, 0.05, 0.05, mid=False) == pytest.approx(0.674, abs=5e-4)


def test_without_a_drop_the_power_is_the_rate_of_false_alarms() -> None:
    """The exact test never exceeds alpha; mid-p does so by little."""
    for n in (20, 200, 2000):
        for q in (0.05, 0.2, 0.6):
            assert mcnemar_power(n, q, 0.0, 0.05, mid=False) <= 0.05
            assert mcnemar_power(n, q, 0.0, 0.05) <= 0.06
    assert mcnemar_power(50, 0.0, 0.0, 0.05) == 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 3000), st.sampled_from([0.0, 0.01, 0.1, 0.4, 1.0]), st.sampled_from([0.5, 0.8, 0.95]))
def test_the_smallest_drop_has_the_power_asked_for(n: int, q: float, power: float) -> None:
    """At the drop that is returned the exact power is what was asked for, below it is less."""
    drop = mcnemar_drop(n, q, 0.05, power)
    assert drop is not None
    assert 0 < drop <= 1
    assert mcnemar_power(n, max(q, drop), drop, 0.05) == pytest.approx(power, abs=1e-5)
    less = 0.95 * drop
    assert mcnemar_power(n, max(q, less), less, 0.05) < power


def test_four_losses_are_needed() -> None:
    """Without discordance a drop of about 5.5/n is the least that shows; three samples show none."""
    for n in (100, 500, 2000):
        assert mcnemar_drop(n, 0.0, 0.05, 0.8) == pytest.approx(5.5 / n, rel=0.02)
    assert mcnemar_drop(3, 0.3, 0.05, 0.8) is None
    assert mcnemar_drop(20, 1.0, 0.05, 0.0501) == 0.0  # mid-p alone raises as many alarms
    assert mcnemar_drop(4, 0.3, 0.05, 0.8) == pytest.approx(0.8**0.25)


@pytest.mark.parametrize(
    ("q", "drop"), [(0.1, 0.05), (0.2, 0.05), (0.9, 0.1), (1.0, 0.3), (0.05, 0.05), (1.0, 1.0)]
)
def test_so_many_samples_keep_the_power(q: float, drop: float) -> None:
    """One sample fewer misses the power, and no number from there on does, ripples included."""
    n = mcnemar_samples(q, drop, 0.05, 0.8)
    assert mcnemar_power(max(n - 1, 1), q, drop, 0.05) < 0.8
    assert min(mcnemar_power(m, q, drop, 0.05) for m in range(n, 2 * n + 60)) >= 0.8
    normal = mean_samples(math.sqrt(q - drop**2 + 1e-12), drop, 0.05, 0.8)
    assert n <= 1.2 * normal + 12


def test_a_rare_change_takes_many_samples() -> None:
    """A drop of half a point at a discordance of 20 % needs about what the normal formula says."""
    assert mcnemar_samples(0.2, 0.005, 0.05, 0.8) == pytest.approx(49_460, rel=0.001)


def test_worked_values_of_a_mean() -> None:
    """A spread of .5, delta .05, alpha .05 one-sided, power .8: 619."""
    assert mean_samples(0.5, 0.05, 0.05, 0.8) == 619
    assert mean_drop(0.5, 619, 0.05, 0.8) == pytest.approx(0.05, rel=1e-3)


def test_published_figures_of_miller() -> None:
    """3 points without end of epochs: 969 questions; 198 questions: 13.3 points by one epoch, 7.6 by ten."""
    assert mean_samples(planned_sd(*MILLER, epochs=math.inf), 0.03, 0.05, 0.8, 2) == 969
    for epochs, drop in ((1, 0.133), (10, 0.076)):
        found = mean_drop(planned_sd(*MILLER, epochs=epochs), 198, 0.05, 0.8, sides=2)
        assert found == pytest.approx(drop, abs=5e-4)


@pytest.mark.parametrize(("sd", "delta"), [(1.0, 0.5), (0.5, 0.4), (1.0, 0.9), (0.3, 0.29)])
@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.9)])
def test_below_fifty_samples_t_decides(sd: float, delta: float, alpha: float, power: float) -> None:
    """Few samples are as many as statsmodels solves for the t test, and more than the normal's z says."""
    second = TTestPower().solve_power(delta / sd, alpha=alpha, power=power, alternative="larger")
    assert t_samples(sd, delta, alpha, power) == pytest.approx(second, abs=1e-5)
    if mean_samples(sd, delta, alpha, power) < 50:
        assert mean_samples(sd, delta, alpha, power) == math.ceil(second)


@pytest.mark.parametrize("n", [2, 3, 10, 49, 50, 51, 1000])
def test_samples_and_drops_are_two_sides_of_one_thing(n: int) -> None:
    """The samples that a drop needs are those that show it."""
    drop = mean_drop(0.4, n, 0.05, 0.8)
    assert mean_samples(0.4, drop * (1 + 1e-9), 0.05, 0.8) in {n, n + 1, n + 2}  # two where t gives way to z
    assert mean_drop(0.4, n, 0.05, 0.8, sides=2) == pytest.approx(mean_drop(0.4, n, 0.025, 0.8))
    assert mean_drop(0.8, n, 0.05, 0.8) == pytest.approx(2 * drop)


def test_a_large_change_needs_two_samples() -> None:
    """One sample has no spread: two is the least."""
    assert mean_samples(0.01, 5.0, 0.05, 0.8) == 2


def test_epochs_never_beat_the_spread_between_samples() -> None:
    """More epochs shrink the part within samples alone."""
    spreads = [planned_sd(*MILLER, epochs=epochs) for epochs in (1, 2, 10, 1000, math.inf)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] == pytest.approx(2 / 3)
    assert spreads[-1] == pytest.approx(1 / 3)


def test_clusters_multiply_the_samples() -> None:
    """Copies are worth nothing, strangers as much as samples of their own."""
    assert design_effect(5, 0.25) == 2
    assert design_effect(1, 0.9) == 1
    assert design_effect(8, 1) == 8


def test_intraclass_of_the_analysis_of_variance() -> None:
    """Copies give 1, opposites 0, and a known share of common spread comes out."""
    assert intraclass(np.array([1.0, 1, 0, 0]), np.array([5, 5, 2, 2])) == 1
    assert intraclass(np.array([1.0, 0, 0, 1]), np.array([5, 5, 2, 2])) == 0
    assert intraclass(np.ones(6), np.array([0, 0, 1, 1, 2, 2])) == 0
    random = np.random.default_rng(2)
    sizes = random.integers(1, 9, 2000)
    clusters = np.repeat(np.arange(2000), sizes)
    x = np.repeat(random.normal(size=2000), sizes) * math.sqrt(0.3) + random.normal(
        size=clusters.size
    ) * math.sqrt(0.7)
    assert intraclass(x, clusters) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("plan", "numbers"),
    [
        (mcnemar_power, (0, 0.1, 0.05, 0.05)),
        (mcnemar_power, (10, 0.1, 0.2, 0.05)),
        (mcnemar_power, (10, math.nan, 0.2, 0.05)),
        (mcnemar_power, (10, 0.1, 0.05, 0.6)),
        (mcnemar_drop, (10, 0.1, 0.05, 1.0)),
        (mcnemar_drop, (10, 1.1, 0.05, 0.8)),
        (mcnemar_samples, (0.1, 0.0, 0.05, 0.8)),
        (mcnemar_samples, (0.1, 0.2, 0.05, 0.8)),
        (mean_samples, (0.0, 0.1, 0.05, 0.8)),
        (mean_samples, (0.5, 0.0, 0.05, 0.8)),
        (mean_samples, (0.5, 0.1, 0.05, 0.04)),
        (mean_samples, (0.5, 0.1, 0.05, 0.8, 3)),
        (mean_drop, (0.5, 1, 0.05, 0.8)),
        (mean_drop, (math.nan, 100, 0.05, 0.8)),
        (planned_sd, (-0.1, 0.1, 0.1, 1)),
        (planned_sd, (0.1, 0.1, 0.1, 0)),
        (design_effect, (0.5, 0.1)),
        (design_effect, (3, 1.5)),
        (intraclass, (np.ones(3), np.arange(3))),
        (intraclass, (np.ones(3), np.zeros(3, dtype=np.int64))),
        (intraclass, (np.array([1, math.nan, 1]), np.array([0, 0, 1]))),
    ],
)
def test_plans_without_sense_are_refused(plan: Callable[..., Any], numbers: tuple[Any, ...]) -> None:
    """A spread of 0, a drop above the discordance and numbers out of range are errors, never a plan."""
    with pytest.raises(ValueError, match=r"[a-z]"):
        plan(*numbers)
