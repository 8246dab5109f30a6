"""What a request that was not recorded comes nearest to, and where the two differ."""

from collections.abc import Iterator, Sequence
from typing import Final

from regrade import jsonio
from regrade.cassette.exchange import Exchange
from regrade.cassette.sketches import last_text
from regrade.texts import clipped, shortened
from regrade.types import Json

__all__ = ["differences", "miss_message", "nearest_miss", "nearest_of"]

_SHOWN = 5
_COMPARED = 2000
"""Characters of a text that are weighed; the place of a difference is looked for in all of it."""
_CONTEXT = 30
_ABSENT: Final = object()


def nearest_miss(request: Json, exchanges: Sequence[Exchange], what: str = "POST /chat/completions") -> str:
    """Return what is told of a request that none of these exchanges has."""
    return miss_message(request, nearest_of(request, exchanges), len(exchanges), what)


def nearest_of(request: Json, exchanges: Sequence[Exchange]) -> Exchange | None:
    """Return the exchange whose request differs least."""
    mine = dict(_leaves(request))
    return min(exchanges, key=lambda one: _distance(mine, dict(_leaves(one.request))), default=None)


def _distance(mine: dict[str, Json], other: dict[str, Json]) -> float:
    return sum(
        _apart(mine.get(path, _ABSENT), other.get(path, _ABSENT)) for path in mine.keys() | other.keys()
    )


def _apart(one: Json, other: Json) -> float:
    """Return 0 for equal values, up to 2 for texts that have nothing in common, 1 for other values."""
    if one is other or (type(one) is type(other) and one == other):
        return 0.0
    if isinstance(one, str) and isinstance(other, str):
        from rapidfuzz import fuzz

        return 1.0 + (1 - fuzz.ratio(one[:_COMPARED], other[:_COMPARED]) / 100)
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
    """Return where two requests differ, leaf by leaf, those of the request first."""
    mine, other = dict(_leaves(request)), dict(_leaves(recorded))
    found = []
    for path in [*mine, *(path for path in other if path not in mine)]:
        one, two = mine.get(path, _ABSENT), other.get(path, _ABSENT)
        if _apart(one, two):
            found.append(f"{path}{_difference(one, two)}")
    return found


def _difference(one: Json, two: Json) -> str:
    if one is _ABSENT:
        return f" is missing, recorded {_shown(two)}"
    if two is _ABSENT:
        return f": {_shown(one)}, not in the recorded one"
    if isinstance(one, str) and isinstance(two, str) and max(len(one), len(two)) > _CONTEXT:
        at = _first_difference(one, two)
        begin = max(0, at - 8)
        lead = "…" if begin else ""
        here, there = _shown(lead + one[begin:]), _shown(lead + two[begin:])
        return f": differs from character {at + 1}: {here} recorded {there}"
    return f": {_shown(one)}, recorded {_shown(two)}"


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


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield path and value of everything that holds nothing itself; empty lists and objects count."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}[{place}]")
    else:
        yield path or "body", value
