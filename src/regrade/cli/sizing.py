"""How many samples show a drop, or which drop the samples at hand show, and what that costs.

The spread comes from the differences between the run and another one (--against; default: the success before
it), from its own repeats, or from --discordance.
"""

import argparse
from typing import TYPE_CHECKING

from regrade.cli.arguments import add_results, count, fraction

if TYPE_CHECKING:
    from regrade.api import PowerRow
    from regrade.views import TableView

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("run", nargs="?", default="latest", metavar="RUN", help="a run or baseline")
    parser.add_argument("--drop", type=drop, help="the drop to show: 0.02 or 2%% is two points")
    parser.add_argument("--against", metavar="RUN", help="whose differences to plan with (default: previous)")
    parser.add_argument("--sides", type=int, choices=[1, 2], default=1, help="of the test (default: 1)")
    parser.add_argument("--alpha", type=fraction, default=0.05, help="of the test (default: 0.05)")
    parser.add_argument("--power", type=fraction, default=0.8, help="chance to show it (default: 0.8)")
    parser.add_argument("--epochs", type=count, help="repeats of each sample to plan for")
    parser.add_argument("--discordance", type=fraction, help="share of samples that will differ")
    add_results(parser)


def drop(text: str) -> float:
    """Read a number, such as "0.02", or percent, such as "2%"."""
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def execute(args: argparse.Namespace) -> int:
    """Plan and print."""
    from regrade import api
    from regrade.cli.terminal import make_console, print_views

    options = api.PowerOptions(
        drop=args.drop,
        against=args.against,
        sides=args.sides,
        alpha=args.alpha,
        power=args.power,
        epochs=args.epochs,
        discordance=args.discordance,
        results=args.results,
    )
    rows = api.power(args.run, options=options)
    print_views(make_console(), [_table(rows, args)])
    return 0


def _table(rows: "list[PowerRow]", args: argparse.Namespace) -> "TableView":
    from regrade.report import MISSING, format_money, format_size, metric_label, unit_of
    from regrade.views import ColumnView, TableView

    def size(value: float | None, row: "PowerRow") -> str:
        unit = unit_of(row.scorer, row.metric, share=row.share)
        return MISSING if value is None else format_size(value, unit)

    asked = args.drop is not None
    prompts = len({row.prompt for row in rows}) > 1
    heads = [ColumnView("eval"), ColumnView("model"), *([ColumnView("prompt", spare=4)] if prompts else [])]
    heads += [ColumnView("metric", spare=1), ColumnView("n", "right")]
    heads += [ColumnView("repeats", "right", 3), ColumnView("sd of a difference", "right", 2)]
    heads += [ColumnView("n shows a drop of", "right")]
    heads += [ColumnView(f"samples for {args.drop:g}", "right")] if asked else []
    heads += [ColumnView("cost", "right")] if any(row.cost_usd is not None for row in rows) else []
    body = []
    for row in rows:
        scorers = {one.scorer for one in rows if one.eval == row.eval}
        metric = metric_label(row.scorer, row.metric, alone=len(scorers) == 1)
        line = [
            row.eval,
            row.model,
            *([row.prompt] if prompts else []),
            metric,
            f"{row.n:,}",
            str(row.epochs),
            f"{row.sd:.3f}",
        ]
        line.append(size(row.shown, row))
        if asked:
            line.append(MISSING if row.needed is None else f"{row.needed:,}")
        if any(one.cost_usd is not None for one in rows):
            line.append(format_money(row.cost_usd))
        body.append(tuple(line))
    sides = "one-sided" if args.sides == 1 else "two-sided"
    notes = [f"{sides} alpha {args.alpha:g}, power {args.power:g}."]
    sources = ((row.source, f"; {row.note}" if row.note else "") for row in rows)
    notes += list(dict.fromkeys(f"Spread: {source}{note}." for source, note in sources))
    if not asked:
        notes.append("--drop 0.02 tells how many samples show a drop of two points.")
    return TableView("planning", tuple(heads), tuple(body), tuple(notes))
