"""A gate as people read it: one paragraph, then the table that proves it."""

from collections.abc import Sequence
from dataclasses import asdict

from regrade.report.comparison import (
    change_records,
    exact,
    flip_records,
    lead_records,
    lead_table,
    slice_forests,
)
from regrade.report.flips import flips_view
from regrade.report.measures import format_p, format_plain, format_size
from regrade.report.verdicts import (
    needed_sentence,
    shown_difference,
    shown_interval,
    shown_level,
    verdict_label,
    verdict_sentence,
    verdict_unit,
)
from regrade.types import JsonObject
from regrade.verdicts import GateResult, Outcome, Verdict
from regrade.views import CaseView, ColumnView, Document, ForestRow, ForestView, Mark, TableView

__all__ = ["gate_document"]

_ORDER: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
_MOST_SENTENCES = 3
_MARKS: dict[Outcome, Mark] = {"FAIL": "worse", "INCONCLUSIVE": "unclear", "PASS": "none"}


def gate_document(result: GateResult) -> Document:
    """Return paragraph, table, charts, cases, flips and exact records of a gate."""
    found = result.comparison
    against = f" against {result.baseline}" if result.baseline else ""
    flips = [one for one in found.flips if one.broken_count or one.mended_count] if found else []
    return Document(
        title=f"{result.run}{against}",
        summary=(),
        kind="gate",
        outcome=result.outcome,
        paragraph=_paragraph(result),
        tables=(_table(result.verdicts), *(lead_table(found.leads) if found else ())),
        forests=(*_forests(result.verdicts), *(slice_forests(found.leads) if found else ())),
        cases=tuple(_case(one) for one in result.verdicts),
        flips=tuple(flips_view(one) for one in flips),
        notes=_notes(result),
        records={
            "verdicts": tuple(_record(one) for one in result.verdicts),
            "changes": change_records(found.changes) if found else (),
            "leads": lead_records(found.leads) if found else (),
            "flips": tuple(flip_records(flips)),
        },
    )


def _paragraph(result: GateResult) -> str:
    verdicts = result.verdicts
    counts = {one: sum(1 for verdict in verdicts if verdict.outcome == one) for one in _ORDER}
    total = len(verdicts)
    against = f" against {result.baseline}" if result.baseline else ""
    if counts["PASS"] == total:
        head = f"PASS: {'the rule holds' if total == 1 else f'all {total} rules hold'}{against}."
        return " ".join([head, *_weakest(verdicts)])
    words = {"FAIL": "failed", "INCONCLUSIVE": "inconclusive", "PASS": "passed"}
    parts = [f"{counts[one]} {words[one]}" for one in _ORDER if counts[one]]
    rules = "1 rule" if total == 1 else f"{total} rules"
    told = [one for outcome in _ORDER[:2] for one in verdicts if one.outcome == outcome]
    sentences = [
        " ".join(part for part in (verdict_sentence(one), needed_sentence(one)) if part)
        for one in told[:_MOST_SENTENCES]
    ]
    more = len(told) - _MOST_SENTENCES
    tail = [f"{more} more stand in the table."] if more > 0 else []
    let_through = result.exit_code == 0
    if let_through:
        tail.append("`on_inconclusive: pass` lets this through.")
    return " ".join([f"{result.outcome}: of {rules}{against} {', '.join(parts)}.", *sentences, *tail])


def _weakest(verdicts: Sequence[Verdict]) -> list[str]:
    """Say what a PASS for want of evidence could have missed."""
    blind = [one for one in verdicts if one.cause == "not_shown" and one.detectable is not None]
    if len(verdicts) == 1:
        return [verdict_sentence(verdicts[0])]
    if not blind:
        return []
    shares = [one for one in blind if one.share] or blind
    weakest = max(shares, key=lambda one: one.detectable or 0.0)
    unit = verdict_unit(weakest)
    size = format_size(weakest.detectable or 0.0, unit)
    where = f"{weakest.eval}, {verdict_label(weakest)} of {weakest.model}"
    return [f"No drop was shown; one of less than {size} may have stayed unseen ({where})."]


