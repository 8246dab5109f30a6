"""Which row of a run the name of a sample in an address means."""

from contextlib import suppress
from dataclasses import replace

from regrade.addresses import ids_meant, read_ref
from regrade.errors import UsageError
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_pages import PageRequest
from regrade.store.sample_queries import SampleQueries
from regrade.store.sample_story import row_of

__all__ = ["row_named"]


def row_named(queries: SampleQueries, name: str, among: SampleQuery | None = None) -> int | None:
    """Return the place of a sample: by its key, else the first with that id; None where there is none.

    Args:
        queries: The run.
        name: As `sample_ref` writes it, or an id, whose commas may stand behind a backslash.
        among: Where to look for an id first.
    """
    key = read_ref(name)
    if key is not None:
        with suppress(UsageError):
            return row_of(queries, key)
    everywhere = SampleQuery()
    for query in (among or everywhere, everywhere):
        for one in ids_meant(name):
            rows = queries.page(replace(query, samples=(one,)), PageRequest(size=1, columns=())).rows
            if rows:
                return rows[0].row
    return None
