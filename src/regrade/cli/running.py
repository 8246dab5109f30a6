"""Run suites over every listed model, and print the result tables.

Ctrl-C once finishes what is in flight and writes what is there; twice stops at once. Either way the run
can be completed with --resume; nothing that was answered is sent again. The exit code is 1 when a model
answered nothing at all, whatever the others did.
"""

import argparse
import gc
import os
import shlex
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from regrade.cli.arguments import (
    add_flag,
    add_output,
    add_results,
    comma_list,
    count,
    dollars,
    durability,
    limit,
    seconds,
    whole,
)

if TYPE_CHECKING:
    from rich.console import Console

    from regrade.api import Run, RunOptions
    from regrade.plugins import Registry

__all__ = ["add_arguments", "execute"]

_INTERRUPTED = 130
_COLLECT_EVERY = 50_000
"""Objects made between two searches for cycles: at the default, a thousand requests in flight are searched
so often that a sample costs half as much again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="spec files or folders")
    parser.add_argument("--models", type=comma_list, help="names or globs of listed models, or ids of others")
    parser.add_argument("--limit", type=limit, help="samples of each suite: a count or a fraction")
    parser.add_argument("--epochs", type=count, help="how often each sample is asked")
    add_output(parser, "the summary, and with --gate the verdict")
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="complete a run: id, prefix, path, or `auto` for the newest over these specs, if unfinished",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="with --resume: send failed requests again"
    )
    parser.add_argument(
        "--cache", action="store_true", help="take answers from the cache across runs, and keep them"
    )
    _add_cassette(parser)
    parser.add_argument(
        "--plan-only", action="store_true", help="show requests, tokens and cost; send nothing"
    )
    add_flag(parser, "--max-connections", count, 32, "requests in flight over all models (default: 32)")
    add_flag(parser, "--min-connections", count, 1, "that a model is always allowed (default: 1)")
    add_flag(parser, "--max-retries", whole, 6, "attempts of a request after the first (default: 6)")
    add_flag(parser, "--timeout", seconds, 600.0, "seconds for one attempt (default: 600)")
    add_flag(
        parser,
        "--durability",
        durability,
        "os",
        "what an answer survives before it counts: the process (os, default) or power loss (disk)",
    )
    _add_budget(parser)
    _add_gate(parser)
    add_results(parser)


def _add_cassette(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cassettes", "exchanges with endpoints on record, keys left out")
    group.add_argument("--record", type=Path, metavar="DIR", help="add every request and its answer")
    group.add_argument("--replay", type=Path, metavar="DIR", help="answer from there alone; nothing is sent")
    group.add_argument(
        "--redact",
        action="append",
        default=[],
        metavar="JSONPATH",
        help="with --record: values to leave out, such as $.user; repeatable",
    )
    group.add_argument(
        "--redact-pattern",
        action="append",
        default=[],
        metavar="REGEX",
        help="with --record: texts to leave out; repeatable",
    )


def _add_budget(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("budgets", "end the run early; it can be resumed, and exits with 1")
    group.add_argument("--max-cost", type=dollars, metavar="USD", help="by the prices of the models")
    group.add_argument("--max-tokens-total", type=count, metavar="N", help="tokens of prompts and answers")
    group.add_argument("--max-requests", type=count, metavar="N", help="attempts, retries included")
    group.add_argument("--max-time", type=seconds, metavar="SECONDS", help="start nothing after that")
    group.add_argument(
        "--max-failures", type=limit, metavar="N", help="a count, or a fraction of all requests"
    )


def _add_gate(parser: argparse.ArgumentParser) -> None:
    from regrade.cli.gating import add_gate_options

    group = parser.add_argument_group("gate", "judge the run; the exit code is the verdict's: 0, 100, 101")
    group.add_argument("--gate", action="store_true", help="hold the run against the rules of its specs")
    add_gate_options(group)


def execute(args: argparse.Namespace) -> int:
    """Run, show, export; return the exit code."""
    gc.set_threshold(_COLLECT_EVERY)
    Thread(target=import_module, args=("regrade.http",)).start()  # half of it reads certificates, beside us

    from regrade import api
    from regrade.cli.documents import print_written, write_document
    from regrade.cli.gating import print_lines, show_gate
    from regrade.cli.progress import RunDisplay
    from regrade.cli.terminal import make_console, unread
    from regrade.plugins import Registry

    registry = Registry()
    for path in args.output:
        api.exporter_name(path, registry)  # a wrong suffix is an error before the run, not after it
    options = api.RunOptions(
        models=args.models,
        limit=args.limit,
        epochs=args.epochs,
        max_connections=args.max_connections,
        max_retries=args.max_retries,
        timeout_s=args.timeout,
        results=args.results,
        resume=args.resume,
        retry_failed=args.retry_failed,
        min_connections=args.min_connections,
        durability=args.durability,
        max_cost=args.max_cost,
        max_tokens_total=args.max_tokens_total,
        max_requests=args.max_requests,
        max_time_s=args.max_time,
        max_failures=args.max_failures,
        cache=args.cache,
        record=args.record,
        replay=args.replay,
        redact=args.redact,
        redact_patterns=args.redact_pattern,
    )
    if args.plan_only:
        return _plan(args, options, registry)
    if args.gate:
        _check_gate(args, registry)
    with RunDisplay(make_console(stderr=True)) as display:
        run = api.run(args.specs, options=options, registry=registry, observer=display.watch)
    console = make_console()
    if args.gate and run.status == "success":
        with unread():
            _show(run, console, args.results)
            console.print()
        return show_gate(args, str(run.path), registry, summary=run)
    document = api.run_document(run, gated=not args.gate)
    lines = api.announce(document, os.environ, registry) if args.gate else []
    try:
        write_document(document, args.output, registry)
    finally:
        with unread():
            _show(run, console, args.results)
            if args.gate:
                console.print("not gated: the run did not finish", soft_wrap=True)
    with unread():
        print_written(console, args.output)
        print_lines(lines)
    if run.status == "success":
        return 1 if run.manifest.counts.get("silent") else 0
    return _INTERRUPTED if run.status == "interrupted" else 1


def _check_gate(args: argparse.Namespace, registry: "Registry") -> None:
    """Find what is wrong with the gate before anything is spent."""
    from regrade import api
    from regrade.cli.gating import gate_options
    from regrade.cli.terminal import make_console, safe_text

    if not args.specs:
        return  # a run that is resumed names its specs itself
    options = gate_options(args)
    warnings = api.check_gate(
        args.specs, options=options, registry=registry, limit=args.limit, models=args.models
    )
    for warning in warnings:
        make_console(stderr=True).print(safe_text(f"warning: {warning}"), soft_wrap=True)
    args.baseline = api.pinned_baseline(args.specs, options, registry)


def _plan(args: argparse.Namespace, options: "RunOptions", registry: "Registry") -> int:
    """Print what a run would ask."""
    import asyncio

    from regrade import api
    from regrade.cli.terminal import make_console, print_views
    from regrade.report import MISSING, format_count, format_money
    from regrade.views import ColumnView, TableView

    planned = asyncio.run(api.plan_run(args.specs, options=options, registry=registry))
    numbers = ("requests", "tokens in", "out at most", "cost at most")
    rows = [
        (
            one.eval,
            one.model,
            f"{one.requests:,}",
            format_count(one.prompt_tokens),
            format_count(one.completion_tokens),
            MISSING if one.cost_usd is None else format_money(one.cost_usd),
        )
        for one in planned
    ]
    costs = [one.cost_usd for one in planned if one.cost_usd is not None]
    total = format_money(sum(costs)) if costs else MISSING
    rows.append(("total", "", f"{sum(one.requests for one in planned):,}", "", "", total))
    notes = ("Estimated from the first samples, four bytes a token; judges' questions are not counted.",)
    columns = (ColumnView("eval"), ColumnView("model"), *(ColumnView(head, "right") for head in numbers))
    print_views(make_console(), [TableView("plan: nothing was sent", columns, tuple(rows), notes)])
    return 0


def _show(run: "Run", console: "Console", results: Path) -> None:
    from regrade.cli.terminal import print_views, safe_text

    counts = run.manifest.counts
    if counts.get("finished"):
        print_views(console, run.tables())
    failed = counts.get("failed", 0)
    parts = [f"{counts.get('finished', 0):,} of {counts.get('planned', 0):,} requests"]
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{counts['recalled']:,} from before"] if counts.get("recalled") else []
    parts += [f"{counts['cached']:,} from the cache"] if counts.get("cached") else []
    parts += [f"{counts['stale']:,} from before no longer fit"] if counts.get("stale") else []
    console.print(f"run {run.id}: {run.status}, {', '.join(parts)}", soft_wrap=True)
    for line in run.manifest.message.splitlines():
        console.print(safe_text(f"  {line}"), soft_wrap=True)
    if run.manifest.options.get("record"):
        console.print(f"recorded in {run.manifest.options['record']}", soft_wrap=True, markup=False)
    console.print(f"next: {_next(run, results, failed)}", soft_wrap=True, markup=False)


def _next(run: "Run", results: Path, failed: int) -> str:
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    if run.status in {"interrupted", "partial"}:
        return f"regrade run --resume {run.id}{where}"
    if failed:
        return f"regrade show {run.id} --samples --failed{where}"
    return f"regrade show {run.id} --samples --wrong{where}"
