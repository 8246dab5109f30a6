"""What can be known of a gate before its run is paid for."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from regrade.api.gating import GateOptions
from regrade.api.options import RunOptions
from regrade.api.prepare import prepare, survey
from regrade.api.rules import GatePlan, planned_gate
from regrade.api.sources import ArmChoice, open_recorded
from regrade.api.specs import load_specs
from regrade.errors import UsageError
from regrade.plugins import Registry
from regrade.spec import SpecFile

__all__ = ["check_gate"]

_PAIRED = {"no_regression", "non_inferior"}


def check_gate(
    specs: Sequence[str | Path],
    *,
    options: GateOptions,
    registry: Registry | None = None,
    limit: float | None = None,
) -> list[str]:
    """Refuse a gate that cannot be judged, and warn of one that can hardly pass; sends nothing.

    Args:
        specs: Files or folders.
        options: Of the gate.
        registry: Plug-ins, when the caller adds its own.
        limit: Samples of each eval, as the run will be limited.

    Returns:
        Warnings: rules that an equal model cannot pass with so few samples.

    Raises:
        UsageError: No rule and no baseline, a baseline that does not exist or lacks an eval.
    """
    registry = registry or Registry()
    files = load_specs([Path(one) for one in specs], registry)
    plan = planned_gate(files, list(options.rules)).changed(alpha=options.alpha)
    reference = options.baseline or plan.baseline
    if not plan.sets and reference is None:
        raise UsageError(
            "--gate has nothing to judge by",
            hint="write rules under `gate:` in the spec, or give --baseline NAME, or --rule RULE",
        )
    paired = not plan.sets or any(rule.rule in _PAIRED for one in plan.sets for rule in one.rules)
    if paired and reference is None:
        raise UsageError(
            "the gate compares, and names nothing to compare with",
            hint="set `baseline:` in the spec, or give --baseline NAME",
        )
    if paired and reference is not None:
        _check_baseline(ArmChoice.parse(reference), files, plan, options)
    return list(_hopeless(files, plan, registry, limit))


def _check_baseline(
    choice: ArmChoice, files: Sequence[SpecFile], plan: GatePlan, options: GateOptions
) -> None:
    side = open_recorded(options.results, choice.reference)
    judged = {one.eval for one in plan.sets if any(rule.rule in _PAIRED for rule in one.rules)}
    for file in files:
        name = file.spec.name
        if name not in side.measures and (not judged or judged & {None, name}):
            raise UsageError(
                f'{choice.reference} has no eval "{name}"', hint=f"it holds: {', '.join(side.measures)}"
            )


def _hopeless(
    files: Sequence[SpecFile], plan: GatePlan, registry: Registry, limit: float | None
) -> Iterator[str]:
    """Yield the rules that rare breaks alone keep from passing: (1 - margin)^n is above alpha."""
    counts: dict[str, int] = {}
    for one in plan.sets:
        for rule in one.rules:
            if rule.margin is None or rule.margin >= 1:
                continue
            needed = math.ceil(math.log(one.policy.alpha) / math.log(1 - rule.margin))
            for file in files:
                name = file.spec.name
                if one.eval not in {None, name} or rule.slice:
                    continue
                if name not in counts:
                    counts[name] = survey(prepare(file, registry, RunOptions(limit=limit))).count
                if counts[name] < needed:
                    yield (
                        f"{name}: with {counts[name]:,} samples an equal model cannot pass {rule.text}: "
                        f"{needed:,} are needed, else only a visible gain passes"
                    )
