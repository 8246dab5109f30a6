"""What can be known of a gate before its run is paid for."""

import fnmatch
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.api.gating import GateOptions
from regrade.api.measures import measure_records
from regrade.api.options import RunOptions
from regrade.api.prepare import prepare, survey
from regrade.api.rules import GatePlan, planned_gate
from regrade.api.sources import ArmChoice, Recorded, open_recorded, reference_text
from regrade.api.specs import load_specs
from regrade.errors import Problem, SpecError, UsageError, did_you_mean
from regrade.plugins import Registry
from regrade.spec import SpecFile

if TYPE_CHECKING:
    from regrade.arms import Arm
    from regrade.verdicts import Rule

__all__ = ["check_gate", "gate_problems", "pinned_baseline"]

_PAIRED = {"no_regression", "non_inferior"}
_ONE_VALUE = {
    "exact_match", "includes", "regex", "numeric", "choice", "classification", "json_valid", "json_schema",
    "valid_arguments",
    "token_f1", "bleu", "chrf", "edit_distance",
}  # fmt: skip
"""Scorers that give no value beside their main one, so that all of their metrics are known beforehand."""


_SCORE_AGAIN = (
    "score its run again, which sends nothing, and set the baseline anew: regrade score RUN --spec SPEC, "
    "then regrade baseline set NAME latest --replace"
)


