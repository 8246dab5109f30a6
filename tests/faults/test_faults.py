"""Every fault of a server ends in the right answer or the right failure, on each form of the API."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import trustme

from regrade.http import Timeouts

Fault = Callable[[Any], Awaitable[None]]
FORMS = ["chat", "completions", "stream"]
WHOLE = ["chat", "completions"]
FINE = "fine"
LATE = Timeouts(connect=0.5, read=0.1)


def status(
    code: int, body: bytes = b'{"error":{"message":"no"}}', **headers: str
) -> Callable[[Any], Awaitable[None]]:
    """Return the fault of an answer with this status."""

    async def fault(wire: Any) -> None:
        await wire.reply(code, body, **headers)

    return fault


def body(content: bytes, kind: str = "application/json") -> Fault:
    """Return the fault of this body with status 200."""

    async def fault(wire: Any) -> None:
        await wire.reply(200, content, kind)

    return fault


async def reset(wire: Any) -> None:
    """Cut the connection without an answer."""
    wire.writer.transport.abort()


async def cut(wire: Any) -> None:
    """Promise more than is sent."""
    await wire.send(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"choices"'
    )
    wire.writer.close()


async def stall(wire: Any) -> None:
    """Send nothing at all."""
    await asyncio.sleep(30)


async def drip(wire: Any) -> None:
    """Send a byte now and then, never enough."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
    while True:
        await wire.send(b" ")
        await asyncio.sleep(0.02)


async def endless(wire: Any) -> None:
    """Send a body without an end."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while True:
        await wire.send(b" " * 50_000)


async def huge(wire: Any) -> None:
    """Announce fifty megabytes."""
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n")
    while True:
        await wire.send(b" " * 50_000)


PIECE = b'{"choices":[{"delta":{"content":"half"}}]}'


def events(
    *data: bytes, then: Callable[[Any], Awaitable[None]] | None = None
) -> Callable[[Any], Awaitable[None]]:
    """Return the fault of a stream of these events, ended by closing the connection."""

    async def fault(wire: Any) -> None:
        await wire.events(*data)
        if then is not None:
            await then(wire)
        wire.writer.close()

    return fault


async def drip_comments(wire: Any) -> None:
    """Keep a stream alive without ever saying anything."""
    while True:
        await wire.send(b": keep-alive\n\n")
        await asyncio.sleep(0.02)


RETRIED = {
    "429 with Retry-After in seconds": status(429, Retry_After="0"),
    "429 with Retry-After as a date": status(
        429, Retry_After=format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)
    ),
    "429 without Retry-After": status(429),
    "500": status(500),
    "502 in HTML": status(502, b"<html><h1>Bad Gateway</h1></html>"),
    "503": status(503),
    "504": status(504),
    "529": status(529),
    "connection reset": reset,
    "truncated body": cut,
    "HTML with status 200": body(b"<html>log in</html>", "text/html"),
    "invalid JSON": body(b'{"choices": ['),
    "JSON without choices": body(b'{"object": "nothing"}'),
    "empty choices": body(b'{"choices": []}'),
    "empty body": body(b""),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", RETRIED)
def test_passing_faults_are_tried_again(fault: str, form: str, faulty: Any, send: Any) -> None:
    """The second attempt is answered; the row says that there were two."""
    server = faulty(RETRIED[fault])
    (outcome,) = send(server.base_url, form)
    assert outcome.completion is not None, outcome.failure
    assert (outcome.completion.text, outcome.attempts, len(server.heads)) == (FINE, 2, 2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", [stall, drip], ids=["stall", "drip"])
def test_an_attempt_has_a_deadline(fault: Any, form: str, faulty: Any, send: Any) -> None:
    """Neither silence nor a byte now and then outlasts the deadline of the attempt."""
    server = faulty(fault)
    (outcome,) = send(server.base_url, form, attempt_s=0.2)
    assert outcome.completion is not None, outcome.failure
    assert outcome.attempts == 2


@pytest.mark.parametrize("form", FORMS)
def test_silence_has_a_deadline_of_its_own(form: str, faulty: Any, send: Any) -> None:
    """A server that accepts and says nothing is given up after the read timeout."""
    server = faulty(stall, times=9)
    (outcome,) = send(server.base_url, form, timeouts=LATE)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.attempts) == ("timeout", 3)
    assert "sent nothing for too long" in outcome.failure.message


FINAL = {
    "400": (status(400), "bad_request", "no"),
    "401": (status(401), "auth", "no"),
    "403": (status(403), "auth", "no"),
    "404": (status(404, b'{"detail": "Not Found"}'), "bad_request", "Not Found"),
    "422": (status(422, b'{"detail": [{"msg": "field required"}]}'), "bad_request", "field required"),
    "context length exceeded": (
        status(400, b'{"error":{"message":"This model\'s maximum context length is 512 tokens"}}'),
        "context_length",
        "512 tokens",
    ),
    "content filter as an error": (
        status(400, b'{"error":{"message":"blocked","code":"content_filter"}}'),
        "content_filter",
        "blocked",
    ),
    "quota used up": (
        status(429, b'{"error":{"message":"You exceeded your current quota"}}'),
        "rate_limit",
        "quota",
    ),
    "error as a string": (status(400, b'{"error": "a string"}'), "bad_request", "a string"),
    "plain text": (status(400, b"plain words"), "bad_request", "plain words"),
    "HTML error": (status(400, b"<html><p>markup</p></html>"), "bad_request", "markup"),
    "integer code": (status(404, b'{"error":{"message":"no such","code":404}}'), "bad_request", "no such"),
    "50 MB body": (huge, "invalid_response", "larger than"),
    "endless body": (endless, "invalid_response", "larger than"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", FINAL)
def test_lasting_faults_fail_at_once_with_the_servers_words(
    fault: str, form: str, faulty: Any, send: Any
) -> None:
    """One attempt, the right kind, and the server's own message."""
    respond, kind, words = FINAL[fault]
    server = faulty(respond, times=9)
    (outcome,) = send(server.base_url, form)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.attempts) == (kind, 1)
    assert words in outcome.failure.message


