"""Exported files carry exact numbers, and no name can forge their format."""

import csv
import io
import json

from regrade.exporters.delimited import CsvTable
from regrade.exporters.json_document import JsonDocument
from regrade.exporters.markdown import Markdown
from regrade.types import SummaryRow
from regrade.views import ColumnView, Document, TableView

HOSTILE = "=cmd|' /C calc'!A0\n| <script>alert(1)</script> `x` ![](y)"
ROW = SummaryRow(
    HOSTILE,
    "default",
    "m",
    "exact_match",
    "accuracy",
    "higher",
    "",
    1 / 3,
    0.1,
    0.2,
    0.5,
    0.95,
    3,
    0,
    "score",
)
DOCUMENT = Document("run", (ROW,), (TableView(HOSTILE, (ColumnView("model"),), ((HOSTILE,),), (HOSTILE,)),))


def test_csv_keeps_exact_values_and_runs_no_formula() -> None:
    """A value reads back as the same float; a name that begins like a formula is defused."""
    rows = list(csv.DictReader(io.StringIO(CsvTable().export(DOCUMENT))))
    assert float(rows[0]["value"]) == 1 / 3
    assert rows[0]["eval"] == f"'{HOSTILE}"


def test_json_names_its_schema_and_keeps_exact_values() -> None:
    """The document says its version and holds every row."""
    document = json.loads(JsonDocument().export(DOCUMENT))
    assert document["schema_version"] == 1
    assert document["summary"][0]["value"] == 1 / 3
    assert document["summary"][0]["eval"] == HOSTILE


def test_markdown_cannot_be_forged() -> None:
    """Names bring no table cell, tag, code or picture of their own."""
    text = Markdown().export(DOCUMENT)
    assert "<script" not in text
    assert "![" not in text
    assert all(line.count("|") == 2 for line in text.splitlines() if line.startswith("|"))
