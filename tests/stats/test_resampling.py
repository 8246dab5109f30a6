import numpy as np
import pytest
from numpy.typing import NDArray

from regrade.stats import DRAWS, bootstrap_totals, percentile_interval

Floats = NDArray[np.float64]


def _share(totals: Floats) -> Floats:
    return totals[:, 0] / totals[:, 1]


@pytest.mark.parametrize("n", [40, 4_000])
def test_bootstrap_of_a_share_has_its_known_spread(n: int) -> None:
    """Few and many equal units alike, a share's resamples spread as the binomial does."""
    units = np.array([[1.0, 1.0], [0.0, 1.0]])
    weights = np.array([n * 3 // 4, n // 4])
    totals = bootstrap_totals(units, weights, 0)
    assert totals.shape == (DRAWS, 2)
    assert (totals[:, 1] == n).all()
    found = percentile_interval(totals, _share, 0.95)
    assert found is not None
    se, low, high = found
    assert se == pytest.approx(np.sqrt(0.75 * 0.25 / n), rel=0.03)
    assert (low, high) == pytest.approx((0.75 - 1.96 * se, 0.75 + 1.96 * se), abs=0.6 / n + 0.05 * se)


def test_single_units_are_drawn_like_merged_ones() -> None:
    """Whether equal units come one by one or merged makes no difference beyond the draw."""
    merged = bootstrap_totals(np.array([[1.0], [0.0]]), np.array([300, 100]), 1)
    single = bootstrap_totals(np.repeat([[1.0], [0.0]], [300, 100], axis=0), np.ones(400, dtype=np.int64), 1)
    assert single.mean() == pytest.approx(merged.mean(), rel=0.01)
    assert single.std() == pytest.approx(merged.std(), rel=0.05)


def test_the_seed_decides() -> None:
    """The same seed gives the same draws, another one others."""
    units, weights = np.eye(3), np.array([5, 5, 5])
    first, same, other = (bootstrap_totals(units, weights, seed) for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()


def test_no_spread_is_no_interval() -> None:
    """Resamples that all agree, or that give nothing, make no interval of width zero."""
    totals = bootstrap_totals(np.array([[1.0, 1.0]]), np.array([50]), 0)
    assert percentile_interval(totals, _share, 0.95) is None
    assert percentile_interval(totals, lambda sums: np.full(len(sums), np.nan), 0.95) is None
