"""HTTP as the gateway takes it from strangers: uvicorn's protocol with limits on time, size and number.

uvicorn reads whatever comes for as long as it comes. Here every phase in which the server waits for a client
has an end: the first byte, the headers, each piece of a body and the whole of it, the pause between requests,
and a client that does not take what it asked for. While a model thinks nothing is limited.
"""

import asyncio
import enum
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from regrade import jsonio
from regrade.gateway.connections import Connections
from regrade.gateway.refusals import Refusal, invalid

__all__ = ["TRANSPORT", "guarded_protocol"]

TRANSPORT = "regrade.transport"
"""Where the state of a request's scope has its connection, for what ASGI has no words for."""

_LINGER_S = 2.0
_PIPELINED = 8
_DEAD_AFTER_S = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 3}


class _Reading(enum.Enum):
    NOTHING = enum.auto()  # between two requests
    HEADERS = enum.auto()
    BODY = enum.auto()


class _RefusedError(Exception):
    """Takes a refusal out of the parser."""


def guarded_protocol(connections: Connections) -> type[asyncio.Protocol]:
    """Return what uvicorn takes as `http`; all connections share one book."""
    return cast("type[asyncio.Protocol]", partial(_GuardedProtocol, connections))


class _GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, book: Connections, **wiring: Any) -> None:
        super().__init__(**wiring)
        self._book = book
        self._limits = book.limits
        self._reading = _Reading.NOTHING
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._refusal: Refusal | None = None
        self._over = False
        self._head_bytes = self._body_bytes = self._loose_bytes = 0
        self._fed = False
        self._heard_at = self._body_ends_at = 0.0
        self._inner_app = self.app
        self.app = self._watched

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}
        if not self._book.enter(self, self.client[0] if self.client else None):
            busy = "there are too many connections; try again later"
            self._refuse(Refusal(503, busy, "server_error", code="too_many_connections", headers=_RETRY))
            return
        _notice_death(transport)
        self._book.waits(self)
        self._arm(self._limits.first_byte_s, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.leave(self)
        for timer in (self._timer, self._write_timer):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def give_way(self) -> None:
        self._close()

    def timeout_keep_alive_handler(self) -> None:
        """Leave it to this class's own timer, which also covers what uvicorn's forgets."""

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._heard_at = self.loop.time()
        before, self._fed = self._reading, False
        super().data_received(data)
        self._count_loose(before, len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = _Reading.HEADERS
        self._head_bytes = self._body_bytes = self._loose_bytes = 0
        self._arm(self._limits.headers_s, self._late_headers)

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        if self._reading is _Reading.HEADERS:  # a trailer must not add a header to a request that was let in
            super().on_header(name, value)
        if len(self.headers) > self._limits.header_count:
            raise self._stop(_too_large_headers(f"there may be {self._limits.header_count}"))

    def on_headers_complete(self) -> None:
        for name, value in self.headers:
            if name == b"content-length" and value.isdigit() and int(value) > self._limits.body_bytes:
                raise self._stop(self._too_large())
        self._reading = _Reading.BODY
        self._fed = True
        super().on_headers_complete()
        if len(self.pipeline) > _PIPELINED:
            raise self._stop(invalid("too many requests at once on one connection"))
        self._body_ends_at = self.loop.time() + self._limits.body_s
        self._arm(min(self._limits.body_pause_s, self._limits.body_s), self._late_body)

    def on_body(self, body: bytes) -> None:
        self._fed = True
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            raise self._stop(self._too_large())
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading = _Reading.NOTHING
        super().on_message_complete()
        self._rest()

    # Answering

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._rest()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._inner_app(scope, receive, send)
        finally:
            self.loop.call_soon(self._finish)

    def _finish(self) -> None:
        """Give a client that has its answer, and whose connection is to close, only so long to take it."""
        if self.transport.is_closing() and self.transport.get_write_buffer_size() and not self._write_timer:
            self._write_timer = self.loop.call_later(self._limits.write_s, self.transport.abort)

    # Refusing

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's
        """Answer what the parser could not read, or what a limit stopped."""
        self._refuse(self._refusal or invalid("this is not HTTP/1.1 as it should be", code="bad_http"))

    def _stop(self, refusal: Refusal) -> Exception:
        self._refusal = refusal
        return _RefusedError()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and close, but read on for a moment: closing at once would take the answer away again."""
        if self._over or self.transport.is_closing():
            return
        may_answer = self._may_answer()
        self._over = True
        cycle = self._current
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if not may_answer:
            self._close()
            return
        self.transport.write(_message(refusal))
        with suppress(OSError):
            self.transport.write_eof()
        self.flow.resume_reading()
        self._book.waits(self)
        self._arm(_LINGER_S, self._close)

    def _may_answer(self) -> bool:
        """Return whether an answer of ours would stand where the client looks for one."""
        cycle = self._current
        if self.pipeline:
            return False
        if cycle is None or not cycle.response_started:
            return True
        return cycle.response_complete and self._reading is not _Reading.BODY

    @property
    def _current(self) -> RequestResponseCycle | None:
        """The newest request; None before the first, whatever uvicorn's types say."""
        return self.cycle

    # Limits

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.header_bytes:
            raise self._stop(_too_large_headers(f"there may be {self._limits.header_bytes:,} bytes of them"))

    def _count_loose(self, before: _Reading, size: int) -> None:
        """Count what the parser keeps to itself: a header without an end, a trailer, words beside a chunk."""
        if self._over or self._fed or self._reading is not before or before is _Reading.NOTHING:
            self._loose_bytes = 0
            return
        self._loose_bytes += size
        if self._loose_bytes > self._limits.header_bytes:
            limit = f"there may be {self._limits.header_bytes:,} bytes of them"
            self._refuse(_too_large_headers(limit))

    def _rest(self) -> None:
        """Wait for what comes next, now that a request is read or answered."""
        if self._over or self.transport.is_closing():
            return
        answering, reading = self._is_answering(), self._reading
        if not answering:
            self._book.waits(self)
            if reading is _Reading.BODY:  # nobody waits for the rest of it any more
                self._arm(self._limits.rest_s, self._close)
            elif reading is _Reading.NOTHING:
                self._arm(self._limits.keep_alive_s, self._close)
        elif reading is _Reading.NOTHING:
            self._book.works(self)
            self._arm(None, self._close)

    def _is_answering(self) -> bool:
        cycle = self._current
        return bool(self.pipeline) or (cycle is not None and not cycle.response_complete)

    def _late_headers(self) -> None:
        if self._is_answering():  # the one before it
            self._arm(self._limits.headers_s, self._late_headers)
            return
        self._refuse(_late(f"the headers did not arrive within {self._limits.headers_s:g} s"))

    def _late_body(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # then it is the server that does not read
            self._heard_at = now
        until = min(self._heard_at + self._limits.body_pause_s, self._body_ends_at)
        if now < until:
            self._arm(until - now, self._late_body)
            return
        self._refuse(_late("the body of the request did not arrive in time"))

    def _too_large(self) -> Refusal:
        limit = self._limits.body_bytes
        words = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit:,} bytes"
        return Refusal(413, f"the request body is larger than {words}", code="request_too_large")

    def _arm(self, seconds: float | None, action: Callable[[], None]) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, action)

    def _close(self) -> None:
        """Close; what the client has not taken by now it does not get."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


_RETRY = (("Retry-After", "1"),)


def _late(message: str) -> Refusal:
    return Refusal(408, message, code="request_timeout")


def _too_large_headers(limit: str) -> Refusal:
    return Refusal(431, f"the headers are too large: {limit}", code="headers_too_large")


def _message(refusal: Refusal) -> bytes:
    """Return a whole HTTP response, for where no application can be asked."""
    body = jsonio.encode(refusal.body())
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Request-Id", f"req_{uuid.uuid4().hex}"),
        ("Connection", "close"),
        *refusal.headers,
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
    return STATUS_LINE[refusal.status] + lines + b"\r\n" + body


def _notice_death(transport: asyncio.Transport) -> None:
    """Let the system ask now and then whether a silent client still exists: a long thought hides its end."""
    connected = transport.get_extra_info("socket")
    if connected is None or connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _DEAD_AFTER_S.items():
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
