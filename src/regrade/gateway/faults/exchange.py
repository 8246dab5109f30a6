"""What a fault works with: the request, the server behind it, and the connection."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrade.gateway.faults import wire
from regrade.gateway.faults.rule import FaultRule

__all__ = ["FAULT_HEADER", "Act", "Ended", "Exchange"]

FAULT_HEADER = "x-regrade-fault"
"""Names the fault in every answer that one met."""


class Ended(Exception):  # noqa: N818 - no error: the fault is done, and the answer behind it no longer wanted
    """Raised into the server behind a fault to stop its answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a fault meets.

    Attributes:
        inner: The server behind it.
        scope: ASGI's.
        again: Gives the request's body once more, for the server behind.
        receive: ASGI's; the body was read, so that it gives the end of the connection alone.
        send: ASGI's.
        options: What the rule says.
        chance: Depends on the request alone.
        crowd: Requests in the server, this one included.
    """

    inner: ASGIApp
    scope: Scope
    again: Receive
    receive: Receive
    send: Send
    options: FaultRule
    chance: Random
    crowd: int

    async def start(self, status: int, headers: Mapping[str, str] | Iterable[tuple[bytes, bytes]]) -> None:
        """Send status and headers, with the one that names the fault."""
        if isinstance(headers, Mapping):
            headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        message: Message = {"type": "http.response.start", "status": status, "headers": list(headers)}
        MutableHeaders(scope=message)[FAULT_HEADER] = self.options.fault
        await self.send(message)

    async def body(self, content: bytes, *, more: bool = False) -> None:
        """Send a piece of the body."""
        await self.send({"type": "http.response.body", "body": content, "more_body": more})

    async def pause(self, seconds: float) -> bool:
        """Wait; return whether the client is still there."""
        with suppress(TimeoutError):
            await asyncio.wait_for(wire.gone(self.receive), seconds)
            return False
        return True

    @property
    def connected(self) -> bool:
        """Return whether the connection stands."""
        return wire.stands(self.scope)

    async def hang_up(self) -> None:
        """Close the connection before the answer is whole."""
        await wire.hang_up(self.scope, self.receive)

    async def reset(self) -> None:
        """Reset the connection."""
        await wire.reset(self.scope, self.receive)

    async def answered(self, send: Send) -> None:
        """Let the server behind answer into `send`, until that raises `Ended`."""
        with suppress(Ended):
            await self.inner(self.scope, self.again, send)


Act = Callable[[Exchange], Awaitable[None]]
"""Makes a fault happen."""
