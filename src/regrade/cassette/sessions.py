"""Sessions that record what another one carries, or answer from a recording."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from regrade.cassette.exchange import Exchange
from regrade.cassette.recording import Recorder, Take, is_last
from regrade.cassette.replaying import Replayer
from regrade.errors import CassetteMiss, ProviderError
from regrade.http import Method, Session, StreamReply, events_in

__all__ = ["RecordingSession", "ReplaySession", "ReplaySpeed", "path_of"]

ReplaySpeed: TypeAlias = Literal["instant", "recorded"]

_PATHS = ("/chat/completions", "/completions", "/models")
_OF_SERVER = ("x-ratelimit-", "retry-after")


def path_of(url: str) -> str:
    """Return the path of a URL relative to its API's base, wherever that is."""
    path = urlsplit(url).path.rstrip("/")
    return next((one for one in _PATHS if path.endswith(one)), path)


class RecordingSession(Session):
    """Carries requests by another session and records each with its answer.

    A key in the Authorization header is taken out wherever else it appears; no header of the request is
    recorded.

    Args:
        inner: Carries the requests; closed with this one.
        recorder: Keeps them; not closed with it.
    """

    def __init__(self, inner: Session, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    @asynccontextmanager
    async def stream(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        label: str | None = None,
    ) -> AsyncGenerator[StreamReply]:
        """Send a request and give its answer; it is on record before the last of it is handed on.

        Raises:
            ProviderError: When no answer comes.
            StoreError: When it cannot be recorded.
        """
        for name, value in headers.items():
            if name.lower() == "authorization":
                self._recorder.redaction.hide(value.rpartition(" ")[2])
        take = self._recorder.begin(method, path_of(url), content, label)
        answered = False
        try:
            async with self._inner.stream(method, url, headers, content, label=label) as reply:
                take.answered(reply.status, reply.headers)
                answered = True
                yield _Recorded(reply, take)
        except ProviderError as error:
            if not answered:
                take.failed(error)
                take.end("cut")
            raise
        finally:
            take.end("gone")  # unless it ended before

    async def aclose(self) -> None:
        """Close the inner session."""
        await self._inner.aclose()


class _Recorded:
    """An answer that is written down as it is read."""

    def __init__(self, reply: StreamReply, take: Take) -> None:
        self._reply = reply
        self._take = take
        self.status = reply.status
        self.headers = reply.headers

    @property
    def elapsed_s(self) -> float | None:
        return self._take.elapsed_s

    async def chunks(self) -> AsyncIterator[bytes]:
        held = b""  # one piece behind: the last is handed on once all are on record
        failure: ProviderError | None = None
        try:
            async for chunk in self._reply.chunks():
                self._take.body(chunk)
                if held:
                    yield held
                held = chunk
        except ProviderError as error:
            self._take.failed(error)
            failure = error
        self._take.end("done" if failure is None else "cut")
        if held:
            yield held
        if failure is not None:
            raise failure

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def events(self) -> AsyncIterator[str]:
        try:
            async for data in self._reply.events():
                self._take.event(data)
                if is_last(data):
                    self._take.end()
                yield data
        except ProviderError as error:
            self._take.failed(error)
            self._take.end("cut")
            raise
        self._take.end()


class ReplaySession(Session):
    """Answers from a cassette alone; opens no connection.

    A recorded failure is raised again, and is final: what a cassette holds does not change by asking twice.

    Args:
        replayer: Finds the answers; not closed with the session.
        speed: `instant`, or `recorded`: each event comes when it came.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        replayer: Replayer,
        speed: ReplaySpeed = "instant",
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._replayer = replayer
        self._sleep = sleep if speed == "recorded" else None

    @asynccontextmanager
    async def stream(
        self,
        method: Method,
        url: str,
        headers: Mapping[str, str],  # noqa: ARG002 - a recording answers whoever asks
        content: bytes | None = None,
        *,
        label: str | None = None,
    ) -> AsyncGenerator[StreamReply]:
        """Give the recorded answer of a request.

        Raises:
            ProviderError: When the recorded one failed, or there is none.
        """
        try:
            exchange = self._replayer.find(method, path_of(url), content, label)
        except CassetteMiss as miss:
            raise ProviderError(miss.message, kind="not_recorded", sent=False) from miss
        if exchange.status is None:
            raise _failure(exchange)
        yield _Replayed(exchange, exchange.status, self._sleep)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""


class _Replayed:
    """A recorded answer."""

    def __init__(
        self, exchange: Exchange, status: int, sleep: Callable[[float], Awaitable[object]] | None
    ) -> None:
        self._exchange = exchange
        self._sleep = sleep
        self.status = status
        # What the server wished of its clients then is nothing to wait for now.
        kept = {name: value for name, value in exchange.headers.items() if not name.startswith(_OF_SERVER)}
        self.headers: Mapping[str, str] = _Headers(kept)
        self.elapsed_s: float | None = exchange.ttfb_s or 0.0

    async def _reach(self, seconds: float) -> None:
        if self._sleep is not None:
            await self._sleep(max(0.0, seconds - (self.elapsed_s or 0.0)))
        self.elapsed_s = seconds

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._exchange.events is not None:
            async for data in self.events():
                yield b"".join(b"data: %s\n" % line.encode() for line in data.split("\n")) + b"\n"
            return
        await self._reach(self._exchange.latency_s)
        if self._exchange.body:
            yield self._exchange.body
        self._check_end()

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def events(self) -> AsyncIterator[str]:
        if self._exchange.events is None:
            async for data in events_in(self.chunks(), self.headers.get("content-type", ""), "the cassette"):
                yield data
            return
        for seconds, data in self._exchange.events:
            await self._reach(seconds)
            yield data
        self._check_end()

    def _check_end(self) -> None:
        if self._exchange.failure is not None or self._exchange.end == "gone":
            raise _failure(self._exchange)


class _Headers(Mapping[str, str]):
    """Headers by their names in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {name.lower(): value for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        return self._headers[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


def _failure(exchange: Exchange) -> ProviderError:
    failure = exchange.failure
    if failure is None:
        message = f"the recorded request was given up after {exchange.latency_s:.3g} s"
        return ProviderError(message, kind="timeout", status=exchange.status)
    return ProviderError(failure.message, kind=failure.kind, status=failure.status)
