import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from scipy import stats as reference

from regrade.stats import cluster_error, epoch_means, epoch_spread, standard_error, t_interval

NAN = math.nan

CLUSTERED = [
    -0.146, -0.276, -0.024, -0.462, 0.349, 0.407, -0.128, -0.431, 0.165, 0.022, 0.118, 0.042, 0.374, -0.306,
    0.145, -0.732, -0.231, -0.634, -0.441, 0.004, -0.375, -0.383, 0.011, 0.072, 0.766, -0.111, 0.47, -0.044,
    0.254, -0.195, -0.491, -0.104, 0.241,
]  # fmt: skip
SIZES = [10, 1, 2, 7, 3, 3, 1, 6]


def test_epochs_are_averaged_over_what_is_there() -> None:
    """A missing repeat is left out of a sample's mean; a sample without any has none."""
    means = epoch_means(np.array([[1.0, 0.0], [1.0, NAN], [NAN, NAN]]))
    assert means[:2].tolist() == [0.5, 1.0]
    assert np.isnan(means[2])


def test_mean_error_and_spread_of_epochs() -> None:
    """Standard error, variance within and between samples agree with the one-way ANOVA estimators."""
    scores = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [1, 1], [1, 0]], dtype=float)
    means = epoch_means(scores)
    assert means.mean() == pytest.approx(0.5833333333333334)
    assert standard_error(means) == pytest.approx(0.1536590742882148, abs=1e-9)
    assert standard_error(means) == pytest.approx(reference.sem(means))
    assert epoch_spread(scores) == pytest.approx((0.25, 0.016666666666666663), abs=1e-9)


def test_spread_between_samples_is_never_negative() -> None:
    """Where repeats explain more than all of the variance, nothing is left between samples."""
    scores = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0]], dtype=float)
    assert epoch_spread(scores)[1] == 0.0


@given(hn.arrays(float, (6, 3), elements=st.floats(0, 1)), st.permutations(range(6)))
def test_spread_ignores_the_order(scores: "np.ndarray[tuple[int, int]]", order: list[int]) -> None:
    """Order of samples and of epochs changes nothing."""
    turned = scores[order][:, ::-1]
    assert epoch_spread(turned) == pytest.approx(epoch_spread(scores), abs=1e-9)


def test_spread_needs_repeats() -> None:
    """One epoch, or one sample, has no spread to tell."""
    for scores in (np.ones((5, 1)), np.ones((1, 5)), np.array([[1.0, NAN], [NAN, 0.0]])):
        with pytest.raises(ValueError, match="two"):
            epoch_spread(scores)


def test_t_interval_equals_scipys() -> None:
    """The paired example: mean -0.01675, se 0.05479, n = 8."""
    found = t_interval(-0.016750000000000008, 0.05478912496367974, 7, 0.95)
    assert found == pytest.approx((-0.14630569361266474, 0.11280569361266471), abs=1e-9)


def test_t_interval_refuses_the_impossible() -> None:
    """A level is a share, and one value has no degree of freedom."""
    with pytest.raises(ValueError, match="level"):
        t_interval(0, 1, 5, 1.0)
    with pytest.raises(ValueError, match="df"):
        t_interval(0, 1, 0, 0.95)
    with pytest.raises(ValueError, match="two"):
        standard_error(np.ones(1))


def test_clustered_error_equals_clubsandwich() -> None:
    """CR2 and its Satterthwaite degrees of freedom agree with R's clubSandwich for very unequal clusters."""
    clusters = np.repeat(np.arange(8), SIZES)
    found = cluster_error(np.array(CLUSTERED), clusters)
    assert found == pytest.approx((0.07317394000875807, 4.280444432167134), abs=1e-9)


@given(hn.arrays(float, st.integers(2, 30), elements=st.floats(-10, 10)))
def test_single_sample_clusters_give_the_plain_error(x: "np.ndarray[tuple[int]]") -> None:
    """With every sample a cluster of its own CR2 is sd/sqrt(n) with n - 1 degrees of freedom."""
    se, df = cluster_error(x, np.arange(x.size)[::-1])
    assert se == pytest.approx(standard_error(x), abs=1e-9)
    assert df == pytest.approx(x.size - 1)


def test_one_cluster_has_no_error() -> None:
    """A single source says nothing about other sources."""
    with pytest.raises(ValueError, match="two clusters"):
        cluster_error(np.ones(5), np.zeros(5, dtype=np.int64))


def test_coverage_with_clusters() -> None:
    """The true mean lies inside as often as promised where samples of a source resemble each other."""
    random = np.random.default_rng(3)
    sizes = random.integers(2, 12, size=30)
    clusters = np.repeat(np.arange(30), sizes)
    hits = 0
    for _ in range(800):
        x = random.normal(size=30)[clusters] + random.normal(size=clusters.size)
        low, high = t_interval(float(x.mean()), *cluster_error(x, clusters), 0.95)
        hits += low <= 0 <= high
    assert 0.925 <= hits / 800 <= 0.975
