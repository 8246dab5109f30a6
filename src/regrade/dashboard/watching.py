"""Runs under way, looked at once a second for all readers together."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from regrade.dashboard.running import goes_on
from regrade.errors import StoreError
from regrade.store import ResultsIndex, RunEntry
from regrade.store.entries import read_entry

if TYPE_CHECKING:
    from regrade.store.live import RunProgress

__all__ = ["RunState", "Sight", "Watch", "state_of"]

RunState: TypeAlias = Literal["running", "stopped", "success", "partial", "interrupted", "error"]

_EVERY_S = 1.0
_MOST = 64
_READERS = 2
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


def state_of(run: RunEntry, now: datetime) -> RunState:
    """Return how far a run is: one that began and ended without a word has stopped.

    Args:
        run: The run.
        now: What time it is.
    """
    if run.status == "started":
        return "running" if goes_on(run, now) else "stopped"
    return run.status if run.status in {"success", "partial", "interrupted"} else "error"  # type: ignore[return-value] # one of them


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a run.

    Attributes:
        run: As its manifest is now.
        state: How far it is.
        progress: What its journal says; None where it was not read yet, or cannot be.
        problem: Why it cannot be.
    """

    run: RunEntry
    state: RunState
    progress: "RunProgress | None" = None
    problem: str = ""


class Watch:
    """Looks at runs for everybody who asks; safe to ask from several threads.

    However many ask, a run's files are read once a second at most.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[Path, tuple[float, Sight]] = OrderedDict()
        self._reading: dict[Path, Future[Sight]] = {}
        self._readers: ThreadPoolExecutor | None = None

    def look(
        self, index: ResultsIndex, run: RunEntry, now: datetime, patience_s: float | None = None
    ) -> Sight:
        """Return how far a run is, as of the last second.

        Args:
            index: Where the run lies.
            run: The run.
            now: What time it is.
            patience_s: How long to wait for a journal that takes its time; what was seen before is returned
                then. None waits until it is read.
        """
        with self._lock:
            at, before = self._seen.get(run.path, (0.0, None))
            if before is not None and self._clock() - at < _EVERY_S:
                return before
            reading = self._reading.get(run.path)
            if reading is None:
                self._readers = self._readers or ThreadPoolExecutor(_READERS, "watch")
                reading = self._reading[run.path] = self._readers.submit(self._read, index, run, now)
        try:
            return reading.result(patience_s)
        except TooLate:
            return before or Sight(run, state_of(run, now))

    def close(self) -> None:
        """Begin to read nothing more."""
        with self._lock:
            readers, self._readers = self._readers, None
        if readers is not None:
            readers.shutdown(wait=True, cancel_futures=True)

    def _read(self, index: ResultsIndex, run: RunEntry, now: datetime) -> Sight:
        sight = _looked(index, run, now)
        with self._lock:
            self._seen[run.path] = (self._clock(), sight)
            self._seen.move_to_end(run.path)
            while len(self._seen) > _MOST:
                self._seen.popitem(last=False)
            self._reading.pop(run.path, None)
        return sight


def _looked(index: ResultsIndex, run: RunEntry, now: datetime) -> Sight:
    try:
        fresh = read_entry(run.path, run.results)
    except (StoreError, *_MALFORMED) as error:
        why = error.message if isinstance(error, StoreError) else f"the manifest of {run.id} is no manifest"
        return Sight(run, "error", problem=why)
    state = state_of(fresh, now)
    try:
        return Sight(fresh, state, index.progress(fresh))
    except StoreError as error:
        return Sight(fresh, state, problem=error.message)
    except _MALFORMED:
        return Sight(fresh, state, problem=f"the journal of {run.id} holds what no run writes")
