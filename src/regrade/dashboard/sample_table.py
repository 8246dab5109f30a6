"""The table of samples as people read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regrade.addresses import SamplesAddress, sample_ref
from regrade.dashboard.sample_query import START, filters_of
from regrade.report.numbers import MISSING, format_money, format_seconds
from regrade.store.sample_pages import PAGE_SIZES, SamplePage, SampleRow
from regrade.texts import clipped
from regrade.types import Json, Key
from regrade.views import HeadView, LinkView, Look, NoticeView, SampleLine, SampleTableView

__all__ = ["SHOWN_AS", "Table", "key_of", "look_of", "score_text", "table_view"]

SHOWN_AS: Mapping[str, str] = {
    "right": "right",
    "wrong": "wrong",
    "failure": "failed",
    "unscored": "not scored",
    "unparsed": "no answer found",
    "flaky": "flaky",
}
"""What outcomes are called on pages."""

_CELL = 120
_SECONDS = frozenset({"ttft_s", "latency_s", "queue_s", "throttle_s", "retry_s"})
_SORT_OF = {
    "latency_s": "latency",
    "ttft_s": "ttft",
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    "cost_usd": "cost",
    "attempts": "attempts",
    "sample_id": "id",
}
_LAST = {
    "ttft": ("First token", "ttft_s"),
    "tokens": ("Tokens", ""),
    "prompt_tokens": ("Tokens in", "prompt_tokens"),
    "completion_tokens": ("Tokens out", "completion_tokens"),
    "cost": ("Cost", "cost_usd"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is made from.

    Attributes:
        address: Of the page, as its links should continue it.
        page: The rows.
        total: How many samples fit.
        first: How many of them lie in front of the page.
        run_total: How many samples the run has.
        alone: Whether ids tell the samples apart.
        varied: Which of `eval`, `prompt` and `model` differ between the rows.
        columns: The chosen columns; empty for the usual ones.
        open: The row whose story is open; -1 for none.
    """

    address: SamplesAddress
    page: SamplePage
    total: int
    first: int
    run_total: int
    alone: bool
    varied: tuple[str, ...]
    columns: tuple[str, ...]
    open: int = -1

    def href(self, row: SampleRow) -> str:
        """Return where the story of a row is."""
        return self.address.url(open=sample_ref(key_of(row), alone=self.alone), pick="")


def key_of(row: SampleRow) -> Key:
    """Return the key of a row's answer."""
    return Key(row.eval, row.prompt, row.model, row.sample_id, row.epoch)


def look_of(outcome: str) -> Look:
    """Return an outcome as pages draw it."""
    return outcome if outcome in {"right", "wrong", "failure", "unscored"} else ""  # type: ignore[return-value] # one of them


def table_view(table: Table) -> SampleTableView:
    """Return the table."""
    rows, address = table.page.rows, table.address
    last = table.first + len(rows)
    total = f"{table.total:,}" if table.page.complete else f"over {table.total:,}"
    return SampleTableView(
        caption=f"Samples of the run {address.run}, {total}",
        heads=_heads(table),
        usual=not table.columns,
        name=_head("Sample, input" if not table.columns else "Sample", "id", address),
        lines=tuple(_line(row, table) for row in rows),
        said=f"{table.first + 1:,}\u2013{last:,} of {total}" if rows else f"0 of {total}",
        total="" if table.total == table.run_total else f"({table.run_total:,} in the run)",
        sizes=tuple(_size(address, size) for size in PAGE_SIZES),
        previous=_turn(address, before=table.page.previous) if table.page.previous else "",
        next=_turn(address, after=table.page.next) if table.page.next else "",
        searching="" if table.page.complete else f"{table.page.searched:.0%}",
        empty=None if rows else _empty(table),
    )


def _turn(address: SamplesAddress, before: str = "", after: str = "") -> str:
    return address.url(**{**START, "before": before, "after": after})


def _size(address: SamplesAddress, size: int) -> LinkView:
    return LinkView(f"{size:,}", address.url(per=str(size), **START), address.per == str(size))


def _empty(table: Table) -> NoticeView:
    filters = filters_of(table.address)
    if not table.page.complete:
        text = f"{table.page.searched:.0%} of the run is searched; the page goes on by itself."
        return NoticeView("Nothing found yet", text, kind="run")
    if not filters:
        return NoticeView("The run has no samples", "No answer was asked for.")
    drop = tuple(LinkView(f"drop {clipped(one.text, 60)}", one.href) for one in filters)
    every = SamplesAddress(table.address.run).url()
    return NoticeView(
        "No sample fits",
        f"{table.run_total:,} samples are in the run; the filters together leave none.",
        links=(*drop, LinkView("drop all filters", every)),
    )


