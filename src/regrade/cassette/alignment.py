"""Which parts of two requests belong together: conversations message by message, all else by its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from regrade import jsonio
from regrade.types import Json

__all__ = ["ABSENT", "Pair", "pairs", "role_of"]

ABSENT: Final = object()
_LONGEST = 200
"""Messages that differ somewhere; longer conversations are compared place by place."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A leaf of either request, or messages that one of them alone has.

    Attributes:
        path: Where it stands; "" for messages.
        mine: In the request; ABSENT where it has none.
        other: In the recorded one, likewise.
    """

    path: str
    mine: Json
    other: Json


def pairs(mine: Json, other: Json) -> Iterator[Pair]:
    """Yield what two requests hold, those of the first one first."""
    if not (isinstance(mine, dict) and isinstance(other, dict)):
        yield from _leaf_pairs(mine, other, "")
        return
    for name in [*mine, *(name for name in other if name not in mine)]:
        one, two = mine.get(name, ABSENT), other.get(name, ABSENT)
        if name == "messages" and isinstance(one, list) and isinstance(two, list):
            yield from _conversations(one, two)
        else:
            yield from _leaf_pairs(one, two, name)


def _conversations(mine: list[Json], other: list[Json]) -> Iterator[Pair]:
    begin = _common(mine, other)
    end = _common(mine[begin:][::-1], other[begin:][::-1])
    mine, other = mine[begin : len(mine) - end], other[begin : len(other) - end]
    added: list[Json] = []
    missing: list[Json] = []
    for one, two in _aligned(mine, other):
        paired = min(len(one), len(two))
        for at in range(paired):
            place = begin + one[at]
            yield from _leaf_pairs(mine[one[at]], other[two[at]], f"messages[{place}]")
        added += [mine[at] for at in one[paired:]]
        missing += [other[at] for at in two[paired:]]
    if added:
        yield Pair("", added, ABSENT)
    if missing:
        yield Pair("", ABSENT, missing)


def _common(mine: Sequence[Json], other: Sequence[Json]) -> int:
    return next(
        (at for at, (one, two) in enumerate(zip(mine, other, strict=False)) if one != two),
        min(len(mine), len(other)),
    )


def _aligned(mine: list[Json], other: list[Json]) -> Iterator[tuple[range, range]]:
    """Yield runs of messages that take each other's place: by equal messages, between them by equal roles."""
    if max(len(mine), len(other)) > _LONGEST:
        yield range(len(mine)), range(len(other))
        return
    for same, one, two in _runs(
        [jsonio.canonical(one) for one in mine], [jsonio.canonical(one) for one in other]
    ):
        if same:
            continue
        for _, begin, until in _runs([role_of(mine[at]) for at in one], [role_of(other[at]) for at in two]):
            yield one[begin.start : begin.stop], two[until.start : until.stop]


def _runs(mine: Sequence[object], other: Sequence[object]) -> Iterator[tuple[bool, range, range]]:
    matcher = SequenceMatcher(None, mine, other, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        yield what == "equal", range(a, b), range(c, d)


def role_of(message: Json) -> str:
    """Return the role of a message, for people and for comparing."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else "without a role"


def _leaf_pairs(mine: Json, other: Json, path: str) -> Iterator[Pair]:
    one, two = dict(_leaves(mine, path)), dict(_leaves(other, path))
    for place in [*one, *(place for place in two if place not in one)]:
        yield Pair(place, one.get(place, ABSENT), two.get(place, ABSENT))


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Yield path and value of everything that holds nothing itself; empty lists and objects count."""
    if value is ABSENT:
        return
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}[{place}]")
    else:
        yield path or "body", value
