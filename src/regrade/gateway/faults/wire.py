"""The way to a connection underneath ASGI, which knows no broken ones."""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope

from regrade.gateway.protocol import TRANSPORT

__all__ = ["gone", "hang_up", "reset", "stands"]

_NO_GOODBYE = struct.pack("ii", 1, 0)


def stands(scope: Scope) -> bool:
    """Return whether the connection of a request is open."""
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    return not transport.is_closing()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Send what is written, then close the connection whether or not the answer is whole."""
    scope["state"][TRANSPORT].close()
    await gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the other side gets no goodbye."""
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_GOODBYE)
    transport.abort()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
