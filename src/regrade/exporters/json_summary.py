"""The summary as JSON."""

from dataclasses import asdict, dataclass

from regrade.jsonio import dumps
from regrade.types import Document

__all__ = ["JsonSummary"]

_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class JsonSummary:
    """An object with `schema_version` and `summary`, a list of rows with exact values."""

    def export(self, document: Document) -> str:
        """Return the document as one line."""
        summary = [asdict(row) for row in document.summary]
        return dumps({"schema_version": _SCHEMA_VERSION, "run": document.title, "summary": summary}) + "\n"
