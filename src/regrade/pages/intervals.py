"""The intervals of a run's summary as charts: what its tables say, to be compared at a glance."""

from collections.abc import Iterable, Sequence

from regrade.types import SummaryRow
from regrade.views import ForestRow, ForestView

__all__ = ["arm_forests", "slice_forests"]

_ROWS_LIMIT = 60
_UNREAD = "parsed_rate"


def arm_forests(rows: Iterable[SummaryRow]) -> list[ForestView]:
    """Return one chart for every metric that scorers gave, one row a model (and prompt)."""
    groups: dict[tuple[str, str, str], list[SummaryRow]] = {}
    for row in rows:
        if _is_drawn(row) and not row.slice:
            groups.setdefault((row.eval, row.scorer, row.metric), []).append(row)
    return [
        _forest(f"{name}: {_measure(scorer, metric)}", found, _arm_labels(found))
        for (name, scorer, metric), found in groups.items()
    ]


def slice_forests(rows: Iterable[SummaryRow]) -> list[list[ForestView]]:
    """Return the charts of slices, one a model and one row a slice; those of one metric come together."""
    groups: dict[tuple[str, str, str], dict[tuple[str, str], list[SummaryRow]]] = {}
    for row in rows:
        if _is_drawn(row) and row.slice:
            arms = groups.setdefault((row.eval, row.scorer, row.metric), {})
            arms.setdefault((row.prompt, row.model), []).append(row)
    return [
        [_slices(f"{name}: {_measure(scorer, metric)}", arm, found, arms) for arm, found in arms.items()]
        for (name, scorer, metric), arms in groups.items()
    ]


def _slices(
    head: str, arm: tuple[str, str], rows: Sequence[SummaryRow], arms: Iterable[tuple[str, str]]
) -> ForestView:
    several = len({prompt for prompt, _ in arms}) > 1
    title = f"{head} of {' '.join(arm) if several else arm[1]} by slice"
    return _forest(title, rows, [f"{row.slice} (n {row.n:,})" for row in rows])


def _is_drawn(row: SummaryRow) -> bool:
    """Return whether a chart shows the row: a score's own metric, not its parts and not what was read."""
    return bool(row.scorer) and row.value is not None and row.metric != _UNREAD and "." not in row.metric


def _measure(scorer: str, metric: str) -> str:
    return scorer if scorer == metric else f"{scorer} {metric}"


def _arm_labels(rows: Sequence[SummaryRow]) -> list[str]:
    several = len({row.prompt for row in rows}) > 1
    return [f"{row.prompt} {row.model}" if several else row.model for row in rows]


def _forest(title: str, rows: Sequence[SummaryRow], labels: Sequence[str]) -> ForestView:
    percent = all(_is_share(row) for row in rows)
    scale = 100.0 if percent else 1.0
    shown = [
        ForestRow(
            label,
            (row.value or 0.0) * scale,
            None if row.low is None else row.low * scale,
            None if row.high is None else row.high * scale,
            None,
            "none",
            _said(row, scale),
        )
        for label, row in zip(labels[:_ROWS_LIMIT], rows, strict=False)
    ]
    return ForestView(title, "%" if percent else "", tuple(shown))


def _is_share(row: SummaryRow) -> bool:
    numbers = [number for number in (row.value, row.low, row.high) if number is not None]
    return row.method != "t" and all(0 <= number <= 1 for number in numbers)


def _said(row: SummaryRow, scale: float) -> str:
    write = "{:.1f}".format if scale != 1 else "{:.4g}".format
    value = write((row.value or 0.0) * scale)
    if row.low is None or row.high is None:
        return value
    return f"{value} ({write(row.low * scale)} to {write(row.high * scale)})".replace("-", "\u2212")
