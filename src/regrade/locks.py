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


_BEGAN = 18
"""Place of a process's beginning, in ticks since the machine began, among what follows its state."""
_ENDED = {"Z", "X"}
_SLACK_S = 5.0
"""How far the clock may have been set since the machine began."""


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

    The lock itself is left alone: to try it would be to hold it for a moment. A process that began after the
    lock was written has come by the number of one that is gone.
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
        pass  # somebody else's, but there
    return _is_running(pid, path)


def _is_running(pid: int, lock: Path) -> bool:
    """Return whether a process is no leftover and began before its lock was written, where Linux tells."""
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        booted = next(
            line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime")
        )
        began = int(booted.split()[1]) + int(numbers[_BEGAN]) / os.sysconf("SC_CLK_TCK")
        written = lock.stat().st_mtime
    except (OSError, ValueError, IndexError, StopIteration):
        return True
    return state not in _ENDED and began <= written + _SLACK_S
