"""Each attempt at a request as people read it: when it began, what it came to, what was waited for."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from regrade.report.numbers import format_seconds
from regrade.types import Json
from regrade.views import AttemptView, SpanView

__all__ = ["attempt_rows", "attempt_spans"]

_WAITS = {"backoff": "backoff", "retry_after": "Retry-After"}


def attempt_rows(log: Sequence[Mapping[str, Json]], ttft_s: float | None = None) -> tuple[AttemptView, ...]:
    """Return a line for each attempt, and one for those that were not kept.

    Args:
        log: As the tables hold it.
        ttft_s: Seconds to the first piece of the answer, where one was measured.
    """
    rows = [_row(one, ttft_s) for one in log]
    for place, (one, after) in reversed([*enumerate(pairwise(log), start=1)]):
        first, last = one["n"] + 1, after["n"] - 1
        if first <= last:
            rows.insert(place, AttemptView(f"{first} to {last}", "", "", "not kept"))
    return tuple(rows)


def attempt_spans(log: Sequence[Mapping[str, Json]], throttle_s: float) -> tuple[SpanView, ...]:
    """Return the stretches of time that attempts and waits took, in order.

    Args:
        log: As the tables hold it.
        throttle_s: Seconds of all that it was held back for the endpoint's rate limit.
    """
    before = throttle_s - sum(one.get("held_s", 0.0) for one in log)
    found = [SpanView("wait", before, f"held back {format_seconds(before)}")] if before >= 0.001 else []  # noqa: PLR2004 - rounding
    for one in log:
        kind, took = one.get("kind"), one["took_s"]
        said = f"attempt {one['n']}: {_words(kind)} after {format_seconds(took)}"
        found.append(SpanView("bad" if kind else "ok", took, said))
        waited = one.get("waited_s", 0.0) + one.get("held_s", 0.0)
        if waited:
            found.append(SpanView("wait", waited, f"waited {format_seconds(waited)}"))
    return tuple(found)


def _row(one: Mapping[str, Json], ttft_s: float | None) -> AttemptView:
    kind, message = one.get("kind"), one.get("message", "")
    status = f"HTTP {one['status']}" if one.get("status") else ""
    outcome = _words(kind)
    if kind:
        said = [status] if status and not message.startswith(status) else []
        outcome = ": ".join([outcome, *said, *([message] if message else [])])
    elif ttft_s is not None:
        outcome += f", first token after {format_seconds(ttft_s)}"
    return AttemptView(
        n=str(one["n"]),
        began=format_seconds(one["began_s"]) if one["began_s"] else "0 s",
        took=format_seconds(one["took_s"]),
        outcome=outcome,
        look="failure" if kind else "right",
        then=_then(one),
    )


def _then(one: Mapping[str, Json]) -> str:
    parts = []
    if one.get("why"):
        waited = one.get("waited_s", 0.0)
        span = format_seconds(waited) if waited else "0 s"
        parts.append(f"{span} ({_WAITS.get(one['why'], one['why'])})")
    if one.get("held_s"):
        parts.append(f"{format_seconds(one['held_s'])} (rate limit)")
    return ", then ".join(parts)


def _words(kind: str | None) -> str:
    return kind.replace("_", " ") if kind else "answered"
