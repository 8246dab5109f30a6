"""List runs, newest first."""

import argparse

from regrade.cli.arguments import add_results, count

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("-n", "--number", type=count, default=20, help="how many (default: 20)")
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Print the list; return 2 when there is no run."""
    from regrade import api
    from regrade.cli.terminal import make_console, print_views, short_list
    from regrade.errors import UsageError
    from regrade.views import ColumnView, TableView

    found = api.runs(args.results)
    if not found:
        raise UsageError(f"no runs in {args.results}", hint="`regrade run` makes one")
    rows = []
    for run in reversed(found[-args.number :]):
        manifest = run.manifest
        counts = manifest.counts
        models = dict.fromkeys(str(model["name"]) for model in manifest.models if not model.get("judge"))
        done = f"{counts.get('finished', 0):,}" if counts else "\N{EN DASH}"
        rows.append(
            (
                run.id,
                manifest.status,
                short_list(manifest.evals),
                short_list(models),
                done,
                str(counts.get("failed", 0)),
            )
        )
    heads = ("run", "status", "evals", "models", "requests", "failed")
    spare = {"models": 5, "evals": 4}
    columns = tuple(
        ColumnView(
            head,
            "right" if head in {"requests", "failed"} else "left",
            spare.get(head, 0),
            whole=head == "run",
        )
        for head in heads
    )
    more = len(found) - len(rows)
    notes = (f"{more} older runs: --number shows more",) if more else ()
    print_views(make_console(), [TableView("runs", columns, tuple(rows), notes)])
    return 0
