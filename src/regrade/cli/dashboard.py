"""Look at the runs of one or many results folders in a browser, until Ctrl-C; nothing is written there."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import add_flag

if TYPE_CHECKING:
    from regrade.dashboard.settings import DashboardSettings
    from regrade.dashboard.sources import Sources

__all__ = ["add_arguments", "execute"]

_LAST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "results",
        nargs="*",
        type=Path,
        metavar="RESULTS",
        help="results folders (default: REGRADE_RESULTS, else results)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=0, help="default: a free one")
    add_flag(parser, "--token", str, "", "what readers must know; other machines are let in only with one")
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a reverse proxy in front lets in whom it should"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name by which browsers reach it; repeatable",
    )
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="open a browser (default: where there is a display)",
    )


def execute(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from importlib.util import find_spec

    from regrade.errors import MissingExtraError

    for package in ("starlette", "uvicorn", "duckdb"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "dashboard", "the dashboard")
    from regrade.dashboard.settings import DashboardSettings
    from regrade.dashboard.sources import default_sources, sources_of

    settings = DashboardSettings(args.host, args.port, args.token, args.behind_proxy, tuple(args.allow_host))
    usual = Path(os.environ.get("REGRADE_RESULTS") or "results")
    sources = sources_of(args.results) if args.results else default_sources(usual)
    _serve(settings, sources, opens=args.open)
    return 0


def _serve(settings: "DashboardSettings", sources: "Sources", *, opens: bool | None) -> None:
    from regrade.dashboard.app import make_dashboard
    from regrade.dashboard.serving import address_of, listen, serve

    app = make_dashboard(sources.folders, settings)
    listener = listen(settings)
    address = address_of(listener, settings)
    print(f"serving {address}", flush=True)
    front = address + sources.front.removeprefix("/")
    for note in sources.notes:
        print(note)
    if front != address:
        print(f"that run is at {front}")
    if settings.token:
        print("open it once with ?token=… and the token at the end of the address")
    print("Ctrl-C ends it.", flush=True)

    def ready() -> None:
        import webbrowser
        from urllib.parse import quote

        if opens or (opens is None and _has_display()):
            webbrowser.open(front + (f"?token={quote(settings.token)}" if settings.token else ""))

    serve(app, listener, ready)


def _has_display() -> bool:
    """Return whether a browser can be expected to show itself: not in CI, not over a bare terminal."""
    import sys

    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION") or not sys.stdout.isatty():
        return False
    return sys.platform in {"darwin", "win32"} or any(
        os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to {_LAST_PORT})")
    return number
