import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from regrade.stats import mcnemar, sign_flip

Floats = NDArray[np.float64]

THIRDS = st.lists(st.sampled_from([-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1]), min_size=1, max_size=10)


def enumerated(d: Floats, tie: float) -> float:
    """Return the p for "below 0" from every pattern of signs."""
    sums = np.array([np.dot(signs, d) for signs in itertools.product((-1, 1), repeat=d.size)])
    equal = np.abs(sums - d.sum()) < 1e-9
    return float(((sums < d.sum()) & ~equal).mean() + tie * equal.mean())


@given(THIRDS)
def test_all_patterns_are_counted(values: list[float]) -> None:
    """Up to 2^14 outcomes the p is that of counting every pattern of signs, with ties half or whole."""
    d = np.array(values)
    if not d.any():
        assert sign_flip(d, 0) == (1.0, 1.0)
        return
    assert sign_flip(d, 0) == pytest.approx((enumerated(d, 0.5), enumerated(-d, 0.5)), abs=1e-12)
    assert sign_flip(d, 0, mid=False)[0] == pytest.approx(enumerated(d, 1.0), abs=1e-12)


@given(THIRDS, st.integers(0, 5))
def test_swapping_arms_swaps_the_p(values: list[float], zeros: int) -> None:
    """The sign of every difference turned, the two p change places; zeros and the order change nothing."""
    d = np.array(values)
    less, greater = sign_flip(d, 0)
    assert sign_flip(-d, 0) == pytest.approx((greater, less), abs=1e-12)
    padded = np.concatenate([np.zeros(zeros), d[::-1]])
    assert sign_flip(padded, 0) == pytest.approx((less, greater), abs=1e-12)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_equal_sizes_are_mcnemars_test(losses: int, wins: int) -> None:
    """For d in {-1, 0, 1} it is McNemar's mid-p, at any size of sample."""
    d = np.repeat([-1.0, 1.0], [losses, wins])
    found = mcnemar(losses, wins)
    assert sign_flip(d, 0) == pytest.approx((found.less, found.greater), abs=1e-9)


@pytest.mark.parametrize("n", [60, 600, 6000])
def test_draws_come_close_to_what_they_stand_for(n: int) -> None:
    """Beyond 2^14 outcomes 9,999 draws give the p of the normal within their own error."""
    random = np.random.default_rng(n)
    d = random.normal(size=n)
    d += (-1.2 / math.sqrt(n)) - d.mean()
    less, greater = sign_flip(d, 7)
    z = d.sum() / math.sqrt(float(d @ d))
    assert less == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)), abs=0.015)
    assert less + greater == pytest.approx(1, abs=1e-9)
    assert sign_flip(d, 7) == (less, greater)


def test_grouped_draws_come_close_as_well() -> None:
    """Many samples of few sizes are drawn together, to the same distribution."""
    d = np.repeat([1.0, -1.0, 0.5, -0.5, 0.25, -0.25], [300, 330, 300, 310, 300, 320])
    z = d.sum() / math.sqrt(float(d @ d))
    assert sign_flip(d, 3)[0] == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)), abs=0.015)


def test_rounding_makes_no_new_sizes() -> None:
    """0.1 + 0.2 and 0.3 are one size: what differs in the last digit is counted exactly."""
    d = np.array([0.1 + 0.2, -0.3, 0.3, 0.30000000000000004, -0.3] * 20)
    assert sign_flip(d, 0)[0] == pytest.approx(mcnemar(40, 60).less, abs=1e-12)


def test_nothing_to_flip() -> None:
    """Without any difference, or any sample, nothing is shown either way."""
    assert sign_flip(np.zeros(4), 0) == (1.0, 1.0)
    assert sign_flip(np.empty(0), 0) == (1.0, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    """NaN and infinity are errors, never a p."""
    with pytest.raises(ValueError, match="finite"):
        sign_flip(np.array([0.5, bad]), 0)


def test_many_differing_values_have_the_p_of_draws() -> None:
    """From 5,000 differing values on the p is that of 20,000 draws, to three of their standard errors."""
    random = np.random.default_rng(3)
    for shift in (0.0, 0.015, 0.03):
        d = np.clip(random.normal(-shift, 1, 5_200) ** 3, -9, 9)
        signs = np.random.default_rng(4)
        sums = np.concatenate([2.0 * (signs.integers(0, 2, (2_000, d.size)) @ np.abs(d)) for _ in range(10)])
        drawn = float((sums - np.abs(d).sum() <= d.sum()).mean())
        less, greater = sign_flip(d, 0)
        assert less == pytest.approx(drawn, abs=3 * math.sqrt(drawn * (1 - drawn) / sums.size) + 1e-5)
        assert less + greater == pytest.approx(1)
        assert sign_flip(-d, 0) == pytest.approx((greater, less))


def test_a_value_that_outweighs_the_others_is_drawn() -> None:
    """Where one value has much of the variance the sum is not near normal, and 9,999 draws decide."""
    d = np.append(np.random.default_rng(5).normal(0, 1e-3, 6_000), -1.0)
    assert sign_flip(d, 0)[0] == pytest.approx(0.5, abs=0.03)
    assert sign_flip(d, 1) != sign_flip(d, 0)
