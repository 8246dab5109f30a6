"""A page's table as CSV, Parquet or JSON, row by row however many there are."""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from regrade.jsonio import dumps, encode
from regrade.texts import spreadsheet_cell
from regrade.types import Json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "Export", "respond", "saved_name"]

FORMATS = ("csv", "parquet", "json")
"""Formats of tables; every page is to be had as `html` too."""

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
_CHUNK = 1 << 16
_IN_MEMORY = 8 << 20
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Export:
    """A table in exact numbers.

    Attributes:
        name: Of the file, without its suffix.
        columns: Names, in order.
        batches: Yields the rows some thousand at a time; what a row lacks is null.
        schema: Column types for Parquet; None finds them in the first batch.
    """

    name: str
    columns: tuple[str, ...]
    batches: Callable[[], Iterator[Sequence[Mapping[str, Json]]]]
    schema: "pa.Schema | None" = None

    @classmethod
    def of(cls, name: str, rows: Sequence[Mapping[str, Json]], columns: Sequence[str] = ()) -> "Export":
        """Return the export of rows that are at hand.

        Args:
            name: Of the file.
            rows: All of them.
            columns: Names in order; default those of the rows, as they come.
        """
        names = tuple(columns) or tuple(dict.fromkeys(key for row in rows for key in row))
        return cls(name, names, lambda: iter([rows]))


def respond(export: Export, form: str) -> Response:
    """Return the table as a file to save.

    Args:
        export: The table.
        form: One of `FORMATS`.
    """
    write = {"csv": _csv, "parquet": _parquet, "json": _json}[form]
    headers = {"content-disposition": f'attachment; filename="{saved_name(export.name)}.{form}"'}
    return StreamingResponse(write(export), media_type=_TYPES[form], headers=headers)


def saved_name(name: str) -> str:
    """Return a name that any system takes for a file."""
    return _UNSAFE.sub("-", name).strip("-.")[:100] or "regrade"


def _csv(export: Export) -> Iterator[bytes]:
    """Yield CSV; a text that a spreadsheet would run as a formula stands behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([spreadsheet_cell(name) for name in export.columns])
    for rows in export.batches():
        for row in rows:
            writer.writerow([spreadsheet_cell(row.get(name)) for name in export.columns])
        yield out.getvalue().encode("utf-8", "backslashreplace")
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode("utf-8", "backslashreplace")


def _json(export: Export) -> Iterator[bytes]:
    separator = b"[\n"
    for rows in export.batches():
        for row in rows:
            yield separator + encode({name: row.get(name) for name in export.columns})
            separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def _parquet(export: Export) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        _write_parquet(export, file)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _write_parquet(export: Export, file: "IO[bytes]") -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for rows in export.batches():
            laid = [{name: _flat(row.get(name)) for name in export.columns} for row in rows]
            if laid:
                table = pa.Table.from_pylist(laid, export.schema or (writer.schema if writer else None))
                writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
                writer.write_table(table)
        if writer is None:
            schema = export.schema or pa.schema([pa.field(name, pa.null()) for name in export.columns])
            writer = pq.ParquetWriter(file, schema)
    finally:
        if writer is not None:
            writer.close()


def _flat(value: Json) -> Json:
    """Return a value that a column can hold; what is nested becomes JSON."""
    if isinstance(value, dict | list | tuple):
        return dumps(value)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
