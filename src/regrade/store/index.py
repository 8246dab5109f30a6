"""The runs of one or many results folders, as a reader of all of them sees them; nothing is written there."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from regrade.errors import RegradeError, StoreError, UsageError, did_you_mean
from regrade.jsonio import encode, loads
from regrade.store.cache import cache_folder
from regrade.store.entries import FolderProblem, RunEntry, entry_of, entry_record, read_entry
from regrade.store.folders import RunFolder
from regrade.store.gates import read_gates
from regrade.store.index_cache import IndexCache, Part
from regrade.store.reading import read_table
from regrade.types import Json, JsonObject, SummaryRow

if TYPE_CHECKING:
    from regrade.store.live import JournalTail, RunProgress

__all__ = ["ResultsIndex"]

_HELD_ROWS = 100_000
"""Rows of summaries, comparisons and gates that stay in memory: about 50 MB at most."""
_FOLLOWED = 16
"""Journals whose progress is remembered."""
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
_SUMMARY = [one.name for one in fields(SummaryRow)]
_OWN_FILES = ("journal.jsonl", "samples.parquet", "summary.parquet")

_Seen = tuple[str, RunEntry | FolderProblem]
_Row = TypeVar("_Row")


class ResultsIndex:
    """Everything that pages over many runs are made of, safe to ask from several threads.

    Which runs there are is as of the last `refresh`. The tables of a run are read when they are asked for,
    and again when they have changed; what was read stays in memory up to a limit, and in the user's cache
    folder for later processes. A folder or file that cannot be read is a problem, never an exception.

    Args:
        folders: Results folders.
        cache: Where to keep what was read; default `index.sqlite` in the user's cache folder, None: nowhere.
    """

    def __init__(self, folders: Iterable[Path | str], cache: Path | str | None = "") -> None:
        self.folders = tuple(dict.fromkeys(Path(one) for one in folders))
        path = cache_folder() / "index.sqlite" if cache == "" else cache
        self._cache = IndexCache(None if path is None else Path(path))
        self._refreshing = threading.Lock()
        self._following = threading.Lock()
        self._tails: dict[Path, JournalTail] = {}
        self._seen: dict[Path, dict[str, _Seen]] = {}
        self._entries: tuple[RunEntry, ...] = ()
        self._problems: tuple[FolderProblem, ...] = ()
        self._tables = _Tables(self._cache)

    def close(self) -> None:
        """Close the cache; the index can still be asked."""
        self._cache.close()

    def refresh(self) -> None:
        """Look at all folders and read the manifests that are new or have changed."""
        with self._refreshing:
            problems: list[FolderProblem] = []
            entries: list[RunEntry] = []
            for results in self.folders:
                seen = self._look_at(results, problems)
                for _, found in seen.values():
                    if isinstance(found, RunEntry):
                        entries.append(found)
                    else:
                        problems.append(found)
            entries.sort(key=lambda one: (one.started_at, one.id), reverse=True)
            self._entries, self._problems = tuple(entries), tuple(problems)

    def runs(
        self,
        *,
        evals: Collection[str] | None = None,
        models: Collection[str] | None = None,
        tags: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> list[RunEntry]:
        """Return the runs, newest first.

        Args:
            evals: Only those with one of these.
            models: Only those with one of these.
            tags: Only those with one of these.
            since: Only those that started then or later; without a time zone it is UTC.
        """
        asked = [
            (names, what) for names, what in ((evals, "evals"), (models, "models"), (tags, "tags")) if names
        ]
        found = [
            one
            for one in self._entries
            if all(not set(names).isdisjoint(getattr(one, what)) for names, what in asked)
        ]
        if since is None:
            return found
        start = since if since.tzinfo else since.replace(tzinfo=UTC)
        return [one for one in found if (at := _time(one.started_at)) is not None and at >= start]

    def find(self, run_id: str) -> RunEntry:
        """Return the run of an id; that of the folder named first where two hold one.

        Raises:
            UsageError: When there is none.
            StoreError: When it is there and cannot be read.
        """
        fitting = [one for one in self._entries if one.id == run_id]
        if not fitting:
            own = next((one for one in self._problems if one.path.name == run_id), None)
            if own is not None:
                raise StoreError(own.message, hint=own.hint or None)
            where = ", ".join(map(str, self.folders))
            hint = did_you_mean(run_id, [one.id for one in self._entries])
            raise UsageError(f'no run "{run_id}" in {where}', hint=hint or "`regrade runs` lists them")
        return min(fitting, key=lambda one: self.folders.index(one.results))

    def problems(self) -> list[FolderProblem]:
        """Return what could not be read: as of the last refresh, and tables found damaged since."""
        known = {one.path for one in self._entries}
        return [*self._problems, *(one for one in self._tables.problems() if one.path.parent in known)]

    def summary(self, run: RunEntry, *, slices: bool = True) -> list[SummaryRow]:
        """Return the rows of a run's summary; none where it did not get that far.

        Args:
            run: An entry of this index.
            slices: False leaves out the rows of slices, which are most of a summary that has any.
        """
        kind = "summary" if slices else "summary without slices"
        read = _summary_rows if slices else _unsliced_rows
        return self._tables.rows(run, "summary.parquet", kind, read, lambda row: SummaryRow(*row))

    def comparisons(self, run: RunEntry) -> list[JsonObject]:
        """Return the rows of a run's `comparisons.parquet`; none where it has one arm an eval."""
        return self._tables.rows(run, "comparisons.parquet", "comparisons", _comparison_rows, _as_it_is)

    def gates(self, run: RunEntry) -> list[JsonObject]:
        """Return the lines of a run's `gates.jsonl`, oldest first; none where it was put through no gate."""
        return self._tables.rows(
            run, "gates.jsonl", "gates", lambda folder: list(read_gates(folder)), _as_it_is
        )

    def progress(self, run: RunEntry) -> "RunProgress":
        """Return how far a run is that another process is writing; reads what was added since the last time.

        Raises:
            StoreError: When manifest or journal cannot be read.
        """
        from regrade.store.live import JournalTail

        with self._following:
            tail = self._tails.get(run.path)
            if tail is None:
                tail = self._tails[run.path] = JournalTail(run.path, run.manifest())
                while len(self._tails) > _FOLLOWED:
                    del self._tails[next(iter(self._tails))]
            try:
                return tail.progress()
            except OSError as error:
                raise StoreError(f"the journal of {run.id} cannot be read: {error.strerror}") from error

    def _look_at(self, results: Path, problems: list[FolderProblem]) -> Mapping[str, _Seen]:
        """Return what is known of every run of a results folder by now."""
        try:
            found = dict(_manifests(results))
        except OSError as error:
            kind, hint = "missing", "`regrade run` makes it, or name another one"
            if not isinstance(error, FileNotFoundError):
                kind, hint = "broken", "Name another folder, or serve it as a user who may read it"
            problems.append(FolderProblem(results, kind, f"{results}: {error.strerror}", hint))  # type: ignore[arg-type] # one of the two
            found = {}
        root = os.path.realpath(results)
        before = self._seen.get(results)
        if before is None:
            before = dict(self._recalled(root, results))
        seen: dict[str, _Seen] = {}
        fresh: list[Part] = []
        for name, signature in found.items():
            known = before.get(name)
            if known is None or known[0] != signature:
                entry = _read(results / name, results)
                known = (signature, entry)
                if isinstance(entry, RunEntry):
                    fresh.append(Part(f"{root}/{name}", "entry", signature, encode(entry_record(entry))))
            seen[name] = known
        self._cache.put(fresh)
        self._cache.forget(f"{root}/{name}" for name in before.keys() - seen.keys() if found)
        self._seen[results] = seen
        return seen

    def _recalled(self, root: str, results: Path) -> Iterator[tuple[str, _Seen]]:
        for path, part in self._cache.under(root, "entry").items():
            name = os.path.basename(path)  # noqa: PTH119 - 500 of them
            try:
                yield name, (part.signature, entry_of(loads(part.content), results / name, results))
            except _MALFORMED:
                continue


