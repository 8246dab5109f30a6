"""JSON Lines: an object a line."""

import codecs
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from regrade.errors import BadRows, DatasetError, Location
from regrade.jsonio import loads
from regrade.loaders.files import as_row, check_encoding, open_text, reading, shown
from regrade.types import Json, JsonObject, Row

__all__ = ["JsonLines", "parse"]

_EXCERPT = 80


@dataclass(frozen=True)
class JsonLines:
    """Rows of a JSON Lines file, one line held at a time; blank lines are skipped.

    Attributes:
        path: The file, relative to the spec; .gz is read as it is.
        encoding: Of the text.
    """

    path: str = field(metadata={"file": True})
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        check_encoding(self.encoding)

    def load(self) -> Iterator[Row]:
        """Yield the rows with their line numbers.

        Raises:
            DatasetError: Naming file, line and column of what is not a JSON object; of several lines the
                first few.
        """
        return self.load_after(0)

    def load_after(self, rows: int) -> Iterator[Row]:
        """Yield the rows after the first so many, whose lines are passed over whatever they hold.

        Raises:
            DatasetError: As `load`.
        """
        path = Path(self.path)
        name = shown(path)
        with reading(path, self.encoding), open_text(path, self.encoding) as lines:
            numbered = enumerate(lines, start=1)
            if rows:
                filled = (number for number, line in numbered if not line.isspace())
                next(itertools.islice(filled, rows - 1, None), None)
            bad = BadRows(name)
            for number, line in numbered:
                text = line.strip()
                if not text:
                    continue
                if bad.is_full:
                    break
                try:
                    row = _row(text, Location(name, number))
                except DatasetError as error:
                    bad.add(error)
                    continue
                if not bad:
                    yield Row(row, number)
            bad.check()


def _row(text: str, where: Location) -> JsonObject:
    try:
        row = loads(text)
    except ValueError:
        row = parse(text, where)
    return row if isinstance(row, dict) else as_row(row, where)


def parse(text: str, where: Location) -> Json:
    """Return the JSON value of a text.

    Raises:
        DatasetError: At the line and column where it stops being JSON, with what stands there.
    """
    try:
        return loads(text)
    except ValueError:
        # The fast parser refuses lone surrogates and huge integers, which JSON allows, and names no column.
        try:
            return json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise _not_json(text, error.msg, error.pos, where) from error
        except ValueError as error:
            raise _not_json(text, str(error), None, where) from error
        except RecursionError as error:
            raise _not_json(text, "nested too deeply", None, where) from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value; write null")


def _not_json(text: str, reason: str, position: int | None, where: Location) -> DatasetError:
    start = position or 0
    line = text.count("\n", 0, start)
    column = None if position is None else start - (text.rfind("\n", 0, start) + 1) + 1
    excerpt = text[start : start + _EXCERPT].split("\n", 1)[0]
    reason = reason[0].lower() + reason[1:] if not reason.startswith(("NaN", "Inf")) else reason
    return DatasetError(
        f"not JSON: {reason}" + (f", at {excerpt!r}" if excerpt and position is not None else ""),
        where=Location(where.file, (where.line or 1) + line, column),
        hint=_hint(text),
    )


def _hint(text: str) -> str | None:
    if text.startswith("["):
        return "if the file is one JSON list, name the loader: `json: {path: ...}`"
    return (
        "the file begins with a byte order mark twice" if text.startswith(codecs.BOM_UTF8.decode()) else None
    )
