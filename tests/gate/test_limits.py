"""`at_least` and `at_most`: a value, or with `confident` its whole interval, against a limit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from regrade.arms import Arm, Measure
from regrade.types import MetricInput
from regrade.verdicts import Verdict

Judged = Callable[..., list[Verdict]]


def right(arm: Any, n: int, count: int) -> Arm:
    """Return an arm of n samples of which so many are right."""
    return arm((np.arange(n) < count).astype(float))  # type: ignore[no-any-return] # a fixture


def timed(arm: Any, seconds: Any) -> Arm:
    """Return an arm whose answers took so long."""
    found = right(arm, len(seconds), len(seconds))
    values = np.asarray(seconds, dtype=float)[:, None]
    latency = Measure("", "latency_mean", "lower", None, MetricInput(values, None))
    return replace(found, measures=(*found.measures, latency))


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("at_least accuracy 0.8", "PASS"),
        ("at_least accuracy 0.80001", "FAIL"),
        ("at_most accuracy 0.8", "PASS"),
        ("at_most accuracy 0.79999", "FAIL"),
        ("at_least accuracy 80%", "PASS"),
        ("at_least right 0.8", "PASS"),
        ("at_least right.accuracy value=0.8", "PASS"),
    ],
)
def test_the_value_alone_may_stand_at_its_limit(arm: Any, judged: Judged, rule: str, outcome: str) -> None:
    """Forty of fifty are 80 %: at the limit that passes, beyond it that fails, and neither has a p."""
    (found,) = judged(rule, None, right(arm, 50, 40))
    assert (found.outcome, found.p, found.value_b, found.n) == (outcome, None, 0.8, 50)


@pytest.mark.parametrize(
    ("count", "rule", "outcome"),
    [
        (190, "at_least accuracy 0.9 confident", "PASS"),
        (180, "at_least accuracy 0.9 confident", "INCONCLUSIVE"),
        (160, "at_least accuracy 0.9 confident", "FAIL"),
        (10, "at_most accuracy 0.1 confident", "PASS"),
        (20, "at_most accuracy 0.1 confident", "INCONCLUSIVE"),
        (40, "at_most accuracy 0.1 confident", "FAIL"),
    ],
)
def test_confident_holds_the_interval_against_it(
    arm: Any, judged: Judged, count: int, rule: str, outcome: str
) -> None:
    """The ends are Wilson's at 90 %; p of the FAIL is the alpha at which the end meets the limit."""
    (found,) = judged(rule, None, right(arm, 200, count))
    low, high = proportion_confint(count, 200, 0.1, method="wilson")
    assert [found.low, found.high] == [pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6)]
    assert found.outcome == outcome
    if outcome == "FAIL":
        assert found.p is not None
        ends = proportion_confint(count, 200, 2 * found.p, method="wilson")
        assert min(abs(end - (found.rule.value or 0)) for end in ends) < 1e-4


def test_an_undecided_limit_names_the_samples_needed(arm: Any, judged: Judged) -> None:
    """95 of 100 against 90 %: about so many more samples of the same kind decide."""
    (found,) = judged("at_least accuracy 0.92 confident", None, right(arm, 100, 95))
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "undecided")
    assert found.needed is not None
    times = int(np.ceil(found.needed / 100)) + 1
    (more,) = judged("at_least accuracy 0.92 confident", None, right(arm, 100 * times, 95 * times))
    assert more.outcome == "PASS"


def test_confident_limits_share_alpha_with_the_other_tests(arm: Any, judged: Judged) -> None:
    """A limit that fails alone at p between 2.5 and 5 % does not among two."""
    b = right(arm, 100, 85)
    (alone,) = judged("at_least accuracy 0.9 confident", None, b)
    assert alone.p is not None
    assert 0.025 < alone.p < 0.05
    assert alone.outcome == "FAIL"
    both = judged(["at_least accuracy 0.9 confident"] * 2, None, b)
    assert [(one.outcome, one.family) for one in both] == [("INCONCLUSIVE", 2)] * 2


def test_a_p95_of_few_answers_has_no_upper_bound(arm: Any, judged: Judged) -> None:
    """Below 59 samples nothing bounds p95 from above: INCONCLUSIVE with that number, and with 59 a PASS."""
    rule = "at_most latency_p95 5 confident"
    (found,) = judged(rule, None, timed(arm, np.linspace(0.1, 1, 58)))
    assert (found.outcome, found.cause, found.needed) == ("INCONCLUSIVE", "too_few", 59)
    (found,) = judged(rule, None, timed(arm, np.linspace(0.1, 1, 59)))
    assert (found.outcome, found.cause) == ("PASS", "within")


