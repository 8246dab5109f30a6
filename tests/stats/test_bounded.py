import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from regrade.stats import bounded_mean_interval, bounded_mean_z, cluster_bounded_interval, cluster_bounded_z

Floats = NDArray[np.float64]

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 1.0]), min_size=1, max_size=40)


def _outcomes(right: int, n: int) -> Floats:
    return np.repeat([1.0, 0.0], [right, n - right])


@pytest.mark.parametrize(
    ("right", "n", "level"),
    [(10, 10, 0.95), (0, 20, 0.95), (81, 263, 0.95), (15, 148, 0.95), (1999, 2000, 0.9), (7, 12, 0.99)],
)
def test_zeros_and_ones_give_wilsons_interval(right: int, n: int, level: float) -> None:
    """For scores of 0 and 1 the interval is Wilson's, as statsmodels computes it."""
    expected = proportion_confint(right, n, alpha=1 - level, method="wilson")
    assert bounded_mean_interval(_outcomes(right, n), 0, 1, level) == pytest.approx(expected, abs=1e-9)


def test_published_values() -> None:
    """Ten of ten right, sixty differences without any discordance, and the paired airway example of Tango."""
    assert bounded_mean_interval(np.ones(10), 0, 1, 0.95) == pytest.approx((0.7225, 1), abs=5e-5)
    assert bounded_mean_interval(np.zeros(60), -1, 1, 0.9) == pytest.approx((-0.0431, 0.0431), abs=5e-5)
    airway = np.repeat([0.0, -1.0, 1.0], [13, 1, 7])
    assert bounded_mean_interval(airway, -1, 1, 0.95) == pytest.approx(
        (0.026003032480868507, 0.5172322764213773), abs=1e-8
    )


@pytest.mark.parametrize(
    ("d", "theta", "z"),
    [
        ([0.0] * 10, -0.05, 0.7254762501100122),
        ([-1, -0.5, 0, -1, -0.2, 0, -1, 0.1], 0.0, -1.8973665961010278),
    ],
)
def test_z_equals_the_dual_solved_elsewhere(d: list[float], theta: float, z: float) -> None:
    """With mass left over on the end of the range z equals a general optimiser's."""
    assert bounded_mean_z(np.array(d), -1, 1, theta) == pytest.approx(z, abs=1e-8)


@given(SCORES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_z_is_critical_at_both_ends(scores: list[float], level: float) -> None:
    """The ends are where |z| reaches the critical value; inside it is smaller, outside greater."""
    x = np.array(scores)
    low, high = bounded_mean_interval(x, 0, 1, level)
    critical = {0.5: 0.6744898, 0.9: 1.6448536, 0.95: 1.9599640, 0.99: 2.5758293}[level]
    assert 0 <= low <= x.mean() + 1e-12
    assert x.mean() - 1e-12 <= high <= 1
    if low > 0:
        assert bounded_mean_z(x, 0, 1, low) == pytest.approx(critical, rel=1e-6)
        assert bounded_mean_z(x, 0, 1, low * 0.99) > critical
        assert bounded_mean_z(x, 0, 1, low + (x.mean() - low) / 2) < critical
    if high < 1:
        assert bounded_mean_z(x, 0, 1, high) == pytest.approx(-critical, rel=1e-6)


@given(SCORES)
def test_mirrored_scores_mirror_the_interval(scores: list[float]) -> None:
    """Counting errors in place of successes, or on another scale, says the same."""
    x = np.array(scores)
    low, high = bounded_mean_interval(x, 0, 1, 0.95)
    mirrored = bounded_mean_interval(1 - x, 0, 1, 0.95)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)
    scaled = bounded_mean_interval(10 * x - 5, -5, 5, 0.95)
    assert scaled == pytest.approx((10 * low - 5, 10 * high - 5), abs=1e-8)


@given(SCORES, st.randoms())
def test_order_of_samples_changes_nothing(scores: list[float], random: "np.random.RandomState") -> None:
    """Rows may come in any order."""
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert bounded_mean_interval(np.array(scores), 0, 1, 0.95) == bounded_mean_interval(
        np.array(shuffled), 0, 1, 0.95
    )


@pytest.mark.parametrize(("n", "p"), [(10, 0.98), (20, 0.9), (50, 0.95), (100, 0.5)])
def test_coverage_of_shares(n: int, p: float) -> None:
    """The true share lies inside as often as promised, also with few samples nearly all right."""
    inside = [right for right in range(n + 1) if _covers(_outcomes(right, n), p)]
    assert 0.93 <= binom.pmf(inside, n, p).sum() <= 0.99


def test_coverage_of_graded_scores_with_epochs() -> None:
    """Means of three epochs, most of them full marks, are covered as often as promised."""
    random = np.random.default_rng(7)
    p = random.beta(8, 0.5, size=100_000)
    truth = float(p.mean())
    hits = sum(_covers(random.binomial(3, random.choice(p, 20)) / 3, truth) for _ in range(1500))
    assert 0.93 <= hits / 1500 <= 0.99


def _covers(x: Floats, truth: float) -> bool:
    low, high = bounded_mean_interval(x, 0, 1, 0.95)
    return low <= truth <= high


@settings(max_examples=30)
@given(SCORES)
def test_single_sample_clusters_are_no_clusters(scores: list[float]) -> None:
    """With every sample a cluster of its own the two routines agree."""
    x = np.array(scores)
    alone = cluster_bounded_interval(x, np.arange(x.size), (0, 1), 0.95)
    assert alone == pytest.approx(bounded_mean_interval(x, 0, 1, 0.95), abs=1e-6)


def test_agreeing_clusters_count_once() -> None:
    """Thirty samples of ten equal sources tell as much as ten samples."""
    clusters = np.repeat(np.arange(10), 3)
    found = cluster_bounded_interval(np.ones(30), clusters, (0, 1), 0.95)
    assert found == pytest.approx((0.7225, 1), abs=5e-5)


@pytest.mark.parametrize(
    "x", [np.array([]), np.array([2.0]), np.array([math.nan]), np.array([-0.1, 1.0]), np.ones((2, 2))]
)
def test_values_that_do_not_fit_are_refused(x: Floats) -> None:
    """Nothing, NaN and values outside of the range are errors, never numbers."""
    with pytest.raises(ValueError, match="values"):
        bounded_mean_interval(x, 0, 1, 0.95)


def test_impossible_questions_are_refused() -> None:
    """A range, a level and a theta have to be possible."""
    with pytest.raises(ValueError, match="range"):
        bounded_mean_interval(np.ones(3), 1, 1, 0.95)
    with pytest.raises(ValueError, match="level"):
        bounded_mean_interval(np.ones(3), 0, 1, 95)
    with pytest.raises(ValueError, match="theta"):
        bounded_mean_z(np.ones(3), 0, 1, 1.0)
    with pytest.raises(ValueError, match="theta"):
        cluster_bounded_z(np.ones(3), np.array([0, 0, 1]), (0, 1), 1.0)


def test_a_mean_is_no_distance_from_itself() -> None:
    """At the mean z is 0, and clusters of one sample have the z of samples."""
    x = np.array([0.2, 0.4, 0.9])
    assert bounded_mean_z(x, 0, 1, 0.5) == 0
    for theta in (0.1, 0.7):
        alone = cluster_bounded_z(x, np.arange(3), (0, 1), theta)
        assert alone == pytest.approx(bounded_mean_z(x, 0, 1, theta), abs=1e-9)
