"""One writer a folder; the lock dies with its process."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regrade.errors import RunLockedError, StoreError
from regrade.jsonio import dumps, loads

__all__ = ["holder_alive", "locked"]

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path, what: str, refusal: type[StoreError] = RunLockedError) -> Iterator[None]:
    """Hold an exclusive lock on a file that names its holder.

    Args:
        path: The file.
        what: What it locks, for messages: "the run X".
        refusal: The error raised when another process holds it.

    Raises:
        StoreError: Of the kind `refusal`, naming process and host of the holder.
        StoreError: When the file cannot be made or written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be written: {error.strerror}") from error
    try:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _refused(path, what, refusal) from None
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}"
            raise StoreError(message, hint="make room, or choose another folder") from error
        yield
    finally:
        os.close(descriptor)


def _refused(path: Path, what: str, refusal: type[StoreError]) -> StoreError:
    try:
        holder = loads(path.read_bytes())
        who = f"process {holder['pid']} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return refusal(f"{who} is writing to {what}", hint="wait for it to end, or stop it first")


def holder_alive(path: Path) -> bool | None:
    """Return whether the process that a lock names is alive; None where that cannot be told.

    The lock itself is left alone: to try it would be to hold it for a moment.
    """
    try:
        holder = loads(path.read_bytes())
        pid, host = int(holder["pid"]), holder["host"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if os.name == "nt" or host != socket.gethostname() or pid <= 0:  # there, asking would end it
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True
