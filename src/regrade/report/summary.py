"""The result table of a run, from its summary rows: one table an eval, one row an arm."""

from collections.abc import Iterable, Sequence

from regrade.report.numbers import MISSING, format_count, format_estimate, format_money, format_seconds
from regrade.types import ColumnView, SummaryRow, TableView

__all__ = ["REQUEST_COLUMNS", "show_row", "summary_tables"]

REQUEST_COLUMNS = {
    "latency_p50": "p50",
    "prompt_tokens": "tokens in",
    "completion_tokens": "out",
    "cost_usd": "cost",
}
"""Metrics of requests that the result table shows, with their heads."""

_Arm = tuple[str, str]
_WIDEST_SCORES = 3


def show_row(row: SummaryRow) -> str:
    """Write one summary value in its own unit, with its interval."""
    if row.scorer:
        return format_estimate(row.value, row.low, row.high, percent=is_share(row))
    if row.metric.startswith("cost"):
        return format_money(row.value)
    if row.metric.startswith(("latency", "ttft")):
        return format_seconds(row.value)
    if row.metric.endswith("_rate"):
        return format_estimate(row.value, row.low, row.high, percent=True)
    return format_count(row.value)


def is_share(row: SummaryRow) -> bool:
    """Return whether the row's value is a share of one, shown as percent."""
    numbers = (row.value, row.low, row.high)
    return row.method != "t" and all(number is None or 0 <= number <= 1 for number in numbers)


def summary_tables(rows: Iterable[SummaryRow], *, slices: bool = False) -> list[TableView]:
    """Return one table for each eval, in the order of the rows.

    Args:
        rows: The run's summary.
        slices: Whether tables of the slices follow.
    """
    by_eval: dict[str, list[SummaryRow]] = {}
    for row in rows:
        by_eval.setdefault(row.eval, []).append(row)
    views = []
    for name, of_eval in by_eval.items():
        views.append(_eval_table(name, [row for row in of_eval if not row.slice]))
        if slices:
            views.extend(_slice_tables(name, [row for row in of_eval if row.slice]))
    return views


def _eval_table(name: str, rows: Sequence[SummaryRow]) -> TableView:
    arms = list(dict.fromkeys((row.prompt, row.model) for row in rows))
    measures = _measures(rows)
    several_prompts = len({prompt for prompt, _ in arms}) > 1
    shown = [key for key in REQUEST_COLUMNS if _has_value(rows, key)]
    heads = [ColumnView("model")]
    if several_prompts:
        heads.insert(0, ColumnView("prompt"))
    heads += [ColumnView(_measure_head(key, rows, measures), "right") for key in measures]
    heads += [ColumnView("n", "right"), ColumnView("failed", "right")]
    heads += [ColumnView(REQUEST_COLUMNS[key], "right") for key in shown]
    cells = {(row.prompt, row.model, row.scorer, row.metric): row for row in rows}
    body = []
    for prompt, model in arms:
        line = [prompt, model] if several_prompts else [model]
        of_arm = [cells.get((prompt, model, scorer, metric)) for scorer, metric in measures]
        line += [show_row(row) if row else MISSING for row in of_arm]
        line += _counts(rows, (prompt, model))
        for key in shown:
            row = cells.get((prompt, model, "", key))
            line.append(show_row(row) if row else MISSING)
        body.append(tuple(line))
    return TableView(name, tuple(heads), tuple(body), tuple(_notes(rows)))


def _measures(rows: Sequence[SummaryRow]) -> list[tuple[str, str]]:
    """Return (scorer, metric) of the columns: every scorer's first metric, then others while they fit."""
    keys = list(dict.fromkeys((row.scorer, row.metric) for row in rows if row.scorer))
    first = [key for i, key in enumerate(keys) if key[0] not in {scorer for scorer, _ in keys[:i]}]
    others = [key for key in keys if key not in first and key[1] != "parsed_rate"]
    return (first + others)[: max(_WIDEST_SCORES, len(first))]


def _measure_head(
    key: tuple[str, str], rows: Sequence[SummaryRow], measures: Sequence[tuple[str, str]]
) -> str:
    scorer, metric = key
    unique = sum(1 for _, other in measures if other == metric) == 1
    label = metric if unique else f"{scorer} {metric}"
    share = all(is_share(row) for row in rows if (row.scorer, row.metric) == key)
    return f"{label} %" if share else label


def _has_value(rows: Sequence[SummaryRow], metric: str) -> bool:
    return any(not row.scorer and row.metric == metric and row.value is not None for row in rows)


def _counts(rows: Sequence[SummaryRow], arm: _Arm) -> list[str]:
    mine = [row for row in rows if (row.prompt, row.model) == arm]
    scored = [row for row in mine if row.scorer] or mine
    return [str(max(row.n for row in scored)), str(max(row.n_failed for row in scored))]


def _notes(rows: Sequence[SummaryRow]) -> list[str]:
    notes = list(dict.fromkeys(f"{row.metric}: {row.note}" for row in rows if row.note and row.scorer))
    failed = sum(1 for arm in {(row.prompt, row.model) for row in rows} if _counts(rows, arm)[1] != "0")
    if failed:
        notes.append("Failures are requests without an answer or a score; they are not counted as wrong.")
    return notes


def _slice_tables(name: str, rows: Sequence[SummaryRow]) -> list[TableView]:
    by_metric: dict[tuple[str, str], list[SummaryRow]] = {}
    for row in rows:
        by_metric.setdefault((row.scorer, row.metric), []).append(row)
    views = []
    for (scorer, metric), of_metric in by_metric.items():
        arms = list(dict.fromkeys((row.prompt, row.model) for row in of_metric))
        several = len({prompt for prompt, _ in arms}) > 1
        heads = (
            ColumnView("slice"),
            *(ColumnView(f"{p} {m}" if several else m, "right") for p, m in arms),
            ColumnView("n", "right"),
        )
        cells = {(row.slice, row.prompt, row.model): row for row in of_metric}
        body = []
        for part in dict.fromkeys(row.slice for row in of_metric):
            found = [cells.get((part, *arm)) for arm in arms]
            count = max(row.n for row in found if row)
            body.append((part, *(show_row(row) if row else MISSING for row in found), str(count)))
        views.append(TableView(f"{name}: {scorer} {metric} by slice", heads, tuple(body)))
    return views
