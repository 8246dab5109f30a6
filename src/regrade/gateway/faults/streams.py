"""Faults in a stream that a model gave: it is cut, stalled or muddled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from regrade import jsonio
from regrade.gateway.faults.changed import passed_on
from regrade.gateway.faults.exchange import Ended, Exchange

__all__ = [
    "ThroughStream",
    "comments",
    "cut",
    "ends",
    "finishes",
    "is_done",
    "left_out",
    "reset",
    "stalls",
    "then_ends",
    "twice",
    "withheld",
]

_OK = 200
_DATA = b"data: "
_END = b"\n\n"
_DONE = b"[DONE]"
_LATEST_CHUNK = 3
_STALL_S = 60.0
_COMMENT_S = 0.2

OnEvent = Callable[[Exchange, bytes], Awaitable[None]]
"""Sends what takes the place of an event; raises `Ended` where the stream ends with it."""


@dataclass(frozen=True)
class ThroughStream:
    """The fault of a stream; an answer that is no stream is passed on as it is.

    Attributes:
        on_event: Called once, with the event that the fault meets; by default that is the one behind the
            rule's `chunks`, and at the latest the one with the finish reason.
        meets: Says which events, wherever they stand, are met instead.
    """

    on_event: OnEvent
    meets: Callable[[bytes], bool] | None = None

    async def __call__(self, exchange: Exchange) -> None:
        """Make it happen."""
        await exchange.answered(_Cutter(self, exchange))


class _Cutter:
    """Cuts a stream into events and hands over those that the fault meets."""

    def __init__(self, fault: ThroughStream, exchange: Exchange) -> None:
        self._fault = fault
        self._exchange = exchange
        chunks = exchange.options.chunks
        self._left = exchange.chance.randint(1, _LATEST_CHUNK) if chunks is None else chunks
        self._streamed = False
        self._rest = b""
        self._over = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = MutableHeaders(scope=message).get("content-type", "")
            self._streamed = message["status"] == _OK and kind.startswith("text/event-stream")
        if self._streamed and message["type"] == "http.response.body":
            await self._events(message)
        elif self._streamed:
            await passed_on(self._exchange, message)
        else:
            await self._exchange.send(message)

    async def _events(self, message: Message) -> None:
        *events, self._rest = (self._rest + message.get("body", b"")).split(_END)
        for event in events:
            await self._one(event + _END)
        if not message.get("more_body", False):
            await self._exchange.body(self._rest)

    async def _one(self, event: bytes) -> None:
        if self._is_met(event):
            await self._fault.on_event(self._exchange, event)
        else:
            await self._exchange.body(event, more=True)

    def _is_met(self, event: bytes) -> bool:
        if self._fault.meets is not None:
            return self._fault.meets(event)
        met = not self._over and (self._left <= 0 or is_done(event) or finishes(event))
        self._left -= 1
        self._over = self._over or met
        return met


def _data_of(event: bytes) -> Any:
    try:
        return jsonio.loads(event.strip().removeprefix(_DATA))
    except ValueError:
        return None


def is_done(event: bytes) -> bool:
    """Return whether an event says that the stream is over."""
    return event.strip().removeprefix(_DATA) == _DONE


def finishes(event: bytes) -> bool:
    """Return whether an event holds a finish reason."""
    data = _data_of(event)
    choices = data.get("choices") if isinstance(data, dict) else None
    return any(one.get("finish_reason") for one in choices or () if isinstance(one, dict))


async def cut(exchange: Exchange, _: bytes) -> None:
    """Close the connection."""
    await exchange.hang_up()
    raise Ended


async def reset(exchange: Exchange, _: bytes) -> None:
    """Reset the connection."""
    await exchange.reset()
    raise Ended


async def stalls(exchange: Exchange, _: bytes) -> None:
    """Send nothing more, then close the connection."""
    if await exchange.pause(exchange.options.seconds or _STALL_S):
        await exchange.hang_up()
    raise Ended


async def comments(exchange: Exchange, _: bytes) -> None:
    """Send comments that keep the connection alive, and nothing else; then close it."""
    count = max(1, round((exchange.options.seconds or _STALL_S) / _COMMENT_S))
    for __ in range(count):
        await exchange.body(b": keep-alive\n\n", more=True)
        if not await exchange.pause(_COMMENT_S):
            raise Ended
    await exchange.hang_up()
    raise Ended


async def ends(exchange: Exchange, _: bytes) -> None:
    """End the stream in good order, whatever is missing."""
    await exchange.body(b"")
    raise Ended


def then_ends(data: bytes) -> OnEvent:
    """Return what sends one more event and ends the stream."""

    async def on_event(exchange: Exchange, _: bytes) -> None:
        await exchange.body(_DATA + data + _END)
        raise Ended

    return on_event


async def left_out(_: Exchange, __: bytes) -> None:
    """Send nothing in its place."""


async def twice(exchange: Exchange, event: bytes) -> None:
    """Send it two times."""
    await exchange.body(event + event, more=True)


async def withheld(exchange: Exchange, event: bytes) -> None:
    """Say that a filter withheld the answer."""
    data = _data_of(event)
    for choice in data["choices"]:
        choice["finish_reason"] = "content_filter"
    await exchange.body(_DATA + jsonio.encode(data) + _END, more=True)
