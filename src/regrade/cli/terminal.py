"""What every verb that prints tables shares: the console and how a view is drawn on it."""

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regrade.views import TableView

__all__ = ["fitted", "make_console", "print_views", "safe_text", "short_list", "unread", "view_table"]

_PLAIN_WIDTH = 80
_NAME_WIDTH = 28
_HEAD_WIDTH = 8
_LIST_WIDTH = 16


class _Console(Console):
    """A console whose reader may go away; rich itself would end the program with 1."""

    def on_broken_pipe(self) -> None:
        """Go on in silence where progress was shown; results that nobody reads are for `unread` or `main`."""
        if not self.stderr:
            raise BrokenPipeError
        self.quiet = True


@contextmanager
def unread() -> Iterator[None]:
    """Print as long as anybody reads; that nobody does (`| head -1`) changes nothing that comes after."""
    try:
        yield
    except BrokenPipeError:
        out = getattr(sys.stdout, "unguarded", sys.stdout)
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that honours NO_COLOR and FORCE_COLOR 80 columns wide where there is no terminal."""
    console = _Console(stderr=stderr, highlight=False, soft_wrap=False)
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


def short_list(names: Iterable[str]) -> str:
    """Return names for one line: all of them while they are short, else the first and how many more."""
    first, *others = [*names] or [""]
    whole = ", ".join([first, *others])
    return whole if len(whole) <= _LIST_WIDTH or not others else f"{first} +{len(others)}"


def view_table(view: TableView) -> Table:
    """Return a view as a table: long names fold, numbers never do, long heads take several lines."""
    table = Table(
        title=safe_text(view.title),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    heads = [_head_lines(view, place) for place in range(len(view.columns))]
    height = max(map(len, heads), default=0)
    for column, lines in zip(view.columns, heads, strict=True):
        right = column.align == "right"
        table.add_column(
            safe_text("\n" * (height - len(lines)) + "\n".join(lines)),
            justify=column.align,
            no_wrap=right,
            overflow="ellipsis" if right else "fold",
        )
    for row in view.rows:
        table.add_row(*(safe_text(cell) for cell in row))
    return table


def fitted(view: TableView, width: int) -> list[TableView]:
    """Return the view as one or more tables that fit, nothing cut.

    First the spare columns go, and a note names them; if that is not enough, names fold and the columns of
    numbers go on in further tables.
    """
    dropped: list[str] = []
    while _width(view, None) > width and any(column.spare for column in view.columns):
        place = max(range(len(view.columns)), key=lambda at: view.columns[at].spare)
        dropped.insert(0, view.columns[place].head)
        view = _select(view, [at for at in range(len(view.columns)) if at != place])
    if dropped:
        note = f"Left out for want of width: {', '.join(dropped)}."
        view = replace(view, notes=(*view.notes, note))
    return [view] if _width(view, _NAME_WIDTH) <= width else _blocks(view, width)


def print_views(console: Console, views: Iterable[TableView]) -> None:
    """Print tables one below the other, each with its notes."""
    for view in views:
        for part in fitted(view, console.width):
            console.print(view_table(part))
            for note in part.notes:
                console.print(Padding(safe_text(note), (0, 0, 0, 2)), style="dim")
            console.print()


def _blocks(view: TableView, width: int) -> list[TableView]:
    places = range(len(view.columns))
    names = [at for at in places if view.columns[at].align == "left"]
    blocks: list[list[int]] = [[]]
    for at in (at for at in places if at not in names):
        if blocks[-1] and _width(_select(view, [*names, *blocks[-1], at]), _NAME_WIDTH) > width:
            blocks.append([])
        blocks[-1].append(at)
    parts = [_select(view, [*names, *block]) for block in blocks]
    return [*(replace(part, notes=()) for part in parts[:-1]), parts[-1]]


def _select(view: TableView, places: list[int]) -> TableView:
    columns = tuple(view.columns[at] for at in places)
    return replace(view, columns=columns, rows=tuple(tuple(row[at] for at in places) for row in view.rows))


def _width(view: TableView, longest_name: int | None) -> int:
    """Return the columns of the terminal that the table takes, names folded at their longest."""
    total = 2 * (len(view.columns) - 1)
    for place, column in enumerate(view.columns):
        widest = max(map(cell_len, (*_head_lines(view, place), *(row[place] for row in view.rows))))
        total += min(widest, longest_name) if longest_name and column.align == "left" else widest
    return total


def _head_lines(view: TableView, place: int) -> list[str]:
    """Break a head at its spaces where that makes the column narrower."""
    cells = [cell_len(row[place]) for row in view.rows]
    head = view.columns[place].head
    return textwrap.wrap(head, max([*cells, _HEAD_WIDTH]), break_long_words=False) or [head]
