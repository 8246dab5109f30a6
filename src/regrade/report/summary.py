"""The result table of a run, from its summary rows: one table an eval, one row an arm."""

from collections.abc import Iterable, Sequence

from regrade.choices import ASKED_AS
from regrade.report.numbers import MISSING, format_count, format_estimate, format_money, format_seconds
from regrade.types import SummaryRow
from regrade.views import ColumnView, TableView

__all__ = ["REQUEST_COLUMNS", "is_share", "leading_metric", "show_row", "summary_tables"]

REQUEST_COLUMNS = {
    "latency_p50": ColumnView("p50", "right", 2),
    "prompt_tokens": ColumnView("tokens in", "right", 4),
    "completion_tokens": ColumnView("out", "right", 3),
    "cost_usd": ColumnView("cost", "right", 1),
}
"""Metrics of requests that the result table shows, with their columns."""

_Arm = tuple[str, str]
_UNREAD = "parsed_rate"
_KIND_RATE = "failure_rate."


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


def leading_metric(rows: Iterable[SummaryRow]) -> tuple[str, str]:
    """Return scorer and metric of the first row that is a score as a whole; empty texts without one."""
    for row in rows:
        is_part = "." in row.metric and ".py:" not in row.metric
        if row.scorer and row.metric != _UNREAD and not is_part:
            return row.scorer, row.metric
    return "", ""


def summary_tables(
    rows: Iterable[SummaryRow], *, slices: bool = False, details: bool = False
) -> list[TableView]:
    """Return one table for each eval, in the order of the rows.

    Args:
        rows: The run's summary.
        slices: Whether tables of the slices follow.
        details: Whether a table of every metric follows, those of the requests included.
    """
    by_eval: dict[str, list[SummaryRow]] = {}
    for row in rows:
        by_eval.setdefault(row.eval, []).append(row)
    views = []
    for name, of_eval in by_eval.items():
        whole = [row for row in of_eval if not row.slice]
        views.append(_eval_table(name, whole))
        if details:
            views.append(_details_table(name, whole))
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
    heads += [REQUEST_COLUMNS[key] for key in shown]
    cells = {(row.prompt, row.model, row.scorer, row.metric): row for row in rows}
    body = []
    for prompt, model in arms:
        line = [prompt, model] if several_prompts else [model]
        line += [_cell(cells.get((prompt, model, *key))) for key in measures]
        line += _counts(rows, (prompt, model))
        line += [_cell(cells.get((prompt, model, "", key))) for key in shown]
        body.append(tuple(line))
    return TableView(name, tuple(heads), tuple(body), tuple(_notes(rows)))


def _details_table(name: str, rows: Sequence[SummaryRow]) -> TableView:
    """Return a row for every metric and a column for every arm."""
    arms = list(dict.fromkeys((row.prompt, row.model) for row in rows))
    several_prompts = len({prompt for prompt, _ in arms}) > 1
    heads = [ColumnView("scorer"), ColumnView("metric")]
    heads += [
        ColumnView(f"{prompt} {model}" if several_prompts else model, "right") for prompt, model in arms
    ]
    cells = {(row.prompt, row.model, row.scorer, row.metric): row for row in rows}
    body = []
    for scorer, metric in dict.fromkeys((row.scorer, row.metric) for row in rows):
        found = [cells.get((*arm, scorer, metric)) for arm in arms]
        percent = any(row and _in_percent(row) for row in found)
        label = f"{metric} %" if percent else metric
        body.append((scorer or "(requests)", label, *(_cell(row) for row in found)))
    return TableView(f"{name}: every metric", tuple(heads), tuple(body))


def _in_percent(row: SummaryRow) -> bool:
    return is_share(row) if row.scorer else row.metric.endswith("_rate")


def _cell(row: SummaryRow | None) -> str:
    return show_row(row) if row else MISSING


def _measures(rows: Sequence[SummaryRow]) -> list[tuple[str, str]]:
    """Return (scorer, metric) of the columns: every metric that was asked for.

    Left to the table of details: how many answers could be read (a note tells where some could not), and the
    parts of a score, which have a dot in their name.
    """
    keys = dict.fromkeys((row.scorer, row.metric) for row in rows if row.scorer)
    return [key for key in keys if key[1] != _UNREAD and "." not in key[1]]


