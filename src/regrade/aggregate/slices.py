"""Which samples belong to which value of a metadata field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrade.jsonio import dumps, loads
from regrade.types import Json

__all__ = ["Slice", "scalar_fields", "slice_of", "values_of"]

Ints = NDArray[np.int64]

_MOST_VALUES = 50
_LONGEST_VALUE = 80  # characters; what is longer is a text and names no group


@dataclass(frozen=True, slots=True)
class Slice:
    """One metadata field over the samples of an eval.

    Attributes:
        name: The field, a dotted path.
        texts: Its values as texts: those of the most samples, in first appearance.
        members: For each of them the samples that have it.
        left_out: How many values more there are.
    """

    name: str
    texts: tuple[str, ...]
    members: tuple[Ints, ...]
    left_out: int


def values_of(metadata: Sequence[str | None], names: Sequence[str]) -> dict[str, list[str | None]]:
    """Return the values of some fields in each of some metadata, as texts; None where there is none.

    Args:
        metadata: JSON objects.
        names: The fields, dotted paths.
    """
    found: dict[str, list[str | None]] = {name: [] for name in names}
    for text in metadata:
        fields = None if text is None else loads(text)
        for name, values in found.items():
            values.append(_text(_at(fields, name)))
    return found


def scalar_fields(metadata: Sequence[str | None]) -> list[str]:
    """Return the fields, at the top or one level below it, with 2 to 50 different plain values.

    Args:
        metadata: JSON objects of some samples.
    """
    seen: dict[str, set[str]] = {}
    for text in metadata:
        for name, value in _plain(loads(text) if text else {}):
            seen.setdefault(name, set()).add(value)
    return [name for name, values in seen.items() if 2 <= len(values) <= _MOST_VALUES]  # noqa: PLR2004 - two differ


def _plain(fields: Json) -> Iterator[tuple[str, str]]:
    if not isinstance(fields, Mapping):
        return
    for name, value in fields.items():
        inner = value.items() if isinstance(value, Mapping) else [(None, value)]
        for below, one in inner:
            if isinstance(one, str | bool | int) and len(str(one)) <= _LONGEST_VALUE:
                yield (name if below is None else f"{name}.{below}"), _text(one) or ""


def slice_of(name: str, texts: Sequence[str], value: Ints) -> Slice:
    """Return the samples of each value.

    Args:
        name: The field.
        texts: What the codes mean.
        value: Shape (samples,): code of each sample's value, -1 where there is none.
    """
    found, first = np.unique(value[value >= 0], return_index=True)
    found = found[np.argsort(first)]
    rank = np.full(len(texts) + 1, -1, dtype=np.int64)
    rank[found] = np.arange(len(found))
    return _slice(name, [texts[code] for code in found], rank[value])


def _slice(name: str, texts: Sequence[str], value: Ints) -> Slice:
    sizes = np.bincount(value[value >= 0], minlength=len(texts))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_VALUES])
    return Slice(
        name=name,
        texts=tuple(texts[place] for place in largest),
        members=tuple(np.flatnonzero(value == place) for place in largest),
        left_out=len(texts) - len(largest),
    )


def _at(fields: Json, path: str) -> Json:
    """Return the field of that name, else follow the dots; None where it leads nowhere."""
    if isinstance(fields, Mapping) and path in fields:
        return fields[path]
    value: Any = fields
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _text(value: Json) -> str | None:
    return value if value is None or isinstance(value, str) else dumps(value)
