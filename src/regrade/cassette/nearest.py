"""What a request that was not recorded comes nearest to, and where the two differ."""

from collections.abc import Sequence

from regrade import jsonio
from regrade.cassette.alignment import ABSENT, Pair, pairs, role_of
from regrade.cassette.exchange import Exchange, without_defaults
from regrade.cassette.sketches import last_text
from regrade.texts import clipped, shortened
from regrade.types import Json

__all__ = ["differences", "miss_message", "nearest_miss", "nearest_of"]

_SHOWN = 5
_COMPARED = 2000
"""Characters of a text that are weighed; the place of a difference is looked for in all of it."""
_CONTEXT = 30


def nearest_miss(request: Json, exchanges: Sequence[Exchange], what: str = "POST /chat/completions") -> str:
    """Return what is told of a request that none of these exchanges has."""
    return miss_message(request, nearest_of(request, exchanges), len(exchanges), what)


def nearest_of(request: Json, exchanges: Sequence[Exchange]) -> Exchange | None:
    """Return the exchange whose request differs least, of those that ask the same in the end if any do."""
    mine, asked = without_defaults(request), _asked(request)

    def key(one: Exchange) -> tuple[bool, float]:
        other = without_defaults(one.request)
        return _asked(other) != asked, sum(map(_apart, pairs(mine, other)))

    return min(exchanges, key=key, default=None)


def _asked(request: Json) -> bytes:
    """Return the user's last message, else the last one, or the prompt."""
    messages = request.get("messages") if isinstance(request, dict) else None
    for message in reversed(messages) if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") == "user":
            return last_text({"messages": [message]})
    return last_text(request)


def _apart(pair: Pair) -> float:
    """Return 0 for equal values, up to 2 for texts that have nothing in common, 1 for other values."""
    one, two = pair.mine, pair.other
    if one is two or (type(one) is type(two) and one == two):
        return 0.0
    if isinstance(one, str) and isinstance(two, str):
        from rapidfuzz import fuzz

        return 1.0 + (1 - fuzz.ratio(one[:_COMPARED], two[:_COMPARED]) / 100)
    if not pair.path:
        return float(len(two if one is ABSENT else one))
    return 1.0


def miss_message(request: Json, nearest: Exchange | None, count: int, what: str) -> str:
    """Return what is told of a request that was not found.

    Args:
        request: Redacted.
        nearest: The exchange that is nearest; None where none is comparable.
        count: How many exchanges there are.
        what: Method and path.
    """
    if nearest is None:
        kept = f"none of its {count:,} exchanges is a {what}" if count else "it is empty"
        return f"the cassette does not hold this request; {kept}"
    parts = differences(request, nearest.request)
    shown = "; ".join(parts[:_SHOWN])
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    asked = shortened(last_text(nearest.request).decode("utf-8", "replace"), 60)
    model = f" to {nearest.model}" if nearest.model else ""
    return (
        f"the cassette does not hold this request; the nearest one{model}, recorded {_minute(nearest.at)}, "
        f"asked {asked}. What differs: {shown}{more}"
    )


def _minute(at: str) -> str:
    return at[:16].replace("T", " ") + " UTC"


def differences(request: Json, recorded: Json) -> list[str]:
    """Return where two requests differ: messages that one of them lacks, and all else leaf by leaf."""
    found = pairs(without_defaults(request), without_defaults(recorded))
    return [f"{pair.path}{_difference(pair)}" for pair in found if _apart(pair)]


def _difference(pair: Pair) -> str:
    one, two = pair.mine, pair.other
    if not pair.path:
        return _counted(one, "added") if two is ABSENT else _counted(two, "missing")
    if one is ABSENT:
        return f" is missing, recorded {_shown(two)}"
    if two is ABSENT:
        return f": {_shown(one)}, not in the recorded one"
    if isinstance(one, str) and isinstance(two, str) and max(len(one), len(two)) > _CONTEXT:
        at = _first_difference(one, two)
        begin = max(0, at - 8)
        lead = "…" if begin else ""
        here, there = _shown(lead + one[begin:]), _shown(lead + two[begin:])
        return f": differs from character {at + 1}: {here} recorded {there}"
    return f": {_shown(one)}, recorded {_shown(two)}"


def _counted(messages: list[Json], what: str) -> str:
    roles = dict.fromkeys(role_of(one) for one in messages)
    count = "one message" if len(messages) == 1 else f"{len(messages):,} messages"
    return f"{count} {what} ({', '.join(roles)})"


def _first_difference(one: str, two: str) -> int:
    """Return the place of the first character that differs, or the end of the shorter text."""
    low, high = 0, min(len(one), len(two))
    while low < high:  # the longest common beginning, by halving: texts may be long
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == two[low:middle] else (low, middle - 1)
    return low


def _shown(value: Json) -> str:
    if isinstance(value, str):
        return shortened(value, _CONTEXT)
    return clipped(jsonio.dumps(value), _CONTEXT)
