"""What the index has read of results folders, kept between processes in the user's cache folder."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from regrade.databases import open_shared, write_ahead

__all__ = ["IndexCache", "Part"]

_VERSION = 2
"""Of the table and of what is in it; a file of any other version is made anew."""
_WAIT_S = 2.0
_KEPT_DAYS = 60
_TABLE = """
create table if not exists parts (
    path text not null, kind text not null, signature text not null, content blob not null,
    read_on real not null default (julianday('now')), primary key (path, kind)
)
"""


class Part(NamedTuple):
    """One thing that was read of one run.

    Attributes:
        path: The run's folder, absolute.
        kind: Which of its files, or what was made of them.
        signature: What the file looked like when it was read.
        content: What was made of it, as JSON.
    """

    path: str
    kind: str
    signature: str
    content: bytes


class IndexCache:
    """Parts of runs in one SQLite file that any number of processes and threads share.

    It is never in the way: what cannot be read is read again from the run, a damaged file is thrown away and
    made anew, and where nothing can be written nothing is kept.

    Args:
        path: The file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._base = self._opened()

    def close(self) -> None:
        """Close the file; afterwards nothing is kept."""
        with self._lock:
            if self._base is not None:
                self._base.close()
            self._base = None

    def get(self, path: str, kind: str, signature: str) -> bytes | None:
        """Return what is kept of a part, None where there is nothing or the run's file is another by now."""
        query = "select content from parts where path = ? and kind = ? and signature = ?"
        for (content,) in self._rows(query, (path, kind, signature)):
            return bytes(content)
        return None

    def under(self, folder: str, kind: str) -> Mapping[str, Part]:
        """Return a kind of part of all runs of a results folder, by the runs' paths."""
        query = "select path, kind, signature, content from parts where kind = ? and path >= ? and path < ?"
        rows = self._rows(query, (kind, f"{folder}/", f"{folder}0"))  # "0" follows "/"
        return {row[0]: Part(*row) for row in rows}

    def put(self, parts: Iterable[Part]) -> None:
        """Keep parts, each in place of what was kept of it."""
        query = "insert or replace into parts (path, kind, signature, content) values (?, ?, ?, ?)"
        self._change(query, list(parts))

    def forget(self, paths: Iterable[str]) -> None:
        """Drop everything about runs that are gone."""
        self._change("delete from parts where path = ?", [(path,) for path in paths])

    def _opened(self) -> sqlite3.Connection | None:
        """Open the file, a second time after throwing away what is no database of this version."""
        if self._path is None:
            return None
        for last in (False, True):
            try:
                return self._connected(self._path)
            except sqlite3.OperationalError:  # locked for long, no room, no right to write
                return None
            except (sqlite3.DatabaseError, ValueError):
                if not last:
                    self._thrown_away()
            except OSError:
                return None
        return None

    def _connected(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open_shared(path, _WAIT_S, _prepare, any_thread=True)

    def _thrown_away(self) -> None:
        assert self._path is not None
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _rows(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        with self._lock, self._guarded():
            if self._base is not None:
                return self._base.execute(query, values).fetchall()
        return []

    def _change(self, query: str, rows: "list[Part] | list[tuple[str]]") -> None:
        with self._lock, self._guarded():
            if self._base is not None and rows:
                with self._transaction(self._base):
                    self._base.executemany(query, rows)

    @contextlib.contextmanager
    def _transaction(self, base: sqlite3.Connection) -> Iterator[None]:
        base.execute("begin immediate")
        try:
            yield
        except BaseException:
            base.execute("rollback")
            raise
        base.execute("commit")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let no fault of the file out; one that is damaged is made anew."""
        try:
            yield
        except sqlite3.OperationalError:  # busy, or the disk is full: read from the run, keep nothing
            pass
        except sqlite3.DatabaseError:
            if self._base is not None:
                self._base.close()
            self._thrown_away()
            self._base = self._opened()


def _check_version(base: sqlite3.Connection) -> None:
    """Refuse a file that another version wrote.

    Raises:
        ValueError: It is to be made anew.
    """
    if base.execute("pragma user_version").fetchone()[0] not in {0, _VERSION}:
        raise ValueError


def _prepare(base: sqlite3.Connection) -> None:
    _check_version(base)
    write_ahead(base, _WAIT_S)
    base.execute("pragma synchronous=off")  # what is lost is read again
    base.execute(_TABLE)
    base.execute(f"pragma user_version={_VERSION}")
    base.execute("delete from parts where read_on < julianday('now') - ?", (_KEPT_DAYS,))
