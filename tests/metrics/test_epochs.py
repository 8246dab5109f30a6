import numpy as np
import pytest

from regrade.errors import UsageError
from regrade.metrics.epochs import Flaky, PassAllK, PassAtK
from regrade.stats import bounded_mean_interval
from regrade.types import MetricInput

PASSES = np.array([[1.0] * c + [0.0] * (10 - c) for c in (0, 1, 5, 10)])


def test_pass_at_k_of_the_published_example() -> None:
    """0, 1, 5 and 10 passes of 10: pass@3 is 0.5542 and pass^3 0.2708."""
    data = MetricInput(PASSES)
    assert PassAtK(3).estimate(data).value == pytest.approx(0.5541666666666667)
    assert PassAllK(3).estimate(data).value == pytest.approx(0.2708333333333333)


def test_interval_is_that_of_a_graded_score() -> None:
    """Each sample counts once with its own chance, whatever the number of epochs."""
    found = PassAtK(3).estimate(MetricInput(PASSES))
    per_sample = np.array([0, 0.3, 0.9166666666666666, 1])
    assert (found.low, found.high) == pytest.approx(bounded_mean_interval(per_sample, 0, 1, 0.95))
    assert found.n == 4


def test_k_above_the_epochs_is_a_clear_error() -> None:
    """pass@5 of three epochs cannot be had, and the message says what to set."""
    with pytest.raises(UsageError, match="pass_at_k with k = 5 needs 5 epochs, not 3") as raised:
        PassAtK(5).estimate(MetricInput(PASSES[:, :3]))
    assert raised.value.hint == "set `epochs: 5` or more"
    with pytest.raises(UsageError, match="pass_all_k with k = 2 needs 2 epochs, not 1 epoch"):
        PassAllK(2).check_epochs(1)
    with pytest.raises(UsageError, match="flaky needs 2 epochs"):
        Flaky().estimate(MetricInput(PASSES[:, :1]))


@pytest.mark.parametrize("kind", [PassAtK, PassAllK])
def test_k_is_a_count(kind: type[PassAtK]) -> None:
    """No answer at all cannot pass."""
    with pytest.raises(UsageError, match="at least 1, not 0"):
        kind(0)


def test_flaky_is_the_share_of_samples_with_both_outcomes() -> None:
    """Two of the four samples came out both ways; fewer is better."""
    found = Flaky().estimate(MetricInput(PASSES))
    assert (found.value, found.n) == (0.5, 4)
    assert Flaky.better == "lower"


def test_graded_scores_pass_from_the_threshold() -> None:
    """A score of 0.7 passes when that is enough."""
    data = MetricInput(np.array([[0.7, 0.2]]))
    assert PassAtK(1).estimate(data).value == 0.0
    assert PassAtK(1, at_least=0.5).estimate(data).value == 0.5