def check_gate(
    specs: Sequence[str | Path],
    *,
    options: GateOptions,
    registry: Registry | None = None,
    limit: float | None = None,
    models: Sequence[str] | None = None,
) -> list[str]:
    """Refuse a gate that cannot be judged, and warn of one that can hardly pass; sends nothing.

    Args:
        specs: Files or folders.
        options: Of the gate.
        registry: Plug-ins, when the caller adds its own.
        limit: Samples of each eval, as the run will be limited.
        models: Names or globs that the run will be restricted to.

    Returns:
        Warnings: rules that an equal model cannot pass with so few samples.

    Raises:
        UsageError: No rule and no baseline, a baseline that does not exist, rules on metrics, metadata or
            models that there are not.
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
    choice = None if reference is None else ArmChoice.parse(reference)
    side = None
    if paired and choice is not None and not _is_the_run_itself(choice):
        side = open_recorded(options.results, choice.reference)
        _check_baseline(choice, side, files, plan)
    problems = [
        plan.pointed(problem)
        for file, rule in _rules_of(files, plan)
        for problem in _problems(file, rule, _Sides(registry, side, choice, models))
    ]
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return list(_hopeless(files, plan, registry, limit))


def gate_problems(file: SpecFile, registry: Registry) -> list[Problem]:
    """Return what is wrong with the gate of a spec, whatever it will be held against."""
    plan = planned_gate([file], [])
    sides = _Sides(registry, None, None, None)
    found = [
        plan.pointed(problem)
        for _, rule in _rules_of([file], plan)
        for problem in _problems(file, rule, sides)
    ]
    return list(dict.fromkeys(found))


def pinned_baseline(specs: Sequence[str | Path], options: GateOptions, registry: Registry) -> str | None:
    """Return the baseline to hold a run against that is yet to be made: `latest` is the latest one now.

    With a model or prompt chosen, `latest,prompt=long`, it stays what it is: an arm of the run itself.
    """
    files = load_specs([Path(one) for one in specs], registry)
    reference = options.baseline or planned_gate(files, list(options.rules)).baseline
    if reference != "latest":
        return None if options.baseline is None else reference_text(options.baseline)
    found = open_recorded(options.results, reference)
    return str(found.folder.path) if found.folder is not None else reference


def _is_the_run_itself(choice: ArmChoice) -> bool:
    return choice.reference == "latest" and bool(choice.selected)


def _check_baseline(choice: ArmChoice, side: Recorded, files: Sequence[SpecFile], plan: GatePlan) -> None:
    judged = {one.eval for one in plan.sets if any(rule.rule in _PAIRED for rule in one.rules)}
    for file in files:
        name = file.spec.name
        if name not in side.measures and (not judged or judged & {None, name}):
            raise UsageError(
                f'{choice.reference} has no eval "{name}"', hint=f"it holds: {', '.join(side.measures)}"
            )


def _rules_of(files: Sequence[SpecFile], plan: GatePlan) -> "Iterator[tuple[SpecFile, Rule]]":
    for one in plan.sets:
        for rule in one.rules:
            yield from ((file, rule) for file in files if one.eval in {None, file.spec.name})


class _Sides:
    """What a rule is checked against."""

    def __init__(
        self,
        registry: Registry,
        side: Recorded | None,
        choice: ArmChoice | None,
        models: Sequence[str] | None,
    ) -> None:
        self.registry, self.side, self.choice, self._models = registry, side, choice, models

    def asked(self, file: SpecFile, rule: "Rule") -> list[str]:
        """Return the models, by name, that will be asked and that the rule speaks of."""
        named = [one.name for one in file.spec.models if not any(char in one.name for char in "*?[")]
        if self._models is not None:
            named = [name for name in named if any(fnmatch.fnmatchcase(name, one) for one in self._models)]
        return [name for name in named if not rule.models or name in rule.models]

    def set_up_otherwise(self, file: SpecFile, scorer: str) -> bool:
        """Return whether the baseline was scored with other arguments or steps."""
        if self.side is None:
            return False
        before = {one["scorer"]: one.get("recipe") for one in self.side.measures.get(file.spec.name, ())}
        now = {one["scorer"]: one.get("recipe") for one in measure_records(file, self.registry)}
        return bool(before.get(scorer)) and before[scorer] != now.get(scorer)

    def other_modes(self, file: SpecFile) -> list[str]:
        """Return the modes, other than the spec's, in which the baseline asked multiple choice.

        What `auto` will be is known at the run.
        """
        choices = file.spec.choices
        if self.side is None or choices is None or choices.mode == "auto":
            return []
        mine = [one for one in self.side.models if one.get("eval") == file.spec.name]
        modes = dict.fromkeys(str(one.get("choice_mode") or "text") for one in mine)
        return [mode for mode in modes if mode != choices.mode]

    def baseline_models(self, eval_name: str) -> list[str] | None:
        """Return whom the baseline asked; None where it does not matter."""
        if self.side is None or (self.choice is not None and "model" in self.choice.selected):
            return None
        return [str(one["name"]) for one in self.side.models if one.get("eval") == eval_name]


def _modes_problem(file: SpecFile, rule: "Rule", modes: Sequence[str]) -> Problem:
    assert file.spec.choices is not None
    return Problem(
        f"{rule.text}: the baseline was asked multiple choice as {' and '.join(modes)}, the spec asks it as "
        f"{file.spec.choices.mode}: the two do not compare",
        rule.where,
        hint="set `mode:` under `choices:` as it was, or make a new baseline",
    )


def _problems(file: SpecFile, rule: "Rule", sides: _Sides) -> Iterator[Problem]:
    from regrade.gate import find_measure

    found = find_measure(rule, _stand_in(file, sides.registry))
    if isinstance(found, Problem):
        known = _ONE_VALUE - ({"choice"} if file.spec.choices is not None else set())
        if all(use.name in known for use in file.spec.scorers):
            yield found
        return
    bounds = found.data.bounds
    if rule.margin is not None and bounds is not None and rule.margin >= bounds[1] - bounds[0]:
        message = f"{rule.text}: the margin is as large as the range of {found.metric}"
        yield Problem(message, rule.where, hint="shares go from 0 to 1: 0.02 is two points, as is 2%")
    if rule.value is not None and bounds is not None and not bounds[0] <= rule.value <= bounds[1]:
        message = f"{rule.text}: {found.metric} goes from {bounds[0]:g} to {bounds[1]:g}"
        yield Problem(message, rule.where, hint="shares go from 0 to 1: 0.05, or 5 %")
    yield from _strange_fields(file, rule)
    if rule.rule in _PAIRED and found.scorer and (modes := sides.other_modes(file)):
        yield _modes_problem(file, rule, modes)
    if rule.rule in _PAIRED and sides.set_up_otherwise(file, found.scorer):
        message = f"{rule.text}: {found.scorer} is set up otherwise than in the baseline"
        yield Problem(message, rule.where, hint=_SCORE_AGAIN)
    yield from _partnerless(file, rule, sides)


def _partnerless(file: SpecFile, rule: "Rule", sides: _Sides) -> Iterator[Problem]:
    """Yield models that the baseline has no answers of."""
    name = file.spec.name
    known = sides.baseline_models(name) if rule.rule in _PAIRED else None
    if known is None:
        return
    names = ", ".join(known)
    hint = f"it holds: {names}; name one with `against:`, or restrict the rule with `models:`"
    for wanted in dict.fromkeys(rule.against or model for model in sides.asked(file, rule)):
        if wanted not in known:
            message = f'{rule.text}: the baseline has no answers of "{wanted}" in {name}'
            yield Problem(message, rule.where, hint=hint)


def _strange_fields(file: SpecFile, rule: "Rule") -> Iterator[Problem]:
    """Yield slices over metadata that the spec does not keep."""
    metadata = file.spec.dataset.metadata
    if metadata == "*":
        return
    known = list(metadata or ())
    for name in rule.slice:
        if name.partition(".")[0] not in known:
            hint = did_you_mean(name, known) or f"it keeps: {', '.join(known) or 'none'}"
            yield Problem(f'{rule.text}: {file.spec.name} keeps no metadata "{name}"', rule.where, hint=hint)


def _stand_in(file: SpecFile, registry: Registry) -> "Arm":
    """Return an arm without samples that has the metrics which every arm of the eval will have."""
    import numpy as np

    from regrade.api.measures import metrics_of
    from regrade.arms import Arm, Measure
    from regrade.types import MetricInput

    nothing = np.empty((0, 1))
    measures = [
        Measure(scorer.name, name, scorer.better, metric, MetricInput(nothing, scorer.bounds))
        for scorer in metrics_of(measure_records(file, registry), registry).scorers
        for name, metric in scorer.metrics
    ]
    tokens = [f"{kind}_tokens_per_answer" for kind in ("prompt", "completion", "reasoning")]
    requests = ["failure_rate", "latency_mean", *tokens]
    requests += ["cost_per_answer"] if any(model.price for model in file.spec.models) else []
    measures += [
        Measure("", name, "lower", None, MetricInput(nothing, (0.0, 1.0) if name == "failure_rate" else None))
        for name in requests
    ]
    none = np.empty(0, dtype=np.int64)
    flags = np.empty((0, 1), dtype=np.bool_)
    return Arm(
        "the run", file.spec.name, "", "the model", none, none, flags, flags, None, {}, tuple(measures)
    )


def _hopeless(
    files: Sequence[SpecFile], plan: GatePlan, registry: Registry, limit: float | None
) -> Iterator[str]:
    """Yield the rules that rare breaks alone keep from passing: (1 - margin)^n is above alpha."""
    counts: dict[str, int] = {}
    for one in plan.sets:
        for file, rule in _rules_of(files, replace(plan, sets=(one,))):
            if rule.margin is None or rule.margin >= 1 or rule.slice:
                continue
            needed = math.ceil(math.log(one.policy.alpha) / math.log(1 - rule.margin))
            name = file.spec.name
            if name not in counts:
                counts[name] = survey(prepare(file, registry, RunOptions(limit=limit))).count
            if counts[name] < needed:
                yield (
                    f"{name}: with {counts[name]:,} samples an equal model cannot pass {rule.text}: "
                    f"{needed:,} are needed, else only a visible gain passes"
                )
