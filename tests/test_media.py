"""Images and sounds: what they are by their content, what stands for them, and what is sent."""

import base64
import io
import struct
import wave
from pathlib import Path
from typing import Any

import pytest

from regrade.errors import DatasetError, ProviderError
from regrade.jsonio import canonical, dumps, loads
from regrade.media import Media, MediaReader, expanded, media_of_bytes, packed, sniffed, unpacked

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"


def wav() -> bytes:
    """Return a sound of ten samples."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 10)
    return stream.getvalue()


def reader(folder: Path, **more: Any) -> MediaReader:
    """Return a reader of images, or of what `more` says."""
    return MediaReader(**{"kind": "image", "folder": folder, "limit_bytes": 1000, **more})


def data_url(data: bytes, mime: str) -> str:
    """Return what an endpoint gets."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF89a" + bytes(9), "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (wav(), "audio/wav"),
        (b"ID3\x03" + bytes(9), "audio/mp3"),
        (b"\xff\xf3\x40\xc4", "audio/mp3"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"OggS\0\2", "audio/ogg"),
        (b"\0\0\0\x20ftypM4A ", "audio/m4a"),
        (b"XXXX\x10\0\0\0WEBPVP8 ", None),
        (b"%PDF-1.7", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_types_are_told_by_content(head: bytes, mime: str | None) -> None:
    """What endpoints take, and nothing else."""
    assert sniffed(head) == mime


def test_a_file_is_a_stand_in_until_it_is_sent(tmp_path: Path) -> None:
    """JSON and hashes see type, size and hash; the content, whatever the suffix, goes out alone."""
    (tmp_path / "a.jpg").write_bytes(PNG)
    part = reader(tmp_path).part("a.jpg", "low")
    shown = loads(dumps(part))["image_url"]["url"]
    assert shown.startswith(f"[image/png, {len(PNG)} bytes, blake2b ")
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "?"}, part]}]
    sent = expanded(messages)[0]["content"]
    assert sent[1] == {
        "type": "image_url",
        "image_url": {"url": data_url(PNG, "image/png"), "detail": "low"},
    }
    assert isinstance(messages[0]["content"][1]["image_url"]["url"], Media)
    before = canonical(messages)
    (tmp_path / "a.jpg").write_bytes(JPEG)
    assert canonical([{"role": "user", "content": [reader(tmp_path).part("a.jpg")]}]) != before
    with pytest.raises(ProviderError, match="was changed while"):
        expanded(messages)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(ProviderError, match="cannot be read any more"):
        expanded(messages)


def test_messages_without_media_are_the_same_object() -> None:
    """Most requests pay nothing."""
    messages = [{"role": "user", "content": "hi"}]
    assert expanded(messages) is messages


@pytest.mark.parametrize(
    "value",
    [
        PNG,
        media_of_bytes(PNG),
        {"bytes": PNG, "path": None},
        {"bytes": base64.b64encode(PNG).decode(), "path": "a.png"},
        {"bytes": None, "path": "a.png"},
        {"path": "a.png"},
        data_url(PNG, "image/jpeg"),
    ],
)
def test_forms_of_a_value(tmp_path: Path, value: Any) -> None:
    """Bytes, the hub's form, a path or a data URL: the same content is the same request and is sent alike."""
    (tmp_path / "a.png").write_bytes(PNG)
    part = reader(tmp_path).part(value)
    assert canonical(part) == canonical(reader(tmp_path).part("a.png"))
    assert expanded([{"content": [part]}])[0]["content"][0]["image_url"]["url"] == data_url(PNG, "image/png")


def test_an_address_is_sent_as_it_is(tmp_path: Path) -> None:
    """The endpoint fetches it; nothing is read here."""
    url = "https://example.org/a.png"
    assert reader(tmp_path).part(url) == {"type": "image_url", "image_url": {"url": url}}


def test_sounds_are_sent_as_base64_with_their_format(tmp_path: Path) -> None:
    """The format is that of the content; one that is asked for has to be it."""
    (tmp_path / "a.mp3").write_bytes(wav())
    part = reader(tmp_path, kind="audio").part("a.mp3")
    sent = expanded([{"content": [part]}])[0]["content"][0]
    assert sent == {
        "type": "input_audio",
        "input_audio": {"data": base64.b64encode(wav()).decode(), "format": "wav"},
    }
    with pytest.raises(DatasetError, match="is audio/wav, by its content, and not mp3"):
        reader(tmp_path, kind="audio", form="mp3").part("a.mp3")
    with pytest.raises(DatasetError, match="not as an address"):
        reader(tmp_path, kind="audio").part("https://example.org/a.wav")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("none.png", "image: none.png: no such file"),
        ("inner", "image: inner: is a folder"),
        ("../secret.png", "is outside of"),
        ("/etc/passwd", "is outside of"),
        ("inner/../../secret.png", "is outside of"),
        ("link.png", "is outside of"),
        ("a\0b", "is no path"),
        ("text.png", "text.png is of no type that is known, by its content"),
        ("sound.png", "sound.png is audio/wav, by its content"),
        ("empty.png", "empty.png is empty"),
        ("large.png", "more than 0.001 MB"),
        ("data:image/png,abc", "the data URL cannot be read"),
        ("", "needs a path, an address or bytes, not an empty text"),
        (None, "not nothing"),
        (3, "not a number"),
        ([PNG], "not a list"),
        ({"bytes": "!", "path": None}, "neither bytes nor Base64"),
        ({"bytes": None, "path": None}, "not nothing"),
        (b"%PDF", "the content is of no type that is known"),
    ],
)
def test_what_cannot_be_sent_is_told_before(tmp_path: Path, value: Any, message: str) -> None:
    """Both the cheap look and the reading say what is wrong; paths stay below the folder, links included."""
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "text.png").write_text("hello")
    (folder / "sound.png").write_bytes(wav())
    (folder / "empty.png").write_bytes(b"")
    (folder / "large.png").write_bytes(PNG + bytes(2000))
    for look in (reader(folder).check, reader(folder).part):
        with pytest.raises(DatasetError) as caught:
            look(value)
        assert message in caught.value.message


def test_rows_keep_their_images_through_json() -> None:
    """A shuffled dataset waits in a file as JSON; the images come back with their content."""
    row = {"a": [media_of_bytes(PNG), "text"], "b": {"c": 1}}
    back = unpacked(loads(dumps(packed(row))))
    assert back == row
    assert back["a"][0].source == PNG
