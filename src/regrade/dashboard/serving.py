"""Serves the dashboard from this process until Ctrl-C."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from importlib import import_module

import uvicorn
from starlette.applications import Starlette

from regrade.dashboard.settings import DashboardSettings
from regrade.dashboard.site import Site
from regrade.errors import UsageError
from regrade.pages.drawing import prepare

__all__ = ["address_of", "listen", "serve"]

_GRACE_S = 1
_BACKLOG = 128
_BREATH_S = 0.05


def listen(settings: DashboardSettings) -> socket.socket:
    """Return a socket that takes connections.

    Raises:
        UsageError: When the address is not this machine's, or taken.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as failing:
            listener = failing.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            failing.pop_all()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        hint = "--port 0 takes a free one" if port else "leave --host out for this machine alone"
        raise UsageError(f"cannot listen on {host} port {port}: {why}", hint=hint) from error
    return listener


def address_of(listener: socket.socket, settings: DashboardSettings) -> str:
    """Return the address that a browser on this machine opens."""
    port = listener.getsockname()[1]
    host = settings.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - told apart, not listened on
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: Starlette, listener: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        app: The application.
        listener: Takes its connections; closed in the end.
        ready: Called from another thread as soon as requests are answered.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # addresses may hold a token
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    threading.Thread(target=ready, daemon=True).start()  # the socket takes connections already
    ended = threading.Event()
    threading.Thread(target=_prepare, args=(app.state.site, ended), daemon=True).start()
    with listener, contextlib.closing(app.state.site), contextlib.suppress(KeyboardInterrupt):
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            ended.set()


def _prepare(site: Site, ended: threading.Event) -> None:
    """Do ahead, while a browser opens, what the first page of each kind would wait for.

    It takes a breath after each piece: whoever asks already goes first.
    """
    site.index.refresh()
    for _ in prepare():
        if ended.wait(_BREATH_S):
            return
    with contextlib.suppress(ImportError):
        import_module("duckdb")
