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
from rich.table import Table
from rich.text import Text

from regrade.views import TableView

__all__ = [
    "fitted",
    "make_console",
    "print_indented",
    "print_views",
    "safe_text",
    "short_list",
    "unread",
    "view_table",
]

_PLAIN_WIDTH = 80
_NAME_WIDTH = 22
_WORDS_WIDTH = 14
_GAP = 2
_DECIDES = 2
"""Columns this spare or less are worth names on two lines; only where that is not enough they go."""

_HEAD_WIDTH = 8
_NOTHING = frozenset({"", "\N{EN DASH}"})
"""Cells that say nothing: that a column of them is left out is no loss to tell of."""

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


def view_table(view: TableView, width: int) -> Table:
    """Return a view as a table: long names fold to fit, numbers never do, long heads take several lines."""
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
    for column, lines, most in zip(view.columns, heads, _widths_within(view, width), strict=True):
        right = column.align == "right"
        table.add_column(
            safe_text("\n" * (height - len(lines)) + "\n".join(lines)),
            justify=column.align,
            no_wrap=right or column.whole,
            overflow="ellipsis" if right else "fold",
            max_width=None if right else most,
        )
    for row in view.rows:
        table.add_row(*(safe_text(cell) for cell in row))
    return table


def fitted(view: TableView, width: int) -> list[TableView]:
    """Return the view as one or more tables that fit, nothing cut.

    First the columns go that decide nothing; then names fold; then the other spare columns go. If that is not
    enough, the columns of numbers go on in further tables, with those that were dropped as far as they fit.
    A note names what is left out.
    """
    kept = [*range(len(view.columns))]
    dropped: list[int] = []
    while spare := [at for at in kept if view.columns[at].spare]:
        next_one = max(spare, key=lambda at: view.columns[at].spare)
        shown = _select(view, kept)
        decides = view.columns[next_one].spare <= _DECIDES
        if sum(_folded(shown) if decides else _natural(shown)) <= width:
            break
        kept.remove(next_one)
        dropped.insert(0, next_one)
    blocks = _blocks(view, kept, width)
    for at in [*dropped] if len(blocks) > 1 else ():
        fuller = sorted([*blocks[-1], at])
        if sum(_folded(_select(view, fuller))) <= width:
            blocks[-1] = fuller
            dropped.remove(at)
    missed = [at for at in dropped if any(row[at].strip() not in _NOTHING for row in view.rows)]
    if missed:
        heads = ", ".join(view.columns[at].head for at in missed)
        view = replace(view, notes=(*view.notes, f"Left out for want of width: {heads}."))
    parts = [_select(view, block) for block in blocks]
    return [*(replace(part, notes=()) for part in parts[:-1]), parts[-1]]


def print_views(console: Console, views: Iterable[TableView]) -> None:
    """Print tables one below the other, each with its notes."""
    for view in views:
        for part in fitted(view, console.width):
            console.print(view_table(part, console.width))
            for note in part.notes:
                print_indented(console, safe_text(note), 2, style="dim")
            console.print()


def print_indented(console: Console, text: Text, indent: int, style: str = "") -> None:
    """Print a text, every line of it indented, without the blanks that fill up lines."""
    for line in text.wrap(console, max(console.width - indent, 1)):
        line.rstrip()
        console.print(Text(" " * indent).append_text(line) if line else line, style=style)


def _blocks(view: TableView, kept: list[int], width: int) -> list[list[int]]:
    """Return the columns of each table: the names in all of them, the numbers in turn."""
    names = [at for at in kept if view.columns[at].align == "left"]
    blocks: list[list[int]] = [[]]
    for at in (at for at in kept if at not in names):
        if blocks[-1] and sum(_folded(_select(view, [*names, *blocks[-1], at]))) > width:
            blocks.append([])
        blocks[-1].append(at)
    return [sorted([*names, *block]) for block in blocks]


def _select(view: TableView, places: list[int]) -> TableView:
    columns = tuple(view.columns[at] for at in places)
    return replace(view, columns=columns, rows=tuple(tuple(row[at] for at in places) for row in view.rows))


def _natural(view: TableView) -> list[int]:
    """Return how wide each column is with nothing folded, the gap beside it included."""
    last = len(view.columns) - 1
    return [
        max(map(cell_len, (*_head_lines(view, place), *_cells(view, place)))) + _GAP * (place < last)
        for place in range(len(view.columns))
    ]


def _folded(view: TableView) -> list[int]:
    """Return the same with names folded: between words where they are short, else at a width of their own."""
    widths = _natural(view)
    for place, column in enumerate(view.columns):
        if column.align == "left" and not column.whole:
            words = [cell_len(word) for cell in _cells(view, place) for word in cell.split()]
            narrow = min(max([*words, _WORDS_WIDTH]), _NAME_WIDTH)
            widths[place] = min(widths[place], narrow + _GAP * (place < len(widths) - 1))
    return widths


def _widths_within(view: TableView, width: int) -> list[int]:
    """Return the width of each column's text: names as wide as they are or as there is room for."""
    natural, folded = _natural(view), _folded(view)
    spare = max(width - sum(folded), 0)
    found = []
    for place, (whole, narrow) in enumerate(zip(natural, folded, strict=True)):
        more = min(whole - narrow, spare)
        spare -= more
        found.append(narrow + more - _GAP * (place < len(natural) - 1))
    return found


def _cells(view: TableView, place: int) -> list[str]:
    return [safe_text(row[place]).plain for row in view.rows]


def _head_lines(view: TableView, place: int) -> list[str]:
    """Break a head at its spaces where that makes the column narrower."""
    cells = map(cell_len, _cells(view, place))
    head = view.columns[place].head
    return textwrap.wrap(head, max([*cells, _HEAD_WIDTH]), break_long_words=False) or [head]
