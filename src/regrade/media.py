"""Images and sounds of datasets: read when they are sent, a short stand-in everywhere else."""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

from regrade.errors import DatasetError, ProviderError
from regrade.types import Json, Messages

__all__ = ["Kind", "Media", "MediaReader", "expanded", "media_of_bytes", "packed", "sniffed", "unpacked"]

Kind: TypeAlias = Literal["image", "audio"]
_Source: TypeAlias = bytes | Path

_HEAD = 64
_CHUNK = 2**20
_SIGNATURES = (
    # Offset, bytes there, MIME type; the first that fits decides.
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypM4A", "audio/m4a"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mp3"),
    (0, b"\xff\xfb", "audio/mp3"),
    (0, b"\xff\xfa", "audio/mp3"),
    (0, b"\xff\xf3", "audio/mp3"),
    (0, b"\xff\xf2", "audio/mp3"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
)
"""What files of each type begin with: their suffixes are often wrong, and endpoints look at the content."""

_PACKED = "\x00media"
_RIFF = frozenset({"image/webp", "audio/wav"})


class Media(str):
    """An image or a sound; its text is a short stand-in that names type, size and hash.

    Rows, requests and tables hold it in place of the content, so that hashes cover the content and nothing
    is encoded before it is sent.

    Attributes:
        source: The bytes or the file that it stands for.
        form: Whether it is sent as a data URL or as Base64 alone.
    """

    __slots__ = ("form", "source")

    source: _Source
    form: Literal["url", "base64"]

    def __new__(cls, text: str, source: _Source, form: Literal["url", "base64"] = "url") -> Self:
        """Return the stand-in of a source."""
        made = super().__new__(cls, text)
        made.source = source
        made.form = form
        return made

    def encoded(self) -> str:
        """Return what is sent in its place.

        Raises:
            ProviderError: When the file is gone, or is no longer what it was (final).
        """
        data = self._data()
        text = base64.b64encode(data).decode()
        return text if self.form == "base64" else f"data:{sniffed(data)};base64,{text}"

    def _data(self) -> bytes:
        if isinstance(self.source, Path):
            try:
                data = self.source.read_bytes()
            except OSError as error:
                message = f"{self.source.name} cannot be read any more: {error.strerror}"
                raise ProviderError(message, kind="bad_request") from error
            if _stand_in(sniffed(data), len(data), _digest(data)) != str(self):
                message = f"{self.source.name} was changed while the run was under way"
                raise ProviderError(message, kind="bad_request")
            return data
        return self.source


def sniffed(head: bytes) -> str | None:
    """Return the MIME type of an image or sound by what it begins with; None for anything else."""
    for offset, mark, mime in _SIGNATURES:
        if head[offset : offset + len(mark)] == mark and (mime not in _RIFF or head[:4] == b"RIFF"):
            return mime
    return None


def media_of_bytes(data: bytes) -> Media | None:
    """Return the stand-in of an image or sound; None for other bytes."""
    mime = sniffed(data)
    return None if mime is None else Media(_stand_in(mime, len(data), _digest(data)), data)


def expanded(messages: Messages) -> Messages:
    """Return messages as they are sent: with the content of images and sounds in place of their stand-ins.

    Raises:
        ProviderError: When a file cannot be read any more (final).
    """
    if not any(isinstance(message.get("content"), list) for message in messages):
        return messages
    found: Messages = _expanded(messages)
    return found


def packed(value: Json) -> Json:
    """Return a value of which JSON keeps the images and sounds."""
    if isinstance(value, Media) and isinstance(value.source, bytes):
        return {_PACKED: [str(value), base64.b64encode(value.source).decode()]}
    if isinstance(value, list):
        return [packed(item) for item in value]
    if isinstance(value, dict):
        return {name: packed(item) for name, item in value.items()}
    return value


