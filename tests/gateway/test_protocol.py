"""The HTTP protocol before clients that are slow, greedy, many or wrong; limits are small here."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from regrade.gateway.connections import ConnectionLimits, Connections
from regrade.gateway.protocol import guarded_protocol

SHORT = 0.15
HEAD = b"POST /v1/x HTTP/1.1\r\nHost: x\r\n"
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class Server:
    """A server in the test's own event loop.

    Attributes:
        port: Where it listens.
        book: Its connections.
        seen: Bodies that reached the application whole.
        headers: The headers of the last request.
        go: Lets the application answer.
        lost: Requests whose client went away before the application had their body.
    """

    port: int = 0
    book: Connections = field(default_factory=lambda: Connections(ConnectionLimits()))
    seen: list[bytes] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    lost: int = 0
    answer: bytes = b"ok"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, wait for `go` and answer; `/early` is answered before its body is read."""
        if scope["path"] != "/early":
            body = b""
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.lost += 1
                    return
                body += message["body"]
                if not message["more_body"]:
                    break
            self.seen.append(body)
            await self.go.wait()
        self.headers = list(scope["headers"])
        length = (b"content-length", b"%d" % len(self.answer))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": self.answer})

    @asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def send(self, *pieces: bytes) -> bytes:
        """Send pieces over a connection of its own and return all that comes back until it is closed."""
        async with self.client() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await everything(reader)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the server closes."""
    return await reader.read()


@asynccontextmanager
async def running(**limits: Any) -> AsyncIterator[Server]:
    """Serve with these limits."""
    server = Server(book=Connections(ConnectionLimits(**limits)))
    server.go.set()
    config = uvicorn.Config(server, http=guarded_protocol(server.book), lifespan="off", log_config=None)
    config.load()
    state = ServerState()

    def protocol() -> asyncio.Protocol:
        return config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg] # as uvicorn calls it

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Let a test come to its end, which is near."""
    asyncio.run(asyncio.wait_for(work, 20))


