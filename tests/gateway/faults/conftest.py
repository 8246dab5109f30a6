"""The gateway's own application with faults around it, over a backend that always says the same."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from regrade.gateway.app import make_app
from regrade.gateway.backend import EVENT_STREAM, JSON, Answer, Call, event
from regrade.gateway.catalogue import Offer
from regrade.gateway.connections import ConnectionLimits, Connections
from regrade.gateway.faults.injector import FaultInjector
from regrade.gateway.faults.kinds import KINDS
from regrade.gateway.faults.rules import read_faults
from regrade.gateway.hooks import Hooks
from regrade.gateway.protocol import guarded_protocol

TEXT = "one two three"
WHOLE = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"one two three"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}'
)
PIECES = tuple(
    event(b'{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}' % word)
    for word in (b"one ", b"two ", b"three")
)
FINISH = event(b'{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
DONE = event(b"[DONE]")
STREAM = b"".join([*PIECES, FINISH, DONE])


class Fixed:
    """A backend whose answer is known."""

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncIterator[Answer]:
        """Answer."""
        if call.stream:
            yield Answer(200, EVENT_STREAM, self._pieces())
        else:
            yield Answer(200, JSON, WHOLE)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for piece in (*PIECES, FINISH, DONE):
            yield piece


@dataclass
class Faulty:
    """A running server.

    Attributes:
        base_url: Where it listens.
        port: Of it.
    """

    base_url: str
    port: int


@pytest.fixture(scope="module")
def serve_faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Faulty]]:
    """Return what serves any model with the faults that a YAML text names; every fault is a model too."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running: list[tuple[uvicorn.Server, Any]] = []
    catalogue = {name: Offer(name, Fixed()) for name in (*KINDS, "m")}

    def begin(text: str) -> Faulty:
        path = tmp_path_factory.mktemp("faults") / "faults.yaml"
        path.write_text(text)
        injector = FaultInjector(read_faults(path))
        listener = socket.create_server(("127.0.0.1", 0))
        app = make_app(catalogue, Hooks(around_answers=injector.around))
        # uvicorn takes signals over in main threads alone.
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            http=guarded_protocol(Connections(ConnectionLimits())),
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        running.append((server, asyncio.run_coroutine_threadsafe(server.serve([listener]), loop)))
        port = listener.getsockname()[1]
        return Faulty(f"http://127.0.0.1:{port}/v1", port)

    yield begin
    for server, _ in running:
        server.should_exit = True
    for _, ended in running:
        ended.result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Any]:
    """Return what reads the rules of a YAML text."""

    def read_text(text: str) -> Any:
        path = tmp_path / "faults.yaml"
        path.write_text(text)
        return read_faults(path)

    return read_text
