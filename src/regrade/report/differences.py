"""Differences as rows of tables with their intervals, as the comparing page draws them."""

from collections.abc import Callable, Iterable, Sequence

from regrade.comparisons import Change, Comparison, Lead
from regrade.report.comparison import (
    arm_names,
    change_label,
    change_notes,
    forest_row,
    half_width,
    mark_of,
)
from regrade.report.measures import format_change, format_p, format_plain, format_size, unit_of
from regrade.report.numbers import MISSING
from regrade.views import DifferenceRow, DifferencesView, LinkView

__all__ = ["LinksOf", "difference_views", "lead_views", "pair_views", "resource_views"]

LinksOf = Callable[[Change], tuple[LinkView, ...]]
"""What is to be looked at beside a row."""


def no_links(_: Change) -> tuple[LinkView, ...]:
    """Return no links."""
    return ()


def difference_views(
    found: Comparison, changes: Sequence[Change], links: LinksOf = no_links
) -> tuple[DifferencesView, ...]:
    """Return the metrics of scorers, a table for each eval and unit.

    Args:
        found: The comparison, which tells whether names have to be told apart.
        changes: Those of its changes that are shown.
        links: Of a row.
    """
    mine = [one for one in changes if one.scorer]
    evals = list(dict.fromkeys(one.eval for one in found.changes))
    return tuple(
        _table(name if len(evals) > 1 else "", rows, links)
        for name in evals
        for rows in _by_unit(one for one in mine if one.eval == name)
    )


def resource_views(found: Comparison, changes: Sequence[Change]) -> tuple[DifferencesView, ...]:
    """Return what the requests tell, a table for each eval; their units stand in their cells."""
    evals = list(dict.fromkeys(one.eval for one in found.changes))
    views = []
    for name in evals:
        rows = [one for one in changes if one.eval == name and not one.scorer]
        if rows:
            label = _labels(rows)
            shown = tuple(_row(label(one), one, ()) for one in rows)
            views.append(
                DifferencesView(name if len(evals) > 1 else "", "", shown, tuple(change_notes(rows)))
            )
    return tuple(views)


def lead_views(leads: Sequence[Lead], links: LinksOf = no_links) -> tuple[DifferencesView, ...]:
    """Return the slices that stand out, a table for each unit."""
    rows = [lead.change for lead in leads]
    q_of = {id(lead.change): lead.q for lead in leads}
    evals, arms = ({of(one) for one in rows} for of in (lambda one: one.eval, arm_names))
    scorers = {change_label(one) for one in rows}

    def label(one: Change) -> str:
        parts = [one.slice]
        parts += [one.eval] if len(evals) > 1 else []
        parts += [arm_names(one)] if len(arms) > 1 else []
        parts += [change_label(one)] if len(scorers) > 1 else []
        return ", ".join(parts)

    return tuple(
        DifferencesView(
            "",
            _unit(group[0]),
            tuple(_row(label(one), one, links(one), q_of[id(one)]) for one in group),
            is_up=_is_up(group),
        )
        for group in _by_unit(rows)
    )


def pair_views(
    changes: Sequence[Change], links: LinksOf, label: Callable[[Change], str] = arm_names
) -> tuple[DifferencesView, ...]:
    """Return every two models, prompts or runs against each other, a table for each metric.

    Args:
        changes: The pairs.
        links: Of a row.
        label: Of a row.
    """
    by_metric: dict[tuple[str, str, str, bool], list[Change]] = {}
    for one in changes:
        by_metric.setdefault((one.eval, one.scorer, one.metric, one.share), []).append(one)
    return tuple(
        DifferencesView(
            f"{name}: {change_label(rows[0])}",
            _unit(rows[0]),
            tuple(_row(label(one), one, links(one)) for one in rows),
            tuple(change_notes(rows)),
            _is_up(rows),
        )
        for (name, *_), rows in by_metric.items()
    )


def _table(title: str, rows: Sequence[Change], links: LinksOf) -> DifferencesView:
    label = _labels(rows)
    return DifferencesView(
        title,
        _unit(rows[0]),
        tuple(_row(label(one), one, links(one)) for one in rows),
        tuple(change_notes(rows)),
        _is_up(rows),
    )


def _labels(rows: Sequence[Change]) -> Callable[[Change], str]:
    """Return what tells rows apart: the metric, and of the arms the models or prompts that differ."""
    alone = len({one.scorer for one in rows}) <= 1
    models, prompts = ({_versus(one, name) for one in rows} for name in ("model", "prompt"))
    metrics = len({(one.scorer, one.metric) for one in rows})

    def label(one: Change) -> str:
        parts = [_versus(one, "model")] if len(models) > 1 else []
        parts += [_versus(one, "prompt")] if len(prompts) > 1 else []
        if metrics > 1 or not parts or not one.scorer:
            parts.insert(0, change_label(one, alone=alone))
        return ", ".join(parts)

    return label


def _versus(one: Change, name: str) -> str:
    a, b = getattr(one, f"{name}_a"), getattr(one, f"{name}_b")
    return str(b) if a == b else f"{b} against {a}"


def _by_unit(rows: Iterable[Change]) -> list[list[Change]]:
    """Return rows that share an axis together; one that could not be compared stands with the first."""
    found: dict[str, list[Change]] = {}
    rest = []
    for one in rows:
        if one.difference is None:
            rest.append(one)
        else:
            found.setdefault(_unit(one), []).append(one)
    groups = list(found.values())
    if rest:
        groups = [[*groups[0], *rest], *groups[1:]] if groups else [rest]
    return groups


def _unit(one: Change) -> str:
    return unit_of(one.scorer, one.metric, share=one.share)


def _is_up(rows: Sequence[Change]) -> bool:
    return all(one.better == "higher" for one in rows)


def _row(label: str, one: Change, links: tuple[LinkView, ...], q: float | None = None) -> DifferenceRow:
    unit = _unit(one)
    half = half_width(one)
    spread = "" if half is None or one.difference is None else format_change(half, unit, half).lstrip("+")
    return DifferenceRow(
        label=label,
        mark=mark_of(one),
        a=format_plain(one.value_a, unit),
        b=format_plain(one.value_b, unit),
        difference=format_change(one.difference, unit, half),
        spread=f"\N{PLUS-MINUS SIGN}{spread}" if spread else "",
        exact=_exact(one),
        chart=None if one.difference is None or not one.scorer else forest_row(label, one, unit),
        p=format_p(one.p),
        adjusted=format_p(one.p_adjusted if q is None else q),
        wins=_count(one.wins),
        losses=_count(one.losses),
        ties=_count(one.ties),
        detectable=MISSING if one.detectable is None else format_size(one.detectable, unit),
        n=f"{one.n:,}" if one.n else MISSING,
        links=links,
    )


def _count(number: int | None) -> str:
    return MISSING if number is None else f"{number:,}"


def _exact(one: Change) -> str:
    """Return the figures with all their digits, and how they came about."""
    if one.difference is None:
        return one.note or "not compared"
    said = f"{one.difference:+.6g}"
    if one.low is not None or one.high is not None:
        ends = ("open" if end is None else f"{end:.6g}" for end in (one.low, one.high))
        said += f", {one.level * 100:g} % interval {' to '.join(ends)}"
    if one.p is not None:
        said += f", p {one.p:.3g}"
    if one.p_adjusted is not None:
        said += f", adjusted {one.p_adjusted:.3g}"
    said += f", n {one.n:,}"
    return f"{said} ({one.method})" if one.method else said