STREAM_FAULTS = {
    "ends without finish_reason": events(PIECE),
    "ends after nothing": events(),
    "invalid event": events(PIECE, b"{not json"),
    "error event": events(PIECE, b'{"error":{"message":"overloaded"}}'),
    "reset midway": events(PIECE, then=reset),
}


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_half_a_stream_is_no_answer(fault: str, faulty: Any, send: Any) -> None:
    """A stream that breaks off is asked again, and its half never counts."""
    (outcome,) = send(faulty(STREAM_FAULTS[fault]).base_url, "stream")
    assert outcome.completion is not None, outcome.failure
    assert (outcome.completion.text, outcome.attempts) == (FINE, 2)


@pytest.mark.parametrize("then", [stall, drip_comments], ids=["stalls", "drips"])
def test_a_stream_that_hangs_midway_is_given_up(then: Any, faulty: Any, send: Any) -> None:
    """Keep-alive comments are no progress that a deadline would wait for."""
    (outcome,) = send(faulty(events(PIECE, then=then)).base_url, "stream", attempt_s=1.0)
    assert outcome.completion is not None, outcome.failure
    assert (outcome.completion.text, outcome.attempts) == (FINE, 2)


def test_a_stream_may_end_without_done(faulty: Any, send: Any) -> None:
    """A finish_reason completes a stream; some servers just close after it."""
    finished = b'{"choices":[{"delta":{"content":"whole"},"finish_reason":"stop"}]}'
    (outcome,) = send(faulty(events(finished)).base_url, "stream")
    assert outcome.completion is not None
    assert (outcome.completion.text, outcome.attempts) == ("whole", 1)


def test_a_repeated_chunk_is_part_of_the_answer(faulty: Any, send: Any) -> None:
    """Two equal pieces may be what the model said ("ha" "ha"): nothing is taken out of an answer."""
    done = b'{"choices":[{"delta":{},"finish_reason":"stop"}]}'
    (outcome,) = send(faulty(events(PIECE, PIECE, done)).base_url, "stream")
    assert outcome.completion is not None
    assert outcome.completion.text == "halfhalf"