def unpacked(value: Json) -> Json:
    """Return what `packed` was given."""
    if isinstance(value, list):
        return [unpacked(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {_PACKED}:
            text, content = value[_PACKED]
            return Media(text, base64.b64decode(content))
        return {name: unpacked(item) for name, item in value.items()}
    return value


def _expanded(value: Json) -> Json:
    if isinstance(value, Media):
        return value.encoded()
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if isinstance(value, dict):
        return {name: _expanded(item) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class MediaReader:
    """Turns a value of a row into the image or sound that it means.

    A value is the path of a file, an http(s) address, a data URL, bytes, or `{bytes, path}` as Parquet
    files of the Hugging Face hub have it.

    Attributes:
        kind: What it has to be.
        folder: Where paths begin, and below which they stay.
        limit_bytes: What is larger is refused.
        form: Of sounds, such as "wav"; None takes that of the content.
    """

    kind: Kind
    folder: Path
    limit_bytes: int
    form: str | None = None
    _root: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look once where paths begin."""
        object.__setattr__(self, "_root", os.path.realpath(self.folder))

    def check(self, value: Json) -> None:
        """Look at a value without reading more of a file than its beginning.

        Raises:
            DatasetError: When there is no such file, it is too large, or it is of another type.
        """
        source = self._source(value)
        if not isinstance(source, str):
            self._mime(source)

    def part(self, value: Json, detail: str | None = None) -> dict[str, Json]:
        """Return the part of a message's content that holds it.

        Raises:
            DatasetError: As `check`.
        """
        source = self._source(value)
        if isinstance(source, str):  # an address
            return _image(source, detail)
        mime, size = self._mime(source)
        digest = _digest_of(source)
        form: Literal["url", "base64"] = "base64" if self.kind == "audio" else "url"
        media = Media(_stand_in(mime, size, digest), source, form)
        if self.kind == "image":
            return _image(media, detail)
        return {"type": "input_audio", "input_audio": {"data": media, "format": mime.partition("/")[2]}}

    def _source(self, value: Json) -> bytes | Path | str:
        """Return bytes, a file, or an address that is sent as it is."""
        if isinstance(value, dict) and value.keys() & {"bytes", "path"}:
            value = value.get("path") if value.get("bytes") is None else _raw(value["bytes"])
        if isinstance(value, Media):
            return value.source
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str) or not value:
            raise self._unfit(f"needs a path, an address or bytes, not {_kind_of(value)}")
        return self._named(value)

    def _named(self, value: str) -> bytes | Path | str:
        """Return what a text means."""
        if value.startswith("data:"):
            try:
                return _decoded(value)
            except ValueError as error:
                raise self._unfit(f"the data URL cannot be read: {error}") from error
        if value.startswith(("http://", "https://")):
            if self.kind == "audio":
                raise self._unfit(
                    "the API takes sounds as content, not as an address: put the files into a folder"
                )
            return value
        return self._file(value)

    def _file(self, name: str) -> Path:
        # A dataset names hundreds of thousands of files: one look at each, and no Path before it is wanted.
        path = os.path.normpath(os.path.join(self._root, name))  # noqa: PTH118 - see above
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - see above
            path = os.path.realpath(path)
        except (FileNotFoundError, NotADirectoryError):
            mode = None
        except (OSError, ValueError) as error:
            raise self._unfit(f"{name[:80]!r} is no path") from error
        if not path.startswith(self._root.rstrip(os.sep) + os.sep) and path != self._root:
            raise DatasetError(
                f"{self.kind}: {name} is outside of {self.folder}",
                hint="paths stay below the dataset's folder; the prompt names another one with `folder:`",
            )
        if mode is None or not stat.S_ISREG(mode):
            what = (
                "no such file"
                if mode is None
                else "is a folder"
                if stat.S_ISDIR(mode)
                else "is no regular file"
            )
            raise DatasetError(f"{self.kind}: {name}: {what}", hint=f"looked for {path}")
        return Path(path)

    def _mime(self, source: bytes | Path) -> tuple[str, int]:
        name = source.name if isinstance(source, Path) else "the content"
        try:
            size = source.stat().st_size if isinstance(source, Path) else len(source)
            head = next(_pieces(source, _HEAD), b"")
        except OSError as error:
            raise self._unfit(f"{name} cannot be read: {error.strerror}") from error
        if size > self.limit_bytes:
            limit = f"{self.limit_bytes / 1e6:g} MB"
            raise DatasetError(
                f"{self.kind}: {name} has {size / 1e6:.1f} MB, more than {limit}",
                hint="raise it with `max_mb:`",
            )
        mime = sniffed(head)
        if mime is None or not mime.startswith(self.kind):
            what = mime or ("empty" if not size else "of no type that is known")
            raise self._unfit(f"{name} is {what}, by its content")
        if self.form is not None and mime.partition("/")[2] != self.form:
            raise self._unfit(f"{name} is {mime}, by its content, and not {self.form}")
        return mime, size

    def _unfit(self, message: str) -> DatasetError:
        return DatasetError(f"{self.kind}: {message}")


def _image(url: str, detail: str | None) -> dict[str, Json]:
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def _raw(value: Json) -> Json:
    """Return bytes that came through JSON, as Base64, as they were."""
    if isinstance(value, str) and not isinstance(value, Media):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise DatasetError("`bytes` is neither bytes nor Base64") from error
    return value


def _decoded(url: str) -> bytes:
    head, comma, content = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ValueError("only Base64 is understood")
    return base64.b64decode(content, validate=True)


def _pieces(source: bytes | Path, size: int = _CHUNK) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield from (source[start : start + size] for start in range(0, len(source), size))
        return
    with source.open("rb") as stream:
        while piece := stream.read(size):
            yield piece


def _digest_of(source: bytes | Path) -> str:
    found = hashlib.blake2b(digest_size=16)
    try:
        for piece in _pieces(source):
            found.update(piece)
    except OSError as error:
        raise DatasetError(f"{source!s} cannot be read: {error.strerror}") from error
    return found.hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _stand_in(mime: str | None, size: int, digest: str) -> str:
    return f"[{mime}, {size:,} bytes, blake2b {digest}]"


def _kind_of(value: Json) -> str:
    names = {
        dict: "a mapping",
        list: "a list",
        bool: "true or false",
        type(None): "nothing",
        str: "an empty text",
    }
    return names.get(type(value), "a number")
