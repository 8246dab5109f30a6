"""What is forwarded, what comes back, and what stays here."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

from regrade.errors import ProviderError
from regrade.gateway.backend import Call
from regrade.gateway.forward import ForwardBackend, Retries
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.http import HttpSession

KEY = "sk-upstream-secret"
EVENTS = {"Content-Type": "text/event-stream"}
CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
)
FINISH = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
BODY: dict[str, Any] = {"model": "org/model", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/chat/completions"


@pytest.fixture(scope="module")
def forwarding(upstream_server: Any) -> Iterator[Gateway]:
    """Run a gateway before the scripted upstream."""
    url = upstream_server.base_url
    models = (
        Upstream("org/model", url, "SECRET_KEY", context_window=4000, mode="forward"),
        Upstream("keyless", url, mode="forward"),
        Upstream("slow", url, timeout_s=0.2, mode="forward"),
        Upstream("single", url, max_connections=1, mode="forward"),
        Upstream("nobody", "http://127.0.0.1:9/v1", mode="forward"),
    )
    with Gateway(GatewaySettings(upstreams=models), {"SECRET_KEY": KEY}) as gateway:
        yield gateway


@pytest.fixture
def client(forwarding: Gateway, connect: Callable[[str], Any]) -> Any:
    """Return a connection to the gateway."""
    return connect(forwarding.base_url)


def whole(content: bytes, status: int = 200, **headers: str) -> Any:
    """Return a handler that gives this answer."""

    async def handler(_request: web.Request, _content: bytes) -> web.StreamResponse:
        return web.Response(
            body=content, status=status, headers={"Content-Type": "application/json"} | headers
        )

    return handler


def streams(*pieces: bytes, cut: bool = False) -> Any:
    """Return a handler that streams these pieces; then it ends, or breaks the connection."""

    async def handler(request: web.Request, _content: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return answer

    return handler


async def happens(event: threading.Event) -> None:
    """Wait for what another thread does."""
    assert await asyncio.to_thread(event.wait, 10)


def test_a_body_travels_byte_for_byte_in_both_directions(upstream: Any, client: Any) -> None:
    """Spelling, order and fields that nobody here knows stay as they are."""
    asked = b'{ "model":"org/model",\n "messages":[{"role":"user","content":"\\u00e9"}],'
    asked += b' "x":1.0, "y":123456789012345678901}'
    answered = b'{"id": "x",  "choices": [], "odd": {"a": 1e3}}\n'
    upstream.handler = whole(answered)
    answer = client.send(PATH, asked)
    assert (answer.status, answer.body) == (200, answered)
    assert upstream.bodies == [asked]
    assert upstream.paths == ["/v1" + PATH]


def test_completions_go_to_their_own_path(upstream: Any, client: Any) -> None:
    """Text, lists of texts and tokens, echo and logprobs are passed through."""
    upstream.handler = whole(b"{}")
    for prompt in ("a", ["a", "b"], [1, 2], [[1], [2, 3]]):
        body = {"model": "org/model", "prompt": prompt, "echo": True, "logprobs": 5, "max_tokens": 1}
        assert client.send("/completions", body).status == 200
        assert json.loads(upstream.bodies[-1]) == body
    assert set(upstream.paths) == {"/v1/completions"}


def test_the_key_of_the_client_stays_and_that_of_the_upstream_goes(upstream: Any, client: Any) -> None:
    """Neither keys nor cookies nor hop-by-hop headers reach the upstream; the id of the request does."""
    upstream.handler = whole(b"{}")
    sent = {
        "Cookie": "c=1",
        "X-Title": "app",
        "TE": "trailers",
        "OpenAI-Organization": "org",
        "Connection": "close",
    }
    answer = client.send(PATH, BODY, sent)
    seen = upstream.headers[0]
    assert seen["Authorization"] == f"Bearer {KEY}"
    assert seen["X-Title"] == "app"
    assert seen["X-Request-Id"] == answer.headers["X-Request-Id"]
    assert not {"Cookie", "TE", "OpenAI-Organization"} & set(seen)
    assert "client-key" not in str(dict(seen))
    client.send(PATH, BODY | {"model": "keyless"})
    assert "Authorization" not in upstream.headers[1]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (429, b'{"error": {"message": "slow down", "type": "requests", "param": null, "code": "429"}}'),
        (500, b"Internal Server Error"),
        (502, b"<html><h1>Bad Gateway</h1></html>"),
        (401, b'{"error": "Unauthorized"}'),
        (422, b'{"detail": ["unknown field"]}'),
        (404, b'{"object": "error", "message": "no such model", "code": 404}'),
        (302, b""),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_of_the_upstream_keeps_status_body_and_limits(
    upstream: Any, client: Any, status: int, content: bytes, stream: bool
) -> None:
    """Whatever it is, HTML and plain text included; a redirect is not followed."""
    upstream.handler = whole(
        content,
        status,
        **{
            "Retry-After": "7",
            "x-ratelimit-remaining-requests": "0",
            "x-request-id": "up-1",
            "Location": "http://127.0.0.1:9/",
            "Set-Cookie": "a=b",
            "Server": "secret/1",
        },
    )
    answer = client.send(PATH, BODY | {"stream": stream})
    assert (answer.status, answer.body) == (status, content)
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert answer.headers["X-Request-Id"].startswith("req_")
    assert answer.headers["X-Upstream-Request-Id"] == "up-1"
    assert not {"set-cookie", "location", "server"} & {name.lower() for name in answer.headers}
    assert len(upstream.bodies) == 1


def test_an_error_that_quotes_the_upstreams_key_loses_it(upstream: Any, client: Any) -> None:
    """A client must not learn the key, whatever the upstream writes."""
    upstream.handler = whole(b'{"error": "wrong key %s"}' % KEY.encode(), 401)
    assert client.send(PATH, BODY).body == b'{"error": "wrong key [redacted]"}'


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNK, FINISH, DONE),
        (CHUNK, FINISH),
        (b": OPENROUTER PROCESSING\n\n", CHUNK[:10], CHUNK[10:] + FINISH[:-1], FINISH[-1:] + DONE),
        (CHUNK.replace(b"\n", b"\r\n"), DONE.replace(b"\n", b"\r\n")),
        (b'data: {"error": {"message": "overloaded"}}\n\n',),
    ],
)
def test_a_stream_is_piped_as_it_is(upstream: Any, client: Any, pieces: tuple[bytes, ...]) -> None:
    """With [DONE] or without, with comments and foreign line ends: no byte is added, lost or changed."""
    upstream.handler = streams(*pieces)
    answer = client.send(PATH, BODY | {"stream": True})
    assert answer.body == b"".join(pieces)
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert "stream_options" not in json.loads(upstream.bodies[0])


def test_a_stream_with_usage_is_passed_through(upstream: Any, client: Any) -> None:
    """A client that asks for usage gets the chunk that has it."""
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
    upstream.handler = streams(CHUNK, FINISH, usage, DONE)
    body = BODY | {"stream": True, "stream_options": {"include_usage": True}}
    assert client.send(PATH, body).body == CHUNK + FINISH + usage + DONE
    assert json.loads(upstream.bodies[0]) == body


def test_the_first_byte_passes_before_the_upstream_goes_on(upstream: Any, client: Any) -> None:
    """Half an event is passed on while the upstream has not written the other half."""
    release = threading.Event()

    async def waits(request: web.Request, _: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(CHUNK[:20])
        await happens(release)
        await answer.write(CHUNK[20:] + DONE)
        return answer

    upstream.handler = waits
    reply = client.open(PATH, BODY | {"stream": True})
    first = reply.read1(1000)
    release.set()
    assert first == CHUNK[:20]
    assert first + reply.read() == CHUNK + DONE


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_cancels_its_request_upstream(upstream: Any, client: Any, stream: bool) -> None:
    """The upstream sees its connection close while it still had more to say."""
    asked, cancelled = threading.Event(), threading.Event()

    async def never_ends(request: web.Request, _: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(CHUNK)
        asked.set()
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        cancelled.set()
        return answer

    upstream.handler = never_ends
    if stream:
        assert client.open(PATH, BODY | {"stream": True}).read1(1000) == CHUNK
    else:
        content = json.dumps(BODY).encode()
        client.connection.request("POST", "/v1" + PATH, content, {"Authorization": "Bearer k"})
        assert asked.wait(10)
    client.close()
    assert cancelled.wait(10)


@pytest.mark.parametrize(("pieces", "gap"), [((CHUNK,), b""), ((CHUNK, FINISH[:9]), b"\n\n")])
def test_an_upstream_that_breaks_off_ends_the_stream_with_an_error(
    upstream: Any, client: Any, pieces: tuple[bytes, ...], gap: bytes
) -> None:
    """What came is passed on, then an event of its own says what happened, and [DONE] does not come."""
    upstream.handler = streams(*pieces, cut=True)
    body = client.send(PATH, BODY | {"stream": True}).body
    began = b"".join(pieces) + gap
    assert body.startswith(began)
    error = json.loads(body.removeprefix(began).removeprefix(b"data: "))["error"]
    assert (error["code"], error["type"]) == ("upstream_failed", "server_error")
    assert b"[DONE]" not in body


def test_a_whole_answer_that_breaks_off_is_a_502(upstream: Any, client: Any) -> None:
    """Half an answer is none."""

    async def breaks(request: web.Request, _: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"id"')
        assert request.transport is not None
        request.transport.abort()
        return answer

    upstream.handler = breaks
    answer = client.send(PATH, BODY)
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")


def test_an_upstream_that_is_silent_for_too_long_is_a_504(upstream: Any, client: Any) -> None:
    """The model's own timeout counts."""
    release = threading.Event()

    async def silent(_request: web.Request, _: bytes) -> web.StreamResponse:
        await happens(release)
        return web.Response()

    upstream.handler = silent
    answer = client.send(PATH, BODY | {"model": "slow"})
    release.set()
    assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_is_not_there_is_a_502(client: Any, stream: bool) -> None:
    """The message says what could not be reached."""
    answer = client.send(PATH, BODY | {"model": "nobody", "stream": stream})
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")
    assert "127.0.0.1:9" in answer.error["message"]


