"""Searching the texts of a run, a stretch at a time: the first finds are there before the last is known."""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence

from regrade.errors import StoreError
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_base import SampleBase
from regrade.store.sample_filters import (
    MATCHES,
    SampleQuery,
    add_text,
    conditions_of,
    key_hash,
    text_pattern,
)

__all__ = ["TextSearch"]

_STRETCH = 32_768
_LONGEST_STRETCH = 262_144
"""Rows; a query costs some time of its own, and nothing is told before it ends."""
_STRETCH_S = 0.25
"""What a stretch should take, by what the one before took, so that deadlines are not missed by much."""


class TextSearch:
    """The rows that fit a query with a text, but for its outcomes; kept, so that no text is read twice.

    What was found is forgotten with the last reference to this.

    Args:
        base: The run.
        query: With a text.
        name: Of the relation that takes the places of what is found, in a column `row`.
        clock: Seconds, for deadlines.
    """

    def __init__(
        self, base: SampleBase, query: SampleQuery, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.relation = name
        self._base = base
        self._query = query
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = False
        self._reasons = ""
        self._rate = 0.0
        self.searched = 0
        self.found = 0
        weakref.finalize(self, _forget, base, (name, f"{name}_reasons"))

    @property
    def complete(self) -> bool:
        """Return whether the whole run was searched."""
        return self._begun and self.searched >= self._base.total

    @property
    def share(self) -> float:
        """Return the share of the run that was searched."""
        return self.searched / self._base.total if self._base.total else 1.0

    def go_on(
        self,
        *,
        until: Callable[[], bool] | None = None,
        limit_s: float | None = None,
        cancel: Cancellation | None = None,
    ) -> None:
        """Search further.

        Args:
            until: Asked after each stretch whether it is enough.
            limit_s: Seconds after which no new stretch is begun, the reasons included; None: until the end.
            cancel: Stops it.

        Raises:
            QueryStoppedError: When it was cancelled; what is found stays.
        """
        end = None if limit_s is None else self._clock() + limit_s
        if not self._lock.acquire(timeout=-1 if limit_s is None or not self._begun else limit_s):
            return  # another reader searches for the same, and has found something by now
        try:
            self._go_on(until, end, cancel)
        finally:
            self._lock.release()

    def _go_on(
        self, until: Callable[[], bool] | None, end: float | None, cancel: Cancellation | None
    ) -> None:
        self._begin(cancel)
        found = -1
        while self.searched < self._base.total:
            if until is not None and self.found > found and until():
                return
            began = self._clock()
            if end is not None and began >= end:
                return
            found, first = self.found, self.searched
            last = self._base.end_of_part(first, self._rows(_STRETCH_S if end is None else end - began))
            self._search(first, last, cancel)
            self.searched = last
            self._rate = (last - first) / max(self._clock() - began, 1e-6)

    def _rows(self, seconds: float) -> int:
        """Return how many rows to search next; a few while nothing is known of how long they take."""
        return int(min(max(_STRETCH, self._rate * min(seconds, _STRETCH_S)), _LONGEST_STRETCH))

    def _begin(self, cancel: Cancellation | None) -> None:
        if self._begun:
            return
        self._base.rows(f'create or replace table {self.relation} ("row" bigint)')
        reasons = f"{self.relation}_reasons"
        self._base.rows(
            f"create or replace table {reasons} as select {key_hash('epoch')} as key from scores "
            f"where {MATCHES.format('reason')}",
            [text_pattern(self._query.text)],
            cancel,
        )
        if self._base.rows(f"select count(*) from {reasons}")[0][0]:
            self._reasons = reasons
        self._begun = True

    def _search(self, first: int, last: int, cancel: Cancellation | None) -> None:
        wanted = conditions_of(self._query, self._base.scores)
        wanted.add('"row" between ? and ?', first, last - 1)
        add_text(wanted, self._query.text, self._reasons)
        added = self._base.rows(
            f'insert into {self.relation} select "row" from samples where {wanted.sql}', wanted.values, cancel
        )
        self.found += int(added[0][0])


def _forget(base: SampleBase, names: Sequence[str]) -> None:
    with contextlib.suppress(StoreError):  # the run may be closed
        for name in names:
            base.rows(f"drop table if exists {name}")