def _measure_head(
    key: tuple[str, str], rows: Sequence[SummaryRow], measures: Sequence[tuple[str, str]]
) -> str:
    scorer, metric = key
    label = metric
    if len({other for other, _ in measures}) > 1:
        alone = sum(1 for other, _ in measures if other == scorer) == 1
        label = scorer if alone else f"{scorer} {metric}"
    share = all(is_share(row) for row in rows if (row.scorer, row.metric) == key)
    return f"{label} %" if share else label


def _has_value(rows: Sequence[SummaryRow], metric: str) -> bool:
    return any(not row.scorer and row.metric == metric and row.value is not None for row in rows)


def _counts(rows: Sequence[SummaryRow], arm: _Arm) -> list[str]:
    mine = [row for row in rows if (row.prompt, row.model) == arm]
    scored = [row for row in mine if row.scorer] or mine
    return [f"{max(row.n for row in scored):,}", f"{max(row.n_failed for row in scored):,}"]


def _notes(rows: Sequence[SummaryRow]) -> list[str]:
    notes = list(
        dict.fromkeys(f"{row.metric}: {row.note}" for row in rows if row.note and row.scorer and row.n)
    )
    notes += _asked(rows)
    notes += _cut(rows)
    notes += _unread(rows)
    failed = sum(1 for arm in {(row.prompt, row.model) for row in rows} if _counts(rows, arm)[1] != "0")
    if failed:
        notes.append("Failures are requests without an answer or a score; they are not counted as wrong.")
    return notes + _kinds_of_failure(rows)


def _asked(rows: Sequence[SummaryRow]) -> list[str]:
    """Say how multiple choice was asked, since two modes do not compare."""
    modes: dict[str, dict[str, None]] = {}
    for row in rows:
        mode = row.method.partition(ASKED_AS)[2]
        if mode:
            modes.setdefault(mode, {})[row.model] = None
    if not modes:
        return []
    told = "; ".join(f"{', '.join(models)} as {mode}" for mode, models in modes.items())
    warning = " Different modes do not compare." if len(modes) > 1 else ""
    return [f"Multiple choice was asked of {told}.{warning}"]


def _kinds_of_failure(rows: Sequence[SummaryRow]) -> list[str]:
    """Return a sentence for every kind of failure: how often it came, and where."""
    several_prompts = len({row.prompt for row in rows}) > 1
    parts: dict[str, list[str]] = {}
    for row in rows:
        if not row.scorer and row.metric.startswith(_KIND_RATE) and row.value:
            arm = f"{row.prompt} {row.model}" if several_prompts else row.model
            parts.setdefault(row.metric.removeprefix(_KIND_RATE), []).append(
                f"{row.value * 100:.3g} % of {arm}"
            )
    return [f"Failed by {kind.replace('_', ' ')}: {', '.join(arms)}." for kind, arms in parts.items()]


def _cut(rows: Sequence[SummaryRow]) -> list[str]:
    """Return a sentence about answers that ended in their reasoning, with those who gave them."""
    several_prompts = len({row.prompt for row in rows}) > 1
    return [
        f"{f'{row.prompt} {row.model}' if several_prompts else row.model}: {row.note}."
        for row in rows
        if not row.scorer and row.metric == "cut_in_reasoning" and row.note
    ]


def _unread(rows: Sequence[SummaryRow]) -> list[str]:
    """Return a sentence for every scorer that found no answer in some texts."""
    several_prompts = len({row.prompt for row in rows}) > 1
    parts: dict[str, list[str]] = {}
    for row in rows:
        if row.scorer and row.metric == _UNREAD and row.value is not None and row.value < 1:
            arm = f"{row.prompt} {row.model}" if several_prompts else row.model
            parts.setdefault(row.scorer, []).append(f"{(1 - row.value) * 100:.3g} % of {arm}")
    return [
        f"No answer found by {scorer} in {', '.join(arms)}; these count as 0."
        for scorer, arms in parts.items()
    ]


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
            body.append((part, *(_cell(row) for row in found), str(count)))
        views.append(TableView(f"{name}: {scorer} {metric} by slice", heads, tuple(body)))
    return views
