"""The response cache: where it is, what it holds, and how to forget it."""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "what", choices=["list", "clear", "path"], help="list its models, clear it, or print its path"
    )
    parser.add_argument("--file", type=Path, help="another file than the usual one")


def execute(args: argparse.Namespace) -> int:
    """Show or clear the cache."""
    from regrade import api

    path = args.file or api.cache_path()
    if args.what == "path":
        print(path)
        return 0
    if not path.exists():
        print(f"{path}: no cache yet; `regrade run --cache` fills it")
        return 0
    with api.ResponseCache(path) as cache:
        if args.what == "clear":
            print(f"{path}: {cache.clear():,} answers forgotten")
            return 0
        _show(cache, path)
    return 0


def _show(cache: "object", path: Path) -> None:
    from regrade.api import ResponseCache
    from regrade.cli.terminal import make_console, print_views
    from regrade.views import ColumnView, TableView

    assert isinstance(cache, ResponseCache)
    heads = (("model", "left"), ("answers", "right"), ("kB", "right"), ("newest", "left"))
    rows = tuple(
        (one.model, f"{one.answers:,}", f"{one.size_bytes / 1000:,.0f}", one.newest)
        for one in cache.entries()
    )
    columns = tuple(ColumnView(head, align) for head, align in heads)  # type: ignore[arg-type] # literals widen
    print_views(make_console(), [TableView(str(path), columns, rows)])
