"""Writing the result tables, a few hundred rows at a time; imported when the first of them is due."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import IO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from regrade.jsonio import atomic_write
from regrade.store.folders import RunFolder, unwritable
from regrade.store.schema import COMPARISONS, SAMPLES, SCORES, SUMMARY
from regrade.types import Json, SummaryRow

__all__ = ["write_comparisons", "write_summary", "write_tables"]

_ROWS = 512
"""Held as Python objects at a time."""
_GROUP_ROWS = 8192
_GROUP_BYTES = 8 * 2**20
"""A row group ends with whichever comes first."""


def write_tables(folder: RunFolder, records: Callable[[], Iterator[Json]], scorers: Sequence[str]) -> None:
    """Write `samples.parquet` and `scores.parquet`, each replaced as a whole.

    Args:
        folder: The run.
        records: Gives afresh, in the order of the plan, the row of each sample with the rows of its scores.
        scorers: Titles of all scorers, for the columns `score.<scorer>` of the samples table.

    Raises:
        OSError: When they cannot be written.
    """
    schema = SAMPLES
    for scorer in scorers:
        schema = schema.append(pa.field(f"score.{scorer}", pa.float64()))
    _write(folder, "samples", schema, ([record[0]] for record in records()))
    _write(folder, "scores", SCORES, (record[1] for record in records()))
    pa.default_memory_pool().release_unused()


def _write(folder: RunFolder, name: str, schema: pa.Schema, found: Iterator[list[list[Json]]]) -> None:
    def write(stream: IO[bytes]) -> None:
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            rows = itertools.chain.from_iterable(found)
            for group in _groups(_record_batches(rows, schema)):
                writer.write_table(pa.Table.from_batches(group, schema))

    atomic_write(folder.table_path(name), write)


def _record_batches(rows: Iterator[list[Json]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while batch := list(itertools.islice(rows, _ROWS)):
        columns = zip(*batch, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if (
            sum(one.num_rows for one in group) >= _GROUP_ROWS
            or sum(one.nbytes for one in group) >= _GROUP_BYTES
        ):
            yield group
            group = []
    if group:
        yield group


def write_summary(folder: RunFolder, rows: Sequence[SummaryRow]) -> None:
    """Write `summary.parquet` and `summary.csv`.

    Raises:
        StoreError: When they cannot be written.
    """
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=SUMMARY)
    try:
        atomic_write(folder.table_path("summary"), lambda stream: pq.write_table(table, stream))
        atomic_write(folder.path / "summary.csv", lambda stream: pa.csv.write_csv(table, stream))
    except OSError as error:
        raise unwritable(folder, error) from error


def write_comparisons(folder: RunFolder, rows: Sequence[Mapping[str, Json]]) -> None:
    """Write `comparisons.parquet`.

    Args:
        folder: The run.
        rows: Records with at least the table's columns.

    Raises:
        StoreError: When it cannot be written.
    """
    columns = {name: [row[name] for row in rows] for name in COMPARISONS.names}
    table = pa.table(columns, schema=COMPARISONS)
    try:
        atomic_write(folder.table_path("comparisons"), lambda stream: pq.write_table(table, stream))
    except OSError as error:
        raise unwritable(folder, error) from error
