"""A running demo gateway for every test that needs one, and clients of it."""

import asyncio
import http.client
import json
import queue
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
import uvicorn
from aiohttp import web

from regrade.gateway.app import make_app
from regrade.gateway.assembly import assembled
from regrade.gateway.process import Gateway, Served, demo_gateway
from regrade.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Answer:
    """What the server sent, untouched by any SDK."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """Return the error, in the API's form."""
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


Send = Callable[..., Answer]


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """Run the demo gateway with all shipped models."""
    with demo_gateway() as running:
        yield running


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """Return the official SDK, pointed at the gateway."""
    with openai.OpenAI(base_url=gateway.base_url, api_key="any", max_retries=0, timeout=20) as sdk:
        yield sdk


@pytest.fixture
def send(gateway: Gateway) -> Iterator[Send]:
    """Return what sends raw bytes or JSON to a path of the gateway, below its base URL."""
    base = urlsplit(gateway.base_url)
    connection = http.client.HTTPConnection(base.netloc, timeout=20)

    def send_to(
        path: str, body: object = None, *, method: str = "POST", key: str | None = "Bearer any"
    ) -> Answer:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": key} if key is not None else {}
        target = path if path.startswith(("/v1", "/api")) else base.path + path
        connection.request(method, target, content, headers)
        reply = connection.getresponse()
        return Answer(reply.status, reply.msg, reply.read())

    yield send_to
    connection.close()


def question(text: str = "Label this message: my parcel is late", **more: Any) -> dict[str, Any]:
    """Return the body of a chat request."""
    return {"model": "demo/v2", "messages": [{"role": "user", "content": text}], "temperature": 0} | more


@pytest.fixture
def ask() -> Callable[..., dict[str, Any]]:
    """Return what makes the body of a chat request."""
    return question


Handler = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Upstream:
    """A server behind the gateway whose answers each test decides.

    Attributes:
        base_url: Where it listens, `/v1` included.
        handler: Answers; set by the test.
        bodies: What arrived, byte for byte.
        headers: The headers of each.
        paths: The path of each.
    """

    base_url: str = ""
    handler: Handler | None = None
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Forget what has arrived."""
        self.bodies.clear()
        self.headers.clear()
        self.paths.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take note and let the test's handler answer."""
        content = await request.read()
        self.bodies.append(content)
        self.headers.append(request.headers.copy())
        self.paths.append(request.path)
        assert self.handler
        return await self.handler(request, content)


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    """Run the server behind the gateway."""
    upstream = Upstream()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/{tail:.*}", upstream.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    upstream.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield upstream
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def upstream(upstream_server: Upstream) -> Upstream:
    """Return the server behind the gateway, which has seen nothing yet."""
    upstream_server.forget()
    return upstream_server


class Client:
    """One connection to a gateway, without any SDK's opinions."""

    def __init__(self, base_url: str) -> None:
        self._base = urlsplit(base_url)
        self.connection = http.client.HTTPConnection(self._base.netloc, timeout=20)

    def open(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request and return its answer, unread."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": "Bearer client-key", **(headers or {})}
        self.connection.request("GET" if body is None else "POST", self._base.path + path, content, sent)
        return self.connection.getresponse()

    def send(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request and return its answer."""
        reply = self.open(path, body, headers)
        return Answer(reply.status, reply.msg, reply.read())

    def close(self) -> None:
        """Go away."""
        self.connection.close()


@pytest.fixture
def connect() -> Iterator[Callable[[str], Client]]:
    """Return what makes clients of a gateway; they go away with the test."""
    clients: list[Client] = []

    def make(base_url: str) -> Client:
        clients.append(Client(base_url))
        return clients[-1]

    yield make
    for one in clients:
        one.close()


@contextmanager
def gateway_in_thread(settings: GatewaySettings, env: Mapping[str, str]) -> Iterator[Gateway]:
    """Run what the serving process runs in a thread of this one: real sockets, without a process to start."""
    loop = asyncio.new_event_loop()
    ready: queue.Queue[tuple[uvicorn.Server, int, list[Served]] | BaseException] = queue.Queue()

    async def run() -> None:
        async with assembled(settings, env) as parts:
            app = make_app(parts.catalogue, parts.hooks, parts.log)
            config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", access_log=False)
            server = uvicorn.Server(config)
            with socket.create_server(("127.0.0.1", 0)) as listener:
                serving = asyncio.create_task(server.serve(sockets=[listener]))
                models = [
                    Served(one.id, one.context_window, one.mode, one.upstream)
                    for one in parts.catalogue.values()
                ]
                ready.put((server, listener.getsockname()[1], models))
                await serving

    def work() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:  # noqa: BLE001 - told in the thread of the test
            ready.put(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    begun = ready.get(timeout=20)
    if isinstance(begun, BaseException):
        thread.join()
        raise begun
    server, port, models = begun
    gateway = Gateway(settings)
    gateway.base_url = f"http://127.0.0.1:{port}/api/v1"
    gateway.models = models
    try:
        yield gateway
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def in_thread() -> Callable[..., AbstractContextManager[Gateway]]:
    """Return what runs a gateway in a thread of this process."""
    return gateway_in_thread