def refused(answer: bytes) -> tuple[int, str]:
    """Return status and code of a refusal, which is in the API's form and the connection's last word."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "connection: close" in lines
    assert any(line.startswith("x-request-id: req_") for line in lines)
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return int(lines[0].split()[1]), error["code"]


def sized(body: bytes, length: int | None = None, path: bytes = b"/v1/x") -> bytes:
    """Return a whole request."""
    head = HEAD.replace(b"/v1/x", path)
    return head + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a whole request in chunks."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + end


@pytest.mark.parametrize("start", [b"", b"\r\n\r\n"])
def test_a_connection_that_says_nothing_is_closed(start: bytes) -> None:
    """Neither silence nor empty lines hold a connection."""

    async def check() -> None:
        async with running(first_byte_s=SHORT) as server:
            assert await server.send(start) == b""
            assert len(server.book) == 0

    run(check())


@pytest.mark.parametrize("start", [b"P", b"POST /v1", HEAD, HEAD + b"X-Slow: a"])
def test_headers_that_do_not_end_are_a_408(start: bytes) -> None:
    """However far a slow client comes, its time for all headers together ends."""

    async def check() -> None:
        async with running(headers_s=SHORT) as server:
            assert refused(await server.send(start)) == (408, "request_timeout")

    run(check())


def test_headers_that_come_drop_by_drop_have_one_time_for_all() -> None:
    """A client that sends a byte now and then gains nothing by it."""

    async def check() -> None:
        async with running(headers_s=SHORT) as server, server.client() as (reader, writer):
            answer = asyncio.create_task(everything(reader))
            writer.write(HEAD)
            while not answer.done():
                writer.write(b"X-A: b\r\n")
                await asyncio.wait({answer}, timeout=SHORT / 10)
            assert refused(answer.result()) == (408, "request_timeout")

    run(check())


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n",
        HEAD + b"X-Big: " + b"a" * 3000 + b"\r\n\r\n",
        HEAD + b"X-Endless: " + b"a" * 400_000,
        b"GET /" + b"a" * 400_000,
        HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 90) for n in range(30)) + b"\r\n",
        HEAD + b"".join(b"X-%d: \r\n" % n for n in range(60)) + b"\r\n",
    ],
)
def test_headers_that_are_too_large_or_too_many_are_a_431(head: bytes) -> None:
    """One giant, one without an end, a long address, many small ones: none is kept in memory."""

    async def check() -> None:
        async with running(header_bytes=2000, header_count=50) as server:
            assert refused(await server.send(head)) == (431, "headers_too_large")
            assert server.seen == []

    run(check())


def test_a_body_that_does_not_come_is_a_408() -> None:
    """A length that promises more than is sent, and chunks without an end, hold nobody up."""

    async def check() -> None:
        async with running(body_pause_s=SHORT) as server:
            assert refused(await server.send(sized(b"abc", 10))) == (408, "request_timeout")
            assert refused(await server.send(chunked(b"abc", end=b""))) == (408, "request_timeout")
            assert server.seen == []
            await asyncio.sleep(0)
            assert server.lost == 2

    run(check())


def test_a_body_that_comes_drop_by_drop_has_one_time_for_all() -> None:
    """A client that sends a byte now and then gains nothing by it."""

    async def check() -> None:
        async with running(body_s=SHORT, body_pause_s=5) as server, server.client() as (reader, writer):
            answer = asyncio.create_task(everything(reader))
            writer.write(sized(b"", 10_000))
            while not answer.done():
                writer.write(b"a")
                await asyncio.wait({answer}, timeout=SHORT / 10)
            assert refused(answer.result()) == (408, "request_timeout")

    run(check())


@pytest.mark.parametrize(
    "request_",
    [sized(b"", 1001), sized(b"a" * 1001), chunked(b"a" * 600, b"a" * 600), chunked(b"a" * 90_000)],
)
def test_a_body_that_is_too_large_is_a_413(request_: bytes) -> None:
    """Announced, sent at once, in chunks: the application never has it, and the client hears why."""

    async def check() -> None:
        async with running(body_bytes=1000) as server:
            assert refused(await server.send(request_)) == (413, "request_too_large")
            assert server.seen == []

    run(check())


def test_a_client_hears_why_while_it_still_sends() -> None:
    """The answer is not lost with the connection although megabytes are on their way."""

    async def check() -> None:
        async with running(body_bytes=1000) as server, server.client() as (reader, writer):
            writer.write(sized(b"a" * 5_000_000))
            await writer.drain()
            assert refused(await everything(reader)) == (413, "request_too_large")

    run(check())


def test_what_is_longer_than_its_length_is_not_taken_for_part_of_it() -> None:
    """A request whose length lies is refused, and so is one with two of them."""

    async def check() -> None:
        async with running() as server:
            assert refused(await server.send(sized(b"abcdef\r\n\r\n", 3))) == (400, "bad_http")
            both = HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"
            assert refused(await server.send(both)) == (400, "bad_http")

    run(check())


def test_trailers_add_nothing_to_a_request() -> None:
    """A header after the body reaches no application, and many of them are refused."""

    async def check() -> None:
        async with running(header_bytes=2000, keep_alive_s=SHORT) as server:
            answer = await server.send(chunked(b"abc", end=b"0\r\nAuthorization: Bearer x\r\n\r\n"))
            assert answer.endswith(b"ok")
            assert [name for name, _ in server.headers] == [b"host", b"transfer-encoding"]
            for end in (b"0\r\nX: " + b"a" * 400_000, b"3;" + b"a" * 400_000):
                assert refused(await server.send(chunked(b"abc", end=end))) == (431, "headers_too_large")

    run(check())


def test_a_model_may_think_longer_than_any_limit() -> None:
    """While a request is being answered no time of the client's runs."""
    names = ("first_byte_s", "headers_s", "body_pause_s", "body_s", "write_s", "keep_alive_s", "rest_s")
    every = dict.fromkeys(names, SHORT / 5)

    async def check() -> None:
        async with running(**every) as server, server.client() as (reader, writer):
            server.go.clear()
            writer.write(sized(b"abc"))
            waiting = asyncio.create_task(everything(reader))
            done, _ = await asyncio.wait({waiting}, timeout=SHORT * 2)
            assert not done
            server.go.set()
            assert (await waiting).endswith(b"ok")

    run(check())


