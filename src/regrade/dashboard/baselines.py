"""The baselines of all results folders, read again when their files have changed."""

import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from regrade.store import BaselineFile, list_baselines

__all__ = ["Baselines"]

_USUAL = "main"


class Baselines:
    """Which baselines there are, by results folder; safe to ask from several threads.

    Args:
        named: Others that are known by their names, wherever they lie; they go first.
    """

    def __init__(self, named: Iterable[BaselineFile] = ()) -> None:
        self._named = tuple(named)
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[str, tuple[BaselineFile, ...]]] = {}

    def of(self, results: Path) -> tuple[BaselineFile, ...]:
        """Return the baselines of a results folder that can be read, by name."""
        looks = _looks(results / "baselines")
        with self._lock:
            known = self._known.get(results)
        if known is not None and known[0] == looks:
            return known[1]
        found = tuple(list_baselines(results)[0]) if looks else ()
        with self._lock:
            self._known[results] = looks, found
        return found

    def names(self, folders: Iterable[Path]) -> list[str]:
        """Return the names of all baselines, the usual one first."""
        names = {one.name for results in folders for one in self.of(results)}
        return sorted(names, key=lambda name: (name != _USUAL, name))

    def chosen(self, folders: Iterable[Path], name: str) -> str:
        """Return the name of the baseline that is meant: that asked for, else the usual, else the first."""
        return name or next(iter(self.names(folders)), "")

    def fitting(self, results: Path, evals: Collection[str], run: str) -> BaselineFile | None:
        """Return what a run is to be compared with: the usual baseline, else the first, of those that fit.

        Args:
            results: The run's results folder.
            evals: The run's; a baseline that holds none of them does not fit.
            run: The run's id; a baseline that was set from it does not fit.
        """
        found = [one for one in self.of(results) if one.header.get("run") != run and one.shares(evals)]
        return min(found, key=lambda one: one.name != _USUAL, default=None)

    def find(self, results: Path, name: str) -> BaselineFile | None:
        """Return a baseline of a results folder by its name."""
        return next((one for one in (*self._named, *self.of(results)) if one.name == name), None)


def _looks(folder: Path) -> str:
    try:
        files = sorted(folder.glob("*.parquet"))
        return "\n".join(f"{one.name} {one.stat().st_mtime_ns} {one.stat().st_size}" for one in files)
    except OSError:
        return ""
