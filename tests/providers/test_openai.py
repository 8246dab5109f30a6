"""The OpenAI-compatible provider against real servers that behave and misbehave on loopback."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from regrade.errors import ProviderError
from regrade.http import HttpSession, Timeouts
from regrade.providers.openai import OpenAICompatible
from regrade.types import Completion, Key, Model, Request, Sample, ToolCall, Usage

Handler = Callable[[web.Request, dict[str, Any]], Any]


def request_for(model: Model, **params: Any) -> Request:
    """Return a request as the plan makes it."""
    sample = Sample("s", "q", None, {}, "f")
    messages = [{"role": "user", "content": "q"}] if model.endpoint == "chat" else []
    key = Key("e", "p", model.name, "s", 1)
    return Request(key, 0, model, model.endpoint, messages, "q", params, "h", sample)


def complete(
    base_url: str, *, key: str | None = "sk-secret", timeouts: Timeouts | None = None, **more: Any
) -> Completion:
    """Send one request and return what came back."""
    params = more.pop("params", {})
    model = replace(Model("m", "m-id", base_url=base_url), **more)

    async def send() -> Completion:
        async with HttpSession(timeouts or Timeouts(), max_body_bytes=200_000) as session:
            return await OpenAICompatible(model, session, key).complete(request_for(model, **params))

    return asyncio.run(send())


def fails(base_url: str, **more: Any) -> ProviderError:
    """Send one request that must fail."""
    with pytest.raises(ProviderError) as caught:
        complete(base_url, **more)
    return caught.value


def replying(
    *parts: bytes, status: int = 200, content_type: str = "application/json", **headers: str
) -> Handler:
    """Return a handler that sends a body as it stands."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": content_type, **headers})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        return response

    return handle


def events(*chunks: str) -> Handler:
    """Return a handler that streams server-sent events."""
    return replying(*(f"data: {chunk}\n\n".encode() for chunk in chunks), content_type="text/event-stream")


def delta(text: str, finish: str = "null") -> str:
    """Return one chunk of a streamed chat answer."""
    choice = f'{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{finish}}}'
    return f'{{"model":"served","choices":[{choice}]}}'


