"""Which rules a run is held against: those of its specs, of the command line, or the plain ones."""

import dataclasses
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.addresses import split
from regrade.api.sources import Recorded
from regrade.api.specs import load_specs
from regrade.errors import Problem, RegradeError, UsageError, did_you_mean
from regrade.jsonio import dumps
from regrade.plugins import Registry
from regrade.spec import GateSpec, RuleSpec, SpecFile, checked
from regrade.types import Json, JsonObject

if TYPE_CHECKING:
    from regrade.arms import Arm
    from regrade.gate import RuleSet
    from regrade.verdicts import Policy, Rule

__all__ = ["GatePlan", "gate_plan", "parse_rule", "planned_gate"]

_KINDS = ("no_regression", "non_inferior", "at_least", "at_most")
_NUMBERS = ("margin", "value")
_LISTS = ("models", "prompts")
_ALIASES = {"model": "models", "prompt": "prompts"}


@dataclass(frozen=True, slots=True)
class GatePlan:
    """Rules, how they are judged, and what against.

    Attributes:
        sets: The rules.
        baseline: What the specs name; None when none does.
        files: The specs, where their lines can be shown.
        notes: Evals that no rule speaks of.
    """

    sets: "tuple[RuleSet, ...]"
    baseline: str | None
    files: tuple[SpecFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def slices(self) -> list[str]:
        """Return the metadata fields that rules speak of."""
        return list(dict.fromkeys(name for one in self.sets for rule in one.rules for name in rule.slice))

    def changed(self, **changes: Any) -> "GatePlan":
        """Return the plan with other policies, where a change is not None.

        Raises:
            UsageError: An alpha outside of (0, 0.5], or another value that is none.
        """
        wanted = {name: value for name, value in changes.items() if value is not None}
        if not wanted:
            return self
        checked(GateSpec, {**wanted, "rules": [{"rule": "at_least", "metric": "m", "value": 0}]})
        sets = tuple(replace(one, policy=replace(one.policy, **wanted)) for one in self.sets)
        return replace(self, sets=sets)

    def asked(self, arms: "Sequence[Arm]") -> "tuple[GatePlan, tuple[str, ...]]":
        """Return the plan without what its specs say of models and prompts that were not asked.

        A run may ask some of a spec's models, and a user may choose some arms of a run. Names that a spec
        does not know are refused when it is read; rules of the command line are taken at their word.

        Args:
            arms: Those of the candidate.

        Returns:
            The plan, and what to tell of the rules that were left out.
        """
        sets, notes = [], []
        for one in self.sets:
            mine = [arm for arm in arms if arm.eval == one.eval]
            kept = one.rules if one.eval is None else tuple(_about(one.rules, mine))
            left_out = len(one.rules) - len(kept)
            if left_out:
                notes.append(
                    f"{one.eval}: {left_out} of {len(one.rules)} rules speak of nobody who was asked."
                )
            if kept:
                sets.append(replace(one, rules=kept))
        return (replace(self, sets=tuple(sets)), tuple(notes)) if sets else (self, ())

    def pointed(self, problem: Problem) -> Problem:
        """Return the problem with the line of the spec that it points to."""
        if problem.where is None or problem.where.line is None:
            return problem
        for file in self.files:
            lines = file.document.lines.get(problem.where.file, [])
            if len(lines) >= problem.where.line:
                return dataclasses.replace(problem, source=lines[problem.where.line - 1])
        return problem


def gate_plan(
    run: Recorded,
    rules: "Sequence[str | Rule]",
    registry: Registry,
    baseline: Collection[str] | None = None,
) -> GatePlan:
    """Return what a run is held against.

    Rules of the command line replace those of the specs. A spec's gate is read from its file as it stands
    now, else from what the run kept of it. In an eval without any rule no scorer's first metric may regress,
    provided that there is a baseline for it.

    Args:
        run: The candidate.
        rules: Of the command line.
        registry: Plug-ins.
        baseline: Evals of the baseline that the user named; None when none was named.

    Raises:
        UsageError: A rule that is none.
    """
    gates = [] if run.folder is None else _spec_gates(run, registry)
    plan = _plan_of(gates, rules)
    if rules:
        return plan
    ruled = {one.eval for one in plan.sets}
    others = [name for name in run.measures if name not in ruled]
    plain = [name for name in others if not plan.sets or (baseline is not None and name in baseline)]
    notes = tuple(f"{name}: no rules, not judged." for name in others if name not in plain)
    return replace(plan, sets=(*plan.sets, *_plain(run, plain)), notes=notes)


def planned_gate(files: Sequence[SpecFile], rules: "Sequence[str | Rule]") -> GatePlan:
    """Return what a run of these specs will be held against; without any rule its `sets` are empty.

    Raises:
        UsageError: A rule that is none.
    """
    return _plan_of([(file.spec.name, file.spec.gate, file) for file in files if file.spec.gate], rules)


def _plan_of(
    gates: Sequence[tuple[str, GateSpec, SpecFile | None]], rules: "Sequence[str | Rule]"
) -> GatePlan:
    from regrade.gate import RuleSet
    from regrade.verdicts import Policy

    baseline = _baseline([gate for _, gate, _ in gates])
    files = tuple(file for _, _, file in gates if file is not None)
    if rules:
        policies = {_policy(gate) for _, gate, _ in gates}
        policy = policies.pop() if len(policies) == 1 else Policy()  # specs that differ have no say
        return GatePlan(
            (RuleSet(tuple(parse_rule(one) if isinstance(one, str) else one for one in rules), policy),),
            baseline,
            files,
        )
    sets = tuple(RuleSet(_rules(gate, file), _policy(gate), name) for name, gate, file in gates)
    return GatePlan(sets, baseline, files)


def _about(rules: "Sequence[Rule]", arms: "Sequence[Arm]") -> "Iterator[Rule]":
    """Yield the rules that hold for any of the arms, without the names that none of them has."""
    for rule in rules:
        models = tuple(name for name in rule.models if any(arm.model == name for arm in arms))
        prompts = tuple(name for name in rule.prompts if any(arm.prompt == name for arm in arms))
        if arms and bool(models) == bool(rule.models) and bool(prompts) == bool(rule.prompts):
            yield dataclasses.replace(rule, models=models, prompts=prompts)


def _baseline(gates: Sequence[GateSpec]) -> str | None:
    named = list(dict.fromkeys(gate.baseline for gate in gates if gate.baseline is not None))
    if len(named) > 1:
        raise UsageError(
            f"the specs name different baselines: {', '.join(named)}", hint="choose one with --baseline"
        )
    return named[0] if named else None


def _spec_gates(run: Recorded, registry: Registry) -> list[tuple[str, GateSpec, SpecFile | None]]:
    """Return the gate of each spec of the run that has one, with its file where that can be read."""
    found: list[tuple[str, GateSpec, SpecFile | None]] = []
    specs = run.folder.manifest().specs if run.folder is not None else []
    for record in specs:
        file = _file_now(record, registry)
        if file is not None:
            if file.spec.gate is not None:
                found.append((file.spec.name, file.spec.gate, file))
        elif record["spec"].get("gate"):
            found.append((record["name"], GateSpec.model_validate(record["spec"]["gate"]), None))
    return found


def _file_now(record: JsonObject, registry: Registry) -> SpecFile | None:
    path = Path(record["file"])
    if not path.is_file():
        return None
    try:
        (file,) = load_specs([path], registry)
    except RegradeError:
        return None  # it was changed to something that does not run; the run kept what it was
    return file if file.spec.name == record["name"] else None


def _policy(gate: GateSpec) -> "Policy":
    from regrade.verdicts import Policy

    return Policy(gate.alpha, gate.on_inconclusive, gate.missing, gate.clusters)


def _rules(gate: GateSpec, file: SpecFile | None) -> "tuple[Rule, ...]":
    return tuple(
        dataclasses.replace(_rule(one), where=None if file is None else file.where(("gate", "rules", place)))
        for place, one in enumerate(gate.rules)
    )


def _rule(spec: RuleSpec) -> "Rule":
    from regrade.verdicts import Rule

    return Rule(
        rule=spec.rule,
        metric=spec.metric,
        margin=spec.margin,
        value=None if spec.value is None else float(spec.value),
        confident=spec.confident,
        against=spec.against,
        models=tuple(spec.models),
        prompts=tuple(spec.prompts),
        slice={name: _text(value) for name, value in spec.slice.items()},
    )


def _text(value: Json) -> str:
    """Return a metadata value as slices name it."""
    return value if isinstance(value, str) else dumps(value)


def _plain(run: Recorded, evals: Sequence[str]) -> "list[RuleSet]":
    """Return the rules of evals without any: no scorer's first metric may regress."""
    from regrade.gate import RuleSet
    from regrade.verdicts import Policy, Rule

    sets = []
    for name in evals:
        scorers = run.measures[name]
        rules = tuple(Rule("no_regression", metric) for metric in _first_metrics(scorers))
        if rules:
            sets.append(RuleSet(rules, Policy(), name))
    return sets


def _first_metrics(scorers: Sequence[JsonObject]) -> list[str]:
    """Return the name of each scorer's first metric, with the scorer's where the metric's is not enough."""
    names = [str(one["metrics"][0]["name"]) for one in scorers]
    return [
        name if names.count(name) == 1 else f"{one['scorer']}.{name}"
        for one, name in zip(scorers, names, strict=True)
    ]


def parse_rule(text: str) -> "Rule":
    """Read a rule of the command line, such as "non_inferior accuracy margin=0.02 channel=chat".

    A number alone is the margin or the value; `confident` stands for itself; what is no field of a rule is
    metadata that samples must have.

    Raises:
        UsageError: Saying what is wrong with it.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f'the rule "{text}": {error}') from error
    if len(words) < 2 or words[0] not in _KINDS:  # noqa: PLR2004 - kind and metric
        kind = words[0] if words else ""
        hint = did_you_mean(kind, _KINDS) if kind not in _KINDS else "it needs a metric"
        hint = hint or "such as: --rule 'non_inferior accuracy margin=0.02'"
        raise UsageError(f'the rule "{text}" is none', hint=hint)
    fields: JsonObject = {"rule": words[0], "metric": words[1], "slice": {}}
    for word in words[2:]:
        _take(fields, word, text)
    return _rule(checked(RuleSpec, fields, f'the rule "{text}": '))


def _take(fields: JsonObject, word: str, text: str) -> None:
    name, equals, value = word.partition("=")
    name = _ALIASES.get(name, name)
    if not equals:
        if word == "confident":
            fields["confident"] = True
            return
        name, value = "margin" if fields["rule"] == "non_inferior" else "value", word
    if name in _NUMBERS:
        try:
            fields[name] = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            raise UsageError(f'the rule "{text}": "{word}" is no number') from None
    elif name in _LISTS:
        fields[name] = list(split(value))
    elif name == "against":
        fields[name] = value
    else:
        fields["slice"][name] = value
