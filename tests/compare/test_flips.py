"""Samples that changed sides, and slices that stand out."""

from typing import Any

import numpy as np
import pytest

from regrade.arms import Arm
from regrade.compare import find_flips, find_leads, join
from regrade.comparisons import Flips


def flips(a: Arm, b: Arm) -> Flips:
    """Return the flips of the only scorer."""
    (found,) = find_flips(join(a, b), 50)
    return found


def test_lost_and_gained_are_told_apart_from_flaky(arm: Any) -> None:
    """Always right and now sometimes wrong is lost; sometimes right on both sides is flaky."""
    a = [[1, 1, 1], [1, 0, 1], [0, 0, 0], [1, 1, 0], [1, 1, 1]]
    b = [[1, 0, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]
    found = flips(arm(a), arm(b))
    assert (found.broken_count, found.mended_count, found.flaky) == (1, 2, 1)
    (broken,) = found.broken
    assert [broken.before, broken.after] == pytest.approx([1, 2 / 3])
    assert [one.key for one in found.mended] == [2, 3]


def test_the_largest_losses_come_first_and_fifty_are_listed(arm: Any) -> None:
    """All are counted; of graded scores those that lost most lead."""
    b = np.linspace(0, 0.9, 80)
    found = flips(arm(np.ones(80), metric="mean"), arm(b, metric="mean"))
    assert (found.graded, found.broken_count, len(found.broken)) == (True, 80, 50)
    assert [one.after for one in found.broken[:2]] == [0.0, pytest.approx(b[1])]


def test_lower_is_better_turns_the_sides(arm: Any) -> None:
    """Of a score that should be low, a rise is a loss."""
    a, b = (arm(x, metric="mean", better="lower") for x in ([0, 0, 1], [1, 0, 0]))
    found = flips(a, b)
    assert ([one.key for one in found.broken], [one.key for one in found.mended]) == ([0], [2])


def test_failures_are_no_flips(arm: Any) -> None:
    """A sample without an answer on one side changed to nothing that could be judged."""
    found = flips(arm(np.ones(10)), arm(np.ones(10), failed=np.arange(10) < 4))
    assert (found.broken_count, found.mended_count) == (0, 0)


@pytest.mark.parametrize("scores", [np.ones(5), np.zeros(5)])
def test_equal_answers_have_none(arm: Any, scores: Any) -> None:
    """All right or all wrong on both sides: nothing flips."""
    found = flips(arm(scores), arm(scores))
    assert (found.broken_count, found.mended_count, found.flaky) == (0, 0, 0)


def sliced(arm: Any, values: Any, fields: dict[str, Any]) -> Arm:
    """Return an arm with metadata."""
    return arm(values, slices={name: list(map(str, texts)) for name, texts in fields.items()})  # type: ignore[no-any-return] # a fixture


def test_a_dead_slice_is_a_lead_and_names_itself(arm: Any) -> None:
    """Twelve losses, all in one of four channels: it leads, with q from all slices that were looked at."""
    channel = np.arange(120) % 4
    b = np.where((channel == 2) & (np.arange(120) < 48), 0, 1)
    a, b_arm = sliced(arm, np.ones(120), {"channel": channel}), sliced(arm, b, {"channel": channel})
    (lead,) = find_leads([join(a, b_arm)], 0.95, 0)
    assert (lead.change.slice, lead.change.losses, lead.change.n) == ("channel=2", 12, 30)
    assert lead.q == pytest.approx(4 * 2 * 0.5**13, rel=1e-9)  # Benjamini & Hochberg: the smallest of four p


def test_false_discoveries_are_controlled(arm: Any) -> None:
    """Of 100 data sets without any change of a slice, about one in ten shows a lead, not most of them."""
    random = np.random.default_rng(7)
    shown = 0
    for _ in range(100):
        fields = {f"f{n}": random.integers(0, 4, 100) for n in range(5)}
        a, b = (sliced(arm, random.random(100) < 0.8, fields) for _ in "ab")
        shown += bool(find_leads([join(a, b)], 0.95, 0))
    assert shown <= 100 * 0.1 + 3 * np.sqrt(100 * 0.1 * 0.9)


def test_a_slice_of_everything_or_of_few_is_no_slice(arm: Any) -> None:
    """All samples, or fewer than five, are no lead however much they lost."""
    fields = {"all": np.zeros(40, dtype=int), "few": (np.arange(40) < 4).astype(int)}
    a = sliced(arm, np.ones(40), fields)
    b = sliced(arm, np.arange(40) >= 4, fields)
    assert all(not one.change.slice.startswith(("all", "few=1")) for one in find_leads([join(a, b)], 0.95, 0))