def test_a_connection_serves_again_and_is_closed_when_it_idles() -> None:
    """Requests follow one another on a connection until it rests too long."""

    async def check() -> None:
        async with running(keep_alive_s=SHORT, first_byte_s=SHORT) as server:
            async with server.client() as (reader, writer):
                for _ in range(3):
                    writer.write(sized(b"abc"))
                    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
                assert await everything(reader) == b""
            assert server.seen == [b"abc"] * 3

    run(check())


def test_requests_sent_ahead_are_answered_in_order_up_to_a_number() -> None:
    """A few at once are fine; a connection stuffed with them is closed."""

    async def check() -> None:
        async with running(keep_alive_s=SHORT) as server:
            assert (await server.send(sized(b"abc") * 5)).count(b"ok") == 5
            assert (await server.send(sized(b"abc") * 500)).count(b"ok") < 50

    run(check())


def test_the_rest_of_a_body_that_nobody_wants_is_not_waited_for() -> None:
    """Whoever is answered before the body is read cannot keep the connection by sending it slowly."""

    async def check() -> None:
        async with running(rest_s=SHORT) as server:
            answer = await server.send(sized(b"a", 1000, b"/early"))
            assert answer.endswith(b"ok")
            assert len(server.book) == 0

    run(check())


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """What waits for a client waits only so long; then its connection goes, and the memory with it."""

    async def check() -> None:
        async with running(write_s=SHORT) as server:
            server.answer = b"a" * 50_000_000
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", server.port))
                await loop.sock_sendall(client, sized(b"abc"))
                while not server.seen or len(server.book):  # noqa: ASYNC110 - what ends is the server's
                    await asyncio.sleep(0.01)

    run(check())


def test_when_there_are_too_many_the_longest_idle_goes() -> None:
    """A newcomer is let in at the expense of whoever keeps the server waiting, never of an answer."""

    async def check() -> None:
        async with running(connections=3) as server, server.client() as busy, server.client() as idle:
            server.go.clear()
            busy[1].write(sized(b"busy"))
            while not server.seen:  # noqa: ASYNC110
                await asyncio.sleep(0)
            async with server.client() as slow, server.client() as newcomer:
                assert await everything(idle[0]) == b""
                slow[1].write(HEAD)
                newcomer[1].write(sized(b"new"))
                while len(server.seen) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                async with server.client() as last:
                    assert await everything(slow[0]) == b""
                    last[1].write(sized(b"last"))
                    while len(server.seen) < 3:  # noqa: ASYNC110
                        await asyncio.sleep(0)
                    # Now all three are being answered.
                    assert refused(await server.send()) == (503, "too_many_connections")
                    server.go.set()
                    for reader, _ in (busy, newcomer, last):
                        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")

    run(check())


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HELLO\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        HEAD + b" folded: x\r\n\r\n",
        HEAD + b"Bad\x00Name: x\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_a_400_in_the_apis_form(junk: bytes) -> None:
    """A client of any kind gets an answer that it can read, at once."""

    async def check() -> None:
        async with running() as server:
            assert refused(await server.send(junk)) == (400, "bad_http")

    run(check())


def test_offers_of_other_protocols_are_passed_over() -> None:
    """A client that offers HTTP/2 or a web socket is answered as if it had not, again and again."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"

    async def check() -> None:
        async with running() as server, server.client() as (reader, writer):
            for _ in range(2):
                writer.write(HEAD + offer + b"Content-Length: 3\r\n\r\nabc")
                assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")

    run(check())
