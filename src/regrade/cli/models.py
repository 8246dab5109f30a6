"""List the models that an OpenAI-compatible endpoint offers, or ask them what they really honour.

`--probe` costs about 16 requests and 1,000 tokens a model. A feature is "yes", "no" (refused, the server's
words are noted, or not given), "IGNORED" (accepted in silence and not done: the worst case) or "?" (cannot
be told).

OPENAI_API_KEY goes to the server of OPENAI_BASE_URL, or to OpenAI's own, and nowhere else: with --base-url
of another server name the variable that holds its key with --api-key-env.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from regrade.cli.arguments import comma_list, count

if TYPE_CHECKING:
    from regrade.api.probing import ProbedModel
    from regrade.types import JsonObject

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("--base-url", help="default: OPENAI_BASE_URL, else OpenAI's own")
    parser.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable that holds the key for --base-url"
    )
    parser.add_argument("--probe", action="store_true", help="ask what the models honour, for a few tokens")
    parser.add_argument(
        "--models",
        "--model",
        type=comma_list,
        metavar="ID,ID",
        default=[],
        help="models to probe (default: all that the endpoint lists, up to 8)",
    )
    parser.add_argument(
        "--max-context",
        type=count,
        metavar="TOKENS",
        help="probe with prompts that double up to about so many tokens; costs up to three times as many",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="also write it as JSON")


def execute(args: argparse.Namespace) -> int:
    """Print the list or what was found; return 1 without a model, or when one could not be probed."""
    _check(args)
    return _probe(args) if args.probe else _list(args)


def _check(args: argparse.Namespace) -> None:
    from regrade.errors import UsageError

    stray = [
        name for name in ("models", "max_context", "json", "output") if getattr(args, name) and not args.probe
    ]
    if stray:
        flag = "-o" if stray[0] == "output" else "--" + stray[0].replace("_", "-")
        raise UsageError(f"{flag} goes with --probe")
    if args.output is not None and args.output.suffix != ".json":
        raise UsageError(
            f"-o {args.output}: findings are written as JSON", hint="name a file ending in .json"
        )


def _list(args: argparse.Namespace) -> int:
    from regrade.api import endpoint_models
    from regrade.cli.terminal import make_console, print_views
    from regrade.views import ColumnView, TableView

    url, found = endpoint_models(args.base_url, args.api_key_env)
    console = make_console()
    if not found:
        console.print(f"{url} lists no models", soft_wrap=True)
        return 1
    rows = tuple(
        (one.id, f"{one.context_window:,}" if one.context_window else "", one.owned_by or "") for one in found
    )
    columns = (ColumnView("model"), ColumnView("context window", "right"), ColumnView("owner"))
    print_views(console, [TableView(f"models of {url}", columns, rows)])
    return 0


def _probe(args: argparse.Namespace) -> int:
    import asyncio

    from regrade.api import probe_models

    work = probe_models(args.models, args.base_url, args.api_key_env, max_context=args.max_context)
    found = asyncio.run(work)
    if args.output is not None:
        from regrade.jsonio import atomic_write

        text = _as_json(found).encode() + b"\n"
        atomic_write(args.output, lambda stream: stream.write(text))
    if args.json:
        print(_as_json(found))
    else:
        _print(found)
    return 1 if any(one.error for one in found) else 0


def _print(found: "list[ProbedModel]") -> None:
    from regrade.cli.terminal import make_console, print_views, safe_text
    from regrade.report import probe_tables

    console = make_console()
    answered = [one for one in found if one.findings]
    if answered:
        print_views(console, probe_tables([(one.model, one.findings) for one in answered]))
    for one in found:
        if one.error:
            what = "stopped answering" if one.findings else "answered nothing"
            console.print(safe_text(f"{one.model} {what}: {one.error}"))
    requests, tokens = sum(one.requests for one in found), sum(one.tokens for one in found)
    console.print(f"{requests:,} requests, {tokens:,} tokens", style="dim")


def _as_json(found: "list[ProbedModel]") -> str:
    import json
    from dataclasses import asdict

    records: list[JsonObject] = [asdict(one) for one in found]
    return json.dumps({"models": records}, indent=2, ensure_ascii=False)
