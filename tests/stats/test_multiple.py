import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from regrade.stats import benjamini_hochberg, holm

FAMILIES = st.lists(
    st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.049, 0.05, 0.2, 0.5, 1.0]), min_size=1, max_size=9
)


@settings(max_examples=10, deadline=None)
@given(FAMILIES)
def test_a_second_implementation_agrees(family: list[float]) -> None:
    """Both adjustments are those of statsmodels, ties and ends included."""
    p = np.array(family)
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)


@given(FAMILIES, st.randoms())
def test_order_changes_nothing(family: list[float], random: "np.random.RandomState") -> None:
    """Each p keeps its adjusted value wherever it stands; no adjustment makes one smaller."""
    order = list(range(len(family)))
    random.shuffle(order)
    p = np.array(family)
    for adjust in (holm, benjamini_hochberg):
        assert adjust(p[order]) == pytest.approx(adjust(p)[order], abs=1e-12)
        assert (adjust(p) >= p - 1e-12).all()
        assert (adjust(p) <= 1).all()


def test_one_hypothesis_needs_no_adjustment() -> None:
    """A family of one keeps its p; an empty one stays empty."""
    for adjust in (holm, benjamini_hochberg):
        assert adjust(np.array([0.03])).tolist() == [0.03]
        assert adjust(np.empty(0)).size == 0


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    """NaN among the p would order them at random: it is an error."""
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="lies in"):
            adjust(np.array([0.01, bad]))
