"""Canonical JSON, content hashes, atomic writes and JSON Lines streams."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import orjson

from regrade.types import Json

__all__ = [
    "atomic_write",
    "canonical",
    "content_hash",
    "dumps",
    "encode",
    "loads",
    "read_lines",
    "short_hash",
]

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def dumps(value: Json) -> str:
    """Return compact JSON with the keys in the order given; lone surrogates become their escapes."""
    return encode(value).decode()


def encode(value: Json) -> bytes:
    """Return compact JSON as bytes, keys in the order given; lone surrogates become their escapes."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_storable(value), option=orjson.OPT_NON_STR_KEYS)


def loads(text: str | bytes) -> Json:
    """Parse JSON.

    Raises:
        ValueError: Naming line and column of what is not JSON.
    """
    return orjson.loads(text)


def canonical(value: Json) -> bytes:
    """Return the one byte string that stands for this value: keys sorted, no white space.

    Lone surrogates, which UTF-8 cannot carry, are written as their escapes first, so that any text a
    JSON file can hold has a hash.
    """
    try:
        return orjson.dumps(value, option=_CANONICAL)
    except TypeError:
        return orjson.dumps(_storable(value), option=_CANONICAL)


def _storable(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:  # noqa: PLR2004 - 64-bit limit of the encoder
        return str(value)
    return value


def content_hash(value: Json) -> str:
    """Return 32 hexadecimal digits (128 bits of BLAKE2b) of the canonical JSON."""
    return hashlib.blake2b(canonical(value), digest_size=16).hexdigest()


def short_hash(value: Json, digits: int = 12) -> str:
    """Return the first digits of the content hash, for ids that people read."""
    return content_hash(value)[:digits]


def atomic_write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, sync it and move it into place.

    A reader sees the old content or the new, never a part; on any error the old content stays.

    Raises:
        OSError: When the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each non-blank line with its number from 1, without its line end, one at a time."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            text = line.strip()
            if text:
                yield number, text
