"""How the serving process ends."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from regrade.cassette import Replayer
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Upstream

PATH = "/chat/completions"
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_what_the_end_cuts_short_is_recorded(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path
) -> None:
    """The cassette stays open until a slow stream and a slow answer have been told, and are on record."""
    asked = threading.Semaphore(0)

    async def stalls(request: web.Request, content: bytes) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if json.loads(content).get("stream"):
            await reply.prepare(request)
            await reply.write(CHUNK)
        asked.release()
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return reply

    upstream.handler = stalls
    model = Upstream("m", upstream.base_url, mode="record")
    said: list[bytes] = []
    with Gateway(GatewaySettings(upstreams=(model,), record=str(tmp_path)), errors=said.append) as gateway:
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
    with Replayer(tmp_path) as replayer:
        found = {one.events is not None: (one.end, one.passing) for one in replayer.exchanges()}
    assert found == {True: ("gone", True), False: ("gone", True)}
