"""Ten thousand malformed requests, made from a seed, and the server that is to outlive them."""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from regrade.gateway.connections import ConnectionLimits
from regrade.gateway.fields import request_schema
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.types import Endpoint

COUNT = 10_000
AT_ONCE = 60
GROWTH_MB = 80
PATHS: dict[Endpoint, str] = {"chat": "/v1/chat/completions", "completions": "/api/v1/completions"}
CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}'
TEXT = b'{"model": "m", "prompt": "hi", "max_tokens": 5}'
VALUES = [
    *(
        "null",
        "true",
        "-1",
        "0",
        "1e308",
        "-1e308",
        "1e400",
        "1" * 400,
        "NaN",
        "Infinity",
        "-0.0",
        '""',
        "[]",
    ),
    *("{}", '"\\ud800"', '"\\u0000"', '"\\udfff\\ud800"', "[[[[]]]]", '{"a":{"b":[null]}}', "[1e400]", '"a"'),
    *('[{"role":"user"}]', '[{"role":"user","content":[{}]}]', '[{"role":["user"],"content":"a"}]', "[null]"),
    *(
        '[{"role":"user","content":[{"type":"text","text":1}]}]',
        "[[1,2],[3]]",
        "[[],[]]",
        '["a","b"]',
        "[1,2]",
    ),
    *("99999999999999999999", "0.1e-400", "01", "+1", "'a'", "undefined", "\ufeff1", '"' + "x" * 5000 + '"'),
]
DEPTHS = (200, 300, 1000, 1025, 100_000)
METHODS = (
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "POST POST",
    "X" * 300,
    "",
)
TARGETS = (
    *(
        "/",
        "//",
        "*",
        "/v1",
        "/v1/models/",
        "/v1/models/%00",
        "/v1/models/%ff%fe",
        "/v1/models/..%2f..%2fetc",
    ),
    *(
        "/v1/../../etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "/v1/chat/completions?a=%zz&b=\\",
        "x",
    ),
    *(
        "/v1/models?" + "q=1&" * 400,
        "/v1/models/" + "a/" * 300,
        "/api/v1/chat/completions/",
        "/v1/openapi.json;x",
    ),
    *(
        "/v1/models/{{7*7}}",
        "/v1/chat/completions#x",
        "/v1/models/" + "é".encode().decode("latin-1"),
        "//evil/v1",
    ),
)


def request(
    body: bytes,
    *,
    target: str = PATHS["chat"],
    method: str = "POST",
    headers: bytes = b"",
    length: int | None = None,
) -> bytes:
    """Return a request as it goes over the wire."""
    start = f"{method} {target} HTTP/1.1\r\n".encode("latin-1")
    size = len(body) if length is None else length
    usual = b"Host: x\r\nAuthorization: Bearer k\r\nConnection: close\r\nContent-Length: %d\r\n" % size
    return start + usual + headers + b"\r\n" + body


def noise(rng: random.Random) -> bytes:
    """Bytes that mean nothing."""
    return rng.randbytes(rng.randrange(1, 400)) + b"\r\n\r\n"


def spoilt_http(rng: random.Random) -> bytes:
    """A request of which some bytes were changed, lost or doubled."""
    return spoilt(rng, request(rng.choice((CHAT, TEXT))))


def spoilt_json(rng: random.Random) -> bytes:
    """A body of which some bytes were changed, lost or doubled."""
    endpoint, body = rng.choice((("chat", CHAT), ("completions", TEXT)))
    return request(spoilt(rng, body), target=PATHS["chat" if endpoint == "chat" else "completions"])


def spoilt(rng: random.Random, content: bytes) -> bytes:
    """Change, lose or double some bytes."""
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(changed))
        what = rng.randrange(3)
        changed[at : at + rng.randrange(1, 6)] = (
            rng.randbytes(rng.randrange(1, 6))
            if what == 0
            else b""
            if what == 1
            else changed[at : at + 8] * 2
        )
        if not changed:
            changed += b"{"
    return bytes(changed)


