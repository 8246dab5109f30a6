"""Which items a spec has, and what they are called."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrade.plan import CompiledPrompt
    from regrade.spec import ModelSpec, SpecFile
    from regrade.verdicts import Rule

__all__ = ["Case", "cases_of", "fits"]

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Case:
    """What one item stands for.

    Attributes:
        name: Unique in its spec and the same on every machine; `regrade gate` calls its JUnit case the same.
        model: Its name, or a glob: which models that means is known when the run has asked the endpoint.
        source: The entry of `models:` that it comes from.
        prompt: The prompt; None for all.
        rule: The rule; None in a spec without a gate.
        wanted: Whether `--regrade-model` leaves it in.
    """

    name: str
    model: str
    source: str
    prompt: str | None = None
    rule: "Rule | None" = None
    wanted: bool = True


def cases_of(
    file: "SpecFile",
    prompts: "Sequence[CompiledPrompt]",
    rules: "Sequence[Rule]",
    chosen: Sequence[str] | None,
) -> list[Case]:
    """Return the items of a spec, in its order; those that are not chosen as well.

    Args:
        file: The spec.
        prompts: Its prompts, matrix spelled out.
        rules: Of its gate; empty without one.
        chosen: Models of `--regrade-model`; None without it.

    Raises:
        SpecError: A rule that names a model or prompt which the spec does not have.
    """
    listed = {model.name: model for model in file.spec.models}
    asked = _asked(listed, chosen)
    sources = list(dict.fromkeys([*listed, *asked]))
    cases: list[Case] = []
    for source in sources:
        wanted = source in asked
        if not rules:
            cases.append(Case(f"{source}: completed", source, source, wanted=wanted))
        for prompt in _fitting(listed.get(source), prompts) if rules else ():
            cases += [replace(one, wanted=wanted) for one in _of_arm(source, prompt, rules, sources)]
    return _numbered(cases)


def fits(model: str, case: Case, listed: frozenset[str]) -> bool:
    """Return whether a model of the run is one that the case speaks of.

    Args:
        model: As the run calls it.
        case: Of one model, or of all that its glob brought in.
        listed: Models that stand in the spec by name: no glob speaks for them.
    """
    if not _is_glob(case.model):
        return model == case.model
    return model not in listed and fnmatch.fnmatchcase(model, case.model)


def _of_arm(source: str, prompt: str, rules: "Sequence[Rule]", sources: Sequence[str]) -> Iterator[Case]:
    part = "" if prompt == _DEFAULT else f" [{prompt}]"
    for rule in rules:
        if rule.prompts and prompt not in rule.prompts:
            continue
        named = [name for name in rule.models if _source_of(name, sources) == source]
        for model in named if rule.models else [source]:
            yield Case(f"{model}{part}: {rule.text}", model, source, prompt, rule)


def _fitting(model: "ModelSpec | None", prompts: "Sequence[CompiledPrompt]") -> list[str]:
    """Return the prompts that a model is asked: those for its endpoint.

    A model that no prompt is for keeps its items, and they fail for want of answers: nothing goes silently.
    """
    endpoint = "chat" if model is None else model.endpoint
    of_endpoint = [prompt.name for prompt in prompts if prompt.endpoint == endpoint]
    return of_endpoint or [prompt.name for prompt in prompts]


def _asked(listed: Mapping[str, "ModelSpec"], chosen: Sequence[str] | None) -> list[str]:
    """Return the entries that are asked; as in `regrade run --models`, what is not listed is a model's id."""
    if chosen is None:
        return list(listed)
    found: list[str] = []
    for name in chosen:
        found += [one for one in listed if fnmatch.fnmatchcase(one, name)] or [name]
    return list(dict.fromkeys(found))


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


def _source_of(model: str, sources: Sequence[str]) -> str | None:
    """Return the entry that a model comes from: its own, else the first glob that it fits."""
    if model in sources:
        return model
    return next((one for one in sources if _is_glob(one) and fnmatch.fnmatchcase(model, one)), None)


def _numbered(cases: Sequence[Case]) -> list[Case]:
    """Number cases that are called alike, such as those of one rule for all prompts and one for some."""
    seen: dict[str, int] = {}
    found = []
    for case in cases:
        seen[case.name] = again = seen.get(case.name, 0) + 1
        found.append(case if again == 1 else replace(case, name=f"{case.name} ({again})"))
    return found
