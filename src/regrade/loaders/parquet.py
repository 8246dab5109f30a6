"""Parquet files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrade.errors import DatasetError, Location
from regrade.loaders.files import open_bytes, reading, shown
from regrade.loaders.plain import plain_row
from regrade.types import Row

__all__ = ["Parquet"]

_BATCH = 1_000
_BATCH_OF_BYTES = 16


@dataclass(frozen=True)
class Parquet:
    """Rows of a Parquet file, a thousand held at a time; where there are images or sounds, sixteen.

    Attributes:
        path: The file, relative to the spec.
        columns: Which to read; default all.
    """

    path: str = field(metadata={"file": True})
    columns: list[str] | None = None

    def load(self) -> Iterator[Row]:
        """Yield the rows with their ordinals.

        Raises:
            DatasetError: When the file is no Parquet, or a column is missing or has no form as JSON.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = Path(self.path)
        name = shown(path)
        with reading(path), open_bytes(path) as stream:
            try:
                file = pq.ParquetFile(stream)
                self._check_columns(file.schema_arrow.names, name)
                for number, record in enumerate(self._records(file), start=1):
                    yield Row(plain_row(record, Location(name, number)), number)
            except pa.ArrowException as error:
                message = f"not a Parquet file: {str(error).splitlines()[0]}"
                raise DatasetError(message, where=Location(name)) from error

    def _records(self, file: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows group by group: a reader of all groups at once keeps what it has passed."""
        rows = _BATCH_OF_BYTES if "binary" in str(file.schema_arrow) else _BATCH
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(batch_size=rows, row_groups=[group], columns=self.columns):
                yield from batch.to_pylist(maps_as_pydicts="lossy")

    def _check_columns(self, known: list[str], name: str) -> None:
        missing = [column for column in self.columns or () if column not in known]
        if missing:
            hint = f"columns: {', '.join(known)}"
            raise DatasetError(f'no column "{missing[0]}"', where=Location(name), hint=hint)
