"""A JSON file with a list of rows somewhere in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

from regrade.errors import DatasetError, Location, did_you_mean
from regrade.loaders.files import as_row, check_encoding, open_text, reading, shown
from regrade.loaders.json_lines import parse
from regrade.types import Json, Row

__all__ = ["JsonFile"]

_CHUNK = 1 << 16


@dataclass(frozen=True)
class JsonFile:
    """Rows of one JSON document, parsed as it is read: one row is held at a time.

    Attributes:
        path: The file, relative to the spec; .gz is read as it is.
        at: The keys that lead to the list of rows, joined by dots; default the document itself.
        encoding: Of the text.
    """

    path: str = field(metadata={"file": True})
    at: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        check_encoding(self.encoding)

    def load(self) -> Iterator[Row]:
        """Yield the rows with their ordinals.

        Raises:
            DatasetError: Naming line and column of what is not JSON, or the keys where `at` leads nowhere.
        """
        import ijson

        path = Path(self.path)
        name = shown(path)
        number = 0
        with reading(path, self.encoding), open_text(path, self.encoding) as text:
            prefix = f"{self.at}.item" if self.at else "item"
            rows = ijson.items(_Utf8(text), prefix, use_float=True, buf_size=_CHUNK)
            try:
                for number, value in enumerate(rows, start=1):
                    yield Row(as_row(value, Location(name, number)), number)
            except ijson.JSONError as error:
                self._explain_error(path, error)
        if not number:
            self._explain_nothing(path)

    def _document(self, path: Path) -> Json:
        """Read the whole file, to say in a message what the streaming parser does not."""
        with reading(path, self.encoding), open_text(path, self.encoding) as text:
            return parse(text.read(), Location(shown(path), 1))

    def _explain_error(self, path: Path, error: Exception) -> NoReturn:
        self._document(path)  # names line and column
        reason = str(error).splitlines()[0]
        raise DatasetError(f"not JSON: {reason}", where=Location(shown(path))) from error

    def _explain_nothing(self, path: Path) -> None:
        value = self._document(path)
        where = Location(shown(path))
        walked: list[str] = []
        for key in self.at.split(".") if self.at else ():
            if not isinstance(value, dict) or key not in value:
                keys = list(value) if isinstance(value, dict) else []
                place = f"under {'.'.join(walked)}" if walked else "at the top"
                known = f"keys {place}: {', '.join(keys[:20]) or 'none'}"
                raise DatasetError(
                    f'`at: {self.at}` leads nowhere: there is no key "{key}" {place}',
                    where=where,
                    hint=did_you_mean(key, keys) or known,
                )
            walked.append(key)
            value = value[key]
        if isinstance(value, list):
            return  # an empty list: whoever wanted rows says so
        place = f"`at: {self.at}` leads to" if self.at else "the file holds"
        kind = "an object" if isinstance(value, dict) else "a single value"
        raise DatasetError(f"{place} {kind}, not a list of rows", where=where, hint=_lists_in(value, walked))


def _lists_in(value: Json, walked: list[str]) -> str | None:
    """Return what to write when lists of objects lie one key further down."""
    found = [key for key, item in value.items() if isinstance(item, list)] if isinstance(value, dict) else []
    places = [f"`at: {'.'.join([*walked, key])}`" for key in found]
    return f"say where the rows are: {' or '.join(places)}" if places else None


class _Utf8:
    """A stream of text as the stream of UTF-8 bytes that the parser wants."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def read(self, size: int = -1) -> bytes:
        return self._text.read(size).encode("utf-8", "surrogatepass")
