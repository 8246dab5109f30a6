"""Reading what runs left; pyarrow is imported with the first table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.errors import StoreError
from regrade.store.folders import RunFolder
from regrade.types import JsonObject, SummaryRow

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["check_version", "no_table", "read_batches", "read_rows", "read_summary", "read_table"]

_BATCH = 4096


def read_table(folder: RunFolder, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return a result table of a run, or some of its columns.

    Raises:
        StoreError: When it is not there: the run has not finished, or it is damaged.
    """
    with _opened(folder, name) as file:
        return file.read(columns=list(columns) if columns is not None else None)


def read_batches(
    folder: RunFolder, name: str, columns: Sequence[str], rows: int = _BATCH
) -> "Iterator[pa.RecordBatch]":
    """Yield some columns of a result table, some thousand rows at a time; texts as dictionaries.

    Args:
        folder: The run.
        name: `samples` or `scores`.
        columns: Of the table.
        rows: At a time; more take more memory and less time.

    Raises:
        StoreError: As `read_table`.
    """
    import pyarrow as pa

    from regrade.store.schema import SAMPLES, SCORES

    schema = {"samples": SAMPLES, "scores": SCORES}[name]
    texts = [field.name for field in schema if field.type == pa.string()]
    with _opened(folder, name, [text for text in columns if text in texts]) as file:
        there = [column for column in columns if column in file.schema_arrow.names]
        for batch in file.iter_batches(rows, columns=there, use_threads=False):
            yield _with_nulls(batch, columns, schema) if len(there) < len(columns) else batch


def _with_nulls(batch: "pa.RecordBatch", columns: Sequence[str], schema: "pa.Schema") -> "pa.RecordBatch":
    """Return a batch with the columns that its run, of an older regrade, did not know."""
    import pyarrow as pa

    arrays = [
        batch.column(name) if name in batch.schema.names else pa.nulls(len(batch), schema.field(name).type)
        for name in columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def check_version(path: Path, metadata: Mapping[bytes, bytes] | None) -> None:
    """Refuse a table whose layout this version would misread.

    Args:
        path: The file.
        metadata: Of its schema.

    Raises:
        StoreError: When it was written by a newer version.
    """
    from regrade.store.schema import VERSION

    for key, known in VERSION.items():
        found = (metadata or {}).get(key, known)
        if not found.isdigit() or int(found) > int(known):
            raise StoreError(
                f"{path} is of a newer regrade: schema {found.decode(errors='replace')}, this one reads "
                f"{known.decode()}",
                hint="upgrade regrade to read it",
            )


def no_table(folder: RunFolder, path: Path) -> StoreError:
    """Return the error that says of a run that ended early, or goes on, that it has no such table."""
    return StoreError(
        f"the run {folder.id} has no table {path.name}: it did not finish",
        hint=f"finish it with: regrade run --resume {folder.id}",
    )


@contextmanager
def _opened(folder: RunFolder, name: str, dictionaries: Sequence[str] = ()) -> "Iterator[pq.ParquetFile]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder.table_path(name)
    try:
        # The reader of datasets of many files would cost 15 MB more.
        with pq.ParquetFile(path, read_dictionary=list(dictionaries)) as file:
            check_version(path, file.schema_arrow.metadata)
            yield file
    except FileNotFoundError as error:
        raise no_table(folder, path) from error
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def read_summary(folder: RunFolder) -> list[SummaryRow]:
    """Return the summary of a run.

    Raises:
        StoreError: When it is not there or damaged.
    """
    names = [field.name for field in fields(SummaryRow)]
    return [
        SummaryRow(**{name: row[name] for name in names}) for row in read_table(folder, "summary").to_pylist()
    ]


def read_rows(
    path: Path,
    keys: Sequence[str],
    chosen: "Callable[[pa.RecordBatch], Sequence[int]]",
    columns: Sequence[str],
) -> Iterator[JsonObject]:
    """Yield single rows of a table; only the parts of the file that hold one of them are read in full.

    Args:
        path: A Parquet file.
        keys: Columns that tell which rows are wanted.
        chosen: Returns the places of the wanted rows in a batch of these columns.
        columns: Columns of the rows; what the file does not hold is None.

    Raises:
        StoreError: When the file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            there = [name for name in columns if name in file.schema_arrow.names]
            for group in range(file.num_row_groups):
                places = chosen(_batch(file, group, keys))
                if places:
                    for row in _batch(file, group, there).take(pa.array(places)).to_pylist():
                        yield {name: row.get(name) for name in columns}
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def _batch(file: "pq.ParquetFile", group: int, columns: Sequence[str]) -> "pa.RecordBatch":
    import pyarrow as pa

    table = file.read_row_group(group, columns=list(columns), use_threads=False).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], table.schema)