def wrong_field(rng: random.Random) -> bytes:
    """Any field of the table with a value that it cannot have, or hardly."""
    endpoint: Endpoint = rng.choice(("chat", "completions"))
    fields = {"model": '"m"', "messages": '[{"role":"user","content":"a"}]', "prompt": '"a"'}
    pairs = list(fields.items())
    names = rng.sample(list(request_schema(endpoint)["properties"]), rng.choice((1, 1, 1, 2, 3)))
    pairs += [(name, rng.choice(VALUES)) for name in names]  # some of them a second time
    rng.shuffle(pairs)
    body = "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"
    return request(body.encode("utf-8"), target=PATHS[endpoint])


def wrong_message(rng: random.Random) -> bytes:
    """Messages of which something is not as it should be."""
    role = rng.choice(('"user"', '"assistant"', '"tool"', *VALUES))
    content = rng.choice(('"a"', *VALUES))
    kind, text = rng.choice(('"text"', *VALUES)), rng.choice(('"a"', *VALUES))
    content = rng.choice((content, f'[{{"type":{kind},"text":{text}}}]'))
    message = f'{{"role":{role},"content":{content}}}'
    messages = rng.choice((f"[{message}]", f'[{message},{{"role":"user"}}]', f"[[{message}]]"))
    body = f'{{"model":"m","messages":{messages}}}'
    return request(body.encode("utf-8"))


def nested(rng: random.Random) -> bytes:
    """Brackets within brackets, alone or in a field."""
    depth = rng.choice(DEPTHS)
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    deep = opening * depth + "1" + closing * depth * rng.choice((0, 1, 1))
    body = rng.choice(('{"model":"m","prompt":"a","x":%s}', "%s", '{"model":"m","prompt":%s}')) % deep
    return request(body.encode(), target=PATHS["completions"])


