"""Which runs go on: a run that was killed never says that it ended."""

from datetime import datetime

from regrade.locks import holder_alive
from regrade.store import RunEntry

__all__ = ["goes_on"]

_SILENT_S = 600.0


def goes_on(run: RunEntry, now: datetime) -> bool:
    """Return whether a run that has not ended is still worked on.

    Where its process is of this machine, that process tells; where nobody can ask it (another machine, or
    Windows, where asking would end it) its journal does, unless it is silent for ten minutes. The lock itself
    is not touched: a reader that held it for an instant would stop a resuming run.

    Args:
        run: The run.
        now: What time it is.
    """
    if run.status != "started":
        return False
    alive = holder_alive(run.path / "run.lock")
    return _is_written(run, now) if alive is None else alive


def _is_written(run: RunEntry, now: datetime) -> bool:
    """Return whether something was written lately: the first answer may take long, the manifest does not."""
    for name in ("journal.jsonl", "run.json"):
        try:
            written = (run.path / name).stat().st_mtime
        except OSError:
            continue
        if now.timestamp() - written < _SILENT_S:
            return True
    return False
