"""The two endpoints that make a model write: whole answers and streams."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.gateway.catalogue import Catalogue, Offer, find_offer
from regrade.gateway.fields import parse_request
from regrade.gateway.refusals import Refusal
from regrade.http import HttpSession, StreamReply
from regrade.types import Endpoint, JsonObject

__all__ = ["Generation"]

_MAX_BODY_BYTES = 16 * 1024 * 1024
_PATHS: dict[Endpoint, str] = {"chat": "/chat/completions", "completions": "/completions"}
_SEND_HEADERS = {"Content-Type": "application/json"}
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_OK = 200
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way: to which model, with which body, and what the client wants to see."""

    endpoint: Endpoint
    offer: Offer
    content: bytes
    stream: bool
    usage_in_stream: bool


class Generation:
    """An ASGI endpoint that forwards to the upstream of the model that is asked for.

    A client that goes away cancels its request upstream.

    Args:
        endpoint: Which of the two.
        catalogue: What is offered.
        upstream: Carries requests to the upstreams.
        turns: For each model what lets through as many requests as its upstream takes.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        catalogue: Catalogue,
        upstream: HttpSession,
        turns: Mapping[str, asyncio.Semaphore],
    ) -> None:
        self._endpoint = endpoint
        self._catalogue = catalogue
        self._upstream = upstream
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Refusal: When the request, its model or the upstream is at fault.
        """
        call = self._call(await _read_body(Request(scope, receive)))
        await _until_gone(receive, self._answer(call, scope, receive, send))

    def _call(self, content: bytes) -> _Call:
        body = parse_request(self._endpoint, content)
        offer = find_offer(self._catalogue, body["model"])
        return _Call(
            endpoint=self._endpoint,
            offer=offer,
            content=jsonio.encode(offer.dialect.prepare(self._endpoint, body)),
            stream=bool(body.get("stream")),
            usage_in_stream=bool((body.get("stream_options") or {}).get("include_usage")),
        )

    async def _answer(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._turns[call.offer.id]:
            if call.stream:
                await self._stream(call, send)
                return
            content = await self._whole(call)
        await Response(content, media_type="application/json")(scope, receive, send)

    async def _whole(self, call: _Call) -> bytes:
        try:
            async with self._post(call) as reply:
                content = await reply.read()
            if reply.status != _OK:
                raise call.offer.dialect.refusal(reply.status, content)
            body = _parsed(content)
        except ProviderError as error:
            raise _failed(error) from error
        return jsonio.encode(call.offer.dialect.answer(call.endpoint, body, call.offer.id))

    async def _stream(self, call: _Call, send: Send) -> None:
        started = False
        try:
            async with self._post(call) as reply:
                if reply.status != _OK:
                    raise call.offer.dialect.refusal(reply.status, await reply.read())
                await send({"type": "http.response.start", "status": _OK, "headers": _STREAM_HEADERS})
                started = True
                async for data in _events(call, reply):
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        except ProviderError as error:
            if not started:
                raise _failed(error) from error
            # The status is out; what is left is to say so in the stream, which then ends without [DONE].
            data = _event(jsonio.encode(_failed(error).body()))
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _post(self, call: _Call) -> AbstractAsyncContextManager[StreamReply]:
        url = call.offer.url + _PATHS[call.endpoint]
        return self._upstream.stream("POST", url, _SEND_HEADERS, call.content)


async def _events(call: _Call, reply: StreamReply) -> AsyncIterator[bytes]:
    dialect, model = call.offer.dialect, call.offer.id
    async for data in reply.events():
        if data == _DONE:
            yield _event(data.encode())
            continue
        for chunk in dialect.chunks(call.endpoint, _parsed(data), model, usage=call.usage_in_stream):
            yield _event(jsonio.encode(chunk))


def _parsed(data: str | bytes) -> JsonObject:
    try:
        body = jsonio.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderError("its answer is not a JSON object", kind="invalid_response")
    return body


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


async def _read_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    _check_size(int(announced) if announced.isdecimal() else 0)
    content = bytearray()
    async for piece in request.stream():
        content += piece
        _check_size(len(content))
    return bytes(content)


def _check_size(size: int) -> None:
    if size > _MAX_BODY_BYTES:
        limit = _MAX_BODY_BYTES // 2**20
        raise Refusal(413, f"the request body is larger than {limit} MB", code="request_too_large")


async def _until_gone(receive: Receive, work: Coroutine[None, None, None]) -> None:
    """Do the work, but stop it when the client goes away first."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _failed(error: ProviderError) -> Refusal:
    status, code = (504, "upstream_timeout") if error.kind == "timeout" else (502, "upstream_failed")
    return Refusal(status, f"the model's server failed: {error.message}", kind="server_error", code=code)
