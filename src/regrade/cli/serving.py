"""Serve models behind an OpenAI-compatible API, until Ctrl-C.

Where the answers come from: the demo models, the upstreams of a catalogue,
either of them while every exchange is recorded, or such a recording alone,
with no key and no network.
"""

import argparse
import os
import shlex
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import add_flag, comma_list

if TYPE_CHECKING:
    from regrade.gateway.modes import Wish
    from regrade.gateway.process import Gateway
    from regrade.gateway.settings import Pace

__all__ = ["add_arguments", "execute"]

_PORT = 8000
_LAST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("--demo", action="store_true", help="the small models that regrade ships")
    parser.add_argument("--forward", action="store_true", help="the models of the catalogue")
    add_flag(
        parser, "--record", Path, None, "forward, and keep every exchange in this folder; or with --demo"
    )
    add_flag(parser, "--replay", Path, None, "answer from the recording in this folder alone")
    text = "the models there are, and where (default: models.yaml)"
    add_flag(parser, "--catalogue", Path, Path("models.yaml"), text)
    parser.add_argument(
        "--example-catalogue", action="store_true", help="print a catalogue to begin with, and end"
    )
    parser.add_argument("--models", type=comma_list, metavar="A,B", help="only these (default: all)")
    parser.add_argument("--faults", metavar="FILE", help="misbehave as this YAML file says, to test clients")
    parser.add_argument("--faults-list", action="store_true", help="print all faults and end")
    _add_recordings(parser)
    add_flag(parser, "--host", str, "127.0.0.1", "address to listen on (default: 127.0.0.1)")
    add_flag(parser, "--port", _port, _PORT, f"0: a free one (default: {_PORT})")
    add_flag(parser, "--log", str, None, "a line of JSON for every request, without prompts; - is stderr")
    parser.add_argument("--log-prompts", action="store_true", help="requests go into the log too")
    _add_clients(parser)


def _add_clients(parser: argparse.ArgumentParser) -> None:
    add_flag(parser, "--keys", Path, None, "file of the keys of clients (see: regrade gateway keys)")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=N",
        help="another limit of connections, such as connections=4000; repeatable; see docs/gateway-keys.md",
    )


def _add_recordings(parser: argparse.ArgumentParser) -> None:
    add_flag(parser, "--pace", _pace, "at-once", "how fast streams are replayed: recorded or at-once")
    parser.add_argument(
        "--repeat-last", action="store_true", help="replay the last answer again when there are no more"
    )
    for name, metavar, text in (
        ("--redact", "JSONPATH", "value that is never recorded, such as $.user; repeatable"),
        ("--redact-pattern", "REGEX", "text that is never recorded; repeatable"),
    ):
        parser.add_argument(name, action="append", default=[], metavar=metavar, help=text)


def execute(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from regrade.api.options import environment
    from regrade.gateway.modes import plan
    from regrade.gateway.process import serve

    if args.faults_list:
        return _show_faults()
    if args.example_catalogue:
        from regrade.gateway.upstreams import EXAMPLE

        print(EXAMPLE.read_text(encoding="utf-8"), end="")
        return 0
    env = environment()
    planned = plan(_wish(args), env)
    serve(planned.settings, env, lambda gateway: _show(gateway, planned.keyless))
    return 0


def _wish(args: argparse.Namespace) -> "Wish":
    from regrade.gateway.connections import connection_limits
    from regrade.gateway.keys import keys_path
    from regrade.gateway.modes import Wish
    from regrade.gateway.settings import GatewaySettings

    settings = GatewaySettings(
        host=args.host,
        port=args.port,
        record=str(args.record) if args.record else None,
        replay=str(args.replay) if args.replay else None,
        pace=_pace_of(args),
        repeat_last=args.repeat_last,
        redact=tuple(args.redact),
        redact_patterns=tuple(args.redact_pattern),
        log=args.log,
        log_prompts=args.log_prompts,
        faults=_checked_faults(args.faults),
        keys=str(args.keys or keys_path()),
        limits=connection_limits(args.limit),
    )
    return Wish(args.demo, args.forward, args.catalogue, args.models, settings)


def _pace_of(args: argparse.Namespace) -> "Pace":
    """Return the pace of replays; where nothing is replayed, one that the environment sets is left alone."""
    pace: Pace = args.pace
    return "at-once" if args.replay is None and os.environ.get("REGRADE_PACE") == pace else pace


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


def _pace(text: str) -> str:
    if text not in {"at-once", "recorded"}:
        raise argparse.ArgumentTypeError(f"{text!r} is neither at-once nor recorded")
    return text


def _show(gateway: "Gateway", keyless: Mapping[str, str]) -> None:
    from regrade.cli.terminal import make_console, print_views
    from regrade.views import ColumnView, TableView

    names = ("model", "context", "mode", "upstream")
    columns = tuple(ColumnView(one, "right" if one == "context" else "left") for one in names)
    rows: list[tuple[str, str, str, str]] = [
        (one.id, f"{one.context_window:,}" if one.context_window else "", one.mode, one.upstream)
        for one in gateway.models
    ]
    rows += [(id_, "", "not served", f"set {variable}") for id_, variable in keyless.items()]
    console = make_console()
    console.out(f"serving {gateway.base_url}", highlight=False)
    if gateway.settings.faults is not None:
        console.out(f"misbehaving as {gateway.settings.faults} says", highlight=False)
    print_views(console, [TableView("models", columns, tuple(rows))])
    for line in _first_request(gateway):
        console.out(line, highlight=False)
    # Whoever reads this through a pipe waits for it.
    console.file.flush()


def _first_request(gateway: "Gateway") -> tuple[str, ...]:
    body = (
        f'{{"model": "{gateway.models[0].id}", "temperature": 0,\n'
        '       "messages": [{"role": "user", "content": "Label this message: my parcel is late"}]}'
    )
    anybody = gateway.takes_any_key
    authorization = "'Authorization: Bearer demo'" if anybody else '"Authorization: Bearer $KEY"'
    return (
        "Any key is accepted. Try it:" if anybody else "Clients need a key. Try it:",
        "",
        f"  curl {gateway.base_url}/chat/completions \\",
        f"    -H {authorization} -H 'Content-Type: application/json' \\",
        f"    -d {shlex.quote(body)}",
        "",
        "Ctrl-C ends it.",
    )
