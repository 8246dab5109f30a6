"""Rules judged over arms that are built from a few numbers."""

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from regrade.api.rules import parse_rule
from regrade.arms import Arm
from regrade.errors import Problem
from regrade.gate import RuleSet, judge, resolve
from regrade.verdicts import Policy, Verdict

# In importlib mode the conftest of a neighbouring folder has no name to import it by.
build_arm = runpy.run_path(str(Path(__file__).parents[1] / "compare/conftest.py"))["build_arm"]


def weigh(
    rules: str | Sequence[str], a: Sequence[Arm], b: Sequence[Arm], seed: int, **policy: Any
) -> tuple[list[Verdict], list[Problem]]:
    """Return verdicts and problems of rules as the command line writes them."""
    texts = [rules] if isinstance(rules, str) else rules
    own = RuleSet(tuple(map(parse_rule, texts)), Policy(**policy))
    targets, problems = resolve([own], b, a, ())
    return ([], problems) if problems else judge(targets, seed)


@pytest.fixture
def arm() -> Callable[..., Arm]:
    """Return what builds an arm."""
    return build_arm  # type: ignore[no-any-return] # run_path gives a mapping to anything


@pytest.fixture
def judged() -> Callable[..., list[Verdict]]:
    """Return what judges rules over arms of both sides; nothing may be wrong with them."""

    def run(
        rules: str | Sequence[str],
        a: Arm | list[Arm] | None,
        b: Arm | list[Arm],
        seed: int = 0,
        **policy: Any,
    ) -> list[Verdict]:
        of_a, of_b = (one if isinstance(one, list) else [one] for one in (a or [], b))
        verdicts, problems = weigh(rules, of_a, of_b, seed, **policy)
        assert problems == []
        return verdicts

    return run


@pytest.fixture
def refused() -> Callable[..., str]:
    """Return what gives the one problem that keeps rules from being judged, with its hint."""

    def run(rules: str | Sequence[str], a: Arm | None, b: Arm) -> str:
        verdicts, problems = weigh(rules, [] if a is None else [a], [b], 0)
        assert verdicts == []
        (problem,) = problems
        return f"{problem.message} | {problem.hint or ''}"

    return run
