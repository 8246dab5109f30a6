"""Sessions that record and replay."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.cassette.conftest import Clock, ask, piece

from regrade.cassette import Recorder, RecordingSession, Replayer, ReplaySession
from regrade.errors import ProviderError
from regrade.http import HttpSession, Session

Serve = Callable[..., Any]
Make = Callable[..., Recorder]
KEY = {"Authorization": "Bearer a-key-of-no-known-shape"}


async def streamed(session: Session, url: str, body: Any = None, label: str | None = None) -> list[str]:
    """Return the events of one answer."""
    content = json.dumps(body or ask("hi", stream=True)).encode()
    async with session.stream("POST", f"{url}/chat/completions", KEY, content, label=label) as reply:
        return [data async for data in reply.events()]


@pytest.fixture
def streaming(serve: Serve) -> Any:
    """Serve a stream that gives away the key it was asked with, in two pieces."""

    async def handler(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        events = [piece("a-key-of-no"), piece("-known-shape!"), piece(None, finish="stop"), "[DONE]"]
        for data in events:
            await response.write(f"data: {data}\n\n".encode())
        return response

    return serve(handler)


def test_a_replay_gives_what_was_recorded_without_a_connection(
    record: Make, streaming: Any, tmp_path: Path
) -> None:
    """The same events, at once, for the same request at another address; the key is on no record."""

    async def recorded() -> list[str]:
        with record() as recorder:
            async with HttpSession() as inner:
                return await streamed(RecordingSession(inner, recorder), streaming.base_url)

    live = asyncio.run(recorded())
    with Replayer(tmp_path / "c") as replayer:
        again = asyncio.run(streamed(ReplaySession(replayer), "http://nowhere.invalid/api/v1"))
    assert [json.loads(one) for one in again[1:3]] == [json.loads(piece("!")), json.loads(live[2])]
    assert json.loads(again[0]) == json.loads(piece("[redacted]"))
    assert again[3] == "[DONE]"
    assert b"a-key-of-no" not in (tmp_path / "c" / "exchanges.jsonl").read_bytes()


def test_an_answer_is_on_record_before_its_end_is_handed_on(
    record: Make, streaming: Any, tmp_path: Path
) -> None:
    """When [DONE] is seen, the line stands in the file."""

    def size() -> int:
        return (tmp_path / "c" / "exchanges.jsonl").stat().st_size

    async def sizes() -> list[int]:
        with record() as recorder:
            async with HttpSession() as inner:
                session = RecordingSession(inner, recorder)
                content = json.dumps(ask("hi", stream=True)).encode()
                url = f"{streaming.base_url}/chat/completions"
                async with session.stream("POST", url, {}, content) as reply:
                    return [size() async for _ in reply.events()]

    *before, at_the_end = asyncio.run(sizes())
    assert set(before) == {0}
    assert at_the_end > 0


def test_events_come_at_the_recorded_pace_when_asked(record: Make, clock: Clock, tmp_path: Path) -> None:
    """Waits add up to the recorded times; the reply tells the recorded time in any case."""
    with record() as recorder:
        take = recorder.begin("POST", "/chat/completions", ask("hi", stream=True))
        take.answered(200, {"content-type": "text/event-stream"})
        for data in (piece("a"), piece("b", finish="stop"), "[DONE]"):
            clock.now += 0.5
            take.event(data)
        take.end()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def elapsed(session: Session) -> list[float | None]:
        content = json.dumps(ask("hi", stream=True)).encode()
        async with session.stream("POST", "http://x/v1/chat/completions", {}, content) as reply:
            return [reply.elapsed_s async for _ in reply.events()]

    with Replayer(tmp_path / "c", repeat_last=True) as replayer:
        assert asyncio.run(elapsed(ReplaySession(replayer))) == [0.5, 1.0, 1.5]
        assert waits == []
        assert asyncio.run(elapsed(ReplaySession(replayer, "recorded", sleep))) == [0.5, 1.0, 1.5]
        assert waits == [0.5, 0.5, 0.5]


def test_a_recorded_stream_can_be_read_as_a_body(record: Make, streaming: Any, tmp_path: Path) -> None:
    """What reads bytes gets the events framed as a server sends them."""

    async def both() -> bytes:
        with record() as recorder:
            async with HttpSession() as inner:
                await streamed(RecordingSession(inner, recorder), streaming.base_url)
        content = json.dumps(ask("hi", stream=True)).encode()
        with Replayer(tmp_path / "c") as replayer:
            return (await ReplaySession(replayer).post("http://x/v1/chat/completions", {}, content)).body

    body = asyncio.run(both())
    assert body.startswith(b"data: {")
    assert body.endswith(b"\n\ndata: [DONE]\n\n")


def test_failures_are_recorded_and_raised_again_for_good(record: Make, tmp_path: Path) -> None:
    """A connection that was refused then is the same failure now, and no reason to try again."""

    async def fail(session: Session) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            await streamed(session, "http://127.0.0.1:1/v1")
        return caught.value

    async def live() -> ProviderError:
        with record() as recorder:
            async with HttpSession() as inner:
                return await fail(RecordingSession(inner, recorder))

    first = asyncio.run(live())
    with Replayer(tmp_path / "c") as replayer:
        again = [asyncio.run(fail(ReplaySession(replayer))) for _ in range(2)]
    assert first.retryable
    assert [(one.kind, one.message, one.retryable) for one in again] == 2 * [
        (first.kind, first.message, False)
    ]


def test_a_client_that_left_is_on_record(record: Make, streaming: Any, tmp_path: Path) -> None:
    """An answer that was not read to its end is no answer: a later one is preferred, else it is a timeout."""

    async def leave(session: Session) -> None:
        content = json.dumps(ask("hi", stream=True)).encode()
        url = f"{streaming.base_url}/chat/completions"
        async with session.stream("POST", url, {}, content) as reply:
            events: AsyncIterator[str] = reply.events()
            await anext(events)

    async def live() -> None:
        with record() as recorder:
            async with HttpSession() as inner:
                await leave(RecordingSession(inner, recorder))

    asyncio.run(live())
    with Replayer(tmp_path / "c") as replayer:
        assert replayer.exchange(0).end == "gone"
        with pytest.raises(ProviderError, match="given up after") as caught:
            asyncio.run(streamed(ReplaySession(replayer), "http://x/v1"))
    assert caught.value.kind == "timeout"


def test_a_miss_is_a_final_failure(record: Make, streaming: Any, tmp_path: Path) -> None:
    """What was never recorded is said with what is nearest, and not tried again."""

    async def live() -> None:
        with record() as recorder:
            async with HttpSession() as inner:
                await streamed(RecordingSession(inner, recorder), streaming.base_url)

    asyncio.run(live())
    with (
        Replayer(tmp_path / "c") as replayer,
        pytest.raises(ProviderError, match=r"temperature: 0\.2, recorded 0$") as caught,
    ):
        asyncio.run(streamed(ReplaySession(replayer), "http://x/v1", ask("hi", stream=True, temperature=0.2)))
    assert (caught.value.kind, caught.value.retryable) == ("not_recorded", False)
