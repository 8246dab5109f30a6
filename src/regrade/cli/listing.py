"""Show the suites of a folder with their datasets, models and scorers, or the plug-ins there are."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrade.api import Suite
    from regrade.views import TableView

__all__ = ["add_arguments", "execute"]

_KINDS = {
    "scorers": "scorer",
    "metrics": "metric",
    "loaders": "loader",
    "providers": "provider",
    "exporters": "exporter",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    what = ["suites", "datasets", "models", *_KINDS]
    parser.add_argument("what", nargs="?", default="suites", metavar="WHAT", help=f"one of {', '.join(what)}")
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="spec files or folders (default: evals)")


def execute(args: argparse.Namespace) -> int:
    """Print the list."""
    from regrade import api
    from regrade.cli.terminal import make_console, print_views
    from regrade.errors import UsageError, did_you_mean
    from regrade.views import ColumnView, TableView

    console = make_console()
    if args.what in _KINDS:
        rows = tuple(api.inventory(_KINDS[args.what]).items())  # type: ignore[arg-type] # the table holds kinds
        columns = (ColumnView(_KINDS[args.what]), ColumnView("what it does"))
        print_views(console, [TableView(args.what, columns, rows)])
        return 0
    paths = [*args.specs]
    if args.what not in {"suites", "datasets", "models"}:
        if not Path(args.what).exists():
            known = ["suites", "datasets", "models", *_KINDS]
            hint = did_you_mean(args.what, known) or f"known: {', '.join(known)}"
            raise UsageError(f'cannot list "{args.what}"', hint=hint)
        paths.insert(0, args.what)
        args.what = "suites"
    suites = api.suites([Path(one) for one in paths or ["evals"]])
    views = {"suites": _suites, "datasets": _datasets, "models": _models}
    print_views(console, [views[args.what](suites)])
    return 0


def _suites(suites: "list[Suite]") -> "TableView":
    from regrade.cli.terminal import short_list
    from regrade.views import ColumnView, TableView

    columns = tuple(map(ColumnView, ("suite", "dataset", "models", "scorers")))
    rows = tuple((s.name, s.dataset, short_list(s.models), short_list(s.scorers)) for s in suites)
    return TableView("suites", columns, rows)


def _datasets(suites: "list[Suite]") -> "TableView":
    from regrade.views import ColumnView, TableView

    used: dict[str, list[str]] = {}
    for suite in suites:
        used.setdefault(suite.dataset, []).append(suite.name)
    rows = tuple((name, ", ".join(by)) for name, by in used.items())
    return TableView("datasets", (ColumnView("dataset"), ColumnView("used by")), rows)


def _models(suites: "list[Suite]") -> "TableView":
    from regrade.views import ColumnView, TableView

    used: dict[str, list[str]] = {}
    for suite in suites:
        for model in suite.models:
            used.setdefault(model, []).append(suite.name)
    rows = tuple((name, ", ".join(by)) for name, by in used.items())
    return TableView("models", (ColumnView("model"), ColumnView("used by")), rows)
