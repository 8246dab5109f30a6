"""Which runs go on: a run that was killed never says that it ended."""

import os
import socket
from datetime import datetime

from regrade.jsonio import loads
from regrade.store import RunEntry

__all__ = ["goes_on"]

_SILENT_S = 600.0


def goes_on(run: RunEntry, now: datetime) -> bool:
    """Return whether a run that has not ended is still worked on.

    Where its process is of this machine, that process tells; else its journal, unless it is silent for ten
    minutes. The lock itself is not touched: a reader that held it for an instant would stop a resuming run.

    Args:
        run: The run.
        now: What time it is.
    """
    if run.status != "started":
        return False
    try:
        holder = loads((run.path / "run.lock").read_bytes())
        if holder["host"] == socket.gethostname():
            return _lives(int(holder["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # on its way, or of a system without locks
    try:
        written = (run.path / "journal.jsonl").stat().st_mtime
    except OSError:
        return False
    return now.timestamp() - written < _SILENT_S


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
