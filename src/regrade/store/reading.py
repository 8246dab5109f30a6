"""Reading what runs left."""

from collections.abc import Sequence
from dataclasses import fields

import pyarrow as pa
import pyarrow.parquet as pq

from regrade.errors import StoreError
from regrade.store.folders import RunFolder
from regrade.types import SummaryRow

__all__ = ["read_summary", "read_table"]


def read_table(folder: RunFolder, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a result table of a run, or some of its columns.

    Raises:
        StoreError: When it is not there: the run has not finished, or it is damaged.
    """
    path = folder.table_path(name)
    try:
        with pq.ParquetFile(path) as file:  # the reader of datasets of many files would cost 15 MB more
            return file.read(columns=list(columns) if columns is not None else None)
    except FileNotFoundError as error:
        raise StoreError(
            f"the run {folder.id} has no table {path.name}: it did not finish",
            hint=f"finish it with: regrade run --resume {folder.id}",
        ) from error
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
