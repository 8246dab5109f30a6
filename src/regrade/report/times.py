"""Points in time as people read them."""

from datetime import UTC, datetime

from regrade.report.numbers import MISSING

__all__ = ["ago", "exact_time", "parse_time"]

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DAYS_TOLD = 14


def parse_time(text: str) -> datetime | None:
    """Return the time that an ISO 8601 text means, UTC where it names no zone; None when it means none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ago(when: datetime | None, now: datetime) -> str:
    """Write how long ago something was; a date when that is more than two weeks."""
    if when is None:
        return MISSING
    seconds = (now - when).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h ago"
    days = int(seconds // _DAY)
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days <= _DAYS_TOLD else f"{when.day} {when:%b %Y}"


def exact_time(when: datetime | None) -> str:
    """Write a time with its zone; a dash when it is not known."""
    return MISSING if when is None else when.isoformat(sep=" ", timespec="seconds")
