"""What the end of a session says about its evals."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from regrade.pytest_plugin.settings import near

__all__ = ["summary_lines"]

_LISTED = 5


def summary_lines(reports: Iterable[Any], unasked: Sequence[str]) -> list[str]:
    """Return the runs behind the items, what passed without having been shown, and specs left alone.

    Args:
        reports: Of all tests.
        unasked: Specs that were found and not run, since nothing on the command line named them.
    """
    runs: dict[str, str] = {}
    notes: list[str] = []
    for report in reports:
        said = dict(getattr(report, "user_properties", ()))
        if getattr(report, "when", None) != "call" or "regrade_run" not in said:
            continue
        spec = report.nodeid.partition("::")[0]
        node = report.nodeid.removesuffix(f"@{spec}")  # the group, when xdist keeps groups together
        runs.setdefault(str(said["regrade_run"]), spec)
        if "regrade_let_through" in said:
            notes.append(f"inconclusive, let through by `on_inconclusive: pass`: {node}")
        if "regrade_gate" in said and report.passed:
            notes.append(f"no gate, so that answers alone pass: {node}")
    lines = [f"{spec}: run {run}" for run, spec in runs.items()] + notes
    if unasked:
        names = [str(near(Path(one))) for one in unasked]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        lines.append(
            f"not run: {', '.join(names[:_LISTED])}{more}; evals may cost money: ask for them by name, "
            f"such as `pytest {near(Path(unasked[0]).parent)}`"
        )
    return lines
