"""More than two runs, or arms of runs, every two of them against each other."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.api.comparing import changed_code, passed_over, refuse_itself, unfinished
from regrade.api.sources import ArmChoice, Reference, lay_out, open_recorded
from regrade.errors import UsageError
from regrade.plugins import Registry

if TYPE_CHECKING:
    from regrade.arms import Arm
    from regrade.comparisons import Several

__all__ = ["compare_several"]

_LEVEL = 0.95
_SEED = 0


def compare_several(
    references: Sequence[Reference], *, results: str | Path = "results", registry: Registry
) -> "Several":
    """Measure every two of some runs, baselines or arms against each other, sample by sample.

    The figures of a pair are those of `compare`, but for the adjusted p: its family are the pairs of a
    metric, as in the `comparisons.parquet` of a run, since ranks rest on them.

    Args:
        references: As `compare` takes them.
        results: Where runs lie.
        registry: Plug-ins.

    Raises:
        UsageError: An unknown run, model or prompt, one that is named twice, or nothing in common.
        StoreError: When a run cannot be read.
    """
    from regrade.compare import agreements_of, among, changes_among, join
    from regrade.comparisons import Several

    choices = [ArmChoice.parse(one) for one in references]
    recorded = [open_recorded(Path(results), one.reference) for one in choices]
    sides = lay_out(list(zip(recorded, choices, strict=True)), registry, None)
    names = [
        arms[0].run if arms else choice.text(one.name)
        for arms, choice, one in zip(sides, choices, recorded, strict=True)
    ]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise UsageError(f"{twice} is named twice", hint="what is held against itself never differs")
    groups = among(sides)
    if not groups:
        raise UsageError(f"{', '.join(names)} have nothing in common", hint=_held(names, sides))
    _refuse_itself(
        groups, {id(arm): one.name for one, arms in zip(recorded, sides, strict=True) for arm in arms}
    )
    pairs = [join(*pair) for group in groups for pair in itertools.combinations(group, 2)]
    distinct = list({one.name: one for one in recorded}.values())
    notes = [
        *(note for choice in choices for note in passed_over(Path(results), choice)),
        *unfinished(recorded),
        *(note for a, b in itertools.combinations(distinct, 2) for note in changed_code(a, b)),
        *_alone(sides, groups),
    ]
    return Several(
        sides=tuple(names),
        changes=tuple(changes_among(groups, _LEVEL, _SEED)),
        agreements=tuple(one for joined in pairs for one in agreements_of(joined, _LEVEL, every=True)),
        notes=tuple(dict.fromkeys(notes)),
        level=_LEVEL,
    )


def _refuse_itself(groups: "Sequence[Sequence[Arm]]", run_of: Mapping[int, str]) -> None:
    """Refuse an arm that stands on two sides, such as a run beside one of its own models.

    Raises:
        UsageError: Naming it.
    """
    for group in groups:
        for a, b in itertools.combinations(group, 2):
            if run_of[id(a)] == run_of[id(b)]:
                refuse_itself(run_of[id(b)], [(a, b)])


def _alone(sides: "Sequence[Sequence[Arm]]", groups: "Sequence[Sequence[Arm]]") -> list[str]:
    """Return a sentence for each arm that has no partner on any other side."""
    paired = {id(arm) for group in groups for arm in group}
    return [
        f"{arm.eval}: {arm.model}{'' if arm.prompt == 'default' else f' with the prompt {arm.prompt}'} is in "
        f"{arm.run} alone; not compared."
        for side in sides
        for arm in side
        if id(arm) not in paired
    ]


def _held(names: Sequence[str], sides: "Sequence[Sequence[Arm]]") -> str:
    told = (
        f"{name} holds {', '.join(f'{arm.eval}/{arm.model}/{arm.prompt}' for arm in arms[:4]) or 'nothing'}"
        for name, arms in zip(names, sides, strict=True)
    )
    return "; ".join(told)
