"""One exchange with an endpoint, and the line that holds it.

A line is a JSON object whose first members, up to `request`, are all that an index needs: it is read without
decoding the rest.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from regrade import jsonio
from regrade.errors import ProviderError, StoreError
from regrade.types import Json, JsonObject

__all__ = [
    "VERSION",
    "End",
    "Exchange",
    "RecordedFailure",
    "exchange_of",
    "head_of",
    "line_of",
    "request_hash",
    "without_defaults",
]

VERSION = 1
End: TypeAlias = Literal["done", "cut", "gone"]
"""How an answer ended: whole, broken off by the server, or left by the client."""

_BODY = b',"request":'
_REFUSED_FOR_NOW = frozenset({408, 409, 425, 429})
_SERVER_ERROR = 500
_OF_STREAMS = frozenset({"stream", "stream_options"})


@dataclass(frozen=True, slots=True)
class RecordedFailure:
    """Why no whole answer came.

    Attributes:
        kind: One of `types.FailureKind`.
        message: For people.
        status: The HTTP status, when there was one.
        retryable: Whether another attempt could have helped.
    """

    kind: str
    message: str
    status: int | None = None
    retryable: bool = False

    def error(self) -> ProviderError:
        """Return it as the error that it was."""
        return ProviderError(self.message, kind=self.kind, status=self.status, retryable=self.retryable)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it, secrets taken out.

    Attributes:
        at: When the request was sent, as an ISO 8601 UTC time.
        hash: Of method, path and the redacted request.
        method: "GET" or "POST".
        path: Relative to the API's base: "/chat/completions", "/completions", "/models".
        request: The body: JSON, or a text where it is none; None without one.
        label: What it was for, such as a place in a run's plan; None when nobody said.
        status: HTTP status; None when no answer came.
        headers: Those worth keeping, names in lower case.
        body: A whole answer.
        events: A stream: seconds since the request, and the data, of each server-sent event.
        ttfb_s: Seconds from the request to the head of its answer.
        latency_s: Seconds to its end.
        usage: Token counts as the endpoint sent them.
        end: How it ended.
        failure: Why no whole answer came.
        passing: Whether it was a refusal or fault that another attempt may not meet again.
        sitting: Which opening of the cassette recorded it, from 1.
        seq: Its ordinal among the requests of that sitting, by their start.
        last_text: A sketch of what was asked last, for finding what is near.
        all_text: A sketch of the whole request.
    """

    at: str
    hash: str
    method: str
    path: str
    request: Json
    label: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    events: tuple[tuple[float, str], ...] | None = None
    ttfb_s: float | None = None
    latency_s: float = 0.0
    usage: JsonObject | None = None
    end: End = "done"
    failure: RecordedFailure | None = None
    passing: bool = False
    sitting: int = 1
    seq: int = 0
    last_text: str = "0"
    all_text: str = "0"

    @property
    def model(self) -> str | None:
        """Return the model that was asked."""
        model = self.request.get("model") if isinstance(self.request, dict) else None
        return model if isinstance(model, str) else None


def request_hash(method: str, path: str, request: Json) -> str:
    """Return the hash under which a redacted request is looked up."""
    return jsonio.content_hash([method, path, without_defaults(request)])


def without_defaults(request: Json) -> Json:
    """Return a request without what says no more than its absence: no stream, and options of none."""
    if not isinstance(request, dict) or request.get("stream"):
        return request
    return {name: value for name, value in request.items() if name not in _OF_STREAMS}


def refused_for_now(status: int | None) -> bool:
    """Return whether a status says that another attempt may fare better."""
    return status is None or status in _REFUSED_FOR_NOW or status >= _SERVER_ERROR


def line_of(exchange: Exchange) -> bytes:
    """Return the line that holds an exchange, with its line end."""
    head: JsonObject = {
        "v": VERSION,
        "hash": exchange.hash,
        "sitting": exchange.sitting,
        "seq": exchange.seq,
        "passing": exchange.passing,
        "last_text": exchange.last_text,
        "all_text": exchange.all_text,
        "label": exchange.label,
        "model": exchange.model,
        "at": exchange.at,
        "method": exchange.method,
        "path": exchange.path,
    }
    rest: JsonObject = {
        "request": exchange.request,
        "status": exchange.status,
        "headers": dict(exchange.headers),
        "ttfb_s": exchange.ttfb_s,
        "latency_s": exchange.latency_s,
        "usage": exchange.usage,
        "end": exchange.end,
    }
    if exchange.failure is not None:
        failure = exchange.failure
        rest["failure"] = {
            "kind": failure.kind,
            "message": failure.message,
            "status": failure.status,
            "retryable": failure.retryable,
        }
    return jsonio.encode({**head, **rest, **_content(exchange)}) + b"\n"


def _content(exchange: Exchange) -> JsonObject:
    if exchange.events is not None:
        return {"events": exchange.events}
    try:
        return {"body": exchange.body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(exchange.body).decode()}


def head_of(line: bytes, place: str) -> JsonObject:
    """Return the first members of a line, up to its request.

    Args:
        line: As `line_of` made it.
        place: File and number of the line, for messages.

    Raises:
        StoreError: When it is no such line, or one of a newer regrade.
    """
    head, found, _ = line.partition(_BODY)
    try:
        record = jsonio.loads(head + b"}" if found else line)
        version = record["v"]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(place) from error
    if version != VERSION:
        raise StoreError(
            f"{place}: this cassette has version {version!r}, this regrade reads version {VERSION}",
            hint="update regrade, or record it again",
        )
    if not found:
        raise _unreadable(place)
    checked: JsonObject = record
    return checked


def exchange_of(line: bytes, place: str) -> Exchange:
    """Return the exchange that a line holds.

    Raises:
        StoreError: As `head_of`.
    """
    head_of(line, place)
    try:
        record = jsonio.loads(line)
        for extra in ("v", "model"):
            del record[extra]
        failure = record.pop("failure", None)
        body = record.pop("body", "").encode()
        if "body_base64" in record:
            body = base64.b64decode(record.pop("body_base64"))
        events = record.pop("events", None)
        return Exchange(
            **record,
            body=body,
            events=None if events is None else tuple((seconds, data) for seconds, data in events),
            failure=None if failure is None else RecordedFailure(**failure),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(place) from error


def _unreadable(place: str) -> StoreError:
    return StoreError(
        f"{place}: not an exchange as regrade records them",
        hint="a merge may have left its marks in the file; restore it, or delete that line",
    )
