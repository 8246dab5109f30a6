"""What the gateway records of real traffic, and what it gives back of it."""

import asyncio
import gzip
import http.client
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from regrade.cassette import Exchange, Recorder, RecordingSession, Replayer
from regrade.errors import GatewayError, StoreError
from regrade.gateway.backend import Answer, Call
from regrade.gateway.process import Gateway
from regrade.gateway.recording import RecordingBackend
from regrade.gateway.replaying import ReplayBackend
from regrade.gateway.settings import GatewaySettings, Upstream
from regrade.http import HttpSession

Connect = Callable[[str], Any]
KEY = "sk-upstream-secret-0123456789"
PATH = "/chat/completions"
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
FINISH = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = (
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}\n\n'
)
LITELLM = b'data: {"id":"c","choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":4}}\n\n'
DONE = b"data: [DONE]\n\n"


def body(text: str = "hi", **more: Any) -> dict[str, Any]:
    """Return a chat request."""
    return {"model": "org/model", "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
def recording(in_thread: Any) -> Any:
    """Return what runs a gateway that records what the upstream answers."""

    def run(folder: Path, url: str, **more: Any) -> Any:
        return in_thread(settings_of(folder, url, **more), {"SECRET_KEY": KEY})

    return run


@pytest.fixture
def replaying(in_thread: Any) -> Any:
    """Return what runs a gateway that answers from a recording."""

    def run(folder: Path, **more: Any) -> Any:
        return in_thread(GatewaySettings(replay=str(folder), **more), {})

    return run


def settings_of(folder: Path, url: str, **more: Any) -> GatewaySettings:
    """Return how to record what the upstream answers."""
    model = Upstream("org/model", url, "SECRET_KEY", mode="record")
    return GatewaySettings(upstreams=(model,), record=str(folder), **more)


def exchanges(folder: Path) -> list[Exchange]:
    """Return what a folder holds."""
    with Replayer(folder) as replayer:
        return list(replayer.exchanges())


def handler(*pieces: bytes, cut: bool = False) -> Any:
    """Return what streams these pieces, or answers the text of the request when none are wanted."""

    async def answer(request: web.Request, content: bytes) -> web.StreamResponse:
        asked = json.loads(content)
        if not asked.get("stream"):
            text = asked["messages"][0]["content"]
            if text == "too much":
                return web.json_response(
                    {"error": {"message": "slow"}}, status=429, headers={"Retry-After": "3"}
                )
            return web.json_response(
                {"choices": [{"message": {"content": f"{text}!"}}], "usage": {"prompt_tokens": 1}}
            )
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for piece in pieces:
            await reply.write(piece)
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return reply

    return answer


@pytest.mark.parametrize(
    "pieces", [(CHUNK, FINISH, DONE), (CHUNK, CHUNK, FINISH), (CHUNK[:9], CHUNK[9:] + FINISH + DONE)]
)
def test_what_was_recorded_is_given_back(
    upstream: Any, connect: Connect, tmp_path: Path, pieces: tuple[bytes, ...], recording: Any, replaying: Any
) -> None:
    """Status, body and the bytes of streams are the same, with no upstream, no catalogue and no key."""
    upstream.handler = handler(*pieces)
    asked = [
        (PATH, body(stream=True)),
        (PATH, body("one")),
        (PATH, body("too much")),
        ("/completions", {"model": "org/model", "prompt": "p", "messages": [{"content": "p"}], "echo": True}),
    ]
    with recording(tmp_path, upstream.base_url) as gateway:
        client = connect(gateway.base_url)
        before = [client.send(*one) for one in asked]
        client.close()
    upstream.handler = None
    with replaying(tmp_path) as gateway:
        assert [(one.id, one.mode) for one in gateway.models] == [("org/model", "replay")]
        client = connect(gateway.base_url)
        after = [client.send(*one) for one in asked]
    assert before[0].body == b"".join(pieces)
    for old, new in zip(before, after, strict=True):
        assert (new.status, new.body) == (old.status, old.body)
        assert new.headers["Content-Type"] == old.headers["Content-Type"]
        assert new.headers["X-Request-Id"] != old.headers["X-Request-Id"]
    assert after[2].headers["Retry-After"] == "3"


def test_what_a_run_recorded_is_served_too(
    upstream: Any, connect: Connect, tmp_path: Path, replaying: Any
) -> None:
    """Cassettes are the same thing, whether a run or the gateway made them."""
    upstream.handler = handler(CHUNK, FINISH, DONE)
    content = json.dumps(body(stream=True)).encode()

    async def record() -> bytes:
        with Recorder(tmp_path) as recorder:
            session = RecordingSession(HttpSession(), recorder)
            headers = {"Content-Type": "application/json"}
            async with session.stream("POST", upstream.base_url + PATH, headers, content, label="x") as reply:
                events = [data async for data in reply.events()]
            await session.aclose()
        return b"".join(b"data: %s\n\n" % data.encode() for data in events)

    before = asyncio.run(record())
    with replaying(tmp_path) as gateway:
        assert connect(gateway.base_url).send(PATH, content).body == before


def test_a_compressed_answer_is_passed_on_plain(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """Even from an upstream that compresses unasked: what the client gets is what is recorded."""

    async def zips(_request: web.Request, _content: bytes) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=gzip.compress(b'{"choices": []}'), headers=headers)

    upstream.handler = zips
    with recording(tmp_path, upstream.base_url) as gateway:
        answer = connect(gateway.base_url).send(PATH, body())
    assert (answer.body, answer.headers["Content-Encoding"]) == (b'{"choices": []}', None)
    assert exchanges(tmp_path)[0].body == answer.body


def test_repeats_come_in_recorded_order(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any, replaying: Any
) -> None:
    """Then there are no more, unless the last is to be repeated."""
    answers = iter(range(3))

    async def counts(_request: web.Request, _content: bytes) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": str(next(answers))}}]})

    upstream.handler = counts
    with recording(tmp_path, upstream.base_url) as gateway:
        client = connect(gateway.base_url)
        before = [client.send(PATH, body()).body for _ in range(3)]
    with replaying(tmp_path) as gateway:
        client = connect(gateway.base_url)
        assert [client.send(PATH, body()).body for _ in range(3)] == before
        missed = client.send(PATH, body())
    assert (missed.status, missed.error["code"]) == (404, "cassette_miss")
    assert "recorded 3 times" in missed.error["message"]
    with replaying(tmp_path, repeat_last=True) as gateway:
        client = connect(gateway.base_url)
        assert [client.send(PATH, body()).body for _ in range(5)] == [*before, before[2], before[2]]


def test_a_miss_names_the_nearest_request_and_what_differs(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any, replaying: Any
) -> None:
    """So that a changed prompt is seen in the error."""
    upstream.handler = handler()
    with recording(tmp_path, upstream.base_url) as gateway:
        connect(gateway.base_url).send(PATH, body("What is the capital of France?", temperature=0))
    with replaying(tmp_path) as gateway:
        answer = connect(gateway.base_url).send(PATH, body("What is the capital of France?", temperature=1))
        unknown = connect(gateway.base_url).send(PATH, body() | {"model": "other"})
    assert (answer.status, answer.error["code"]) == (404, "cassette_miss")
    assert "temperature" in answer.error["message"]
    assert "capital of France" in answer.error["message"]
    assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")


def test_an_exchange_is_on_record_before_its_last_event_leaves(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """Whoever has seen [DONE] finds the line in the file, though the upstream has not closed yet."""
    release = threading.Event()
    released: list[bool] = []

    async def lingers(request: web.Request, _: bytes) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(CHUNK + FINISH + DONE)
        released.append(await asyncio.to_thread(release.wait, 10))
        return reply

    upstream.handler = lingers
    with recording(tmp_path, upstream.base_url) as gateway:
        reply = connect(gateway.base_url).open(PATH, body(stream=True))
        seen = b""
        while not seen.endswith(DONE):
            seen += reply.read1(10_000)
        found = exchanges(tmp_path)
        release.set()
        reply.read()
    assert [(one.end, len(one.events or ())) for one in found] == [("done", 3)]
    assert released == [True]


class Pieces:
    """A backend that streams these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncIterator[Answer]:
        """Stream them."""

        async def pieces() -> AsyncIterator[bytes]:
            for one in self._pieces:
                yield one

        yield Answer(200, {"Content-Type": "text/event-stream"}, pieces())


@pytest.mark.parametrize(
    "pieces", [(CHUNK, FINISH), (CHUNK, FINISH, USAGE), (CHUNK, FINISH, DONE), (CHUNK + FINISH,)]
)
def test_the_last_piece_waits_for_the_record_even_without_a_mark(
    tmp_path: Path, pieces: tuple[bytes, ...]
) -> None:
    """Servers that just close leave open what is last: from a reason to finish on, a piece is held back."""

    async def check() -> list[tuple[bytes, int]]:
        with Recorder(tmp_path) as recorder:
            backend = RecordingBackend(Pieces(*pieces), recorder)
            call = Call("chat", body(stream=True), json.dumps(body(stream=True)).encode())
            async with backend.answer(call) as answer:
                assert not isinstance(answer.content, bytes)
                return [(piece, recorder.recorded) async for piece in answer.content]

    seen = asyncio.run(check())
    assert [piece for piece, _ in seen] == list(pieces)
    assert [recorded for _, recorded in seen] == [0] * (len(pieces) - 1) + [1]


def test_the_first_chunks_are_not_held_back(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """Recording costs a client no waiting for its first token."""
    release = threading.Event()

    async def waits(request: web.Request, _: bytes) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(CHUNK)
        await asyncio.to_thread(release.wait, 10)
        await reply.write(FINISH + DONE)
        return reply

    upstream.handler = waits
    with recording(tmp_path, upstream.base_url) as gateway:
        reply = connect(gateway.base_url).open(PATH, body(stream=True))
        first = reply.read1(10_000)
        release.set()
        assert first == CHUNK
        reply.read()
    times = [seconds for seconds, _ in exchanges(tmp_path)[0].events or ()]
    assert times == sorted(times)


def test_usage_is_asked_for_and_kept_from_a_client_that_did_not_ask(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """The recording counts tokens; the client sees its own stream; what it sent is recorded."""
    upstream.handler = handler(CHUNK, FINISH, USAGE, DONE)
    with recording(tmp_path, upstream.base_url) as gateway:
        client = connect(gateway.base_url)
        assert client.send(PATH, body(stream=True)).body == CHUNK + FINISH + DONE
        asked = body(stream=True, stream_options={"include_usage": True})
        assert client.send(PATH, asked).body == CHUNK + FINISH + USAGE + DONE
        upstream.handler = handler(CHUNK, LITELLM, DONE)
        assert client.send(PATH, body("x", stream=True)).body == CHUNK + LITELLM + DONE
    assert all(json.loads(one)["stream_options"] == {"include_usage": True} for one in upstream.bodies)
    found = exchanges(tmp_path)
    assert [(one.usage or {})["prompt_tokens"] for one in found] == [4, 4, 4]
    assert [one.request for one in found[:2]] == [body(stream=True), asked]


def test_an_upstream_that_knows_no_stream_options_is_not_asked_again(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """The request is sent as the client made it, and later ones at once; a fault of its own stays."""
    streams = handler(CHUNK, FINISH, DONE)

    async def strict(request: web.Request, content: bytes) -> web.StreamResponse:
        asked = json.loads(content)
        if "stream_options" in asked or "odd" in asked:
            return web.json_response({"detail": "unknown field"}, status=422)
        answer: web.StreamResponse = await streams(request, content)
        return answer

    upstream.handler = strict
    with recording(tmp_path, upstream.base_url) as gateway:
        client = connect(gateway.base_url)
        assert client.send(PATH, body(stream=True, odd=1)).status == 422
        assert client.send(PATH, body(stream=True)).body == CHUNK + FINISH + DONE
        assert client.send(PATH, body(stream=True)).body == CHUNK + FINISH + DONE
    assert ["stream_options" in json.loads(one) for one in upstream.bodies] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_a_broken_stream_is_recorded_and_given_back_as_it_broke(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any, replaying: Any
) -> None:
    """A client under test meets the same break again."""
    upstream.handler = handler(CHUNK, cut=True)
    with recording(tmp_path, upstream.base_url) as gateway:
        before = connect(gateway.base_url).send(PATH, body(stream=True)).body
    assert [one.end for one in exchanges(tmp_path)] == ["cut"]
    with replaying(tmp_path) as gateway:
        after = connect(gateway.base_url).send(PATH, body(stream=True)).body
    assert before.startswith(CHUNK + b'data: {"error"')
    assert after == before


def test_a_client_that_leaves_is_recorded_as_gone(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any
) -> None:
    """With what it had got until then."""

    async def never_ends(request: web.Request, _: bytes) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(CHUNK)
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return reply

    upstream.handler = never_ends
    with recording(tmp_path, upstream.base_url) as gateway:
        client = connect(gateway.base_url)
        assert client.open(PATH, body(stream=True)).read1(10_000) == CHUNK
        client.close()
    assert [(one.end, len(one.events or ())) for one in exchanges(tmp_path)] == [("gone", 1)]


def test_an_upstream_that_is_not_there_is_recorded_as_that(
    connect: Connect, tmp_path: Path, recording: Any, replaying: Any
) -> None:
    """A replay fails in the same words."""
    with recording(tmp_path, "http://127.0.0.1:9/v1") as gateway:
        before = connect(gateway.base_url).send(PATH, body())
    with replaying(tmp_path) as gateway:
        after = connect(gateway.base_url).send(PATH, body())
    assert (before.status, after.status, after.body) == (502, 502, before.body)


def test_secrets_do_not_reach_the_disk(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any, replaying: Any
) -> None:
    """Neither keys of either side nor what the user named, and a replay finds the request all the same."""

    async def tells(_request: web.Request, _content: bytes) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": f"your key is {KEY}, order 4711"}}]})

    upstream.handler = tells
    asked = body("order 4711 and 0815", user="alice@example.org")
    with recording(
        tmp_path, upstream.base_url, redact=("$.user",), redact_patterns=(r"order \d+",)
    ) as gateway:
        answer = connect(gateway.base_url).send(PATH, asked, {"Cookie": "session=cookie-secret"})
    assert b"order 4711" in answer.body
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (KEY, "client-key", "cookie-secret", "alice@example.org", "order 4711"):
        assert secret.encode() not in written
    assert b"0815" in written
    with replaying(tmp_path) as gateway:
        assert connect(gateway.base_url).send(PATH, asked).status == 200


def test_kill_9_loses_no_answer_that_a_client_has(
    upstream: Any, tmp_path: Path, connect: Connect, recording: Any
) -> None:
    """Clients ask all the time while the serving process is killed: what they hold is in the file, whole."""
    upstream.handler = handler(CHUNK, FINISH, DONE)
    got: list[str] = []
    enough = threading.Event()
    gateway = Gateway(settings_of(tmp_path, upstream.base_url), {"SECRET_KEY": KEY}).start()
    assert gateway._process

    def ask(worker: int) -> None:
        client = connect(gateway.base_url)
        with suppress(OSError, http.client.HTTPException):
            for number in range(10_000):
                text = f"{worker} {number}"
                answer = client.send(PATH, body(text, stream=bool(number % 2)))
                if number % 2 == 0 or answer.body.endswith(DONE):
                    got.append(text)
                if len(got) > 60:
                    enough.set()

    workers = [threading.Thread(target=ask, args=(one,)) for one in range(4)]
    for one in workers:
        one.start()
    assert enough.wait(20)
    os.kill(gateway._process.pid, signal.SIGKILL)
    for one in workers:
        one.join(20)
    gateway.stop()
    found = {one.request["messages"][0]["content"] for one in exchanges(tmp_path) if one.end == "done"}
    assert set(got) <= found
    with Recorder(tmp_path):
        assert set(got) <= {one.request["messages"][0]["content"] for one in exchanges(tmp_path)}


def test_demo_models_are_recorded_and_replayed(connect: Connect, tmp_path: Path, replaying: Any) -> None:
    """Whole answers, streams, refusals: an application's tests need the demo models only once."""
    asked: list[dict[str, Any]] = [
        {"model": "demo/v1", "messages": [{"role": "user", "content": "Label this: it broke"}], **more}
        for more in ({"temperature": 0}, {"temperature": 0, "stream": True}, {"n": 2})
    ]
    with Gateway(GatewaySettings(demo=("demo/v1",), record=str(tmp_path))) as gateway:
        assert [one.mode for one in gateway.models] == ["record"]
        before = [connect(gateway.base_url).send(PATH, one) for one in asked]
    with replaying(tmp_path) as gateway:
        after = [connect(gateway.base_url).send(PATH, one) for one in asked]
    assert [one.status for one in before] == [200, 200, 400]
    assert [(one.status, one.body) for one in after] == [(one.status, one.body) for one in before]


def test_modes_can_differ_by_model(
    upstream: Any, connect: Connect, tmp_path: Path, recording: Any, in_thread: Any
) -> None:
    """One model is forwarded and not recorded, one is recorded, one answers from an older recording."""
    upstream.handler = handler()
    with recording(tmp_path / "old", upstream.base_url) as gateway:
        connect(gateway.base_url).send(PATH, body("old"))
    models = (
        Upstream("org/model", upstream.base_url, mode="replay", context_window=99),
        Upstream("kept", upstream.base_url, mode="record"),
        Upstream("passed", upstream.base_url, mode="forward"),
        Upstream("usual", upstream.base_url),
    )
    settings = GatewaySettings(upstreams=models, record=str(tmp_path / "new"), replay=str(tmp_path / "old"))
    upstream.forget()
    with in_thread(settings, {}) as gateway:
        assert {one.id: (one.mode, one.context_window) for one in gateway.models} == {
            "kept": ("record", None),
            "usual": ("record", None),
            "passed": ("forward", None),
            "org/model": ("replay", 99),
        }
        client = connect(gateway.base_url)
        for model, text in (("org/model", "old"), ("kept", "a"), ("passed", "b"), ("usual", "c")):
            assert client.send(PATH, body(text) | {"model": model}).status == 200
    assert [json.loads(one)["model"] for one in upstream.bodies] == ["kept", "passed", "usual"]
    assert [one.model for one in exchanges(tmp_path / "new")] == ["kept", "usual"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"replay": "nothing"}, "no cassette in nothing"),
        ({"replay": "here", "only": ("other",)}, 'here holds no request to "other"(.|\n)*it has m'),
        ({"upstreams": (Upstream("m", "http://x", mode="record"),)}, '"m" is to be recorded, and no folder'),
        ({"upstreams": (Upstream("m", "http://x", mode="replay"),)}, '"m" is to be replayed, and no folder'),
        ({"record": "here", "demo": ("demo/v1",), "redact": ("$.x",)}, "begun with another redaction"),
    ],
)
def test_a_recording_that_cannot_be_used_is_one_error(
    workdir: Path, settings: dict[str, Any], words: str
) -> None:
    """Told when the gateway starts, not with the first request."""
    with Recorder(Path("here")) as recorder:
        recorder.begin("POST", PATH, b'{"model": "m"}').end()
    with pytest.raises(GatewayError, match=words):
        Gateway(GatewaySettings(**settings)).start()