def test_a_chat_request_carries_everything_and_the_answer_is_read(
    serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]
) -> None:
    """Model, messages, parameters and key go out; text, usage, finish reason and latency come back."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(answer("hello", model="served-as"))

    endpoint = serve(handle)
    found = complete(endpoint.base_url, params={"temperature": 0.5, "top_k": 3})
    assert endpoint.bodies == [
        {"model": "m-id", "messages": [{"role": "user", "content": "q"}], "temperature": 0.5, "top_k": 3}
    ]
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-secret"
    assert (found.text, found.finish_reason, found.served_model) == ("hello", "stop", "served-as")
    assert found.usage == Usage(7, 3)
    assert found.latency_s is not None
    assert found.ttft_s is None


def test_completions_send_a_prompt(serve: Callable[..., Any]) -> None:
    """The legacy API gets `prompt` and answers with `text`."""
    endpoint = serve(replying(b'{"choices":[{"text":"t","finish_reason":"length"}]}'))
    found = complete(endpoint.base_url, endpoint="completions")
    assert endpoint.bodies[0]["prompt"] == "q"
    assert (found.text, found.finish_reason) == ("t", "length")


def test_a_stream_is_put_together_with_time_to_first_token(serve: Callable[..., Any]) -> None:
    """Deltas add up; usage is asked for and taken from whichever chunk has it."""
    usage = '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}'
    endpoint = serve(events(delta("Hel"), delta("lo"), delta("", '"stop"'), usage, "[DONE]"))
    found = complete(endpoint.base_url, stream=True)
    assert endpoint.bodies[0]["stream_options"] == {"include_usage": True}
    assert (found.text, found.usage, found.served_model) == ("Hello", Usage(5, 2), "served")
    assert found.ttft_s is not None
    assert found.latency_s is not None
    assert found.ttft_s <= found.latency_s


@pytest.mark.parametrize(
    "chunks",
    [
        [delta("Hi"), delta("", '"stop"')],
        ['{"choices":[{"delta":{"role":"assistant","content":null}}]}', delta("Hi", '"stop"'), "[DONE]"],
        [
            delta("Hi"),
            '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}',
        ],
        [
            delta("Hi", '"stop"'),
            '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
        ],
        ['{"choices":[{"index":1,"delta":{"content":"other"}}]}', delta("Hi", '"stop"')],
    ],
)
def test_streams_of_real_servers_are_understood(serve: Callable[..., Any], chunks: list[str]) -> None:
    """No [DONE], null content, usage on the finish chunk or with choices: all give the same text."""
    assert complete(serve(events(*chunks)).base_url, stream=True).text == "Hi"


def test_a_stream_that_just_ends_is_truncated_and_worth_another_attempt(serve: Callable[..., Any]) -> None:
    """Without a finish reason half an answer is never taken for a whole one."""
    error = fails(serve(events(delta("Hal"))).base_url, stream=True)
    assert (error.kind, error.retryable) == ("truncated", True)


def test_a_server_that_does_not_stream_is_understood(
    serve: Callable[..., Any], answer: Callable[..., dict[str, Any]]
) -> None:
    """A whole answer in reply to a request for a stream is taken as it is."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(answer("whole"))

    assert complete(serve(handle).base_url, stream=True).text == "whole"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"error":{"message":"no such model","code":"model_not_found"}}',
            "no such model (model_not_found)",
        ),
        (b'{"error":"plain"}', "plain"),
        (b'{"detail":"not here"}', "not here"),
        (b'{"detail":[{"msg":"bad a"},{"msg":"bad b"}]}', "bad a; bad b"),
        (b'{"object":"error","message":"vllm says","code":404}', "vllm says"),
        (b"Internal problem", "Internal problem"),
        (b"<html><title>502</title><body>Bad <b>gateway</b></body></html>", "502 Bad gateway"),
        (b"", "without a message"),
        (b'{"error":{"message":"Incorrect API key: sk-abcdef123456"}}', "Incorrect API key: [redacted]"),
        (b"wrong: 'Authorization: Bearer abcdefgh'", "wrong: 'Authorization: [redacted]"),
        (b"send 'Authorization: Bearer <key>' (invalid)", "send 'Authorization: Bearer <key>' (invalid)"),
    ],
)
def test_the_servers_own_message_is_found_in_every_form(
    serve: Callable[..., Any], body: bytes, message: str
) -> None:
    """Whatever form an error has, its text reaches the user, without anything that looks like a key."""
    error = fails(serve(replying(body, status=404)).base_url)
    assert message in str(error)
    assert (error.kind, error.status, error.retryable) == ("bad_request", 404, False)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "bad_request", False),
        (401, "auth", False),
        (403, "auth", False),
        (422, "bad_request", False),
        (408, "timeout", True),
        (429, "rate_limit", True),
        (500, "server_error", True),
        (503, "server_error", True),
        (529, "server_error", True),
    ],
)
def test_each_status_has_its_kind(serve: Callable[..., Any], status: int, kind: str, retryable: bool) -> None:
    """What another attempt cannot help fails at once; the rest is worth one."""
    error = fails(serve(replying(b"x", status=status)).base_url)
    assert (error.kind, error.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 9.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(
    serve: Callable[..., Any], headers: dict[str, str], wait: float | None
) -> None:
    """Seconds, milliseconds, or a date measured by the server's own clock."""
    assert fails(serve(replying(b"x", status=429, **headers)).base_url).retry_after_s == wait


def test_a_used_up_quota_is_final(serve: Callable[..., Any]) -> None:
    """No money left is no rate limit: waiting does not help."""
    body = b'{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}'
    error = fails(serve(replying(body, status=429)).base_url)
    assert (error.kind, error.retryable) == ("rate_limit", False)


def test_a_prompt_that_is_too_long_has_its_own_kind(serve: Callable[..., Any]) -> None:
    """Context length is told apart from other bad requests."""
    body = b'{"error":{"message":"This model\'s maximum context length is 10 tokens"}}'
    assert fails(serve(replying(body, status=400)).base_url).kind == "context_length"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hi</html>",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":{"content":null}}]}',
    ],
)
def test_a_body_that_is_no_answer_is_invalid_and_worth_another_attempt(
    serve: Callable[..., Any], body: bytes
) -> None:
    """HTML, broken JSON and answers without a choice or content are never scored."""
    error = fails(serve(replying(body)).base_url)
    assert (error.kind, error.retryable) == ("invalid_response", True)


def test_an_empty_answer_that_is_finished_is_an_answer(serve: Callable[..., Any]) -> None:
    """A model may say nothing: with a finish reason that is its answer."""
    endpoint = serve(replying(b'{"choices":[{"message":{"content":null},"finish_reason":"length"}]}'))
    assert complete(endpoint.base_url).text == ""


def test_a_withheld_answer_is_final(serve: Callable[..., Any]) -> None:
    """A content filter is no answer and no reason to pay again."""
    body = b'{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}'
    error = fails(serve(replying(body)).base_url)
    assert (error.kind, error.retryable) == ("content_filter", False)


def test_reasoning_and_refusals_are_kept(serve: Callable[..., Any]) -> None:
    """Reasoning stands apart from the answer; a refusal is the answer."""
    body = b'{"choices":[{"message":{"content":"a","reasoning_content":"r"},"finish_reason":"stop"}]}'
    found = complete(serve(replying(body)).base_url)
    assert (found.text, found.reasoning) == ("a", "r")
    body = b'{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}'
    assert complete(serve(replying(body)).base_url).text == "I will not"


