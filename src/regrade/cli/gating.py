"""Hold a run against rules; the exit code is the verdict: 0 passed, 100 failed, 101 inconclusive.

The rules stand in the spec under `gate:`, or are given with --rule, such as
  --rule "no_regression accuracy" --rule "non_inferior accuracy margin=0.02 channel=chat"
  --rule "at_most failure_rate 0.01" --rule "at_least accuracy 0.9 confident"
Without any, no scorer's first metric may regress against the baseline.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from regrade.cli.arguments import add_output, add_results, fraction, whole

if TYPE_CHECKING:
    from regrade.api import GatedRun, GateOptions, Run
    from regrade.plugins import Registry

__all__ = ["add_arguments", "add_gate_options", "execute", "gate_options", "print_lines", "show_gate"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "run", nargs="?", default="latest", metavar="RUN", help="the candidate: RUN[,model=x][,prompt=p]"
    )
    parser.add_argument("--flips", type=whole, default=2, metavar="N", help="answers a side (default: 2)")
    parser.add_argument("--full", action="store_true", help="do not cut long texts")
    parser.add_argument("--seed", type=whole, default=0, help="of every draw (default: 0)")
    add_gate_options(parser)
    add_output(parser, "the verdict")
    add_results(parser)


def add_gate_options(parser: argparse._ActionsContainer) -> None:
    """Add what `gate` and `run --gate` share."""
    parser.add_argument(
        "--baseline",
        metavar="NAME",
        default=os.environ.get("REGRADE_BASELINE") or None,
        help="a baseline or run, in place of the spec's [REGRADE_BASELINE]",
    )
    parser.add_argument(
        "--rule", action="append", default=[], metavar="RULE", help="in place of the spec's rules; repeatable"
    )
    parser.add_argument("--alpha", type=fraction, help="chance of a false alarm of the gate (default: 0.05)")
    parser.add_argument("--on-inconclusive", choices=["fail", "pass"], help="exit with 101 (default) or 0")
    parser.add_argument("--missing", choices=["worst_case", "ignore"], help="what failures do to a PASS")


def execute(args: argparse.Namespace) -> int:
    """Judge, print, export; return the verdict's exit code."""
    from regrade import api
    from regrade.plugins import Registry

    registry = Registry()
    for path in args.output:
        api.exporter_name(path, registry)
    return show_gate(args, args.run, registry, flips=args.flips, full=args.full)


def gate_options(args: argparse.Namespace) -> "GateOptions":
    """Return what `add_gate_options` took."""
    from regrade import api

    return api.GateOptions(
        baseline=args.baseline,
        rules=args.rule,
        alpha=args.alpha,
        on_inconclusive=args.on_inconclusive,
        missing=args.missing,
        results=args.results,
        seed=getattr(args, "seed", 0),
    )


def show_gate(
    args: argparse.Namespace,
    run: str,
    registry: "Registry",
    *,
    summary: "Run | None" = None,
    flips: int = 2,
    full: bool = False,
) -> int:
    """Put a run through its gate and show the verdict; also to the CI that this runs in.

    Args:
        args: With the options of `add_gate_options`, `results` and `output`.
        run: The candidate.
        registry: Plug-ins.
        summary: The run whose own tables go into the files as well.
        flips: How many samples of each side.
        full: Whether long texts are shown whole.
    """
    from regrade import api
    from regrade.cli.documents import print_document, print_written, write_document
    from regrade.cli.terminal import make_console, unread

    gated: GatedRun = api.gate(run, options=gate_options(args), registry=registry)
    document = gated.document
    if summary is not None:
        document = replace(
            document,
            summary=tuple(summary.summary_rows),
            tables=(*document.tables, *summary.tables()),
        )
    lines = api.announce(document, os.environ, registry)
    console = make_console()
    try:
        write_document(document, args.output, registry)
    finally:  # what was found is shown even where a file cannot be written
        with unread():
            more = "--flips" if summary is None else "regrade gate --flips"
            print_document(console, gated.document, flips=flips, full=full, more=more)
    with unread():
        print_written(console, args.output)
        print_lines(lines)
    return gated.exit_code


def print_lines(lines: Sequence[str]) -> None:
    """Print what is for the runner of a CI itself, which the guard around standard output keeps from it."""
    out = getattr(sys.stdout, "unguarded", sys.stdout)
    for line in lines:
        print(line, file=out, flush=True)
