"""Tables in the width that there is: what decides stays longest, and no number is cut."""

import io

import pytest
from rich.console import Console

from regrade.cli.terminal import fitted, print_views
from regrade.views import ColumnView, TableView

NUMBERS = ("97.0 %", "28.0 %", "-69", "< 0.001", "1,640")


def table(name: str, *others: str) -> TableView:
    """Return a table like a gate's: A and B may go first, n before p, which never does."""
    names = [name, *others]
    columns = (
        *(ColumnView(f"name {place}") for place in range(len(names))),
        ColumnView("A", "right", 4),
        ColumnView("B", "right", 3),
        ColumnView("change", "right"),
        ColumnView("p", "right"),
        ColumnView("n", "right", 1),
    )
    return TableView("rules", columns, ((*names, *NUMBERS),), ("A note that stands below the table.",))


def heads(view: TableView) -> list[str]:
    """Return the heads of the columns of numbers."""
    return [column.head for column in view.columns if column.align == "right"]


def drawn(view: TableView, width: int) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width)
    print_views(console, [view])
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("width", "shown"),
    [(100, ["A", "B", "change", "p", "n"]), (58, ["B", "change", "p", "n"]), (40, ["change", "p", "n"])],
)
def test_a_and_b_go_before_n_and_p(width: int, shown: list[str]) -> None:
    """Names fold between words before n goes; a note names what is left out."""
    (view,) = fitted(table("no_regression accuracy"), width)
    assert heads(view) == shown
    gone = [head for head in ("B", "A") if head not in shown]
    assert (f"Left out for want of width: {', '.join(gone)}." in view.notes) == bool(gone)
    text = drawn(table("no_regression accuracy"), width)
    assert "< 0.001" in text
    assert "1,640" in text
    assert max(map(len, text.splitlines())) <= width


def test_a_second_table_takes_what_the_first_had_to_drop() -> None:
    """Long names leave no room for all numbers: those that were dropped stand in the second table."""
    wide = table("x" * 40, "y" * 40)
    first, second = fitted(wide, 62)
    assert heads(first) == ["change"]
    assert heads(second) == ["p", "n"]
    assert first.notes == ()
    assert "Left out for want of width: B, A." in second.notes
    text = drawn(wide, 62)
    assert "< 0.001" in text
    assert "..." not in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert max(map(len, text.splitlines())) <= 62


def test_notes_have_no_trailing_blanks() -> None:
    """A line that is copied from the terminal ends where its words end."""
    lines = drawn(table("a"), 30).splitlines()
    notes = [line for line in lines if line.startswith("  ") and "name" not in line]
    assert notes
    assert all(line == line.rstrip() for line in notes)


def test_an_empty_column_is_not_missed() -> None:
    """That A is left out is no news where A says nothing in any row."""
    columns = (
        ColumnView("name"),
        ColumnView("A", "right", 4),
        ColumnView("B", "right", 3),
        ColumnView("n", "right"),
    )
    view = TableView("rules", columns, (("at_least accuracy", "\N{EN DASH}", "97.0 % of all", "1,640"),))
    (shown,) = fitted(view, 27)
    assert shown.notes == ("Left out for want of width: B.",)


def test_what_is_copied_from_the_screen_stays_on_one_line() -> None:
    """A run's id is whole at any width that holds it."""
    id_ = "20261126-164606-1a2bc"
    columns = (ColumnView("run", whole=True), ColumnView("models", spare=5), ColumnView("requests", "right"))
    text = drawn(TableView("runs", columns, ((id_, "a model with a long name", "1,234"),)), 34)
    assert id_ in text
    assert "Left out for want of width: models." in " ".join(text.split())
