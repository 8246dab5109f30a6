"""DuckDB over the tables of runs: in memory, read-only, shut off from every other file."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.errors import MissingExtraError, QueryStoppedError, StoreError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Cancellation", "ParquetBase", "file_signature", "identifier", "literal"]

_MEMORY = "160MB"
"""Of DuckDB's own; with Python and pyarrow beside it a server stays well under 400 MB."""
_THREADS = 2


def identifier(name: str) -> str:
    """Return a name as SQL takes it, whatever characters it holds."""
    quoted = name.replace('"', '""')
    return f'"{quoted}"'


def literal(text: str) -> str:
    """Return a text as SQL takes it, where a bound parameter cannot stand."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


class Cancellation:
    """The way to stop queries from another thread: of a reader that went away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._cursors: set[duckdb.DuckDBPyConnection] = set()

    def cancel(self) -> None:
        """Stop what runs and let nothing more begin."""
        with self._lock:
            self._stopped = True
            for cursor in self._cursors:
                cursor.interrupt()

    def check(self) -> None:
        """Let a query begin.

        Raises:
            QueryStoppedError: When it was cancelled.
        """
        if self._stopped:
            raise QueryStoppedError("the query was stopped")

    @contextmanager
    def watching(self, cursor: "duckdb.DuckDBPyConnection") -> Iterator[None]:
        """Interrupt the cursor if this is cancelled meanwhile."""
        with self._lock:
            self.check()
            self._cursors.add(cursor)
        try:
            yield
        finally:
            with self._lock:
                self._cursors.discard(cursor)


class ParquetBase:
    """A few Parquet files under short names, for SQL; safe to ask from several threads.

    Nothing but these files can be read, nothing can be written, and no setting be changed once it is open.

    Args:
        files: Name of the relation to the file.

    Raises:
        MissingExtraError: Without duckdb.
        StoreError: When a file cannot be opened.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        try:
            import duckdb
        except ModuleNotFoundError as error:
            raise MissingExtraError("duckdb", "dashboard", "browsing the samples of a run") from error

        self._duckdb = duckdb
        self._paths = {name: str(path.absolute()) for name, path in files.items()}
        self.signature = file_signature(self._paths.values())
        self._base = duckdb.connect(
            ":memory:",
            config={
                "threads": min(_THREADS, os.cpu_count() or 1),
                "memory_limit": _MEMORY,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self._sealed = False
        allowed = ", ".join(map(literal, self._paths.values()))
        with self._translated():
            self._base.execute("set temp_directory = ''")
            # Without "global" these two would be settings of this connection and not of its cursors.
            self._base.execute("set global parquet_metadata_cache = true")
            self._base.execute("set global python_enable_replacements = false")
            self._base.execute(f"set allowed_paths = [{allowed}]")
            self._base.execute("set enable_external_access = false")
            self._base.execute("set lock_configuration = true")

    def close(self) -> None:
        """Give the memory back."""
        self._base.close()

    def source(self, name: str) -> str:
        """Return what stands in SQL for a file, with the place of each row in it as `file_row_number`."""
        return f"read_parquet({literal(self._paths[name])}, file_row_number = true)"

    def columns(self, name: str) -> list[str]:
        """Return the columns of a file in order, as DuckDB calls them: names alike get a number."""
        found = self.rows(f"describe select * from {self.source(name)}")
        return [str(row[0]) for row in found if row[0] != "file_row_number"]

    def rows(
        self, sql: str, values: Sequence[Any] = (), cancel: Cancellation | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query.

        Args:
            sql: With `?` for each value.
            values: Bound, never pasted.
            cancel: Stops it.

        Raises:
            QueryStoppedError: When it was cancelled.
            StoreError: When a file is gone or damaged, or it takes too much memory.
        """
        with self._cursor(cancel) as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def arrow(self, sql: str, values: Sequence[Any] = (), cancel: Cancellation | None = None) -> "pa.Table":
        """Return the result of a query as an Arrow table; otherwise as `rows`."""
        with self._cursor(cancel) as cursor:
            return cursor.sql(sql, params=list(values)).to_arrow_table()

    @contextmanager
    def _cursor(self, cancel: Cancellation | None) -> "Iterator[duckdb.DuckDBPyConnection]":
        with self._translated():
            cursor = self._base.cursor()
            try:
                with (cancel or Cancellation()).watching(cursor):
                    yield cursor
            finally:
                cursor.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._duckdb.InterruptException as error:
            raise QueryStoppedError("the query was stopped") from error
        except self._duckdb.OutOfMemoryException as error:
            raise StoreError(
                f"the query needs more than {_MEMORY} of memory", hint="narrow it: one model, one eval"
            ) from error
        except self._duckdb.Error as error:
            gone = [path for path in self._paths.values() if not os.path.exists(path)]  # noqa: PTH110 - texts
            if gone:
                raise StoreError(f"{gone[0]} was deleted while it was read") from error
            names = ", ".join(self._paths.values())
            raise StoreError(f"{names} cannot be read: {_first_line(error)}") from error


def file_signature(paths: "Iterator[str] | Sequence[str] | Any") -> tuple[tuple[int, int, int] | None, ...]:
    """Return what tells files from what they were before; None for one that is not there."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            seen = os.stat(path)  # noqa: PTH116 - texts
        except OSError:
            found.append(None)
        else:
            found.append((seen.st_mtime_ns, seen.st_size, seen.st_ino))
    return tuple(found)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
