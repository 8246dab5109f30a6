"""Table columns as NumPy arrays, read batch by batch: no Python object a cell, no whole table of texts."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regrade.aggregate.slices import values_of
from regrade.types import Json

__all__ = ["SAMPLE_ID", "Columns", "Flags", "Floats", "Ints", "Reader", "sample_keys"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Values = NDArray[np.generic]

SAMPLE_ID = "sample_id"
_TEXTS = {
    "eval",
    "prompt",
    "model",
    "role",
    "failure_kind",
    "cluster",
    "scorer",
    "metric",
    "label",
    "expected",
    "version",
}
_NUMBERS = (
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "cost_usd",
    "ttft_s",
    "latency_s",
    "attempts",
    "value",
)
_FLAGS = ("ok", "parsed", "cut_in_reasoning")
_HASHED = {SAMPLE_ID, "fingerprint"}
_SHARED = {"expected": "label"}
"""Texts of the first column have the codes of the second, so that they can be compared."""


@dataclass(slots=True)
class Names:
    """Codes of texts, counted up from 0 in first appearance."""

    code_of: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.code_of)

    @property
    def texts(self) -> list[str]:
        """Return the texts, each at the place of its code."""
        return list(self.code_of)

    def codes(self, texts: Sequence[str | None]) -> Ints:
        """Return the code of each text, -1 for None."""
        known = self.code_of
        found = (-1 if text is None else known.setdefault(text, len(known)) for text in texts)
        return np.fromiter(found, dtype=np.int64, count=len(texts))


@dataclass(frozen=True, slots=True)
class Columns:
    """Some columns of some rows.

    Attributes:
        count: How many rows.
        arrays: By column: texts as codes (-1 for null), sample ids as 64-bit hashes, numbers with NaN for
            null and for what is not finite, flags with False for null.
        names: By column of texts: what its codes mean, for all tables of one reader.
    """

    count: int
    arrays: Mapping[str, Values]
    names: Mapping[str, Names]

    def ints(self, name: str) -> Ints:
        """Return a column of codes, hashes or counts."""
        return self.arrays[name].astype(np.int64, copy=False)

    def floats(self, name: str) -> Floats:
        """Return a column of numbers."""
        return self.arrays[name].astype(np.float64, copy=False)

    def flags(self, name: str) -> Flags:
        """Return a column of truth values."""
        return self.arrays[name].astype(np.bool_, copy=False)

    def texts(self, name: str) -> list[str]:
        """Return what the codes of a column mean."""
        return self.names[_SHARED.get(name, name)].texts

    def where(self, chosen: Flags) -> "Columns":
        """Return the chosen rows."""
        if chosen.all():
            return self
        kept = {name: values[chosen] for name, values in self.arrays.items()}
        return Columns(int(chosen.sum()), kept, self.names)

    def having(self, name: str, text: str) -> Flags:
        """Return which rows have a text in a column."""
        code = self.names[name].code_of.get(text, -2)
        found: Flags = self.ints(name) == code
        return found


class Reader:
    """Reads tables; the same text has the same code in all of them.

    Args:
        slices: Metadata fields that become columns of their own, "slice.<name>".
    """

    def __init__(self, slices: Sequence[str] = ()) -> None:
        self._slices = tuple(slices)
        self._names: defaultdict[str, Names] = defaultdict(Names)

    def read(self, batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> Columns:
        """Take some columns of a table's batches."""
        plain = [name for name in columns if name != "metadata"]
        wanted = [*plain, *(f"slice.{name}" for name in self._slices if "metadata" in columns)]
        parts: dict[str, _Parts] = {name: _Parts() for name in wanted}
        for batch in batches:
            for name in plain:
                parts[name].add(self._array(name, batch.column(name)))
            if wanted != plain:
                for name, values in self._sliced(batch.column("metadata")).items():
                    parts[f"slice.{name}"].add(values)
        arrays = {name: parts.pop(name).joined() for name in wanted}
        for name in wanted:
            self._names[_SHARED.get(name, name)]  # a column without any text has names as well
        return Columns(min(map(len, arrays.values())), arrays, self._names)

    def _array(self, name: str, column: pa.Array) -> Values:
        if name in _TEXTS:
            return _by_text(column, self._names[_SHARED.get(name, name)].codes)
        if name in _HASHED:
            return _by_text(column, _hashes)
        values: Values = column.to_numpy(zero_copy_only=False)
        if name in _NUMBERS:
            numbers = values.astype(np.float64)
            return np.where(np.isfinite(numbers), numbers, np.nan)
        if name in _FLAGS:
            return np.equal(values, True)
        return values.astype(np.int64)

    def _sliced(self, metadata: pa.Array) -> dict[str, Ints]:
        """Return a column of codes for each slice; each distinct object is parsed once."""
        place = _by_text(metadata, lambda texts: np.arange(len(texts)))
        distinct = metadata if isinstance(metadata, pa.DictionaryArray) else metadata.dictionary_encode()
        values = values_of(distinct.dictionary.to_pylist(), self._slices)
        found: dict[str, Ints] = {}
        for name in self._slices:
            codes = np.append(self._names[f"slice.{name}"].codes(values[name]), -1)
            found[name] = codes[place]
        return found


def _by_text(column: pa.Array, code: Callable[[Sequence[str | None]], Ints]) -> Ints:
    """Return a code for each row, asked for once per distinct text; -1 for null."""
    if not isinstance(column, pa.DictionaryArray):
        if column.null_count == len(column):
            return np.full(len(column), -1, dtype=np.int64)
        column = column.dictionary_encode()
    own = np.append(code(column.dictionary.to_pylist()), -1)
    places = column.indices.to_numpy(zero_copy_only=False)
    if column.null_count:
        places = np.nan_to_num(places.astype(np.float64), nan=-1)
    found: Ints = own[places.astype(np.int64)]
    return found


def sample_keys(column: pa.Array) -> Ints:
    """Return the hash of each sample id of a column, as `Reader` gives them."""
    return _by_text(column, _hashes)


def _hashes(texts: Sequence[str | None]) -> Ints:
    """Return the interpreter's 64-bit hash of each id.

    Names in place of hashes would be most of what a summary holds. That two of a million samples share one
    is a matter of 3 in 100 million runs.
    """
    return np.fromiter(map(hash, texts), dtype=np.int64, count=len(texts))


class _Parts:
    """The values of a column, batch after batch; no memory while they are all the same."""

    def __init__(self) -> None:
        self._parts: list[Values] = []

    def add(self, values: Values) -> None:
        if not len(values):
            return
        first = values[0]
        same = (values == first) | (values != values) if first != first else values == first  # noqa: PLR0124 - NaN
        self._parts.append(np.broadcast_to(first, len(values)) if same.all() else values)

    def joined(self) -> Values:
        if not self._parts:
            return np.empty(0)
        first = self._parts[0][0]
        count = sum(map(len, self._parts))
        if all(one.strides == (0,) and _alike(one[0], first) for one in self._parts):
            return np.broadcast_to(first, count)
        return np.concatenate(self._parts)


def _alike(left: Json, right: Json) -> bool:
    return bool(left == right or (left != left and right != right))  # noqa: PLR0124 - NaN
