"""The access log, and the meter that feeds it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from regrade.gateway.events import Events, split_events
from regrade.gateway.metering import Meter
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.types import Usage

PATH = "/chat/completions"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "a private question"}]}
USAGE = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13}


def chunk(text: str, **more: Any) -> bytes:
    """Return an event of a stream."""
    return (
        b"data: "
        + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}).encode()
        + b"\n\n"
    )


async def answers(request: web.Request, content: bytes) -> web.StreamResponse:
    """Answer whole or as a stream."""
    body = json.loads(content)
    if body["messages"][0]["content"] == "too much":
        return web.json_response({"error": {"message": "slow down", "code": "rate"}}, status=429)
    if not body.get("stream"):
        return web.json_response({"choices": [{"message": {"content": "hello"}}], "usage": USAGE})
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(chunk("hel") + chunk("lo", usage=USAGE))
    if body["messages"][0]["content"] == "break":
        assert request.transport is not None
        request.transport.abort()
        return answer
    await answer.write(b"data: [DONE]\n\n")
    return answer


@pytest.mark.parametrize("prompts", [False, True])
def test_every_request_is_a_line(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path, in_thread: Any, prompts: bool
) -> None:
    """With status, tokens, times and the end; the prompt is in it only when asked for, a key never."""
    upstream.handler = answers
    log = tmp_path / "access.jsonl"
    model = Upstream("m", upstream.base_url, mode="forward")
    with in_thread(GatewaySettings(upstreams=(model,), log=str(log), log_prompts=prompts), {}) as gateway:
        client = connect(gateway.base_url)
        ids = [
            client.send(PATH, BODY).headers["X-Request-Id"],
            client.send(PATH, BODY | {"stream": True}).headers["X-Request-Id"],
            client.send(PATH, BODY | {"messages": [{"role": "user", "content": "too much"}]}).headers[
                "X-Request-Id"
            ],
            client.send(
                PATH, BODY | {"stream": True, "messages": [{"role": "user", "content": "break"}]}
            ).headers["X-Request-Id"],
            client.send(PATH, BODY | {"temperature": 3}).headers["X-Request-Id"],
            client.send("/models").headers["X-Request-Id"],
            client.send("/nothing", {}).headers["X-Request-Id"],
        ]
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["request_id"] for line in lines] == ids
    seen = [(line["status"], line["model"], line["error"], line["complete"]) for line in lines]
    assert seen == [
        (200, "m", None, True),
        (200, "m", None, True),
        (429, "m", "rate", True),
        (200, "m", "upstream_failed", True),
        (400, None, "value_above_maximum", True),
        (200, None, None, True),
        (404, None, "unknown_url", True),
    ]
    assert [(line["prompt_tokens"], line["completion_tokens"]) for line in lines[:3]] == [
        (11, 2),
        (11, 2),
        (None, None),
    ]
    assert [(line["mode"], line["stream"], line["key"], line["path"]) for line in lines[:2]] == [
        ("forward", False, "any", "/api/v1" + PATH),
        ("forward", True, "any", "/api/v1" + PATH),
    ]
    assert all(0 <= line["ttfb_s"] <= line["latency_s"] and line["bytes"] > 0 for line in lines)
    assert ("a private question" in text) is prompts
    assert "client-key" not in text


def test_what_went_wrong_is_named(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path, in_thread: Any
) -> None:
    """By its code, else its type, else the status: of this server and of the upstream."""

    async def fails(_request: web.Request, _content: bytes) -> web.StreamResponse:
        return web.Response(status=502, text="<html>bad gateway</html>")

    upstream.handler = fails
    log = tmp_path / "access.jsonl"
    models = (
        Upstream("m", upstream.base_url, mode="forward"),
        Upstream("gone", "http://127.0.0.1:9", mode="forward"),
    )
    with in_thread(GatewaySettings(upstreams=models, log=str(log)), {}) as gateway:
        client = connect(gateway.base_url)
        for body, headers in (
            (b"{not json", {}),
            (BODY, {"Authorization": "Basic x"}),
            (BODY, {}),
            (BODY | {"model": "gone"}, {}),
            (b"\x1f\x8b", {"Content-Encoding": "gzip"}),
        ):
            client.send(PATH, body, headers)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["status"], line["error"]) for line in lines] == [
        (400, "invalid_request_error"),
        (401, "invalid_api_key"),
        (502, "http_502"),
        (502, "upstream_failed"),
        (415, "unsupported_encoding"),
    ]


def test_a_client_that_leaves_is_a_line_too(
    upstream: Any, connect: Callable[[str], Any], tmp_path: Path, in_thread: Any
) -> None:
    """It says that the answer did not come to its end."""

    async def never_ends(request: web.Request, _content: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        while True:
            await answer.write(chunk("x"))

    upstream.handler = never_ends
    log = tmp_path / "access.jsonl"
    model = Upstream("m", upstream.base_url, mode="forward")
    with in_thread(GatewaySettings(upstreams=(model,), log=str(log)), {}) as gateway:
        client = connect(gateway.base_url)
        client.open(PATH, BODY | {"stream": True}).read1(10)
        client.close()
    line = json.loads(log.read_text())
    assert (line["status"], line["complete"]) == (200, False)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_is_counted_however_it_is_cut(size: int) -> None:
    """Tokens as the upstream said, and the text of every kind that a model writes."""
    call = {"index": 0, "function": {"name": "f", "arguments": '{"a": 1}'}}
    content = (
        b": comment\r\n\r\n"
        + chunk("wört")
        + b"data: not json\n\n"
        + b"data: "
        + json.dumps({"choices": [{"delta": {"tool_calls": [call], "reasoning_content": "hm"}}]}).encode()
        + b"\r\n\r\n"
        + chunk("er", usage=None)
        + b"data: "
        + json.dumps({"choices": [], "usage": USAGE}).encode()
        + b"\n\ndata: [DONE]\n\n"
    )
    meter = Meter()
    for at in range(0, len(content), size):
        meter.piece(content[at : at + size])
    assert (meter.usage, meter.text_bytes) == (Usage(11, 2), len("wörter".encode()) + 8 + 2)


def test_a_whole_answer_is_counted() -> None:
    """Of both endpoints; what is no answer counts nothing."""
    meter = Meter()
    meter.whole(
        json.dumps({"choices": [{"text": "abc"}, {"message": {"content": "de"}}], "usage": USAGE}).encode()
    )
    assert (meter.usage, meter.text_bytes) == (Usage(11, 2), 5)
    for odd in (b"<html>", b"[]", b'{"choices": 3, "usage": "many"}', b'{"choices": [null], "usage": {}}'):
        meter = Meter()
        meter.whole(odd)
        assert (meter.usage, meter.text_bytes) == (None, 0)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_events_are_found_however_they_are_cut(size: int) -> None:
    """With both line ends, several lines of data, comments, other fields, and an end without a blank line."""
    content = b": hi\n\ndata: a\ndata:b\r\n\r\nevent: x\ndata:  c\n\nid: 1\n\ndata: last"
    events = Events()
    found = [data for at in range(0, len(content), size) for data in events.of(content[at : at + size])]
    assert found + events.last() == ["a\nb", " c", "last"]
    whole, rest = split_events(content)
    assert b"".join(whole) + rest == content
