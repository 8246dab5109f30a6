"""The application before an upstream that misbehaves."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrade.gateway.app import make_app
from regrade.gateway.catalogue import Offer
from regrade.gateway.demo import DemoBackend
from regrade.gateway.hooks import AnyKey, Broken, Holder, Hooks
from regrade.gateway.llamacpp import LlamaCpp
from regrade.gateway.refusals import Refusal
from regrade.http import HttpSession
from regrade.types import Endpoint, JsonObject, Usage

Handler = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Any]
EVENTS = {"Content-Type": "text/event-stream"}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}}]}


class Exchange:
    """One request straight to the application, whose client can go away at any time."""

    def __init__(self, url: str, *, stream: bool, hooks: Hooks | None = None) -> None:
        self._url = url
        self._hooks = hooks
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
        self.content = [json.dumps(body).encode()]
        self.gone = asyncio.Event()
        self.sent: list[Message] = []
        self.first = asyncio.Event()

    async def run(self) -> None:
        """Let the application answer."""

        async def receive() -> Message:
            if self.content:
                piece = self.content.pop(0)
                more = bool(self.content) or self.gone.is_set()
                return {"type": "http.request", "body": piece, "more_body": more}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.sent.append(message)
            if message.get("body"):
                self.first.set()

        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": [(b"authorization", b"Bearer sk")],
        }
        async with HttpSession() as session:
            backend = DemoBackend("m", self._url, LlamaCpp(), session, slots=4)
            app = make_app({"m": Offer("m", backend, 512)}, self._hooks)
            await app(scope, receive, send)

    @property
    def status(self) -> int:
        """The status that was sent."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        """The body that was sent."""
        return b"".join(message.get("body", b"") for message in self.sent)


async def happens(event: threading.Event) -> None:
    """Wait for what another thread does."""
    assert await asyncio.to_thread(event.wait, 10)


def piece(data: object) -> bytes:
    """Return one event of a stream."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def run(exchange: Exchange) -> Exchange:
    """Let one exchange come to its end."""
    asyncio.run(asyncio.wait_for(exchange.run(), 10))
    return exchange


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_cancels_its_request_upstream(serve: Serve, stream: bool) -> None:
    """The upstream sees its connection close while it still had more to say."""
    asked, cancelled = threading.Event(), threading.Event()

    async def never_ends(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(piece(CHUNK) if stream else b"{")
        asked.set()
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        cancelled.set()
        return answer

    async def check() -> None:
        exchange = Exchange(serve(never_ends).base_url, stream=stream)
        running = asyncio.create_task(exchange.run())
        await happens(asked)
        if stream:
            await exchange.first.wait()
        exchange.gone.set()
        await running
        await happens(cancelled)
        assert b"[DONE]" not in exchange.body

    asyncio.run(asyncio.wait_for(check(), 20))


def test_a_stream_is_passed_on_piece_by_piece(serve: Serve) -> None:
    """The client has the first piece before the upstream sends its second; comments stay behind."""
    release = threading.Event()

    async def waits(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(b": a comment\n\n" + piece(CHUNK))
        await happens(release)
        await answer.write(b"data: [DONE]\n\n")
        return answer

    async def check() -> Exchange:
        exchange = Exchange(serve(waits).base_url, stream=True)
        running = asyncio.create_task(exchange.run())
        await exchange.first.wait()
        release.set()
        await running
        return exchange

    exchange = asyncio.run(asyncio.wait_for(check(), 20))
    chunk, done, rest = exchange.body.split(b"\n\n")
    assert json.loads(chunk.removeprefix(b"data: "))["model"] == "m"
    assert (done, rest) == (b"data: [DONE]", b"")


def test_a_stream_that_breaks_says_so_and_is_not_done(serve: Serve) -> None:
    """A client can tell a broken stream from a whole one: an error event, and no [DONE]."""

    async def breaks(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(piece(CHUNK))
        assert request.transport is not None
        request.transport.abort()
        return answer

    body = run(Exchange(serve(breaks).base_url, stream=True)).body
    first, last, rest = body.split(b"\n\n")
    assert json.loads(first.removeprefix(b"data: "))["choices"] == CHUNK["choices"]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_failed"
    assert rest == b""
    assert b"[DONE]" not in body


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_is_not_there_is_a_502(stream: bool) -> None:
    """The client learns that the fault is behind the server."""
    exchange = run(Exchange("http://127.0.0.1:9", stream=stream))
    assert exchange.status == 502
    assert json.loads(exchange.body)["error"]["code"] == "upstream_failed"


def test_a_client_that_goes_away_amid_its_body_is_no_fault() -> None:
    """Nothing is answered, and nothing is raised that a log would show."""
    exchange = Exchange("http://127.0.0.1:9", stream=False)
    exchange.gone.set()
    run(exchange)
    assert exchange.sent == []


def test_an_upstream_that_talks_nonsense_is_a_502(serve: Serve) -> None:
    """An answer that is not JSON is the upstream's fault."""

    async def nonsense(_request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text="<html>")

    assert run(Exchange(serve(nonsense).base_url, stream=False)).status == 502


def test_an_error_of_the_upstream_keeps_status_and_message(serve: Serve) -> None:
    """What llama.cpp refuses reaches the client in the API's form."""

    async def refuses(_request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        error = {"code": 400, "message": "no such grammar", "type": "invalid_request_error"}
        return web.json_response({"error": error}, status=400)

    exchange = run(Exchange(serve(refuses).base_url, stream=True))
    assert exchange.status == 400
    expected = {"message": "no such grammar", "type": "invalid_request_error", "param": None, "code": None}
    assert json.loads(exchange.body)["error"] == expected


class Recorded:
    """An admission that takes note of what it is asked and told."""

    name = "alice"

    def __init__(self, *, needs_usage: bool = True) -> None:
        self.needs_usage = needs_usage
        self.headers = {"x-ratelimit-remaining-requests": "7"}
        self.keys: list[str] = []
        self.admitted: list[tuple[Endpoint, str]] = []
        self.reported: list[tuple[Usage | None, int]] = []

    def identify(self, key: str) -> "Recorded":
        """Let everybody in."""
        self.keys.append(key)
        return self

    def sees(self, model: str) -> bool:
        """Show everything."""
        return True

    def admit(self, endpoint: Endpoint, body: JsonObject) -> "Recorded":
        """Let everything through."""
        self.admitted.append((endpoint, body["model"]))
        return self

    def done(self, usage: Usage | None, text_bytes: int) -> None:
        """Take note."""
        self.reported.append((usage, text_bytes))


def test_admission_is_told_what_an_answer_used(serve: Serve) -> None:
    """Of whole answers and of streams alike: tokens as the upstream counted them, and bytes of text."""
    counted = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}

    async def answers(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if not body["stream"]:
            choice = {"index": 0, "message": {"role": "assistant", "content": "wörter"}}
            return web.json_response({"id": "chatcmpl-1", "choices": [choice], "usage": counted})
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        for text in ("wö", "rter"):
            await answer.write(piece(CHUNK | {"choices": [{"index": 0, "delta": {"content": text}}]}))
        await answer.write(piece(CHUNK | {"choices": [], "usage": counted}) + b"data: [DONE]\n\n")
        return answer

    url = serve(answers).base_url
    for stream, usage in ((False, Usage(5, 2)), (True, None)):
        admission = Recorded()
        run(Exchange(url, stream=stream, hooks=Hooks(admission)))
        assert (admission.keys, admission.admitted) == (["sk"], [("chat", "m")])
        assert admission.reported == [(usage, 7)]


def test_admission_is_told_of_an_answer_that_never_came() -> None:
    """A ticket is given back whatever happens."""
    admission = Recorded()
    run(Exchange("http://127.0.0.1:9", stream=False, hooks=Hooks(admission)))
    assert admission.reported == [(None, 0)]


def test_faults_can_answer_and_break_what_is_sent(serve: Serve) -> None:
    """What wraps the endpoints may refuse in the API's form, and end a connection in the middle."""

    async def answers(_request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"id": "chatcmpl-1", "choices": []})

    def refusing(_inner: ASGIApp) -> ASGIApp:
        async def refuse(scope: Scope, _receive: Receive, _send: Send) -> None:
            raise Refusal(429, f"not now, {scope['state']['trace'].holder.name}", code="rate_limit_exceeded")

        return refuse

    def breaking(inner: ASGIApp) -> ASGIApp:
        async def broken(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_half(message: Message) -> None:
                if message["type"] == "http.response.body":
                    raise Broken
                await send(message)

            await inner(scope, receive, send_half)

        return broken

    url = serve(answers).base_url
    refused = run(Exchange(url, stream=False, hooks=Hooks(around_answers=refusing)))
    assert (refused.status, json.loads(refused.body)["error"]["message"]) == (429, "not now, any")
    halved = run(Exchange(url, stream=False, hooks=Hooks(around_answers=breaking)))
    assert [message["type"] for message in halved.sent] == ["http.response.start"]


def test_a_fault_of_the_server_is_a_500_with_a_request_id() -> None:
    """Even then the client gets the API's form and an id to report."""

    class Faulty(AnyKey):
        def identify(self, key: str) -> Holder:
            raise LookupError("broken on purpose")

    exchange = Exchange("http://127.0.0.1:9", stream=False, hooks=Hooks(Faulty()))
    with pytest.raises(LookupError):
        run(exchange)
    assert exchange.status == 500
    assert json.loads(exchange.body)["error"]["type"] == "server_error"
    assert b"x-request-id" in dict(exchange.sent[0]["headers"])
