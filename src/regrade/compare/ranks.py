"""Models of one run against each other, and prompts: every pair by a paired test, and ranks from that."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from regrade.arms import Arm
from regrade.compare.changes import changes_of
from regrade.compare.joining import join
from regrade.comparisons import Change

__all__ = ["Rank", "among", "changes_among", "changes_within", "ranks_of"]

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
    return changes_among((*by_prompt, *by_model), level, seed)


def changes_among(groups: Iterable[Sequence[Arm]], level: float, seed: int) -> list[Change]:
    """Return every pair of arms of each group by every metric of a scorer, p by Holm over a metric's pairs.

    Args:
        groups: Arms that are held against each other.
        level: Of every interval.
        seed: Of every draw.
    """
    return [
        change
        for group in groups
        for name in _metrics(group)
        for change in changes_of(
            [join(*pair) for pair in itertools.combinations(_with(group, name), 2)], level, seed
        )
    ]


def among(sides: Sequence[Sequence[Arm]]) -> list[list[Arm]]:
    """Return the arms of several runs that belong together: same eval, prompt and model, one a run at most.

    As with two runs, a name need not agree where every run has one alone in an eval.

    Args:
        sides: Arms of each run.
    """
    found: list[list[Arm]] = []
    for name in dict.fromkeys(arm.eval for side in sides for arm in side):
        own = [mine for side in sides if (mine := [arm for arm in side if arm.eval == name])]
        groups: defaultdict[tuple[str, ...], list[Arm]] = defaultdict(list)
        told = [
            each for each in ("model", "prompt") if any(len({getattr(a, each) for a in s}) > 1 for s in own)
        ]
        for arm in (arm for side in own for arm in side):
            groups[tuple(getattr(arm, each) for each in told)].append(arm)
        found += [group for group in groups.values() if len(group) > 1]
    return found


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


def _models(one: Change) -> tuple[str, str]:
    return one.model_a, one.model_b


def ranks_of(
    models: Sequence[str],
    changes: Iterable[Change],
    names: Callable[[Change], tuple[str, str]] = _models,
) -> dict[str, Rank]:
    """Return the rank of each model: 1 + the number of models that are shown to be better.

    Shown means an adjusted two-sided p of at most 5 %. Models that are not told apart may share a place with
    different others: ties need not chain.

    Args:
        models: All that have a value.
        changes: The pairs of one metric among them.
        names: Of A and B, where other things than models are ranked.
    """
    beaten = dict.fromkeys(models, 0)
    for one in changes:
        if one.difference is None or one.p_adjusted is None or one.p_adjusted > _ALPHA or not one.difference:
            continue
        b_better = (one.difference > 0) == (one.better == "higher")
        worse = names(one)[0 if b_better else 1]
        if worse in beaten:
            beaten[worse] += 1
    counts = list(beaten.values())
    return {model: Rank(1 + count, counts.count(count) > 1) for model, count in beaten.items()}
