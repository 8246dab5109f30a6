"""Samples that passed with one arm and failed with the other."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrade.arms import Arm, Joined, Measure, taken
from regrade.compare.leads import main_measures
from regrade.comparisons import ArmName, Flip, Flips
from regrade.stats import epoch_means, reached

__all__ = ["find_flips"]

_DUST = 1e-12

Floats = NDArray[np.float64]


def find_flips(joined: Joined, most: int) -> Iterator[Flips]:
    """Yield, for each scorer, the samples that changed sides; those that fail now and then in both do not.

    What has a score on one side alone neither lost nor gained: it is listed by itself.

    Scores of two values pass at the better one. Graded scores have no sides: there the samples that lost and
    gained most are given.

    Args:
        joined: The arms and their common samples.
        most: How many are listed of each kind; all are counted.
    """
    for name in main_measures(joined.a, joined.b):
        a, b = joined.a.measure(*name), joined.b.measure(*name)
        if a is not None and b is not None:
            yield _of_scorer(joined, a, b, most)


def _of_scorer(joined: Joined, a: Measure, b: Measure, most: int) -> Flips:
    sign = -1.0 if b.better == "lower" else 1.0
    values_a, values_b = (
        sign * taken(a.data, joined.rows_a).values,
        sign * taken(b.data, joined.rows_b).values,
    )
    top = _passing(values_a, values_b)
    if top is not None:
        values_a, values_b = reached(values_a, top), reached(values_b, top)
    before, after = epoch_means(values_a), epoch_means(values_b)
    change = after - before
    flaky = np.zeros(change.size, dtype=np.bool_)
    if top is not None:
        flaky = _mixed(before) & _mixed(after)
    broken, mended = (change < -_DUST) & ~flaky, (change > _DUST) & ~flaky
    known_a, known_b = np.isfinite(before), np.isfinite(after)
    failed, answered = known_a & ~known_b, known_b & ~known_a
    own = 1.0 if top is not None else sign

    def listed(chosen: NDArray[np.bool_]) -> tuple[Flip, ...]:
        places = np.flatnonzero(chosen)
        places = places[np.argsort(-np.abs(change[places]), kind="stable")][:most]
        ids = joined.b.ids[joined.rows_b]
        return tuple(
            Flip(
                joined.b.eval,
                b.scorer,
                int(ids[place]),
                float(own * before[place]) if known_a[place] else None,
                float(own * after[place]) if known_b[place] else None,
            )
            for place in places
        )

    return Flips(
        scorer=b.scorer,
        metric=b.metric,
        better=b.better,
        a=_named(joined.a),
        b=_named(joined.b),
        graded=top is None,
        broken=listed(broken),
        mended=listed(mended),
        broken_count=int(broken.sum()),
        mended_count=int(mended.sum()),
        flaky=int(flaky.sum()),
        wavering=listed(flaky),
        failed=listed(failed),
        answered=listed(answered),
        failed_count=int(failed.sum()),
        answered_count=int(answered.sum()),
    )


def _named(arm: Arm) -> ArmName:
    return ArmName(arm.run, arm.eval, arm.prompt, arm.model, arm.epochs)


def _passing(a: Floats, b: Floats) -> float | None:
    """Return the better of the two scores that occur; None when there are more."""
    known = np.unique(np.concatenate([np.unique(a[np.isfinite(a)]), np.unique(b[np.isfinite(b)])]))
    return float(known[-1]) if 1 <= known.size <= 2 else None  # noqa: PLR2004 - passed and failed


def _mixed(share: Floats) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (share > 0) & (share < 1)
    return found
