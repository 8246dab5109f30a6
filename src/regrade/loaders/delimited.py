"""CSV and TSV."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from regrade.errors import BadRows, DatasetError, Location, UsageError
from regrade.loaders.files import check_encoding, open_text, reading, shown
from regrade.types import Row

__all__ = ["Csv", "Tsv"]

_LONGEST_FIELD = 1 << 30  # bytes; the library's own limit of 128 KiB refuses long documents


@dataclass(frozen=True)
class Csv:
    """Rows of a CSV file with a header line; every value is a text.

    Attributes:
        path: The file, relative to the spec; .gz is read as it is.
        delimiter: One character.
        encoding: Of the text.
    """

    path: str = field(metadata={"file": True})
    delimiter: str = ","
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        if len(self.delimiter) != 1:
            raise UsageError(f"`delimiter` must be one character, not {self.delimiter!r}")

    def load(self) -> Iterator[Row]:
        """Yield the rows with the line each begins on; blank lines are skipped.

        Raises:
            DatasetError: Naming file and line of a row with more or fewer fields than the header, a column
                that stands twice, or a quote that never closes.
        """
        path = Path(self.path)
        csv.field_size_limit(_LONGEST_FIELD)
        with reading(path, self.encoding), open_text(path, self.encoding) as text:
            yield from self._rows(text, shown(path))

    def _rows(self, text: TextIO, name: str) -> Iterator[Row]:
        records = csv.reader(text, delimiter=self.delimiter, strict=True)
        header: list[str] | None = None
        begin = 1
        bad = BadRows(name)
        try:
            for record in records:
                where = Location(name, begin)
                begin = records.line_num + 1
                if not record:
                    continue
                if bad.is_full:
                    break
                if header is None:
                    header = _checked(record, where)
                elif len(record) != len(header):
                    bad.add(_wrong_count(record, header, where))
                elif not bad:
                    yield Row(dict(zip(header, record, strict=True)), where.line)
        except csv.Error as error:
            bad.add(_not_csv(error, Location(name, begin)))
        bad.check()


@dataclass(frozen=True)
class Tsv(Csv):
    """Rows of a file whose fields are separated by tabs; otherwise as CSV.

    Attributes:
        path: The file, relative to the spec; .gz is read as it is.
        delimiter: One character.
        encoding: Of the text.
    """

    delimiter: str = "\t"


def _checked(header: list[str], where: Location) -> list[str]:
    twice = [name for place, name in enumerate(header) if name in header[:place]]
    if twice:
        raise DatasetError(f'the column "{twice[0]}" stands twice in the header', where=where)
    return header


def _wrong_count(record: list[str], header: list[str], where: Location) -> DatasetError:
    hint = "quote fields that hold the delimiter or a line end" if len(record) > len(header) else None
    message = f"{len(record)} fields, the header has {len(header)}: {', '.join(header[:12])}"
    return DatasetError(message, where=where, hint=hint)


def _not_csv(error: csv.Error, where: Location) -> DatasetError:
    if "unexpected end of data" in str(error):
        return DatasetError("a quote opens in this row and never closes", where=where)
    return DatasetError(f"not CSV: {error}", where=where)
