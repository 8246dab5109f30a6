"""A comparison as people read it: what changed, how sure that is, and where to look."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from regrade.comparisons import Agreement, Change, Comparison, Flip, Flips, Lead
from regrade.report.flips import flips_view
from regrade.report.measures import (
    format_change,
    format_interval,
    format_p,
    format_plain,
    format_size,
    metric_label,
    unit_of,
)
from regrade.report.numbers import MISSING
from regrade.types import JsonObject
from regrade.views import ColumnView, Document, ForestRow, ForestView, Mark, TableView

__all__ = [
    "agreement_table",
    "arm_names",
    "change_label",
    "change_notes",
    "change_records",
    "change_tables",
    "comparison_document",
    "exact",
    "flip_records",
    "forest_row",
    "half_width",
    "lead_records",
    "lead_table",
    "mark_of",
    "slice_forests",
]

_ALPHA = 0.05
_MOST_SENTENCES = 4


def comparison_document(found: Comparison) -> Document:
    """Return tables, charts, flips and exact records of a comparison."""
    return Document(
        title=f"{found.b} (B) against {found.a} (A)",
        summary=(),
        kind="comparison",
        paragraph=" ".join([*_sentences(found), *_flaky(found.flips)]),
        tables=(*change_tables(found), *agreement_table(found.agreements), *lead_table(found.leads)),
        forests=(*_forests(found), *slice_forests(found.leads)),
        flips=tuple(flips_view(one) for one in found.flips if one.broken_count or one.mended_count),
        notes=found.notes,
        records={
            "changes": change_records(found.changes),
            "leads": lead_records(found.leads),
            "agreements": tuple(exact(asdict(one)) for one in found.agreements),
            "flips": tuple(flip_records(found.flips)),
        },
    )


def _sentences(found: Comparison) -> list[str]:
    """Return what changed beyond chance, the surest first, and what that leaves open."""
    tested = [one for one in found.changes if one.scorer and one.p is not None]
    if not tested:
        return ["Nothing could be compared; the notes say why."]
    shown = [one for one in tested if (one.p_adjusted or 0.0) <= _ALPHA and one.difference]
    if not shown:
        smallest = [one.detectable for one in tested if one.detectable is not None and one.share]
        open_ = ""
        if smallest:
            open_ = f" Drops below {format_size(max(smallest), 'points')} could have stayed unseen."
        return [f"No change of {_count(len(tested), 'metric')} is beyond chance.{open_}"]
    worse = sum(1 for one in shown if is_worse(one))
    heads = [f"{_count(worse, 'metric')} worse" if worse else "", f"{len(shown) - worse} better"]
    heads[1] = "" if len(shown) == worse else heads[1]
    head = f"Of {_count(len(tested), 'metric')}: {', '.join(one for one in heads if one)} beyond chance."
    told = [_sentence(one) for one in sorted(shown, key=lambda one: one.p_adjusted or 0.0)]
    more = len(told) - _MOST_SENTENCES
    return [head, *told[:_MOST_SENTENCES], *([f"{more} more stand in the table."] if more > 0 else [])]


def _sentence(one: Change) -> str:
    unit = unit_of(one.scorer, one.metric, share=one.share)
    verb = "rose" if (one.difference or 0) > 0 else "fell"
    size = format_change(abs(one.difference or 0.0), unit, half_width(one)).lstrip("+")
    return (
        f"{one.eval}: {change_label(one)} of {one.model_b} {verb} by {size} {unit} "
        f"({format_plain(one.value_a, unit)} to {format_plain(one.value_b, unit)}, "
        f"p {_p_words(one.p_adjusted)} adjusted)."
    )


def _p_words(p: float | None) -> str:
    text = format_p(p)
    return text if text.startswith("<") else f"= {text}"


def _flaky(flips: Sequence[Flips]) -> list[str]:
    count = sum(one.flaky for one in flips)
    verb = "passes" if count == 1 else "pass"
    return [f"{_count(count, 'sample')} {verb} now and then on both sides (flaky)."] if count else []


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")


def change_label(one: Change, *, alone: bool = False) -> str:
    """Return what people call the metric of a change; alone where there is no other scorer."""
    return metric_label(one.scorer, one.metric, alone=alone)


def _alone(rows: Sequence[Change]) -> bool:
    """Return whether there is one scorer only, so that its name says nothing."""
    return len({one.scorer for one in rows if one.scorer}) <= 1


def is_worse(one: Change) -> bool:
    """Return whether a difference is a loss."""
    return ((one.difference or 0.0) < 0) == (one.better == "higher")


def mark_of(one: Change) -> Mark:
    """Return what a change shows, at 5 % after its family's adjustment."""
    p = one.p_adjusted if one.p_adjusted is not None else one.p
    if p is None or p > _ALPHA or not one.difference:
        return "none"
    return "worse" if is_worse(one) else "better"