def _manifests(results: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of every run folder, and what its manifest looks like.

    Raises:
        OSError: When there is no such folder.
    """
    with os.scandir(results) as entries:
        for entry in entries:
            signature = _signature(f"{entry.path}/run.json")
            if signature or any(os.path.exists(f"{entry.path}/{name}") for name in _OWN_FILES):  # noqa: PTH110
                yield entry.name, signature


def _signature(path: str) -> str:
    """Return what tells a file from what it was before; empty where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - 500 of them at every page
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"


def _read(path: Path, results: Path) -> RunEntry | FolderProblem:
    try:
        return read_entry(path, results)
    except StoreError as error:
        return _problem(path, error)
    except _MALFORMED:
        return FolderProblem(path, "broken", f"{path / 'run.json'} is no manifest of a run")


def _problem(path: Path, error: RegradeError) -> FolderProblem:
    kind = "newer" if "newer regrade" in error.message else "broken"
    return FolderProblem(path, kind, error.message, error.hint or "")  # type: ignore[arg-type] # one of the two


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _summary_rows(folder: RunFolder) -> list[list[Json]]:
    table = read_table(folder, "summary")
    columns = [table.column(name).to_pylist() for name in _SUMMARY]
    return [list(row) for row in zip(*columns, strict=True)]


def _unsliced_rows(folder: RunFolder) -> list[list[Json]]:
    place = _SUMMARY.index("slice")
    return [row for row in _summary_rows(folder) if not row[place]]


def _comparison_rows(folder: RunFolder) -> list[JsonObject]:
    found: list[JsonObject] = read_table(folder, "comparisons").to_pylist()
    return found


def _as_it_is(row: Json) -> JsonObject:
    found: JsonObject = row
    return found


class _Tables:
    """Small tables of runs: in memory, else from the cache, else from the run itself."""

    def __init__(self, cache: IndexCache) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], tuple[str, Sequence[Json]]] = OrderedDict()
        self._rows_held = 0
        self._problems: dict[Path, tuple[str, FolderProblem]] = {}
        self._roots: dict[Path, str] = {}

    def problems(self) -> list[FolderProblem]:
        with self._lock:
            return [problem for _, problem in self._problems.values()]

    def rows(
        self,
        run: RunEntry,
        file: str,
        kind: str,
        read: Callable[[RunFolder], Sequence[Json]],
        made: Callable[[Json], _Row],
    ) -> list[_Row]:
        """Return the rows of one file of a run; none where there is no such file or it is damaged."""
        path = f"{self._real(run.results)}/{run.path.name}"
        signature = _signature(f"{path}/{file}")
        with self._lock:
            held = self._held.get((path, kind))
            if held is not None and held[0] == signature:
                self._held.move_to_end((path, kind))
                return list(held[1])
            damaged = self._problems.get(run.path / file)
        if not signature or (damaged is not None and damaged[0] == signature):
            return []
        content = self._cache.get(path, kind, signature)
        if content is None:
            content = self._content(run, file, signature, read)
            if content is None:
                return []
            self._cache.put([Part(path, kind, signature, content)])
        rows = [made(row) for row in loads(content)]
        self._hold((path, kind), signature, rows)
        return list(rows)

    def _real(self, results: Path) -> str:
        """Return the path of a results folder as the cache knows it."""
        found = self._roots.get(results)
        if found is None:
            found = self._roots[results] = os.path.realpath(results)
        return found

    def _content(
        self, run: RunEntry, file: str, signature: str, read: Callable[[RunFolder], Sequence[Json]]
    ) -> bytes | None:
        try:
            content = encode(read(run.folder))
        except (StoreError, OSError, *_MALFORMED) as error:
            told = error if isinstance(error, StoreError) else StoreError(f"{run.path / file} cannot be read")
            with self._lock:
                self._problems[run.path / file] = (signature, _problem(run.path / file, told))
            return None
        with self._lock:
            self._problems.pop(run.path / file, None)
        return content

    def _hold(self, key: tuple[str, str], signature: str, rows: Sequence[Json]) -> None:
        with self._lock:
            before = self._held.pop(key, ("", ()))
            self._held[key] = (signature, rows)
            self._rows_held += len(rows) - len(before[1])
            while self._rows_held > _HELD_ROWS and len(self._held) > 1:
                _, (_, dropped) = self._held.popitem(last=False)
                self._rows_held -= len(dropped)
