"""What a fault is decided by: the request itself, never when it came among others."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive, Scope

from regrade import jsonio
from regrade.types import Endpoint

__all__ = ["Asked", "Replayed", "Seen", "read_request"]

_MAX_BODY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        endpoint: Which of the two.
        model: As the body names it.
        stream: Whether a stream is asked for.
        digest: Of endpoint and body; white space and the order of keys do not matter.
        times: How often this very request has come, this time included.
    """

    endpoint: Endpoint
    model: str
    stream: bool
    digest: str
    times: int

    def draw(self, seed: int, place: int) -> int:
        """Return 64 bits that depend on the request, a seed and the place of a rule alone."""
        text = f"{seed}:{place}:{self.digest}:{self.times}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


class Seen:
    """Counts how often each request came."""

    def __init__(self) -> None:
        self.total = 0
        self._times: Counter[bytes] = Counter()

    def asked(self, scope: Scope, content: bytes) -> Asked | None:
        """Return what a request asks for, or None when its body is no JSON object."""
        try:
            body: Any = jsonio.loads(content)
        except ValueError:
            return None
        if not isinstance(body, dict):
            return None
        endpoint: Endpoint = "chat" if scope["path"].endswith("/chat/completions") else "completions"
        digest = jsonio.content_hash([endpoint, body])
        key = bytes.fromhex(digest)
        self._times[key] += 1
        self.total += 1
        return Asked(
            endpoint, str(body.get("model", "")), body.get("stream") is True, digest, self._times[key]
        )


class Replayed:
    """A request's messages once more, then those that follow.

    Args:
        messages: Those that were read.
        receive: Gives the others.
    """

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = messages
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next message."""
        return self._messages.pop(0) if self._messages else await self._receive()


async def read_request(receive: Receive) -> tuple[bytes, Replayed]:
    """Read a request's body and return it with what gives it again.

    Of a body that is larger than the server takes the beginning is read, which is then no JSON.
    """
    messages: list[Message] = []
    content = bytearray()
    more = True
    while more and len(content) <= _MAX_BODY_BYTES:
        message = await receive()
        messages.append(message)
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(content), Replayed(messages, receive)
