import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t, ttest_1samp

from regrade.stats import (
    Differences,
    bounded_mean_interval,
    cluster_bounded_interval,
    epoch_means,
    limit_p,
    paired_bounds,
    paired_test,
    sign_flip,
)

Floats = NDArray[np.float64]

VALUES = st.lists(st.sampled_from([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=25)


@st.composite
def differences(draw: st.DrawFn) -> Differences:
    """Return differences of every kind: bounded or not, of clusters or not."""
    d = np.array(draw(VALUES))
    reach = draw(st.sampled_from([1.0, 1.5, None]))
    clusters = None
    if draw(st.booleans()):
        clusters = np.array(draw(st.lists(st.integers(0, 6), min_size=d.size, max_size=d.size)))
    return Differences(d, reach, clusters)


def changed(of: Differences, order: NDArray[np.int64], sign: float = 1.0) -> Differences:
    """Return the differences in another order, their clusters renamed."""
    clusters = None if of.clusters is None else 100 - 7 * of.clusters[order]
    return Differences(sign * of.d[order], of.reach, clusters)


@settings(deadline=None)
@given(differences())
def test_swapping_arms_mirrors_everything(of: Differences) -> None:
    """With A and B exchanged the two p change places and every interval is mirrored."""
    swapped = changed(of, np.arange(of.d.size), -1.0)
    test, mirrored = paired_test(of, 3), paired_test(swapped, 3)
    assert (test.wins, test.losses, test.floor) == (mirrored.losses, mirrored.wins, mirrored.floor)
    if test.method == mirrored.method != "sign-flip" or of.d.size <= 14:
        assert (test.less, test.greater) == pytest.approx((mirrored.greater, mirrored.less), abs=1e-9)
    bounds, turned = paired_bounds(of, 0.9), paired_bounds(swapped, 0.9)
    assert (bounds.low, bounds.high) == pytest.approx((-turned.high, -turned.low), abs=1e-8)
    typical = (-turned.typical_high, -turned.typical_low)
    assert (bounds.typical_low, bounds.typical_high) == pytest.approx(typical, abs=1e-8)


@settings(deadline=None)
@given(differences(), st.integers(0, 1000))
def test_order_and_names_change_nothing(of: Differences, seed: int) -> None:
    """Rows in any order and clusters under any name say the same."""
    other = changed(of, np.random.default_rng(seed).permutation(of.d.size))
    test, shuffled = paired_test(of, 3), paired_test(other, 3)
    assert (test.wins, test.losses) == (shuffled.wins, shuffled.losses)
    assert (test.mean, test.se) == pytest.approx((shuffled.mean, shuffled.se), abs=1e-12)
    assert (test.less, test.greater) == pytest.approx((shuffled.less, shuffled.greater), abs=0.02)
    bounds, moved = paired_bounds(of, 0.9), paired_bounds(other, 0.9)
    assert (bounds.low, bounds.high) == pytest.approx((moved.low, moved.high), abs=1e-8)


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), min_size=2, max_size=12))
def test_duplicated_epochs_change_nothing(rows: list[list[float]]) -> None:
    """The sample is the unit: every epoch written down twice is no more evidence."""
    scores = np.array(rows)
    twice = np.concatenate([scores, scores], axis=1)
    single, double = (Differences(epoch_means(s) - 0.5, 1.0) for s in (scores, twice))
    assert paired_bounds(single, 0.9) == paired_bounds(double, 0.9)
    assert paired_test(single, 1) == paired_test(double, 1)


