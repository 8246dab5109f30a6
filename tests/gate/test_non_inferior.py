"""`non_inferior`: passes when the interval excludes a loss of the margin, the unseen reckoned with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from regrade.report.verdicts import needed_sentence
from regrade.stats import bounded_mean_interval
from regrade.verdicts import Verdict

Judged = Callable[..., list[Verdict]]


def rule(margin: float, metric: str = "accuracy") -> str:
    """Return a rule as the command line writes it."""
    return f"non_inferior {metric} margin={margin}"


def pair(arm: Any, n: int, lost: int, won: int, **more: Any) -> tuple[Any, Any]:
    """Return arms of n samples of which B loses and wins some."""
    a, b = np.ones(n), np.ones(n)
    b[:lost] = 0
    a[lost : lost + won] = 0
    return arm(a, run="old", **more), arm(b, run="new", **more)


def test_the_interval_is_the_wider_of_tangos_and_t_at_level_one_minus_two_alpha(
    arm: Any, judged: Judged
) -> None:
    """Sixty equal answers give +-4.31 points at 90 %; at alpha .01 the interval has 98 %."""
    (found,) = judged(rule(0.1), *pair(arm, 60, 0, 0))
    assert [found.low, found.high] == [pytest.approx(-0.0431, abs=5e-5), pytest.approx(0.0431, abs=5e-5)]
    d = np.r_[-np.ones(12), np.ones(9), np.zeros(279)]
    (found,) = judged(rule(0.1), *pair(arm, 300, 12, 9), alpha=0.01)
    low, high = bounded_mean_interval(d, -1.0, 1.0, 0.98)
    half = 2.3389 * d.std(ddof=1) / np.sqrt(300)  # t(299) at 99 %
    assert found.low == pytest.approx(min(low, d.mean() - half), abs=1e-5)
    assert found.high == pytest.approx(max(high, d.mean() + half), abs=1e-5)
    assert found.level == 0.98


@pytest.mark.parametrize(("margin", "needed"), [(0.05, 59), (0.02, 149)])
def test_rare_breaks_need_n_to_be_seen(arm: Any, judged: Judged, margin: float, needed: int) -> None:
    """59 samples at .05, 149 at .02: below that an equal model cannot PASS, and the number is given."""
    (found,) = judged(rule(margin), *pair(arm, needed - 1, 0, 0))
    assert found.outcome == "INCONCLUSIVE"
    assert found.needed == needed
    assert (1 - margin) ** needed <= 0.05 < (1 - margin) ** (needed - 1)
    (found,) = judged(rule(margin), *pair(arm, needed, 0, 0))
    assert (found.outcome, found.cause) == ("PASS", "above_margin")


@pytest.mark.parametrize("n", [4, 20, 58])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_equal_models_are_told_the_very_number_that_decides(
    arm: Any, judged: Judged, n: int, alpha: float
) -> None:
    """Whatever the number at hand, the one that is named passes and one less does not."""
    (found,) = judged(rule(0.05), *pair(arm, n, 0, 0), alpha=alpha)
    assert found.outcome == "INCONCLUSIVE"
    assert found.needed is not None
    outcomes = [
        judged(rule(0.05), *pair(arm, m, 0, 0), alpha=alpha)[0].outcome
        for m in (found.needed - 1, found.needed)
    ]
    assert outcomes == ["INCONCLUSIVE", "PASS"]


def test_a_visible_gain_passes_without_them(arm: Any, judged: Judged) -> None:
    """A lower bound above 0 is a gain, and a gain needs no number of samples."""
    (found,) = judged(rule(0.05), *pair(arm, 40, 0, 20))
    assert (found.outcome, found.low is not None and found.low > 0) == ("PASS", True)


def test_a_loss_beyond_the_margin_fails(arm: Any, judged: Judged) -> None:
    """The upper bound lies below -margin; p is the smallest alpha at which it does."""
    (found,) = judged(rule(0.05), *pair(arm, 200, 40, 0))
    assert (found.outcome, found.cause) == ("FAIL", "below_margin")
    assert found.high is not None
    assert found.p is not None
    assert found.high < -0.05
    (again,) = judged(rule(0.05), *pair(arm, 200, 40, 0), alpha=found.p * 1.01)
    assert again.high == pytest.approx(-0.05, abs=1e-3)


def test_a_margin_inside_of_the_interval_is_undecided_with_the_samples_needed(
    arm: Any, judged: Judged
) -> None:
    """So many samples more, the figures staying as they are, do decide."""
    (found,) = judged(rule(0.05), *pair(arm, 100, 6, 5))
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "undecided")
    assert found.needed is not None
    times = int(np.ceil(found.needed / 100)) + 1
    (more,) = judged(rule(0.05), *pair(arm, 100 * times, 6 * times, 5 * times))
    assert more.outcome == "PASS"


def test_no_correction_for_passes_and_holm_for_fails(arm: Any, judged: Judged) -> None:
    """Two rules that pass by an interval both pass as if alone; two that fail share alpha."""
    alone = judged(rule(0.05), *pair(arm, 59, 0, 0))[0]
    a, b = zip(*(pair(arm, 59, 0, 0, model=name) for name in "xyz"), strict=True)
    assert [one.outcome for one in judged(rule(0.05), list(a), list(b))] == [alone.outcome] * 3
    worse = judged(rule(0.05), *pair(arm, 100, 11, 0))[0]
    assert worse.p is not None
    assert 0.025 < worse.p <= 0.05, "the case needs a p that fails alone and not in a family"
    a, b = zip(*(pair(arm, 100, 11, 0, model=name) for name in "xy"), strict=True)
    assert worse.outcome == "FAIL"
    both = judged([rule(0.05), rule(0.05)], *pair(arm, 100, 11, 0))
    assert {one.outcome for one in both} == {"INCONCLUSIVE"}
    assert both[0].p_adjusted == pytest.approx(2 * worse.p)


def test_repeats_are_bounded_like_single_answers(arm: Any, judged: Judged) -> None:
    """Every answer three times over changes nothing: neither interval nor verdict."""
    once = pair(arm, 150, 3, 2)
    thrice = [arm(np.repeat(one.measures[0].data.values, 3, axis=1)) for one in once]
    first, second = judged(rule(0.1), *once)[0], judged(rule(0.1), *thrice)[0]
    assert (first.low, first.high, first.outcome, first.p) == (
        second.low,
        second.high,
        second.outcome,
        second.p,
    )


@pytest.mark.parametrize(
    ("clusters", "outcome"), [("guarded", "INCONCLUSIVE"), ("typical", "PASS")], ids=["guarded", "typical"]
)
def test_clusters_that_were_not_drawn(arm: Any, judged: Judged, clusters: str, outcome: str) -> None:
    """Twenty clusters could hide a broken one: guarded does not pass, typical takes CR2 alone and warns."""
    a, b = np.ones(200), np.ones(200)
    a[::20], b[15::20] = 0, 0  # one gain in every other cluster, one loss in the others
    own = np.arange(200) // 10
    (found,) = judged(rule(0.1), arm(a, clusters=own), arm(b, clusters=own), clusters=clusters)
    assert found.outcome == outcome
    assert any("not drawn" in note for note in found.notes) == (clusters == "typical")


def test_clusters_fail_by_cr2(arm: Any, judged: Judged) -> None:
    """Twenty clusters that each lose three to five of ten answers fail a margin of 10 points."""
    b = np.ones(200)
    for cluster in range(20):
        b[10 * cluster : 10 * cluster + 3 + cluster % 3] = 0
    own = np.arange(200) // 10
    (found,) = judged(rule(0.1), arm(np.ones(200), clusters=own), arm(b, clusters=own))
    assert (found.outcome, "CR2" in found.method) == ("FAIL", True)


def test_unbounded_takes_t_and_warns_at_any_n(arm: Any, judged: Judged) -> None:
    """t(n - 1) from thirty samples on, with a warning that nothing bounds what was not seen."""
    random = np.random.default_rng(2)
    a = random.normal(100, 5, 40)
    d = random.normal(0, 1, 40)
    arms = [arm(x, metric="mean", bounds=None) for x in (a, a + d)]
    (found,) = judged(rule(2, "mean"), *arms)
    half = 1.684875 * d.std(ddof=1) / np.sqrt(40)  # t(39) at 95 %
    assert [found.low, found.high] == [
        pytest.approx(d.mean() - half, abs=1e-5),
        pytest.approx(d.mean() + half, abs=1e-5),
    ]
    assert found.outcome == "PASS"
    assert any("nothing bounds" in note for note in found.notes)
    few = [arm(x[:29], metric="mean", bounds=None) for x in (a, a + d)]
    (found,) = judged(rule(2, "mean"), *few)
    assert (found.outcome, found.cause, found.needed) == ("INCONCLUSIVE", "too_few", 30)


def test_labels_take_a_bootstrap_from_a_hundred_samples_on(arm: Any, judged: Judged) -> None:
    """Macro-F1 of 300 equal answers passes a margin of 5 points, of 90 it is INCONCLUSIVE."""
    expected = np.array(["x", "y"])[np.arange(300) % 2]
    b = np.where(np.arange(300) < 3, "z", expected)

    def of(labels: Any, n: int) -> Any:
        return arm(np.full(n, np.nan), metric="macro_f1", labels=labels[:n], expected=expected[:n])

    (found,) = judged(rule(0.05, "macro_f1"), of(expected, 300), of(expected, 300))
    assert found.outcome == "PASS"
    (few,) = judged(rule(0.05, "macro_f1"), of(expected, 90), of(b, 90))
    assert (few.outcome, few.cause, few.needed) == ("INCONCLUSIVE", "too_few", 100)
    (worse,) = judged(
        rule(0.05, "macro_f1"), of(expected, 300), of(np.where(np.arange(300) < 90, "z", expected), 300)
    )
    assert worse.outcome == "FAIL"


def test_a_margin_as_large_as_the_range_is_refused(arm: Any, refused: Callable[..., str]) -> None:
    """A margin that nothing could break is no rule."""
    assert "as large as the range" in refused(rule(1), *pair(arm, 60, 0, 0))


def test_what_would_decide_is_counted_in_clusters(arm: Any, judged: Judged) -> None:
    """Twenty equal clusters and a margin of 5 points: the number needed is of clusters, and enough."""
    own = np.arange(100) // 5
    (found,) = judged(rule(0.05), *(arm(np.ones(100), clusters=own) for _ in "ab"))
    assert (found.outcome, found.cause) == ("INCONCLUSIVE", "undecided")
    assert found.needed is not None
    assert 59 <= found.needed < 150
    assert f"{found.needed} clusters" in needed_sentence(found)
    many = np.arange(5 * found.needed) // 5
    (more,) = judged(rule(0.05), *(arm(np.ones(many.size), clusters=many) for _ in "ab"))
    assert more.outcome == "PASS"
