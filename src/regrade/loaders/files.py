"""Opening the file of a dataset: what is not there or not text is told in one sentence."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from regrade.errors import DatasetError, Location, UsageError, did_you_mean
from regrade.types import Json, JsonObject

__all__ = ["as_row", "check_encoding", "open_bytes", "open_text", "reading", "shown"]

_LFS_MARK = b"version https://git-lfs"
_WIDE_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def shown(path: Path) -> str:
    """Return the path as messages show it: relative when it lies under the working directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def check_encoding(encoding: str) -> None:
    """Refuse a name that Python does not know.

    Raises:
        UsageError: Naming it.
    """
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise UsageError(f'unknown encoding "{encoding}"', hint="such as utf-8, utf-16, latin-1") from error


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, decompressed when its name ends in .gz.

    Raises:
        DatasetError: When it is missing, empty, a folder or a pointer of git-LFS.
    """
    _check(path)
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        if not stream.peek(1)[:1]:
            raise DatasetError("the file is empty", where=Location(shown(path)))
        yield stream  # type: ignore[misc] # both kinds read bytes


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a file as text with its line ends as they are; a byte order mark is no part of the text.

    Raises:
        DatasetError: As `open_bytes`, or when the bytes are of a wider encoding than the one named.
    """
    with open_bytes(path) as stream:
        _refuse_wide(stream, path, encoding)
        name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        with io.TextIOWrapper(stream, encoding=name, newline="") as text:
            yield text


@contextmanager
def reading(path: Path, encoding: str = "utf-8") -> Iterator[None]:
    """Turn what goes wrong while a file is read into one error that names the place.

    Raises:
        DatasetError: For bytes that are not of the encoding, damaged compression and failing disks.
    """
    where = Location(shown(path))
    try:
        yield
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding, error) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"not a whole gzip file: {error}", where=where) from error
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror or error}", where=where) from error


def as_row(value: Json, where: Location) -> JsonObject:
    """Return a row's columns.

    Raises:
        DatasetError: When the value is no object.
    """
    if isinstance(value, dict):
        return value
    hint = "wrap it, such as {input: ...}"
    raise DatasetError(f"a row must be an object, this is {_KINDS[type(value)]}", where=where, hint=hint)


_KINDS = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _check(path: Path) -> None:
    where = Location(shown(path))
    if path.is_dir():
        raise DatasetError("this is a folder, not a file", where=where)
    if not path.exists():
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, beside) or (
            None if path.parent.is_dir() else f"there is no folder {shown(path.parent)}"
        )
        raise DatasetError("no such file", where=where, hint=hint)
    with path.open("rb") as stream:
        if stream.read(len(_LFS_MARK)) == _LFS_MARK:
            raise DatasetError(
                "this is a pointer of git-LFS, not the data", where=where, hint="fetch it with: git lfs pull"
            )


def _refuse_wide(stream: IO[bytes], path: Path, encoding: str) -> None:
    mark = stream.peek(2)[:2]  # type: ignore[attr-defined] # both kinds that open_bytes gives can peek
    wide = _WIDE_MARKS.get(mark)
    if wide and codecs.lookup(encoding).name not in {"utf-16", "utf-32"}:
        raise DatasetError(
            f"not {encoding} text: it begins with the mark of {wide}",
            where=Location(shown(path), 1),
            hint=f"say `encoding: {wide}`",
        )


def _undecodable(path: Path, encoding: str, error: UnicodeDecodeError) -> DatasetError:
    """Find line and byte again: the decoder counts from wherever its last chunk began."""
    offset = 0
    hint = "say which with `encoding:`, such as latin-1 or cp1252"
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as place:
                byte = line[place.start]
                message = f"not {encoding} text: byte 0x{byte:02x} at offset {offset + place.start:,}"
                return DatasetError(message, where=Location(shown(path), number), hint=hint)
            offset += len(line)
    return DatasetError(f"not {encoding} text: {error.reason}", where=Location(shown(path)), hint=hint)