def not_text(rng: random.Random) -> bytes:
    """Bodies in no encoding, or with characters that few expect."""
    piece = rng.choice((b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\x1b[2J", "\u202e\ufeff".encode()))
    body = CHAT.replace(b"hi", piece * rng.randrange(1, 20))
    return request(body.decode("latin-1").encode("utf-16") if rng.random() < 0.2 else body)


def odd_headers(rng: random.Random) -> bytes:
    """Headers that are giant, many, doubled, or contradict each other."""
    headers = rng.choice(
        (
            b"X-Big: " + b"a" * 70_000 + b"\r\n",
            b"".join(b"X-%d: a\r\n" % n for n in range(150)),
            b"Content-Length: 7\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Content-Encoding: gzip\r\n",
            b"Content-Type: text/plain\r\nExpect: 100-continue\r\n",
            b"Expect: 200-ok\r\n",
            b"Authorization: Bearer\r\n",
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n",
            b"Host: evil\r\nX-Forwarded-For: \x80\r\n",
            b"X-Nul: a\x00b\r\n",
            b"Bad Name: x\r\n",
            b"User-Agent: \xff\xfe\xc3\r\nIdempotency-Key: \xe9\r\n",
            b"X-A: b\rX-C: d\r\n",
            b"Range: bytes=0-\r\nIf-Match: *\r\n",
        )
    )
    return request(rng.choice((CHAT, TEXT)), headers=headers)


def odd_target(rng: random.Random) -> bytes:
    """Methods and paths that nobody serves."""
    return request(
        rng.choice((b"", CHAT)), method=rng.choice((*METHODS, "POST", "GET")), target=rng.choice(TARGETS)
    )


def odd_key(rng: random.Random) -> bytes:
    """Keys that are none."""
    key = rng.choice(
        (b"", b"Bearer", b"Basic YTpi", b"Bearer  ", b"bearer " + b"k" * 9000, b"Bearer \xff\x80", b"\x7f")
    )
    return request(CHAT).replace(b"Bearer k", key)


def odd_chunks(rng: random.Random) -> bytes:
    """Chunks whose sizes lie."""
    head = b"POST /v1/completions HTTP/1.1\r\nAuthorization: Bearer k\r\nTransfer-Encoding: chunked\r\n\r\n"
    sizes = (
        b"%x" % len(TEXT),
        b"ffffffffffffffffff",
        b"-1",
        b"",
        b"0",
        b"5",
        b"5;" + b"x" * 3000,
        b"0x5",
        b"7fffffff",
    )
    return (
        head
        + rng.choice(sizes)
        + b"\r\n"
        + TEXT
        + b"\r\n0\r\n"
        + rng.choice((b"\r\n", b"X: y\r\n\r\n", b"\x00\r\n\r\n"))
    )


def unfinished(rng: random.Random) -> bytes:
    """Requests whose end does not come."""
    whole = request(CHAT, length=rng.choice((None, len(CHAT) + 1, 10**6, 2**24 + 1, 2**64)))
    return whole[: rng.randrange(1, len(whole))] if rng.random() < 0.7 else whole


KINDS: tuple[tuple[Callable[[random.Random], bytes], int], ...] = (
    (noise, 6),
    (spoilt_http, 15),
    (spoilt_json, 17),
    (wrong_field, 25),
    (wrong_message, 8),
    (nested, 2),
    (not_text, 6),
    (odd_headers, 8),
    (odd_target, 8),
    (odd_key, 3),
    (odd_chunks, 5),
    (unfinished, 2),
)


def malformed(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield requests and what is wrong with each."""
    rng = random.Random(20)
    makers, weights = zip(*KINDS, strict=True)
    for maker in rng.choices(makers, weights, k=count):
        yield maker.__name__, maker(rng)


async def fire(port: int, requests: Iterator[tuple[str, bytes]]) -> Counter[tuple[str, int]]:
    """Send them all, some at a time, each over a connection of its own; count kinds and statuses."""
    seen: Counter[tuple[str, int]] = Counter()

    async def sender() -> None:
        for kind, content in requests:
            seen[kind, await one(port, content)] += 1

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return seen


async def one(port: int, content: bytes) -> int:
    """Send a request; return the status of the answer, 0 when there was none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        answer = await reader.read()
    except ConnectionError:
        return 0
    finally:
        writer.close()
    while answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    if not answer:
        return 0
    head, _, body = answer.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    assert status, head
    code = int(status[1])
    if code >= 400 and body:
        assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}
    assert b"x-request-id" in head.lower()
    return code


def memory_mb(gateway: Gateway) -> float:
    """Return what the serving process holds."""
    assert gateway._process
    status = Path(f"/proc/{gateway._process.pid}/status")
    if not status.exists():
        pytest.skip("memory is read from /proc")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) / 1000


async def answers(_request: web.Request, _content: bytes) -> web.StreamResponse:
    """Answer as a model would."""
    return web.json_response({"id": "x", "object": "chat.completion", "choices": []})


def test_ten_thousand_malformed_requests_leave_it_serving(upstream: Any, connect: Any) -> None:
    """No 5xx, no traceback, each refusal in the API's form, no memory that runs away; then it answers."""
    upstream.handler = answers
    said: list[bytes] = []
    limits = ConnectionLimits(first_byte_s=0.3, headers_s=0.3, body_pause_s=0.3, keep_alive_s=0.3, rest_s=0.3)
    settings = GatewaySettings(upstreams=(Upstream("m", upstream.base_url),), limits=limits)
    with Gateway(settings, errors=said.append) as gateway:
        client = connect(gateway.base_url)
        port = int(gateway.base_url.split(":")[2].split("/")[0])
        asyncio.run(fire(port, malformed(500)))
        before = memory_mb(gateway)
        seen = asyncio.run(fire(port, malformed(COUNT)))
        growth = memory_mb(gateway) - before
        client.connection.close()
        assert client.send("/chat/completions", CHAT).status == 200
    statuses = Counter[int]()
    for (_, status), count in seen.items():
        statuses[status] += count
    assert sum(seen.values()) == COUNT
    assert [one for one in seen if one[1] >= 500] == []
    assert {200, 400, 401, 404, 405, 408, 413, 431} <= set(statuses)
    assert statuses[400] > COUNT / 3
    assert statuses[0] < COUNT / 50
    assert b"Traceback" not in b"".join(said)
    assert growth < GROWTH_MB
