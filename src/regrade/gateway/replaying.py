"""The backend that answers from a cassette alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from regrade.cassette import Exchange, Replayer
from regrade.errors import CassetteMiss, ProviderError
from regrade.gateway.backend import EVENT_STREAM, JSON, PATHS, Answer, Call
from regrade.gateway.refusals import Refusal
from regrade.gateway.settings import Pace

__all__ = ["ReplayBackend"]

_SERVERS_OWN = frozenset({"x-request-id"})


class ReplayBackend:
    """Answers for all models of a cassette.

    Args:
        replayer: Finds the answers; closed by its owner.
        pace: Whether answers take as long as they did.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        replayer: Replayer,
        pace: Pace = "at-once",
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._replayer = replayer
        self._sleep = sleep if pace == "recorded" else None

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncGenerator[Answer]:
        """Answer one request.

        Raises:
            Refusal: With status 404 when it was not recorded, saying what comes nearest.
            ProviderError: When the recorded request failed.
        """
        try:
            exchange = self._replayer.find("POST", PATHS[call.endpoint], call.content)
        except CassetteMiss as miss:
            raise Refusal(404, miss.message, code="cassette_miss") from miss
        headers = {name: value for name, value in exchange.headers.items() if name not in _SERVERS_OWN}
        if exchange.status is None or exchange.events is None:
            await self._until(exchange.latency_s, 0.0)
            if exchange.status is None or exchange.failure is not None:
                raise _failure(exchange)
            yield Answer(exchange.status, headers or JSON, exchange.body)
            return
        yield Answer(exchange.status, headers or EVENT_STREAM, self._pieces(exchange))

    async def _pieces(self, exchange: Exchange) -> AsyncIterator[bytes]:
        before = 0.0
        for seconds, data in exchange.events or ():
            await self._until(seconds, before)
            before = seconds
            yield b"".join(b"data: %s\n" % line.encode() for line in data.split("\n")) + b"\n"
        if exchange.failure is not None or exchange.end == "gone":
            raise _failure(exchange)

    async def _until(self, seconds: float, before: float) -> None:
        if self._sleep is not None:
            await self._sleep(max(0.0, seconds - before))


def _failure(exchange: Exchange) -> ProviderError:
    if exchange.failure is not None:
        return exchange.failure.error()
    message = f"when this was recorded, the client went away after {exchange.latency_s:.3g} s"
    return ProviderError(message, kind="connection", status=exchange.status)