def test_an_error_with_status_200_is_an_error(serve: Callable[..., Any]) -> None:
    """Some gateways hide upstream's fault in a 200."""
    error = fails(serve(replying(b'{"error":{"message":"upstream died"}}')).base_url)
    assert (error.kind, error.retryable, error.message) == ("server_error", True, "upstream died")
    error = fails(serve(events(delta("x"), '{"error":{"message":"midway"}}')).base_url, stream=True)
    assert (error.kind, error.message) == ("server_error", "midway")


def test_a_redirect_is_not_followed_with_the_key(serve: Callable[..., Any]) -> None:
    """The key goes to the host that the user named and to no other."""
    other = serve(replying(b"{}"))
    endpoint = serve(replying(b"", status=307, Location=other.base_url))
    error = fails(endpoint.base_url)
    assert error.status == 307
    assert other.base_url in str(error)
    assert other.bodies == []


def test_an_answer_without_bounds_is_cut_off(serve: Callable[..., Any]) -> None:
    """A body larger than the limit is an error, not an ever-growing memory."""
    endpoint = serve(replying(b"x" * 150_000, b"x" * 150_000))
    assert fails(endpoint.base_url).kind == "invalid_response"


def test_nobody_listening_is_a_connection_failure() -> None:
    """A refused connection names the host and is worth another attempt."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    error = fails(f"http://127.0.0.1:{port}/v1")
    assert (error.kind, error.retryable) == ("connection", True)
    assert f"127.0.0.1:{port}" in str(error)


def test_a_server_that_hangs_up_is_a_connection_failure(serve: Callable[..., Any]) -> None:
    """A connection closed without an answer is told apart from a timeout."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    error = fails(serve(handle).base_url)
    assert (error.kind, error.retryable) == ("connection", True)


def test_a_silent_server_is_a_timeout(serve: Callable[..., Any]) -> None:
    """No byte within the read timeout ends the attempt."""

    async def handle(request: web.Request, body: dict[str, Any]) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    error = fails(serve(handle).base_url, timeouts=Timeouts(read=0.05))
    assert (error.kind, error.retryable) == ("timeout", True)


def test_models_are_listed_with_their_window(serve: Callable[..., Any]) -> None:
    """`GET /models` gives ids in the endpoint's order."""
    endpoint = serve(replying(b""))
    endpoint.models += ["b", "a"]

    async def ask() -> list[str]:
        async with HttpSession() as session:
            provider = OpenAICompatible(Model("*", "*", base_url=endpoint.base_url), session, "k")
            return [info.id for info in await provider.list_models()]

    assert asyncio.run(ask()) == ["b", "a"]


def test_the_key_shows_in_no_text() -> None:
    """Printing a provider, as a debugger or log might, does not print its key."""
    assert "sk-secret" not in repr(OpenAICompatible(Model("m", "m"), HttpSession(), "sk-secret"))


def test_calls_and_reasoning_stream_over_a_connection(serve: Callable[..., Any]) -> None:
    """Events cut anywhere on the wire: the call is whole, the thought apart, and both began the clock."""
    chunks = [
        '{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"hm"}}]}',
        (
            '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function",'
            '"function":{"name":"weather","arguments":""}}]}}]}'
        ),
        '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\""}}]}}]}',
        '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]}}]}',
        '{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
        "[DONE]",
    ]
    wire = "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()
    parts = [wire[at : at + 37] for at in range(0, len(wire), 37)]
    found = complete(serve(replying(*parts, content_type="text/event-stream")).base_url, stream=True)
    assert found.tool_calls == (ToolCall("weather", '{"city": 1}', "c1"),)
    assert (found.text, found.reasoning, found.finish_reason) == ("", "hm", "tool_calls")
    assert found.ttft_s is not None


def test_a_key_that_a_server_repeats_goes_no_further(serve: Callable[..., Any]) -> None:
    """Neither in the reasoning nor in the arguments of a call, nor a part of it where a refusal is cut."""
    refusal = fails(serve(replying(b"x" * 495 + b"sk-secret", status=400)).base_url)
    assert "sk-" not in refusal.message
    assert "sk-" not in str(refusal.args)
    body = (
        b'{"choices":[{"finish_reason":"stop","message":{"content":"sk-secret","reasoning":"a sk-secret b",'
        b'"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\\"k\\": \\"sk-secret\\"}"}}]}}]}'
    )
    found = complete(serve(replying(body)).base_url)
    assert "sk-secret" not in repr(found)
    assert found.tool_calls[0].arguments == '{"k": "[redacted]"}'
