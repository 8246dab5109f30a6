"""Evals by models."""

from dataclasses import dataclass

from regrade.views.documents import TableView

__all__ = ["OverviewView"]


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Evals by models.

    Attributes:
        runs: How many there are.
        tables: One an eval.
    """

    runs: int
    tables: tuple[TableView, ...]
