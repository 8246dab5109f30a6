"""What every verb that prints tables shares: the console and how a view is drawn on it."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regrade.types import TableView

__all__ = ["make_console", "print_views", "safe_text", "view_table"]

_PLAIN_WIDTH = 80


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that honours NO_COLOR and FORCE_COLOR 80 columns wide where there is no terminal."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, _PLAIN_WIDTH)
    return console


def safe_text(text: str, *, limit: int | None = None) -> Text:
    """Return foreign text for the terminal: control characters shown as code points, nothing interpreted.

    Args:
        text: Text that a model or a dataset wrote.
        limit: Cut after this many characters, and say so.
    """
    cut = text if limit is None or len(text) <= limit else text[:limit]
    shown = "".join(char if char in "\n\t" or _harmless(char) else f"<U+{ord(char):04X}>" for char in cut)
    if len(cut) < len(text):
        shown += f" ... ({len(text):,} characters)"
    return Text(shown)


def _harmless(char: str) -> bool:
    return char.isprintable() and not 0x202A <= ord(char) <= 0x202E and not 0x2066 <= ord(char) <= 0x2069  # noqa: PLR2004 - the bidi controls


def view_table(view: TableView, *, title: bool = True) -> Table:
    """Return a view as a table; long names fold, numbers never do."""
    table = Table(
        title=safe_text(view.title) if title else None,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for column in view.columns:
        right = column.align == "right"
        table.add_column(
            safe_text(column.head),
            justify=column.align,
            no_wrap=right,
            overflow="ellipsis" if right else "fold",
        )
    for row in view.rows:
        table.add_row(*(safe_text(cell) for cell in row))
    return table


def print_views(console: Console, views: Iterable[TableView]) -> None:
    """Print tables one below the other, each with its notes."""
    for view in views:
        console.print(view_table(view))
        for note in view.notes:
            console.print(Padding(safe_text(note), (0, 0, 0, 2)), style="dim")
        console.print()
