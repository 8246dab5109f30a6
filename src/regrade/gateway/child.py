"""The process that serves.

    python -m regrade.gateway.child

The first line on its standard input is the JSON of `GatewaySettings`; keys of upstreams are in its
environment. Its first line on standard output is JSON: {"port": 41234, "models": [...]}, or {"error": "..."}
and it ends. It serves until its standard input closes, which the system does for a parent however that ends.
"""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from importlib import import_module
from importlib.util import find_spec

import uvicorn

from regrade import jsonio
from regrade.errors import GatewayError, RegradeError
from regrade.gateway.app import make_app
from regrade.gateway.assembly import assembled
from regrade.gateway.catalogue import Catalogue
from regrade.gateway.connections import Connections, fitting
from regrade.gateway.protocol import guarded_protocol
from regrade.gateway.settings import GatewaySettings
from regrade.types import JsonObject

__all__ = ["main"]

_GRACE_S = 1
_LIMIT_S = 3.0
_BACKLOG = 2048


def main() -> int:
    """Serve until standard input closes; return the exit code."""
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    factory = import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    try:
        settings = GatewaySettings.decode(sys.stdin.buffer.readline())
        with (
            _listen(settings.host, settings.port) as listener,
            asyncio.Runner(loop_factory=factory) as runner,
        ):
            runner.run(_serve(listener, settings))
    except RegradeError as error:
        _tell({"error": error.message, "hint": error.hint})
        return error.exit_code
    return 0


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Drop what is no fault: connections broken on purpose, requests cut short when the server ends."""
    return "without completing" not in record.msg and not record.msg.startswith("Cancel ")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's 40 ms wait only on sockets that name their protocol.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise GatewayError(message, hint="choose another with --port; 0 takes a free one") from error
    return listener


async def _serve(listener: socket.socket, settings: GatewaySettings) -> None:
    limits = fitting(settings.limits)
    async with assembled(settings, os.environ) as parts:
        config = uvicorn.Config(
            make_app(parts.catalogue, parts.hooks, parts.log),
            http=guarded_protocol(Connections(limits)),
            lifespan="off",
            ws="none",
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = uvicorn.Server(config)
        threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
        _tell({"port": listener.getsockname()[1], "models": _listed(parts.catalogue)})
        await server.serve(sockets=[listener])
        await _settled(server)


async def _settled(server: uvicorn.Server) -> None:
    """Wait for the requests that were cut short: they still write to the cassette that is closed next."""
    cut_short = list(server.server_state.tasks)
    if cut_short:
        await asyncio.wait(cut_short, timeout=_GRACE_S)


def _listed(catalogue: Catalogue) -> list[JsonObject]:
    return [
        {"id": one.id, "context_window": one.context_window, "mode": one.mode, "upstream": one.upstream}
        for one in catalogue.values()
    ]


def _end_with_parent(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    server.should_exit = True
    time.sleep(_LIMIT_S)
    # Something hangs, and with the parent nobody is left to end this process.
    os._exit(1)


def _tell(message: JsonObject) -> None:
    print(jsonio.dumps(message), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    sys.exit(main())
