"""Which samples belong to which value of a metadata field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrade.jsonio import dumps, loads
from regrade.types import Json

__all__ = ["Slice", "slice_of", "values_of"]

Ints = NDArray[np.int64]

_MOST_VALUES = 50


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


def values_of(metadata: Sequence[str | None], name: str) -> list[str | None]:
    """Return the value of a field in each of some metadata, as a text; None where there is none.

    Args:
        metadata: JSON objects.
        name: The field, a dotted path.
    """
    return [None if one is None else _text(_at(loads(one), name)) for one in metadata]


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
