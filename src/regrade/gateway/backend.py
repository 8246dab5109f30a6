"""What answers a checked request: the one shape that demo, forward, record and replay share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from regrade.errors import ProviderError
from regrade.gateway.refusals import Refusal
from regrade.types import Endpoint, JsonObject

__all__ = [
    "EVENT_STREAM",
    "JSON",
    "PATHS",
    "Answer",
    "Backend",
    "Call",
    "Unasked",
    "event",
    "upstream_failed",
]

PATHS: dict[Endpoint, str] = {"chat": "/chat/completions", "completions": "/completions"}
JSON: Mapping[str, str] = {"Content-Type": "application/json"}
EVENT_STREAM: Mapping[str, str] = {"Content-Type": "text/event-stream; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request.

    Attributes:
        endpoint: Which of the two.
        body: Parsed and checked; read only.
        content: The same as the client sent it, byte for byte.
        request_id: Of this server, passed on.
        headers: Of the client, as far as they may travel further: never a key.
        needs_usage: Whether this server counts tokens, so that an upstream is asked for them.
    """

    endpoint: Endpoint
    body: JsonObject
    content: bytes
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    needs_usage: bool = False

    @property
    def stream(self) -> bool:
        """Whether the client asked for a stream."""
        return bool(self.body.get("stream"))

    @property
    def usage_in_stream(self) -> bool:
        """Whether the client asked for usage at the end of its stream."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))


class Unasked(bytes):
    """A piece of a stream that this server asked for, not the client: it is counted, and not sent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes to the client.

    Attributes:
        status: The HTTP status.
        headers: Without length and connection, which the server sets itself.
        content: The whole body, or its pieces as they arrive; each is sent at once. The iterator raises
            ProviderError when the upstream breaks off.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes | AsyncIterator[bytes]


class Backend(Protocol):
    """Answers for one or several models."""

    def answer(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """Answer one request; leaving the context early, as when the client is gone, cancels it upstream.

        Raises:
            Refusal: When this backend cannot do what is asked.
            ProviderError: When the upstream cannot be reached or breaks off.
        """
        ...


def event(data: bytes) -> bytes:
    """Return one server-sent event."""
    return b"data: " + data + b"\n\n"


def upstream_failed(error: ProviderError) -> Refusal:
    """Return what a client is told of an upstream that failed: 504 when it was too slow, else 502."""
    status, code = (504, "upstream_timeout") if error.kind == "timeout" else (502, "upstream_failed")
    return Refusal(status, f"the model's server failed: {error.message}", kind="server_error", code=code)
