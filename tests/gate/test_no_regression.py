"""`no_regression`: fails by a test adjusted for the whole gate, and passes for want of evidence alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from regrade.stats import mcnemar_drop
from regrade.verdicts import Verdict

Judged = Callable[..., list[Verdict]]
RULE = "no_regression accuracy"


def pair(arm: Any, n: int, lost: int, won: int, **more: Any) -> tuple[Any, Any]:
    """Return arms of n samples of which B loses and wins some."""
    a, b = np.ones(n), np.ones(n)
    b[:lost] = 0
    a[lost : lost + won] = 0
    return arm(a, run="old", **more), arm(b, run="new", **more)


@pytest.mark.parametrize(("lost", "won"), [(4, 0), (12, 4), (20, 9), (9, 20), (46, 28), (0, 6)])
def test_right_or_wrong_is_mcnemars_midp(arm: Any, judged: Judged, lost: int, won: int) -> None:
    """0/1, one repeat: p is P(X > b) + P(X = b)/2 of fair coins, and the verdict follows it alone."""
    (found,) = judged(RULE, *pair(arm, 200, lost, won))
    p = binom.sf(lost, lost + won, 0.5) + binom.pmf(lost, lost + won, 0.5) / 2
    assert found.p == pytest.approx(p, abs=1e-12)
    assert found.outcome == ("FAIL" if p <= 0.05 else "PASS")
    assert (found.losses, found.wins, found.n) == (lost, won, 200)
    assert found.difference == pytest.approx((won - lost) / 200)


def test_three_losses_cannot_fail_and_four_do(arm: Any, judged: Judged) -> None:
    """Four discordant samples are the fewest that a test at 5 % can fail by: p = 1/32."""
    assert [one.outcome for one in judged(RULE, *pair(arm, 60, 3, 0))] == ["PASS"]
    (found,) = judged(RULE, *pair(arm, 60, 4, 0))
    assert [found.outcome, found.p] == ["FAIL", pytest.approx(1 / 32)]


def test_no_discordant_sample_passes_and_says_what_it_could_have_missed(arm: Any, judged: Judged) -> None:
    """Without a difference p is 1, never 0/0, and the drop that could have been shown is about 5.5/n."""
    (found,) = judged(RULE, *pair(arm, 200, 0, 0))
    assert (found.outcome, found.cause, found.p) == ("PASS", "not_shown", 1.0)
    assert found.detectable == pytest.approx(5.5 / 200, rel=0.02)


def test_the_drop_that_would_have_been_shown_knows_its_family(arm: Any, judged: Judged) -> None:
    """Among six rules a FAIL may need a p of 5/6 %, and the drop stated is the one that gives it."""
    found = judged([RULE] * 6, *pair(arm, 200, 0, 0))
    assert {one.family for one in found} == {6}
    drop = mcnemar_drop(200, 0, 0.05 / 6, 0.8)
    assert [one.detectable for one in found] == [pytest.approx(drop)] * 6
    assert drop is not None
    assert drop > 1.4 * 5.5 / 200


@pytest.mark.parametrize(("n", "needed"), [(1, 4), (2, 4), (3, 4)])
def test_fewer_than_four_samples_decide_nothing(arm: Any, judged: Judged, n: int, needed: int) -> None:
    """So few that not even losses alone could fail: INCONCLUSIVE with the number that could, never a PASS."""
    (found,) = judged(RULE, *pair(arm, n, 0, 0))
    assert (found.outcome, found.cause, found.needed) == ("INCONCLUSIVE", "too_few", needed)
    (found,) = judged(RULE, *pair(arm, needed, needed, 0))
    assert found.outcome == "FAIL"


def test_the_fewest_samples_grow_with_the_family(arm: Any, judged: Judged) -> None:
    """Five rules need a p of 1 %, which four samples cannot give: six are asked for, and six can."""
    rules = [RULE, *[f"no_regression accuracy models=m{n}" for n in range(4)]]
    arms = [pair(arm, 4, 4, 0), *(pair(arm, 100, 0, 0, model=f"m{n}") for n in range(4))]
    a, b = [list(side) for side in zip(*arms, strict=True)]
    rules[0] += " models=m"
    found = judged(rules, a, b)[0]
    assert (found.family, found.outcome, found.needed) == (5, "INCONCLUSIVE", 6)
    arms[0] = pair(arm, 6, 6, 0)
    a, b = [list(side) for side in zip(*arms, strict=True)]
    assert judged(rules, a, b)[0].outcome == "FAIL"


def test_holm_runs_over_every_rule_that_can_fail(arm: Any, judged: Judged) -> None:
    """Alpha belongs to the gate: p = .031 fails alone and passes among two, and the verdict says so."""
    worse, same = pair(arm, 60, 4, 0), pair(arm, 60, 0, 0, model="other")
    (alone,) = judged(RULE, *worse)
    assert alone.outcome == "FAIL"
    found, _ = judged(RULE, [worse[0], same[0]], [worse[1], same[1]])
    assert [found.outcome, found.p_adjusted, found.family] == ["PASS", pytest.approx(1 / 16), 2]
    assert any("alone it would have failed" in note for note in found.notes)


def test_rules_that_cannot_fail_by_a_test_are_no_part_of_the_family(arm: Any, judged: Judged) -> None:
    """A limit on the value alone has no p, so it takes nothing of alpha from the others."""
    found, limit = judged([RULE, "at_least accuracy 0.5"], *pair(arm, 60, 4, 0))
    assert (found.outcome, found.family) == ("FAIL", 1)
    assert (limit.p, limit.p_adjusted, limit.family) == (None, None, 0)


def test_repeats_and_grades_are_tested_by_sign_flips(arm: Any, judged: Judged) -> None:
    """Nine differences in thirds give mid-p 0.1523, worked out over all 2^7 patterns."""
    thirds = np.array([-3, -2, -1, -1, 2, -1, 1, 0, 0]) / 3
    a = np.full((9, 3), 1.0)
    a[thirds > 0] = 0
    b = np.array([[k < round(3 * mean) for k in range(3)] for mean in a.mean(axis=1) + thirds])
    (found,) = judged(RULE, arm(a), arm(b.astype(float)))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 7)).reshape(7, -1)
    sums = np.abs(thirds[thirds != 0]) @ signs
    observed = thirds.sum()
    p = (sums < observed - 1e-9).mean() + (np.abs(sums - observed) < 1e-9).mean() / 2
    assert found.p == pytest.approx(p, abs=1e-12)
    assert "sign-flip" in found.method


def test_repeats_of_right_or_wrong_equal_one_repeat(arm: Any, judged: Judged) -> None:
    """Every answer given three times over changes neither p nor interval: the sample is the unit."""
    once = pair(arm, 80, 12, 3)
    thrice = [arm(np.repeat(one.measures[0].data.values, 3, axis=1)) for one in once]
    first, second = judged(RULE, *once)[0], judged(RULE, *thrice)[0]
    for name in ("p", "low", "high", "difference", "n", "wins", "losses", "detectable"):
        assert getattr(first, name) == getattr(second, name)


def test_many_small_losses_are_pointed_at(arm: Any, judged: Judged) -> None:
    """Where the bounded routine does not see the drop that the signs see, the verdict says why."""
    b = np.full(30, 0.98)
    (found,) = judged(
        "no_regression mean", *(arm(x, metric="mean") for x in (np.ones(30), b - 0.001 * np.arange(30)))
    )
    assert found.outcome == "FAIL"
    assert found.high is not None
    assert found.high > 0
    assert any("many small losses" in note for note in found.notes)


def test_whole_clusters_are_flipped_with_plain_p(arm: Any, judged: Judged) -> None:
    """Five clusters that all lose give 1/32; fewer are INCONCLUSIVE with the number needed."""
    values = np.ones(20), np.zeros(20)
    (found,) = judged(RULE, *(arm(x, clusters=np.arange(20) // 4) for x in values))
    assert [found.outcome, found.p] == ["FAIL", pytest.approx(1 / 32)]
    assert any("rough: 5 clusters" in note for note in found.notes)
    (found,) = judged(RULE, *(arm(x, clusters=np.arange(20) // 5) for x in values))
    assert (found.outcome, found.cause, found.needed) == ("INCONCLUSIVE", "too_few", 5)


def test_clusters_of_one_sample_are_samples(arm: Any, judged: Judged) -> None:
    """Where no two samples share a source the clusters change nothing."""
    a, b = np.ones(50), np.r_[np.zeros(6), np.ones(44)]
    plain, clustered = (
        judged(RULE, arm(a), arm(b)),
        judged(RULE, *(arm(x, clusters=np.arange(50)) for x in (a, b))),
    )
    assert [(one.p, one.low, one.high, one.method) for one in plain] == [
        (one.p, one.low, one.high, one.method) for one in clustered
    ]


def test_an_unbounded_metric_needs_thirty_samples(arm: Any, judged: Judged) -> None:
    """29 are INCONCLUSIVE whatever they show, 30 are tested by sign-flips."""
    random = np.random.default_rng(1)
    a = random.normal(100, 5, 30)
    open_ended = {"metric": "mean", "bounds": None}
    (few,) = judged("no_regression mean", arm(a[:29], **open_ended), arm(a[:29] - 9, **open_ended))
    assert (few.outcome, few.cause, few.needed) == ("INCONCLUSIVE", "too_few", 30)
    (enough,) = judged(
        "no_regression mean", arm(a, **open_ended), arm(a - random.uniform(8, 9, 30), **open_ended)
    )
    assert enough.outcome == "FAIL"


def test_a_metric_that_is_no_mean_needs_a_hundred_samples(arm: Any, judged: Judged) -> None:
    """Macro-F1 is INCONCLUSIVE below 100 samples and tested by exchanging answers from there on."""
    expected = np.array(["x", "y"])[np.arange(100) % 2]
    wrong = np.array(["y", "x"])[np.arange(100) % 2]
    b = np.where(np.arange(100) < 20, wrong, expected)

    def of(labels: Any, n: int) -> Any:
        return arm(np.full(n, np.nan), metric="macro_f1", labels=labels[:n], expected=expected[:n])

    (few,) = judged("no_regression macro_f1", of(expected, 99), of(b, 99))
    assert (few.outcome, few.cause, few.needed) == ("INCONCLUSIVE", "too_few", 100)
    (enough,) = judged("no_regression macro_f1", of(expected, 100), of(b, 100))
    assert (enough.outcome, enough.n) == ("FAIL", 100)
    assert enough.difference == pytest.approx(-0.2)


def test_lower_is_better_turns_the_test_around(arm: Any, judged: Judged) -> None:
    """A rise of a metric that should be low fails; the shown difference keeps its natural sign."""
    a, b = pair(arm, 60, 0, 8, metric="mean", better="lower")
    (found,) = judged("no_regression mean", a, b)
    assert [found.outcome, found.difference] == ["FAIL", pytest.approx(8 / 60)]
    assert found.low is not None
    assert found.low > 0
    assert [one.outcome for one in judged("no_regression mean", b, a)] == ["PASS"]
