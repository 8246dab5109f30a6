"""Rows written in the spec."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regrade.types import Row

__all__ = ["InlineRows"]


@dataclass(frozen=True)
class InlineRows:
    """Rows that stand in the spec itself.

    Attributes:
        rows: One mapping a row.
    """

    rows: list[dict[str, Any]]

    def load(self) -> Iterator[Row]:
        """Yield the rows with their ordinals."""
        for number, row in enumerate(self.rows, start=1):
            yield Row(row, number)
