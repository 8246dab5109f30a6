"""How often two arms give the same label, whichever is right."""

from typing import Any

import numpy as np
import pytest

from regrade.compare import join
from regrade.compare.agreements import agreements_of


def labelled(arm: Any, labels: Any, **more: Any) -> Any:
    """Return an arm whose answers have labels and no other score."""
    shape = np.shape(labels)
    return arm(np.full(shape, np.nan), metric="macro_f1", labels=labels, expected=["x"] * shape[0], **more)


def test_the_same_label_counts_right_or_wrong(arm: Any) -> None:
    """Three of four agree, one of these on a wrong label; kappa is agreement beyond chance."""
    a, b = labelled(arm, ["x", "x", "y", "y"]), labelled(arm, ["x", "x", "y", "x"])
    (found,) = agreements_of(join(a, b), 0.95)
    assert (found.n, found.same) == (4, 0.75)
    assert found.kappa == pytest.approx(0.5)


def test_a_sample_that_failed_on_one_side_is_left_out(arm: Any) -> None:
    """What was not answered neither agrees nor disagrees."""
    a = labelled(arm, ["x", "y", "y"])
    b = labelled(arm, ["x", "x", "y"], failed=[False, True, False])
    (found,) = agreements_of(join(a, b), 0.95)
    assert (found.n, found.same) == (2, 1.0)


def test_repeats_are_compared_in_turn(arm: Any) -> None:
    """A sample whose repeats agree half of the time counts half."""
    a, b = labelled(arm, [["x", "x"], ["y", "y"]]), labelled(arm, [["x", "y"], ["y", "y"]])
    (found,) = agreements_of(join(a, b), 0.95)
    assert (found.n, found.same) == (2, 0.75)


def test_scorers_without_labels_have_no_agreement(arm: Any) -> None:
    """Numbers alone are compared by their differences."""
    a, b = arm(np.ones(5)), arm(np.zeros(5))
    assert list(agreements_of(join(a, b), 0.95)) == []
