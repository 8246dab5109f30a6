"""Rules as the texts that `api.gate` takes in place of those of a spec."""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from regrade.errors import UsageError

if TYPE_CHECKING:
    from regrade.comparisons import Rule

__all__ = ["only_for", "written"]

_FIELDS = {"margin", "value", "model", "models", "prompt", "prompts", "against"}


def only_for(rules: "Sequence[Rule]", models: Collection[str]) -> list[str]:
    """Return the rules that speak of these models; empty when all of the spec's do, so that it can be read.

    A gate refuses rules that name models which the run does not hold. Here the user has chosen some of them.
    """
    if all(name in models for rule in rules for name in rule.models):
        return []
    chosen = [replace(rule, models=tuple(name for name in rule.models if name in models)) for rule in rules]
    pairs = zip(rules, chosen, strict=True)
    return [written(mine) for rule, mine in pairs if mine.models or not rule.models]


def written(rule: "Rule") -> str:
    """Return a rule as `parse_rule` reads it.

    Raises:
        UsageError: A slice over a metadata field that has the name of a part of rules.
    """
    words: list[str] = [rule.rule, rule.metric]
    words += [
        f"{name}={value!r}"
        for name, value in (("margin", rule.margin), ("value", rule.value))
        if value is not None
    ]
    words += [
        f"{name}={','.join(listed)}"
        for name, listed in (("models", rule.models), ("prompts", rule.prompts))
        if listed
    ]
    words += ["confident"] if rule.confident else []
    words += [f"against={rule.against}"] if rule.against else []
    for name, value in rule.slice.items():
        if name in _FIELDS or "=" in name:
            raise UsageError(
                f'{rule.text}: a slice over "{name}" can only be named in a spec',
                hint="write it under `gate:`",
            )
        words.append(f"{name}={value}")
    return shlex.join(words)
