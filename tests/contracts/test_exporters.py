"""What every exporter keeps: a text with every eval and model in it, also of an empty run."""

import pytest

from regrade.plugins import BUILT_INS, Registry
from regrade.protocols import Exporter
from regrade.types import SummaryRow
from regrade.views import ColumnView, Document, TableView


def document(*names: str) -> Document:
    """Return the summary of models of these names."""
    rows = tuple(
        SummaryRow("tickets", "p", name, "s", "m", "higher", "", None, None, None, None, 0.95, 0, 3, "")
        for name in names
    )
    table = TableView("tickets", (ColumnView("model"),), tuple((name,) for name in names))
    return Document("run-1", rows, (table,))


@pytest.mark.parametrize("name", BUILT_INS["exporter"])
def test_every_model_is_in_the_text(name: str) -> None:
    """No row is lost, whatever its values; a missing value is no error."""
    exporter = Registry().load("exporter", name)()
    assert isinstance(exporter, Exporter)
    text = exporter.export(document("one", "two-é"))
    assert all(part in text for part in ("tickets", "one", "two-é"))
    assert text.endswith("\n")


@pytest.mark.parametrize("name", BUILT_INS["exporter"])
def test_an_empty_run_is_a_valid_document(name: str) -> None:
    """Nothing to tell is told without an error."""
    assert isinstance(Registry().load("exporter", name)().export(document()), str)