def _heads(table: Table) -> tuple[HeadView, ...]:
    address = table.address
    if table.columns:
        return tuple(_head(name, _sort_of(name), address, number=_is_number(name)) for name in table.columns)
    sort = address.sort.removeprefix("-")
    if sort.startswith("score."):
        last = _head(sort.removeprefix("score."), sort, address, number=True)
    else:
        last = _head(
            _LAST.get(sort, ("Latency", ""))[0], sort if sort in _LAST else "latency", address, number=True
        )
    return HeadView("Target, answer"), last


def _head(text: str, sort: str, address: SamplesAddress, *, number: bool = False) -> HeadView:
    if not sort:
        return HeadView(text, number=number)
    falling = address.sort == f"-{sort}"
    is_sorted = falling or address.sort == sort
    # Numbers are asked for from the greatest down, names from the first on; a second click turns that round.
    first, second = (f"-{sort}", sort) if number else (sort, f"-{sort}")
    href = address.url(sort=second if address.sort == first else first, **START)
    return HeadView(text, href, ("descending" if falling else "ascending") if is_sorted else "", number)


def _sort_of(name: str) -> str:
    return name if name.startswith("score.") else _SORT_OF.get(name, "")


def _is_number(name: str) -> bool:
    return (
        name.startswith("score.")
        or name in _SECONDS
        or (name in _SORT_OF and name != "sample_id")
        or name.endswith("_tokens")
    )


def _line(row: SampleRow, table: Table) -> SampleLine:
    return SampleLine(
        mark=f"r{row.row}",
        name=row.sample_id,
        href=table.href(row),
        look=look_of(row.outcome),
        said=SHOWN_AS.get(row.outcome, row.outcome),
        note=_note(row, table.varied),
        cells=_cells(row, table),
        on=row.row == table.open,
    )


def _note(row: SampleRow, varied: Sequence[str]) -> str:
    own = ((name, str(getattr(row, name))) for name in varied)
    parts = [text for name, text in own if (name, text) != ("prompt", "default")]  # it has no name of its own
    if row.epoch > 1:
        parts.append(f"epoch {row.epoch}")
    if row.failure_kind:
        parts.append(row.failure_kind.replace("_", " "))
    attempts = row.cells.get("attempts")
    if isinstance(attempts, int) and attempts > 1:
        parts.append(f"{attempts} attempts")
    if row.parsed is False and not row.failure_kind:
        parts.append("no answer found")
    return " \u00b7 ".join(parts)


def _cells(row: SampleRow, table: Table) -> tuple[str, ...]:
    if table.columns:
        return tuple(_cell(name, row.cells.get(name)) for name in table.columns)
    cells = row.cells
    answer = _text(cells.get("text")) or (
        "tool call" if cells.get("tool_calls") not in {None, "", "[]"} else ""
    )
    target = _text(cells.get("target"))
    return _text(cells.get("input")), target or MISSING, answer or MISSING, _last(row, table.address.sort)


def _last(row: SampleRow, sort: str) -> str:
    key = sort.removeprefix("-")
    if key.startswith("score."):
        return score_text(row.scores.get(key.removeprefix("score.")))
    if key == "tokens":
        counts = [row.cells.get(name) for name in ("prompt_tokens", "completion_tokens")]
        known = [one for one in counts if isinstance(one, int)]
        return f"{sum(known):,}" if known else MISSING
    name = _LAST.get(key, ("", "latency_s"))[1]
    return _cell(name, row.cells.get(name))


def _cell(name: str, value: Json) -> str:
    if value is None:
        return MISSING
    if name in _SECONDS and isinstance(value, int | float):
        return format_seconds(value)
    if name == "cost_usd" and isinstance(value, int | float):
        return format_money(value)
    if name.startswith("score.") and isinstance(value, int | float):
        return score_text(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else _text(value)


def _text(value: Json) -> str:
    """Return a text as a line of a table: cut here, so that a page of a thousand rows stays small."""
    return "" if value is None else clipped(str(value), _CELL)


def score_text(value: float | None) -> str:
    """Return a score as people read it."""
    return MISSING if value is None else f"{value:.4g}".replace("-", "\u2212")


def with_open(table: Table, row: int) -> Table:
    """Return the table with a row's story open."""
    return replace(table, open=row)
