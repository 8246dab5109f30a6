"""Which samples belong to which value of a metadata field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from regrade.aggregate.columns import Ints, codes
from regrade.jsonio import dumps, loads
from regrade.types import Json

__all__ = ["Slice", "read_slices"]

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


def read_slices(metadata: pa.ChunkedArray, names: Sequence[str]) -> list[Slice]:
    """Read slices from each sample's metadata.

    Args:
        metadata: One JSON object a sample; equal texts are parsed once.
        names: The fields.
    """
    text_of, texts = codes(metadata)
    known: dict[str, dict[str, int]] = {name: {} for name in names}
    value_of = np.full((len(names), len(texts) + 1), -1, dtype=np.int64)  # the last one for no metadata
    for place, text in enumerate(texts):
        fields = loads(text.as_py())
        for row, name in enumerate(names):
            value = _text(_at(fields, name))
            if value is not None:
                value_of[row, place] = known[name].setdefault(value, len(known[name]))
    return [_slice(name, tuple(known[name]), value_of[row][text_of]) for row, name in enumerate(names)]


def _slice(name: str, texts: tuple[str, ...], value: Ints) -> Slice:
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
