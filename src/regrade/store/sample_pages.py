"""Pages of samples: what is on one, in which order, and where the next begins."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regrade.errors import UsageError, did_you_mean
from regrade.jsonio import encode, loads
from regrade.store.sample_filters import Condition, score_column
from regrade.types import Json

__all__ = ["PAGE_SIZES", "PageRequest", "SamplePage", "SampleRow", "SortOrder"]

PAGE_SIZES = (20, 100, 1000)
_SORTS = {
    "place": '"row"',
    "latency": "latency_s",
    "ttft": "ttft_s",
    "tokens": "case when prompt_tokens is not null or completion_tokens is not null then "
    "coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) end",
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    "cost": "cost_usd",
    "attempts": "attempts",
    "id": "sample_id",
}
_SCORE = "score."
_CURSOR_PARTS = 3


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page.

    Attributes:
        sort: `place` (in the plan), `latency`, `ttft`, `tokens`, `prompt_tokens`, `completion_tokens`,
            `cost`, `attempts`, `id` or `score.<scorer>`; "-" before it turns it round. What has no value
            comes last.
        size: How many rows.
        after: The `next` of a page.
        before: The `previous` of a page.
        columns: Names as in `samples.parquet`, `meta.<field>` for a field of the metadata.
    """

    sort: str = "place"
    size: int = 100
    after: str = ""
    before: str = ""
    columns: tuple[str, ...] = ("input", "text", "target", "latency_s", "cost_usd")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in a list.

    Attributes:
        row: Its place in the samples table.
        eval: Of its key.
        prompt: Likewise.
        model: Likewise.
        sample_id: Likewise.
        epoch: Likewise.
        outcome: `failure`, `wrong`, `right` or `unscored`: the first that it is.
        parsed: Whether an answer was found in the text; None where nothing looked for one.
        failure_kind: Of the request.
        scores: Main scores by scorer; None where there is none.
        cells: The columns that were asked for; texts cut to 200 characters.
        cut: Columns whose texts were cut.
    """

    row: int
    eval: str
    prompt: str
    model: str
    sample_id: str
    epoch: int
    outcome: str
    parsed: bool | None
    failure_kind: str | None
    scores: Mapping[str, float | None]
    cells: Mapping[str, Json]
    cut: frozenset[str]


@dataclass(frozen=True, slots=True)
class SamplePage:
    """Some rows in their order.

    Attributes:
        rows: The samples.
        next: What to give as `after` for the rows behind; empty at the end.
        previous: What to give as `before` for the rows in front; empty at the beginning.
        complete: False where a search ran out of time: there may be more than is known yet.
        searched: The share of the run that was searched, 0 to 1.
    """

    rows: tuple[SampleRow, ...]
    next: str
    previous: str
    complete: bool = True
    searched: float = 1.0


@dataclass(frozen=True, slots=True)
class SortOrder:
    """An order over the relation `samples`, ties by place, nulls last.

    Attributes:
        name: As it was asked for.
        term: What is compared.
        descending: Whether the greatest comes first.
    """

    name: str
    term: str
    descending: bool

    @classmethod
    def of(cls, name: str, scores: Mapping[str, str]) -> "SortOrder":
        """Return the order of a name.

        Raises:
            UsageError: When there is none.
        """
        key = name.removeprefix("-")
        if key.startswith(_SCORE):
            term = score_column(key.removeprefix(_SCORE), scores)
        elif key in _SORTS:
            term = _SORTS[key]
        else:
            hint = did_you_mean(key, _SORTS) or f"one of: {', '.join(_SORTS)}, score.<scorer>"
            raise UsageError(f'samples cannot be sorted by "{key}"', hint=hint)
        return cls(name, term, name.startswith("-"))

    def clause(self, *, backwards: bool) -> str:
        """Return what stands behind `order by`."""
        down = self.descending != backwards
        direction, nulls = ("desc" if down else "asc"), ("first" if backwards else "last")
        place = "desc" if (down if self.name.endswith("place") else backwards) else "asc"
        return f'{self.term} {direction} nulls {nulls}, "row" {place}'

    def add_cursor(self, found: Condition, cursor: str, *, backwards: bool) -> None:
        """Ask for the rows on one side of a place.

        Raises:
            UsageError: When the text is no cursor, or one of another order.
        """
        value, row = self._decoded(cursor)
        beyond = "<" if self.descending != backwards else ">"
        if self.name.endswith("place"):
            found.add(f'"row" {beyond} ?', row)
            return
        tie = "<" if backwards else ">"
        term = self.term
        if value is None:
            side = f'({term} is null and "row" {tie} ?)'
            found.add(f"{term} is not null or {side}" if backwards else side, row)
            return
        nulls = "" if backwards else f" or ({term}) is null"
        found.add(f'({term}) {beyond} ? or (({term}) = ? and "row" {tie} ?){nulls}', value, value, row)

    def cursor(self, value: Any, row: int) -> str:
        """Return the place of a row in this order, as a text for a URL."""
        return base64.urlsafe_b64encode(encode([self.name, value, row])).decode().rstrip("=")

    def _decoded(self, cursor: str) -> tuple[Json, int]:
        try:
            found = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, binascii.Error):
            found = None
        fits = isinstance(found, list) and len(found) == _CURSOR_PARTS and found[0] == self.name
        if not fits or not isinstance(found[2], int) or not isinstance(found[1], int | float | str | None):
            raise UsageError("this is no place in the table as it is sorted", hint="start at its first page")
        return found[1], found[2]
