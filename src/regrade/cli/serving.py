"""Serve models behind an OpenAI-compatible API on this machine, until Ctrl-C."""

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import comma_list

if TYPE_CHECKING:
    from regrade.gateway.process import Gateway

__all__ = ["add_arguments", "execute"]

_PORT = 8000
_LAST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("--demo", action="store_true", help="the small models that regrade ships")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=_PORT, help=f"0: a free one (default: {_PORT})")
    parser.add_argument("--models", type=comma_list, metavar="A,B", help="only these (default: all)")
    parser.add_argument("--faults", metavar="FILE", help="misbehave as this YAML file says, to test clients")
    parser.add_argument("--faults-list", action="store_true", help="print all faults and end")


def execute(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from regrade.api.options import environment
    from regrade.errors import UsageError
    from regrade.gateway.models import demo_models
    from regrade.gateway.process import serve
    from regrade.gateway.settings import GatewaySettings

    if args.faults_list:
        return _show_faults()
    if not args.demo:
        raise UsageError("which models?", hint="--demo serves the small models that regrade ships")
    demo = tuple(one.id for one in demo_models(args.models))
    faults = _checked_faults(args.faults)
    serve(GatewaySettings(args.host, args.port, demo=demo, faults=faults), environment(), _show)
    return 0


def _checked_faults(path: str | None) -> str | None:
    """Return the file of faults, after everything wrong in it was said."""
    if path is not None:
        _require_packages()
        from regrade.gateway.faults.rules import read_faults

        read_faults(Path(path))
    return path


def _require_packages() -> None:
    from regrade.errors import MissingExtraError

    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "gateway", "a gateway with faults")


def _show_faults() -> int:
    _require_packages()
    from regrade.cli.terminal import make_console, print_views
    from regrade.gateway.faults.kinds import KINDS
    from regrade.views import ColumnView, TableView

    columns = (ColumnView("fault"), ColumnView("what happens"))
    rows = tuple((name, kind.summary) for name, kind in KINDS.items())
    print_views(make_console(), [TableView("faults", columns, rows)])
    return 0


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to {_LAST_PORT})")
    return number


def _show(gateway: "Gateway") -> None:
    from regrade.cli.terminal import make_console, print_views
    from regrade.views import ColumnView, TableView

    columns = (ColumnView("model"), ColumnView("context window", "right"), ColumnView("mode"))
    rows = tuple((one.id, f"{one.context_window:,}", one.mode) for one in gateway.models)
    console = make_console()
    console.out(f"serving {gateway.base_url}", highlight=False)
    if gateway.settings.faults is not None:
        console.out(f"misbehaving as {gateway.settings.faults} says", highlight=False)
    print_views(console, [TableView("models", columns, rows)])
    body = (
        f'{{"model": "{gateway.models[0].id}", "temperature": 0,\n'
        '       "messages": [{"role": "user", "content": "Label this message: my parcel is late"}]}'
    )
    lines = (
        "Any key is accepted. Try it:",
        "",
        f"  curl {gateway.base_url}/chat/completions \\",
        "    -H 'Authorization: Bearer demo' -H 'Content-Type: application/json' \\",
        f"    -d {shlex.quote(body)}",
        "",
        "Ctrl-C ends it.",
    )
    for line in lines:
        console.out(line, highlight=False)
    # Whoever reads this through a pipe waits for it.
    console.file.flush()
