"""The way to a connection underneath ASGI, which knows no broken ones."""

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol

__all__ = ["ReachableProtocol", "gone", "hang_up", "reset", "stands"]

_TRANSPORT = "regrade.transport"
_NO_GOODBYE = struct.pack("ii", 1, 0)


class ReachableProtocol(AutoHTTPProtocol):  # type: ignore[valid-type,misc]  # chosen when uvicorn is imported
    """uvicorn's protocol, with its connection in the state of each request's scope.

    Give it to uvicorn as `http`.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take the connection."""
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, _TRANSPORT: transport}


def stands(scope: Scope) -> bool:
    """Return whether the connection of a request is open."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return not transport.is_closing()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Send what is written, then close the connection whether or not the answer is whole."""
    scope["state"][_TRANSPORT].close()
    await gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the other side gets no goodbye."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_GOODBYE)
    transport.abort()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