def change_tables(found: Comparison) -> list[TableView]:
    """Return a table for each eval: a row for every metric of every pair of arms."""
    by_eval: dict[str, list[Change]] = {}
    for one in found.changes:
        by_eval.setdefault(one.eval, []).append(one)
    return [_table(name, rows, found.level) for name, rows in by_eval.items()]


def _table(name: str, rows: Sequence[Change], level: float) -> TableView:
    several = len({arm_names(one) for one in rows}) > 1
    alone = _alone(rows)
    heads = [
        *([ColumnView("model")] if several else []),
        ColumnView("metric"),
        ColumnView("A", "right", 2),
        ColumnView("B", "right", 2),
        ColumnView("B \N{MINUS SIGN} A", "right"),
        ColumnView(f"{level * 100:g} % interval", "right"),
        ColumnView("p", "right", 4),
        ColumnView("adjusted p", "right"),
        ColumnView("won, lost", "right", 1),
        ColumnView("tied", "right", 5),
        ColumnView("drop it could show", "right", 3),
        ColumnView("n", "right", 1),
    ]
    body = []
    for one in rows:
        unit = unit_of(one.scorer, one.metric, share=one.share)
        counts = MISSING if one.wins is None or one.losses is None else f"{one.wins:,}, {one.losses:,}"
        body.append(
            (
                *([arm_names(one)] if several else []),
                change_label(one, alone=alone),
                format_plain(one.value_a, unit),
                format_plain(one.value_b, unit),
                format_change(one.difference, unit, half_width(one)),
                format_interval(one.low, one.high, unit),
                format_p(one.p),
                format_p(one.p_adjusted),
                counts,
                MISSING if one.ties is None else f"{one.ties:,}",
                MISSING if one.detectable is None else format_size(one.detectable, unit),
                f"{one.n:,}",
            )
        )
    title = name if several else f"{name}: {arm_names(rows[0])}"
    return TableView(title, tuple(heads), tuple(body), tuple(change_notes(rows)))


def arm_names(one: Change | Agreement) -> str:
    """Return the names that tell this pair of arms from others."""
    model = one.model_b if one.model_a == one.model_b else f"{one.model_b} against {one.model_a}"
    if one.prompt_a == one.prompt_b:
        return model if one.prompt_b == "default" else f"{model}, {one.prompt_b}"
    return f"{model}, {one.prompt_b} against {one.prompt_a}"


def half_width(one: Change) -> float | None:
    """Return half the width of the interval; None where an end of it is open."""
    return None if one.low is None or one.high is None else (one.high - one.low) / 2


def change_notes(rows: Sequence[Change]) -> list[str]:
    """Return what keeps figures from being taken at their face, a sentence each."""
    noted: dict[str, dict[str, None]] = {}
    for one in rows:
        if one.note:
            noted.setdefault(one.note, {})[change_label(one)] = None
    notes = [f"{', '.join(labels)}: {note}." for note, labels in noted.items()]
    if any(one.share for one in rows):
        notes.append("Differences of shares are in points.")
    missing = [one for one in rows if one.scorer and (one.missing_a or one.missing_b)]
    if missing:
        one = max(missing, key=lambda row: row.missing_a + row.missing_b)
        notes.append(
            f"Left out for want of a value: {one.missing_a:,} samples of A, {one.missing_b:,} of B; a "
            "failure is never a wrong answer."
        )
    if any(one.p is not None and one.wins is None for one in rows):
        notes.append("Metrics without wins and losses are no means over samples.")
    return notes


def agreement_table(found: Sequence[Agreement]) -> list[TableView]:
    """Return how often both arms gave the same label, as one table; none without labels."""
    if not found:
        return []
    several = len({arm_names(one) for one in found}) > 1
    heads = (
        ColumnView("eval"),
        *([ColumnView("model")] if several else []),
        ColumnView("scorer"),
        ColumnView("same label", "right"),
        ColumnView("interval", "right"),
        ColumnView("kappa", "right"),
        ColumnView("n", "right"),
    )
    body = [
        (
            one.eval,
            *([arm_names(one)] if several else []),
            one.scorer,
            format_plain(one.same, "points"),
            format_interval(one.low, one.high, "points", signed=False),
            MISSING if one.kappa is None else f"{one.kappa:.2f} \N{PLUS-MINUS SIGN}{one.kappa_se:.2f}",
            f"{one.n:,}",
        )
        for one in found
    ]
    note = "Whichever is right; kappa is agreement beyond chance, with its standard error."
    return [TableView("Agreement of A and B", heads, tuple(body), (note,))]


