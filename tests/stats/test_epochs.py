import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.stats import both_outcomes, pass_all_k, pass_at_k

NAN = math.nan

PASSES = np.array([[1.0] * c + [0.0] * (10 - c) for c in (0, 1, 5, 10)])


def test_published_values() -> None:
    """0, 1, 5 and 10 passes of 10 with k = 3, as exact fractions."""
    assert pass_at_k(PASSES, 3) == pytest.approx([0, 0.3, 0.9166666666666666, 1])
    assert pass_all_k(PASSES, 3) == pytest.approx([0, 0, 0.08333333333333333, 1])


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_combinations_agree(passed: list[bool], data: st.DataObject) -> None:
    """The products equal the ratios of binomial coefficients."""
    k = data.draw(st.integers(1, len(passed)))
    total, right = len(passed), sum(passed)
    row = np.array([passed], dtype=float)
    none = math.comb(total - right, k) / math.comb(total, k)
    assert pass_at_k(row, k)[0] == pytest.approx(1 - none, abs=1e-12)
    assert pass_all_k(row, k)[0] == pytest.approx(math.comb(right, k) / math.comb(total, k), abs=1e-12)


def test_one_of_one_is_the_mean() -> None:
    """With k = 1 both are the share of passes."""
    assert pass_at_k(PASSES, 1) == pytest.approx(PASSES.mean(axis=1))
    assert pass_all_k(PASSES, 1) == pytest.approx(PASSES.mean(axis=1))


def test_missing_repeats_do_not_count_as_failed() -> None:
    """K is the number of scores a sample has; with fewer than k it has no value."""
    passed = np.array([[1.0, 0.0, NAN], [1.0, NAN, NAN]])
    found = pass_at_k(passed, 2)
    assert found[0] == 1.0
    assert np.isnan(found[1])


@pytest.mark.parametrize("k", [0, 11])
def test_k_beyond_the_repeats_is_refused(k: int) -> None:
    """There is no unbiased figure for more answers than were asked for."""
    with pytest.raises(ValueError, match="10 repeats"):
        pass_at_k(PASSES, k)
    with pytest.raises(ValueError, match="10 repeats"):
        pass_all_k(PASSES, k)


def test_flaky_means_both_outcomes() -> None:
    """A sample that passed and failed is flaky; one score alone cannot tell."""
    found = both_outcomes(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, NAN]]))
    assert found[:3].tolist() == [1.0, 0.0, 0.0]
    assert np.isnan(found[3])
