"""The summary as CSV."""

import csv
import io
from dataclasses import astuple, dataclass, fields

from regrade.types import Document, SummaryRow

__all__ = ["CsvSummary"]


@dataclass(frozen=True, slots=True)
class CsvSummary:
    """One line a metric and arm, exact values, the columns of `summary.parquet`.

    A text that a spreadsheet would run as a formula is written behind an apostrophe.
    """

    def export(self, document: Document) -> str:
        """Return the text with a head line and line feeds."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([field.name for field in fields(SummaryRow)])
        for row in document.summary:
            writer.writerow([_safe(value) for value in astuple(row)])
        return out.getvalue()


def _safe(value: object) -> object:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