def _table(verdicts: Sequence[Verdict]) -> TableView:
    several_evals = len({one.eval for one in verdicts}) > 1
    several_models = len({one.model for one in verdicts}) > 1
    several_prompts = len({one.prompt for one in verdicts}) > 1
    heads = (
        ColumnView("verdict"),
        *([ColumnView("eval")] if several_evals else []),
        *([ColumnView("model")] if several_models else []),
        *([ColumnView("prompt")] if several_prompts else []),
        ColumnView("rule"),
        ColumnView("A", "right", 4),
        ColumnView("B", "right", 3),
        ColumnView("change or value", "right"),
        ColumnView("interval", "right"),
        ColumnView("p", "right"),
        ColumnView("n", "right", 1),
    )
    body = []
    for one in sorted(verdicts, key=lambda verdict: _ORDER.index(verdict.outcome)):
        unit = verdict_unit(one)
        body.append(
            (
                one.outcome,
                *([one.eval] if several_evals else []),
                *([one.model] if several_models else []),
                *([one.prompt] if several_prompts else []),
                one.rule.text,
                format_plain(one.value_a, unit),
                format_plain(one.value_b, unit),
                shown_difference(one),
                shown_interval(one),
                format_p(one.p_adjusted),
                f"{one.n:,}",
            )
        )
    first = verdicts[0]
    names = [*([] if several_evals else [first.eval]), *([] if several_models else [first.model])]
    title = f"rules: {', '.join(names)}" if names else "rules"
    return TableView(title, heads, tuple(body), tuple(dict.fromkeys(_table_notes(verdicts))))


def _held_against(verdicts: Sequence[Verdict]) -> list[str]:
    """Say which models were held against one of another name."""
    pairs = {one.model: one.model_a for one in verdicts if one.model_a not in {"", one.model}}
    return [f"{model} is held against {other}." for model, other in pairs.items()]


def _table_notes(verdicts: Sequence[Verdict]) -> list[str]:
    levels = [shown_level(one) for one in sorted(verdicts, key=lambda one: one.level)]
    family = max((one.family for one in verdicts), default=0)
    notes = [f"Intervals: {' and '.join(dict.fromkeys(levels))}, two-sided."]
    if family > 1:
        notes.append(f"p: one-sided, for a loss; adjusted by Holm over the {family} rules that test.")
    elif family:
        notes.append("p: one-sided, for a loss.")
    notes += _held_against(verdicts)
    return [*notes, *_rule_notes(verdicts)]


def _rule_notes(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the notes of the rules; what is said of several rules of an eval stands there once."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for one in verdicts:
        for note in one.notes:
            found.setdefault((one.eval, note), []).append(one)
    notes = []
    for (eval_name, note), said_of in found.items():
        models = [*dict.fromkeys(one.model for one in said_of)]
        rules = [*dict.fromkeys(one.rule.text for one in said_of)]
        whom = [*(models if len(models) == 1 else []), *(rules if len(rules) == 1 else [])]
        notes.append(f"{', '.join([eval_name, *whom])}: {note}.")
    return notes


def _notes(result: GateResult) -> tuple[str, ...]:
    return (*result.notes, *(result.comparison.notes if result.comparison else ()))


def _case(one: Verdict) -> CaseView:
    """Return what CI counts; the name is the same as long as the rule, model and prompt are."""
    prompt = "" if one.prompt == "default" else f" [{one.prompt}]"
    sentence = verdict_sentence(one)
    lines = [sentence, *(part for part in [needed_sentence(one)] if part)]
    lines += [f"{note[:1].upper()}{note[1:]}." for note in one.notes]
    return CaseView(
        group=one.eval,
        name=f"{one.model}{prompt}: {one.rule.text}",
        outcome=one.outcome,
        message=f"{one.outcome}: {sentence}",
        text="\n".join(lines),
        where=one.rule.where,
        harmless=one.harmless,
    )


def _forests(verdicts: Sequence[Verdict]) -> list[ForestView]:
    """Return a chart of differences with their margins, one a unit."""
    by_unit: dict[str, list[ForestRow]] = {}
    for one in verdicts:
        if one.difference is None:
            continue
        unit = verdict_unit(one)
        scale = 100.0 if unit == "points" else 1.0
        sign = -1.0 if one.better == "higher" else 1.0
        low, high = (None if end is None else end * scale for end in (one.low, one.high))
        text = f"{shown_difference(one)} ({shown_interval(one)})"
        by_unit.setdefault(unit, []).append(
            ForestRow(
                label=f"{one.eval}, {one.model}: {one.rule.text}",
                value=one.difference * scale,
                low=low,
                high=high,
                limit=sign * (one.rule.margin or 0.0) * scale,
                mark=_MARKS[one.outcome],
                text=text,
            )
        )
    return [ForestView(f"Rules, {unit}", unit, tuple(rows)) for unit, rows in by_unit.items()]


def _record(one: Verdict) -> JsonObject:
    """Return a verdict as one flat record."""
    own = {name: value for name, value in asdict(one).items() if name not in {"rule", "policy", "notes"}}
    return exact(
        {
            "outcome": one.outcome,
            "rule": one.rule.text,
            **own,
            "margin": one.rule.margin,
            "limit": one.rule.value,
            "alpha": one.policy.alpha,
            "level": one.level,
            "slice": ", ".join(f"{name}={value}" for name, value in one.rule.slice.items()),
            "reason": verdict_sentence(one),
            "needed_to_decide": needed_sentence(one),
            "notes": "; ".join(one.notes),
            "where": None if one.rule.where is None else str(one.rule.where),
        }
    )
