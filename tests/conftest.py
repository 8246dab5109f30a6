"""A real endpoint on loopback for every test that needs one, and a clean folder to work in."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp import web

Handler = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """A server in a thread of its own that answers every POST with the test's handler.

    Attributes:
        base_url: Where it listens, `/v1` included.
        bodies: Every JSON body that arrived, in order.
        headers: The headers of each.
        models: Ids that it lists.
    """

    base_url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


def chat_answer(text: str, **more: Any) -> dict[str, Any]:
    """Return a chat completion as the API forms it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m",
        "choices": [choice],
        "usage": usage,
        **more,
    }


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep keys and caches of whoever runs the tests out of them, and theirs out of his folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Return what skips a test, saying what is not installed; on CI it fails instead: there all has to be."""

    def tell(what: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)

    return tell


@pytest.fixture
def answer() -> Callable[..., dict[str, Any]]:
    """Return what makes a chat completion."""
    return chat_answer


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Endpoint]]:
    """Return what starts an endpoint; it ends with the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runners: list[web.AppRunner] = []

    def on_loop(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def start(handler: Handler, endpoint: Endpoint) -> None:
        async def post(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            endpoint.bodies.append(body)
            endpoint.headers.append(dict(request.headers))
            return await handler(request, body)

        async def list_models(request: web.Request) -> web.Response:
            endpoint.headers.append(dict(request.headers))
            return web.json_response(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in endpoint.models]}
            )

        app = web.Application()
        app.router.add_get("/v1/models", list_models)
        app.router.add_post("/v1/{tail:.*}", post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    def begin(handler: Handler) -> Endpoint:
        endpoint = Endpoint()
        on_loop(start(handler, endpoint))
        return endpoint

    yield begin
    for runner in runners:
        on_loop(runner.cleanup())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without the keys of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return tmp_path