def test_a_model_gets_no_more_requests_at_a_time_than_it_takes(
    upstream: Any, client: Any, forwarding: Gateway, connect: Callable[[str], Any]
) -> None:
    """The second waits here until the first is answered."""
    here, release = threading.Event(), threading.Event()

    async def waits(_request: web.Request, _: bytes) -> web.StreamResponse:
        here.set()
        await happens(release)
        return web.json_response({})

    upstream.handler = waits
    second = connect(forwarding.base_url)
    content = json.dumps(BODY | {"model": "single"}).encode()
    for one in (client, second):
        one.connection.request("POST", "/v1" + PATH, content, {"Authorization": "Bearer k"})
    assert here.wait(10)
    third = connect(forwarding.base_url)
    assert third.send("/models").status == 200
    assert len(upstream.bodies) == 1
    release.set()
    assert [one.connection.getresponse().status for one in (client, second)] == [200, 200]
    assert len(upstream.bodies) == 2


def test_a_prompt_that_cannot_fit_is_refused_here(upstream: Any, client: Any) -> None:
    """With the API's own code, before anything is sent."""
    upstream.handler = whole(b"{}")
    text = "word " * 200_000
    answer = client.send(PATH, BODY | {"messages": [{"role": "user", "content": text}]})
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")
    assert "4000" in answer.error["message"]
    answer = client.send("/completions", {"model": "org/model", "prompt": [1] * 4001})
    assert (answer.status, answer.error["param"]) == (400, "prompt")
    assert upstream.bodies == []
    assert client.send("/completions", {"model": "org/model", "prompt": [1] * 4000}).status == 200


