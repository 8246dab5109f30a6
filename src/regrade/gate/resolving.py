"""Which arms and metrics a rule speaks of."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from regrade.arms import Arm, Joined, Measure
from regrade.compare import chosen_samples, join, partner_of
from regrade.errors import Location, Problem, did_you_mean
from regrade.gate.requests import REQUEST_METRICS
from regrade.verdicts import Policy, Rule

__all__ = ["RuleSet", "Target", "find_measure", "pairs_of", "resolve"]

_PAIRED = ("no_regression", "non_inferior")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with how they are judged.

    Attributes:
        rules: At least one.
        policy: For all of them.
        eval: The eval that they belong to; None for all.
    """

    rules: tuple[Rule, ...]
    policy: Policy
    eval: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One rule on one metric of one arm, its samples chosen.

    Attributes:
        rule: The rule.
        policy: How it is judged.
        arm: The candidate's arm.
        measure: The metric over that arm; its name alone for what is computed from the requests.
        metric: The metric's name in verdicts.
        rows: Shape (m,): places of the chosen samples in `arm`, for a rule on the candidate alone.
        joined: The chosen samples that both arms have, for a rule against a baseline.
        other: The metric over the baseline's arm.
    """

    rule: Rule
    policy: Policy
    arm: Arm
    measure: Measure
    metric: str
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    joined: Joined | None = None
    other: Measure | None = None


def resolve(
    sets: Sequence[RuleSet], b: Sequence[Arm], a: Sequence[Arm], lone: Collection[str]
) -> tuple[list[Target], list[Problem]]:
    """Spell rules out over arms and metrics.

    Args:
        sets: The rules.
        b: Arms of the candidate.
        a: Arms of the baseline; empty without one.
        lone: Names ("model", "prompt") that were chosen by the user, so that they need not agree.

    Returns:
        What to judge, and what is wrong with the rules.
    """
    targets: list[Target] = []
    problems: list[Problem] = []
    for one in sets:
        for rule in one.rules:
            arms = [arm for arm in b if one.eval in (None, arm.eval)]
            wrong = _unknown_names(rule, arms)
            arms = [arm for arm in arms if _holds_for(rule, arm)]
            if wrong:
                problems.append(wrong)
            for arm in arms if not wrong else ():
                found = _target(rule, one.policy, arm, _Sides(a, b, lone))
                (targets if isinstance(found, Target) else problems).append(found)  # type: ignore[arg-type] # told apart above
    return targets, problems


@dataclass(frozen=True, slots=True)
class _Sides:
    a: Sequence[Arm]
    b: Sequence[Arm]
    lone: Collection[str]


def _holds_for(rule: Rule, arm: Arm) -> bool:
    of_model = not rule.models or arm.model in rule.models
    return of_model and (not rule.prompts or arm.prompt in rule.prompts)


def _unknown_names(rule: Rule, arms: Sequence[Arm]) -> Problem | None:
    for kind, named, known in (
        ("model", rule.models, [arm.model for arm in arms]),
        ("prompt", rule.prompts, [arm.prompt for arm in arms]),
    ):
        for name in named:
            if name not in known:
                distinct = list(dict.fromkeys(known))
                hint = did_you_mean(name, distinct) or f"it holds: {', '.join(distinct)}"
                return Problem(f'{rule.text}: the run has no {kind} "{name}"', rule.where, hint=hint)
    if not any(_holds_for(rule, arm) for arm in arms):
        return Problem(f"{rule.text}: the run has no answer that it holds for", rule.where)
    return None


def _target(rule: Rule, policy: Policy, arm: Arm, sides: _Sides) -> Target | Problem:
    paired = rule.rule in _PAIRED
    measure = find_measure(rule, arm)
    if isinstance(measure, Problem):
        return measure
    metric = measure.metric
    if not paired:
        metric = REQUEST_METRICS[rule.metric].name if rule.metric in REQUEST_METRICS else metric
        rows = _members(arm, rule)
        if not rows.size:
            return _no_slice(rule, arm)
        return Target(rule, policy, arm, measure, metric, rows)
    # A rule on one prompt may be held against another one that the user chose.
    mine = [one for one in sides.b if _holds_for(rule, one)]
    partner = partner_of(arm, sides.a, mine, sides.lone, rule.against)
    if partner is None:
        return _no_partner(rule, arm, sides.a)
    other = partner.measure(*measure.name)
    if other is None:
        message = f"{rule.text}: {partner.run} has no {measure.metric} of {measure.scorer or 'its requests'}"
        return Problem(message, rule.where, hint="score it again with: regrade score RUN --spec FILE")
    joined = chosen_samples(join(partner, arm), rule.slice)
    if rule.slice and not joined.rows_b.size:
        return _no_slice(rule, arm)
    return Target(rule, policy, arm, measure, metric, joined.rows_b, joined, other)


def find_measure(rule: Rule, arm: Arm) -> Measure | Problem:
    """Find a metric by "scorer.metric", by its own name, by its scorer's name, or among the requests'."""
    if rule.metric in REQUEST_METRICS:
        wanted = REQUEST_METRICS[rule.metric]
        found = arm.measure("", wanted.measure)
        if found is None:
            message = f"{rule.text}: {arm.model} has no {wanted.measure} in {arm.eval}"
            return Problem(message, rule.where, hint=wanted.missing)
        if rule.rule in _PAIRED and not wanted.per_sample:
            hint = f'use {wanted.measure} there, or "at_most" with {rule.metric}'
            return Problem(f"{rule.text}: no test speaks of {rule.metric}", rule.where, hint=hint)
        return found
    exact = [one for one in arm.measures if f"{one.scorer}.{one.metric}" == rule.metric]
    by_metric = [one for one in arm.measures if one.metric == rule.metric and one.scorer]
    by_scorer = [one for one in arm.measures if one.scorer == rule.metric][:1]
    found_all = exact or by_metric or by_scorer
    if len(found_all) == 1:
        return found_all[0]
    if found_all:
        names = ", ".join(f"{one.scorer}.{one.metric}" for one in found_all)
        return Problem(f'{rule.text}: "{rule.metric}" could be {names}', rule.where, hint="name one of them")
    known = _names(arm)
    hint = did_you_mean(rule.metric, known) or f"known: {', '.join(known)}"
    return Problem(f'{rule.text}: {arm.eval} has no metric "{rule.metric}"', rule.where, hint=hint)


def _names(arm: Arm) -> list[str]:
    scored = [one for one in arm.measures if one.scorer]
    return list(
        dict.fromkeys([*(one.metric for one in scored), *(one.scorer for one in scored), *REQUEST_METRICS])
    )


def _members(arm: Arm, rule: Rule) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    kept = np.ones(arm.ids.size, dtype=np.bool_)
    for name, text in rule.slice.items():
        field = arm.slices.get(name)
        known = field is not None and text in field.texts
        kept &= field.codes == field.texts.index(text) if field is not None and known else False
    return np.flatnonzero(kept)


def _no_slice(rule: Rule, arm: Arm) -> Problem:
    known = [name for name, field in arm.slices.items() if field.texts]
    for name, text in rule.slice.items():
        if name not in known:  # a field that a rule alone speaks of is laid out, and holds nothing
            hint = (
                did_you_mean(name, known) or f"fields that tell samples apart: {', '.join(known) or 'none'}"
            )
            return Problem(f'{rule.text}: {arm.eval} has no metadata "{name}"', rule.where, hint=hint)
        field = arm.slices[name]
        if text not in field.texts:
            hint = did_you_mean(text, field.texts) or f"values: {', '.join(field.texts[:20])}"
            return Problem(f'{rule.text}: no sample has {name} "{text}"', rule.where, hint=hint)
    return Problem(f"{rule.text}: no sample is in that slice", rule.where)


def _no_partner(rule: Rule, arm: Arm, a: Sequence[Arm]) -> Problem:
    where: Location | None = rule.where
    if not a:
        hint = "set one with `baseline:` in the gate, or --baseline NAME"
        return Problem(f"{rule.text}: there is no baseline to hold {arm.model} against", where, hint=hint)
    run = a[0].run
    others = [one for one in a if one.eval == arm.eval]
    if not others:
        return Problem(f'{rule.text}: {run} has no eval "{arm.eval}"', where)
    models = list(dict.fromkeys(one.model for one in others))
    wanted = rule.against or arm.model
    if wanted not in models:
        hint = f"it holds: {', '.join(models)}; name one with `against:`, or restrict the rule with `models:`"
        return Problem(f'{rule.text}: {run} has no answers of "{wanted}" in {arm.eval}', where, hint=hint)
    prompts = ", ".join(dict.fromkeys(one.prompt for one in others if one.model == wanted))
    return Problem(
        f'{rule.text}: {run} has no prompt "{arm.prompt}" in {arm.eval}', where, hint=f"it holds: {prompts}"
    )


def pairs_of(targets: Sequence[Target]) -> Iterator[Joined]:
    """Yield every pair of arms that a rule compares, once, with all samples that they have in common."""
    seen: set[tuple[int, int]] = set()
    for target in targets:
        if target.joined is not None:
            pair = (id(target.joined.a), id(target.joined.b))
            if pair not in seen:
                seen.add(pair)
                yield join(target.joined.a, target.joined.b)
