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


def test_a_client_does_not_see_that_usage_was_asked_for(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path, in_thread: Any
) -> None:
    """Where the gateway asked, chunks lose their `"usage": null`, and no other byte; else they keep it."""
    nulls = [
        b'data: {"choices": [{"delta": {"content": "\\"usage\\":null"}}], "usage": null}\n\n',
        b'data: {"usage": null, "choices": []}\n\n',
    ]

    async def streams(request: web.Request, _: bytes) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(b"".join(nulls) + b"data: [DONE]\n\n")
        return reply

    upstream.handler = streams
    model = Upstream("m", upstream.base_url, mode="record")
    with in_thread(GatewaySettings(upstreams=(model,), record=str(tmp_path)), {}) as gateway:
        client = connect(gateway.base_url)
        unasked = client.send(PATH, BODY | {"stream": True}).body
        asked = client.send(PATH, BODY | {"stream": True, "stream_options": {"include_usage": True}}).body
    done = b"data: [DONE]\n\n"
    assert unasked == nulls[0].replace(b', "usage": null', b"") + b'data: {"choices":[]}\n\n' + done
    assert asked == b"".join(nulls) + done


def test_what_is_odd_about_a_cassette_is_a_warning(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path, in_thread: Any, capsys: Any
) -> None:
    """Redaction that found nothing, at the end of a recording; a torn line, at the start of a replay."""

    async def answers(_request: web.Request, _content: bytes) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "ACME-1"}}], "user": "x"})

    upstream.handler = answers
    model = Upstream("m", upstream.base_url, mode="record")
    settings = GatewaySettings(
        upstreams=(model,),
        record=str(tmp_path),
        redact=("$.user", "$.meta.usr"),
        redact_patterns=(r"ACME-\d", "XY+Z"),
    )
    with in_thread(settings, {}) as gateway:
        for _ in range(2):
            assert connect(gateway.base_url).send(PATH, BODY).status == 200
        assert capsys.readouterr().err == ""
    assert capsys.readouterr().err.splitlines() == [
        "warning: redaction: `$.meta.usr` matched nothing in 2 exchanges",
        "warning: redaction: `XY+Z` matched nothing in 2 exchanges",
    ]
    path = tmp_path / "exchanges.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    with in_thread(GatewaySettings(replay=str(tmp_path)), {}):
        assert "exchanges.jsonl (line 2) is torn" in capsys.readouterr().err
