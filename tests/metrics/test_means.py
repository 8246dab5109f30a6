import numpy as np
import pytest
from scipy.stats import binomtest

from regrade.metrics.means import Accuracy, Mean, ParsedRate
from regrade.types import MetricInput

NAN = np.nan


def test_accuracy_has_wilsons_interval() -> None:
    """742 of 1319 right give 56.25 % (53.56 to 58.91)."""
    values = np.repeat([1.0, 0.0], [742, 1319 - 742])[:, None]
    found = Accuracy().estimate(MetricInput(values))
    assert found.value == pytest.approx(0.5625, abs=5e-5)
    wilson = binomtest(742, 1319).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert found.n == 1319


def test_accuracy_counts_what_reaches_the_threshold() -> None:
    """Full marks alone are right, unless less is asked for; missing scores are not wrong."""
    data = MetricInput(np.array([[1.0], [0.8], [0.2], [NAN]]))
    assert Accuracy().estimate(data).value == pytest.approx(1 / 3)
    assert Accuracy(at_least=0.5).estimate(data).value == pytest.approx(2 / 3)
    assert Accuracy().estimate(data).n == 3


def test_mean_follows_bounds() -> None:
    """A declared range gives the score interval, none gives t; both have the same mean and error."""
    values = np.random.default_rng(2).random((40, 2))
    bounded = Mean().estimate(MetricInput(values, bounds=(0, 1)))
    unbounded = Mean().estimate(MetricInput(values))
    assert (bounded.method, unbounded.method) == ("score", "t")
    assert bounded.value == pytest.approx(values.mean())
    assert bounded.se == unbounded.se == pytest.approx(values.mean(axis=1).std(ddof=1) / np.sqrt(40))


def test_mean_is_as_good_as_its_scorer_says() -> None:
    """The mean has no direction of its own; a rate of parsed answers has."""
    assert not hasattr(Mean(), "better")
    assert ParsedRate.better == "higher"


def test_parsed_rate_ignores_the_score() -> None:
    """An answer found and wrong is parsed; one that was not found is not."""
    data = MetricInput(np.array([[0.0], [0.0], [1.0], [NAN]]), parsed=np.array([[1], [0], [1], [0]], bool))
    assert ParsedRate().estimate(data).value == pytest.approx(2 / 3)
