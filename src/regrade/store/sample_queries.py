"""Filtering, sorting and paging the samples of one run, however many they are."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.errors import UsageError
from regrade.store.folders import RunFolder
from regrade.store.parquet_base import Cancellation
from regrade.store.sample_base import SampleBase
from regrade.store.sample_columns import SampleColumns
from regrade.store.sample_filters import (
    Condition,
    SampleQuery,
    add_outcomes,
    conditions_of,
    metadata_field,
    outcome_terms,
)
from regrade.store.sample_pages import PageRequest, SamplePage, SortOrder
from regrade.store.sample_search import TextSearch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["OutcomeCounts", "SampleQueries"]

_SEARCHES = 6
_SEARCH_S = 2.0
_LOOKED_AT = 4096
_MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """How many samples there are of each outcome; a sample may have several.

    Attributes:
        total: All that fit.
        right: See `OUTCOMES`; likewise the others.
        wrong: As `regrade show --wrong` counts them.
        unparsed: No answer found in the text.
        failure: As `regrade show --failed` counts them.
        unscored: None of these.
        flaky: None where the run has one epoch.
        complete: False where a search ran out of time: they are counts of what it found so far.
    """

    total: int
    right: int
    wrong: int
    unparsed: int
    failure: int
    unscored: int
    flaky: int | None
    complete: bool = True


class SampleQueries:
    """Questions about the samples of one run; safe to ask from several threads.

    Numbers are those of `regrade show` and of the run's summary. Only answers are asked about, not the
    requests of judges. Nothing is written.

    Args:
        folder: The run.
        against: A run's folder or a baseline's file, for `SampleQuery.was_right`: a sample was right there if
            it has the same eval, prompt, model and id, and all its epochs were.

    Raises:
        MissingExtraError: Without duckdb.
        StoreError: When the run has no tables, or they are damaged or of a newer version.
    """

    def __init__(self, folder: RunFolder, against: Path | None = None) -> None:
        self.base = SampleBase(folder, against)
        self.columns = SampleColumns(self.base)
        self._lock = threading.Lock()
        self._searches: OrderedDict[SampleQuery, TextSearch] = OrderedDict()
        self._numbers = itertools.count()

    def close(self) -> None:
        """Give the memory back."""
        self.base.close()

    @property
    def scorers(self) -> tuple[str, ...]:
        """Return the scorers with a main score, in the order of the table."""
        return tuple(self.base.scores)

    @property
    def epochs(self) -> int:
        """Return the highest epoch of any eval."""
        return max(self._highest.values(), default=1)

    def epochs_of(self, name: str) -> int:
        """Return the highest epoch of an eval."""
        return self._highest.get(name, 1)

    @cached_property
    def _highest(self) -> dict[str, int]:
        return dict(self.base.rows("select eval, max(epoch) from samples group by eval"))

    def page(
        self,
        query: SampleQuery,
        request: PageRequest | None = None,
        *,
        limit_s: float | None = _SEARCH_S,
        cancel: Cancellation | None = None,
    ) -> SamplePage:
        """Return one page of the samples that fit.

        Args:
            query: Which samples.
            request: Which page.
            limit_s: Seconds for searching texts, after which what was found so far is given.
            cancel: Stops it.

        Raises:
            UsageError: A column, order, scorer or cursor that there is not.
            StoreError: When the run is gone or damaged by now.
        """
        asked = request or PageRequest()
        order = SortOrder.of(asked.sort, self.base.scores)
        backwards = bool(asked.before)
        self.columns.check(asked.columns)
        search = self._search(query)
        if search is not None:
            enough = None
            if order.name == "place" and not backwards:
                enough = self._enough(query, order, asked, search)
            search.go_on(until=enough, limit_s=limit_s, cancel=cancel)
        # Before the rows are read: another reader may come to the end meanwhile.
        unsearched = search is not None and not search.complete
        wanted = self._wanted(query, search)
        if asked.before or asked.after:
            order.add_cursor(wanted, asked.before or asked.after, backwards=backwards)
        found = self.base.rows(
            f'select "row", {order.term} from samples where {wanted.sql} '
            f"order by {order.clause(backwards=backwards)} limit {asked.size + 1:d}",
            wanted.values,
            cancel,
        )
        more, found = len(found) > asked.size, found[: asked.size]
        if backwards:
            found.reverse()
        rows = self.columns.rows([row for row, _ in found], asked.columns, query.by, cancel)
        ahead, behind = (True, more) if backwards else (more or unsearched, bool(asked.after))
        ends = [order.cursor(value, row) for row, value in (found[:1] + found[-1:])]
        return SamplePage(
            rows=rows,
            next=ends[-1] if ends and ahead else "",
            previous=ends[0] if ends and behind else "",
            complete=not unsearched,
            searched=1.0 if search is None else search.share,
        )

    def counts(
        self,
        query: SampleQuery,
        *,
        limit_s: float | None = None,
        cancel: Cancellation | None = None,
    ) -> OutcomeCounts:
        """Return how many samples of each outcome fit the query, whatever outcomes it asks for.

        Args:
            query: Which samples; its outcomes and kinds of failure are left out.
            limit_s: Seconds for searching texts; None: until the end.
            cancel: Stops it.
        """
        search = self._search(query)
        if search is not None:
            search.go_on(limit_s=limit_s, cancel=cancel)
        complete = search is None or search.complete
        wanted = self._wanted(replace(query, outcomes=(), failure_kinds=()), search)
        terms = outcome_terms(self.base.scores, query.by)
        if self.epochs == 1:
            terms["flaky"] = "false"
        counted = ", ".join(f"count(*) filter ({term})" for term in terms.values())
        row = self.base.rows(
            f"select count(*), {counted} from samples where {wanted.sql}", wanted.values, cancel
        )[0]
        found = dict(zip(("total", *terms), map(int, row), strict=True))
        flaky = found.pop("flaky")
        return OutcomeCounts(**found, flaky=flaky if self.epochs > 1 else None, complete=complete)

    def standing(
        self, query: SampleQuery, request: PageRequest, cancel: Cancellation | None = None
    ) -> tuple[int, int]:
        """Return how many samples fit, and how many of them lie in front of where a page begins or ends.

        Args:
            query: Which samples; of a text, those that were found so far.
            request: With `after`: those up to that place and with it; with `before`: those in front of it.
            cancel: Stops it.

        Raises:
            UsageError: As `page`.
        """
        order = SortOrder.of(request.sort, self.base.scores)
        wanted = self._wanted(query, self._search(query))
        side = Condition()
        if request.before or request.after:
            order.add_cursor(side, request.before or request.after, backwards=bool(request.before))
        total, beside = self.base.rows(
            f"select count(*), count(*) filter ({side.sql}) from samples where {wanted.sql}",
            [*side.values, *wanted.values],
            cancel,
        )[0]
        if request.before:
            return int(total), int(beside)
        return int(total), int(total - beside) if request.after else 0

    def cursor(self, sort: str, row: int, cancel: Cancellation | None = None) -> str:
        """Return the place of a sample in an order, as `PageRequest.after` and `before` take it.

        Args:
            sort: As of `PageRequest`.
            row: The sample's place in the table.
            cancel: Stops it.

        Raises:
            UsageError: When there is no such order or sample.
        """
        order = SortOrder.of(sort, self.base.scores)
        found = self.base.rows(f'select {order.term} from samples where "row" = ?', [row], cancel)
        if not found:
            raise UsageError(f"the run {self.base.folder.id} holds no sample at place {row}")
        return order.cursor(found[0][0], row)

    def condition(self, query: SampleQuery, cancel: Cancellation | None = None) -> Condition:
        """Return what rows of the relation `samples` have to fulfil, its text searched for to the end."""
        search = self._search(query)
        if search is not None:
            search.go_on(cancel=cancel)
        return self._wanted(query, search)

    def names(self, column: str) -> list[tuple[str, int]]:
        """Return all of `eval`, `prompt` or `model` in the order of the run, with numbers of samples."""
        if column not in {"eval", "prompt", "model"}:
            raise UsageError(f'"{column}" is not a list of names')
        found = self.base.rows(
            f'select {column}, count(*) from samples group by {column} order by min("row")'
        )
        return [(str(name), int(count)) for name, count in found]

    def metadata_fields(self) -> list[str]:
        """Return the fields of the metadata of the first 4,096 samples, at the top level."""
        found = self.base.rows(
            f'select distinct unnest(json_keys(metadata)) from requests where "row" < {_LOOKED_AT}'
        )
        return sorted(str(name) for (name,) in found)

    def metadata_values(self, name: str) -> list[tuple[str, int]]:
        """Return the 50 most frequent values of a metadata field as texts, with numbers of samples."""
        sql, pointers = metadata_field(name)
        found = self.base.rows(
            f"select {sql} as value, count(*) as n from samples group by value having value is not null "
            f"order by n desc, value limit {_MOST_VALUES}",
            pointers,
        )
        return [(str(value), int(count)) for value, count in found]

    def batches(
        self, query: SampleQuery, columns: Sequence[str] = (), cancel: Cancellation | None = None
    ) -> "pa.RecordBatchReader":
        """Return all samples that fit, whole texts, in the order of the plan, as they are read.

        Args:
            query: Which samples.
            columns: As of a page; none means every column of the table.
            cancel: Stops it between two stretches.
        """
        return self.columns.batches(self.condition(query, cancel), columns, cancel)

    def _enough(self, query: SampleQuery, order: SortOrder, asked: PageRequest, search: TextSearch) -> "Any":
        wanted = self._wanted(query, search)
        if asked.after:
            order.add_cursor(wanted, asked.after, backwards=False)
        sql = f"select count(*) from samples where {wanted.sql}"
        return lambda: self.base.rows(sql, wanted.values)[0][0] > asked.size

    def _wanted(self, query: SampleQuery, search: TextSearch | None) -> Condition:
        """Return what the rows have to fulfil, by what a search found where there is one."""
        if search is None:
            wanted = conditions_of(query, self.base.scores)
        else:
            wanted = Condition(needs=search)
            wanted.add(f'"row" in (select "row" from {search.relation})')
        add_outcomes(wanted, query, self.base.scores)
        return wanted

    def _search(self, query: SampleQuery) -> TextSearch | None:
        if not query.text:
            return None
        key = replace(query, outcomes=(), failure_kinds=())
        with self._lock:
            search = self._searches.get(key)
            if search is None:
                search = TextSearch(self.base, key, f"search_{next(self._numbers)}")
                self._searches[key] = search
            self._searches.move_to_end(key)
            if len(self._searches) > _SEARCHES:
                self._searches.popitem(last=False)
        return search