@pytest.mark.parametrize("form", WHOLE)
def test_null_content_is_empty_when_the_model_was_done(form: str, faulty: Any, send: Any) -> None:
    """Null with a finish_reason is an empty answer, without one it is asked again."""
    key = b'"message":{"content":null}' if form == "chat" else b'"text":null'
    (outcome,) = send(faulty(body(b'{"choices":[{%s,"finish_reason":"stop"}]}' % key)).base_url, form)
    assert outcome.completion is not None
    assert outcome.completion.text == ""
    (outcome,) = send(faulty(body(b'{"choices":[{%s}]}' % key)).base_url, form)
    assert outcome.attempts == 2


def test_a_withheld_answer_is_a_failure_and_a_refusal_is_an_answer(faulty: Any, send: Any) -> None:
    """`content_filter` is the endpoint's doing, `refusal` the model's."""
    withheld = b'{"choices":[{"message":{"content":"x"},"finish_reason":"content_filter"}]}'
    (outcome,) = send(faulty(body(withheld), times=9).base_url)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.attempts) == ("content_filter", 1)
    refusal = b'{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}'
    (outcome,) = send(faulty(body(refusal)).base_url)
    assert outcome.completion is not None
    assert outcome.completion.text == "I will not"


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_content_type_does_not_matter(form: str, faulty: Any, send: Any) -> None:
    """A good answer labelled as text is a good answer."""
    key = b'"text":"labelled"' if form == "completions" else b'"message":{"content":"labelled"}'
    answer = b'{"choices":[{%s,"finish_reason":"stop"}]}' % key
    (outcome,) = send(faulty(body(answer, "text/plain")).base_url, form)
    assert outcome.completion is not None, outcome.failure
    assert outcome.completion.text == "labelled"


@pytest.mark.parametrize("form", FORMS)
def test_a_redirect_never_carries_the_key(form: str, faulty: Any, send: Any) -> None:
    """The other host hears nothing; the message names the address."""
    other = faulty(body(b"{}"), times=0)
    server = faulty(status(307, b"", Location=f"{other.base_url}/chat/completions"), times=9)
    (outcome,) = send(server.base_url, form)
    assert outcome.failure is not None
    assert outcome.failure.kind == "bad_request"
    assert other.base_url in outcome.failure.message
    assert other.heads == []


@pytest.mark.parametrize("form", FORMS)
def test_nobody_there_is_a_connection_failure(form: str, send: Any) -> None:
    """A refused connection is tried again and then told with its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        (outcome,) = send(f"http://127.0.0.1:{port}/v1", form)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.attempts) == ("connection", 3)
    assert f"127.0.0.1:{port}" in outcome.failure.message


def test_a_name_that_does_not_resolve(send: Any) -> None:
    """DNS failures are told with the name."""
    (outcome,) = send("http://no-such-host.invalid/v1")
    assert outcome.failure is not None
    assert outcome.failure.kind == "connection"
    assert "no-such-host.invalid" in outcome.failure.message


def test_a_certificate_of_nobody_known_is_final(faulty: Any, send: Any) -> None:
    """An untrusted certificate is no passing fault, and nothing is sent over the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = faulty(body(b"{}"), tls=context)
    (outcome,) = send(server.base_url)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.attempts) == ("connection", 1)
    assert "certificate" in outcome.failure.message.lower()
    assert server.heads == []


def test_a_wrong_clock_here_does_not_stretch_a_wait(faulty: Any, send: Any) -> None:
    """Retry-After as a date is measured against the server's own Date."""
    then = datetime(2040, 1, 1, tzinfo=UTC)
    date = format_datetime(then, usegmt=True)
    (outcome,) = send(faulty(status(429, Date=date, Retry_After=date)).base_url)
    assert outcome.completion is not None
    assert outcome.retry_s < 5


def test_many_faults_at_once_lose_nothing(faulty: Any, send: Any) -> None:
    """Among 300 requests with faults strewn in, every one ends with one answer."""
    kinds = [
        RETRIED[name] for name in ("429 without Retry-After", "500", "connection reset", "truncated body")
    ]
    count = 0

    async def strewn(wire: Any) -> None:
        nonlocal count
        count += 1
        if count % 13 == 0:
            await kinds[count // 13 % len(kinds)](wire)
        else:
            await wire.fine()

    outcomes = send(faulty(strewn, times=10_000).base_url, count=300)
    assert sorted(one.request.seq for one in outcomes) == list(range(300))
    assert all(one.completion is not None and one.completion.text == FINE for one in outcomes)
