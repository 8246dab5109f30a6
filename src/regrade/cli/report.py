"""Write a page of the dashboard as one HTML file, to attach to a pull request: no script, nothing to load.

Without a run the overview is written, with one run its page, with two (A and the candidate B) their
comparison, with up to eight every two of them against each other; --page models holds all models of a run
against each other, --gate shows a run's verdicts and why they came out as they did. Runs are named as for
`compare`.
"""

import argparse
import sys
from pathlib import Path

from regrade.cli.arguments import add_results

__all__ = ["add_arguments", "execute"]

_PAGES = ("overview", "run", "compare", "models", "prompts", "gates")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "runs", metavar="RUN", nargs="*", help="a run; or what is shipped today and the candidate; or up to 8"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("report.html"), metavar="FILE.html")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--page",
        choices=_PAGES,
        metavar="PAGE",
        help=f"{', '.join(_PAGES[:-1])} or {_PAGES[-1]} (default: as fits the runs that are named)",
    )
    which.add_argument("--gate", action="store_const", const="gates", dest="page", help="as --page gates")
    add_results(parser)


def execute(args: argparse.Namespace) -> int:
    """Write the file."""
    from regrade.dashboard.saving import write_report
    from regrade.errors import UsageError

    if args.output.suffix not in {".html", ".htm"}:
        raise UsageError(
            f"a report is HTML, and {args.output} is named otherwise",
            hint="other formats: regrade compare, gate and show have -o FILE.md, .json, .csv",
        )
    written = write_report(args.output, *args.runs, page=args.page, results=args.results)
    if written.missing:
        said = f"{written.missing} is not installed: this is the plainer page of `-o FILE.html`"
        print(f"{said}; pip install 'regrade[dashboard]' brings the dashboard's", file=sys.stderr)
    print(f"written: {args.output}")
    return 0