def test_a_p95_surely_beyond_its_limit_fails_with_few_answers(arm: Any, judged: Judged) -> None:
    """Twenty answers of which each took five seconds leave no doubt that p95 is above one."""
    (found,) = judged("at_most latency_p95 1 confident", None, timed(arm, np.full(20, 5.0)))
    assert (found.outcome, found.cause) == ("FAIL", "beyond")


def test_quantiles_and_means_of_the_requests(arm: Any, judged: Judged) -> None:
    """latency_p50, latency_p95 and latency_mean are those of the answers."""
    seconds = np.arange(1, 101) / 10
    b = timed(arm, seconds)
    for name, value in (
        ("latency_p50", np.quantile(seconds, 0.5)),
        ("latency_p95", np.quantile(seconds, 0.95)),
        ("latency_mean", seconds.mean()),
    ):
        (found,) = judged(f"at_most {name} 100", None, b)
        assert (found.outcome, found.metric) == ("PASS", name)
        assert found.value_b == pytest.approx(float(value))


def test_the_failure_rate_has_a_limit(arm: Any, judged: Judged) -> None:
    """Two failures of a hundred are above one percent, and not surely so."""
    b = arm(np.ones(100), failed=np.arange(100) < 2)
    assert judged("at_most failure_rate 1%", None, b)[0].outcome == "FAIL"
    assert judged("at_most failure_rate 1% confident", None, b)[0].outcome == "INCONCLUSIVE"
    assert judged("at_most failure_rate 2%", None, b)[0].outcome == "PASS"


def test_one_sample_has_no_interval_of_an_unbounded_score(arm: Any, judged: Judged) -> None:
    """A confident limit on it is INCONCLUSIVE, and two samples are the fewest that have one."""
    (found,) = judged("at_least mean 1 confident", None, arm([3.0], metric="mean", bounds=None))
    assert (found.outcome, found.cause, found.needed) == ("INCONCLUSIVE", "too_few", 2)


def test_a_slice_is_judged_by_its_own_samples(arm: Any, judged: Judged) -> None:
    """Samples of other channels do not count."""
    b = arm([1, 1, 1, 0], slices={"channel": ["mail", "mail", "chat", "chat"]})
    (mail,) = judged("at_least accuracy 0.9 channel=mail", None, b)
    (chat,) = judged("at_least accuracy 0.9 channel=chat", None, b)
    assert [(one.outcome, one.n) for one in (mail, chat)] == [("PASS", 2), ("FAIL", 2)]


def test_a_quantile_is_no_metric_of_single_samples(arm: Any, refused: Callable[..., str]) -> None:
    """`no_regression latency_p95` names what can be tested in its place."""
    b = timed(arm, np.ones(60))
    said = refused("no_regression latency_p95", b, b)
    assert "no test speaks of latency_p95" in said
    assert "latency_mean" in said


@pytest.mark.parametrize(
    "rule", ["at_most failure_rate 5", "at_least accuracy 90", "at_most accuracy -0.1", "at_least right 1.01"]
)
def test_a_limit_that_no_value_reaches_is_refused(arm: Any, refused: Callable[..., str], rule: str) -> None:
    """Five for five percent would pass always, 90 for 90 percent never."""
    said = refused(rule, None, right(arm, 50, 40))
    assert "goes from 0 to 1" in said
    assert said.endswith("shares go from 0 to 1: 0.05, or 5 %")


def test_a_limit_lies_within_a_declared_range(arm: Any, judged: Judged, refused: Callable[..., str]) -> None:
    """Grades from 1 to 5 take 3 and no 0; a limit at an end is none too far, and seconds have no end."""
    grades = arm([4.0] * 9, metric="mean", bounds=(1.0, 5.0))
    assert "goes from 1 to 5" in refused("at_least mean 0", None, grades)
    assert judged(["at_least mean 3", "at_least mean 1"], None, grades)[0].outcome == "PASS"
    assert judged("at_most failure_rate 0", None, grades)[0].outcome == "PASS"
    assert judged("at_most latency_p95 900", None, timed(arm, np.ones(60)))[0].outcome == "PASS"
