"""What failed requests and answers without a score do to a verdict."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regrade.verdicts import Verdict

Judged = Callable[..., list[Verdict]]
NO_REGRESSION = "no_regression accuracy"


def first(n: int, count: int) -> Any:
    """Return flags of n samples, the first so many set."""
    return np.arange(n) < count


def test_failures_are_left_out_and_never_wrong_answers(arm: Any, judged: Judged) -> None:
    """Values are over the samples that both answered; the others are counted beside them."""
    b = np.r_[np.ones(50), np.zeros(50)]
    (found,) = judged(NO_REGRESSION, arm(np.ones(100)), arm(b, failed=first(100, 10)))
    assert (found.n, found.missing, found.value_a) == (90, 10, 1.0)
    assert found.value_b == pytest.approx(40 / 90)


@pytest.mark.parametrize("rule", [NO_REGRESSION, "non_inferior accuracy 0.05"])
def test_a_pass_that_the_worst_case_would_undo_is_inconclusive(arm: Any, judged: Judged, rule: str) -> None:
    """Twelve failures of each side would fail the rule as losses; ignored they do not."""
    n = 400
    a, b = arm(np.ones(n), failed=first(n, 12)), arm(np.ones(n), failed=first(n, 12)[::-1])
    (found,) = judged(rule, a, b)
    assert (found.outcome, found.cause, found.missing) == ("INCONCLUSIVE", "missing", 24)
    (found,) = judged(rule, a, b, missing="ignore")
    assert found.outcome == "PASS"


@pytest.mark.parametrize("rule", [NO_REGRESSION, "non_inferior accuracy 0.05"])
def test_failures_too_few_to_matter_leave_the_pass(arm: Any, judged: Judged, rule: str) -> None:
    """Two missing samples of 400 cannot undo a PASS."""
    (found,) = judged(rule, arm(np.ones(400)), arm(np.ones(400), failed=first(400, 2)))
    assert (found.outcome, found.missing) == ("PASS", 2)


def test_failures_on_one_side_are_uneven(arm: Any, judged: Judged) -> None:
    """A gain that survives the worst case is no PASS where one side alone failed."""
    a = np.r_[np.zeros(100), np.ones(100)]
    (found,) = judged(NO_REGRESSION, arm(a), arm(np.ones(200), failed=first(200, 8)))
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "uneven")
    assert any("not spread alike" in note for note in found.notes)
    (found,) = judged(NO_REGRESSION, arm(a), arm(np.ones(200), failed=first(200, 8)), missing="ignore")
    assert found.outcome == "PASS"


def test_missing_samples_never_soften_a_fail(arm: Any, judged: Judged) -> None:
    """What was answered fails by itself; failures beside it change nothing of that."""
    b = np.r_[np.ones(90), np.zeros(10)]
    (found,) = judged(NO_REGRESSION, arm(np.ones(100)), arm(b, failed=first(100, 30)))
    assert found.outcome == "FAIL"


def test_fewer_failures_than_before_is_no_uneven_missingness(arm: Any, judged: Judged) -> None:
    """The failure rate is known of every request: twenty failures less are an improvement, and it passes."""
    (found,) = judged(
        "no_regression failure_rate", arm(np.ones(100), failed=first(100, 20)), arm(np.ones(100))
    )
    assert (found.outcome, found.missing, found.value_a, found.value_b) == ("PASS", 0, 0.2, 0.0)


def test_more_failures_than_before_fail_the_failure_rate(arm: Any, judged: Judged) -> None:
    """A rise of the failure rate is a regression like any other, with its natural sign."""
    (found,) = judged(
        "no_regression failure_rate", arm(np.ones(100)), arm(np.ones(100), failed=first(100, 20))
    )
    assert [found.outcome, found.difference] == ["FAIL", pytest.approx(0.2)]


@pytest.mark.parametrize("kind", ["request", "scorer"])
def test_repeats_that_failed_among_others_count_in_the_worst_case(
    arm: Any, judged: Judged, kind: str
) -> None:
    """One of three answers missing, by its request or its scorer: the worst case takes it for wrong."""
    gaps = np.zeros((60, 3), dtype=bool)
    gaps[:20, 0] = True
    b = arm(np.ones((60, 3)), failed=gaps) if kind == "request" else arm(np.where(gaps, np.nan, 1.0))
    (found,) = judged(NO_REGRESSION, arm(np.ones((60, 3))), b)
    assert (found.n, found.outcome, found.cause, found.missing) == (60, "INCONCLUSIVE", "missing", 20)
    (found,) = judged(NO_REGRESSION, arm(np.ones((60, 3))), b, missing="ignore")
    assert found.outcome == "PASS"


def test_a_threshold_on_scores_without_a_range_has_a_worst_case_too(arm: Any, judged: Judged) -> None:
    """Accuracy is bounded even where its scores are not: a missing repeat is a wrong answer at worst."""
    gaps = np.zeros((60, 3), dtype=bool)
    gaps[:20, 0] = True
    a, b = (arm(np.ones((60, 3)), bounds=None, failed=one) for one in (None, gaps))
    (found,) = judged(NO_REGRESSION, a, b)
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "missing")


def test_the_worst_case_of_labels_is_reckoned(arm: Any, judged: Judged) -> None:
    """For a metric that is no mean, a sample without an answer counts as right before and wrong now."""
    expected = np.array(["x", "y"])[np.arange(200) % 2]

    def of(failed: Any) -> Any:
        none = np.full(200, np.nan)
        return arm(none, metric="macro_f1", labels=expected, expected=expected, failed=failed)

    a, b = of(first(200, 15)), of(first(200, 15)[::-1])
    (found,) = judged("no_regression macro_f1", a, b)
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "missing")
    (found,) = judged("no_regression macro_f1", a, b, missing="ignore")
    assert found.outcome == "PASS"


def test_the_worst_case_of_labels_reckons_with_missing_repeats(arm: Any, judged: Judged) -> None:
    """A repeat of B that failed among others that were right counts as one without a label."""
    expected = np.array(["x", "y"])[np.arange(200) % 2]
    labels = np.repeat(expected[:, None], 2, axis=1)

    def of(failed: Any) -> Any:
        none = np.full((200, 2), np.nan)
        return arm(none, metric="macro_f1", labels=labels, expected=expected, failed=failed)

    gaps = np.zeros((200, 2), dtype=bool)
    gaps[:40, 1] = True
    (found,) = judged("non_inferior macro_f1 0.05", of(None), of(gaps))
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "missing")


def test_what_nothing_bounds_may_have_lost_as_much_as_was_gained(arm: Any, judged: Judged) -> None:
    """Missing values of an unbounded metric count as losses of the largest size that was seen."""
    a, b = (
        arm(np.full(60, value), metric="mean", bounds=None, failed=failed)
        for value, failed in ((1.0, None), (2.0, first(60, 20)))
    )
    (found,) = judged("non_inferior mean 0.1", a, b)
    assert found.outcome == "PASS"  # 40 gains of 1 outweigh 20 losses of 1 still
    few = arm(np.full(60, 2.0), metric="mean", bounds=None, failed=first(60, 35))
    (found,) = judged("non_inferior mean 0.1", a, few)
    assert found.outcome == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("rule", "good"),
    [("at_least accuracy 0.9", 1.0), ("at_most accuracy 0.1", 0.0), ("at_least accuracy 0.9 confident", 1.0)],
)
def test_a_limit_kept_by_what_was_answered_alone_is_inconclusive(
    arm: Any, judged: Judged, rule: str, good: float
) -> None:
    """Half of the answers are missing: were they on the wrong side, the limit would not hold."""
    b = arm(np.full(200, good), failed=first(200, 100))
    (found,) = judged(rule, None, b)
    assert (found.outcome, found.cause, found.missing) == ("INCONCLUSIVE", "missing", 100)
    (found,) = judged(rule, None, b, missing="ignore")
    assert found.outcome == "PASS"


def test_a_limit_reckons_with_repeats_that_are_missing(arm: Any, judged: Judged) -> None:
    """One of three answers to each sample is missing: at worst two thirds are right, not all."""
    gaps = np.zeros((60, 3), dtype=bool)
    gaps[:, 0] = True
    b = arm(np.ones((60, 3)), failed=gaps)
    (found,) = judged("at_least accuracy 0.9", None, b)
    assert (found.outcome, found.cause, found.missing) == ("INCONCLUSIVE", "missing", 60)
    assert judged("at_least accuracy 0.66", None, b)[0].outcome == "PASS"
    assert judged("at_least accuracy 0.9", None, b, missing="ignore")[0].outcome == "PASS"


@pytest.mark.parametrize(
    ("rule", "outcome"), [("at_least macro_f1 0.9", "INCONCLUSIVE"), ("at_least macro_f1 0.2", "PASS")]
)
def test_a_limit_on_a_metric_of_labels_has_a_worst_case(
    arm: Any, judged: Judged, rule: str, outcome: str
) -> None:
    """Half of the answers are missing: at worst macro-F1 is two thirds."""
    expected = np.array(["x", "y"])[np.arange(200) % 2]
    none = np.full(200, np.nan)
    b = arm(none, metric="macro_f1", labels=expected, expected=expected, failed=first(200, 100))
    assert judged(rule, None, b)[0].outcome == outcome
    assert judged(rule, None, b, missing="ignore")[0].outcome == "PASS"