def lead_table(leads: Sequence[Lead]) -> list[TableView]:
    """Return the slices that stand out, as one table; none when there are none."""
    if not leads:
        return []
    several = len({arm_names(one.change) for one in leads}) > 1
    heads = (
        ColumnView("eval"),
        *([ColumnView("model")] if several else []),
        ColumnView("slice"),
        ColumnView("metric", spare=2),
        ColumnView("A", "right"),
        ColumnView("B", "right"),
        ColumnView("B \N{MINUS SIGN} A", "right"),
        ColumnView("n", "right"),
        ColumnView("q", "right", 1),
    )
    body = []
    for lead in leads:
        one = lead.change
        unit = unit_of(one.scorer, one.metric, share=one.share)
        body.append(
            (
                one.eval,
                *([arm_names(one)] if several else []),
                one.slice,
                change_label(one),
                format_plain(one.value_a, unit),
                format_plain(one.value_b, unit),
                format_change(one.difference, unit, half_width(one)),
                f"{one.n:,}",
                format_p(lead.q),
            )
        )
    note = (
        "Leads for a closer look, no verdicts: nobody asked for these slices in advance. About one in ten of "
        "those listed may be chance (q: Benjamini & Hochberg)."
    )
    return [TableView("Slices that stand out", heads, tuple(body), (note,))]


def _forests(found: Comparison) -> list[ForestView]:
    """Return the intervals of all scorers' metrics, a chart a unit."""
    by_unit: dict[str, list[ForestRow]] = {}
    several_evals = len({one.eval for one in found.changes}) > 1
    several_arms = len({arm_names(one) for one in found.changes}) > 1
    for one in found.changes:
        if not one.scorer or one.difference is None:
            continue
        unit = unit_of(one.scorer, one.metric, share=one.share)
        names = [one.eval] if several_evals else []
        names += [arm_names(one)] if several_arms else []
        by_unit.setdefault(unit, []).append(forest_row(", ".join([*names, change_label(one)]), one, unit))
    return [ForestView(f"B \N{MINUS SIGN} A, {unit}", unit, tuple(rows)) for unit, rows in by_unit.items()]


def slice_forests(leads: Sequence[Lead]) -> list[ForestView]:
    """Return the intervals of the slices that stand out."""
    by_unit: dict[str, list[ForestRow]] = {}
    for lead in leads:
        one = lead.change
        unit = unit_of(one.scorer, one.metric, share=one.share)
        by_unit.setdefault(unit, []).append(forest_row(f"{one.eval}, {one.slice}", one, unit))
    return [ForestView(f"Slices that stand out, {unit}", unit, tuple(rows)) for unit, rows in by_unit.items()]


def forest_row(label: str, one: Change, unit: str) -> ForestRow:
    """Return a difference with its interval, for a chart of that unit."""
    scale = 100.0 if unit == "points" else 1.0
    mark = mark_of(one)
    text = format_change(one.difference, unit, half_width(one))
    if one.low is not None or one.high is not None:
        text = f"{text} ({format_interval(one.low, one.high, unit)})"
    low, high = (None if end is None else end * scale for end in (one.low, one.high))
    return ForestRow(label, (one.difference or 0.0) * scale, low, high, 0.0, mark, text)


def exact(record: JsonObject) -> JsonObject:
    """Return a record of numbers as they are, but for zeros below zero."""
    return {name: value + 0.0 if isinstance(value, float) else value for name, value in record.items()}


def change_records(changes: Sequence[Change]) -> tuple[JsonObject, ...]:
    """Return every change as a flat record."""
    return tuple(exact(asdict(one)) for one in changes)


def lead_records(leads: Sequence[Lead]) -> tuple[JsonObject, ...]:
    """Return every slice that stands out as a flat record."""
    return tuple(exact({**asdict(one.change), "q": one.q}) for one in leads)


def flip_records(flips: Sequence[Flips]) -> list[JsonObject]:
    """Return every listed flip as a flat record."""
    return [
        _flip_record(group, flip, side)
        for group in flips
        for side, listed in (("lost", group.broken), ("gained", group.mended))
        for flip in listed
    ]


def _flip_record(group: Flips, flip: Flip, side: str) -> JsonObject:
    a, b = group.a, group.b
    own = {one.name: getattr(flip, one.name) for one in fields(flip) if one.name != "key"}
    return exact(
        {
            **own,
            "side": side,
            "run_a": a.run,
            "model_a": a.model,
            "prompt_a": a.prompt,
            "run_b": b.run,
            "model_b": b.model,
            "prompt_b": b.prompt,
        }
    )
