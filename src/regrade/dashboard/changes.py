"""What changed between two runs: from memory or the user's cache, else computed by another process."""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from regrade.comparisons import Change
from regrade.dashboard.versions import own_version
from regrade.dashboard.worker import Task, Worker
from regrade.jsonio import encode, loads
from regrade.store.index_cache import IndexCache, Part
from regrade.types import JsonObject

__all__ = ["Changes", "Found", "Pending", "signature_of"]

_HELD = 2_000
_TABLES = ("samples.parquet", "scores.parquet", "run.json")


@dataclass(frozen=True, slots=True)
class Pending:
    """It is being computed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What changed.

    Attributes:
        changes: Every metric of scorers of every pair of arms.
        problem: Why there are none; empty without one.
    """

    changes: tuple[Change, ...] = ()
    problem: str = ""


Outcome: TypeAlias = Found | Pending


class Changes:
    """Changes between runs, each pair computed once; safe to ask from several threads.

    Args:
        cache: File that keeps them; None keeps nothing beyond this process.
    """

    def __init__(self, cache: Path | None) -> None:
        self._cache = IndexCache(cache)
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Found] = OrderedDict()
        self._worker = Worker("regrade.dashboard.changing", self._take, self._lost)

    def between(self, a: Path, b: Path) -> Outcome:
        """Return what changed from a run or baseline to a run; what is not known yet is begun.

        Args:
            a: Folder of a run, or file of a baseline.
            b: Folder of a run.
        """
        task, part = _task(a, b)
        with self._lock:
            found = self._held.get(task.key)
            if found is not None:
                self._held.move_to_end(task.key)
                return found
        if self._worker.waits_for(task.key):
            return Pending()
        kept = self._cache.get(*part)
        if kept is not None and (found := _decoded(kept)) is not None:
            self._hold(task.key, found)
            return found
        self._worker.begin(task)
        return Pending()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is being computed, so long at most; return whether that is so."""
        return self._worker.settle(seconds)

    def close(self) -> None:
        """End what is being computed."""
        self._worker.close()
        self._cache.close()

    def _take(self, task: Task, answer: JsonObject) -> None:
        try:
            changes = tuple(Change(**one) for one in answer.get("changes", ()) if one["scorer"])
            found = Found(changes, str(answer.get("error", "")))
        except (KeyError, TypeError, AttributeError):
            return self._lost(task)
        if not found.problem:
            content = encode([_record(one) for one in found.changes])
            _, part = _task(Path(str(task.asked["a"])), Path(str(task.asked["b"])))
            self._cache.put([Part(*part, content)])
        self._hold(task.key, found)
        return None

    def _lost(self, task: Task) -> None:
        self._hold(task.key, Found(problem="it could not be computed"))

    def _hold(self, key: str, found: Found) -> None:
        with self._lock:
            self._held[key] = found
            while len(self._held) > _HELD:
                self._held.popitem(last=False)


def _task(a: Path, b: Path) -> tuple[Task, tuple[str, str, str]]:
    """Return what to compute, and where it is kept."""
    a, b = Path(os.path.realpath(a)), Path(os.path.realpath(b))
    signature = signature_of(a, b)
    task = Task(f"{a}\n{b}\n{signature}", {"a": str(a), "b": str(b)})
    return task, (str(b), f"changes since {a}", signature)


def signature_of(*paths: Path) -> str:
    """Return what tells runs and baselines, and the regrade that compares them, from what they were before.

    Args:
        paths: Folders of runs, files of baselines.
    """
    return " ".join([own_version(), *map(_looks, paths)])


def _looks(path: Path) -> str:
    files = [path] if path.suffix == ".parquet" else [path / name for name in _TABLES]
    parts = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{found.st_mtime_ns}-{found.st_size}")
    return ",".join(parts)


def _record(one: Change) -> JsonObject:
    return {name: getattr(one, name) for name in Change.__dataclass_fields__}


def _decoded(content: bytes) -> Found | None:
    try:
        return Found(tuple(Change(**one) for one in loads(content)))
    except (ValueError, TypeError):
        return None
