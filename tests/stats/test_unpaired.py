import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind
from statsmodels.stats.proportion import confint_proportions_2indep

from regrade.stats import newcombe_independent, welch

SAMPLES = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=15)


@given(SAMPLES, SAMPLES)
def test_welch_agrees_with_a_second_implementation(a: list[float], b: list[float]) -> None:
    """t, degrees of freedom, p and interval are SciPy's."""
    x, y = np.array(a), np.array(b)
    if np.ptp(x) == 0 or np.ptp(y) == 0:  # SciPy warns of a side that does not vary
        return
    found, second = welch(x, y, 0.9), ttest_ind(y, x, equal_var=False)
    assert (found.t, found.df) == pytest.approx((second.statistic, second.df), abs=1e-9)
    assert found.two_sided == pytest.approx(second.pvalue, abs=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(second.confidence_interval(0.9)), abs=1e-8)
    assert found.less + found.greater == pytest.approx(1)


@given(SAMPLES, SAMPLES)
def test_swapping_arms_mirrors_welch(a: list[float], b: list[float]) -> None:
    """With A and B exchanged the two p change places and the interval is mirrored."""
    found, swapped = welch(np.array(a), np.array(b), 0.95), welch(np.array(b), np.array(a), 0.95)
    assert (found.less, found.greater) == pytest.approx((swapped.greater, swapped.less), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((-swapped.high, -swapped.low), abs=1e-9)


def test_arms_that_do_not_vary() -> None:
    """Equal constants show nothing; different ones are told apart for certain."""
    same = welch(np.ones(3), np.ones(4), 0.95)
    lower = welch(np.ones(3), np.zeros(4), 0.95)
    assert (same.less, same.greater, same.two_sided) == (1.0, 1.0, 1.0)
    assert (lower.less, lower.greater, lower.difference) == (0.0, 1.0, -1.0)
    assert math.isnan(same.t)


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0], [1.0, 2.0]), ([], [1.0, 2.0]), ([1.0, math.nan], [1.0, 2.0]), ([1, 2], [1, math.inf])],
)
def test_too_little_for_welch_is_refused(a: list[Any], b: list[Any]) -> None:
    """One value has no spread, and NaN is no value."""
    with pytest.raises(ValueError, match="needed"):
        welch(np.array(a, dtype=np.float64), np.array(b, dtype=np.float64), 0.95)


def test_newcombes_published_example() -> None:
    """56 of 70 against 48 of 80: 0.0524 to 0.3339."""
    assert newcombe_independent(48, 80, 56, 70, 0.95) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("a", "n_a", "b", "n_b"), [(56, 70, 48, 80), (0, 10, 0, 20), (9, 10, 3, 10), (10, 10, 0, 20)]
)
def test_newcombe_agrees_with_a_second_implementation(a: int, n_a: int, b: int, n_b: int) -> None:
    """The interval of independent shares is that of statsmodels, and mirrored when arms are swapped."""
    second = confint_proportions_2indep(b, n_b, a, n_a, method="newcomb", compare="diff", alpha=0.1)
    found = newcombe_independent(a, n_a, b, n_b, 0.9)
    assert found == pytest.approx(second, abs=1e-9)
    low, high = newcombe_independent(b, n_b, a, n_a, 0.9)
    assert found == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("counts", [(0, 0, 1, 2), (1, 2, 0, 0), (3, 2, 1, 2), (-1, 2, 1, 2)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    """No answers, and more right ones than answers, are errors."""
    with pytest.raises(ValueError, match="counts"):
        newcombe_independent(*counts, 0.95)
