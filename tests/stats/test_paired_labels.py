import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from regrade.stats import LabelComparison, compare_labels, draw_labels, label_limit_p, paired_labels

Objects = NDArray[np.object_]


def objects(values: list[Any]) -> Objects:
    """Return one column of labels."""
    found = np.empty((len(values), 1), dtype=np.object_)
    found[:, 0] = values
    return found


def answers(n: int, wrong_a: int, wrong_b: int) -> tuple[Objects, Objects, Objects]:
    """Return right labels and those of two arms, which are wrong on different samples."""
    right: list[str | None] = ["cat", "dog", "owl"] * (n // 3)
    a, b = list(right), list(right)
    for place in range(wrong_a):
        a[place] = "dog" if right[place] != "dog" else None
    for place in range(wrong_b):
        b[-1 - place] = "owl" if right[-1 - place] != "owl" else "cat"
    return objects(right)[:, 0], objects(a), objects(b)


def compared(n: int, wrong_a: int, wrong_b: int, metric: str = "macro_f1", **more: Any) -> LabelComparison:
    """Compare two arms with so many wrong answers."""
    right, a, b = answers(n, wrong_a, wrong_b)
    pairs = paired_labels(right, a, b, more.pop("clusters", None), None)
    return compare_labels(metric, pairs, more.pop("level", 0.9), more.pop("seed", 0))


def test_values_are_those_of_a_second_implementation() -> None:
    """Both values and their difference are scikit-learn's."""
    right, a, b = answers(30, 3, 6)
    found = compared(30, 3, 6)
    expected = [
        f1_score(
            right.tolist(), [one or "" for one in arm[:, 0]], labels=["cat", "dog", "owl"], average="macro"
        )
        for arm in (a, b)
    ]
    assert [found.a, found.b] == pytest.approx(expected, abs=1e-12)
    assert found.low <= found.b - found.a <= found.high


def test_p_agrees_with_every_exchange() -> None:
    """Six samples that differ: the draws come close to all 2^6 exchanges of A and B within them."""
    right, a, b = answers(60, 1, 5)
    found = compare_labels("macro_f1", paired_labels(right, a, b, None), 0.9, 1)
    places = np.flatnonzero(a[:, 0] != b[:, 0])
    names = ["cat", "dog", "owl"]
    chance = []
    for swap in itertools.product((False, True), repeat=places.size):
        first, second = a[:, 0].copy(), b[:, 0].copy()
        chosen = places[np.array(swap)]
        first[chosen], second[chosen] = b[chosen, 0], a[chosen, 0]
        values = [
            f1_score(right.tolist(), [one or "" for one in arm], labels=names, average="macro")
            for arm in (second, first)
        ]
        chance.append(values[0] - values[1])
    away = np.array(chance) - (found.b - found.a)
    expected = (away < -1e-12).mean() + (np.abs(away) <= 1e-12).mean() / 2
    assert found.less == pytest.approx(expected, abs=0.01)


def test_swapping_arms_mirrors_the_comparison() -> None:
    """With A and B exchanged the p change places and the interval is mirrored, within what draws give."""
    right, a, b = answers(120, 4, 12)
    found = compare_labels("mcc", paired_labels(right, a, b, None), 0.9, 2)
    swapped = compare_labels("mcc", paired_labels(right, b, a, None), 0.9, 2)
    assert (found.a, found.b) == (swapped.b, swapped.a)
    assert found.less == pytest.approx(swapped.greater, abs=0.01)
    assert (found.low, found.high) == pytest.approx((-swapped.high, -swapped.low), abs=0.01)


def test_same_seed_same_figures_and_order_changes_nothing() -> None:
    """The draws follow the seed, and equal samples are drawn together in whatever order they come."""
    right, a, b = answers(90, 5, 9)
    order = np.random.default_rng(5).permutation(90)
    found = compare_labels("macro_f1", paired_labels(right, a, b, None), 0.9, 4)
    again = compare_labels("macro_f1", paired_labels(right[order], a[order], b[order], None), 0.9, 4)
    assert found == again


def test_equal_answers_show_nothing() -> None:
    """Two arms with the same answers: p is 1 on both sides and the interval is the point."""
    right, a, _ = answers(60, 6, 0)
    found = compare_labels("macro_f1", paired_labels(right, a, a.copy(), None), 0.9, 0)
    assert (found.less, found.greater, found.se) == (1.0, 1.0, None)
    assert (found.low, found.high) == (0.0, 0.0)


def test_below_five_clusters_nothing_can_fail() -> None:
    """Clusters are exchanged whole and ties count whole: four broken clusters of four are 1/16."""
    for count, fails in ((4, False), (6, True)):
        right = objects(["cat", "dog"] * (5 * count))[:, 0]
        a, b = right[:, None].copy(), right[::-1, None].copy()
        clusters = np.repeat(np.arange(count), 10)
        pairs = paired_labels(right, a, b, clusters)
        assert pairs.clustered
        found = compare_labels("macro_f1", pairs, 0.9, 0)
        assert (found.less <= 0.05) == fails
        assert found.less == pytest.approx(0.5**count, abs=0.01)


def test_clusters_of_one_are_no_clusters() -> None:
    """With every sample a source of its own, nothing changes but the draws."""
    alone, single = compared(60, 3, 9), compared(60, 3, 9, clusters=np.arange(60))
    assert single.less == pytest.approx(alone.less, abs=0.01)
    right, a, b = answers(60, 3, 9)
    assert not paired_labels(right, a, b, np.arange(60)).clustered


def test_a_wider_level_widens_the_interval() -> None:
    """The interval of 99 % holds that of 80 %."""
    narrow, wide = compared(90, 5, 9, level=0.8), compared(90, 5, 9, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_what_cannot_be_compared_is_refused() -> None:
    """No sample with a right label, and a level that is none, are errors."""
    none = paired_labels(objects([None, None])[:, 0], objects(["a", "b"]), objects(["a", "b"]), None)
    assert none.n == 0
    with pytest.raises(ValueError, match="samples"):
        compare_labels("macro_f1", none, 0.9, 0)
    with pytest.raises(ValueError, match="level"):
        compared(30, 1, 2, level=math.nan)


def test_the_p_of_a_limit_is_the_level_at_which_the_interval_leaves_it() -> None:
    """At that one-sided alpha the bootstrap's upper end is the limit."""
    right, a, b = answers(300, 10, 60)
    pairs = paired_labels(right, a, b, None, None)
    limit = -0.15
    p = label_limit_p("macro_f1", pairs, limit, 0)
    assert 0.01 < p < 0.5
    high = compare_labels("macro_f1", pairs, 1 - 2 * p, 0).high
    assert high == pytest.approx(limit, abs=0.002)


def test_draws_may_be_shared_between_metrics() -> None:
    """Draws that one metric made give another the figures that it would draw itself."""
    right, a, b = answers(60, 3, 9)
    pairs = paired_labels(right, a, b, None, None)
    draws = draw_labels(pairs, 4)
    for metric in ("macro_f1", "mcc"):
        assert compare_labels(metric, pairs, 0.9, 4, draws) == compare_labels(metric, pairs, 0.9, 4)
