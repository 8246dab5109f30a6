"""Measure a candidate B against A, sample by sample: what changed, how sure that is, which answers flipped.

A and B are runs (an id, the beginning of one, a path, latest, previous) or baselines, or arms of one run:
RUN,model=x against RUN,model=y; RUN,prompt=p against RUN,prompt=q. Nothing here is a verdict: see `gate`.
"""

import argparse

from regrade.cli.arguments import add_output, add_results, fraction, whole

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("a", metavar="A", help="what is shipped today: RUN[,model=x][,prompt=p]")
    parser.add_argument("b", metavar="B", nargs="?", default="latest", help="the candidate (default: latest)")
    parser.add_argument("--level", type=fraction, default=0.95, help="of the intervals (default: 0.95)")
    parser.add_argument("--flips", type=whole, default=3, metavar="N", help="answers a side (default: 3)")
    parser.add_argument("--full", action="store_true", help="do not cut long texts")
    parser.add_argument("--seed", type=whole, default=0, help="of every draw (default: 0)")
    add_output(parser, "the comparison")
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Compare, print, export."""
    from regrade import api
    from regrade.cli.documents import print_document, print_written, write_document
    from regrade.cli.terminal import make_console, unread
    from regrade.plugins import Registry

    registry = Registry()
    for path in args.output:
        api.exporter_name(path, registry)
    found = api.compare(
        args.a, args.b, results=args.results, level=args.level, seed=args.seed, registry=registry
    )
    console = make_console()
    try:
        write_document(found.document, args.output, registry)
    finally:
        with unread():
            print_document(console, found.document, flips=args.flips, full=args.full)
    with unread():
        print_written(console, args.output)
    return 0
