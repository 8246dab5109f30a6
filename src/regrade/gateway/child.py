"""The process that runs the demo models and the server in front of them.

    python -m regrade.gateway.child --host 127.0.0.1 --port 0 --model demo/v1 --model demo/v2

Its first line on standard output is JSON: {"port": 41234}, or {"error": "..."} and it ends. It serves until
its standard input closes, which the system does for a parent however that ends.
"""

import argparse
import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence

import uvicorn

from regrade import jsonio
from regrade.errors import GatewayError, RegradeError
from regrade.gateway.app import any_key, make_app
from regrade.gateway.models import demo_models
from regrade.gateway.servers import running_models
from regrade.http import HttpSession
from regrade.types import JsonObject

__all__ = ["main"]

_GRACE_S = 1
_LIMIT_S = 3.0
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until standard input closes; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", action="append", dest="models")
    arguments = parser.parse_args(argv)
    try:
        with _listen(arguments.host, arguments.port) as listener:
            asyncio.run(_serve(listener, arguments.models))
    except RegradeError as error:
        _tell({"error": str(error)})
        return error.exit_code
    return 0


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


async def _serve(listener: socket.socket, names: Sequence[str] | None) -> None:
    with running_models(demo_models(names)) as catalogue:
        async with HttpSession() as session:
            config = uvicorn.Config(
                make_app(catalogue, any_key, session),
                lifespan="off",
                ws="none",
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_GRACE_S,
            )
            server = uvicorn.Server(config)
            threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
            _tell({"port": listener.getsockname()[1]})
            await server.serve(sockets=[listener])


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
