"""Score the stored answers of a run again, without one request; writes a new run that names its parent."""

import argparse
from pathlib import Path

from regrade.cli.arguments import add_results

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("run", metavar="RUN", help="id, prefix, path, latest, previous")
    parser.add_argument(
        "--spec",
        action="append",
        default=[],
        type=Path,
        metavar="SPEC",
        help="default: those of the run; may be repeated",
    )
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Score and print the new run's tables."""
    from regrade import api
    from regrade.cli.terminal import make_console, print_views

    run = api.rescore(args.run, args.spec, results=args.results)
    console = make_console()
    print_views(console, run.tables())
    console.print(
        f"run {run.id}: {run.status}, scores of the answers of {run.manifest.parent}", soft_wrap=True
    )
    return 0 if run.status == "success" else 1
