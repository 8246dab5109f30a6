"""The runs whose samples are being read: a few stay open, with what was last found in them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from regrade.errors import StoreError
from regrade.report.manifest import remade_by_resuming, resume_command
from regrade.store import RunFolder
from regrade.store.parquet_base import Cancellation, file_signature
from regrade.store.sample_queries import SampleQueries

__all__ = ["OpenRun", "OpenRuns"]

_MOST_RUNS = 4
_MOST_KEPT = 64
T = TypeVar("T")


class _Turn:
    """Whose turn it is to make something; gone with the last who waits for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class OpenRun:
    """A run that can be asked, and what it answered last.

    Args:
        queries: The run.
        signature: Of its files when it was opened.
    """

    def __init__(self, queries: SampleQueries, signature: object) -> None:
        self.queries = queries
        self.signature = signature
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._turns: WeakValueDictionary[Hashable, _Turn] = WeakValueDictionary()

    def asked(self, cancel: Cancellation, work: Callable[..., T], *asked: Hashable) -> T:
        """Return what a question to the run gives: `work(queries, *asked, cancel=cancel)`; kept."""
        return self.kept((work.__qualname__, *asked), lambda: work(self.queries, *asked, cancel=cancel))

    def kept(self, key: Hashable, make: Callable[[], T], keep: Callable[[T], bool] | None = None) -> T:
        """Return what was made under this key, or make it.

        Args:
            key: Names everything that it depends on, beside the run.
            make: Makes it; once, however many ask for it at the same time.
            keep: Whether it may be given again: what a search found so far may not. Where that is not sure,
                nobody waits until another has made it.
        """
        if keep is not None:
            return self._found_or_made(key, make, keep)
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
        with turn.lock:
            return self._found_or_made(key, make, lambda _: True)

    def _found_or_made(self, key: Hashable, make: Callable[[], T], keep: Callable[[T], bool]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key]
                return found
        found = make()
        if keep(found):
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return found


def _asked(folder: RunFolder, against: Path | None) -> SampleQueries:
    """Return a run to be asked.

    Raises:
        StoreError: Naming, where its tables are damaged, the command that makes them anew from the journal.
    """
    try:
        return SampleQueries(folder, against)
    except StoreError as error:
        if error.hint or against is not None or not folder.journal_path.exists():
            raise
        hint = resume_command(folder.id, str(folder.path.parent))
        more = remade_by_resuming(folder.manifest().specs)
        raise StoreError(f"{error.message.rstrip('.')}. {more}", hint=hint) from error


class OpenRuns:
    """Opens runs for as long as they are asked and a little longer; safe to ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[tuple[Path, Path | None], OpenRun] = OrderedDict()
        self._users: dict[int, int] = {}

    @contextmanager
    def use(self, folder: RunFolder, against: Path | None = None) -> Iterator[OpenRun]:
        """Give a run; it is opened anew where its files have changed.

        Args:
            folder: The run.
            against: What `SampleQuery.was_right` is held against.

        Raises:
            MissingExtraError: Without duckdb.
            StoreError: When the run has no tables, or they are damaged or of a newer version.
        """
        one = self._taken(folder, against)
        try:
            yield one
        finally:
            self._given_back(one)

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for one in self._runs.values():
                one.queries.close()
            self._runs.clear()

    def _taken(self, folder: RunFolder, against: Path | None) -> OpenRun:
        key = folder.path, against
        paths = [folder.table_path("samples"), folder.table_path("scores")]
        if against is not None:
            paths.append(against / "samples.parquet" if against.is_dir() else against)
        signature = file_signature(map(str, paths))
        with self._lock:
            one = self._runs.pop(key, None)
            if one is not None and one.signature != signature:
                self._retire(one)
                one = None
            if one is None:
                one = OpenRun(_asked(folder, against), signature)
            self._runs[key] = one
            self._users[id(one)] = self._users.get(id(one), 0) + 1
            while len(self._runs) > _MOST_RUNS:
                self._retire(self._runs.popitem(last=False)[1])
        return one

    def _retire(self, one: OpenRun) -> None:
        if not self._users.get(id(one)):
            one.queries.close()

    def _given_back(self, one: OpenRun) -> None:
        with self._lock:
            self._users[id(one)] -= 1
            if not self._users[id(one)]:
                del self._users[id(one)]
                if all(one is not other for other in self._runs.values()):
                    one.queries.close()
