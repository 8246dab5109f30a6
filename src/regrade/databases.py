"""SQLite files that any number of processes share."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["open_shared", "write_ahead"]

_AGAIN_S = 0.02


def open_shared(
    path: Path,
    wait_s: float,
    prepare: Callable[[sqlite3.Connection], None],
    *,
    any_thread: bool = False,
) -> sqlite3.Connection:
    """Open a file, made where there is none; every statement is a transaction of its own unless one is begun.

    Args:
        path: The file; its folder has to be there.
        wait_s: How long to wait while another process writes.
        prepare: Makes settings and tables; when it fails, the file is closed.
        any_thread: Whether other threads than this one use it, each in its turn.

    Raises:
        sqlite3.Error: When it cannot be used.
    """
    base = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=not any_thread)
    try:
        prepare(base)
    except BaseException:
        base.close()
        raise
    return base


def write_ahead(base: sqlite3.Connection, wait_s: float) -> None:
    """Turn the write-ahead log on, so that readers and a writer do not wait for each other.

    SQLite's own waiting does not cover this step: while another process takes it, the file is locked.

    Args:
        base: The file.
        wait_s: How long to try.

    Raises:
        sqlite3.OperationalError: When it stays locked, or cannot be written.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            base.execute("pragma journal_mode=wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_AGAIN_S)
        else:
            return
