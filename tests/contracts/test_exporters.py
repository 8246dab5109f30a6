"""What every exporter keeps: a text with every eval and model in it, whatever kind of document it is of."""

from collections.abc import Callable

import pytest

from regrade.plugins import BUILT_INS, Registry
from regrade.protocols import Exporter
from regrade.types import JsonObject, SummaryRow
from regrade.views import CaseView, ColumnView, Document, TableView


def table(*names: str) -> TableView:
    """Return a table of models of these names."""
    return TableView("tickets", (ColumnView("model"),), tuple((name,) for name in names))


def document(*names: str) -> Document:
    """Return the summary of models of these names."""
    rows = tuple(
        SummaryRow("tickets", "p", name, "s", "m", "higher", "", None, None, None, None, 0.95, 0, 3, "")
        for name in names
    )
    return Document("run-1", rows, (table(*names),))


def gate(*names: str) -> Document:
    """Return a gate that judged models of these names."""
    cases = tuple(CaseView("tickets", f"{name}: no_regression", "FAIL", "worse", "worse") for name in names)
    records: tuple[JsonObject, ...] = tuple(
        {"eval": "tickets", "model": name, "metric": "m", "value_b": 0.5} for name in names
    )
    records_by_name = {"verdicts": records}
    return Document(
        "a against b", (), (table(*names),), "gate", "FAIL", "Why.", cases, records=records_by_name
    )


def comparison(*names: str) -> Document:
    """Return a comparison without anything to compare."""
    return Document("a against b", (), (table(*names),), "comparison", None, "Why.")


@pytest.mark.parametrize("name", BUILT_INS["exporter"])
@pytest.mark.parametrize("make", [document, gate])
def test_every_model_is_in_the_text(name: str, make: Callable[..., Document]) -> None:
    """No row is lost, whatever its values; a missing value is no error."""
    exporter = Registry().load("exporter", name)()
    assert isinstance(exporter, Exporter)
    text = exporter.export(make("one", "two-é"))
    assert all(part in text for part in ("tickets", "one", "two-é"))
    assert text.endswith("\n")


@pytest.mark.parametrize("name", BUILT_INS["exporter"])
@pytest.mark.parametrize("make", [document, gate, comparison])
def test_an_empty_document_is_valid(name: str, make: Callable[..., Document]) -> None:
    """Nothing to tell is told without an error."""
    text = Registry().load("exporter", name)().export(make())
    assert text.endswith("\n")


@pytest.mark.parametrize("name", BUILT_INS["exporter"])
def test_the_same_document_gives_the_same_text(name: str) -> None:
    """An export depends on nothing but its document: no time, no counter."""
    export = Registry().load("exporter", name)().export
    assert export(gate("one")) == export(gate("one"))
