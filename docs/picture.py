"""Draws the result tables of a run as `docs/table.svg`, the picture in README.

Usage: python docs/picture.py RUN EVAL [EVAL ...]
"""

import io
import sys
from pathlib import Path

from rich.console import Console

import regrade
from regrade.cli.terminal import print_views


def main(run: str, *evals: str) -> None:
    """Write the picture of the tables of some evals of a run."""
    console = Console(record=True, width=80, file=io.StringIO(), highlight=False)
    console.print(f"$ regrade run {' '.join(f'evals/{name}.yaml' for name in evals)}", style="bold")
    print_views(console, [view for view in regrade.open_run(run).tables() if view.title in evals])
    console.save_svg(str(Path(__file__).with_name("table.svg")), title="regrade")


if __name__ == "__main__":
    main(*sys.argv[1:])
