"""Rows as CSV: a run's summary, or the main records of a comparison or a gate."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

from regrade.texts import spreadsheet_cell
from regrade.types import JsonObject, SummaryRow
from regrade.views import Document

__all__ = ["CsvTable"]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Exact values with a head line: a run's summary, else the main records of a comparison or a gate.

    A text that a spreadsheet would run as a formula is written behind an apostrophe.
    """

    def export(self, document: Document) -> str:
        """Return the text with line feeds."""
        records = next(iter(document.records.values()), ())
        if document.kind == "run" or not records:
            head = [field.name for field in fields(SummaryRow)]
            return _table(head, (astuple(row) for row in document.summary))
        return _records(records)


def _records(records: Sequence[JsonObject]) -> str:
    names = list(dict.fromkeys(name for record in records for name in record))
    return _table(names, ([record.get(name) for name in names] for record in records))


def _table(head: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([spreadsheet_cell(name) for name in head])
    for row in rows:
        writer.writerow([spreadsheet_cell(value) for value in row])
    return out.getvalue()
