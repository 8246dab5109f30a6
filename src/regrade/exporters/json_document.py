"""A document as JSON; `docs/report.schema.json` describes it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from regrade.jsonio import dumps
from regrade.types import JsonObject
from regrade.views import Document

__all__ = ["JsonDocument"]

_SCHEMA_VERSION = 1
"""Grows when a reader of an older version would misread the file; new keys alone do not raise it."""


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """An object with `schema_version`, exact rows (`summary`, `records`), and what people read."""

    def export(self, document: Document) -> str:
        """Return the document as one line."""
        found = {
            "schema_version": _SCHEMA_VERSION,
            "kind": document.kind,
            "title": document.title,
            "run": document.title if document.kind == "run" else None,
            "outcome": document.outcome,
            "paragraph": document.paragraph,
            "notes": list(document.notes),
            "summary": _objects(document.summary),
            "records": {name: list(rows) for name, rows in document.records.items()},
            "cases": _objects(document.cases),
            "flips": _objects(document.flips),
            "forests": _objects(document.forests),
            "tables": _objects(document.tables),
        }
        return dumps(found) + "\n"


def _objects(items: Iterable[Any]) -> list[JsonObject]:
    return [asdict(item) for item in items]