def test_a_folder_is_recorded_to_by_one_at_a_time(upstream: Any, tmp_path: Path, recording: Any) -> None:
    """The second is told so."""
    with (
        recording(tmp_path, upstream.base_url),
        pytest.raises(StoreError, match="cassette"),
        recording(tmp_path, upstream.base_url),
    ):
        pass


def test_streams_are_replayed_at_the_pace_of_their_recording(tmp_path: Path) -> None:
    """Each event waits for what passed since the one before; a whole answer for all of it."""
    times = iter([0, 1, 1.5, 3.5, 10, 10.25])
    with Recorder(tmp_path, clock=lambda: next(times)) as recorder:
        take = recorder.begin("POST", PATH, body(stream=True))
        take.answered(200, {"Content-Type": "text/event-stream"})
        take.event(CHUNK.decode()[6:-2])
        take.event("[DONE]")
        take.end()
        take = recorder.begin("POST", PATH, body())
        take.answered(200, {"Content-Type": "application/json"})
        take.end()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def check() -> None:
        with Replayer(tmp_path) as replayer:
            backend = ReplayBackend(replayer, "recorded", sleep)
            for one in (body(stream=True), body()):
                async with backend.answer(Call("chat", one, json.dumps(one).encode())) as answer:
                    if not isinstance(answer.content, bytes):
                        assert b"".join([piece async for piece in answer.content]) == CHUNK + DONE

    asyncio.run(check())
    assert waits == [1.5, 2.0, 0.25]