def test_models_are_listed_with_their_windows(client: Any) -> None:
    """Ids with a slash can be asked for one by one; a window that nobody knows is left out."""
    listed = client.send("/models").json["data"]
    windows = {one["id"]: one.get("context_window") for one in listed}
    assert windows == {"org/model": 4000, "keyless": None, "slow": None, "single": None, "nobody": None}
    assert client.send("/models/org/model").json["context_window"] == 4000
    missing = client.send("/models/org/modle")
    assert (missing.status, missing.error["code"]) == (404, "model_not_found")
    assert "org/model" in missing.error["message"]


def test_no_request_can_choose_a_host(upstream: Any, client: Any) -> None:
    """Upstreams come from the catalogue alone: what a request says about hosts is its body at most."""
    upstream.handler = whole(b"{}")
    body = BODY | {"base_url": "http://127.0.0.1:9", "model": "http://127.0.0.1:9/v1"}
    assert client.send(PATH, body).status == 404
    sent = {"Host": "127.0.0.1:9", "X-Forwarded-Host": "127.0.0.1:9", "X-Base-Url": "http://127.0.0.1:9"}
    assert client.send(PATH, BODY | {"base_url": "http://127.0.0.1:9"}, sent).status == 200
    assert upstream.headers[-1]["Host"] in upstream.base_url