@settings(deadline=None)
@given(differences(), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_interval_covers_the_mean_and_widens(of: Differences, level: float) -> None:
    """The mean lies inside, a higher level is no narrower, and what a FAIL rests on is no wider."""
    narrow, wide = paired_bounds(of, level), paired_bounds(of, level + 0.04)
    mean = float(of.d.mean())
    assert narrow.low - 1e-9 <= narrow.typical_low <= mean + 1e-9
    assert mean - 1e-9 <= narrow.typical_high <= narrow.high + 1e-9
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9
    if of.reach is not None:
        assert -of.reach <= wide.low
        assert wide.high <= of.reach


@settings(deadline=None)
@given(differences(), st.sampled_from([0.01, 0.05, 0.2]))
def test_a_limit_is_excluded_at_its_own_p(of: Differences, alpha: float) -> None:
    """The p of a limit is the alpha at which the upper bound reaches it."""
    limit = paired_bounds(of, 1 - 2 * alpha).typical_high
    if not math.isfinite(limit) or limit - of.d.mean() < 1e-9:  # no spread, and no range that bounds it
        return
    if of.reach is None or limit < of.reach - 1e-9:
        assert limit_p(of, limit) == pytest.approx(alpha, abs=1e-5)


def test_what_is_observed_chooses_the_test() -> None:
    """Right and wrong take McNemar's test, several sizes sign-flips, clusters flips of whole clusters."""
    graded, clusters = np.array([-1, -0.5, 0.25, 0, 1]), np.array([0, 0, 1, 1, 2])
    assert paired_test(Differences(np.array([-1.0, 0, 1]), 1.0), 0).method == "McNemar mid-p"
    assert paired_test(Differences(np.array([-0.5, 0, 0.5]), 1.0), 0).method == "McNemar mid-p"
    assert paired_test(Differences(graded, 1.0), 0).method == "sign-flip"
    assert paired_test(Differences(graded, 1.0, np.arange(5)), 0).method == "sign-flip"
    test = paired_test(Differences(graded, 1.0, clusters), 0)
    assert test.method == "sign-flip of clusters"
    assert (test.less, test.greater) == sign_flip(np.array([-1.5, 0.25, 1.0]), 0, mid=False)


@pytest.mark.parametrize("clusters", [2, 3, 4, 5, 6])
def test_below_five_clusters_nothing_can_fail(clusters: int) -> None:
    """Were every cluster a loss, four would still give 1/16; five give 1/32."""
    names = np.repeat(np.arange(clusters), 10)
    test = paired_test(Differences(-np.ones(names.size), 1.0, names), 0)
    assert test.floor == 0.5**clusters
    assert test.less == pytest.approx(test.floor)
    assert test.greater == pytest.approx(1.0)
    assert (test.less <= 0.05) == (clusters >= 5)


@pytest.mark.parametrize("losses", [3, 4])
def test_below_four_losses_nothing_can_fail(losses: int) -> None:
    """Three losses of three give a mid-p of 1/16, four of four 1/32."""
    test = paired_test(Differences(-np.ones(losses), 1.0), 0)
    assert test.less == pytest.approx(test.floor)
    assert (test.less <= 0.05) == (losses >= 4)


def test_no_difference_is_no_evidence() -> None:
    """Without a discordant sample p is 1, and the interval knows how little sixty samples prove."""
    none = Differences(np.zeros(60), 1.0)
    test, bounds = paired_test(none, 0), paired_bounds(none, 0.9)
    assert (test.less, test.greater, test.two_sided, test.ties) == (1.0, 1.0, 1.0, 60)
    assert (bounds.low, bounds.high) == pytest.approx((-0.0431, 0.0431), abs=5e-5)


def test_the_wider_of_two_bounds_holds_at_each_end() -> None:
    """Bounded differences: at each end the farther of the score interval and t."""
    d = np.array([-1.0] * 2 + [0.0] * 30 + [0.5] * 8)
    found = paired_bounds(Differences(d, 1.0), 0.9)
    score = bounded_mean_interval(d, -1, 1, 0.9)
    wald = t.interval(0.9, 39, d.mean(), d.std(ddof=1) / math.sqrt(40))
    assert found.low == pytest.approx(min(score[0], wald[0]), abs=1e-9)
    assert found.high == pytest.approx(max(score[1], wald[1]), abs=1e-9)


def test_unbounded_differences_take_t() -> None:
    """Cost and seconds: the interval and the p of a limit are those of SciPy's t test."""
    d = np.array([1.2, -3.4, 0.8, -2.2, -7.5, 0.1])
    bounds = paired_bounds(Differences(d), 0.9)
    second = ttest_1samp(d, 1.0, alternative="less")
    assert (bounds.low, bounds.high) == pytest.approx(tuple(ttest_1samp(d, 0).confidence_interval(0.9)))
    assert limit_p(Differences(d), 1.0) == pytest.approx(second.pvalue, abs=1e-9)


def test_clusters_that_agree_prove_nothing_of_others() -> None:
    """Two clusters of fifty losses each are two observations, for the FAIL as well."""
    two = Differences(-np.ones(100), 1.0, np.repeat([0, 1], 50))
    score = cluster_bounded_interval(two.d, np.repeat([0, 1], 50), (-1, 1), 0.9)
    bounds = paired_bounds(two, 0.9)
    assert (bounds.typical_low, bounds.typical_high) == score
    assert limit_p(two, -0.1) == pytest.approx(limit_p(Differences(-np.ones(2), 1.0), -0.1), rel=1e-6)
    assert limit_p(two, -0.1) > 0.05


def test_one_cluster_is_one_observation() -> None:
    """However many samples share the one source, the p is that of one sample."""
    one = Differences(np.array([-1.0] * 30), 1.0, np.zeros(30, dtype=np.int64))
    assert limit_p(one, -0.1) == pytest.approx(limit_p(Differences(-np.ones(1), 1.0), -0.1), rel=1e-6)
    assert paired_test(one, 0).se is None
    assert paired_bounds(one, 0.9).typical_high > 0.1


def test_few_broken_clusters_widen_what_a_pass_rests_on() -> None:
    """CR2 alone believes the clusters that were drawn; the guarded end leaves room for one that was not."""
    d = np.tile([0.0, 0.0, 0.1, -0.1], 20)
    d[0] = 0.1
    found = paired_bounds(Differences(d, 1.0, np.repeat(np.arange(20), 4)), 0.9)
    assert found.typical_low > -0.02
    assert found.low < -0.1


@pytest.mark.parametrize(("limit", "p"), [(-1.0, 1.0), (-3.0, 1.0), (1.0, 0.0), (3.0, 0.0)])
def test_limits_that_the_reach_rules_out(limit: float, p: float) -> None:
    """Nothing can lie below -1, and everything does lie below 1: no test is needed."""
    for clusters in (None, np.array([0, 0, 1, 1])):
        assert limit_p(Differences(np.array([-1, -0.5, 0, 0.5]), 1.0, clusters), limit) == p


def test_one_sample() -> None:
    """One sample has no standard error; its score interval stays wide, without a range it is endless."""
    bounded, free = Differences(np.array([-1.0]), 1.0), Differences(np.array([-1.0]))
    assert paired_test(bounded, 0).se is None
    assert paired_bounds(bounded, 0.9).high == pytest.approx(0.4603, abs=1e-4)
    critical = NormalDist().inv_cdf(0.95)
    assert paired_bounds(bounded, 0.9).high == pytest.approx(1 - 2 / (1 + critical**2), abs=1e-9)
    assert limit_p(bounded, paired_bounds(bounded, 0.9).high) == pytest.approx(0.05, abs=1e-9)
    assert (paired_bounds(free, 0.9).low, paired_bounds(free, 0.9).high) == (-math.inf, math.inf)
    assert limit_p(free, 5.0) == 1.0


@pytest.mark.parametrize("d", [[], [math.nan], [0.1, math.inf], [[0.1, 0.2]]])
def test_what_is_no_difference_is_refused(d: Any) -> None:
    """Nothing, NaN and infinity are errors before any figure comes of them."""
    with pytest.raises(ValueError, match="finite differences"):
        Differences(np.array(d, dtype=np.float64))


def test_each_difference_has_its_cluster() -> None:
    """Clusters of another length are an error."""
    with pytest.raises(ValueError, match="cluster"):
        Differences(np.zeros(3), 1.0, np.zeros(2, dtype=np.int64))
