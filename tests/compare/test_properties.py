"""What must not matter does not: order, names, repeats of repeats, and which arm is called A."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from regrade.arms import Arm, taken
from regrade.compare import changes_of, join
from regrade.comparisons import Change

SAME_FIGURES = [
    one.name for one in fields(Change) if one.name not in {"run_a", "run_b", "prompt_a", "prompt_b", "note"}
]
N = 140


def case(kind: str, arm: Callable[..., Arm]) -> tuple[Arm, Arm]:
    """Return two arms of a kind of score, made by a seed, with a few failures on both sides."""
    random = np.random.default_rng(sum(map(ord, kind)))
    failed = random.random((2, N)) < 0.03
    own: dict[str, Any] = {}
    scores: Any
    match kind:
        case "right or wrong":
            scores = random.random((2, N)) < np.array([[0.8], [0.7]])
        case "repeats":
            failed = random.random((2, N, 3)) < 0.03
            scores = random.random((2, N, 3)) < np.array([[[0.8]], [[0.7]]])
        case "graded":
            own["metric"] = "mean"
            scores = random.random((2, N))
        case "unbounded":
            own.update(metric="mean", bounds=None)
            scores = random.normal(100, 9, (2, N))
        case "clusters":
            own["clusters"] = np.arange(N) // 10
            scores = random.random((2, N)) < np.array([[0.8], [0.7]])
        case _:
            own.update(metric="macro_f1", expected=np.array(list("xyz"))[np.arange(N) % 3])
            scores = np.full((2, N), np.nan)
    made = []
    for values, gone, name in zip(scores, failed, "ab", strict=True):
        if kind == "labels":
            wrong = random.random(N) < 0.2
            own["labels"] = np.where(wrong, "x", own["expected"])
        made.append(arm(values, failed=gone, run=name, **own))
    return made[0], made[1]


KINDS = ["right or wrong", "repeats", "graded", "unbounded", "clusters", "labels"]

DRAWN = {"labels": 0.01}
"""Of 9,999 draws: exchanged answers and resamples are others when A and B are, so they agree as draws do."""


def figures(a: Arm, b: Arm) -> list[Change]:
    """Return every figure of two arms."""
    return changes_of([join(a, b)], 0.95, 0)


def shuffled(arm: Arm, order: Any) -> Arm:
    """Return the arm with its rows in another order."""
    return replace(
        arm,
        ids=arm.ids[order],
        fingerprints=arm.fingerprints[order],
        present=arm.present[order],
        failed=arm.failed[order],
        clusters=None if arm.clusters is None else arm.clusters[order],
        measures=tuple(replace(one, data=taken(one.data, order)) for one in arm.measures),
    )


def same(left: list[Change], right: list[Change]) -> bool:
    """Return whether all figures are equal, to the last digits of a sum in another order."""
    for one, other in zip(left, right, strict=True):
        for name in SAME_FIGURES:
            value = getattr(one, name)
            expected = pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            assert getattr(other, name) == expected, (one.metric, name)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_mirrors_every_interval(arm: Any, kind: str) -> None:
    """B against A is A against B with the signs turned: interval, difference, wins and losses; p stays."""
    a, b = case(kind, arm)
    for one, other in zip(figures(a, b), figures(b, a), strict=True):
        assert one.difference is not None
        assert one.difference == pytest.approx(-(other.difference or 0), abs=1e-12)
        near = DRAWN.get(kind, 1e-9)
        assert one.low == pytest.approx(-(other.high or 0), abs=near)
        assert one.high == pytest.approx(-(other.low or 0), abs=near)
        assert (one.wins, one.losses, one.ties, one.n) == (other.losses, other.wins, other.ties, other.n)
        assert one.p == pytest.approx(other.p, abs=2 * near)
        assert one.detectable == pytest.approx(other.detectable)


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_swaps_the_one_sided_p(arm: Any, kind: str) -> None:
    """What a gate shows for "B is worse" is what the swapped arms show for "B is better"."""
    from regrade.compare import pair_up
    from regrade.stats import compare_labels, paired_test

    def sides(a: Arm, b: Arm) -> tuple[float, float]:
        pairing = pair_up(join(a, b), a.measures[0], b.measures[0])
        if pairing.labels is not None:
            found = compare_labels(pairing.label_statistic, pairing.labels, 0.9, 0)
            return found.less, found.greater
        assert pairing.mean is not None
        test = paired_test(pairing.mean, 0)
        return test.less, test.greater

    a, b = case(kind, arm)
    less, greater = sides(a, b)
    assert [*sides(b, a)] == pytest.approx([greater, less], abs=DRAWN.get(kind, 1e-12))


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_changes_nothing(arm: Any, kind: str) -> None:
    """Rows of either side in any order give the same figures."""
    a, b = case(kind, arm)
    random = np.random.default_rng(3)
    assert same(figures(a, b), figures(shuffled(a, random.permutation(N)), b))
    assert same(figures(a, b), figures(a, shuffled(b, random.permutation(N))))


@pytest.mark.parametrize("kind", KINDS)
def test_renamed_ids_change_nothing(arm: Any, kind: str) -> None:
    """Ids are names: other ones, the same on both sides, give the same figures."""
    a, b = case(kind, arm)
    names = np.random.default_rng(4).permutation(10 * N)[:N].astype(np.int64)
    assert same(figures(a, b), figures(replace(a, ids=names), replace(b, ids=names)))


@pytest.mark.parametrize("kind", KINDS)
def test_duplicated_repeats_change_nothing(arm: Any, kind: str) -> None:
    """Every answer twice tells no more than once."""

    def twice(one: Arm) -> Arm:
        def data(measure: Any) -> Any:
            old = measure.data
            doubled = {
                name: None if getattr(old, name) is None else np.repeat(getattr(old, name), 2, axis=1)
                for name in ("values", "labels", "parsed")
            }
            return replace(measure, data=replace(old, **doubled))

        return replace(
            one,
            present=np.repeat(one.present, 2, axis=1),
            failed=np.repeat(one.failed, 2, axis=1),
            measures=tuple(map(data, one.measures)),
        )

    a, b = case(kind, arm)
    assert same(figures(a, b), figures(twice(a), twice(b)))


def test_ties_leave_mcnemar_alone(arm: Any) -> None:
    """More samples on which both agree change n and the interval, and never p."""
    few = figures(arm([1] * 9 + [0]), arm([0] * 7 + [1] * 3))[0]
    many = figures(arm([1] * 9 + [0] * 91), arm([0] * 7 + [1] * 3 + [0] * 90))[0]
    assert (few.p, few.wins, few.losses) == (many.p, many.wins, many.losses)
    assert few.p == pytest.approx(2 * 0.01953125, abs=1e-9)  # 7 of 8: P(X = 8) + P(X = 7)/2 = 5/256
    assert many.n == 100


def test_the_same_seed_gives_the_same_draws(arm: Any) -> None:
    """Figures that rest on draws are the same in every run of the same seed, and others with another."""
    a, b = case("graded", arm)
    assert figures(a, b) == figures(a, b)
    other = changes_of([join(a, b)], 0.95, 1)
    assert other[0].p != figures(a, b)[0].p
