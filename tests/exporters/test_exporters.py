"""Exported files carry exact numbers, and no name can forge their format."""

import csv
import io
import json
from pathlib import Path

import jsonschema

from regrade.exporters.delimited import CsvTable
from regrade.exporters.json_document import JsonDocument
from regrade.types import SummaryRow
from regrade.views import Document

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
DOCUMENT = Document("run", (ROW,))
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text(encoding="utf-8"))


def table(document: Document) -> list[dict[str, str]]:
    """Return the rows of the exported CSV as a reader has them."""
    return list(csv.DictReader(io.StringIO(CsvTable().export(document), newline="")))


def test_csv_keeps_exact_values_and_runs_no_formula() -> None:
    """A value reads back as the same float; a name that begins like a formula is defused."""
    rows = table(DOCUMENT)
    assert float(rows[0]["value"]) == 1 / 3
    assert rows[0]["eval"] == f"'{HOSTILE}"


def test_csv_of_a_gate_holds_its_main_records() -> None:
    """The rows of the first records, all their columns, lists as JSON, nothing for what is missing."""
    records: dict[str, tuple[dict[str, object], ...]] = {
        "verdicts": ({"rule": "a", "p": 0.125}, {"rule": "+b", "notes": ["x", "y"], "p": None}),
        "changes": ({"other": 1},),
    }
    assert table(Document("a", (), kind="gate", records=records)) == [
        {"rule": "a", "p": "0.125", "notes": ""},
        {"rule": "'+b", "p": "", "notes": '["x","y"]'},
    ]
    assert table(Document("a", (), kind="comparison")) == []


def test_no_cell_begins_a_formula(document: Document) -> None:
    """Whatever names and texts hold, no cell of text begins like a formula, and no cell leaves its row."""
    rows = table(document)
    assert len(rows) == len(
        document.summary if document.kind == "run" else next(iter(document.records.values()))
    )
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n"))
        assert "\x00" not in cell


def test_json_names_its_schema_and_keeps_exact_values() -> None:
    """The document says its version and holds every row."""
    document = json.loads(JsonDocument().export(DOCUMENT))
    assert document["schema_version"] == 1
    assert document["run"] == "run"
    assert document["summary"][0]["value"] == 1 / 3
    assert document["summary"][0]["eval"] == HOSTILE


def test_json_keeps_its_schema(document: Document) -> None:
    """What is exported is what `docs/report.schema.json` describes, on one line."""
    text = JsonDocument().export(document)
    assert text.count("\n") == 1
    found = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA, jsonschema.Draft202012Validator)
    assert found["kind"] == document.kind
    assert len(found["flips"]) == len(document.flips)
    assert set(found["records"]) == set(document.records)