def test_the_end_of_the_server_ends_what_is_going_on(upstream: Any, connect: Callable[[str], Any]) -> None:
    """A stream ends with an error event and without [DONE]; who waits for an answer gets a 503."""
    asked = threading.Semaphore(0)

    async def stalls(request: web.Request, content: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers=EVENTS)
        await answer.prepare(request)
        await answer.write(CHUNK)
        asked.release()
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return answer

    upstream.handler = stalls
    model = Upstream("org/model", upstream.base_url, mode="forward")
    said: list[bytes] = []
    with Gateway(GatewaySettings(upstreams=(model,)), errors=said.append) as gateway:
        stream, waiting = connect(gateway.base_url), connect(gateway.base_url)
        reply = stream.open(PATH, BODY | {"stream": True})
        assert reply.read1(1000) == CHUNK
        content = json.dumps(BODY).encode()
        waiting.connection.request("POST", "/v1" + PATH, content, {"Authorization": "Bearer k"})
        assert asked.acquire(timeout=10)
        assert asked.acquire(timeout=10)
    rest = reply.read()
    assert json.loads(rest.removeprefix(b"data: "))["error"]["code"] == "shutting_down"
    refused = waiting.connection.getresponse()
    assert (refused.status, json.loads(refused.read())["error"]["code"]) == (503, "shutting_down")
    assert said == []


def test_only_what_never_reached_a_model_is_tried_again(upstream: Any) -> None:
    """No connection: three attempts with growing waits. A connection that breaks after the request: one."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def resets(request: web.Request, _: bytes) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def ask(url: str) -> ProviderError:
        async with HttpSession() as session:
            retries = Retries(sleep=sleep, jitter=lambda: 1.0)
            backend = ForwardBackend(Upstream("org/model", url), None, session, retries)
            with pytest.raises(ProviderError) as caught:
                async with backend.answer(Call("chat", BODY, json.dumps(BODY).encode())):
                    pass
            return caught.value

    assert not asyncio.run(ask("http://127.0.0.1:9/v1")).sent
    assert waits == [0.2, 0.4]
    upstream.handler = resets
    assert asyncio.run(ask(upstream.base_url)).sent
    assert (len(waits), len(upstream.bodies)) == (2, 1)


def test_an_upstream_that_comes_back_in_time_is_not_missed() -> None:
    """The request goes through when the server was only restarting."""
    held: list[socket.socket] = []

    def listen() -> None:
        held.append(socket.create_server(("127.0.0.1", port)))
        connection, _ = held[0].accept()
        connection.recv(10_000)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
        )
        connection.close()

    async def sleep(_seconds: float) -> None:
        thread.start()
        while not held:  # noqa: ASYNC110 - a thread's work
            await asyncio.sleep(0)

    async def ask() -> bytes:
        async with HttpSession() as session:
            upstream = Upstream("org/model", f"http://127.0.0.1:{port}/v1")
            backend = ForwardBackend(upstream, None, session, Retries(sleep=sleep))
            async with backend.answer(Call("chat", BODY, json.dumps(BODY).encode())) as answer:
                assert isinstance(answer.content, bytes)
                return answer.content

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    thread = threading.Thread(target=listen)
    assert asyncio.run(ask()) == b"{}"
    thread.join(10)
    held[0].close()
