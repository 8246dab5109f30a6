"""Models of one run against each other, and prompts: every pair by a paired test, and ranks from that."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from regrade.arms import Arm
from regrade.compare.changes import changes_of
from regrade.compare.joining import join
from regrade.comparisons import Change

__all__ = ["Rank", "changes_within", "ranks_of"]

_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a model stands among those of its eval and prompt.

    Attributes:
        place: One more than the models that are shown to be better.
        tied: Whether another model has the same place.
    """

    place: int
    tied: bool


def changes_within(arms: Sequence[Arm], level: float, seed: int) -> list[Change]:
    """Return every pair of models of a prompt, and of prompts of a model, by every metric of a scorer.

    p is adjusted by Holm over the pairs of one metric: a rank among ten models rests on 45 tests.

    Args:
        arms: Of one run.
        level: Of every interval.
        seed: Of every draw.
    """
    by_prompt = _groups(arms, lambda arm: (arm.eval, arm.prompt))
    by_model = _groups(arms, lambda arm: (arm.eval, arm.model))
    return [
        change
        for group in (*by_prompt, *by_model)
        for name in _metrics(group)
        for change in changes_of(
            [join(*pair) for pair in itertools.combinations(_with(group, name), 2)], level, seed
        )
    ]


def _groups(arms: Sequence[Arm], of: Callable[[Arm], tuple[str, str]]) -> Iterator[list[Arm]]:
    found: defaultdict[tuple[str, str], list[Arm]] = defaultdict(list)
    for arm in arms:
        found[of(arm)].append(arm)
    return (group for group in found.values() if len(group) > 1)


def _metrics(group: Sequence[Arm]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(one.name for arm in group for one in arm.measures if one.scorer))


def _with(group: Sequence[Arm], name: tuple[str, str]) -> list[Arm]:
    """Return the arms that have a metric, with that one alone."""
    found = ((arm, arm.measure(*name)) for arm in group)
    return [replace(arm, measures=(measure,)) for arm, measure in found if measure is not None]


def ranks_of(models: Sequence[str], changes: Iterable[Change]) -> dict[str, Rank]:
    """Return the rank of each model: 1 + the number of models that are shown to be better.

    Shown means an adjusted two-sided p of at most 5 %. Models that are not told apart may share a place with
    different others: ties need not chain.

    Args:
        models: All that have a value.
        changes: The pairs of one metric among them.
    """
    beaten = dict.fromkeys(models, 0)
    for one in changes:
        if one.difference is None or one.p_adjusted is None or one.p_adjusted > _ALPHA or not one.difference:
            continue
        b_better = (one.difference > 0) == (one.better == "higher")
        worse = one.model_a if b_better else one.model_b
        if worse in beaten:
            beaten[worse] += 1
    counts = list(beaten.values())
    return {model: Rank(1 + count, counts.count(count) > 1) for model, count in beaten.items()}
