"""The two endpoints that make a model write: whole answers and streams."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.gateway.backend import Answer, Call, Unasked, event, upstream_failed
from regrade.gateway.catalogue import Catalogue, Offer, find_offer
from regrade.gateway.fields import parse_request
from regrade.gateway.hooks import Broken, Trace
from regrade.gateway.metering import Meter
from regrade.gateway.refusals import Refusal, shutting_down
from regrade.types import Endpoint

__all__ = ["Generation"]

_PASSED_ON = ("user-agent", "idempotency-key", "openai-beta", "http-referer", "x-title")
"""Headers that say something about the request; a client's key, organisation and cookies stay here."""


_STREAM_HEADERS = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
_FAULT = 400
_LONGEST_CODE = 100


class Generation:
    """An ASGI endpoint that lets the backend of the model that is asked for answer.

    A client that goes away cancels its request upstream. The endpoint expects the request's `Trace`, with its
    holder, in `scope["state"]["trace"]`.

    Args:
        endpoint: Which of the two.
        catalogue: What is offered.
        metered: Whether tokens are read out of every answer, for the access log.
    """

    def __init__(self, endpoint: Endpoint, catalogue: Catalogue, *, metered: bool = False) -> None:
        self._endpoint = endpoint
        self._catalogue = catalogue
        self._metered = metered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Refusal: When the request, its model or the upstream is at fault.
        """
        trace: Trace = scope["state"]["trace"]
        assert trace.holder
        headers = Headers(scope=scope)
        _check_encoding(headers)
        content = await _read_body(receive)
        if trace.content is not None:
            trace.content = content
        body = parse_request(self._endpoint, content)
        trace.model, trace.stream = body["model"], bool(body.get("stream"))
        offer = find_offer(self._catalogue, body["model"], trace.holder)
        trace.mode = offer.mode
        ticket = trace.holder.admit(self._endpoint, body)
        call = Call(
            endpoint=self._endpoint,
            body=body,
            content=content,
            request_id=trace.request_id,
            headers={name: headers[name] for name in _PASSED_ON if name in headers},
            needs_usage=ticket.needs_usage,
        )
        meter = Meter() if self._metered or ticket.needs_usage else None
        try:
            reply = _Reply(send, meter, trace, ticket.headers)
            await _until_gone(receive, reply, _answer(call, offer, reply))
        finally:
            trace.usage = meter.usage if meter else None
            ticket.done(trace.usage, meter.text_bytes if meter else 0)


class _Reply:
    """Sends an answer, and lets the meter see it pass."""

    def __init__(self, send: Send, meter: Meter | None, trace: Trace, limits: Mapping[str, str]) -> None:
        self._send = send
        self._meter = meter
        self._trace = trace
        self._open_line = False
        self._limits = limits
        self.started = False
        self.ended = False

    async def start(self, answer: Answer) -> None:
        found = {**answer.headers, **self._limits}
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in found.items()]
        if isinstance(answer.content, bytes):
            headers.append((b"content-length", b"%d" % len(answer.content)))
        else:
            headers += _STREAM_HEADERS
        self.started = True
        if answer.status >= _FAULT:
            self._trace.error = _code_in(answer)
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def whole(self, content: bytes) -> None:
        if self._meter:
            self._meter.whole(content)
        self.ended = True
        await self._send({"type": "http.response.body", "body": content})

    async def piece(self, piece: bytes) -> None:
        if self._meter:
            self._meter.piece(piece)
        if isinstance(piece, Unasked):
            return
        self._open_line = not piece.endswith(b"\n")
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        self.ended = True
        await self._send({"type": "http.response.body", "body": b""})

    async def cut_short(self) -> None:
        """End a stream that the end of this server cuts short."""
        if self.started and not self.ended:
            await self.broken(shutting_down())

    async def broken(self, refusal: Refusal) -> None:
        """Say in the stream that it broke off, since its status is out; it then ends without [DONE]."""
        self._trace.error = refusal.code
        data = event(jsonio.encode(refusal.body()))
        await self.piece(b"\n\n" + data if self._open_line else data)
        await self.end()


async def _answer(call: Call, offer: Offer, reply: _Reply) -> None:
    try:
        async with offer.backend.answer(call) as answer:
            await reply.start(answer)
            if isinstance(answer.content, bytes):
                await reply.whole(answer.content)
                return
            async for piece in answer.content:
                await reply.piece(piece)
        await reply.end()
    except ProviderError as error:
        if not reply.started:
            raise upstream_failed(error) from error
        await reply.broken(upstream_failed(error))
    except Refusal as refusal:
        if not reply.started:
            raise
        await reply.broken(refusal)


def _code_in(answer: Answer) -> str:
    """Return what an answer that is an error calls itself, for the log; its status where it has no word."""
    error = None
    if isinstance(answer.content, bytes):
        with suppress(ValueError):
            body = jsonio.loads(answer.content)
            error = body.get("error") if isinstance(body, dict) else None
    named = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    return next((one for one in named if isinstance(one, str) and one), f"http_{answer.status}")[
        :_LONGEST_CODE
    ]


def _check_encoding(headers: Headers) -> None:
    encoding = headers.get("content-encoding", "identity").strip()
    if encoding.lower() not in {"", "identity"}:
        message = f"Content-Encoding {encoding} is not supported: send the body as it is"
        raise Refusal(415, message, code="unsupported_encoding")


async def _read_body(receive: Receive) -> bytes:
    """Return the body, whose size and time the HTTP protocol limits.

    Raises:
        Broken: When the client goes away before its end.
    """
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Broken
        content += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(content)


async def _until_gone(receive: Receive, reply: _Reply, work: Coroutine[None, None, None]) -> None:
    """Do the work, but stop it when the client goes away first."""
    task = asyncio.current_task()
    assert task
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        if not reply.ended:
            left = True
            task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        await work
    except asyncio.CancelledError:
        if not left:
            await reply.cut_short()
            raise
        task.uncancel()
    finally:
        watcher.cancel()
