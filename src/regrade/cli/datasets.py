"""Datasets from recorded traffic: `regrade dataset from-cassette DIR -o datasets/x.jsonl`.

One row an exchange: id, input (the last thing that the user said), messages (the whole conversation), answer,
model, system, params, tokens, latency_s, status and at.
"""

import argparse
from pathlib import Path

from regrade.cli.arguments import comma_list, count, fraction

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("what", choices=["from-cassette"], help="where the rows come from")
    parser.add_argument(
        "cassette", type=Path, metavar="DIR", help="what `run --record` or a gateway recorded"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the .jsonl to write"
    )
    parser.add_argument("--replace", action="store_true", help="write over an existing file")
    parser.add_argument("--model", type=comma_list, default=[], metavar="GLOB", help="only of these models")
    parser.add_argument("--since", metavar="TIME", help="only from this date or time on (UTC)")
    parser.add_argument("--until", metavar="TIME", help="only up to this date (whole) or time (UTC)")
    parser.add_argument(
        "--status", choices=["ok", "failed", "all"], default="ok", help="of the answer (default: ok)"
    )
    parser.add_argument(
        "--where", metavar="EXPR", help="only rows for which this is true, such as 'input | length > 20'"
    )
    parser.add_argument(
        "--dedupe",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="of equal requests take the first alone (default: yes)",
    )
    parser.add_argument(
        "--near", type=fraction, metavar="RATIO", help="inputs this similar are equal too, such as 0.9"
    )
    parser.add_argument("--sample", type=count, metavar="N", help="draw so many of what is left")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    parser.add_argument("--target", choices=["answer"], help="make the recorded answers the targets")


def execute(args: argparse.Namespace) -> int:
    """Write the dataset; say what was kept, what was not, and what to do next."""
    from regrade import api

    options = api.TrafficOptions(
        models=args.model,
        since=args.since,
        until=args.until,
        status=args.status,
        where=args.where,
        dedupe=args.dedupe,
        near=args.near,
        sample=args.sample,
        seed=args.seed,
        target=args.target,
        replace=args.replace,
    )
    made = api.dataset_from_cassette(args.cassette, args.output, options)
    print(f"{made.path}: {made.rows:,} rows of {made.exchanges:,} exchanges")
    for why, dropped in sorted(made.dropped.items(), key=lambda item: -item[1]):
        print(f"  left out: {dropped:,} {why}")
    print("next: a spec with")
    print(f"  dataset: {{path: {made.path}}}")
    print("  prompt: {messages: messages}   # the conversations as they were; or a template over the columns")
    print("and then: regrade validate SPEC")
    return 0
