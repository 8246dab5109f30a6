"""Make, list and revoke the keys that clients of the gateway send.

regrade gateway keys add NAME      make a key; it is printed once and stored only as a hash
regrade gateway keys list          who may enter, how much, and what was spent
regrade gateway keys revoke NAME   end one; running servers follow within a second
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import comma_list, count, dollars

if TYPE_CHECKING:
    from regrade.gateway.keys import Key, KeyLimits

__all__ = ["add_arguments", "execute"]

_SOON_USD = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("what", choices=["add", "list", "revoke"], metavar="add|list|revoke")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the key's name, such as ci")
    parser.add_argument("--rpm", type=count, metavar="N", help="with add: requests a minute")
    parser.add_argument("--tpm", type=count, metavar="N", help="with add: tokens a minute")
    parser.add_argument("--budget", type=dollars, metavar="USD", help="with add: dollars it may spend in all")
    parser.add_argument("--models", type=comma_list, metavar="A,B", help="with add: only these, as qwen/*")
    parser.add_argument("--json", action="store_true", help="with list: as JSON")
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="file of keys [REGRADE_KEYS] (default: gateway-keys.sqlite in the configuration folder)",
    )


def execute(args: argparse.Namespace) -> int:
    """Add, list or revoke."""
    from regrade.errors import UsageError
    from regrade.gateway.keys import KeyStore, keys_path

    _check(args)
    path = args.keys or keys_path()
    if args.what == "list":
        _list(path, as_json=args.json)
        return 0
    if args.name is None:
        raise UsageError(f"regrade gateway keys {args.what} needs a name", hint="such as ci")
    if args.what == "revoke" and not path.exists():
        raise UsageError(f"there is no key named {args.name!r}", hint=f"{path} does not exist")
    with KeyStore(path) as store:
        if args.what == "add":
            store.add(args.name, _limits(args), _show)
            print(
                f"this is the key {args.name}; it is shown only now and stored as a hash in {path}",
                file=sys.stderr,
            )
        else:
            store.revoke(args.name)
            print(f"key {args.name} is revoked; running servers refuse it within a second")
    return 0


def _check(args: argparse.Namespace) -> None:
    from regrade.errors import UsageError

    limits = [f"--{name}" for name in ("rpm", "tpm", "budget", "models") if getattr(args, name) is not None]
    if limits and args.what != "add":
        raise UsageError(f"{limits[0]} goes with `keys add`", hint="revoke the key and add it again")
    if args.json and args.what != "list":
        raise UsageError("--json goes with `keys list`")
    if args.what == "list" and args.name is not None:
        raise UsageError("`keys list` lists them all", hint="leave the name out")
    if args.models == []:
        raise UsageError("--models names no model", hint="leave it out to allow all")


def _limits(args: argparse.Namespace) -> "KeyLimits":
    from regrade.gateway.keys import KeyLimits

    return KeyLimits(args.rpm, args.tpm, args.budget, tuple(args.models or ()))


def _show(secret: str) -> None:
    """Print the key alone on standard output, for scripts; a key that nobody saw must not come to count."""
    try:
        print(secret)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def _list(path: Path, *, as_json: bool) -> None:
    from regrade import jsonio
    from regrade.cli.terminal import make_console, print_views
    from regrade.gateway.keys import KeyStore
    from regrade.views import ColumnView, TableView

    found: list[Key] = []
    if path.exists():
        with KeyStore(path) as store:
            found = store.in_force()
    if as_json:
        print(jsonio.dumps([_record(key) for key in found]))
        return
    if not found:
        print(f"{path}: no keys; make one with: regrade gateway keys add NAME")
        return
    heads = ("name", "created", "last used", "rpm", "tpm", "spent", "budget", "models")
    right = {"rpm", "tpm", "spent", "budget"}
    spare = {"created": 5, "last used": 4, "models": 3}
    columns = tuple(
        ColumnView(head, "right" if head in right else "left", spare.get(head, 0)) for head in heads
    )
    rows = tuple(_row(key) for key in found)
    print_views(make_console(), [TableView(str(path), columns, rows)])


def _row(key: "Key") -> tuple[str, ...]:
    limits = key.limits
    return (
        key.name,
        key.created_at[:10],
        (key.last_used_at or "never").replace("T", " ")[:16],
        f"{limits.rpm:,}" if limits.rpm else "",
        f"{limits.tpm:,}" if limits.tpm else "",
        _money(key.spent_usd),
        _money(limits.budget_usd) if limits.budget_usd is not None else "",
        ", ".join(limits.models) or "all",
    )


def _money(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= _SOON_USD or not usd else f"${usd:.2g}"


def _record(key: "Key") -> dict[str, object]:
    return {
        "name": key.name,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "rpm": key.limits.rpm,
        "tpm": key.limits.tpm,
        "budget_usd": key.limits.budget_usd,
        "models": list(key.limits.models),
        "spent_usd": key.spent_usd,
    }
