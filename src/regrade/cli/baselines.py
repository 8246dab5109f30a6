"""Name a run that later ones are held against: one small file under results/baselines/, to be committed.

regrade baseline set NAME [RUN]    keep scores and fingerprints of a run (default: latest)
regrade baseline list              what there is
regrade baseline show NAME         what one holds
"""

import argparse
from typing import TYPE_CHECKING

from regrade.cli.arguments import add_results

if TYPE_CHECKING:
    from regrade.api import Baseline

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("what", choices=["set", "list", "show"], metavar="set|list|show")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the baseline's name, such as main")
    parser.add_argument("run", nargs="?", default="latest", metavar="RUN", help="with set (default: latest)")
    parser.add_argument("--replace", action="store_true", help="with set: replace one of that name")
    parser.add_argument("--answers", action="store_true", help="with set: keep prompts and answers as well")
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Set, list or show."""
    from regrade import api
    from regrade.cli.terminal import make_console
    from regrade.errors import UsageError

    console = make_console()
    if args.what == "list":
        return _list(args)
    if args.name is None:
        raise UsageError(f"regrade baseline {args.what} needs a name", hint="such as main")
    if args.what == "show":
        return _show(api.open_baseline(args.name, results=args.results))
    found = api.set_baseline(
        args.name, args.run, results=args.results, replace=args.replace, answers=args.answers
    )
    size = found.path.stat().st_size
    console.print(
        f"baseline {found.name}: {found.header['run']}, {size / 1000:,.1f} kB in {found.path}", soft_wrap=True
    )
    failed = found.header.get("counts", {}).get("failed", 0)
    if failed:
        text = f"  {failed:,} of its requests failed: every gate counts those samples as possible losses"
        console.print(text, style="yellow", soft_wrap=True)
    console.print("next: commit it, then: regrade gate RUN --baseline " + found.name, soft_wrap=True)
    return 0


def _list(args: argparse.Namespace) -> int:
    from regrade import api
    from regrade.cli.terminal import make_console, print_views, short_list
    from regrade.errors import UsageError
    from regrade.views import ColumnView, TableView

    found, damaged = api.baselines(args.results), api.damaged_baselines(args.results)
    if not found and not damaged:
        raise UsageError(f"no baselines in {args.results}", hint="make one with: regrade baseline set main")
    rows = [
        (
            one.name,
            str(one.header.get("run", "")),
            short_list(one.header.get("evals", [])),
            short_list(dict.fromkeys(str(model["name"]) for model in one.header.get("models", []))),
            str(one.header.get("set_at", ""))[:10],
            f"{one.path.stat().st_size / 1000:,.1f} kB",
        )
        for one in found
    ]
    rows += [(name, "damaged", "", "", "", "") for name in damaged]
    heads = ("name", "run", "evals", "models", "set", "size")
    columns = tuple(ColumnView(head, "right" if head == "size" else "left") for head in heads)
    notes = [f"{error.message}; {error.hint}." for error in damaged.values()]
    print_views(make_console(), [TableView("baselines", columns, tuple(rows), tuple(notes))])
    return 0


def _show(found: "Baseline") -> int:
    from regrade.cli.terminal import make_console, safe_text

    header = found.header
    git = header.get("git") or {}
    models = dict.fromkeys(str(one["name"]) for one in header.get("models", []) if not one.get("judge"))
    counts = {name: one.get("samples", 0) for name, one in header.get("datasets", {}).items()}
    lines = {
        "run": header.get("run", ""),
        "made": f"{header.get('created_at', '')}, set {header.get('set_at', '')}",
        "commit": f"{git.get('commit', '')}{' (changed)' if git.get('changed') else ''}" if git else "",
        "evals": ", ".join(f"{name} ({count:,} samples)" for name, count in counts.items()),
        "models": ", ".join(models),
        "answers": "kept" if header.get("answers") else "not kept",
        "fingerprint": header.get("fingerprint", ""),
        "file": str(found.path),
    }
    console = make_console()
    console.print(safe_text(f"baseline {found.name}"), style="bold")
    for name, text in lines.items():
        if text:
            console.print(safe_text(f"  {name:<12}{text}"), soft_wrap=True)
    return 0
