"""Where admission (keys, limits, budgets) and faults plug in; neither knows how an answer is made.

Admission: one request is identified by its key before its body is read, admitted when the body is known and
checked, and reported as done when the last byte of its answer is out, streams and broken ones included:

    holder = admission.identify(key)            # Refusal 401
    ticket = holder.admit("chat", body)         # Refusal 403, 429, ...
    ...                                         # the answer
    ticket.done(usage, text_bytes)              # exactly once for every ticket

Faults: `Hooks.around_answers` wraps the ASGI endpoints that make a model write, behind the check of the key
and within the middleware that numbers and logs requests. What it gets as scope has `scope["state"]["trace"]`,
the `Trace` of the request. It may answer itself, raise a `Refusal`, delay or change what is sent, and break a
connection by raising `Broken` after the answer has begun.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import ASGIApp

from regrade.gateway.refusals import Refusal
from regrade.types import Endpoint, JsonObject, Usage

__all__ = ["Admission", "AnyKey", "Broken", "Holder", "Hooks", "Ticket", "Trace"]


class Ticket(Protocol):
    """The right to one answer."""

    @property
    def needs_usage(self) -> bool:
        """Whether tokens are counted: an upstream is then asked for them even when the client does not."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer tells of limits; it takes the place of what an upstream says of its own."""
        ...

    def done(self, usage: Usage | None, text_bytes: int) -> None:
        """Take note of the end of an answer, whole, broken off or refused.

        Args:
            usage: The tokens that the upstream counted; None when it did not say, or nothing was answered.
            text_bytes: Bytes of the text that the model wrote, counted here; 0 unless `needs_usage`.
        """
        ...


class Holder(Protocol):
    """Whoever sent a valid key."""

    @property
    def name(self) -> str:
        """What the key is called, for logs; never the key."""
        ...

    def sees(self, model: str) -> bool:
        """Return whether this model exists for the holder: it is listed, and can be asked."""
        ...

    def admit(self, endpoint: Endpoint, body: JsonObject) -> Ticket:
        """Let a checked request in.

        Raises:
            Refusal: With status 403 or 429 and, where waiting helps, the header Retry-After.
        """
        ...


class Admission(Protocol):
    """Decides who may enter."""

    def identify(self, key: str) -> Holder:
        """Return who holds the key; asked for every request, before its body is read.

        Args:
            key: What stood behind "Bearer"; empty when there was no such header.

        Raises:
            Refusal: With status 401.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Free:
    """The ticket of a server that counts nothing."""

    needs_usage: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def done(self, usage: Usage | None, text_bytes: int) -> None:
        """Count nothing."""


@dataclass(frozen=True, slots=True)
class _Anybody:
    name: str = "any"

    def sees(self, model: str) -> bool:  # noqa: ARG002 - the protocol's
        return True

    def admit(self, endpoint: Endpoint, body: JsonObject) -> Ticket:  # noqa: ARG002 - the protocol's
        return _Free()


class AnyKey:
    """Lets every key in that is not empty: the rule of a server that only its own machine can reach."""

    def identify(self, key: str) -> Holder:
        """Return the one holder there is.

        Raises:
            Refusal: When there is no key.
        """
        if not key:
            raise no_valid_key()
        return _Anybody()


def no_valid_key() -> Refusal:
    """Return the 401 of a request whose key is missing or wrong."""
    return Refusal(
        401,
        "no valid key: send the header 'Authorization: Bearer <key>'",
        kind="authentication_error",
        code="invalid_api_key",
        headers=(("WWW-Authenticate", "Bearer"),),
    )


class Broken(Exception):  # noqa: N818 - no error of anybody's, but the end of a connection
    """Raised after an answer has begun: the connection is closed without its end, and nothing is logged."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What plugs in.

    Attributes:
        admission: Decides who may enter.
        around_answers: Wraps the endpoints that make a model write.
    """

    admission: Admission = field(default_factory=AnyKey)
    around_answers: Callable[[ASGIApp], ASGIApp] | None = None


@dataclass(slots=True)
class Trace:
    """What is known of one request, for the access log; filled in as it becomes known.

    Attributes:
        request_id: In every answer as X-Request-Id, and on its way upstream.
        holder: Who sent it.
        model: What was asked for.
        mode: Where the answer came from.
        stream: Whether it was sent as a stream.
        content: The body as it was sent, where prompts are logged.
        usage: What the upstream counted.
        error: The code of the refusal, or why the answer broke off.
    """

    request_id: str
    holder: Holder | None = None
    model: str | None = None
    mode: str | None = None
    stream: bool = False
    content: bytes | None = None
    usage: Usage | None = None
    error: str | None = None
