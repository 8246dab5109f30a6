"""Tells whether a new model, prompt or parameter is better or worse than what you ship today.

`regrade.run("evals/x.yaml")` runs a suite; `await regrade.arun(...)` does so inside a running event loop.
The names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regrade.api import (
        ComparedRuns,
        GatedRun,
        GateOptions,
        PowerOptions,
        Run,
        RunOptions,
        arun,
        compare,
        gate,
        open_run,
        power,
        rescore,
        run,
        set_baseline,
    )
    from regrade.errors import RegradeError

__all__ = [
    "ComparedRuns",
    "GateOptions",
    "GatedRun",
    "PowerOptions",
    "RegradeError",
    "Run",
    "RunOptions",
    "arun",
    "compare",
    "gate",
    "open_run",
    "power",
    "rescore",
    "run",
    "set_baseline",
]

_HOMES = dict.fromkeys(__all__, "regrade.api") | {"RegradeError": "regrade.errors"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
