"""Tells whether a new model, prompt or parameter is better or worse than what you ship today.

`regrade.run("evals/x.yaml")` runs a suite; `await regrade.arun(...)` does so inside a running event loop.
The names below are imported when they are first used.
"""

import sys
from importlib import import_module
from types import ModuleType
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
    from regrade.dashboard.saving import write_report
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
    "write_report",
]

_HOMES = dict.fromkeys(__all__, "regrade.api") | {
    "RegradeError": "regrade.errors",
    "write_report": "regrade.dashboard.saving",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `regrade.compare` and `regrade.gate` functions once the rooms of these names are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
