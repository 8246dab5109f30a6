"""The file that says which faults come how often, checked strictly."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from regrade.errors import Problem, SpecError, did_you_mean
from regrade.gateway.faults.kinds import KINDS, OPTIONS
from regrade.gateway.faults.rule import FaultRule
from regrade.spec.document import Document, read_document
from regrade.spec.messages import in_words
from regrade.spec.strict import Strict

__all__ = ["FaultPlan", "read_faults"]


class _File(Strict):
    """What the file holds."""

    seed: int = 0
    faults: list[FaultRule] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults come how often.

    Attributes:
        seed: Decides, with the request, which requests are met.
        rules: In the order of the file: the first that meets a request is the one that happens.
    """

    seed: int
    rules: tuple[FaultRule, ...]


def read_faults(path: Path) -> FaultPlan:
    """Read a file of faults.

    Raises:
        SpecError: Everything wrong with it, with its place.
    """
    document = read_document(path)
    try:
        file = _File.model_validate(document.tree)
    except ValidationError as error:
        wrong = [_problem(document, details) for details in error.errors()]
        raise SpecError(_ordered([*wrong, *_unknown(document)])) from None
    problems = _unknown(document)
    problems += [one for index, rule in enumerate(file.faults) for one in _unfit(document, index, rule)]
    if problems:
        raise SpecError(_ordered(problems))
    return FaultPlan(file.seed, tuple(file.faults))


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=_place_of)


def _place_of(problem: Problem) -> tuple[int, int]:
    where = problem.where
    return (where.line or 0, where.column or 0) if where else (0, 0)


def _problem(document: Document, details: Any) -> Problem:
    node = tuple(details["loc"])
    name = str(node[-1])
    if details["type"] == "extra_forbidden":
        known = list((FaultRule if len(node) > 1 else _File).model_fields)
        hint = did_you_mean(name, known) or f"known keys: {', '.join(known)}"
        return document.problem(node, f'unknown key "{name}"', hint, at_key=True)
    if details["type"] == "missing":
        return document.problem(node[:-1], f'the key "{name}" is missing', at_key=True)
    subject = f"`{name}` " if isinstance(node[-1], str) else ""
    return document.problem(node, f"{subject}{in_words(details)}")


def _unknown(document: Document) -> list[Problem]:
    """Find names that are no fault's, in whatever else is right or wrong."""
    rules = document.tree.get("faults")
    names = [
        (index, rule["fault"])
        for index, rule in enumerate(rules if isinstance(rules, list) else ())
        if isinstance(rule, dict) and isinstance(rule.get("fault"), str)
    ]
    return [
        document.problem(
            ("faults", index, "fault"),
            f'unknown fault "{name}"',
            did_you_mean(name, KINDS) or "`regrade gateway --faults-list` prints all",
        )
        for index, name in names
        if name not in KINDS
    ]


def _unfit(document: Document, index: int, rule: FaultRule) -> list[Problem]:
    """Find options that a fault does not have."""
    kind = KINDS.get(rule.fault)
    if kind is None:
        return []
    problems = [
        document.problem(
            ("faults", index, name),
            f"{rule.fault} has no `{name}`",
            f"it takes: {', '.join(kind.options)}" if kind.options else None,
            at_key=True,
        )
        for name in OPTIONS
        if name in rule.model_fields_set and name not in kind.options
    ]
    if rule.stream is not None and kind.form != "any" and rule.stream != (kind.form == "stream"):
        form = "streams" if kind.form == "stream" else "answers that are no stream"
        problems.append(document.problem(("faults", index, "stream"), f"{rule.fault} is a fault of {form}"))
    return problems
