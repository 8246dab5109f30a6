"""Runs that exist."""

from pathlib import Path

from regrade.api.results import Run
from regrade.store import find_run, list_runs

__all__ = ["open_run", "runs"]


def open_run(reference: str = "latest", *, results: str | Path = "results") -> Run:
    """Return a stored run.

    Args:
        reference: An id, a unique prefix of one, a path, `latest` or `previous`.
        results: Where runs lie.

    Raises:
        UsageError: When there is none, or more than one.
    """
    return Run(find_run(Path(results), reference))


def runs(results: str | Path = "results") -> list[Run]:
    """Return all stored runs, oldest first."""
    return [Run(folder) for folder, _ in list_runs(Path(results))]
