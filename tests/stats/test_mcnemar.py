import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as second_mcnemar

from regrade.stats import Differences, mcnemar, paired_test

COUNTS = st.integers(0, 400)


def test_published_values() -> None:
    """One loss and seven wins, the airway example of Fagerland: exact 0.0703, mid-p 0.0391."""
    found = mcnemar(1, 7)
    assert (found.exact, found.midp) == pytest.approx((0.0703125, 0.0390625), abs=1e-12)


@given(COUNTS, COUNTS)
def test_exact_p_agrees_with_a_second_implementation(losses: int, wins: int) -> None:
    """The two-sided exact p is that of statsmodels, and the one-sided mid-p that of binomial tails."""
    found = mcnemar(losses, wins)
    assert found.exact == pytest.approx(second_mcnemar([[9, losses], [wins, 9]], exact=True).pvalue, rel=1e-9)
    if losses + wins:
        m = losses + wins
        expected = binom.sf(losses, m, 0.5) + binom.pmf(losses, m, 0.5) / 2
        assert found.less == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(COUNTS, COUNTS)
def test_swapping_arms_swaps_the_p(losses: int, wins: int) -> None:
    """What is a loss for B is a win for A; together both sides make one but for nothing observed."""
    found, swapped = mcnemar(losses, wins), mcnemar(wins, losses)
    assert (found.less, found.greater) == pytest.approx((swapped.greater, swapped.less), rel=1e-9, abs=0)
    assert (found.exact, found.midp) == pytest.approx((swapped.exact, swapped.midp), rel=1e-9, abs=0)
    assert found.less + found.greater == pytest.approx(1 if losses + wins else 2)


@given(COUNTS, COUNTS)
def test_one_more_loss_is_stronger_evidence(losses: int, wins: int) -> None:
    """The p for "B is worse" falls with every loss, and mid-p lies below the exact p."""
    assert mcnemar(losses + 1, wins).less <= mcnemar(losses, wins).less + 1e-12
    assert mcnemar(losses, wins).less <= mcnemar(losses, wins).exact_less <= 1


def test_nothing_discordant_says_nothing() -> None:
    """Without a discordant sample every p is 1, never 0/0."""
    found = mcnemar(0, 0)
    assert {found.less, found.greater, found.exact_less, found.exact_greater, found.exact, found.midp} == {
        1.0
    }


def test_negative_counts_are_refused() -> None:
    """A count below 0 is an error."""
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 3)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 50))
def test_samples_that_agree_say_nothing(losses: int, wins: int, ties: int) -> None:
    """Adding samples with d = 0 never changes the p."""
    d = np.repeat([-1.0, 1.0, 0.0], [losses, wins, ties + 1])
    test = paired_test(Differences(d, 1.0), 0)
    assert test.method == "McNemar mid-p"
    assert (test.less, test.greater) == (mcnemar(losses, wins).less, mcnemar(losses, wins).greater)
    assert (test.losses, test.wins, test.ties) == (losses, wins, ties + 1)
