"""A server that misbehaves on the wire, and a run against it."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from regrade.execute import Executor, ExecutorOptions
from regrade.http import HttpSession, Timeouts
from regrade.providers.openai import OpenAICompatible
from regrade.types import Endpoint, Key, Model, Outcome, Request, Sample

Respond = Callable[["Wire"], Awaitable[None]]
CHAT = b'{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}'
TEXT = b'{"choices":[{"text":"fine","finish_reason":"stop"}]}'


@dataclass
class Wire:
    """One request as it arrived, and the way to answer it byte by byte."""

    head: bytes
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def stream(self) -> bool:
        """Return whether server-sent events are asked for."""
        return b'"stream":true' in self.body

    async def send(self, *parts: bytes) -> None:
        """Write raw bytes."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def reply(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """Answer with a whole body."""
        fields = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        await self.send(f"HTTP/1.1 {status} x\r\n{lines}\r\n".encode() + body)

    async def events(self, *data: bytes) -> None:
        """Begin a stream of events, ended by closing the connection."""
        await self.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for one in data:
            await self.send(b"data: " + one + b"\n\n")

    async def fine(self) -> None:
        """Answer as the API should."""
        if not self.stream:
            await self.reply(200, CHAT if b"/chat/" in self.head else TEXT)
            return
        field_ = b'"delta":{"content":"fine"}' if b"/chat/" in self.head else b'"text":"fine"'
        await self.events(b'{"choices":[{%s,"finish_reason":"stop"}]}' % field_, b"[DONE]")
        self.writer.close()


@dataclass
class FaultyServer:
    """Answers the first requests with a fault and the others well.

    Attributes:
        base_url: Where it listens.
        fault: What happens to the first requests.
        times: How many of them.
        heads: Request line and headers of every request.
    """

    base_url: str = ""
    fault: Respond = Wire.fine
    times: int = 1
    heads: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            await self._serve(reader, writer)
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(length)
                self.heads.append(head)
                wire = Wire(head, body, writer)
                await (self.fault(wire) if len(self.heads) <= self.times else wire.fine())


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Return an event loop that runs in a thread of its own."""
    found = asyncio.new_event_loop()
    thread = threading.Thread(target=found.run_forever, daemon=True)
    thread.start()
    yield found
    asyncio.run_coroutine_threadsafe(_stop_all(), found).result(10)
    found.call_soon_threadsafe(found.stop)
    thread.join(10)
    found.close()


async def _stop_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports say goodbye in the next round


@pytest.fixture
def faulty(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., FaultyServer]]:
    """Return what starts a faulty server, with TLS when it is given a context."""
    servers: list[asyncio.Server] = []

    def begin(fault: Respond, times: int = 1, tls: ssl.SSLContext | None = None) -> FaultyServer:
        found = FaultyServer(fault=fault, times=times)

        async def start() -> asyncio.Server:
            return await asyncio.start_server(found.handle, "127.0.0.1", 0, ssl=tls)

        server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        servers.append(server)
        scheme = "https" if tls else "http"
        found.base_url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return found

    yield begin
    for server in servers:
        loop.call_soon_threadsafe(server.close)


class Notes:
    """A journal in memory."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    async def append(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        self.outcomes.append(outcome)

    def replay(self) -> Iterator[Any]:
        """Yield nothing: there was no earlier sitting."""
        yield from ()


def ask(
    base_url: str,
    form: str = "chat",
    *,
    count: int = 1,
    timeouts: Timeouts | None = None,
    attempt_s: float = 5.0,
    key: str = "sk-private-key-0123456789",
) -> list[Outcome]:
    """Send requests through the executor as a run does, with short waits, and return what came of them."""
    endpoint: Endpoint = "completions" if form == "completions" else "chat"
    model = Model("m", "m", base_url=base_url, endpoint=endpoint, stream=form == "stream")
    options = ExecutorOptions(
        max_connections=4, max_retries=2, backoff_s=0.001, max_backoff_s=0.01, attempt_timeout_s=attempt_s
    )

    def request(number: int) -> Request:
        messages = [{"role": "user", "content": "q"}] if endpoint == "chat" else []
        sample = Sample(f"s{number}", "q", None, {}, "f")
        key_ = Key("e", "p", "m", sample.id, 1)
        return Request(key_, number, model, endpoint, messages, "q", {}, f"h{number}", sample)

    async def go() -> list[Outcome]:
        async with HttpSession(timeouts or Timeouts(), max_body_bytes=200_000) as session:
            provider = OpenAICompatible(model, session, key)
            executor = Executor(lambda _: provider, Notes(), options, lambda _: None)
            return [one async for one in executor.run(map(request, range(count)))]

    return asyncio.run(go())


@pytest.fixture
def send() -> Callable[..., list[Outcome]]:
    """Return what sends requests as a run does."""
    return ask
