import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from regrade.stats import quantile_interval, ranks, samples_for_upper_bound


def test_published_ranks() -> None:
    """The median of 100 values at 95 %, and the first n that bounds p95 from above."""
    assert ranks(100, 0.5, 0.95) == (40, 61)
    assert ranks(59, 0.95, 0.9)[1] == 59
    assert ranks(58, 0.95, 0.9)[1] is None
    assert samples_for_upper_bound(0.95, 0.9) == 59
    assert samples_for_upper_bound(0.95, 0.95) == 72


@given(st.integers(1, 3000), st.floats(0.01, 0.99), st.floats(0.5, 0.999))
def test_each_end_misses_no_more_than_its_share(n: int, q: float, level: float) -> None:
    """Each rank is the tightest whose chance to miss stays within half of 1 - level."""
    lower, upper = ranks(n, q, level)
    miss, dust = (1 - level) / 2, 1e-9
    if lower is not None:
        assert binom.cdf(lower - 1, n, q) <= miss + dust
    assert binom.cdf(lower or 0, n, q) >= miss - dust
    if upper is not None:
        assert binom.sf(upper - 1, n, q) <= miss + dust
    assert binom.sf((upper or n + 1) - 2, n, q) >= miss - dust


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_the_value_lies_in_its_interval(values: list[float], q: float) -> None:
    """The estimate is NumPy's quantile and lies between the ends that exist."""
    value, low, high = quantile_interval(np.array(values), q, 0.95)
    assert value == np.quantile(values, q)
    assert low is None or low <= value
    assert high is None or value <= high


def test_repeats_count_once() -> None:
    """The same values five times over are no more certain than once."""
    x = np.random.default_rng(1).exponential(size=100)
    assert (
        quantile_interval(np.tile(x, 5), 0.5, 0.95, independent=100)[1:]
        == quantile_interval(x, 0.5, 0.95)[1:]
    )


def test_coverage_of_p95() -> None:
    """The true p95 lies inside at least as often as promised."""
    random = np.random.default_rng(5)
    truth = -math.log(0.05)
    hits = 0
    for _ in range(1000):
        _, low, high = quantile_interval(random.exponential(size=200), 0.95, 0.95)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    assert 0.94 <= hits / 1000 <= 0.985


def test_impossible_questions_are_refused() -> None:
    """No values, NaN and impossible shares are errors."""
    with pytest.raises(ValueError, match="finite"):
        quantile_interval(np.array([]), 0.5, 0.95)
    with pytest.raises(ValueError, match="finite"):
        quantile_interval(np.array([1.0, math.nan]), 0.5, 0.95)
    with pytest.raises(ValueError, match="needed"):
        ranks(10, 1.0, 0.95)
