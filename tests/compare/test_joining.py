"""Which samples and which arms belong together, and what is said of those that do not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from regrade.arms import Arm
from regrade.compare import changes_of, compare_pairs, join, match_arms
from regrade.comparisons import Change, Comparison
from regrade.stats import mcnemar_drop, newcombe_independent, welch


def compared(a: Arm | list[Arm], b: Arm | list[Arm]) -> Comparison:
    """Compare arms as `regrade compare` does."""
    of_a, of_b = (one if isinstance(one, list) else [one] for one in (a, b))
    pairs, alone = match_arms(of_a, of_b)
    return compare_pairs(("A", "B"), [join(*pair) for pair in pairs], alone, 0.95, 0)


def first(a: Arm, b: Arm) -> Change:
    """Return the row of the first metric."""
    return changes_of([join(a, b)], 0.95, 0)[0]


def test_samples_join_by_id_and_content(arm: Any) -> None:
    """Only samples with the same id and fingerprint are compared; the others are counted by their reason."""
    a = arm(np.ones(10), ids=range(10))
    b = arm(np.zeros(10), ids=range(3, 13))
    b = replace(b, fingerprints=np.where(b.ids == 5, -1, b.fingerprints))
    joined = join(a, b)
    assert sorted(a.ids[joined.rows_a]) == sorted(b.ids[joined.rows_b]) == [3, 4, 6, 7, 8, 9]
    assert (joined.only_a, joined.only_b, joined.changed) == (3, 3, 1)


def test_what_was_left_out_is_said_with_its_reason(arm: Any) -> None:
    """A note counts the samples of A alone, of B alone, and those that changed their content."""
    a, b = arm(np.ones(10), ids=range(10)), arm(np.ones(10), ids=range(3, 13))
    b = replace(b, fingerprints=np.where(b.ids == 5, -1, b.fingerprints))
    said = " ".join(compared(a, b).notes)
    assert "6 samples" in said
    assert "3 are in A alone" in said
    assert "3 are in B alone" in said
    assert "another input or target" in said


def test_no_sample_in_both_is_compared_unpaired(arm: Any) -> None:
    """Without common samples: Welch's p and Newcombe's interval, wins and losses unknown, and marked so."""
    a = arm(np.r_[np.ones(60), np.zeros(20)], ids=range(80))
    b = arm(np.r_[np.ones(40), np.zeros(50)], ids=range(100, 190))
    found = first(a, b)
    assert found.p == pytest.approx(
        welch(a.measures[0].data.values[:, 0], b.measures[0].data.values[:, 0], 0.95).two_sided
    )
    assert [found.low, found.high] == pytest.approx(newcombe_independent(60, 80, 40, 90, 0.95))
    assert found.wins is None
    assert "unpaired" in found.note
    graded = first(
        *(replace(arm(np.linspace(0, 1, 9), metric="mean", ids=ids)) for ids in (range(9), range(9, 18)))
    )
    assert (graded.method, graded.difference) == ("Welch, unpaired", 0)


def test_one_sample_each_and_not_the_same_gives_no_figure(arm: Any) -> None:
    """Two lone values have no spread: a message in place of a number."""
    found = first(arm([1], ids=[1]), arm([0], ids=[2]))
    assert (found.p, found.low) == (None, None)
    assert "no sample is in both" in found.note


def test_one_common_sample_has_figures_and_proves_nothing(arm: Any) -> None:
    """N = 1: a difference, the widest of intervals, and a p that shows nothing."""
    found = first(arm([1]), arm([0]))
    assert (found.n, found.difference, found.losses) == (1, -1.0, 1)
    assert found.p is not None
    assert found.p >= 0.5
    assert found.se is None


def test_equal_arms_have_p_1(arm: Any) -> None:
    """Nothing differs: p is 1, the difference 0, and the interval has a width."""
    found = first(arm(np.ones(60)), arm(np.ones(60)))
    assert (found.p, found.difference, found.wins, found.losses, found.ties) == (1.0, 0.0, 0, 0, 60)
    assert found.low is not None
    assert found.low < 0


def test_all_failures_are_said_and_not_counted_as_wrong(arm: Any) -> None:
    """An arm without one value has a note in place of figures, and its failure rate is compared."""
    gone = np.ones(20, dtype=bool)
    rows = changes_of([join(arm(np.ones(20)), arm(np.ones(20), failed=gone))], 0.95, 0)
    assert (rows[0].p, rows[0].value_b, rows[0].missing_b) == (None, None, 20)
    assert "no common sample has a value" in rows[0].note
    assert (rows[1].metric, rows[1].difference, rows[1].losses) == ("failure_rate", 1.0, 20)


def test_failures_that_are_not_spread_alike_are_pointed_at(arm: Any) -> None:
    """Ten failures of one side among a hundred are said beside the figure; three on both sides are not."""
    odd = first(arm(np.ones(100)), arm(np.ones(100), failed=np.arange(100) < 10))
    assert "not spread alike" in odd.note
    alike = first(*(arm(np.ones(100), failed=np.arange(100) % 40 == place) for place in (1, 2)))
    assert "not spread alike" not in alike.note
    assert (alike.n, alike.missing_a, alike.missing_b) == (94, 3, 3)


def test_a_metric_of_one_side_alone_is_named(arm: Any) -> None:
    """Both metrics stand in the table, each saying who lacks it."""
    a, b = arm(np.ones(9), run="old"), arm(np.ones(9), run="new", metric="mean")
    rows = changes_of([join(a, b)], 0.95, 0)
    notes = {one.metric: one.note for one in rows if one.scorer}
    assert notes == {"mean": "old has no such metric", "accuracy": "new has no such metric"}


def test_other_versions_and_repeats_are_said(arm: Any) -> None:
    """Another version of the scorer gives no figure; another number of repeats one with a note."""
    assert "version 1 in one and 2" in first(arm(np.ones(9)), arm(np.ones(9), versions=("2",))).note
    assert "3 repeats against 1" in first(arm(np.ones((9, 3))), arm(np.ones(9))).note


def test_holm_runs_over_the_metrics_of_scorers(arm: Any) -> None:
    """Adjusted p over two evals; what the requests tell belongs to no family."""
    a, b = np.ones(60), np.r_[np.zeros(6), np.ones(54)]
    found = compared([arm(a, eval="one"), arm(a, eval="two")], [arm(b, eval="one"), arm(a, eval="two")])
    rows = {(one.eval, one.metric): one for one in found.changes}
    assert rows["one", "accuracy"].p_adjusted == pytest.approx(2 * (rows["one", "accuracy"].p or 0))
    assert rows["two", "accuracy"].p_adjusted == 1.0
    assert rows["one", "failure_rate"].p_adjusted is None


def test_arms_pair_by_eval_prompt_and_model(arm: Any) -> None:
    """Where each side has one model alone its name need not agree; where it has more, it must."""
    v1, v2, v3 = (arm(np.ones(5), model=name) for name in ("v1", "v2", "v3"))
    assert match_arms([v1], [v2]) == ([(v1, v2)], [])
    assert match_arms([v1, v2], [v2, v3]) == ([(v2, v2)], [v1, v3])
    assert match_arms([v1], [arm(np.ones(5), model="v1", eval="other")])[0] == []


def test_an_arm_without_a_partner_is_said_on_either_side(arm: Any) -> None:
    """A model that only one run has is left out of the comparison, and the reader is told."""
    v1, v2, v3 = (arm(np.ones(5), model=name) for name in ("v1", "v2", "v3"))
    said = compared([replace(one, run="old") for one in (v1, v2)], [v2, v3]).notes
    assert said == ("quiz: v1 is in old alone; not compared.", "quiz: v3 is in run alone; not compared.")


def test_the_drop_that_would_have_been_shown_knows_its_family(arm: Any) -> None:
    """Two-sided 5 %, shared by the scorers' metrics of the whole comparison; those of requests are alone."""
    pairs = [join(*(arm(np.ones(200), run=run, eval=name) for run in "ab")) for name in ("one", "two")]
    drops = {
        (one.eval, one.metric): one.detectable
        for one in compare_pairs(("a", "b"), pairs, [], 0.95, 0).changes
    }
    for name in ("one", "two"):
        assert drops[name, "accuracy"] == pytest.approx(mcnemar_drop(200, 0, 0.0125, 0.8))
        assert drops[name, "failure_rate"] == pytest.approx(mcnemar_drop(200, 0, 0.025, 0.8))


def test_what_should_be_low_keeps_its_natural_sign(arm: Any) -> None:
    """A failure rate up by ten points: difference and interval above zero, the samples lost."""
    rows = changes_of([join(arm(np.ones(200)), arm(np.ones(200), failed=np.arange(200) < 20))], 0.95, 0)
    found = rows[-1]
    assert (found.metric, found.wins, found.losses) == ("failure_rate", 0, 20)
    assert found.low is not None
    assert found.high is not None
    assert found.difference == pytest.approx(0.1)
    assert 0 < found.low < 0.1 < found.high
