"""The tables of a comparison in exact numbers, each to be had by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from regrade.addresses import CompareAddress
from regrade.dashboard.exports import FORMATS, Export
from regrade.dashboard.refusals import check_choice
from regrade.types import JsonObject
from regrade.views import LinkView

__all__ = ["Tables", "at_once", "export_links", "export_of"]

Tables = Mapping[str, tuple[Sequence[str], Callable[[], Iterator[Sequence[JsonObject]]]]]
"""Columns and rows of each table by its name; rows are made when asked for, some thousand at a time."""


def export_of(address: CompareAddress, tables: Tables) -> Export:
    """Return the table that an address asks for; the first one where it names none.

    Args:
        address: Of the page.
        tables: What it has.

    Raises:
        BadRequestError: It names one that is not among them.
    """
    usual = next(iter(tables))
    name = usual if address.table == address.without("table").table else address.table
    if name not in tables:
        check_choice("table", name, tuple(tables))
    columns, batches = tables[name]
    return Export(f"compare-{name}", tuple(columns), batches)


def at_once(rows: Callable[[], Sequence[JsonObject]]) -> Callable[[], Iterator[Sequence[JsonObject]]]:
    """Return the rows of a table that is small, in one batch.

    Args:
        rows: Makes them.
    """
    return lambda: iter([rows()])


def export_links(address: CompareAddress, tables: Tables) -> dict[str, tuple[LinkView, ...]]:
    """Return where each table is to be had, a link a format.

    Args:
        address: Of the page.
        tables: What it has.
    """
    found = {}
    for name in tables:
        own = address.url(table=name)
        joint = "&" if "?" in own else "?"
        found[name] = tuple(
            LinkView(form.upper() if form != "parquet" else "Parquet", f"{own}{joint}format={form}")
            for form in FORMATS
        )
    return found
