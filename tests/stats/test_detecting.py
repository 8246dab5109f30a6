import math

import numpy as np
import pytest

from regrade.stats import Differences, cluster_error, detectable_drop, mcnemar_drop, mcnemar_power, mean_drop

FACTOR = 1.6448536269514722 + 0.8416212335729143  # one-sided 5 %, power 80 %


@pytest.mark.parametrize(("n", "losses", "wins"), [(40, 2, 5), (200, 10, 10), (1000, 0, 0), (2000, 300, 300)])
def test_right_and_wrong_by_exact_power(n: int, losses: int, wins: int) -> None:
    """McNemar's exact power at the discordance seen is 80 % at the drop that is named."""
    d = np.repeat([-1.0, 1.0, 0.0], [losses, wins, n - losses - wins])
    drop = detectable_drop(Differences(d, 1.0), 0.05)
    assert drop is not None
    q = max((losses + wins) / n, drop)
    assert mcnemar_power(n, q, drop, 0.05) == pytest.approx(0.8, abs=1e-5)


def test_without_discordance_four_losses_are_needed() -> None:
    """Nothing discordant of a thousand: a drop of 5.5 in a thousand would have shown."""
    assert detectable_drop(Differences(np.zeros(1000), 1.0), 0.05) == pytest.approx(0.0055, rel=0.01)
    assert detectable_drop(Differences(np.zeros(1000), 5.0), 0.05) == pytest.approx(0.0275, rel=0.01)
    assert detectable_drop(Differences(np.zeros(1000)), 0.05) is None


def test_the_normal_takes_over_for_many() -> None:
    """Beyond 2,000 samples with thirty discordant it is within 3 % of the exact figure."""
    d = np.repeat([-1.0, 1.0, 0.0], [20, 20, 3960])
    exact = mcnemar_drop(4000, 0.01, 0.05, 0.8)
    assert exact is not None
    assert detectable_drop(Differences(d, 1.0), 0.05) == pytest.approx(exact, rel=0.03)
    rare = np.repeat([-1.0, 0.0], [3, 3997])
    assert detectable_drop(Differences(rare, 1.0), 0.05) == mcnemar_drop(4000, 3 / 4000, 0.05, 0.8)
    assert detectable_drop(Differences(-np.ones(3000), 1.0), 0.05) == pytest.approx(
        FACTOR / math.sqrt(3000), rel=1e-6
    )


def test_graded_scores_by_their_spread() -> None:
    """Several sizes: what the plan of a mean promises at their root mean square."""
    d = np.random.default_rng(1).normal(0.1, 0.3, 400).clip(-1, 1)
    expected = mean_drop(math.sqrt(float(np.mean(d**2))), 400, 0.05, 0.8)
    assert detectable_drop(Differences(d, 1.0), 0.05) == pytest.approx(expected)
    assert detectable_drop(Differences(d), 0.05) == pytest.approx(expected)


def test_few_that_differ_show_little() -> None:
    """Two of three hundred differ, by little: a spread that small must not promise the impossible."""
    d = np.zeros(300)
    d[:2] = -0.3, 0.6
    drop, by_spread = detectable_drop(Differences(d, 1.0), 0.05), mean_drop(float(d.std()), 300, 0.05, 0.8)
    assert drop is not None
    assert drop > 1.1 * by_spread
    assert drop >= 4 / 300 * 0.3


def test_clusters_by_cr2() -> None:
    """Clusters: the spread between them; none where they agree, or are too few to fail anything."""
    random = np.random.default_rng(4)
    clusters = np.repeat(np.arange(12), 5)
    d = np.repeat(random.normal(0, 0.3, 12), 5).clip(-1, 1)
    found = detectable_drop(Differences(d, 1.0, clusters), 0.05)
    assert found == pytest.approx(FACTOR * cluster_error(d, clusters)[0])
    assert detectable_drop(Differences(d[:20], 1.0, clusters[:20]), 0.05) is None
    assert detectable_drop(Differences(np.zeros(60), 1.0, clusters), 0.05) is None


def test_too_few_samples_show_nothing() -> None:
    """Three samples cannot fail whatever they say, so no drop is named."""
    for d in ([0.0, 0, 0], [-1.0, 0, 1], [-1.0, 0.5, 0]):
        assert detectable_drop(Differences(np.array(d), 1.0), 0.05) is None


def test_the_better_the_power_the_larger_the_drop() -> None:
    """A drop shown nine times of ten is larger than one shown every other time."""
    d = np.repeat([-1.0, 1.0, 0.0], [10, 12, 178])
    drops = [detectable_drop(Differences(d, 1.0), 0.05, power) for power in (0.5, 0.8, 0.9)]
    assert drops == sorted(drops, key=float)  # type: ignore[arg-type]
