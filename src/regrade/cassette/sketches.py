"""Sketches of texts: 64 bits that differ in few places where the texts differ in few."""

from regrade import jsonio
from regrade.types import Json

__all__ = ["sketch", "sketches_of"]

_READ = 1024
"""Bytes at each end of a text that are looked at."""
_WIDTH = 5
"""Bytes of a shingle."""


def sketches_of(request: Json) -> tuple[str, str]:
    """Return the sketches of what a request asks last, and of the whole of it."""
    return sketch(last_text(request)), sketch(jsonio.canonical(request))


def last_text(request: Json) -> bytes:
    """Return the last message, or the prompt, as a text."""
    if not isinstance(request, dict):
        return b""
    messages = request.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else request.get("prompt")
    content = last.get("content") if isinstance(last, dict) else last
    return content.encode("utf-8", "replace") if isinstance(content, str) else jsonio.canonical(content)


def sketch(text: bytes) -> str:
    """Return 16 hexadecimal digits: for each bit, what most shingles of the text have in their hash."""
    import numpy as np

    if len(text) > 2 * _READ:
        text = text[:_READ] + text[-_READ:]
    data = np.frombuffer(text.ljust(_WIDTH, b"\0"), np.uint8).astype(np.uint64)
    count = len(data) - _WIDTH + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(_WIDTH):
        hashes = hashes * np.uint64(0x100000001B3) + data[place : place + count]
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53), (33, 1)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    bits = np.unpackbits(hashes.view(np.uint8)).reshape(count, 64).sum(axis=0)
    return np.packbits(2 * bits > count).tobytes().hex()
