import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from regrade.stats import bounded_mean_interval, cohen_kappa, corrected_mean

RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=60)


@given(RATINGS)
def test_kappa_agrees_with_a_second_implementation(ratings: list[tuple[int, int]]) -> None:
    """Kappa and its standard error are those of statsmodels, also where the raters use labels unalike."""
    human, judge = np.array(ratings).T
    found = cohen_kappa(human, judge)
    if math.isnan(found.kappa):
        assert len(found.names) == 1
        return
    with np.errstate(invalid="ignore"):  # its test of kappa = 0 divides by the spread
        second = cohens_kappa(found.table)
    assert found.kappa == pytest.approx(second.kappa, abs=1e-9)
    assert found.se == pytest.approx(np.nan_to_num(second.std_kappa), abs=1e-7)


@given(RATINGS)
def test_raters_may_be_swapped(ratings: list[tuple[int, int]]) -> None:
    """Agreement is mutual: kappa and its error stay, the table is turned over."""
    human, judge = np.array(ratings).T
    found, swapped = cohen_kappa(human, judge), cohen_kappa(judge, human)
    assert found.kappa == pytest.approx(swapped.kappa, nan_ok=True)
    assert found.se == pytest.approx(swapped.se, nan_ok=True, abs=1e-9)
    assert (found.table == swapped.table.T).all()


def test_labels_may_be_words() -> None:
    """The table is laid out by sorted labels."""
    found = cohen_kappa(np.array(["good", "bad", "good"]), np.array(["good", "good", "good"]))
    assert found.names == ("bad", "good")
    assert found.table.tolist() == [[0, 1], [0, 2]]
    assert found.kappa == 0.0


@pytest.mark.parametrize(("human", "judge"), [([], []), ([1, 0], [1])])
def test_raters_need_the_same_samples(human: list[int], judge: list[int]) -> None:
    """No labels, or unequally many, are errors."""
    with pytest.raises(ValueError, match="raters"):
        cohen_kappa(np.array(human), np.array(judge))


def rated(n: int, flipped: int) -> tuple[Any, Any]:
    """Return labels and judged scores that differ on some samples."""
    labels = (np.arange(n) % 5 != 0).astype(np.float64)
    judged = labels.copy()
    judged[:flipped] = 1 - judged[:flipped]
    return labels, judged


@pytest.mark.parametrize(
    ("n", "flipped", "method"), [(99, 20, "labels alone"), (100, 9, "labels alone"), (100, 10, "PPI++")]
)
def test_few_labels_speak_alone(n: int, flipped: int, method: str) -> None:
    """Below 100 labels or 10 disagreements the interval is that of the labels, and says why."""
    labels, judged = rated(n, flipped)
    found = corrected_mean(labels, judged, np.ones(400), 0.95)
    assert found.method == method
    if method == "labels alone":
        assert (found.low, found.high) == bounded_mean_interval(labels, 0, 1, 0.95)
        assert (found.value, found.weight) == (labels.mean(), 0.0)
        assert "too few" in found.note


def test_a_good_judge_narrows_the_interval_and_a_bad_one_is_ignored() -> None:
    """The weight follows how far judge and humans vary together."""
    random = np.random.default_rng(3)
    truth = (random.random(2200) < 0.7).astype(np.float64)
    good = np.where(random.random(2200) < 0.1, 1 - truth, truth)
    bad = (random.random(2200) < 0.5).astype(np.float64)
    widths = []
    for judge in (good, bad):
        found = corrected_mean(truth[:200], judge[:200], judge[200:], 0.95)
        widths.append(found.high - found.low)
        assert found.low < 0.7 < found.high
    alone = corrected_mean(truth[:200], good[:200], np.empty(0), 0.95)
    assert (alone.method, alone.note) == ("labels alone", "")
    assert widths[0] < 0.75 * (alone.high - alone.low)
    assert widths[1] == pytest.approx(alone.high - alone.low, rel=0.05)


def test_coverage_of_the_corrected_mean() -> None:
    """With 150 labels the true mean lies inside about 95 times of 100."""
    random = np.random.default_rng(11)
    hits = 0
    for _ in range(1000):
        truth = (random.random(1150) < 0.6).astype(np.float64)
        judge = np.where(random.random(1150) < 0.2, 1 - truth, truth)
        found = corrected_mean(truth[:150], judge[:150], judge[150:], 0.95)
        hits += found.low <= 0.6 <= found.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_the_interval_stays_within_the_range() -> None:
    """A corrected share is none above one."""
    labels, judged = np.ones(120), np.ones(120)
    labels[:1] = judged[:12] = 0
    assert corrected_mean(labels, judged, np.ones(500), 0.99).high <= 1
    wide = corrected_mean(5 * labels, 5 * judged, np.full(500, 5.0), 0.99, bounds=(0, 5))
    assert wide.method == "PPI++"
    assert 4.5 < wide.low < wide.high <= 5


@pytest.mark.parametrize(
    ("labels", "judged", "rest"),
    [([], [], [1]), ([1, 0], [1], [1]), ([1, 2], [1, 1], [1]), ([1, math.nan], [1, 1], [1])],
)
def test_scores_that_do_not_fit_are_refused(
    labels: list[float], judged: list[float], rest: list[float]
) -> None:
    """No labels, unequally many, scores outside of the range and NaN are errors."""
    parts = [np.array(one, dtype=np.float64) for one in (labels, judged, rest)]
    with pytest.raises(ValueError, match="needed"):
        corrected_mean(parts[0], parts[1], parts[2], 0.95)
