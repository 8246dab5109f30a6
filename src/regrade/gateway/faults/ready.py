"""Faults that come instead of an answer: no model is asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.datastructures import Headers

from regrade import jsonio
from regrade.gateway.faults.exchange import Act, Exchange

__all__ = [
    "Ready",
    "drip",
    "endless",
    "error",
    "hang_up",
    "huge",
    "key_in_error",
    "redirect",
    "reset",
    "silence",
]

_JSON = "application/json"
_DRIP_S = 0.2
_PIECE = b" " * 65_536
_MEGABYTE = 2**20
_SILENCE_S = 60.0
_HUGE_MB = 50.0
_ENDLESS_MB = 1024.0
_ELSEWHERE = "http://elsewhere.invalid/v1/chat/completions"
"""A name that never resolves: a client that follows gets nowhere, and neither does its key."""


@dataclass(frozen=True)
class Ready:
    """An answer that is always the same, but for Retry-After.

    Attributes:
        status: The HTTP status.
        content: The body.
        kind: The content type.
        headers: More headers.
    """

    status: int
    content: bytes = b""
    kind: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        """Send it."""
        length = {"content-type": self.kind, "content-length": str(len(self.content))}
        await exchange.start(self.status, {**length, **self.headers, **_retry_after(exchange)})
        await exchange.body(self.content)


def error(status: int, message: str, kind: str, code: str | int | None = None) -> Act:
    """Return the fault of an error in the API's form."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Ready(status, jsonio.encode(body))


def _retry_after(exchange: Exchange) -> dict[str, str]:
    seconds, form = exchange.options.retry_after, exchange.options.retry_after_as
    if seconds is None:
        return {}
    if form == "milliseconds":
        return {"retry-after-ms": f"{seconds * 1000:g}"}
    if form == "date":
        return {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}
    return {"retry-after": f"{seconds:g}"}


async def key_in_error(exchange: Exchange) -> None:
    """Refuse the key, and repeat it."""
    key = Headers(scope=exchange.scope).get("authorization", "").partition(" ")[2]
    await error(401, f"Incorrect API key provided: {key}", "authentication_error", "invalid_api_key")(
        exchange
    )


async def redirect(exchange: Exchange) -> None:
    """Send the client to another host."""
    await Ready(307, headers={"location": _ELSEWHERE})(exchange)


async def reset(exchange: Exchange) -> None:
    """Reset the connection before a byte of the answer."""
    await exchange.reset()


async def hang_up(exchange: Exchange) -> None:
    """Close the connection before a byte of the answer."""
    await exchange.hang_up()


async def silence(exchange: Exchange) -> None:
    """Send nothing, then close the connection."""
    if await exchange.pause(exchange.options.seconds or _SILENCE_S):
        await exchange.hang_up()


async def drip(exchange: Exchange) -> None:
    """Send a byte now and then, never enough, then close the connection."""
    count = max(1, round((exchange.options.seconds or _SILENCE_S) / _DRIP_S))
    await exchange.start(200, {"content-type": _JSON, "content-length": str(count + 1)})
    for _ in range(count):
        await exchange.body(b" ", more=True)
        if not await exchange.pause(_DRIP_S):
            return
    await exchange.hang_up()


async def huge(exchange: Exchange) -> None:
    """Announce a body that is far too large, and send it."""
    size = int((exchange.options.megabytes or _HUGE_MB) * _MEGABYTE)
    await exchange.start(200, {"content-type": _JSON, "content-length": str(size)})
    await _flood(exchange, size)
    await exchange.body(b"")


async def endless(exchange: Exchange) -> None:
    """Send a body of which nobody knows the end; after a gigabyte the connection closes."""
    await exchange.start(200, {"content-type": _JSON})
    await _flood(exchange, int((exchange.options.megabytes or _ENDLESS_MB) * _MEGABYTE))
    await exchange.hang_up()


async def _flood(exchange: Exchange, size: int) -> None:
    left = size
    while left > 0 and exchange.connected:
        await exchange.body(_PIECE[:left], more=True)
        left -= len(_PIECE)
        await asyncio.sleep(0)  # others are served meanwhile
