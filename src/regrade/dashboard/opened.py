"""The samples of runs that were looked at last, kept open: opening one costs more than most questions."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.store import RunEntry

if TYPE_CHECKING:
    from regrade.store.sample_queries import SampleQueries

__all__ = ["OpenSamples"]

_MOST = 2
"""Runs that stay open; the memory of each is bounded, and pages go from one run to one other."""
_TABLES = ("samples.parquet", "scores.parquet")


@dataclass(slots=True)
class _Open:
    queries: "SampleQueries"
    looks: str
    users: int = 0
    dropped: bool = False


class OpenSamples:
    """Queries over the samples of runs, opened once for all pages; safe to ask from several threads.

    Args:
        most: How many runs stay open that nobody asks at the moment.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._open: OrderedDict[tuple[Path, Path | None], _Open] = OrderedDict()

    @contextmanager
    def of(self, run: RunEntry, against: Path | None = None) -> "Iterator[SampleQueries]":
        """Give the queries of a run while the block runs; they are opened again when its tables changed.

        Args:
            run: The run.
            against: Another run's folder, or a baseline's file, as `SampleQueries` takes it.

        Raises:
            MissingExtraError: Without duckdb.
            StoreError: When the run has no tables, or they are damaged or of a newer version.
        """
        one = self._taken(run, against)
        try:
            yield one.queries
        finally:
            with self._lock:
                one.users -= 1
                last = one.dropped and not one.users
            if last:
                one.queries.close()

    def close(self) -> None:
        """Close what nobody asks; the rest is closed when its last question is answered."""
        self._trim(0)

    def _taken(self, run: RunEntry, against: Path | None) -> _Open:
        from regrade.store.sample_queries import SampleQueries

        key, looks = (run.path, against), _looks(run.path, against)
        with self._opening:
            with self._lock:
                one = self._open.get(key)
                if one is not None and one.looks == looks:
                    one.users += 1
                    self._open.move_to_end(key)
                    return one
            fresh = _Open(SampleQueries(run.folder, against), looks, 1)
            self._drop(key)
            with self._lock:
                self._open[key] = fresh
        self._trim(self._most)
        return fresh

    def _trim(self, most: int) -> None:
        while True:
            with self._lock:
                key = next(iter(self._open), None) if len(self._open) > most else None
            if key is None:
                return
            self._drop(key)

    def _drop(self, key: tuple[Path, Path | None]) -> None:
        with self._lock:
            one = self._open.pop(key, None)
            if one is None:
                return
            one.dropped = True
            idle = not one.users
        if idle:
            one.queries.close()


def _looks(folder: Path, against: Path | None) -> str:
    """Return what tells tables from what they were before."""
    files = [folder / name for name in _TABLES]
    if against is not None:
        files.append(against / _TABLES[0] if against.is_dir() else against)
    parts = []
    for file in files:
        try:
            found = file.stat()
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}")
    return ",".join(parts)
