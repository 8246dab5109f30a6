"""Faults in a whole answer that a model gave: it is changed, cut or late."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from regrade import jsonio
from regrade.gateway.faults.exchange import FAULT_HEADER, Exchange

__all__ = [
    "ThroughWhole",
    "delayed",
    "halved",
    "passed_on",
    "retyped",
    "with_choices",
    "without_content",
]

_OK = 200
_SLOW_S = 1.0


async def passed_on(exchange: Exchange, message: Message) -> None:
    """Pass on a message of an answer, with the header that names the fault."""
    if message["type"] == "http.response.start":
        MutableHeaders(scope=message)[FAULT_HEADER] = exchange.options.fault
    await exchange.send(message)


def delayed(seconds_of: Callable[[Exchange, float], float]) -> Callable[[Exchange], Awaitable[None]]:
    """Return the fault of an answer that comes late.

    Args:
        seconds_of: Returns how late, from the exchange and the rule's seconds (default 1).
    """

    async def act(exchange: Exchange) -> None:
        if await exchange.pause(seconds_of(exchange, exchange.options.seconds or _SLOW_S)):
            await exchange.answered(lambda message: passed_on(exchange, message))

    return act


async def retyped(exchange: Exchange) -> None:
    """Give the answer a content type that it is not."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["content-type"] = "text/plain; charset=utf-8"
        await passed_on(exchange, message)

    await exchange.answered(send)


@dataclass
class _Kept:
    """A whole answer, kept until it is complete."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
        else:
            self.content += message.get("body", b"")


@dataclass(frozen=True)
class ThroughWhole:
    """The fault of a whole answer that is changed; an answer other than 200 is passed on as it is.

    Attributes:
        change: Takes the body's bytes and returns those to send.
        lost: The share of the bytes that is announced and not sent.
        reset: Whether the connection is then reset, not closed.
    """

    change: Callable[[bytes], bytes] = bytes
    lost: float = 0.0
    reset: bool = False

    async def __call__(self, exchange: Exchange) -> None:
        """Make it happen."""
        kept = _Kept()
        await exchange.answered(kept)
        content = bytes(kept.content)
        if kept.status == _OK:
            content = self.change(content)
            length = (b"content-length", str(len(content)).encode())
            await exchange.start(kept.status, [*kept.headers, length])
            await self._end(exchange, content)
        elif kept.status:
            start: Message = {"type": "http.response.start", "status": kept.status, "headers": kept.headers}
            await exchange.send(start)
            await exchange.body(content)

    async def _end(self, exchange: Exchange, content: bytes) -> None:
        if not self.lost:
            await exchange.body(content)
            return
        await exchange.body(content[: int(len(content) * (1 - self.lost))], more=True)
        await (exchange.reset() if self.reset else exchange.hang_up())


def halved(content: bytes) -> bytes:
    """Return half of a body."""
    return content[: len(content) // 2]


def with_choices(choices: Any) -> Callable[[bytes], bytes]:
    """Return what puts something else in the place of the choices; None leaves them out."""

    def change(content: bytes) -> bytes:
        body = jsonio.loads(content)
        del body["choices"]
        return jsonio.encode(body if choices is None else {**body, "choices": choices})

    return change


def without_content(reason: str | None) -> Callable[[bytes], bytes]:
    """Return what takes the text out of every choice.

    Args:
        reason: The finish reason to put in; None keeps what there is.
    """

    def change(content: bytes) -> bytes:
        body = jsonio.loads(content)
        for choice in body["choices"]:
            if "message" in choice:
                choice["message"]["content"] = None
            else:
                choice["text"] = None
            choice["finish_reason"] = reason or choice["finish_reason"]
        return jsonio.encode(body)

    return change
