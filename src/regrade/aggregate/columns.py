"""Arrow columns as NumPy arrays, without a Python object a cell."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["codes", "flags", "floats", "places", "rows_where"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def codes(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Return each row's place among the distinct texts, -1 for null, and the texts in first appearance."""
    encoded = pc.dictionary_encode(column.cast(pa.string())).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # a column without any chunk stays one
        encoded = pa.array([], pa.string()).dictionary_encode()
    indices = encoded.indices.fill_null(-1)
    found: Ints = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return found, encoded.dictionary


def places(column: pa.ChunkedArray, among: pa.Array) -> Ints:
    """Return each row's place among given texts, -1 for others."""
    found = pc.index_in(column.cast(pa.string()), value_set=among)
    place: Ints = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return place


def floats(column: pa.ChunkedArray) -> Floats:
    """Return numbers with NaN for null and for what is not finite."""
    values = column.cast(pa.float64()).to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def flags(column: pa.ChunkedArray) -> Flags:
    """Return truth values with False for null."""
    known = pc.fill_null(column.cast(pa.bool_()), fill_value=False)
    values: Flags = known.to_numpy().astype(np.bool_)
    return values


def rows_where(table: pa.Table, **equal: str) -> pa.Table:
    """Return the rows whose columns have the given texts."""
    for name, text in equal.items():
        table = table.filter(pc.equal(table[name], text))
    return table
