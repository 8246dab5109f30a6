"""A Python function of the user's own as a source of rows."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrade.errors import DatasetError, Location, RegradeError, UsageError
from regrade.loaders.plain import plain_row
from regrade.plugins import load_code
from regrade.types import Row

__all__ = ["Function"]


@dataclass(frozen=True)
class Function:
    """Rows of `function(**arguments)`, which returns or yields mappings, the same ones at every call.

    Attributes:
        function: `file.py:name`, relative to the spec.
        arguments: Given by name.
    """

    function: str = field(metadata={"file": True})
    arguments: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if ".py:" not in self.function:
            raise UsageError(f"python: {self.function!r} is not of the form file.py:name")

    def load(self) -> Iterator[Row]:
        """Yield the rows with their ordinals.

        Raises:
            DatasetError: When the function raises (at its file and line) or yields anything but mappings.
        """
        function = load_code(self.function, Path())
        try:
            rows = iter(function(**(self.arguments or {})))
        except RegradeError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        number = 0
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise self._failed(error) from error
            number += 1
            where = Location(self.function, number)
            if not isinstance(row, Mapping):
                kind = type(row).__name__
                raise DatasetError(f"row {number} must be a mapping, this is of type {kind}", where=where)
            yield Row(plain_row(row, where), number)

    def _failed(self, error: Exception) -> DatasetError:
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{self.function} raised {type(error).__name__}: {error}"
        return DatasetError(message, where=Location(last.filename, last.lineno))
